/* gRPC core as an engine: from options to a listening server with its threads, and the drain. */
#include "shared/rpc/transport_core.h"

#include "shared/base/clock.h"
#include "shared/base/condition.h"
#include "shared/rpc/listening.h"

#include <dlfcn.h>
#include <errno.h>
#include <grpc/grpc_security.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* After the last call connections get this long to close by themselves: cutting one at once
     * may take its last answer with it. */
    LINGER_MS = 200,
    DRAIN_STEP_MS = 10,
    KEEPALIVE_TIMEOUT_MS = 20000,
    /* Core cuts the whole connection at its limit, so a politer refusal comes well before. */
    METADATA_MARGIN = 4,
    TLS_FILE_MAX = 1024 * 1024,
    MAX_ARGS = 16,
};

static const Error proxy_unsupported = { ERROR_INVALID_ARGUMENT, "PROXY_UNSUPPORTED",
    "gRPC core does not understand the PROXY protocol; take --transport=h2." };

/* Debian builds abseil with the deadlock detector of its mutexes on: 5 % of the instructions of
 * a call. */
static void switch_off_deadlock_detection(void)
{
    void (*set_mode)(int);
    void *symbol = dlsym(
        RTLD_DEFAULT, "_ZN4absl7debian329SetMutexDeadlockDetectionModeENS0_15OnDeadlockCycleE");

    memcpy(&set_mode, &symbol, sizeof(set_mode));
    if (set_mode)
        set_mode(0);
}

static void find_message_flags(CoreTransport *transport)
{
    void *symbol = dlsym(RTLD_DEFAULT, "_Z37grpc_call_test_only_get_message_flagsP9grpc_call");

    memcpy(&transport->message_flags, &symbol, sizeof(transport->message_flags));
}

static int as_int(int64_t value)
{
    return value > INT32_MAX ? INT32_MAX : (int)value;
}

static grpc_server *new_server(const RpcLimits *limits)
{
    const struct {
        const char *key;
        int64_t value;
    } values[] = {
        { GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, limits->max_message_bytes },
        { GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, -1 },
        { GRPC_ARG_MAX_METADATA_SIZE, limits->max_metadata_bytes * METADATA_MARGIN },
        { GRPC_ARG_MAX_CONCURRENT_STREAMS, limits->max_streams },
        { GRPC_ARG_MAX_CONNECTION_IDLE_MS, limits->idle_ms },
        { GRPC_ARG_MAX_CONNECTION_AGE_MS, limits->max_age_ms }, /* core adds a tenth of jitter */
        { GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, limits->max_age_grace_ms },
        { GRPC_ARG_KEEPALIVE_TIME_MS, limits->keepalive_ms },
        { GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_TIMEOUT_MS },
        { GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1 },
        { GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, limits->min_ping_interval_ms },
        { GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0 }, /* meshes and phones ping as they like */
        { GRPC_ARG_ALLOW_REUSEPORT, 0 }, /* or a second process could share the port unseen */
        { GRPC_ARG_ENABLE_CHANNELZ, 0 },
    };
    grpc_arg args[MAX_ARGS];

    for (size_t i = 0; i < COUNT(values); i++) {
        args[i].type = GRPC_ARG_INTEGER;
        args[i].key = (char *)values[i].key;
        args[i].value.integer = as_int(values[i].value);
    }
    return grpc_server_create(&(grpc_channel_args){ COUNT(values), args }, NULL);
}

static const Error *read_file(Arena *arena, const char *path, const char **text)
{
    FILE *file = fopen(path, "re");
    char *bytes = arena_alloc(arena, TLS_FILE_MAX + 1);
    size_t size = file ? fread(bytes, 1, TLS_FILE_MAX, file) : 0;

    if (file)
        fclose(file);
    if (size == 0)
        return error_new(arena, ERROR_INVALID_ARGUMENT, "TLS_FILE",
            "The TLS file %s cannot be read: %s.", path, file ? "it is empty" : strerror(errno));
    *text = bytes;
    return NULL;
}

