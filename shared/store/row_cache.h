/* The documents that were changed last, in memory, as the last commit has them: a get, and the check before a write, need no look into
 * the file. Bounded; the writer fills it, any thread reads it. */
#ifndef THROUGHLINE_STORE_ROW_CACHE_H
#define THROUGHLINE_STORE_ROW_CACHE_H

#include "shared/base/arena.h"
#include "shared/base/text.h"

enum {
    ROW_CACHE_BYTES = 4 * 1024 * 1024, /* at most */
    ROW_CACHE_MAX_ROW = 64 * 1024,     /* larger rows are not kept */
};

typedef struct CachedRow {
    int64_t id, version, events;
    Bytes keys, marks, body;
} CachedRow;

typedef struct RowCache RowCache;

RowCache *row_cache_new(void);
void row_cache_free(RowCache *cache);

/* What is found is copied into the arena; the body only if it is wanted. */
bool row_cache_get(RowCache *cache, size_t collection, const char *name, bool wants_body,
    Arena *arena, CachedRow *row);

/* The writer drops a document before it changes it and puts it when that is committed: what stands here is never ahead of the file,
 * and never behind what was acknowledged. */
void row_cache_drop(RowCache *cache, size_t collection, const char *name);
void row_cache_put(RowCache *cache, size_t collection, const char *name, const CachedRow *row);

#endif
