/* The server: from options to a transport with a pipeline behind it, and the drain. */
#include "shared/rpc/server.h"

#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/rpc/exchange.h"
#include "shared/rpc/health.h"
#include "shared/rpc/reflection.h"
#include "shared/rpc/workers.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    DEFAULT_MESSAGE_BYTES = 4 * 1024 * 1024,
    DEFAULT_METADATA_BYTES = 16 * 1024,
    DEFAULT_CALLS = 4096,
    DEFAULT_QUEUE = 1024,
    DEFAULT_STREAMS = 256,
    DEFAULT_WORKERS = 128,
    DEFAULT_IDLE_MS = 5 * 60 * 1000,
    DEFAULT_AGE_MS = 5 * 60 * 1000,
    DEFAULT_AGE_GRACE_MS = 30 * 1000,
    DEFAULT_KEEPALIVE_MS = 60 * 1000,
    DEFAULT_PING_MS = 10 * 1000,
    DEFAULT_DEADLINE_MS = 30 * 1000,
    DEFAULT_CONNECTIONS = 20000,
    DEFAULT_CONNECTIONS_PER_ADDRESS = 500,
    DEFAULT_ADDRESS_BYTES = 40 * 1024 * 1024,
    DEFAULT_RESETS = 1000,
    DEFAULT_CONTROL_FRAMES = 10000,
    DEFAULT_PENDING_BYTES = 16 * 1024 * 1024,
    DEFAULT_HELD_BYTES = 16 * 1024 * 1024,
    DEFAULT_HANDSHAKE_MS = 10 * 1000,
    DEFAULT_BODY_MS = 60 * 1000,
    DEFAULT_STALL_MS = 60 * 1000,
    NOTICE_MS =
        100, /* for clients that watch health to go elsewhere before calls are turned away */
    FREE_EXCHANGES = 128, /* kept with their arenas for the next calls */
    MAX_SERVICES = 32,
};

static const Error too_many_services = { ERROR_INVALID_ARGUMENT, "TOO_MANY_SERVICES",
    "A server offers at most 32 services, three of them its own." };

static int64_t or_default(int64_t value, int64_t fallback)
{
    return value > 0 ? value : fallback;
}

static RpcLimits all_limits(const RpcLimits *given)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    return (RpcLimits){
        .max_message_bytes = or_default(given->max_message_bytes, DEFAULT_MESSAGE_BYTES),
        .max_metadata_bytes = or_default(given->max_metadata_bytes, DEFAULT_METADATA_BYTES),
        .max_calls = (int32_t)or_default(given->max_calls, DEFAULT_CALLS),
        .max_queue = (int32_t)or_default(given->max_queue, DEFAULT_QUEUE),
        .max_streams = (int32_t)or_default(given->max_streams, DEFAULT_STREAMS),
        .workers = (int32_t)or_default(given->workers, DEFAULT_WORKERS),
        .pollers = (int32_t)or_default(given->pollers, cores > 0 ? cores : 1),
        .idle_ms = or_default(given->idle_ms, DEFAULT_IDLE_MS),
        .max_age_ms = or_default(given->max_age_ms, DEFAULT_AGE_MS),
        .max_age_grace_ms = or_default(given->max_age_grace_ms, DEFAULT_AGE_GRACE_MS),
        .keepalive_ms = or_default(given->keepalive_ms, DEFAULT_KEEPALIVE_MS),
        .min_ping_interval_ms = or_default(given->min_ping_interval_ms, DEFAULT_PING_MS),
        .default_deadline_ms = or_default(given->default_deadline_ms, DEFAULT_DEADLINE_MS),
        .max_connections = (int32_t)or_default(given->max_connections, DEFAULT_CONNECTIONS),
        .max_connections_per_address = (int32_t)or_default(
            given->max_connections_per_address, DEFAULT_CONNECTIONS_PER_ADDRESS),
        .max_address_bytes = or_default(given->max_address_bytes, DEFAULT_ADDRESS_BYTES),
        .max_resets = (int32_t)or_default(given->max_resets, DEFAULT_RESETS),
        .max_control_frames =
            (int32_t)or_default(given->max_control_frames, DEFAULT_CONTROL_FRAMES),
        .max_pending_bytes = or_default(given->max_pending_bytes, DEFAULT_PENDING_BYTES),
        .max_held_bytes = or_default(given->max_held_bytes, DEFAULT_HELD_BYTES),
        .handshake_ms = or_default(given->handshake_ms, DEFAULT_HANDSHAKE_MS),
        .body_ms = or_default(given->body_ms, DEFAULT_BODY_MS),
        .stall_ms = or_default(given->stall_ms, DEFAULT_STALL_MS),
        .max_memory_bytes = given->max_memory_bytes,
    };
}

static void set_deadline(RpcExchange *exchange, int64_t deadline)
{
    const RpcMethod *method = exchange->method->method;

    exchange->call.deadline = deadline;
    exchange->has_default_deadline =
        deadline == INT64_MAX && method && !method->client_streams && !method->server_streams;
    if (exchange->has_default_deadline)
        exchange->call.deadline =
            exchange->started_at + exchange->server->limits.default_deadline_ms * 1000;
}

