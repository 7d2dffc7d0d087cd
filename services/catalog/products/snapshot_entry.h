/* Inside the snapshot: how one product at one version is kept, in one block of memory. */
#ifndef THROUGHLINE_CATALOG_SNAPSHOT_ENTRY_H
#define THROUGHLINE_CATALOG_SNAPSHOT_ENTRY_H

#include "services/catalog/products/snapshot.h"

/* One SKU or GTIN of an entry. Two products may have the same code for a moment, while it moves
 * from one to the other. */
typedef struct SnapshotCode {
    struct SnapshotCode *next;
    uint64_t hash;
    SnapshotEntry *entry;
    SnapshotKey key;
    const char *code;
    const char *sku;
} SnapshotCode;

uint64_t snapshot_hash(const char *text);

/* With one reference; its codes are in no table yet. */
SnapshotEntry *snapshot_entry_new(const Product *product);

/* The version of a product as it is stored. */
int64_t snapshot_version_of(const Product *product);

#endif
