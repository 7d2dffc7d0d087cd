#include "services/catalog/products/snapshot_entry.h"

#include "shared/codec/message.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BUCKETS = 1024 };

/* A name, for as long as the snapshot lives, and what it stands for now. */
typedef struct Item {
    struct Item *next;
    uint64_t hash;
    SnapshotEntry *entry;
    char name[];
} Item;

typedef struct CodeTable {
    size_t n_buckets; /* a power of two */
    size_t n_codes;
    SnapshotCode **buckets;
} CodeTable;

struct Snapshot {
    pthread_rwlock_t lock;
    size_t n_buckets; /* a power of two */
    Item **buckets;
    CodeTable codes[SNAPSHOT_KEYS];
    size_t n_items;
    size_t n_sorted; /* the first ones of items are in the order of names */
    size_t capacity;
    Item **items;
};

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (!memory)
        abort();
    return memory;
}

Snapshot *snapshot_new(void)
{
    Snapshot *snapshot = allocate(1, sizeof(*snapshot));
    pthread_rwlockattr_t attributes;

    /* A steady stream of readers must not keep an import waiting. */
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&snapshot->lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
    snapshot->n_buckets = FIRST_BUCKETS;
    snapshot->buckets = allocate(FIRST_BUCKETS, sizeof(*snapshot->buckets));
    for (int key = 0; key < SNAPSHOT_KEYS; key++) {
        snapshot->codes[key].n_buckets = FIRST_BUCKETS;
        snapshot->codes[key].buckets = allocate(FIRST_BUCKETS, sizeof(SnapshotCode *));
    }
    return snapshot;
}

void snapshot_free(Snapshot *snapshot)
{
    if (!snapshot)
        return;
    for (size_t i = 0; i < snapshot->n_items; i++) {
        snapshot_release(snapshot->items[i]->entry);
        free(snapshot->items[i]);
    }
    for (int key = 0; key < SNAPSHOT_KEYS; key++)
        free(snapshot->codes[key].buckets);
    free(snapshot->items);
    free(snapshot->buckets);
    pthread_rwlock_destroy(&snapshot->lock);
    free(snapshot);
}

static Item *find_item(const Snapshot *snapshot, const char *name)
{
    uint64_t hash = snapshot_hash(name);
    Item *item = snapshot->buckets[hash & (snapshot->n_buckets - 1)];

    while (item && (item->hash != hash || strcmp(item->name, name) != 0))
        item = item->next;
    return item;
}

static void grow_items(Snapshot *snapshot)
{
    size_t n_buckets = 2 * snapshot->n_buckets;

    free(snapshot->buckets);
    snapshot->buckets = allocate(n_buckets, sizeof(*snapshot->buckets));
    snapshot->n_buckets = n_buckets;
    for (size_t i = 0; i < snapshot->n_items; i++) {
        Item **bucket = &snapshot->buckets[snapshot->items[i]->hash & (n_buckets - 1)];

        snapshot->items[i]->next = *bucket;
        *bucket = snapshot->items[i];
    }
}

static Item *add_item(Snapshot *snapshot, const char *name)
{
    size_t size = strlen(name) + 1;
    Item *item = allocate(1, sizeof(*item) + size);
    Item **bucket;

    memcpy(item->name, name, size);
    item->hash = snapshot_hash(name);
    if (snapshot->n_items == snapshot->n_buckets)
        grow_items(snapshot);
    bucket = &snapshot->buckets[item->hash & (snapshot->n_buckets - 1)];
    item->next = *bucket;
    *bucket = item;
    if (snapshot->n_items == snapshot->capacity) {
        snapshot->capacity = snapshot->capacity ? 2 * snapshot->capacity : FIRST_BUCKETS;
        snapshot->items =
            reallocarray(snapshot->items, snapshot->capacity, sizeof(*snapshot->items));
        if (!snapshot->items)
            abort();
    }
    /* Imports often come in order: then nothing is left to sort. */
    if (snapshot->n_sorted == snapshot->n_items &&
        (snapshot->n_items == 0 || strcmp(snapshot->items[snapshot->n_items - 1]->name, name) < 0))
        snapshot->n_sorted++;
    snapshot->items[snapshot->n_items++] = item;
    return item;
}

