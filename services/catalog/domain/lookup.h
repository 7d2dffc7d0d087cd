/* An immutable table from a text of a kind to numbers: which rules name this SKU, this category …
 * Built once, read by any thread. */
#ifndef THROUGHLINE_CATALOG_LOOKUP_H
#define THROUGHLINE_CATALOG_LOOKUP_H

#include "shared/base/arena.h"

#include <stdint.h>

typedef struct Lookup Lookup;

/* One number under a text of a kind, 0 to 63. The text must live as long as the table. */
typedef struct LookupEntry {
    int kind;
    const char *text;
    uint32_t value;
} LookupEntry;

/* Numbers of one text, in the order in which they were given. */
typedef struct LookupValues {
    const uint32_t *values;
    size_t n_values;
} LookupValues;

const Lookup *lookup_build(Arena *arena, const LookupEntry *entries, size_t n_entries);

/* The numbers under the first `length` bytes of a text; none where it is not there. */
LookupValues lookup_find(const Lookup *lookup, int kind, const char *text, size_t length);

#endif
