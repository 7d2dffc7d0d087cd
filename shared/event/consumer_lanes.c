/* A consumer that applies several partitions at once: the reader puts what it takes into a lane a partition, threads of its own empty
 * the lanes, each lane one event after the other. What they write at the same time the store commits together. */
#include "shared/event/consumer.h"

#include <stdlib.h>

struct LaneItem {
    struct LaneItem *next;
    ConsumerSession *session;
    Arena *arena; /* of the response */
    const SubscribeResponse *response;
};

/* Under the lock: a lane that waits for a thread; NULL when there is none. */
static Lane *next_lane(EventConsumer *consumer)
{
    for (int i = 0; i < STORE_PARTITIONS; i++) {
        Lane *lane = &consumer->lanes[(consumer->next_lane + i) % STORE_PARTITIONS];

        if (lane->first && !lane->is_taken) {
            consumer->next_lane = (consumer->next_lane + i + 1) % STORE_PARTITIONS;
            return lane;
        }
    }
    return NULL;
}

/* After the end of its session an item is dropped: it comes again. */
static void empty_lane(LaneItem *items, Arena *arena)
{
    bool is_good = true;

    while (items) {
        LaneItem *item = items;

        items = item->next;
        is_good = is_good && consumer_take(item->session, arena, item->response);
        arena_free(item->arena);
        free(item);
    }
}

static void *work(void *context)
{
    EventConsumer *consumer = context;
    Arena *arena = arena_new();

    pthread_mutex_lock(&consumer->lock);
    for (;;) {
        Lane *lane = next_lane(consumer);
        LaneItem *items;
        size_t n_items;

        if (!lane && consumer->has_ended)
            break;
        if (!lane) {
            pthread_cond_wait(&consumer->lane_filled, &consumer->lock);
            continue;
        }
        items = lane->first;
        n_items = lane->n_items;
        *lane = (Lane){ .is_taken = true };
        pthread_mutex_unlock(&consumer->lock);
        empty_lane(items, arena);
        pthread_mutex_lock(&consumer->lock);
        lane->is_taken = false;
        consumer->n_in_lanes -= n_items;
        pthread_cond_broadcast(&consumer->lane_emptied);
    }
    pthread_mutex_unlock(&consumer->lock);
    arena_free(arena);
    return NULL;
}

static void start_workers(EventConsumer *consumer)
{
    for (; consumer->n_workers < CONSUMER_WORKERS; consumer->n_workers++)
        if (pthread_create(&consumer->workers[consumer->n_workers], NULL, work, consumer))
            abort();
}

void consumer_put(ConsumerSession *session, Arena *arena, const SubscribeResponse *response)
{
    EventConsumer *consumer = session->consumer;
    Lane *lane = &consumer->lanes[response->position->partition];
    LaneItem *item = calloc(1, sizeof(*item));

    if (!item)
        abort();
    *item = (LaneItem){ .session = session, .arena = arena, .response = response };
    pthread_mutex_lock(&consumer->lock);
    start_workers(consumer);
    while (consumer->n_in_lanes >= CONSUMER_MAX_IN_LANES)
        pthread_cond_wait(&consumer->lane_emptied, &consumer->lock);
    if (lane->first)
        lane->last->next = item;
    else
        lane->first = item;
    lane->last = item;
    lane->n_items++;
    consumer->n_in_lanes++;
    if (!lane->is_taken)
        pthread_cond_signal(&consumer->lane_filled);
    pthread_mutex_unlock(&consumer->lock);
}

void consumer_wait_for_lanes(EventConsumer *consumer)
{
    pthread_mutex_lock(&consumer->lock);
    while (consumer->n_in_lanes > 0)
        pthread_cond_wait(&consumer->lane_emptied, &consumer->lock);
    pthread_mutex_unlock(&consumer->lock);
}

void consumer_end_lanes(EventConsumer *consumer)
{
    pthread_mutex_lock(&consumer->lock);
    consumer->has_ended = true;
    pthread_cond_broadcast(&consumer->lane_filled);
    pthread_mutex_unlock(&consumer->lock);
    for (int i = 0; i < consumer->n_workers; i++)
        pthread_join(consumer->workers[i], NULL);
}