static void grow_codes(CodeTable *table)
{
    size_t n_buckets = 2 * table->n_buckets;
    SnapshotCode **buckets = allocate(n_buckets, sizeof(*buckets));

    for (size_t i = 0; i < table->n_buckets; i++)
        for (SnapshotCode *code = table->buckets[i]; code;) {
            SnapshotCode *next = code->next;
            SnapshotCode **bucket = &buckets[code->hash & (n_buckets - 1)];

            code->next = *bucket;
            *bucket = code;
            code = next;
        }
    free(table->buckets);
    table->buckets = buckets;
    table->n_buckets = n_buckets;
}

static void link_codes(Snapshot *snapshot, SnapshotEntry *entry)
{
    for (size_t i = 0; i < entry->n_codes; i++) {
        SnapshotCode *code = &entry->codes[i];
        CodeTable *table = &snapshot->codes[code->key];
        SnapshotCode **bucket;

        if (table->n_codes++ == table->n_buckets)
            grow_codes(table);
        bucket = &table->buckets[code->hash & (table->n_buckets - 1)];
        code->next = *bucket;
        *bucket = code;
    }
}

static void unlink_codes(Snapshot *snapshot, const SnapshotEntry *entry)
{
    for (size_t i = 0; i < entry->n_codes; i++) {
        const SnapshotCode *code = &entry->codes[i];
        CodeTable *table = &snapshot->codes[code->key];
        SnapshotCode **at = &table->buckets[code->hash & (table->n_buckets - 1)];

        while (*at != code)
            at = &(*at)->next;
        *at = code->next;
        table->n_codes--;
    }
}

bool snapshot_has(Snapshot *snapshot, const char *name, int64_t version)
{
    const Item *item;
    bool has;

    pthread_rwlock_rdlock(&snapshot->lock);
    item = find_item(snapshot, name);
    has = item && item->entry->version >= version;
    pthread_rwlock_unlock(&snapshot->lock);
    return has;
}

void snapshot_put(Snapshot *snapshot, const Product *product)
{
    SnapshotEntry *entry, *gone;
    Item *item;

    if (snapshot_has(snapshot, product->name, snapshot_version_of(product)))
        return;
    entry = gone = snapshot_entry_new(product);
    pthread_rwlock_wrlock(&snapshot->lock);
    item = find_item(snapshot, product->name);
    if (!item)
        item = add_item(snapshot, product->name);
    if (!item->entry || item->entry->version < entry->version) {
        gone = item->entry;
        if (gone)
            unlink_codes(snapshot, gone);
        link_codes(snapshot, entry);
        item->entry = entry;
    }
    pthread_rwlock_unlock(&snapshot->lock);
    if (gone)
        snapshot_release(gone);
}

void snapshot_refresh(Snapshot *snapshot, const Product *product)
{
    SnapshotEntry *entry = snapshot_entry_new(product);
    SnapshotEntry *gone = entry;
    Item *item;

    pthread_rwlock_wrlock(&snapshot->lock);
    item = find_item(snapshot, product->name);
    if (item && item->entry->version == entry->version) {
        gone = item->entry;
        unlink_codes(snapshot, gone);
        link_codes(snapshot, entry);
        item->entry = entry;
    }
    pthread_rwlock_unlock(&snapshot->lock);
    snapshot_release(gone);
}

static Bytes copy_packed(Arena *arena, const SnapshotEntry *entry)
{
    return (Bytes){ arena_copy(arena, entry->packed.data, entry->packed.size), entry->packed.size };
}

bool snapshot_get(Snapshot *snapshot, const char *name, Arena *arena, Bytes *packed)
{
    const Item *item;
    bool is_shown;

    pthread_rwlock_rdlock(&snapshot->lock);
    item = find_item(snapshot, name);
    is_shown = item && !item->entry->is_draft;
    if (is_shown)
        *packed = copy_packed(arena, item->entry);
    pthread_rwlock_unlock(&snapshot->lock);
    return is_shown;
}

Product *snapshot_product(Snapshot *snapshot, const char *name, Arena *arena)
{
    const Item *item;
    Bytes packed = { 0 };

    pthread_rwlock_rdlock(&snapshot->lock);
    item = find_item(snapshot, name);
    if (item)
        packed = copy_packed(arena, item->entry);
    pthread_rwlock_unlock(&snapshot->lock);
    return item ? message_unpack(arena, &throughline__catalog__v1__product__descriptor, packed)
                : NULL;
}

