/* The channel of a client: how it finds, checks and retries backends, the token it shows, and the
 * thread that polls it. A queue that nobody polls would leave pings and GOAWAYs unanswered for
 * seconds. */
#include "shared/rpc/client_core.h"

#include <grpc/grpc_security.h>
#include <stdlib.h>
#include <string.h>

static const Error *make_credentials(
    Arena *arena, const RpcClientOptions *options, grpc_channel_credentials **credentials)
{
    grpc_ssl_pem_key_cert_pair pair = { NULL, NULL };
    const char *ca;

    if (!options->tls_ca) {
        *credentials = grpc_insecure_credentials_create();
        return NULL;
    }
    ca = client_read_text(arena, options->tls_ca);
    if (options->tls_certificate && options->tls_key) {
        pair.cert_chain = client_read_text(arena, options->tls_certificate);
        pair.private_key = client_read_text(arena, options->tls_key);
    }
    if (!ca || (options->tls_certificate && (!pair.cert_chain || !pair.private_key)))
        return &client_tls_unreadable;
    *credentials = grpc_ssl_credentials_create(ca, pair.cert_chain ? &pair : NULL, NULL, NULL);
    return *credentials ? NULL : &client_tls_unreadable;
}

static grpc_channel *make_channel(const char *target, const char *config, int64_t keepalive_ms,
    grpc_channel_credentials *credentials)
{
    const struct {
        const char *key;
        int64_t value;
    } numbers[] = {
        { GRPC_ARG_KEEPALIVE_TIME_MS, keepalive_ms ? keepalive_ms : CLIENT_KEEPALIVE_MS },
        { GRPC_ARG_KEEPALIVE_TIMEOUT_MS, CLIENT_KEEPALIVE_TIMEOUT_MS },
        { GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1 },
        { GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0 },
        { GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, CLIENT_MAX_MESSAGE_BYTES },
        { GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, CLIENT_MAX_MESSAGE_BYTES },
        { GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, CLIENT_MIN_RECONNECT_MS },
        /* Not what its name says: how long an attempt may take, on a busy machine not short. */
        { GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, CLIENT_CONNECT_MS },
        { GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, CLIENT_MAX_RECONNECT_MS },
        { GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, CLIENT_MIN_RESOLUTION_MS },
        /* A client that has just failed to connect makes no other one wait. */
        { GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1 },
        /* Neither TXT records nor the environment's web proxy have a say between services. */
        { GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1 },
        { GRPC_ARG_ENABLE_HTTP_PROXY, 0 },
    };
    grpc_arg args[COUNT(numbers) + 1];
    grpc_channel_args list = { COUNT(args), args };

    for (size_t i = 0; i < COUNT(numbers); i++)
        args[i] = (grpc_arg){ .type = GRPC_ARG_INTEGER,
            .key = (char *)numbers[i].key,
            .value.integer = (int)numbers[i].value };
    args[COUNT(numbers)] = (grpc_arg){ .type = GRPC_ARG_STRING,
        .key = (char *)GRPC_ARG_SERVICE_CONFIG,
        .value.string = (char *)config };
    return grpc_channel_create(target, credentials, &list);
}

static void *poll_queue(void *context)
{
    ClientChannel *channel = context;
    grpc_event event;

    while ((event = grpc_completion_queue_next(
                channel->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL))
               .type != GRPC_QUEUE_SHUTDOWN)
        client_batch_finish(event.tag, event.success);
    return NULL;
}

static void connect(ClientChannel *channel, const RpcClientOptions *options)
{
    Arena *scratch = arena_new(); /* the channel keeps a copy */
    grpc_channel_credentials *credentials;

    channel->error = make_credentials(scratch, options, &credentials);
    if (!channel->error) {
        channel->wire = make_channel(options->target, rpc_client_service_config(scratch),
            options->keepalive_ms, credentials);
        grpc_channel_credentials_release(credentials);
        channel->queue = grpc_completion_queue_create_for_next(NULL);
        if (pthread_create(&channel->poller, NULL, poll_queue, channel))
            abort();
    }
    arena_free(scratch);
}

ClientChannel *client_channel_open(const RpcClientOptions *options)
{
    ClientChannel *channel = calloc(1, sizeof(*channel));

    if (!channel)
        abort();
    grpc_init();
    client_token_open(&channel->token, options);
    connect(channel, options);
    return channel;
}

void client_channel_close(ClientChannel *channel)
{
    if (channel->wire) {
        grpc_channel_destroy(channel->wire);
        grpc_completion_queue_shutdown(channel->queue);
        pthread_join(channel->poller, NULL);
        grpc_completion_queue_destroy(channel->queue);
    }
    client_token_close(&channel->token);
    free(channel);
    grpc_shutdown();
}
