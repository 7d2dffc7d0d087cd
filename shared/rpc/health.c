#include "shared/rpc/health.h"

#include "shared/rpc/exchange.h"

#include "grpc/health/v1/health.pb-c.h"

#include <stdlib.h>

typedef Grpc__Health__V1__HealthCheckRequest Request;
typedef Grpc__Health__V1__HealthCheckResponse Response;
typedef Grpc__Health__V1__HealthCheckResponse__ServingStatus Status;

/* Anybody may watch without a token, so there is an end to it. */
enum { HEALTH_MAX_WATCHERS = 256 };

static const Error service_unknown = { ERROR_NOT_FOUND, "SERVICE_UNKNOWN",
    "This server has no such service; reflection lists them." };
static const Error too_many_watchers = { ERROR_RESOURCE_EXHAUSTED, "TOO_MANY_WATCHERS",
    "Health is watched by as many as the server can take; use Check.", .retry_after_ms = 5000 };

typedef struct Watcher {
    Health *health;
    RpcStream *stream;
    bool is_known; /* the service that is watched is one of ours */
    struct Watcher *next, *previous;
} Watcher;

struct Health {
    pthread_mutex_t lock;
    const char *const *services;
    bool is_serving;
    Watcher *watchers;
    int n_watchers;
};

Health *health_new(const char *const *services)
{
    Health *health = calloc(1, sizeof(*health));

    if (!health)
        abort();
    pthread_mutex_init(&health->lock, NULL);
    health->services = services;
    return health;
}

void health_free(Health *health)
{
    pthread_mutex_destroy(&health->lock);
    free(health);
}

static bool has_service(const Health *health, const char *name)
{
    if (!*name)
        return true;
    for (size_t i = 0; health->services[i]; i++)
        if (text_equal(health->services[i], name))
            return true;
    return false;
}

static Status status_of(const Health *health, bool is_known)
{
    if (!is_known)
        return GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN;
    return health->is_serving
               ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
               : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING;
}

/* The lock is held. A slow watcher is told again when there is room. False when it has left. */
static bool tell(Watcher *watcher)
{
    Response response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;

    response.status = status_of(watcher->health, watcher->is_known);
    return rpc_stream_offer(watcher->stream, &response) != RPC_STREAM_GONE;
}

void health_set_serving(Health *health, bool is_serving)
{
    pthread_mutex_lock(&health->lock);
    if (health->is_serving != is_serving) {
        health->is_serving = is_serving;
        for (Watcher *watcher = health->watchers; watcher; watcher = watcher->next)
            tell(watcher);
    }
    pthread_mutex_unlock(&health->lock);
}

bool health_is_watched(Health *health)
{
    bool is_watched;

    pthread_mutex_lock(&health->lock);
    is_watched = health->n_watchers > 0;
    pthread_mutex_unlock(&health->lock);
    return is_watched;
}

static bool enlist(Health *health, Watcher *watcher)
{
    if (health->n_watchers == HEALTH_MAX_WATCHERS)
        return false;
    health->n_watchers++;
    watcher->next = health->watchers;
    if (watcher->next)
        watcher->next->previous = watcher;
    health->watchers = watcher;
    return true;
}

static void delist(Health *health, Watcher *watcher)
{
    if (watcher->previous)
        watcher->previous->next = watcher->next;
    else
        health->watchers = watcher->next;
    if (watcher->next)
        watcher->next->previous = watcher->previous;
    health->n_watchers--;
}

static void watcher_changed(void *context)
{
    Watcher *watcher = context;
    Health *health = watcher->health;
    bool is_over;

    pthread_mutex_lock(&health->lock);
    is_over = rpc_stream_is_draining(watcher->stream) || !tell(watcher);
    if (is_over)
        delist(health, watcher);
    pthread_mutex_unlock(&health->lock);
    if (!is_over)
        return;
    rpc_stream_end(watcher->stream, &stream_drained);
    free(watcher);
}

static const Error *check(RpcCall *call, const void *request, void *reply)
{
    Health *health = call->exchange->server->health;
    const Request *req = request;
    Response *response = reply;

    if (!has_service(health, req->service))
        return &service_unknown;
    pthread_mutex_lock(&health->lock);
    response->status = status_of(health, true);
    pthread_mutex_unlock(&health->lock);
    return NULL;
}

/* A service that is not there yet may come: the protocol wants the watch to stay. */
static const Error *watch(RpcCall *call, const void *request, void *reply)
{
    Health *health = call->exchange->server->health;
    const Request *req = request;
    Watcher *watcher = calloc(1, sizeof(*watcher));
    bool is_listed;

    (void)reply;
    if (!watcher)
        abort();
    watcher->health = health;
    watcher->is_known = has_service(health, req->service);
    pthread_mutex_lock(&health->lock);
    is_listed = enlist(health, watcher);
    if (is_listed) {
        watcher->stream = rpc_detach(call);
        rpc_stream_watch(watcher->stream, watcher_changed, watcher);
        tell(watcher);
    }
    pthread_mutex_unlock(&health->lock);
    if (is_listed)
        return NULL;
    free(watcher);
    return &too_many_watchers;
}

const RpcService health_rpcs = GRPC__HEALTH__V1__HEALTH__INIT();
