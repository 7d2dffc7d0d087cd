/* Clients before and beside their engine: the engine is loaded, and the channel opened, by the first call. */
#include "shared/rpc/client_engine.h"

#include "shared/base/text.h"
#include "shared/rpc/core_module.h"

#include <pthread.h>
#include <stdatomic.h>

struct RpcClient {
    RpcClientOptions options;
    pthread_mutex_t lock;             /* for opening */
    const ClientOps *ops;             /* good once there is a channel */
    _Atomic(ClientChannel *) channel; /* NULL: not opened yet */
};

static const char *copy(Arena *arena, const char *text)
{
    return text ? arena_text(arena, text) : NULL;
}

RpcClient *rpc_client_open(Arena *arena, const RpcClientOptions *options)
{
    RpcClient *client = arena_alloc(arena, sizeof(*client));

    client->options = (RpcClientOptions){
        .target = copy(arena, options->target),
        .token = copy(arena, options->token),
        .token_file = copy(arena, options->token_file),
        .tls_ca = copy(arena, options->tls_ca),
        .tls_certificate = copy(arena, options->tls_certificate),
        .tls_key = copy(arena, options->tls_key),
        .keepalive_ms = options->keepalive_ms,
        .transport = copy(arena, options->transport),
    };
    pthread_mutex_init(&client->lock, NULL);
    return client;
}

void rpc_client_close(RpcClient *client)
{
    ClientChannel *channel;

    if (!client)
        return;
    channel = atomic_load(&client->channel);
    if (channel)
        client->ops->close(channel);
    pthread_mutex_destroy(&client->lock);
}

/* Under the lock. */
static const Error *open_channel(RpcClient *client, Arena *arena)
{
    const void *ops = &client_h2;
    const Error *error = NULL;

    if (atomic_load(&client->channel))
        return NULL;
    if (client->options.transport && text_equal(client->options.transport, "core"))
        error = core_module_find(arena, "client_core", &ops);
    if (error)
        return error;
    client->ops = ops;
    atomic_store(&client->channel, client->ops->open(&client->options));
    return NULL;
}

static const Error *find_channel(RpcClient *client, Arena *arena, ClientChannel **channel)
{
    const Error *error = NULL;

    *channel = atomic_load(&client->channel);
    if (*channel)
        return NULL;
    pthread_mutex_lock(&client->lock);
    error = open_channel(client, arena);
    *channel = atomic_load(&client->channel);
    pthread_mutex_unlock(&client->lock);
    return error;
}

const Error *rpc_client_call(RpcClient *client, const RpcOutgoing *outgoing,
    const ProtobufCServiceDescriptor *service, const char *method, const void *request, void *reply)
{
    ClientChannel *channel;
    const Error *error = find_channel(client, outgoing->arena, &channel);

    return error ? error : client->ops->call(channel, outgoing, service, method, request, reply);
}

const Error *rpc_client_call_raw(
    RpcClient *client, const RpcOutgoing *outgoing, const char *path, Bytes request, Bytes *reply)
{
    ClientChannel *channel;
    const Error *error = find_channel(client, outgoing->arena, &channel);

    return error ? error : client->ops->call_raw(channel, outgoing, path, request, reply);
}

const Error *rpc_client_open_stream(RpcClient *client, const RpcOutgoing *outgoing,
    const ProtobufCServiceDescriptor *service, const char *method, RpcClientStream **stream)
{
    ClientChannel *channel;
    const Error *error = find_channel(client, outgoing->arena, &channel);

    return error ? error : client->ops->open_stream(channel, outgoing, service, method, stream);
}

const Error *rpc_client_send(RpcClientStream *stream, const void *message)
{
    return stream->ops->send(stream, message);
}

const Error *rpc_client_finish_sending(RpcClientStream *stream)
{
    return stream->ops->finish_sending(stream);
}

const Error *rpc_client_receive(RpcClientStream *stream, Arena *arena, void **message)
{
    return stream->ops->receive(stream, arena, message);
}

void rpc_client_cancel(RpcClientStream *stream)
{
    stream->ops->cancel(stream);
}

void rpc_client_close_stream(RpcClientStream *stream)
{
    if (stream)
        stream->ops->close_stream(stream);
}

RpcOutgoing rpc_outgoing(const RpcCall *call)
{
    return (RpcOutgoing){
        .arena = call->arena,
        /* Whoever has no deadline, an event's effect or a job, must not wait for ever either. */
        .deadline = call->deadline == INT64_MAX ? 0 : call->deadline,
        .context = call->context,
        .traceparent = call->traceparent,
        .parent = call,
    };
}