static const Error *tls_credentials(
    Arena *arena, const TransportOptions *options, grpc_server_credentials **credentials)
{
    const char *certificate, *key, *ca = NULL;
    const Error *error;

    if ((error = read_file(arena, options->tls_certificate, &certificate)) ||
        (error = read_file(arena, options->tls_key, &key)) ||
        (options->tls_client_ca && (error = read_file(arena, options->tls_client_ca, &ca))))
        return error;
    *credentials = grpc_ssl_server_credentials_create_ex(ca,
        &(grpc_ssl_pem_key_cert_pair){ key, certificate }, 1,
        ca ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
           : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
        NULL);
    if (!*credentials)
        return error_new(arena, ERROR_INVALID_ARGUMENT, "TLS_FILE",
            "The TLS certificate %s and key %s do not fit.", options->tls_certificate,
            options->tls_key);
    return NULL;
}

/* Core can be handed plain connections only, so under TLS it listens itself. */
static const Error *open_tls_port(
    Arena *arena, CoreTransport *transport, const TransportOptions *options)
{
    bool is_ipv6 = strchr(options->address, ':') != NULL;
    const char *name =
        arena_printf(arena, is_ipv6 ? "[%s]:%d" : "%s:%d", options->address, options->port);
    grpc_server_credentials *credentials;
    const Error *error = tls_credentials(arena, options, &credentials);

    if (error)
        return error;
    transport->port = grpc_server_add_http2_port(transport->server, name, credentials);
    grpc_server_credentials_release(credentials);
    if (transport->port == 0)
        return error_new(arena, ERROR_UNAVAILABLE, "PORT_TAKEN", "Cannot listen on %s.", name);
    return NULL;
}

static const Error *open_plain_port(
    Arena *arena, CoreTransport *transport, const TransportOptions *options)
{
    const Error *error = core_listener_open(
        arena, options->address, options->port, transport->descriptor_cap, &transport->listener);

    if (error)
        return error;
    transport->port = core_listener_port(transport->listener);
    return NULL;
}

static void register_methods(CoreTransport *transport, const TransportOptions *options)
{
    transport->n_methods = options->n_methods;
    transport->methods = calloc(options->n_methods + 1, sizeof(*transport->methods));
    if (!transport->methods)
        abort();
    for (size_t i = 0; i < options->n_methods; i++) {
        const TransportMethod *method = &options->methods[i];

        transport->methods[i].method = method;
        transport->methods[i].handle =
            grpc_server_register_method(transport->server, method->path, NULL,
                method->takes_streams ? GRPC_SRM_PAYLOAD_NONE
                                      : GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER,
                0);
    }
}

static void *poll_thread(void *context)
{
    core_poll(context);
    return NULL;
}

static void start_pollers(CoreTransport *transport)
{
    transport->n_pollers = transport->limits.pollers;
    transport->pollers = calloc((size_t)transport->n_pollers, sizeof(pthread_t));
    if (!transport->pollers)
        abort();
    for (int i = 0; i < transport->n_pollers; i++)
        if (pthread_create(&transport->pollers[i], NULL, poll_thread, transport))
            abort();
}

static CoreTransport *new_transport(const TransportOptions *options)
{
    CoreTransport *transport = calloc(1, sizeof(*transport));

    if (!transport)
        abort();
    transport->base.ops = &transport_core;
    transport->events = options->events;
    transport->limits = options->limits;
    transport->descriptor_cap = listening_raise_descriptors();
    pthread_mutex_init(&transport->lock, NULL);
    condition_init(&transport->changed);
    switch_off_deadlock_detection();
    find_message_flags(transport);
    grpc_init();
    transport->queue = grpc_completion_queue_create_for_next(NULL);
    transport->server = new_server(&options->limits);
    grpc_server_register_completion_queue(transport->server, transport->queue, NULL);
    return transport;
}

