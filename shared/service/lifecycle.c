/* The order in which a service comes up and goes down. */
#include "shared/service/running.h"

#include "shared/base/clock.h"
#include "shared/base/condition.h"
#include "shared/base/log.h"
#include "shared/rpc/transport.h"

#include <assert.h>
#include <stdlib.h>

static const Error stopped = { ERROR_CANCELLED, "SERVICE_STOPPED",
    "The service was stopped before it was ready." };

RunningService *running_new(Arena *arena, const Service *service, Config *config)
{
    RunningService *running = calloc(1, sizeof(*running));

    if (!running)
        abort();
    running->service = service;
    running->arena = arena;
    running->config = config;
    atomic_init(&running->unready, "starting");
    pthread_mutex_init(&running->lock, NULL);
    condition_init(&running->changed);
    running->context = (ServiceContext){
        .name = service->name,
        .config = config,
        .metrics = metrics_new(),
        .arena = arena,
        .peers = running->peers,
    };
    return running;
}

bool running_ask_to_stop(RunningService *running)
{
    bool is_first;

    pthread_mutex_lock(&running->lock);
    is_first = !running->is_stopping;
    running->is_stopping = true;
    pthread_cond_broadcast(&running->changed);
    pthread_mutex_unlock(&running->lock);
    return is_first;
}

bool running_pause(RunningService *running, int milliseconds)
{
    int64_t until = clock_monotonic() + milliseconds * INT64_C(1000);
    bool is_stopping;

    pthread_mutex_lock(&running->lock);
    while (!running->is_stopping && condition_wait_until(&running->changed, &running->lock, until))
        continue;
    is_stopping = running->is_stopping;
    pthread_mutex_unlock(&running->lock);
    return is_stopping;
}

static void open_peers(RunningService *running)
{
    const Config *config = running->config;

    for (int i = 0; i < SERVICE_MAX_PEERS && running->service->peers[i]; i++) {
        const char *name = running->service->peers[i];
        RpcClientOptions options = {
            .target = config_text(config, arena_printf(running->arena, "%s-target", name)),
            .token_file = service_text(config, "token-file"),
            .tls_ca = service_text(config, "tls-ca"),
            .tls_certificate = service_text(config, "tls-cert"),
            .tls_key = service_text(config, "tls-key"),
            .transport = config_text(config, "transport"),
        };

        running->peers[i].name = name;
        running->peers[i].client = rpc_client_open(running->arena, &options);
    }
}

static const Error *start_server(RunningService *running)
{
    const Config *config = running->config;
    const RpcService **services =
        arena_array(running->arena, SERVICE_MAX_RPCS + 2, sizeof(*services));
    int n = 0;
    RpcServerOptions options = {
        .address = config_text(config, "address"),
        .port = (int)config_number(config, "port"),
        .limits = service_limits(config),
        .hooks = service_hooks(running),
        .keys = running->context.keys,
        .metrics = running->context.metrics,
        .tls_certificate = service_text(config, "tls-cert"),
        .tls_key = service_text(config, "tls-key"),
        .tls_client_ca = service_text(config, "tls-ca"),
        .expects_proxy = config_switch(config, "proxy-protocol"),
        .services = services,
    };
    const Error *error =
        transport_find(running->arena, config_text(config, "transport"), &options.transport);

    if (error)
        return error;
    for (; n < SERVICE_MAX_RPCS && running->service->rpcs[n]; n++)
        services[n] = running->service->rpcs[n];
    services[n] = &event_rpcs;
    return rpc_server_start(running->arena, &options, &running->server);
}

const Error *running_start(RunningService *running)
{
    const Config *config = running->config;
    const char *keys = service_text(config, "token-keys");
    AdminOptions admin = {
        .address = config_text(config, "address"),
        .port = service_admin_port_setting(config),
        .service = running->service->name,
        .version = THROUGHLINE_VERSION,
        .metrics = running->context.metrics,
        .is_ready = watch_is_ready,
        .is_alive = watch_is_alive,
        .context = running,
    };
    const Error *error;

    if (!service_text(config, "tls-cert") && !service_text(config, "tls-ca"))
        rpc_spare_tls_words();
    if ((error = service_check_tls(config)) ||
        (error = admin_start(running->arena, &admin, &running->admin)) ||
        (keys && (error = token_keys_open(running->arena, keys, &running->context.keys))) ||
        (error = start_server(running)))
        return error;
    if (!keys)
        log_write(LOG_WARN, "no_token_keys", NULL);
    open_peers(running);
    return NULL;
}

