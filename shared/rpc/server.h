/* The server: takes calls from a transport, brings each through one pipeline to its handler, and
 * drains. */
#ifndef THROUGHLINE_RPC_SERVER_H
#define THROUGHLINE_RPC_SERVER_H

#include "shared/auth/token.h"
#include "shared/base/metrics.h"
#include "shared/rpc/call.h"

struct TransportOps;

typedef struct RpcServer RpcServer;

/* 0 takes the default in brackets. */
typedef struct RpcLimits {
    int64_t max_message_bytes;  /* one message in [4 MiB]: RESOURCE_EXHAUSTED */
    int64_t max_metadata_bytes; /* [16 KiB] */
    int32_t max_calls; /* in the server at once [4096]; beyond: RESOURCE_EXHAUSTED with RetryInfo */
    int32_t max_queue; /* waiting for a worker [1024]; beyond: the same */
    int32_t max_streams;          /* per connection [256] */
    int32_t workers;              /* threads that may block [128], made when needed */
    int32_t pollers;              /* transport threads [cores] */
    int64_t idle_ms;              /* a connection without calls is closed [5 min] */
    int64_t max_age_ms;           /* a connection is asked to reconnect [5 min, with jitter] */
    int64_t max_age_grace_ms;     /* [30 s] */
    int64_t keepalive_ms;         /* [60 s] */
    int64_t min_ping_interval_ms; /* told to gRPC core; h2 has max_control_frames [10 s] */
    int64_t default_deadline_ms;  /* for unary calls that bring none [30 s] */

    /* What follows only the h2 engine can hold. */
    int32_t max_connections;             /* beyond: hung up on [20000] */
    int32_t max_connections_per_address; /* the same [500] */
    /* What one address makes the server keep: connections, calls under way, messages in and out;
     * beyond, its calls and its new connections are refused [40 MiB]. Of IPv6 an address is what one
     * network has: 64 bits. */
    int64_t max_address_bytes;
    /* Streams that a connection may reset at a go; a tenth of that each second, and one for every
     * call that was answered, come back [1000]. */
    int32_t max_resets;
    /* The same of frames that carry neither headers nor data; messages and bytes make good for
     * them too [10000]. */
    int32_t max_control_frames;
    /* In messages that are not whole or not received, and the same of replies that the client
     * does not take, per connection [16 MiB]. */
    int64_t max_pending_bytes;
    /* Replies that clients do not take, in all; beyond, those of clients who let more wait than a
     * sixteenth of max_pending_bytes are given up: RESOURCE_EXHAUSTED [16 MiB]. */
    int64_t max_held_bytes;
    int64_t handshake_ms; /* until TLS and preface, and until a block of headers, is whole [10 s] */
    int64_t body_ms;      /* until a message that has begun is whole [60 s] */
    int64_t stall_ms;     /* a client that takes nothing of what waits for it is left [60 s] */
    int64_t max_memory_bytes; /* of the process; above 85 % no connections [the system's limit] */
} RpcLimits;

/* What stands between the run time and the store: the service layer fills these in. */
typedef struct RpcHooks {
    void *context;
    /* Before the handler: sets call->store and call->service; `request` and `reply` are NULL for
     * streams in. An error takes the place of the handler's. */
    const Error *(*begin)(void *context, RpcCall *call, const ProtobufCMessage *request,
        ProtobufCMessage *reply, Bytes request_bytes);
    /* After the handler, or after `begin` took its place: may turn "was done before" into
     * success with the first answer's bytes in *replayed. */
    const Error *(*end)(void *context, RpcCall *call, const Error *error, Bytes *replayed);
} RpcHooks;

typedef struct RpcServerOptions {
    const char *address; /* "0.0.0.0" */
    int port;            /* 0 picks a free one */
    RpcLimits limits;
    RpcHooks hooks;
    TokenKeys *keys; /* NULL: no token is accepted */
    Metrics *metrics;
    const char *tls_certificate, *tls_key, *tls_client_ca; /* file names; NULL: plaintext */
    bool expects_proxy;                /* every connection begins with PROXY protocol v2; h2 only */
    const RpcService *const *services; /* NULL-ended; health and reflection are added */
    const struct TransportOps *transport; /* the engine; NULL: transport_h2 */
} RpcServerOptions;

/* Listens and takes calls; health says NOT_SERVING until rpc_server_set_serving. Errors:
 * UNAVAILABLE PORT_TAKEN, INVALID_ARGUMENT, PROXY_UNSUPPORTED, and FAILED_PRECONDITION POLICY_MISSING when a method
 * has no policy in the proto. */
const Error *rpc_server_start(Arena *arena, const RpcServerOptions *options, RpcServer **server);
int rpc_server_port(const RpcServer *server);

/* Those that are given, and the defaults of the others. */
RpcLimits rpc_limits(const RpcLimits *given);

void rpc_server_set_serving(RpcServer *server, bool is_serving);

/* For a process without TLS, before it uses OpenSSL, which then leaves its words for errors out of
 * memory: half a megabyte, called for by files of TLS that cannot be used. */
void rpc_spare_tls_words(void);

/* Why no new connections are taken, in a few words; NULL when they are. */
const char *rpc_server_strain(const RpcServer *server);

/* Calls Check through the port, as a stranger would: NULL when the answer comes within a second. */
const Error *rpc_server_probe(RpcServer *server);

/* NOT_SERVING, GOAWAY, no new calls; calls under way go on for at most grace_ms, then are
 * cancelled. Returns when all are gone. Then frees everything. True when none had to be
 * cancelled. */
bool rpc_server_stop(RpcServer *server, int grace_ms);

#endif
