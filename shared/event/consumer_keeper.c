/* The keeper of a consumer: the lease, the stored positions and the figure of what waits. */
#include "shared/event/consumer.h"

#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/codec/message.h"

#include <string.h>

typedef Throughline__Event__V1__GetPositionsRequest GetPositionsRequest;
typedef Throughline__Event__V1__GetPositionsResponse GetPositionsResponse;

/* What the keeper alone knows. */
typedef struct Keeper {
    Arena *arena;
    int64_t asked_at; /* for the lease, clock_monotonic(); 0: never */
    int64_t measured_at;
    bool is_failing;
} Keeper;

/* When the lease is to be asked for or renewed, or positions stored; under the lock. */
static int64_t lease_due_at(const EventConsumer *consumer, const Keeper *keeper)
{
    bool is_held = consumer->lease.is_held;
    int64_t due = keeper->asked_at + (is_held ? LEASE_RENEW_MS : LEASE_RETRY_MS) * INT64_C(1000);
    int64_t save = consumer->unsaved_at + CONSUMER_SAVE_MS * INT64_C(1000);

    if (!keeper->asked_at)
        return 0;
    if (!is_held || !consumer->n_unsaved)
        return due;
    /* After a failure of the store the next try is not sooner either. */
    if (save < keeper->asked_at + CONSUMER_SAVE_MS * INT64_C(1000))
        save = keeper->asked_at + CONSUMER_SAVE_MS * INT64_C(1000);
    if (consumer->n_unsaved >= CONSUMER_SAVE_EVENTS && !keeper->is_failing)
        return 0;
    return save < due ? save : due;
}

/* A new owner begins where the stored positions are; a stream of the time before is cut. */
static void begin_time(EventConsumer *consumer, const EventLease *lease)
{
    consumer->generation++;
    consumer->n_unsaved = 0;
    if (lease->is_held)
        memcpy(consumer->positions, lease->positions, sizeof(consumer->positions));
    if (consumer->stream)
        rpc_client_cancel(consumer->stream);
}

/* Takes or renews the lease; a renewal stores the positions. */
static void keep_lease(EventConsumer *consumer, Keeper *keeper)
{
    /* A position that is lost leads to nothing but one more look at its events. */
    StoreView view = { .store = consumer->store,
        .arena = keeper->arena,
        .is_relaxed = true,
        .deadline = clock_monotonic() + CONSUMER_STORE_MS * INT64_C(1000) };
    EventLease lease;
    const Error *error;
    int n_saved;

    arena_reset(keeper->arena);
    pthread_mutex_lock(&consumer->lock);
    lease = consumer->lease;
    n_saved = consumer->n_unsaved;
    if (lease.is_held)
        memcpy(lease.positions, consumer->positions, sizeof(lease.positions));
    pthread_mutex_unlock(&consumer->lock);

    error = event_leases_keep(&view, &lease, 1);
    if (error && !keeper->is_failing)
        log_write(LOG_WARN, "positions_not_stored",
            (const LogField[]){ { "source", .text = consumer->source },
                { "reason", .text = error->reason }, { "message", .text = error->message },
                { 0 } });
    keeper->is_failing = error != NULL;
    keeper->asked_at = clock_monotonic();

    pthread_mutex_lock(&consumer->lock);
    if (lease.is_held != consumer->lease.is_held)
        begin_time(consumer, &lease);
    else if (!error)
        consumer->n_unsaved -= n_saved;
    if (consumer->n_unsaved)
        consumer->unsaved_at = keeper->asked_at;
    consumer->lease = lease;
    pthread_cond_broadcast(&consumer->changed);
    pthread_mutex_unlock(&consumer->lock);
}

static void measure(EventConsumer *consumer, Keeper *keeper)
{
    bool is_held;

    pthread_mutex_lock(&consumer->lock);
    is_held = consumer->lease.is_held;
    pthread_mutex_unlock(&consumer->lock);
    /* Only the holder counts: the sum over replicas is then the lag. */
    gauge_set(consumer->lag, is_held ? event_consumer_lag(consumer) : 0);
    keeper->measured_at = clock_monotonic();
}

void *consumer_keep(void *context)
{
    EventConsumer *consumer = context;
    Keeper keeper = { .arena = arena_new() };

    pthread_mutex_lock(&consumer->lock);
    while (!consumer->is_stopping) {
        int64_t lease_due = lease_due_at(consumer, &keeper);
        int64_t lag_due = keeper.measured_at + CONSUMER_LAG_MS * INT64_C(1000);
        int64_t now = clock_monotonic();

        if (lease_due > now && lag_due > now) {
            consumer_wait(consumer, lease_due < lag_due ? lease_due : lag_due);
            continue;
        }
        pthread_mutex_unlock(&consumer->lock);
        if (lease_due <= now)
            keep_lease(consumer, &keeper);
        else
            measure(consumer, &keeper);
        pthread_mutex_lock(&consumer->lock);
    }
    pthread_mutex_unlock(&consumer->lock);
    arena_free(keeper.arena);
    return NULL;
}

void consumer_release(EventConsumer *consumer)
{
    Arena *arena = arena_new();
    StoreView view = { .store = consumer->store,
        .arena = arena,
        .deadline = clock_monotonic() + CONSUMER_STORE_MS * INT64_C(1000) };

    memcpy(consumer->lease.positions, consumer->positions, sizeof(consumer->positions));
    event_leases_release(&view, &consumer->lease, 1);
    arena_free(arena);
}

/* Our positions: those in memory of the holder, else the stored ones. */
static const Error *own_positions(
    EventConsumer *consumer, Arena *arena, int64_t positions[STORE_PARTITIONS])
{
    EventLease stored = { 0 };
    StoreView view = { .store = consumer->store,
        .arena = arena,
        .deadline = clock_monotonic() + CONSUMER_ASK_MS * INT64_C(1000) };
    const Error *error = NULL;
    bool is_held;

    pthread_mutex_lock(&consumer->lock);
    is_held = consumer->lease.is_held;
    memcpy(positions, consumer->positions, sizeof(consumer->positions));
    memcpy(stored.name, consumer->lease.name, sizeof(stored.name));
    pthread_mutex_unlock(&consumer->lock);
    if (!is_held && !(error = event_lease_read(&view, &stored)))
        memcpy(positions, stored.positions, sizeof(stored.positions));
    return error;
}

int64_t event_consumer_lag(EventConsumer *consumer)
{
    Arena *arena = arena_new();
    RpcOutgoing outgoing = { .arena = arena,
        .deadline = clock_monotonic() + CONSUMER_ASK_MS * INT64_C(1000) };
    GetPositionsRequest request = THROUGHLINE__EVENT__V1__GET_POSITIONS_REQUEST__INIT;
    GetPositionsResponse reply = THROUGHLINE__EVENT__V1__GET_POSITIONS_RESPONSE__INIT;
    int64_t positions[STORE_PARTITIONS];
    int64_t lag = -1;

    if (!rpc_client_call(consumer->client, &outgoing,
            &throughline__event__v1__event_service__descriptor, "GetPositions", &request, &reply) &&
        !own_positions(consumer, arena, positions)) {
        lag = 0;
        for (size_t i = 0; i < reply.n_positions; i++) {
            int partition = reply.positions[i]->partition;

            if (partition >= 0 && partition < STORE_PARTITIONS &&
                reply.positions[i]->sequence > positions[partition])
                lag += reply.positions[i]->sequence - positions[partition];
        }
    }
    arena_free(arena);
    return lag;
}