static RpcExchange *take_free(RpcServer *server)
{
    RpcExchange *exchange;

    pthread_mutex_lock(&server->lock);
    exchange = server->free;
    if (exchange) {
        server->free = exchange->next;
        server->n_free--;
    }
    pthread_mutex_unlock(&server->lock);
    return exchange;
}

static RpcExchange *make_exchange(RpcServer *server)
{
    RpcExchange *exchange = calloc(1, sizeof(*exchange));

    if (!exchange)
        abort();
    exchange->server = server;
    exchange->arena = arena_new();
    pthread_mutex_init(&exchange->lock, NULL);
    pthread_cond_init(&exchange->changed, NULL);
    return exchange;
}

RpcExchange *exchange_new(RpcServer *server, TransportCall *wire, const TransportArrival *arrival)
{
    RpcExchange *exchange = take_free(server);
    RpcCall *call;

    if (!exchange)
        exchange = make_exchange(server);
    exchange->wire = wire;
    exchange->method =
        arrival->method ? (ServerMethod *)(uintptr_t)arrival->method->user : &server->other;
    exchange->started_at = clock_monotonic();
    exchange->message = arrival->message;
    wire->user = exchange;
    call = &exchange->call;
    *call = (RpcCall){
        .arena = exchange->arena,
        .context = { "", "", "", "", "", "" },
        .traceparent = "",
        .peer = server->ops->peer(wire, exchange->arena).address,
        .method = exchange->method->method ? exchange->method->method->path + 1 : "",
        .arrived_at = clock_now(),
        .exchange = exchange,
    };
    set_deadline(exchange, arrival->deadline);
    return exchange;
}

static void free_exchange(RpcExchange *exchange)
{
    arena_free(exchange->arena);
    pthread_cond_destroy(&exchange->changed);
    pthread_mutex_destroy(&exchange->lock);
    free(exchange);
}

/* Back to how make_exchange left it. */
static void clean(RpcExchange *exchange)
{
    arena_reset(exchange->arena);
    arena_free(exchange->receive_arena);
    if (exchange->stream)
        detached_free(exchange->stream);
    if (exchange->deferral)
        deferral_free(exchange->deferral);
    exchange->receive_arena = NULL;
    exchange->stream = NULL;
    exchange->share = NULL;
    exchange->deferral = NULL;
    exchange->is_moved = false;
    exchange->extras = NULL;
    exchange->is_draining = false;
    exchange->received = TRANSPORT_MESSAGE;
    exchange->next_both = exchange->previous_both = NULL;
    atomic_store_explicit(&exchange->is_cancelled, false, memory_order_relaxed);
}

void exchange_recycle(RpcExchange *exchange)
{
    RpcServer *server = exchange->server;
    bool is_kept;

    clean(exchange);
    pthread_mutex_lock(&server->lock);
    is_kept = server->n_free < FREE_EXCHANGES;
    if (is_kept) {
        exchange->next = server->free;
        server->free = exchange;
        server->n_free++;
    }
    pthread_mutex_unlock(&server->lock);
    if (!is_kept)
        free_exchange(exchange);
}

static const Error *add_method(
    Arena *arena, RpcServer *server, const RpcService *service, unsigned number)
{
    const char *path = arena_printf(arena, "%s/%s", service->base.descriptor->name,
        service->base.descriptor->methods[number].name);
    const RpcMethod *method = rpc_method_find(path);
    ServerMethod *added = &server->methods[server->n_methods];

    if (!method ||
        method->policy.access == THROUGHLINE__API__V1__METHOD_POLICY__ACCESS__ACCESS_UNSPECIFIED ||
        (method->policy.access == THROUGHLINE__API__V1__METHOD_POLICY__ACCESS__SCOPE &&
            text_is_empty(method->policy.scope)))
        return error_new(arena, ERROR_FAILED_PRECONDITION, "POLICY_MISSING",
            "The method %s has no policy in the proto: who may call it?", path);
    added->method = method;
    added->handler = service->handlers[number];
    added->is_inline =
        method->policy.is_inline && !method->client_streams && !method->server_streams;
    server->n_methods++;
    return NULL;
}

static const Error *add_methods(Arena *arena, RpcServer *server, const RpcService *service)
{
    const Error *error = NULL;

    for (unsigned i = 0; !error && i < service->base.descriptor->n_methods; i++)
        error = add_method(arena, server, service, i);
    return error;
}

