/* The one pricing function. Pure: the same lines, products, promotions, currency and instant give
 * the same quote everywhere.
 *
 * Each line stands for itself: unit price × quantity, then each promotion that matches the line
 * takes its share of what is left, rounded to the minor unit half away from zero. Promotions go by
 * size, the largest first, equal ones by name; so neither the order of lines nor that of codes
 * changes an amount. Nothing goes below zero, and the parts add up to the whole. */
#ifndef THROUGHLINE_CATALOG_PRICING_H
#define THROUGHLINE_CATALOG_PRICING_H

#include "services/catalog/domain/promotion.h"
#include "services/catalog/domain/rules.h"

typedef Throughline__Catalog__V1__Quote Quote;
typedef Throughline__Catalog__V1__QuoteLine QuoteLine;
typedef Throughline__Catalog__V1__PricedLine PricedLine;
typedef Throughline__Catalog__V1__Adjustment Adjustment;

enum { QUOTE_MAX_LINES = 500, QUOTE_MAX_CODES = 10, QUOTE_MAX_QUANTITY = 1000000 };

/* A line and the product that has its SKU. */
typedef struct PricingItem {
    const QuoteLine *line;
    const Product *product;
} PricingItem;

/* A code as it was typed and its promotion, NULL when there is none. */
typedef struct PricingCode {
    const char *code;
    const Promotion *promotion;
} PricingCode;

/* For whom and where: texts are "" when not known, never NULL in a request of ours; NULL counts as
 * "". */
typedef struct PricingContext {
    const char *country; /* ISO 3166-1 */
    const char *region;
    const char *location;
    const char *channel;
    const char *customer; /* "customers/…" */
    const char *const *segments;
    size_t n_segments;
    bool is_first_order;
    int32_t utc_offset_minutes; /* of the customer's local time */
} PricingContext;

/* How much of a limited promotion is left. One that has limits and no usage here is taken as
 * unused. */
typedef struct PricingUsage {
    const char *promotion;      /* "promotions/…" */
    int64_t uses_left;          /* INT64_MAX: no limit */
    int64_t customer_uses_left; /* INT64_MAX: no limit */
    int64_t budget_left;        /* minor units of the budget's currency; INT64_MAX: no limit */
} PricingUsage;

/* A price that somebody has set by hand for a SKU of this quote; promotions do not touch it. */
typedef struct PricingOverride {
    const char *sku;
    int64_t unit_minor;
    const char *reason;
    const char *actor;
} PricingOverride;

/* What shipping costs before promotions. */
typedef struct PricingShipping {
    const char *method;
    int64_t minor;
    bool is_net;
} PricingShipping;

typedef struct PricingInput {
    const char *currency; /* a known one */
    int64_t now;          /* microseconds since 1970 */
    const PricingItem *items;
    size_t n_items; /* at most QUOTE_MAX_LINES, each SKU once */
    const PricingCode *codes;
    size_t n_codes;     /* at most QUOTE_MAX_CODES, each once */
    const Rules *rules; /* NULL: none */
    PricingContext context;
    const PricingUsage *usages;
    size_t n_usages;
    const PricingOverride *overrides;
    size_t n_overrides;
    const PricingShipping *shipping; /* NULL: none */
    bool allows_unused_codes;        /* codes that do not apply are said, not refused */
} PricingInput;

/* Fills currency, lines and totals of an initialised quote. Errors: FAILED_PRECONDITION
 * PRODUCT_RETIRED, PRICE_MISSING, PROMOTION_NOT_APPLICABLE, AMOUNT_TOO_LARGE. */
const Error *pricing_quote(const PricingInput *input, Arena *arena, Quote *quote);

#endif
