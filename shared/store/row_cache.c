/* Hash tables, each with a lock, a part of the room and a list in the order of use. */
#include "shared/store/row_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { N_PARTS = 8, N_BUCKETS = 256, PART_BYTES = ROW_CACHE_BYTES / N_PARTS };

/* `bytes` are the name with its NUL, keys, marks and body, one behind the other. */
typedef struct Entry {
    struct Entry *next; /* in its bucket */
    struct Entry *older, *newer;
    uint64_t hash;
    size_t collection, size;
    CachedRow row;
    char bytes[];
} Entry;

typedef struct Part {
    pthread_mutex_t lock;
    Entry *buckets[N_BUCKETS];
    Entry *oldest, *newest;
    size_t size;
} Part;

struct RowCache {
    Part parts[N_PARTS];
};

RowCache *row_cache_new(void)
{
    RowCache *cache = calloc(1, sizeof(*cache));

    if (!cache)
        abort();
    for (int i = 0; i < N_PARTS; i++)
        pthread_mutex_init(&cache->parts[i].lock, NULL);
    return cache;
}

void row_cache_free(RowCache *cache)
{
    if (!cache)
        return;
    for (int i = 0; i < N_PARTS; i++) {
        for (Entry *entry = cache->parts[i].oldest, *newer; entry; entry = newer) {
            newer = entry->newer;
            free(entry);
        }
        pthread_mutex_destroy(&cache->parts[i].lock);
    }
    free(cache);
}

static uint64_t hash_of(size_t collection, const char *name)
{
    return text_hash(name, strlen(name)) + collection * 0x9E3779B97F4A7C15u;
}

static Part *part_of(RowCache *cache, uint64_t hash)
{
    return &cache->parts[hash % N_PARTS];
}

static Entry **place_of(Part *part, uint64_t hash, size_t collection, const char *name)
{
    Entry **place = &part->buckets[hash / N_PARTS % N_BUCKETS];

    while (*place && ((*place)->hash != hash || (*place)->collection != collection ||
                         !text_equal((*place)->bytes, name)))
        place = &(*place)->next;
    return place;
}

static void unlist(Part *part, Entry *entry)
{
    *(entry->older ? &entry->older->newer : &part->oldest) = entry->newer;
    *(entry->newer ? &entry->newer->older : &part->newest) = entry->older;
}

static void list_newest(Part *part, Entry *entry)
{
    entry->newer = NULL;
    entry->older = part->newest;
    *(part->newest ? &part->newest->newer : &part->oldest) = entry;
    part->newest = entry;
}

static void take_out(Part *part, Entry **place)
{
    Entry *entry = *place;

    *place = entry->next;
    unlist(part, entry);
    part->size -= entry->size;
    free(entry);
}

static Bytes copy_out(Arena *arena, Bytes bytes)
{
    return (Bytes){ bytes.size ? arena_copy(arena, bytes.data, bytes.size) : NULL, bytes.size };
}

bool row_cache_get(RowCache *cache, size_t collection, const char *name, bool wants_body,
    Arena *arena, CachedRow *row)
{
    uint64_t hash = hash_of(collection, name);
    Part *part = part_of(cache, hash);
    Entry *entry;

    pthread_mutex_lock(&part->lock);
    entry = *place_of(part, hash, collection, name);
    if (entry) {
        unlist(part, entry);
        list_newest(part, entry);
        *row = entry->row;
        row->keys = copy_out(arena, row->keys);
        row->marks = copy_out(arena, row->marks);
        row->body = wants_body ? copy_out(arena, row->body) : (Bytes){ 0 };
    }
    pthread_mutex_unlock(&part->lock);
    return entry;
}

void row_cache_drop(RowCache *cache, size_t collection, const char *name)
{
    uint64_t hash = hash_of(collection, name);
    Part *part = part_of(cache, hash);
    Entry **place;

    pthread_mutex_lock(&part->lock);
    place = place_of(part, hash, collection, name);
    if (*place)
        take_out(part, place);
    pthread_mutex_unlock(&part->lock);
}

static Bytes copy_in(char **at, Bytes bytes)
{
    Bytes copy = { (uint8_t *)*at, bytes.size };

    if (bytes.size)
        memcpy(*at, bytes.data, bytes.size);
    *at += bytes.size;
    return copy;
}

static Entry *new_entry(size_t collection, const char *name, const CachedRow *row)
{
    size_t name_size = strlen(name) + 1;
    size_t size = sizeof(Entry) + name_size + row->keys.size + row->marks.size + row->body.size;
    Entry *entry = malloc(size);
    char *at;

    if (!entry)
        abort();
    *entry = (Entry){
        .hash = hash_of(collection, name), .collection = collection, .size = size, .row = *row
    };
    memcpy(entry->bytes, name, name_size);
    at = entry->bytes + name_size;
    entry->row.keys = copy_in(&at, row->keys);
    entry->row.marks = copy_in(&at, row->marks);
    entry->row.body = copy_in(&at, row->body);
    return entry;
}

void row_cache_put(RowCache *cache, size_t collection, const char *name, const CachedRow *row)
{
    Entry *entry, **place;
    Part *part;

    if (row->keys.size + row->marks.size + row->body.size > ROW_CACHE_MAX_ROW)
        return;
    entry = new_entry(collection, name, row);
    part = part_of(cache, entry->hash);
    pthread_mutex_lock(&part->lock);
    place = place_of(part, entry->hash, collection, name);
    if (*place)
        take_out(part, place);
    while (part->oldest && part->size + entry->size > PART_BYTES) {
        Entry *oldest = part->oldest;

        take_out(part, place_of(part, oldest->hash, oldest->collection, oldest->bytes));
    }
    place = &part->buckets[entry->hash / N_PARTS % N_BUCKETS];
    entry->next = *place;
    *place = entry;
    list_newest(part, entry);
    part->size += entry->size;
    pthread_mutex_unlock(&part->lock);
}
