/* The cache is set-associative: a fingerprint has WAYS places in its set, and each shard of sets its
 * lock. The size is fixed, so no stream of tokens can make it grow. */
#include "shared/auth/token_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { WAYS = 4, SHARDS = 16, SETS = TOKEN_CACHE_ENTRIES / WAYS / SHARDS };

typedef struct Entry {
    uint8_t fingerprint[ID_FINGERPRINT_SIZE];
    uint64_t generation;
    uint64_t last_use; /* turns of the shard's counter */
    TokenClaims claims;
    char *texts; /* where those of the claims are; NULL: a free place */
} Entry;

typedef struct Shard {
    pthread_mutex_t lock;
    uint64_t uses;
    Entry sets[SETS][WAYS];
} Shard;

struct TokenCache {
    Shard shards[SHARDS];
};

TokenCache *token_cache_new(void)
{
    TokenCache *cache = calloc(1, sizeof(*cache));

    if (!cache)
        abort();
    for (int i = 0; i < SHARDS; i++)
        pthread_mutex_init(&cache->shards[i].lock, NULL);
    return cache;
}

void token_cache_free(TokenCache *cache)
{
    if (!cache)
        return;
    for (int i = 0; i < SHARDS; i++) {
        for (int set = 0; set < SETS; set++)
            for (int way = 0; way < WAYS; way++)
                free(cache->shards[i].sets[set][way].texts);
        pthread_mutex_destroy(&cache->shards[i].lock);
    }
    free(cache);
}

static Shard *shard_of(TokenCache *cache, const uint8_t *fingerprint)
{
    return &cache->shards[fingerprint[0] % SHARDS];
}

static Entry *set_of(Shard *shard, const uint8_t *fingerprint)
{
    return shard->sets[fingerprint[1] % SETS];
}

static bool is_entry_of(const Entry *entry, const uint8_t *fingerprint, uint64_t generation)
{
    return entry->texts && entry->generation == generation &&
           !memcmp(entry->fingerprint, fingerprint, ID_FINGERPRINT_SIZE);
}

bool token_cache_get(TokenCache *cache, const uint8_t fingerprint[ID_FINGERPRINT_SIZE],
    uint64_t generation, Arena *arena, TokenClaims *claims)
{
    Shard *shard = shard_of(cache, fingerprint);
    Entry *set = set_of(shard, fingerprint);
    bool is_found = false;

    pthread_mutex_lock(&shard->lock);
    for (int way = 0; way < WAYS && !is_found; way++) {
        if (!is_entry_of(&set[way], fingerprint, generation))
            continue;
        is_found = true;
        set[way].last_use = ++shard->uses;
        *claims = set[way].claims;
        claims->account = arena_text(arena, claims->account);
        claims->channel = arena_text(arena, claims->channel);
        claims->scopes = arena_text(arena, claims->scopes);
    }
    pthread_mutex_unlock(&shard->lock);
    return is_found;
}

/* The same token again, a free or useless place, else the one that was used least recently. */
static Entry *place_for(Entry *set, const uint8_t *fingerprint, uint64_t generation, int64_t now)
{
    Entry *oldest = &set[0];

    for (int way = 0; way < WAYS; way++)
        if (is_entry_of(&set[way], fingerprint, generation))
            return &set[way];
    for (int way = 0; way < WAYS; way++) {
        Entry *entry = &set[way];

        if (!entry->texts || entry->generation != generation || entry->claims.expires_at < now)
            return entry;
        if (entry->last_use < oldest->last_use)
            oldest = entry;
    }
    return oldest;
}

/* A copy of the claims with all texts in one piece of memory. */
static char *copy_texts(const TokenClaims *claims, TokenClaims *copy)
{
    size_t account_size = strlen(claims->account) + 1;
    size_t channel_size = strlen(claims->channel) + 1;
    size_t scopes_size = strlen(claims->scopes) + 1;
    char *texts = malloc(account_size + channel_size + scopes_size);

    if (!texts)
        abort();
    *copy = *claims;
    copy->account = memcpy(texts, claims->account, account_size);
    copy->channel = memcpy(texts + account_size, claims->channel, channel_size);
    copy->scopes = memcpy(texts + account_size + channel_size, claims->scopes, scopes_size);
    return texts;
}

void token_cache_put(TokenCache *cache, const uint8_t fingerprint[ID_FINGERPRINT_SIZE],
    uint64_t generation, int64_t now, const TokenClaims *claims)
{
    Shard *shard = shard_of(cache, fingerprint);
    Entry *place;

    pthread_mutex_lock(&shard->lock);
    place = place_for(set_of(shard, fingerprint), fingerprint, generation, now);
    free(place->texts);
    memcpy(place->fingerprint, fingerprint, ID_FINGERPRINT_SIZE);
    place->generation = generation;
    place->last_use = ++shard->uses;
    place->texts = copy_texts(claims, &place->claims);
    pthread_mutex_unlock(&shard->lock);
}