static const SnapshotCode *find_code(const Snapshot *snapshot, SnapshotKey key, const char *code)
{
    const CodeTable *table = &snapshot->codes[key];
    uint64_t hash = snapshot_hash(code);
    const SnapshotCode *found = table->buckets[hash & (table->n_buckets - 1)];

    while (found && (found->hash != hash || strcmp(found->code, code) != 0))
        found = found->next;
    return found;
}

bool snapshot_find(Snapshot *snapshot, SnapshotKey key, const char *code, Arena *arena,
    Bytes *packed, const char **sku)
{
    const SnapshotCode *found;

    pthread_rwlock_rdlock(&snapshot->lock);
    found = find_code(snapshot, key, code);
    if (found && found->entry->is_draft)
        found = NULL;
    if (found) {
        *packed = copy_packed(arena, found->entry);
        *sku = arena_text(arena, found->sku);
    }
    pthread_rwlock_unlock(&snapshot->lock);
    return found != NULL;
}

const char *snapshot_owner(Snapshot *snapshot, SnapshotKey key, const char *code, Arena *arena)
{
    const SnapshotCode *found;
    const char *name;

    pthread_rwlock_rdlock(&snapshot->lock);
    found = find_code(snapshot, key, code);
    name = found ? arena_text(arena, found->entry->name) : NULL;
    pthread_rwlock_unlock(&snapshot->lock);
    return name;
}

static int by_name(const void *a, const void *b)
{
    const Item *const *left = a;
    const Item *const *right = b;

    return strcmp((*left)->name, (*right)->name);
}

/* Brings what was added since the last walk into order: sorts it and merges it in. */
static void sort_items(Snapshot *snapshot)
{
    size_t n_tail = snapshot->n_items - snapshot->n_sorted;
    Item **items = snapshot->items;
    Item **tail;
    size_t at = snapshot->n_items;
    size_t left = snapshot->n_sorted;

    if (n_tail == 0)
        return;
    tail = allocate(n_tail, sizeof(*tail));
    memcpy(tail, items + snapshot->n_sorted, n_tail * sizeof(*tail));
    qsort(tail, n_tail, sizeof(*tail), by_name);
    while (n_tail > 0)
        if (left > 0 && strcmp(items[left - 1]->name, tail[n_tail - 1]->name) > 0)
            items[--at] = items[--left];
        else
            items[--at] = tail[--n_tail];
    snapshot->n_sorted = snapshot->n_items;
    free(tail);
}

/* Where the first name behind `after` stands. */
static size_t find_after(const Snapshot *snapshot, const char *after)
{
    size_t low = 0;
    size_t high = snapshot->n_sorted;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(snapshot->items[middle]->name, after) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t snapshot_walk(Snapshot *snapshot, const char *after, SnapshotEntry **entries, size_t limit)
{
    size_t n_entries = 0;

    pthread_rwlock_rdlock(&snapshot->lock);
    if (snapshot->n_sorted < snapshot->n_items) {
        pthread_rwlock_unlock(&snapshot->lock);
        pthread_rwlock_wrlock(&snapshot->lock);
        sort_items(snapshot);
    }
    for (size_t i = find_after(snapshot, after); i < snapshot->n_sorted && n_entries < limit; i++) {
        entries[n_entries] = snapshot->items[i]->entry;
        snapshot_hold(entries[n_entries++]);
    }
    pthread_rwlock_unlock(&snapshot->lock);
    return n_entries;
}

int64_t snapshot_count(Snapshot *snapshot)
{
    int64_t count;

    pthread_rwlock_rdlock(&snapshot->lock);
    count = (int64_t)snapshot->n_items;
    pthread_rwlock_unlock(&snapshot->lock);
    return count;
}

/* protobuf-c packs an unknown field as its tag and its bytes as they are. The first field of a
 * product is its name: its tag and all that follows are one such field. */
void snapshot_reply(Arena *arena, Bytes packed, Product *reply)
{
    ProtobufCMessageUnknownField *field = arena_alloc(arena, sizeof(*field));

    assert(packed.size > 1 && packed.data[0] == (1 << 3 | PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED));
    field->tag = 1;
    field->wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    field->len = packed.size - 1;
    field->data = (uint8_t *)packed.data + 1;
    reply->base.n_unknown_fields = 1;
    reply->base.unknown_fields = field;
}
