/* The one pricing function. Pure: the same lines, products, rules, context, currency and instant
 * give the same quote, to the byte, everywhere and for ever.
 *
 * Each line gets the price of the row that goes first, or its product's own. Promotions that fit are
 * chosen (pricing_deal.c) and take their parts one after the other of what is left of lines, cart
 * and shipping; then come taxes, in or on what is left. Neither the order of lines nor that of rules
 * or codes changes an amount; nothing goes below zero; parts add up to the whole. */
#ifndef THROUGHLINE_CATALOG_PRICING_H
#define THROUGHLINE_CATALOG_PRICING_H

#include "services/catalog/domain/promotion.h"
#include "services/catalog/domain/rules.h"

typedef Throughline__Catalog__V1__Quote Quote;
typedef Throughline__Catalog__V1__QuoteLine QuoteLine;
typedef Throughline__Catalog__V1__PricedLine PricedLine;
typedef Throughline__Catalog__V1__Adjustment Adjustment;
typedef Throughline__Catalog__V1__ExplainQuoteResponse QuoteExplanation;
typedef Throughline__Catalog__V1__QuoteChange QuoteChange;

enum {
    QUOTE_MAX_LINES = 500,
    QUOTE_MAX_CODES = 10,
    QUOTE_MAX_QUANTITY = 1000000,
    EXPLANATION_MAX_RULES = 10000,
};

/* A line and the product that has its SKU. */
typedef struct PricingItem {
    const QuoteLine *line;
    const Product *product;
} PricingItem;

/* Whether the coupon behind a code can be used, whatever its promotion says. */
typedef enum CouponDoor {
    COUPON_DOOR_OPEN,
    COUPON_DOOR_NOT_STARTED,
    COUPON_DOOR_ENDED,
    COUPON_DOOR_CUSTOMER_UNKNOWN,
    COUPON_DOOR_OTHER_CUSTOMER,
} CouponDoor;

/* A code as it was typed and its promotion, NULL when there is none. */
typedef struct PricingCode {
    const char *code;
    const Promotion *promotion;
    CouponDoor door;
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
    const char *promotion;        /* "promotions/…" */
    int64_t uses_left;            /* INT64_MAX: no limit */
    int64_t customer_uses_left;   /* INT64_MAX: no limit */
    int64_t budget_left;          /* minor units of the budget's currency; INT64_MAX: no limit */
    int64_t customer_budget_left; /* the same */
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
    bool hides_other_channels;       /* rules that are for other channels alone are not explained */
} PricingInput;

/* The door that a condition of a code's result names: what it was when the quote was given. */
CouponDoor coupon_door_of(const char *condition);

/* Fills currency, lines and totals of an initialised quote. Errors: FAILED_PRECONDITION
 * PRODUCT_RETIRED, PRICE_STOPPED, PRICE_MISSING, PROMOTION_NOT_APPLICABLE, AMOUNT_TOO_LARGE. */
const Error *pricing_quote(const PricingInput *input, Arena *arena, Quote *quote);

/* The same quote with every rule that was considered. Codes that do not apply are explained, not
 * refused; the other errors are those of pricing_quote. */
const Error *pricing_explain(
    const PricingInput *input, Arena *arena, QuoteExplanation *explanation);

/* What differs between two quotes of the same lines; `considered` says why promotions of the first
 * do not apply in the second. */
void pricing_compare(const Quote *before, const QuoteExplanation *after, Arena *arena,
    Throughline__Catalog__V1__RequoteResponse *changes);

#endif
