/* A ring a partition. */
#include "shared/store/log_tail.h"

#include "shared/store/store.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct Ring {
    Bytes bodies[LOG_TAIL_RECORDS]; /* each at its sequence modulo their number */
    int64_t first, end;             /* sequences; the same when it is empty */
    size_t size;                    /* of all bodies */
} Ring;

struct LogTail {
    pthread_mutex_t lock;
    Ring rings[STORE_PARTITIONS];
};

static Bytes *slot_of(Ring *ring, int64_t sequence)
{
    return &ring->bodies[sequence % LOG_TAIL_RECORDS];
}

static void drop_first(Ring *ring)
{
    Bytes *body = slot_of(ring, ring->first++);

    ring->size -= body->size;
    free((void *)(uintptr_t)body->data);
}

static void forget(Ring *ring)
{
    while (ring->first < ring->end)
        drop_first(ring);
}

LogTail *log_tail_new(void)
{
    LogTail *tail = calloc(1, sizeof(*tail));

    if (!tail)
        abort();
    pthread_mutex_init(&tail->lock, NULL);
    return tail;
}

void log_tail_free(LogTail *tail)
{
    if (!tail)
        return;
    for (int i = 0; i < STORE_PARTITIONS; i++)
        forget(&tail->rings[i]);
    pthread_mutex_destroy(&tail->lock);
    free(tail);
}

static void append(Ring *ring, int64_t sequence, Bytes body)
{
    uint8_t *copy;

    if (sequence != ring->end || body.size > LOG_TAIL_BYTES)
        forget(ring);
    if (body.size > LOG_TAIL_BYTES)
        return;
    if (ring->first == ring->end)
        ring->first = ring->end = sequence;
    while (ring->end - ring->first == LOG_TAIL_RECORDS || ring->size + body.size > LOG_TAIL_BYTES)
        drop_first(ring);
    if (!(copy = malloc(body.size)))
        abort();
    memcpy(copy, body.data, body.size);
    *slot_of(ring, ring->end++) = (Bytes){ copy, body.size };
    ring->size += body.size;
}

void log_tail_put(LogTail *tail, int partition, int64_t sequence, Bytes body)
{
    assert(sequence > 0 && body.size > 0);
    pthread_mutex_lock(&tail->lock);
    append(&tail->rings[partition], sequence, body);
    pthread_mutex_unlock(&tail->lock);
}

size_t log_tail_get(
    LogTail *tail, int partition, int64_t after, size_t limit, Arena *arena, Bytes *bodies)
{
    Ring *ring = &tail->rings[partition];
    size_t n = 0;

    pthread_mutex_lock(&tail->lock);
    for (int64_t i = after + 1; i >= ring->first && i < ring->end && n < limit; i++) {
        const Bytes *body = slot_of(ring, i);

        bodies[n++] = (Bytes){ arena_copy(arena, body->data, body->size), body->size };
    }
    pthread_mutex_unlock(&tail->lock);
    return n;
}
