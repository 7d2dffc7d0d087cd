/* Products as they are published: as they were imported, with what the release in force says of their prices and states. Any
 * thread; nothing here blocks. */
#ifndef THROUGHLINE_CATALOG_PUBLISHED_H
#define THROUGHLINE_CATALOG_PUBLISHED_H

#include "services/catalog/catalog.h"

/* In wire form, in the arena. False when there is none, or only a draft. */
bool published_get(Catalog *catalog, const char *name, Arena *arena, Bytes *packed);

/* The same by code; *sku is the SKU of the variant that has it. */
bool published_find(Catalog *catalog, SnapshotKey key, const char *code, Arena *arena,
    Bytes *packed, const char **sku);

/* Draft or not; NULL when there is none. */
const Product *published_product(Catalog *catalog, const char *name, Arena *arena);

/* What a walk has met, in the arena; false when it is a draft. */
bool published_entry(Catalog *catalog, const SnapshotEntry *entry, Arena *arena, Bytes *packed);

/* What these rules price: the product as it was imported, unless it is a draft that they do not sell. NULL when there is none. */
const Product *published_source(
    Catalog *catalog, const Rules *rules, const char *sku, Arena *arena);

/* The job's: lets what releases have changed since the last time be found. */
void published_follow(Catalog *catalog);

#endif
