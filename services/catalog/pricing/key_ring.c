/* Lists are never changed and never freed before the ring is: keys are few and readers need no
 * lock beyond taking the pointer. */
#include "services/catalog/pricing/key_ring.h"

#include "services/catalog/catalog.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 100 };

struct KeyRing {
    pthread_mutex_t lock;
    Arena *arena;
    size_t n_keys;
    const QuoteKeyRecord **keys;
};

KeyRing *key_ring_new(void)
{
    KeyRing *ring = calloc(1, sizeof(*ring));

    if (!ring)
        abort();
    pthread_mutex_init(&ring->lock, NULL);
    ring->arena = arena_new();
    return ring;
}

void key_ring_free(KeyRing *ring)
{
    if (!ring)
        return;
    arena_free(ring->arena);
    pthread_mutex_destroy(&ring->lock);
    free(ring);
}

static bool has_key(const KeyRing *ring, const char *name)
{
    for (size_t i = 0; i < ring->n_keys; i++)
        if (text_equal(ring->keys[i]->name, name))
            return true;
    return false;
}

static int by_age(const void *a, const void *b)
{
    const QuoteKeyRecord *left = *(const QuoteKeyRecord *const *)a;
    const QuoteKeyRecord *right = *(const QuoteKeyRecord *const *)b;
    int64_t left_time = timestamp_to_micros(left->create_time);
    int64_t right_time = timestamp_to_micros(right->create_time);

    if (left_time != right_time)
        return left_time > right_time ? -1 : 1;
    return strcmp(right->name, left->name);
}

/* Keys don't change: only those that are not there yet are taken. */
static void add_keys(KeyRing *ring, void *const *records, size_t n_records)
{
    const QuoteKeyRecord **keys = NULL;
    size_t n_keys = ring->n_keys;

    for (size_t i = 0; i < n_records; i++) {
        const QuoteKeyRecord *key = records[i];

        if (has_key(ring, key->name) || n_keys == KEY_RING_MAX_KEYS)
            continue;
        if (!keys)
            keys = arena_grow(ring->arena, ring->keys, n_keys, n_keys + n_records, sizeof(*keys));
        keys[n_keys++] = message_copy(ring->arena, key);
    }
    if (!keys)
        return;
    qsort(keys, n_keys, sizeof(*keys), by_age);
    ring->keys = keys;
    ring->n_keys = n_keys;
}

const Error *key_ring_load(KeyRing *ring, StoreView *view)
{
    StoreQuery query = { .limit = PAGE };
    const Error *error;

    do {
        StorePage page = { 0 };

        if ((error = store_find(view, &quote_keys, &query, &page)))
            return error;
        pthread_mutex_lock(&ring->lock);
        add_keys(ring, page.messages, page.n_messages);
        pthread_mutex_unlock(&ring->lock);
        query.resume = page.resume;
    } while (!text_is_empty(query.resume));
    return NULL;
}

size_t key_ring_keys(KeyRing *ring, const QuoteKeyRecord *const **keys)
{
    size_t n_keys;

    pthread_mutex_lock(&ring->lock);
    *keys = ring->keys;
    n_keys = ring->n_keys;
    pthread_mutex_unlock(&ring->lock);
    return n_keys;
}

const QuoteKeyRecord *key_ring_newest(KeyRing *ring)
{
    const QuoteKeyRecord *const *keys;

    return key_ring_keys(ring, &keys) ? keys[0] : NULL;
}
