/* The cache is set-associative: a token has WAYS places in its set, and each shard of sets its
 * lock. The size is fixed, so no stream of tokens can make it grow. */
#include "shared/auth/token_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { WAYS = 4, SHARDS = 16, SETS = TOKEN_CACHE_ENTRIES / WAYS / SHARDS, SET_BITS = 10 };

_Static_assert(SHARDS *SETS == 1 << SET_BITS, "spread");

typedef struct Entry {
    uint64_t tail; /* of the token: from its signature, as good as random */
    uint64_t generation;
    uint64_t last_use; /* turns of the shard's counter */
    TokenClaims claims;
    char *texts; /* those of the claims, and behind them the token; NULL: a free place */
    size_t claims_size, token_size;
} Entry;

typedef struct Shard {
    pthread_mutex_t lock;
    uint64_t uses;
    Entry (*sets)[WAYS];
} Shard;

/* The entries lie apart from the locks: their pages are not there before they are needed. */
struct TokenCache {
    Shard shards[SHARDS];
    Entry entries[SHARDS][SETS][WAYS];
};

TokenCache *token_cache_new(void)
{
    TokenCache *cache = calloc(1, sizeof(*cache));

    if (!cache)
        abort();
    for (int i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&cache->shards[i].lock, NULL);
        cache->shards[i].sets = cache->entries[i];
    }
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

static uint64_t tail_of(Bytes token)
{
    uint64_t tail = 0;
    size_t size = token.size < sizeof(tail) ? token.size : sizeof(tail);

    memcpy(&tail, token.data + token.size - size, size);
    return tail;
}

/* The topmost bits of the product depend on all bits of the tail. */
static uint64_t spread(uint64_t tail)
{
    return tail * 0x9e3779b97f4a7c15u >> (64 - SET_BITS);
}

static Shard *shard_of(TokenCache *cache, uint64_t tail)
{
    return &cache->shards[spread(tail) % SHARDS];
}

static Entry *set_of(Shard *shard, uint64_t tail)
{
    return shard->sets[spread(tail) / SHARDS];
}

/* In a time that does not tell where they differ. */
static bool are_equal(const void *left, const uint8_t *right, size_t size)
{
    uint64_t differences = 0, l = 0, r = 0;
    size_t at = 0;

    for (; at + sizeof(l) <= size; at += sizeof(l)) {
        memcpy(&l, (const uint8_t *)left + at, sizeof(l));
        memcpy(&r, right + at, sizeof(r));
        differences |= l ^ r;
    }
    for (; at < size; at++)
        differences |= ((const uint8_t *)left)[at] ^ right[at];
    return differences == 0;
}

static bool is_entry_of(const Entry *entry, Bytes token, uint64_t generation)
{
    return entry->texts && entry->generation == generation && entry->token_size == token.size &&
           entry->tail == tail_of(token) &&
           are_equal(entry->texts + entry->claims_size, token.data, token.size);
}

/* The claims whose texts are a copy of the entry's. */
static TokenClaims claims_in(const Entry *entry, const char *texts)
{
    TokenClaims claims = entry->claims;

    claims.account = texts + (claims.account - entry->texts);
    claims.channel = texts + (claims.channel - entry->texts);
    claims.scopes = texts + (claims.scopes - entry->texts);
    return claims;
}

bool token_cache_get(
    TokenCache *cache, Bytes token, uint64_t generation, Arena *arena, TokenClaims *claims)
{
    uint64_t tail = tail_of(token);
    Shard *shard = shard_of(cache, tail);
    Entry *set = set_of(shard, tail);
    bool is_found = false;

    pthread_mutex_lock(&shard->lock);
    for (int way = 0; way < WAYS && !is_found; way++) {
        if (!is_entry_of(&set[way], token, generation))
            continue;
        is_found = true;
        set[way].last_use = ++shard->uses;
        *claims = claims_in(&set[way], arena_copy(arena, set[way].texts, set[way].claims_size));
    }
    pthread_mutex_unlock(&shard->lock);
    return is_found;
}

/* The same token again, a free or useless place, else the one that was used least recently. */
static Entry *place_for(Entry *set, Bytes token, uint64_t generation, int64_t now)
{
    Entry *oldest = &set[0];

    for (int way = 0; way < WAYS; way++)
        if (is_entry_of(&set[way], token, generation))
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

/* One piece of memory for all texts of the entry. */
static void keep(Entry *entry, Bytes token, const TokenClaims *claims)
{
    size_t account_size = strlen(claims->account) + 1;
    size_t channel_size = strlen(claims->channel) + 1;
    size_t scopes_size = strlen(claims->scopes) + 1;
    char *texts;

    entry->claims_size = account_size + channel_size + scopes_size;
    entry->token_size = token.size;
    texts = entry->texts = malloc(entry->claims_size + token.size);
    if (!texts)
        abort();
    entry->claims = *claims;
    entry->claims.account = memcpy(texts, claims->account, account_size);
    texts += account_size;
    entry->claims.channel = memcpy(texts, claims->channel, channel_size);
    texts += channel_size;
    entry->claims.scopes = memcpy(texts, claims->scopes, scopes_size);
    memcpy(texts + scopes_size, token.data, token.size);
}

void token_cache_put(
    TokenCache *cache, Bytes token, uint64_t generation, int64_t now, const TokenClaims *claims)
{
    uint64_t tail = tail_of(token);
    Shard *shard = shard_of(cache, tail);
    Entry *place;

    pthread_mutex_lock(&shard->lock);
    place = place_for(set_of(shard, tail), token, generation, now);
    free(place->texts);
    place->tail = tail;
    place->generation = generation;
    place->last_use = ++shard->uses;
    keep(place, token, claims);
    pthread_mutex_unlock(&shard->lock);
}
