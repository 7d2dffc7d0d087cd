/* Whether the service can work: the store answers, and the port does. */
#include "shared/service/running.h"

#include "shared/base/clock.h"
#include "shared/base/log.h"

bool watch_is_ready(void *context, const char **reason)
{
    RunningService *running = context;
    const char *unready = atomic_load(&running->unready);

    *reason = unready ? unready : "";
    return !unready;
}

bool watch_is_alive(void *context, const char **reason)
{
    RunningService *running = context;

    *reason = "the port of the service does not answer";
    return atomic_load(&running->probe_failures) < WATCH_MAX_FAILURES;
}

/* Says once that the store was lost, and once that it is back. */
static void log_store(const Error *error, bool *is_lost)
{
    if (*is_lost == (error != NULL))
        return;
    *is_lost = error != NULL;
    log_write(error ? LOG_ERROR : LOG_INFO, error ? "store_lost" : "store_back",
        (const LogField[]){ { "reason", .text = error_reason(error) }, { 0 } });
}

static void check(RunningService *running, bool *is_lost)
{
    const Error *error = store_check(running->context.store);
    const char *unready = error ? "the store does not answer" : rpc_server_strain(running->server);

    log_store(error, is_lost);
    if (unready == atomic_exchange(&running->unready, unready))
        return;
    rpc_server_set_serving(running->server, !unready);
}

/* A listener that has died (descriptors ran out) does not come back: then the process must go. */
static void probe_port(RunningService *running)
{
    const Error *error = rpc_server_probe(running->server);

    if (!error) {
        atomic_store(&running->probe_failures, 0);
        return;
    }
    log_write(LOG_ERROR, "probe_failed",
        (const LogField[]){ { "reason", .text = error->reason },
            { "failures", .number = atomic_fetch_add(&running->probe_failures, 1) + 1 }, { 0 } });
}

void *watch_run(void *context)
{
    RunningService *running = context;
    bool is_lost = false;
    int64_t probed_at = clock_monotonic();

    while (!running_pause(running, WATCH_CHECK_MS)) {
        check(running, &is_lost);
        if (clock_monotonic() - probed_at < WATCH_PROBE_MS * INT64_C(1000) ||
            rpc_server_strain(running->server)) /* turned away like everybody */
            continue;
        probe_port(running);
        probed_at = clock_monotonic();
    }
    return NULL;
}
