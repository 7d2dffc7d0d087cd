/* The echo service: does nothing but answer, for tests of the run time and as the baseline of
 * its figures. */
#ifndef THROUGHLINE_TESTS_SUPPORT_ECHO_SERVICE_H
#define THROUGHLINE_TESTS_SUPPORT_ECHO_SERVICE_H

#include "shared/rpc/call.h"
#include "shared/rpc/server.h"

#include <stdatomic.h>

/* Gets what Echo has deferred, to end it whenever it likes. */
typedef void (*EchoDefer)(RpcDeferral *deferral);

/* What tests want to know of handlers; behind call->service. */
typedef struct EchoState {
    atomic_int running;   /* EchoSlowly is waiting */
    atomic_int cancelled; /* EchoSlowly was told to stop */
    atomic_int finished;  /* EchoSlowly waited to the end */
    atomic_int moved;     /* Echo has asked for a worker */
    atomic_bool blocks;   /* Echo needs a worker, though it is marked inline */
    atomic_bool detaches; /* EchoMany goes on without its worker */
    atomic_bool holds;    /* Echo keeps the transport's thread for as long as this is set */
    atomic_int held;      /* Echo was called while it held */
    atomic_bool
        shares; /* Echo answers all calls of a turn together: short payloads, and long ones */
    atomic_int shared;  /* calls that were answered so */
    atomic_int largest; /* of those answered together */
    _Atomic(EchoDefer)
        defers;        /* Echo, EchoMany and EchoCount try to have their answer come later */
    atomic_int waited; /* but could not */
} EchoState;

extern const RpcService echo_rpcs;

/* Hooks that give every call its state. */
RpcHooks echo_hooks(EchoState *state);

#endif
