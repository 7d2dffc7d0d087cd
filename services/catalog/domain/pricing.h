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

typedef struct PricingInput {
    const char *currency; /* a known one */
    int64_t now;          /* microseconds since 1970 */
    const PricingItem *items;
    size_t n_items; /* at most QUOTE_MAX_LINES */
    const PricingCode *codes;
    size_t n_codes; /* at most QUOTE_MAX_CODES, each once */
} PricingInput;

/* Fills currency, lines and totals of an initialised quote. Errors: FAILED_PRECONDITION
 * PRODUCT_RETIRED, PRICE_MISSING, PROMOTION_NOT_APPLICABLE, AMOUNT_TOO_LARGE. */
const Error *pricing_quote(const PricingInput *input, Arena *arena, Quote *quote);

#endif
