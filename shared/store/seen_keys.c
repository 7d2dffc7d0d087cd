/* A Bloom filter in blocks of one cache line: a key has all its bits in one of them. */
#include "shared/store/seen_keys.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    BLOCK_WORDS = 8,
    KEYS_PER_BLOCK = 42, /* 12 bits a key */
    BITS_PER_KEY = 6,
    MIN_BLOCKS = 1536, /* for 64 thousand keys */
    MAX_BLOCKS = 256 * 1024,
    ROOM = 2, /* times the keys that are there */
};

typedef struct Table {
    size_t n_blocks;
    atomic_ullong n_keys;
    _Atomic uint64_t words[];
} Table;

struct SeenKeys {
    pthread_rwlock_t lock; /* to put another table in place */
    Table *table;          /* NULL until the first is filled */
    Table *next;           /* being filled */
};

SeenKeys *seen_keys_new(void)
{
    SeenKeys *keys = calloc(1, sizeof(*keys));

    if (!keys)
        abort();
    pthread_rwlock_init(&keys->lock, NULL);
    return keys;
}

void seen_keys_free(SeenKeys *keys)
{
    if (!keys)
        return;
    pthread_rwlock_destroy(&keys->lock);
    free(keys->table);
    free(keys->next);
    free(keys);
}

/* The finalizer of MurmurHash3: every bit of the key's hash counts in every bit of the result. */
static uint64_t mix(uint64_t hash)
{
    hash = (hash ^ hash >> 33) * 0xFF51AFD7ED558CCDu;
    hash = (hash ^ hash >> 33) * 0xC4CEB9FE1A85EC53u;
    return hash ^ hash >> 33;
}

static _Atomic uint64_t *block_of(Table *table, uint64_t mixed)
{
    return &table->words[mixed % table->n_blocks * BLOCK_WORDS];
}

/* Of the six bits of a key the one with this number: nine bits of the hash say which. */
static uint64_t bit_of(uint64_t mixed, int number, int *word)
{
    uint64_t place = mix(mixed) >> (number * 9) & 511;

    *word = (int)(place / 64);
    return UINT64_C(1) << place % 64;
}

static void add(Table *table, uint64_t hash)
{
    uint64_t mixed = mix(hash);
    _Atomic uint64_t *block = block_of(table, mixed);

    for (int i = 0; i < BITS_PER_KEY; i++) {
        int word;
        uint64_t bit = bit_of(mixed, i, &word);

        atomic_fetch_or(&block[word], bit);
    }
    atomic_fetch_add(&table->n_keys, 1);
}

static bool may_have(Table *table, uint64_t hash)
{
    uint64_t mixed = mix(hash);
    _Atomic uint64_t *block = block_of(table, mixed);

    for (int i = 0; i < BITS_PER_KEY; i++) {
        int word;
        uint64_t bit = bit_of(mixed, i, &word);

        if (!(atomic_load(&block[word]) & bit))
            return false;
    }
    return true;
}

void seen_keys_add(SeenKeys *keys, uint64_t hash)
{
    pthread_rwlock_rdlock(&keys->lock);
    if (keys->table)
        add(keys->table, hash);
    if (keys->next)
        add(keys->next, hash);
    pthread_rwlock_unlock(&keys->lock);
}

bool seen_keys_may_have(SeenKeys *keys, uint64_t hash)
{
    bool is_possible;

    pthread_rwlock_rdlock(&keys->lock);
    is_possible = !keys->table || may_have(keys->table, hash);
    pthread_rwlock_unlock(&keys->lock);
    return is_possible;
}

static size_t blocks_for(uint64_t n_keys)
{
    uint64_t n_blocks = n_keys * ROOM / KEYS_PER_BLOCK;

    if (n_blocks < MIN_BLOCKS)
        return MIN_BLOCKS;
    return n_blocks > MAX_BLOCKS ? MAX_BLOCKS : (size_t)n_blocks;
}

bool seen_keys_begin(SeenKeys *keys, uint64_t n_expected)
{
    const Table *now = keys->table;
    Table *next, *given_up;

    if (now && (atomic_load(&now->n_keys) <= now->n_blocks * KEYS_PER_BLOCK ||
                   now->n_blocks == MAX_BLOCKS))
        return false;
    next = calloc(1, sizeof(*next) + blocks_for(n_expected) * BLOCK_WORDS * sizeof(*next->words));
    if (!next)
        abort();
    next->n_blocks = blocks_for(n_expected);
    pthread_rwlock_wrlock(&keys->lock);
    given_up = keys->next;
    keys->next = next;
    pthread_rwlock_unlock(&keys->lock);
    free(given_up);
    return true;
}

void seen_keys_fill(SeenKeys *keys, uint64_t hash)
{
    add(keys->next, hash);
}

void seen_keys_finish(SeenKeys *keys)
{
    Table *old;

    pthread_rwlock_wrlock(&keys->lock);
    old = keys->table;
    keys->table = keys->next;
    keys->next = NULL;
    pthread_rwlock_unlock(&keys->lock);
    free(old);
}
