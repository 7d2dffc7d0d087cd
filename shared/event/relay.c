/* The relay's thread: keeps leases on partitions, moves what their outboxes hold, and waits for the
 * next write. */
#include "shared/event/relay.h"

#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/event/lease.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { SOURCE_SIZE = 64, MIN_PAUSE_MS = 50, MAX_PAUSE_MS = 5 * 1000 };

struct EventRelay {
    Store *store;
    EventHub *hub;
    char source[SOURCE_SIZE];
    EventLease leases[STORE_PARTITIONS];
    RelayPartition partitions[STORE_PARTITIONS];
    int64_t asked_at; /* when the leases were asked for last; 0: ask at once */
    int pause_ms;     /* after the last failure; 0: all is well */
    bool has_failed;  /* in this round */
    Counter *moved;
    Counter *failures;
    Histogram *delays;
    Arena *arena;
    pthread_t thread;
    _Atomic int64_t stop_at; /* clock_monotonic(); INT64_MAX: go on */
};

static StoreView view_of(EventRelay *relay)
{
    arena_reset(relay->arena);
    return (StoreView){ .store = relay->store,
        .arena = relay->arena,
        .deadline = clock_monotonic() + RELAY_STORE_MS * INT64_C(1000) };
}

static bool is_stopping(EventRelay *relay)
{
    return atomic_load(&relay->stop_at) != INT64_MAX;
}

static bool holds_all(const EventRelay *relay)
{
    for (int i = 0; i < STORE_PARTITIONS; i++)
        if (!relay->leases[i].is_held)
            return false;
    return true;
}

static const Error *keep_leases(EventRelay *relay)
{
    StoreView view = view_of(relay);
    int64_t now = clock_monotonic();
    int64_t every = (holds_all(relay) ? LEASE_RENEW_MS : LEASE_RETRY_MS) * INT64_C(1000);
    const Error *error;

    if (relay->asked_at && now - relay->asked_at < every)
        return NULL;
    error = event_leases_keep(&view, relay->leases, STORE_PARTITIONS);
    relay->asked_at = now;
    for (int i = 0; i < STORE_PARTITIONS; i++)
        if (!relay->leases[i].is_held)
            relay->partitions[i].is_known = false;
    return error;
}

/* One line when trouble begins, not one a try. */
static void note_failure(EventRelay *relay, const Error *error)
{
    counter_add(relay->failures, 1);
    if (relay->pause_ms == 0)
        log_write(LOG_WARN, "relay_failed",
            (const LogField[]){ { "reason", .text = error->reason },
                { "message", .text = error->message }, { 0 } });
    relay->has_failed = true;
}

static void move_all(EventRelay *relay, size_t *n_moved)
{
    *n_moved = 0;
    for (int i = 0; i < STORE_PARTITIONS; i++) {
        StoreView view = view_of(relay);
        const Error *error;
        size_t n = 0;

        if (!relay->leases[i].is_held)
            continue;
        error = relay_move(&view, &relay->partitions[i], relay->delays, &n);
        *n_moved += n;
        if (error && error->code == ERROR_ALREADY_EXISTS)
            relay->asked_at = 0; /* somebody else works here: whose is the lease? */
        else if (error)
            note_failure(relay, error);
        if (error && (error->code == ERROR_UNAVAILABLE || error->code == ERROR_DEADLINE_EXCEEDED))
            break;
    }
}

static void back_off(EventRelay *relay)
{
    int64_t until;

    relay->pause_ms = relay->pause_ms ? relay->pause_ms * 2 : MIN_PAUSE_MS;
    if (relay->pause_ms > MAX_PAUSE_MS)
        relay->pause_ms = MAX_PAUSE_MS;
    until = clock_monotonic() + relay->pause_ms * INT64_C(1000);
    while (!is_stopping(relay) && clock_monotonic() < until)
        clock_sleep_ms(MIN_PAUSE_MS);
}

/* One round over the partitions; false when the last one is over. */
static bool run_round(EventRelay *relay)
{
    size_t n_moved;
    const Error *error = keep_leases(relay);

    relay->has_failed = false;
    if (error)
        note_failure(relay, error);
    move_all(relay, &n_moved);
    if (n_moved) {
        counter_add(relay->moved, n_moved);
        if (relay->hub)
            event_hub_wake(relay->hub);
    }
    if (is_stopping(relay))
        return n_moved > 0 && clock_monotonic() < atomic_load(&relay->stop_at);
    if (relay->has_failed) {
        back_off(relay);
        return true;
    }
    relay->pause_ms = 0;
    if (n_moved == 0)
        store_outbox_wait(relay->store, RELAY_POLL_MS);
    return true;
}

static void *run(void *context)
{
    EventRelay *relay = context;
    StoreView view;

    while (run_round(relay))
        continue;
    view = view_of(relay);
    event_leases_release(&view, relay->leases, STORE_PARTITIONS);
    return NULL;
}

EventRelay *event_relay_start(Store *store, const char *source, EventHub *hub, Metrics *metrics)
{
    EventRelay *relay = calloc(1, sizeof(*relay));
    char holder[LEASE_TEXT_SIZE];

    if (!relay)
        abort();
    relay->store = store;
    relay->hub = hub;
    relay->arena = arena_new();
    atomic_init(&relay->stop_at, INT64_MAX);
    snprintf(relay->source, sizeof(relay->source), "%s", source);
    event_lease_holder(holder);
    for (int i = 0; i < STORE_PARTITIONS; i++) {
        EventLease *lease = &relay->leases[i];

        snprintf(lease->name, sizeof(lease->name), "leases/relay-%d", i);
        snprintf(lease->holder, sizeof(lease->holder), "%s", holder);
        relay->partitions[i] = (RelayPartition){ .source = relay->source, .number = i };
    }
    relay->moved = metrics_counter(
        metrics, "event_relay_moved_total", "", "Events moved from the outbox to the log.");
    relay->failures = metrics_counter(
        metrics, "event_relay_failures_total", "", "Rounds of the relay that ended in an error.");
    relay->delays = metrics_histogram(metrics, "event_relay_delay_seconds", "",
        "From the write that made an event to its place in the log.");
    if (pthread_create(&relay->thread, NULL, run, relay))
        abort();
    return relay;
}

void event_relay_stop(EventRelay *relay, int grace_ms)
{
    if (!relay)
        return;
    atomic_store(&relay->stop_at, clock_monotonic() + grace_ms * INT64_C(1000));
    store_outbox_wake(relay->store);
    pthread_join(relay->thread, NULL);
    arena_free(relay->arena);
    free(relay);
}
