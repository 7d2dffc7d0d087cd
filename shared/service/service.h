/* A service as a program: from configuration to a drained exit. main() describes it,
 * service_main() runs it. */
#ifndef THROUGHLINE_SERVICE_SERVICE_H
#define THROUGHLINE_SERVICE_SERVICE_H

#include "shared/base/config.h"
#include "shared/base/metrics.h"
#include "shared/event/event.h"
#include "shared/rpc/client.h"
#include "shared/rpc/server.h"
#include "shared/store/store.h"

enum {
    SERVICE_MAX_RPCS = 8,
    SERVICE_MAX_PEERS = 4,
    SERVICE_MAX_CONSUMERS = 4,
    SERVICE_MAX_JOBS = 4
};

/* What handlers find behind call->service. */
typedef struct ServiceContext {
    const char *name;
    Store *store;
    const Config *config;
    Metrics *metrics;
    EventHub *hub;
    TokenKeys *keys;
    Arena *arena; /* lives as long as the process */
    void *state;  /* the service's own, from Service.open */
    struct ServicePeer *peers;
} ServiceContext;

typedef struct ServiceConsumer {
    const char *source; /* a peer: "cart" */
    EventEffect effect;
} ServiceConsumer;

/* Work that repeats on a thread of its own; replicas may run it at the same time. */
typedef struct ServiceJob {
    const char *name;
    int interval_ms;
    const Error *(*run)(RpcCall *call);
} ServiceJob;

typedef struct Service {
    const char *name; /* "cart" */
    int port;         /* default of --port; the admin port is 100 higher */
    const RpcService *rpcs[SERVICE_MAX_RPCS];
    const Collection *const *collections; /* NULL-ended */
    const char *peers[SERVICE_MAX_PEERS];
    ServiceConsumer consumers[SERVICE_MAX_CONSUMERS];
    ServiceJob jobs[SERVICE_MAX_JOBS];
    const Setting *settings; /* its own, NULL: none */
    const Error *(*open)(
        ServiceContext *context); /* sets context->state, after the store is open; may be NULL */
    void (*close)(ServiceContext *context);
} Service;

int service_main(int argc, char **argv, const Service *service);

/* The same inside a test or another program: runs on free ports, returns when it is ready.
 * `flags` as on the command line. */
typedef struct RunningService RunningService;
const Error *service_start(
    Arena *arena, const Service *service, int n_flags, char **flags, RunningService **running);
int service_port(const RunningService *running);
int service_admin_port(const RunningService *running);
ServiceContext *service_context(RunningService *running);
/* Events in outboxes, not yet in the log; -1 when the store does not say. */
int64_t service_waiting(const RunningService *running);
/* Events of a source's log that are not yet applied here; -1 when the source does not say. */
int64_t service_lag(const RunningService *running, const char *source);
/* Drains and frees; true when no call had to be cancelled. */
bool service_stop(RunningService *running, int grace_ms);

/* In a handler, an event's effect or a job. */
ServiceContext *service_of(const RpcCall *call);
RpcClient *service_peer(const RpcCall *call, const char *name);

/* The last act of a handler that has filled its reply, to be returned: store_replace, or, where nobody has to wait for the disk, a promise
 * (&rpc_deferred) that the reply goes out when the write is durable. The caller must give up what it holds for the sake of the
 * write: after a lost race the handler is called anew. */
const Error *service_replace_last(
    RpcCall *call, const Collection *collection, void *message, const void *event);

#endif
