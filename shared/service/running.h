/* Inside a running service: what its parts share. */
#ifndef THROUGHLINE_SERVICE_RUNNING_H
#define THROUGHLINE_SERVICE_RUNNING_H

#include "shared/admin/http.h"
#include "shared/auth/token.h"
#include "shared/service/service.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    WATCH_CHECK_MS = 1000,  /* between two looks whether the store answers */
    WATCH_PROBE_MS = 5000,  /* between two calls of our own through the port */
    WATCH_MAX_FAILURES = 3, /* such calls in a row after which the process is not alive */
    OPEN_MIN_PAUSE_MS = 50, /* before the store is tried again, doubled each time */
    OPEN_MAX_PAUSE_MS = 2000,
    RELAY_FLUSH_MS = 2000, /* for the events of the last calls, beyond the drain */
    TRY_AGAIN_MS = 1000,   /* what callers are told while the store is away */
};

struct ServicePeer {
    const char *name; /* NULL ends the list */
    RpcClient *client;
};

typedef struct JobThread {
    RunningService *running;
    const ServiceJob *job;
    pthread_t thread;
} JobThread;

struct RunningService {
    const Service *service;
    Arena *arena;
    Config *config;
    ServiceContext context;
    StoreLog log;
    struct ServicePeer peers[SERVICE_MAX_PEERS + 1];
    AdminServer *admin;
    RpcServer *server;
    EventRelay *relay;
    EventConsumer *consumers[SERVICE_MAX_CONSUMERS];
    JobThread jobs[SERVICE_MAX_JOBS];
    int n_consumers;
    int n_jobs;
    pthread_t watcher;
    bool has_watcher;
    bool has_state; /* Service.open was called */

    atomic_bool is_open;           /* calls may reach the handlers */
    _Atomic(const char *) unready; /* why, in a few words; NULL: ready */
    atomic_int probe_failures;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_stopping;
};

/* settings.c */

/* The tables of all settings, NULL-ended. Ports are 0 (any free one) when `is_program` is false. */
const Setting *const *service_settings(Arena *arena, const Service *service, bool is_program);
RpcLimits service_limits(const Config *config);
int service_admin_port_setting(const Config *config);
/* A text setting, NULL when it is empty. */
/* Whoever asks for half of TLS gets none of it. Errors: INVALID_ARGUMENT SETTINGS_INVALID. */
const Error *service_check_tls(const Config *config);
const char *service_text(const Config *config, const char *name);

/* lifecycle.c */

/* Admin port, rpc server, clients: up, but not ready. What is started is freed by running_stop,
 * also after an error. */
const Error *running_start(RunningService *running);
/* Store, events, Service.open, consumers, jobs; then ready. Tries the store again until it
 * answers or the service is stopped; other errors are final. */
const Error *running_open(RunningService *running);
bool running_stop(RunningService *running, int grace_ms);
RunningService *running_new(Arena *arena, const Service *service, Config *config);
/* False when it was asked before. */
bool running_ask_to_stop(RunningService *running);
/* Waits, but not longer than until the service is to stop; true when it is. */
bool running_pause(RunningService *running, int milliseconds);

/* hooks.c */
extern const Error service_store_away;
RpcHooks service_hooks(RunningService *running);
/* A view that seals events for the call. */
StoreView service_view(RpcCall *call, Store *store);

/* watch.c */
void *watch_run(void *running);
bool watch_is_ready(void *running, const char **reason);
bool watch_is_alive(void *running, const char **reason);

/* jobs.c */
void jobs_start(RunningService *running);
void jobs_stop(RunningService *running);

/* event_handlers.c */
extern const RpcService event_rpcs;

#endif
