/* Inside the gRPC core engine: what its parts (calls, listening) share. */
#ifndef THROUGHLINE_RPC_TRANSPORT_CORE_H
#define THROUGHLINE_RPC_TRANSPORT_CORE_H

#include "shared/rpc/transport.h"

#include <grpc/grpc.h>
#include <pthread.h>
#include <stdatomic.h>

typedef struct CoreCall CoreCall;
typedef struct CoreTransport CoreTransport;
typedef struct CoreListener CoreListener;

/* What core hands back when something is done. The fence carries what we wrote before the asking
 * over to the thread that sees the answer: core does so too, but a thread sanitizer cannot see
 * into it. */
typedef struct CoreTag {
    void (*done)(CoreCall *call, bool ok);
    CoreCall *call;
    atomic_int fence;
} CoreTag;

typedef struct CoreMethod {
    const TransportMethod *method; /* NULL: the slots for calls that nobody offers */
    void *handle;                  /* core's */
} CoreMethod;

struct CoreTransport {
    Transport base;
    TransportEvents events;
    RpcLimits limits;
    grpc_server *server;
    grpc_completion_queue *queue;
    CoreMethod *methods; /* n_methods + 1: the last is for calls that nobody offers */
    size_t n_methods;
    int port;
    int descriptor_cap;
    CoreListener *listener; /* NULL under TLS, where core listens itself */
    pthread_t *pollers;
    int n_pollers;
    _Atomic size_t calls;   /* arrived and not closed */
    _Atomic size_t pending; /* calls and requests for calls */
    pthread_mutex_t lock;   /* for is_down */
    pthread_cond_t changed;
    bool is_down; /* core has given up all calls and connections */
    CoreTag down;
    uint32_t (*message_flags)(grpc_call *call); /* NULL: this build of core does not tell */
};

/* transport_core.c: calls. */
void core_tag_arm(CoreTag *tag);
void core_request_calls(CoreTransport *transport);
void core_poll(CoreTransport *transport);

/* transport_core_open.c: from options to a running server, and back. */
const Error *core_listen(Arena *arena, const TransportOptions *options, Transport **transport);
int core_port(const Transport *transport);
size_t core_calls(const Transport *transport);
bool core_drain(Transport *transport, int grace_ms);
void core_destroy(Transport *transport);

/* transport_core_listener.c: a listening socket of our own, whose connections are handed to
 * core. */
/* Errors: UNAVAILABLE PORT_TAKEN, INVALID_ARGUMENT ADDRESS_INVALID. */
const Error *core_listener_open(
    Arena *arena, const char *address, int port, int descriptor_cap, CoreListener **listener);
int core_listener_port(const CoreListener *listener);
void core_listener_start(CoreListener *listener, grpc_server *server);
/* Stops taking connections; those handed over stay. */
void core_listener_stop(CoreListener *listener);
void core_listener_free(CoreListener *listener);
/* "ipv4:10.0.0.7:4711" for core's name of a peer. */
const char *core_listener_address(CoreListener *listener, Arena *arena, const char *peer);

#endif
