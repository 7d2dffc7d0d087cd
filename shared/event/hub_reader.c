/* The hub's threads. A feed misses nothing: whatever the reader hands out while a worker has the
 * feed makes it dirty, so that the worker reads once more; a feed that is full reads to the end
 * of the log when it has room. */
#include "shared/event/hub.h"

#include "shared/base/clock.h"
#include "shared/base/condition.h"
#include "shared/base/log.h"

#include <string.h>

static StoreView view_of(EventHub *hub, Arena *arena)
{
    arena_reset(arena);
    return (StoreView){ .store = hub->store,
        .arena = arena,
        .deadline = clock_monotonic() + HUB_STORE_MS * INT64_C(1000) };
}

/* Under the lock: each in turn, as far as the feed takes them. */
static RpcOffer push_all(Feed *feed, Arena *arena, EventRecord **records, size_t n, bool *is_behind)
{
    RpcOffer offer = RPC_STREAM_TAKEN;

    for (size_t i = 0; i < n && offer == RPC_STREAM_TAKEN; i++) {
        FeedPlace place = feed_place(feed, records[i]);

        *is_behind = place == FEED_READ;
        if (*is_behind)
            break;
        if (place == FEED_NEXT)
            offer = feed_push(feed, arena, records[i]);
    }
    return offer == RPC_STREAM_TAKEN ? feed_send(feed) : offer;
}

/* Under the lock. */
static void offer_to(EventHub *hub, Feed *feed, EventRecord **records, size_t n)
{
    bool is_behind = false;
    RpcOffer offer;

    if (feed->is_full || feed->is_queued)
        return;
    if (feed->is_busy) {
        feed->is_dirty = true;
        return;
    }
    offer = push_all(feed, hub->scratch, records, n, &is_behind);
    if (is_behind || offer == RPC_STREAM_GONE)
        hub_queue(hub, feed);
    else if (offer == RPC_STREAM_FULL)
        feed->is_full = true;
}

static void offer_to_bucket(EventHub *hub, const char *subject, EventRecord *record)
{
    for (Feed *feed = *hub_bucket(hub, subject); feed; feed = feed->next)
        if (text_equal(
                feed->subject, feed->kind == FEED_AGGREGATE ? record->aggregate : record->customer))
            offer_to(hub, feed, &record, 1);
}

/* To those who want one aggregate or customer. */
static void hand_out_one(EventHub *hub, EventRecord *record)
{
    arena_reset(hub->scratch);
    pthread_mutex_lock(&hub->lock);
    offer_to_bucket(hub, record->aggregate, record);
    /* A customer's own aggregate: its feeds of both kinds are in one bucket. */
    if (!text_is_empty(record->customer) && !text_equal(record->customer, record->aggregate))
        offer_to_bucket(hub, record->customer, record);
    pthread_mutex_unlock(&hub->lock);
}

static void hand_out(EventHub *hub, EventRecord **records, size_t n)
{
    arena_reset(hub->scratch);
    pthread_mutex_lock(&hub->lock);
    for (Feed *feed = hub->everything; feed && n; feed = feed->next)
        offer_to(hub, feed, records, n);
    pthread_mutex_unlock(&hub->lock);
    for (size_t i = 0; i < n; i++)
        hand_out_one(hub, records[i]);
}

static void move_head(EventHub *hub, int partition, int64_t head)
{
    pthread_mutex_lock(&hub->lock);
    hub->heads[partition] = head;
    pthread_mutex_unlock(&hub->lock);
}

/* Under the lock. A reader that left out everything is told now and then, not event for event. */
static void flush_all(EventHub *hub)
{
    int64_t now = clock_monotonic();
    bool is_behind = false;

    for (Feed *feed = hub->everything; feed; feed = feed->next) {
        if (feed->is_busy || feed->is_queued || feed->is_full ||
            memcmp(feed->at, feed->told, sizeof(feed->at)) == 0)
            continue;
        if (!hub->flush_at || now < hub->flush_at) {
            is_behind = true;
            continue;
        }
        arena_reset(hub->scratch);
        if (feed_flush(feed, hub->scratch) != RPC_STREAM_TAKEN)
            hub_queue(hub, feed);
    }
    if (!is_behind)
        hub->flush_at = 0;
    else if (!hub->flush_at)
        hub->flush_at = now + HUB_FLUSH_MS * INT64_C(1000);
}

/* A page of each of the partitions, which are handed out together; *partitions becomes those that go on. */
static const Error *read_pages(EventHub *hub, Arena *arena, unsigned *partitions, size_t *n_read)
{
    StoreView view = view_of(hub, arena);
    EventRecord **records =
        arena_array(arena, (size_t)STORE_PARTITIONS * HUB_PAGE, sizeof(*records));
    size_t n_records[STORE_PARTITIONS] = { 0 }, n = 0;
    const Error *error = NULL;

    for (int i = 0; i < STORE_PARTITIONS && !error; i++) {
        LogRange range = { .partition = i, .after = hub->heads[i], .limit = HUB_PAGE };
        LogPage page = { 0 };

        if (!(*partitions & 1u << i) || (error = event_log_read(&view, &range, &page)))
            continue;
        if (page.n_records)
            memcpy(records + n, page.records, page.n_records * sizeof(*records));
        n += n_records[i] = page.n_records;
        if (page.n_records < HUB_PAGE)
            *partitions &= ~(1u << i);
    }
    hand_out(hub, records, n);
    for (int i = 0; i < STORE_PARTITIONS; i++)
        if (n_records[i])
            move_head(hub, i, hub->heads[i] + (int64_t)n_records[i]);
    *n_read += n;
    return error;
}

