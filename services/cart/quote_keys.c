#include "services/cart/quote_keys.h"

#include "shared/base/text.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ID = 128 };

typedef struct QuoteKey {
    char id[MAX_ID];
    uint8_t key[QUOTE_KEY_BYTES];
} QuoteKey;

struct QuoteKeys {
    pthread_mutex_t lock;
    int64_t asked_at;
    QuoteKey items[QUOTE_KEYS_MAX];
    size_t n_items;
};

QuoteKeys *quote_keys_new(void)
{
    QuoteKeys *keys = calloc(1, sizeof(*keys));

    if (!keys)
        abort();
    pthread_mutex_init(&keys->lock, NULL);
    return keys;
}

void quote_keys_free(QuoteKeys *keys)
{
    if (!keys)
        return;
    pthread_mutex_destroy(&keys->lock);
    free(keys);
}

bool quote_keys_find(QuoteKeys *keys, const char *key_id, uint8_t key[QUOTE_KEY_BYTES])
{
    bool is_found = false;

    pthread_mutex_lock(&keys->lock);
    for (size_t i = 0; i < keys->n_items && !is_found; i++) {
        is_found = text_equal(keys->items[i].id, key_id);
        if (is_found)
            memcpy(key, keys->items[i].key, QUOTE_KEY_BYTES);
    }
    pthread_mutex_unlock(&keys->lock);
    return is_found;
}

void quote_keys_set(
    QuoteKeys *keys, int64_t asked_at, const Throughline__Catalog__V1__ListQuoteKeysResponse *list)
{
    pthread_mutex_lock(&keys->lock);
    keys->asked_at = asked_at;
    keys->n_items = 0;
    for (size_t i = 0; i < list->n_keys && keys->n_items < QUOTE_KEYS_MAX; i++) {
        const Throughline__Catalog__V1__QuoteKey *key = list->keys[i];
        size_t size = strlen(key->name) + 1;

        if (size > MAX_ID || key->public_key.len != QUOTE_KEY_BYTES)
            continue;
        memcpy(keys->items[keys->n_items].id, key->name, size);
        memcpy(keys->items[keys->n_items].key, key->public_key.data, QUOTE_KEY_BYTES);
        keys->n_items++;
    }
    pthread_mutex_unlock(&keys->lock);
}

int64_t quote_keys_asked_at(QuoteKeys *keys)
{
    int64_t asked_at;

    pthread_mutex_lock(&keys->lock);
    asked_at = keys->asked_at;
    pthread_mutex_unlock(&keys->lock);
    return asked_at;
}
