/* Prices set by hand: how far whom may go. */
#ifndef THROUGHLINE_CATALOG_OVERRIDE_H
#define THROUGHLINE_CATALOG_OVERRIDE_H

#include "services/catalog/domain/rule.h"

typedef Throughline__Catalog__V1__OverrideLimit OverrideLimit;

enum { OVERRIDE_MAX_CHANNELS = 100 };

/* Names every bad field of a limit, each behind `path`. */
void override_limit_check(const OverrideLimit *limit, const char *path, Findings *findings);

/* A price that somebody wants to set. */
typedef struct OverrideWish {
    const char *sku;
    const char *channel; /* of the account */
    const char *currency;
    int64_t rule_minor; /* what one piece costs by the rules */
    int64_t unit_minor; /* what it is to cost */
} OverrideWish;

/* Whether the limit (NULL: there is none) lets it. Errors: PERMISSION_DENIED OVERRIDE_NOT_ALLOWED, with the fact "sku" and, where
 * there is one, "lowest": what the piece may cost. */
const Error *override_check(const OverrideLimit *limit, const OverrideWish *wish, Arena *arena);

#endif