static void queue_all(EventHub *hub, bool only_full)
{
    for (int i = -1; i < HUB_BUCKETS; i++)
        for (Feed *feed = i < 0 ? hub->everything : hub->buckets[i]; feed; feed = feed->next)
            if (feed->is_full || !only_full)
                hub_queue(hub, feed);
}

/* Starts at the end of the log. What was appended since a feed has read it up to there was handed
 * to nobody: all read once more. */
static const Error *sync(EventHub *hub, Arena *arena)
{
    for (int i = 0; i < STORE_PARTITIONS; i++) {
        StoreView view = view_of(hub, arena);
        int64_t head;
        const Error *error = event_log_head(&view, i, &head);

        if (error)
            return error;
        move_head(hub, i, head);
    }
    pthread_mutex_lock(&hub->lock);
    hub->is_synced = true;
    queue_all(hub, false);
    pthread_mutex_unlock(&hub->lock);
    return NULL;
}

/* Where nobody has hinted at news, of another process they may be anywhere. */
static const Error *read_news(EventHub *hub, Arena *arena, unsigned partitions)
{
    StoreView view = view_of(hub, arena);
    int64_t start = clock_monotonic();
    size_t n_read = 0;
    const Error *error = NULL;

    if (!hub->is_synced)
        return sync(hub, arena);
    if (!partitions)
        error = event_log_ahead(&view, hub->heads, &partitions);
    while (partitions && !error)
        error = read_pages(hub, arena, &partitions, &n_read);
    hub->gathers_until = n_read >= HUB_BUSY ? start + HUB_GATHER_MS * INT64_C(1000) : 0;
    return error;
}

/* Under the lock. */
static void sleep_until_hint(EventHub *hub, int64_t until)
{
    bool is_early = true;

    while (is_early && !hub->is_stopping && hub->is_synced) {
        atomic_store(&hub->is_asleep, true);
        if (atomic_load(&hub->hinted))
            break;
        is_early = condition_wait_until(&hub->news, &hub->lock, until);
    }
    atomic_store(&hub->is_asleep, false);
}

/* Until there may be news and somebody who wants them; false when the hub stops. `partitions`: where; none: nobody knows. */
static bool wait_for_news(EventHub *hub, unsigned *partitions)
{
    int64_t until = clock_monotonic() + HUB_POLL_MS * INT64_C(1000);
    bool goes_on;

    pthread_mutex_lock(&hub->lock);
    flush_all(hub);
    if (hub->flush_at && hub->flush_at < until)
        until = hub->flush_at;
    while (!hub->is_stopping && hub->n_open == 0) {
        hub->is_synced = false;
        pthread_cond_wait(&hub->news, &hub->lock);
    }
    while (!hub->is_stopping && clock_monotonic() < hub->gathers_until)
        condition_wait_until(&hub->news, &hub->lock, hub->gathers_until);
    sleep_until_hint(hub, until);
    *partitions = atomic_exchange(&hub->hinted, 0);
    if (hub->has_failed)
        queue_all(hub, true);
    hub->has_failed = false;
    goes_on = !hub->is_stopping;
    pthread_mutex_unlock(&hub->lock);
    return goes_on;
}

static void log_failure(const Error *error)
{
    log_write(LOG_WARN, "event_log_unreadable",
        (const LogField[]){
            { "reason", .text = error->reason }, { "message", .text = error->message }, { 0 } });
}

void *hub_read(void *context)
{
    EventHub *hub = context;
    Arena *arena = arena_new();
    bool was_good = true;
    unsigned partitions;

    while (wait_for_news(hub, &partitions)) {
        const Error *error = read_news(hub, arena, partitions);

        if (error && was_good)
            log_failure(error);
        if (error)
            clock_sleep_ms(HUB_POLL_MS);
        was_good = !error;
    }
    arena_free(arena);
    return NULL;
}

static Feed *next_feed(EventHub *hub)
{
    Feed *feed;

    while (!hub->queue && !hub->is_stopping)
        pthread_cond_wait(&hub->work, &hub->lock);
    if (hub->is_stopping)
        return NULL;
    feed = hub->queue;
    hub->queue = feed->next_queued;
    if (!hub->queue)
        hub->queue_end = &hub->queue;
    feed->is_queued = false;
    feed->is_dirty = false;
    feed->is_busy = true;
    return feed;
}

static void take_out(EventHub *hub, Feed *feed)
{
    if (feed->previous)
        feed->previous->next = feed->next;
    else
        *hub_bucket(hub, feed->subject) = feed->next;
    if (feed->next)
        feed->next->previous = feed->previous;
    gauge_set(hub->open, (int64_t)--hub->n_open);
}

void *hub_work(void *context)
{
    EventHub *hub = context;
    Arena *arena = arena_new();
    Feed *feed;

    pthread_mutex_lock(&hub->lock);
    while ((feed = next_feed(hub))) {
        RpcOffer offer = RPC_STREAM_GONE;
        const Error *error = NULL;

        pthread_mutex_unlock(&hub->lock);
        if (!rpc_stream_is_draining(feed->stream))
            error = feed_catch_up(feed, arena, &offer);
        pthread_mutex_lock(&hub->lock);
        if (offer == RPC_STREAM_GONE) {
            take_out(hub, feed);
            pthread_mutex_unlock(&hub->lock);
            feed_end(feed);
            pthread_mutex_lock(&hub->lock);
            continue;
        }
        feed->is_busy = false;
        hub->has_failed |= error != NULL;
        if (feed->is_dirty)
            hub_queue(hub, feed);
        else
            feed->is_full = error || offer == RPC_STREAM_FULL;
    }
    pthread_mutex_unlock(&hub->lock);
    arena_free(arena);
    return NULL;
}