static const Error *add_services(Arena *arena, RpcServer *server, const RpcService *const *services)
{
    const RpcService *all[MAX_SERVICES + 1] = { &health_rpcs, &reflection_rpcs,
        &reflection_alpha_rpcs };
    size_t n = 3, n_methods = 0;
    const Error *error = NULL;

    for (size_t i = 0; services[i]; i++) {
        if (n == MAX_SERVICES)
            return &too_many_services;
        all[n++] = services[i];
    }
    for (size_t i = 0; i < n; i++)
        n_methods += all[i]->base.descriptor->n_methods;
    server->service_names = arena_array(arena, n + 1, sizeof(char *));
    server->methods = arena_array(arena, n_methods, sizeof(ServerMethod));
    for (size_t i = 0; !error && i < n; i++) {
        server->service_names[i] = all[i]->base.descriptor->name;
        error = add_methods(arena, server, all[i]);
    }
    return error;
}

static double workers_gauge(void *context)
{
    return (double)workers_threads(((RpcServer *)context)->workers);
}

static double queue_gauge(void *context)
{
    return (double)workers_waiting(((RpcServer *)context)->workers);
}

static double calls_gauge(void *context)
{
    RpcServer *server = context;

    return server->transport ? (double)server->ops->calls(server->transport) : 0;
}

static void add_gauges(RpcServer *server)
{
    metrics_gauge_asks(server->metrics, "throughline_rpc_workers", "",
        "Threads for handlers that may block.", workers_gauge, server);
    metrics_gauge_asks(server->metrics, "throughline_rpc_queue", "",
        "Calls that wait for a worker.", queue_gauge, server);
    metrics_gauge_asks(
        server->metrics, "throughline_rpc_calls", "", "Calls in the server.", calls_gauge, server);
}

static void free_server(RpcServer *server)
{
    while (server->free) {
        RpcExchange *exchange = server->free;

        server->free = exchange->next;
        free_exchange(exchange);
    }
    if (server->workers)
        workers_stop(server->workers);
    if (server->health)
        health_free(server->health);
    deferrals_free(server->deferrals);
    metrics_free(server->own_metrics);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

static const Error *listen(Arena *arena, RpcServer *server, const RpcServerOptions *options)
{
    TransportMethod *methods = arena_array(arena, server->n_methods, sizeof(*methods));
    TransportOptions transport = {
        .address = options->address,
        .port = options->port,
        .limits = server->limits,
        .tls_certificate = options->tls_certificate,
        .tls_key = options->tls_key,
        .tls_client_ca = options->tls_client_ca,
        .expects_proxy = options->expects_proxy,
        .metrics = server->metrics,
        .methods = methods,
        .n_methods = server->n_methods,
        .events = pipeline_events,
    };

    for (size_t i = 0; i < server->n_methods; i++)
        methods[i] = (TransportMethod){
            .path = server->methods[i].method->path,
            .takes_streams = server->methods[i].method->client_streams,
            .user = &server->methods[i],
        };
    transport.events.context = server;
    return server->ops->listen(arena, &transport, &server->transport);
}

const Error *rpc_server_start(Arena *arena, const RpcServerOptions *options, RpcServer **server)
{
    RpcServer *started = calloc(1, sizeof(*started));
    const Error *error;

    if (!started)
        abort();
    pthread_mutex_init(&started->lock, NULL);
    started->deferrals = deferrals_new();
    started->ops = options->transport ? options->transport : &transport_h2;
    started->limits = all_limits(&options->limits);
    started->hooks = options->hooks;
    started->keys = options->keys;
    started->probe = (RpcProbe){ options->address, 0, options->tls_certificate, options->tls_key,
        options->expects_proxy };
    if (!options->metrics)
        started->own_metrics = metrics_new();
    started->metrics = options->metrics ? options->metrics : started->own_metrics;
    if ((error = add_services(arena, started, options->services))) {
        free_server(started);
        return error;
    }
    started->health = health_new(started->service_names);
    started->workers =
        workers_new(started->limits.workers, started->limits.max_queue, pipeline_run);
    observe_methods(started);
    if ((error = listen(arena, started, options))) {
        free_server(started);
        return error;
    }
    started->probe.port = rpc_server_port(started);
    add_gauges(started);
    *server = started;
    return NULL;
}

RpcLimits rpc_limits(const RpcLimits *given)
{
    return all_limits(given);
}

int rpc_server_port(const RpcServer *server)
{
    return server->ops->port(server->transport);
}

void rpc_server_set_serving(RpcServer *server, bool is_serving)
{
    health_set_serving(server->health, is_serving);
}

const char *rpc_server_strain(const RpcServer *server)
{
    return server->ops->strain ? server->ops->strain(server->transport) : NULL;
}

const Error *rpc_server_probe(RpcServer *server)
{
    return probe_check(&server->probe);
}

bool rpc_server_stop(RpcServer *server, int grace_ms)
{
    bool is_clean;

    health_set_serving(server->health, false);
    if (health_is_watched(server->health))
        clock_sleep_ms(grace_ms < NOTICE_MS ? grace_ms : NOTICE_MS);
    pthread_mutex_lock(&server->lock);
    server->is_draining = true;
    pthread_mutex_unlock(&server->lock);
    detached_drain_all(server);
    stream_drain_all(server);
    is_clean = server->ops->drain(server->transport, grace_ms);
    server->ops->destroy(server->transport);
    server->transport = NULL;
    free_server(server);
    return is_clean;
}