static const Error *open_transport(
    Arena *arena, const TransportOptions *options, CoreTransport *transport)
{
    const Error *error = options->tls_certificate ? open_tls_port(arena, transport, options)
                                                  : open_plain_port(arena, transport, options);

    if (error)
        return error;
    register_methods(transport, options);
    grpc_server_start(transport->server);
    core_request_calls(transport);
    start_pollers(transport);
    if (transport->listener)
        core_listener_start(transport->listener, transport->server);
    return NULL;
}

/* Threads of core's and ours inherit the mask: signals are for whoever asked for them. */
const Error *core_listen(Arena *arena, const TransportOptions *options, Transport **transport)
{
    sigset_t all, before;
    CoreTransport *opened;
    const Error *error;

    if (options->expects_proxy)
        return &proxy_unsupported;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    opened = new_transport(options);
    error = open_transport(arena, options, opened);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        core_destroy(&opened->base);
        return error;
    }
    *transport = &opened->base;
    return NULL;
}

int core_port(const Transport *transport)
{
    return ((const CoreTransport *)transport)->port;
}

size_t core_calls(const Transport *transport)
{
    return atomic_load(&((CoreTransport *)(uintptr_t)transport)->calls);
}

static void wait_a_step(CoreTransport *transport)
{
    condition_wait_until(
        &transport->changed, &transport->lock, clock_monotonic() + DRAIN_STEP_MS * INT64_C(1000));
}

/* Until core is down, the grace is over, or no call was there for the linger. True when no call
 * is left: core is only down by itself when all have ended, even if we have not heard of the
 * last one yet. */
static bool wait_for_calls(CoreTransport *transport, int grace_ms)
{
    int64_t now = clock_monotonic();
    int64_t end = now + (int64_t)grace_ms * 1000;
    int64_t quiet_since = now;
    bool is_over;

    pthread_mutex_lock(&transport->lock);
    while (!transport->is_down && now < end && now - quiet_since < LINGER_MS * 1000) {
        wait_a_step(transport);
        now = clock_monotonic();
        if (atomic_load(&transport->calls) > 0)
            quiet_since = now;
    }
    is_over = transport->is_down || atomic_load(&transport->calls) == 0;
    pthread_mutex_unlock(&transport->lock);
    return is_over;
}

bool core_drain(Transport *base, int grace_ms)
{
    CoreTransport *transport = (CoreTransport *)base;
    bool is_clean;

    if (transport->listener)
        core_listener_stop(transport->listener);
    core_tag_arm(&transport->down);
    grpc_server_shutdown_and_notify(transport->server, transport->queue, &transport->down);
    is_clean = wait_for_calls(transport, grace_ms);
    grpc_server_cancel_all_calls(transport->server);
    pthread_mutex_lock(&transport->lock);
    while (!transport->is_down || atomic_load(&transport->pending) > 0)
        pthread_cond_wait(&transport->changed, &transport->lock);
    pthread_mutex_unlock(&transport->lock);
    return is_clean;
}

/* Also for one that never started: then nothing is in the queue and there are no pollers. */
void core_destroy(Transport *base)
{
    CoreTransport *transport = (CoreTransport *)base;

    grpc_completion_queue_shutdown(transport->queue);
    if (!transport->pollers)
        core_poll(transport);
    for (int i = 0; i < transport->n_pollers; i++)
        pthread_join(transport->pollers[i], NULL);
    grpc_server_destroy(transport->server);
    grpc_completion_queue_destroy(transport->queue);
    if (transport->listener)
        core_listener_free(transport->listener);
    grpc_shutdown();
    pthread_cond_destroy(&transport->changed);
    pthread_mutex_destroy(&transport->lock);
    free(transport->pollers);
    free(transport->methods);
    free(transport);
}
