/* Index entries of a message and ranges of them for a query: texts whose order of bytes is the order of the values, the same in
 * both engines. A number is 16 hex digits with the sign turned, a time 16 and 8, a text itself and 0x01. */
#ifndef THROUGHLINE_STORE_KEYS_H
#define THROUGHLINE_STORE_KEYS_H

#include "shared/store/store.h"

enum {
    KEYS_BY_NAME = -1,
    KEYS_MAX_BYTES = 2048,   /* of one entry */
    KEYS_MAX_ENTRIES = 4096, /* of one document in all its indexes */
};

typedef struct IndexEntry {
    int index; /* in collection->indexes */
    Bytes key;
} IndexEntry;

/* from <= key < below; no bytes: open. */
typedef struct KeyRange {
    Bytes from, below;
} KeyRange;

/* The entries of a message, sorted by index and key, each once. Errors: INVALID_ARGUMENT INDEX_KEY_TOO_LONG,
 * INDEX_TOO_MANY_ENTRIES. */
const Error *keys_of_message(Arena *arena, const Collection *collection, const void *message,
    IndexEntry **entries, size_t *n_entries);

/* Where the answers to a query lie; exact: the query gives every field of the index. Errors: INVALID_ARGUMENT QUERY_UNINDEXED, QUERY_INVALID. */
const Error *keys_of_query(Arena *arena, const Collection *collection, const StoreQuery *query,
    int *index, KeyRange *range, bool *is_exact);

/* Whether a document can have several entries in the index. */
bool keys_is_repeated(const Collection *collection, int index);

/* Whether a field has a part in any index. */
bool keys_uses_field(const Collection *collection, const char *field);

/* What an index is made of; entries made under another signature are not comparable. */
const char *keys_signature(Arena *arena, const Collection *collection, int index);

size_t keys_count_indexes(const Collection *collection);

bool keys_in_range(Bytes key, const KeyRange *range);

/* Whether `key` is the first of a document's sorted entries that a walk through the range meets: where the document is told. */
bool keys_meet_first(const IndexEntry *entries, size_t n_entries, int index, const KeyRange *range,
    bool is_descending, Bytes key);

/* -1, 0, 1 like memcmp, the shorter one first. */
int keys_compare(Bytes a, Bytes b);

/* Entries as one run of bytes and back; false when the bytes are no such run. */
Bytes keys_pack(Arena *arena, const IndexEntry *entries, size_t n_entries);
bool keys_unpack(Arena *arena, Bytes packed, IndexEntry **entries, size_t *n_entries);

#endif
