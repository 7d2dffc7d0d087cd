/* Answers of FindVariant, kept for a second: a sale that everybody wants is asked for once, not
 * once a buyer. Bounded: a code has one place, the newer answer takes it. */
#ifndef THROUGHLINE_CART_VARIANT_CACHE_H
#define THROUGHLINE_CART_VARIANT_CACHE_H

#include "shared/base/arena.h"
#include "shared/base/text.h"

/* Any thread. */
typedef struct VariantCache VariantCache;

VariantCache *variant_cache_new(void);
void variant_cache_free(VariantCache *cache);

/* `now` is clock_monotonic(). The bytes are copied into the arena. */
bool variant_cache_get(
    VariantCache *cache, const char *key, int64_t now, Arena *arena, Bytes *bytes);

/* Answers that are too large are not kept. */
void variant_cache_put(VariantCache *cache, const char *key, int64_t now, Bytes bytes);

#endif
