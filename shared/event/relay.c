/* The relay's thread: keeps leases on partitions, moves what their outboxes hold, and waits for the
 * next write: of this process, which wakes it; or of another one, which moves it itself where it
 * has the lease, and else rings. What a process has written and not rung for, because it died in
 * between, is found by a look every RELAY_SWEEP_MS, or, when it had the lease, by whoever takes
 * that: LEASE_MS later, at once when it was on the same machine. */
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
    int64_t look_at;  /* when to look into the outboxes; clock_monotonic() */
    int64_t rang_at;
    bool is_to_ring; /* something was written that others are to move */
    int pause_ms;    /* after the last failure; 0: all is well */
    bool has_failed; /* in this round */
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

static bool is_stopping(const EventRelay *relay)
{
    return atomic_load(&relay->stop_at) != INT64_MAX;
}

/* The partitions that are ours to move. */
static unsigned held(const EventRelay *relay)
{
    unsigned partitions = 0;

    for (int i = 0; i < STORE_PARTITIONS; i++)
        if (relay->leases[i].is_held)
            partitions |= 1u << i;
    return partitions;
}

static int64_t in_ms(int milliseconds)
{
    return clock_monotonic() + milliseconds * INT64_C(1000);
}

static const Error *keep_leases(EventRelay *relay)
{
    StoreView view = view_of(relay);
    int64_t now = clock_monotonic();
    unsigned before = held(relay);
    bool holds_all = before == STORE_ALL_PARTITIONS;
    int64_t every = (holds_all ? LEASE_RENEW_MS : LEASE_RETRY_MS) * INT64_C(1000);
    const Error *error;

    if (relay->asked_at && now - relay->asked_at < every)
        return NULL;
    error = event_leases_keep(&view, relay->leases, STORE_PARTITIONS);
    relay->asked_at = now;
    for (int i = 0; i < STORE_PARTITIONS; i++)
        if (!relay->leases[i].is_held)
            relay->partitions[i].is_known = false;
    if (held(relay) & ~before)
        relay->look_at = 0;
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

/* What of a partition could not be moved. */
static void hear(EventRelay *relay, const Error *error)
{
    if (error && error->code == ERROR_ALREADY_EXISTS)
        relay->asked_at = 0; /* somebody else works here: whose is the lease? */
    else if (error)
        note_failure(relay, error);
}

static bool is_store_away(const Error *error)
{
    return error && (error->code == ERROR_UNAVAILABLE || error->code == ERROR_DEADLINE_EXCEEDED);
}

/* Entries come one partition after the other. */
static void move_all(EventRelay *relay, size_t *n_moved, unsigned *where)
{
    Arena *arena = arena_new();
    StoreView reading = {
        .store = relay->store, .arena = arena, .deadline = in_ms(RELAY_STORE_MS)
    };
    StoreEntry *entries;
    size_t n_entries;
    const Error *error =
        store_outbox_read(&reading, held(relay), RELAY_BATCH, &entries, &n_entries);

    *n_moved = 0;
    *where = 0;
    hear(relay, error);
    for (size_t i = 0, n; i < n_entries && !is_store_away(error); i += n) {
        StoreView view = view_of(relay);
        int partition = entries[i].partition;
        size_t moved;

        for (n = 1; i + n < n_entries && entries[i + n].partition == partition;)
            n++;
        error =
            relay_move(&view, &relay->partitions[partition], &entries[i], n, relay->delays, &moved);
        hear(relay, error);
        *n_moved += moved;
        *where |= moved ? 1u << partition : 0;
    }
    arena_free(arena);
}

/* Somebody who writes much is not to ring for every write. */
static const Error *ring(EventRelay *relay)
{
    StoreView view = view_of(relay);
    int64_t now = clock_monotonic();
    const Error *error;

    if (!relay->is_to_ring || now - relay->rang_at < RELAY_POLL_MS * INT64_C(1000))
        return NULL;
    relay->rang_at = now;
    error = store_outbox_ring(&view);
    relay->is_to_ring = error != NULL;
    return error;
}

static const Error *listen(EventRelay *relay)
{
    StoreView view = view_of(relay);
    bool is_heard;
    const Error *error = store_outbox_heard(&view, &is_heard);

    if (is_heard)
        relay->look_at = 0;
    return error;
}

/* After something was moved the outbox is looked at once more before long: an entry whose time is
 * not over by our clock is left for the next look. */
static void look(EventRelay *relay, size_t *n_moved)
{
    unsigned where;

    move_all(relay, n_moved, &where);
    counter_add(relay->moved, *n_moved);
    if (relay->hub && where)
        event_hub_wake(relay->hub, where);
    relay->look_at = *n_moved >= RELAY_BATCH ? 0 : in_ms(*n_moved ? RELAY_POLL_MS : RELAY_SWEEP_MS);
}

static bool is_look_due(const EventRelay *relay)
{
    return clock_monotonic() >= relay->look_at || is_stopping(relay);
}

static void wait_for_writes(EventRelay *relay)
{
    unsigned news = store_outbox_wait(relay->store, RELAY_POLL_MS);

    if (news & held(relay))
        relay->look_at = 0;
    if (news & ~held(relay))
        relay->is_to_ring = true;
}

static void back_off(EventRelay *relay)
{
    int64_t until;

    relay->pause_ms = relay->pause_ms ? relay->pause_ms * 2 : MIN_PAUSE_MS;
    if (relay->pause_ms > MAX_PAUSE_MS)
        relay->pause_ms = MAX_PAUSE_MS;
    until = in_ms(relay->pause_ms);
    while (!is_stopping(relay) && clock_monotonic() < until)
        clock_sleep_ms(MIN_PAUSE_MS);
}

/* One round; false when the last one is over. */
static bool run_round(EventRelay *relay)
{
    const Error *error = keep_leases(relay);
    size_t n_moved = 0;

    relay->has_failed = false;
    if (error || (error = ring(relay)) || (!is_look_due(relay) && (error = listen(relay))))
        note_failure(relay, error);
    if (is_look_due(relay))
        look(relay, &n_moved);
    if (is_stopping(relay))
        return n_moved > 0 && clock_monotonic() < atomic_load(&relay->stop_at);
    if (relay->has_failed) {
        relay->look_at = 0;
        back_off(relay);
        return true;
    }
    relay->pause_ms = 0;
    if (!is_look_due(relay))
        wait_for_writes(relay);
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
