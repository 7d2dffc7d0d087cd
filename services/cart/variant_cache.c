#include "services/cart/variant_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 1024, MAX_BYTES = 2048, TTL_MICROS = 1000000 };

/* Key and bytes are one block: the key's text, its NUL, the bytes. */
typedef struct Slot {
    char *block;
    size_t key_size;
    size_t size;
    int64_t kept_at;
} Slot;

struct VariantCache {
    pthread_mutex_t lock;
    Slot slots[SLOTS];
};

VariantCache *variant_cache_new(void)
{
    VariantCache *cache = calloc(1, sizeof(*cache));

    if (!cache)
        abort();
    pthread_mutex_init(&cache->lock, NULL);
    return cache;
}

void variant_cache_free(VariantCache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        free(cache->slots[i].block);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

static Slot *slot_of(VariantCache *cache, const char *key)
{
    return &cache->slots[text_hash(key, strlen(key)) % SLOTS];
}

bool variant_cache_get(
    VariantCache *cache, const char *key, int64_t now, Arena *arena, Bytes *bytes)
{
    Slot *slot = slot_of(cache, key);
    bool is_found;

    pthread_mutex_lock(&cache->lock);
    is_found = slot->block && now - slot->kept_at < TTL_MICROS && text_equal(slot->block, key);
    if (is_found)
        *bytes = (Bytes){ arena_copy(arena, slot->block + slot->key_size, slot->size), slot->size };
    pthread_mutex_unlock(&cache->lock);
    return is_found;
}

void variant_cache_put(VariantCache *cache, const char *key, int64_t now, Bytes bytes)
{
    Slot *slot = slot_of(cache, key);
    Slot fresh = { .key_size = strlen(key) + 1, .size = bytes.size, .kept_at = now };
    char *old;

    if (bytes.size > MAX_BYTES)
        return;
    fresh.block = malloc(fresh.key_size + fresh.size);
    if (!fresh.block)
        abort();
    memcpy(fresh.block, key, fresh.key_size);
    memcpy(fresh.block + fresh.key_size, bytes.data, bytes.size);
    pthread_mutex_lock(&cache->lock);
    old = slot->block;
    *slot = fresh;
    pthread_mutex_unlock(&cache->lock);
    free(old);
}
