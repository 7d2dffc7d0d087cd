/* Promotions: what a good one is, when it applies, how it ends. */
#ifndef THROUGHLINE_CATALOG_PROMOTION_H
#define THROUGHLINE_CATALOG_PROMOTION_H

#include "services/catalog/domain/product.h"

#include "throughline/catalog/v1/events.pb-c.h"
#include "throughline/catalog/v1/pricing.pb-c.h"

typedef Throughline__Catalog__V1__Promotion Promotion;

enum {
    PROMOTION_MAX_TITLE = 120,
    PROMOTION_MIN_CODE = 3,
    PROMOTION_MAX_CODE = 32,
    PROMOTION_WHOLE = 10000, /* basis points in everything */
};

/* Names every bad field of a promotion that is to be made. */
void promotion_check(const Promotion *promotion, Findings *findings);

/* 3 to 32 of [A-Z0-9-]. */
bool promotion_code_is_valid(const char *code);

/* NULL when it applies at this moment (microseconds since 1970), else why not, as a part of a
 * sentence. */
const char *promotion_refusal(const Promotion *promotion, int64_t now, Arena *arena);

/* Whether it takes something off a product's lines. */
bool promotion_matches(const Promotion *promotion, const Product *product);

/* Whether there is an end to how often, or for how much, it applies. */
bool promotion_is_limited(const Promotion *promotion);

/* Ends it now. False when it had ended before: nothing is changed then. */
bool promotion_end(Promotion *promotion, int64_t now, Arena *arena);

#endif
