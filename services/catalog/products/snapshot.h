/* The catalogue in memory: every product as it is stored, in wire form, found by name, SKU or GTIN,
 * or walked in the order of names. Readers on transport threads take a read lock for a few hundred
 * nanoseconds; what takes longer (a walk) holds references, not the lock. Any thread. */
#ifndef THROUGHLINE_CATALOG_SNAPSHOT_H
#define THROUGHLINE_CATALOG_SNAPSHOT_H

#include "services/catalog/domain/product.h"

#include <stdatomic.h>

typedef struct Snapshot Snapshot;

/* One product at one version; never changes. */
typedef struct SnapshotEntry {
    atomic_int references;
    int64_t version;
    const char *name;
    ProductPaths paths;
    ProductPaths categories; /* their names */
    bool is_draft;
    Bytes packed;
    struct SnapshotCode *codes; /* SKUs and GTINs */
    size_t n_codes;
} SnapshotEntry;

typedef enum SnapshotKey { SNAPSHOT_SKU, SNAPSHOT_GTIN, SNAPSHOT_KEYS } SnapshotKey;

Snapshot *snapshot_new(void);
void snapshot_free(Snapshot *snapshot);

/* Whether the product is there in this version or a later one. */
bool snapshot_has(Snapshot *snapshot, const char *name, int64_t version);

/* Takes a product as it is stored. One that is older than what is there is passed over: events and
 * imports overtake one another. */
void snapshot_put(Snapshot *snapshot, const Product *product);

/* The same for a product that looks different at the version that is there: another version is passed over. */
void snapshot_refresh(Snapshot *snapshot, const Product *product);

/* The product in wire form, copied into the arena. False when there is none, or only a draft. */
bool snapshot_get(Snapshot *snapshot, const char *name, Arena *arena, Bytes *packed);

/* The same by code; *sku is the SKU of the variant that has it. */
bool snapshot_find(Snapshot *snapshot, SnapshotKey key, const char *code, Arena *arena,
    Bytes *packed, const char **sku);

/* The product by name, draft or not; its memory is the arena's. NULL when there is none. */
Product *snapshot_product(Snapshot *snapshot, const char *name, Arena *arena);

/* The name of the product that has the code, NULL when none has. */
const char *snapshot_owner(Snapshot *snapshot, SnapshotKey key, const char *code, Arena *arena);

/* Up to `limit` products behind the name `after` ("" for the start), in the order of names, as of
 * now. Each is held until snapshot_release. */
size_t snapshot_walk(Snapshot *snapshot, const char *after, SnapshotEntry **entries, size_t limit);
void snapshot_hold(SnapshotEntry *entry);
void snapshot_release(SnapshotEntry *entry);

int64_t snapshot_count(Snapshot *snapshot);

/* Makes an initialised message stand for a product's wire form: it packs to the same bytes without
 * having been unpacked. Its fields can't be read. */
void snapshot_reply(Arena *arena, Bytes packed, Product *reply);

#endif
