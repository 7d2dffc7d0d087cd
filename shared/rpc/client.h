/* Calls to other services: deadlines, context, trace and retries travel along; a status comes
 * back as an Error. */
#ifndef THROUGHLINE_RPC_CLIENT_H
#define THROUGHLINE_RPC_CLIENT_H

#include "shared/rpc/call.h"

typedef struct RpcClient RpcClient;
typedef struct RpcClientStream RpcClientStream;

typedef struct RpcClientOptions {
    const char
        *target;       /* "localhost:7002", "dns:///catalog:7002", "ipv4:127.0.0.1:1,127.0.0.1:2" */
    const char *token; /* of the account; or */
    const char *token_file;                         /* read again when it changes */
    const char *tls_ca, *tls_certificate, *tls_key; /* NULL: plaintext */
    int64_t keepalive_ms;                           /* 0: 60 s */
    const char *transport;                          /* the engine, "h2" or "core"; NULL: h2 */
} RpcClientOptions;

/* One channel, many calls, any thread. Round robin over all addresses, calls kept off backends
 * that are not serving, retries with backoff on UNAVAILABLE for the methods that their policy
 * calls idempotent. Never fails to open: calls do. */
RpcClient *rpc_client_open(Arena *arena, const RpcClientOptions *options);
void rpc_client_close(RpcClient *client);

/* What goes out with a call. */
typedef struct RpcOutgoing {
    Arena *arena;
    int64_t deadline;   /* clock_monotonic(); 0: 10 s from now */
    RpcContext context; /* NULL texts are left out */
    const char *traceparent;
    const char *token;     /* instead of the client's own */
    const RpcCall *parent; /* its cancellation ends this call too; may be NULL */
} RpcOutgoing;

/* What such a channel does of itself, as gRPC's service config (JSON): for clients in other languages. */
const char *rpc_client_service_config(Arena *arena);

/* From a call that is being served: its arena, deadline, context and trace. */
RpcOutgoing rpc_outgoing(const RpcCall *call);

/* Unary. `reply` is an initialised message of the method's type. Errors: those of the peer with
 * their reason, violations and facts; UNAVAILABLE PEER_UNAVAILABLE, DEADLINE_EXCEEDED,
 * CANCELLED. */
const Error *rpc_client_call(RpcClient *client, const RpcOutgoing *outgoing,
    const ProtobufCServiceDescriptor *service, const char *method, const void *request,
    void *reply);

/* Streams. For server streaming send one message and half-close (rpc_client_finish_sending). */
const Error *rpc_client_open_stream(RpcClient *client, const RpcOutgoing *outgoing,
    const ProtobufCServiceDescriptor *service, const char *method, RpcClientStream **stream);
const Error *rpc_client_send(RpcClientStream *stream, const void *message);
const Error *rpc_client_finish_sending(RpcClientStream *stream);
/* *message is NULL at the end, when the status was OK. The message lives in `arena`. */
const Error *rpc_client_receive(RpcClientStream *stream, Arena *arena, void **message);
/* From any thread: rpc_client_receive returns CANCELLED. */
void rpc_client_cancel(RpcClientStream *stream);
/* Cancels what is left and frees it. */
void rpc_client_close_stream(RpcClientStream *stream);

/* Raw bytes, for programs that know methods only by name: every message in and out is handed
 * over unpacked. */
const Error *rpc_client_call_raw(
    RpcClient *client, const RpcOutgoing *outgoing, const char *path, Bytes request, Bytes *reply);

#endif
