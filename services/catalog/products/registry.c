#include "services/catalog/products/registry.h"

#include "shared/codec/message.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BUCKETS = 256 };

typedef struct Item {
    struct Item *next;
    uint64_t hash;
    int64_t version;
    const ProtobufCMessageDescriptor *type; /* NULL: deleted */
    size_t size;
    uint8_t *packed;
    char name[];
} Item;

struct Registry {
    pthread_rwlock_t lock;
    size_t n_items;
    size_t n_buckets; /* a power of two */
    int64_t generation;
    Item **buckets;
};

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (!memory)
        abort();
    return memory;
}

Registry *registry_new(void)
{
    Registry *registry = allocate(1, sizeof(*registry));

    pthread_rwlock_init(&registry->lock, NULL);
    registry->n_buckets = FIRST_BUCKETS;
    registry->buckets = allocate(FIRST_BUCKETS, sizeof(*registry->buckets));
    return registry;
}

void registry_free(Registry *registry)
{
    if (!registry)
        return;
    for (size_t i = 0; i < registry->n_buckets; i++)
        for (Item *item = registry->buckets[i]; item;) {
            Item *next = item->next;

            free(item->packed);
            free(item);
            item = next;
        }
    free(registry->buckets);
    pthread_rwlock_destroy(&registry->lock);
    free(registry);
}

static Item *find(const Registry *registry, const char *name, uint64_t hash)
{
    Item *item = registry->buckets[hash & (registry->n_buckets - 1)];

    while (item && (item->hash != hash || strcmp(item->name, name) != 0))
        item = item->next;
    return item;
}

static void link_item(Registry *registry, Item *item)
{
    Item **bucket = &registry->buckets[item->hash & (registry->n_buckets - 1)];

    item->next = *bucket;
    *bucket = item;
}

static void grow(Registry *registry)
{
    Item **old = registry->buckets;
    size_t n_old = registry->n_buckets;

    registry->n_buckets = 2 * n_old;
    registry->buckets = allocate(registry->n_buckets, sizeof(*registry->buckets));
    for (size_t i = 0; i < n_old; i++)
        for (Item *item = old[i]; item;) {
            Item *next = item->next;

            link_item(registry, item);
            item = next;
        }
    free(old);
}

static Item *add(Registry *registry, const char *name, uint64_t hash)
{
    size_t size = strlen(name) + 1;
    Item *item = allocate(1, sizeof(*item) + size);

    memcpy(item->name, name, size);
    item->hash = hash;
    if (registry->n_items++ == registry->n_buckets)
        grow(registry);
    link_item(registry, item);
    return item;
}

void registry_put(Registry *registry, const void *message)
{
    const char *name = *(char *const *)message_field(message, "name");
    const char *etag = *(char *const *)message_field(message, "etag");
    uint64_t hash = text_hash(name, strlen(name));
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *packed = allocate(1, size ? size : 1);
    bool is_gone = *(void *const *)message_field(message, "delete_time") != NULL;
    int64_t version = 0;
    bool is_number = text_to_int64(etag, &version);
    Item *item;

    assert(is_number && "a stored record has a version");
    protobuf_c_message_pack(message, packed);
    pthread_rwlock_wrlock(&registry->lock);
    item = find(registry, name, hash);
    if (!item)
        item = add(registry, name, hash);
    if (item->version < version) {
        free(item->packed);
        item->packed = packed;
        item->size = size;
        item->version = version;
        registry->generation++;
        item->type = is_gone ? NULL : ((const ProtobufCMessage *)message)->descriptor;
        packed = NULL;
    }
    pthread_rwlock_unlock(&registry->lock);
    free(packed);
}

void *registry_get(Registry *registry, const char *name, Arena *arena)
{
    const ProtobufCMessageDescriptor *type = NULL;
    Bytes packed = { 0 };
    const Item *item;

    pthread_rwlock_rdlock(&registry->lock);
    item = find(registry, name, text_hash(name, strlen(name)));
    if (item && item->type) {
        type = item->type;
        packed = (Bytes){ arena_copy(arena, item->packed, item->size), item->size };
    }
    pthread_rwlock_unlock(&registry->lock);
    return type ? message_unpack(arena, type, packed) : NULL;
}

int64_t registry_generation(Registry *registry)
{
    int64_t generation;

    pthread_rwlock_rdlock(&registry->lock);
    generation = registry->generation;
    pthread_rwlock_unlock(&registry->lock);
    return generation;
}

void **registry_list(Registry *registry, const char *prefix, Arena *arena, size_t *n_records)
{
    void **records;

    *n_records = 0;
    pthread_rwlock_rdlock(&registry->lock);
    records = arena_array(arena, registry->n_items, sizeof(*records));
    for (size_t i = 0; i < registry->n_buckets; i++)
        for (const Item *item = registry->buckets[i]; item; item = item->next)
            if (item->type && text_starts_with(item->name, prefix))
                records[(*n_records)++] =
                    message_unpack(arena, item->type, (Bytes){ item->packed, item->size });
    pthread_rwlock_unlock(&registry->lock);
    return records;
}