static const Collection *const *all_collections(RunningService *running)
{
    const Collection **all = arena_array(running->arena, STORE_MAX_COLLECTIONS + 1, sizeof(*all));
    const Collection *const *own = running->service->collections;
    int n = 0;

    all[n++] = &event_log;
    all[n++] = &event_leases;
    for (; own && *own; own++) {
        assert(n < STORE_MAX_COLLECTIONS);
        all[n++] = *own;
    }
    return all;
}

/* Whether trying again may help. */
static bool is_passing(const Error *error)
{
    return error->code == ERROR_UNAVAILABLE || error->code == ERROR_DEADLINE_EXCEEDED ||
           error->code == ERROR_RESOURCE_EXHAUSTED;
}

static const Error *open_store(RunningService *running)
{
    StoreOptions options = {
        .uri = config_text(running->config, "store-uri"),
        .service = running->service->name,
        .collections = all_collections(running),
        .metrics = running->context.metrics,
        .log = &running->log,
    };
    int pause = 0;
    const Error *error;

    running->log = event_store_log(running->service->name);
    while ((error = store_open(running->arena, &options, &running->context.store)) &&
           is_passing(error)) {
        if (pause == 0)
            log_write(LOG_ERROR, "store_away",
                (const LogField[]){ { "reason", .text = error->reason },
                    { "message", .text = error->message }, { 0 } });
        atomic_store(&running->unready, "the store does not answer");
        pause = pause ? pause * 2 : OPEN_MIN_PAUSE_MS;
        pause = pause < OPEN_MAX_PAUSE_MS ? pause : OPEN_MAX_PAUSE_MS;
        if (running_pause(running, pause))
            return &stopped;
    }
    return error;
}

static void start_consumers(RunningService *running)
{
    RpcCall call = { .service = &running->context };

    for (int i = 0; i < SERVICE_MAX_CONSUMERS && running->service->consumers[i].source; i++) {
        const ServiceConsumer *consumer = &running->service->consumers[i];

        running->consumers[running->n_consumers++] = event_consumer_start(running->context.store,
            consumer->source, service_peer(&call, consumer->source), &consumer->effect,
            &running->context, running->context.metrics);
    }
}

const Error *running_open(RunningService *running)
{
    ServiceContext *context = &running->context;
    const Error *error = open_store(running);

    if (error)
        return error;
    context->hub = event_hub_start(context->store, context->metrics);
    running->relay =
        event_relay_start(context->store, running->service->name, context->hub, context->metrics);
    running->has_state = true;
    if (running->service->open && (error = running->service->open(context)))
        return error;
    /* Effects and jobs need the service's state as handlers do. */
    start_consumers(running);
    jobs_start(running);
    atomic_store(&running->is_open, true);
    atomic_store(&running->unready, NULL);
    rpc_server_set_serving(running->server, true);
    if (pthread_create(&running->watcher, NULL, watch_run, running))
        abort();
    running->has_watcher = true;
    return NULL;
}

static void free_running(RunningService *running)
{
    for (int i = 0; i < SERVICE_MAX_PEERS; i++)
        rpc_client_close(running->peers[i].client);
    admin_stop(running->admin);
    token_keys_close(running->context.keys);
    metrics_free(running->context.metrics);
    pthread_cond_destroy(&running->changed);
    pthread_mutex_destroy(&running->lock);
    free(running);
}

bool running_stop(RunningService *running, int grace_ms)
{
    bool is_clean = true;

    running_ask_to_stop(running);
    if (running->has_watcher)
        pthread_join(running->watcher, NULL);
    atomic_store(&running->unready, "draining");
    jobs_stop(running);
    for (int i = 0; i < running->n_consumers; i++)
        event_consumer_stop(running->consumers[i]);
    if (running->server)
        is_clean = rpc_server_stop(running->server, grace_ms);
    event_relay_stop(running->relay, RELAY_FLUSH_MS);
    event_hub_stop(running->context.hub);
    if (running->has_state && running->service->close)
        running->service->close(&running->context);
    store_close(running->context.store);
    free_running(running);
    return is_clean;
}
