/* The seam between calls to other services and the library that makes them, as transport.h is for the server. */
#ifndef THROUGHLINE_RPC_CLIENT_ENGINE_H
#define THROUGHLINE_RPC_CLIENT_ENGINE_H

#include "shared/rpc/client.h"

/* An engine's own channel. */
typedef struct ClientChannel ClientChannel;

/* As the functions of client.h. */
typedef struct ClientOps {
    /* What the options point to lives as long as the channel. Never fails: calls do. */
    ClientChannel *(*open)(const RpcClientOptions *options);
    void (*close)(ClientChannel *channel);
    const Error *(*call)(ClientChannel *channel, const RpcOutgoing *outgoing,
        const ProtobufCServiceDescriptor *service, const char *method, const void *request,
        void *reply);
    const Error *(*call_raw)(ClientChannel *channel, const RpcOutgoing *outgoing, const char *path,
        Bytes request, Bytes *reply);
    const Error *(*open_stream)(ClientChannel *channel, const RpcOutgoing *outgoing,
        const ProtobufCServiceDescriptor *service, const char *method, RpcClientStream **stream);
    const Error *(*send)(RpcClientStream *stream, const void *message);
    const Error *(*finish_sending)(RpcClientStream *stream);
    const Error *(*receive)(RpcClientStream *stream, Arena *arena, void **message);
    void (*cancel)(RpcClientStream *stream);
    void (*close_stream)(RpcClientStream *stream);
} ClientOps;

/* Engines embed it. */
struct RpcClientStream {
    const ClientOps *ops;
};

/* libevent, libnghttp2 and OpenSSL. */
extern const ClientOps client_h2;
/* gRPC core, in the module throughline-grpc. */
extern const ClientOps client_core;

#endif
