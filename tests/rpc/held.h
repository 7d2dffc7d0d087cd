/* What Echo has deferred and nobody has ended: one list for all threads of a test. */
#ifndef THROUGHLINE_TESTS_RPC_HELD_H
#define THROUGHLINE_TESTS_RPC_HELD_H

#include "shared/rpc/call.h"
#include "tests/rpc/echo_fixture.h"

enum { HELD_MAX = 1024 };

/* Empty, from zero. */
void held_open(void);
/* As EchoState.defers. */
void held_put(RpcDeferral *deferral);
/* Waits for one, and gives the last; NULL when the list is empty and closed. */
RpcDeferral *held_take(void);
void held_close(void);
int held_count(void);
/* How many were put. */
atomic_int *held_total(void);

/* Waits for up to ten seconds until no call is left in the server. */
bool deferrals_come_to_rest(const Echo *echo);

#endif
