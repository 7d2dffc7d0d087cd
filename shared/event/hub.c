/* The hub: one reader of the log for the whole process hands each new event to the streams that
 * want it; a stream that is new or was slow reads the log for itself, on a worker's thread,
 * until it has caught up. What a stream has not taken is nowhere but in the log. */
#include "shared/event/hub.h"

#include "shared/base/condition.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void event_hub_wake(EventHub *hub, unsigned partitions)
{
    atomic_fetch_or(&hub->hinted, partitions);
    if (!atomic_exchange(&hub->is_asleep, false))
        return;
    /* Whoever goes to sleep looks for hints once more under the lock: past it, it hears the signal. */
    pthread_mutex_lock(&hub->lock);
    pthread_mutex_unlock(&hub->lock);
    pthread_cond_signal(&hub->news);
}

static void hear_store(void *hub, unsigned partitions)
{
    event_hub_wake(hub, partitions);
}

EventHub *event_hub_start(Store *store, Metrics *metrics)
{
    EventHub *hub = calloc(1, sizeof(*hub));

    if (!hub)
        abort();
    hub->store = store;
    hub->scratch = arena_new();
    hub->queue_end = &hub->queue;
    hub->open =
        metrics_gauge(metrics, "event_streams", "", "Open streams that are fed from the log.");
    hub->sent = metrics_counter(
        metrics, "event_stream_messages_total", "", "Messages handed to streams from the log.");
    atomic_init(&hub->hinted, 0);
    atomic_init(&hub->is_asleep, false);
    pthread_mutex_init(&hub->lock, NULL);
    condition_init(&hub->news);
    pthread_cond_init(&hub->work, NULL);
    if (pthread_create(&hub->reader, NULL, hub_read, hub))
        abort();
    for (int i = 0; i < HUB_WORKERS; i++)
        if (pthread_create(&hub->workers[i], NULL, hub_work, hub))
            abort();
    store_on_log(store, hear_store, hub);
    return hub;
}

bool event_hub_heads(EventHub *hub, int64_t heads[STORE_PARTITIONS])
{
    bool is_synced;

    pthread_mutex_lock(&hub->lock);
    is_synced = hub->is_synced;
    memcpy(heads, hub->heads, sizeof(hub->heads));
    pthread_mutex_unlock(&hub->lock);
    return is_synced;
}

static void end_all(Feed *feed)
{
    while (feed) {
        Feed *next = feed->next;

        feed_end(feed);
        feed = next;
    }
}

void event_hub_stop(EventHub *hub)
{
    if (!hub)
        return;
    store_on_log(hub->store, NULL, NULL);
    pthread_mutex_lock(&hub->lock);
    hub->is_stopping = true;
    pthread_cond_broadcast(&hub->news);
    pthread_cond_broadcast(&hub->work);
    pthread_mutex_unlock(&hub->lock);
    pthread_join(hub->reader, NULL);
    for (int i = 0; i < HUB_WORKERS; i++)
        pthread_join(hub->workers[i], NULL);
    end_all(hub->everything);
    for (int i = 0; i < HUB_BUCKETS; i++)
        end_all(hub->buckets[i]);
    arena_free(hub->scratch);
    pthread_cond_destroy(&hub->news);
    pthread_cond_destroy(&hub->work);
    pthread_mutex_destroy(&hub->lock);
    free(hub);
}

Feed **hub_bucket(EventHub *hub, const char *subject)
{
    if (!subject)
        return &hub->everything;
    return &hub->buckets[text_hash(subject, strlen(subject)) % HUB_BUCKETS];
}

void hub_queue(EventHub *hub, Feed *feed)
{
    if (feed->is_busy) {
        feed->is_dirty = true;
        return;
    }
    if (feed->is_queued || hub->is_stopping)
        return;
    feed->is_queued = true;
    feed->is_full = false;
    feed->next_queued = NULL;
    *hub->queue_end = feed;
    hub->queue_end = &feed->next_queued;
    pthread_cond_signal(&hub->work);
}

/* From a transport thread: there is room again, or the peer is gone, or the server drains. */
static void changed(void *context)
{
    Feed *feed = context;

    pthread_mutex_lock(&feed->hub->lock);
    hub_queue(feed->hub, feed);
    pthread_mutex_unlock(&feed->hub->lock);
}

/* The types that a stream wants, in one block of memory. */
static char *list_types(const EventInterest *interest)
{
    size_t size = 1;
    char *types;
    char *at;

    if (!interest->n_types)
        return NULL;
    for (size_t i = 0; i < interest->n_types; i++)
        size += strlen(interest->types[i]) + 1;
    at = types = calloc(1, size);
    if (!types)
        abort();
    for (size_t i = 0; i < interest->n_types; i++)
        at = stpcpy(at, interest->types[i]) + 1;
    return types;
}

static Feed *feed_new(EventHub *hub, RpcCall *call, const EventInterest *interest)
{
    const char *subject = interest->aggregate ? interest->aggregate : interest->customer;
    Feed *feed = calloc(1, sizeof(*feed));

    if (!feed || (subject && !(feed->subject = strdup(subject))))
        abort();
    feed->hub = hub;
    feed->call = call;
    feed->kind = interest->aggregate  ? FEED_AGGREGATE
                 : interest->customer ? FEED_CUSTOMER
                                      : FEED_LOG;
    feed->render = interest->render;
    feed->context = interest->context;
    feed->types = list_types(interest);
    feed->max_events = interest->max_events > 0 ? (size_t)interest->max_events : 1;
    for (int i = 0; subject && i < STORE_PARTITIONS; i++)
        feed->at[i] = interest->after;
    for (size_t i = 0; i < interest->n_positions; i++) {
        const Throughline__Event__V1__Position *position = interest->positions[i];

        assert(position->partition >= 0 && position->partition < STORE_PARTITIONS);
        feed->at[position->partition] = feed->told[position->partition] = position->sequence;
    }
    return feed;
}

const Error *event_hub_follow(EventHub *hub, RpcCall *call, const EventInterest *interest)
{
    Feed *feed = feed_new(hub, call, interest);
    Feed **bucket = hub_bucket(hub, feed->subject);

    feed->stream = rpc_detach(call);
    pthread_mutex_lock(&hub->lock);
    /* Under the lock: the first news of the stream must find the feed in its place. */
    rpc_stream_watch(feed->stream, changed, feed);
    feed->next = *bucket;
    if (feed->next)
        feed->next->previous = feed;
    *bucket = feed;
    gauge_set(hub->open, (int64_t)++hub->n_open);
    if (hub->n_open == 1)
        pthread_cond_signal(&hub->news);
    hub_queue(hub, feed);
    pthread_mutex_unlock(&hub->lock);
    return NULL;
}
