/* The parts of the pricing function; for its own files only. Lines are worked on in the order of
 * their SKUs, so that no tie is ever broken by the order of the request. */
#ifndef THROUGHLINE_CATALOG_PRICING_ENGINE_H
#define THROUGHLINE_CATALOG_PRICING_ENGINE_H

#include "services/catalog/domain/pricing.h"
#include "services/catalog/domain/rounding.h"
#include "services/catalog/domain/rules_index.h"

enum { MAX_RATES = 8, MAX_COMPOUND_RATES = 2 };

/* How one tax category is taxed in this sale. */
typedef struct TaxPlan {
    const char *category;
    const TaxExemption *exemption; /* NULL: it is taxed */
    size_t n_rates;
    const TaxRate *rates[MAX_RATES];
    Wide weights[MAX_RATES]; /* of the net amount, in units of `unit` */
    Wide unit;               /* the net amount itself; 0: there are no taxes */
    Wide tax;                /* sum of the weights */
} TaxPlan;

typedef struct Line {
    const PricingItem *item;
    const Variant *variant;
    size_t position; /* in the request */
    int64_t unit;
    int64_t rule_unit; /* what it would be without an override */
    int64_t list;
    int64_t before; /* -1: no price before */
    const char *price_row;
    const ProductOffer *offer; /* NULL: the product is as it was imported */
    bool is_net;
    bool is_closed; /* no promotion touches it */
    const PricingOverride *override;
    TaxPlan *tax; /* NULL: its category is not taxed */
} Line;

/* Why a promotion does not apply. */
typedef enum Refusal {
    REFUSED_NOT,
    REFUSED_UNKNOWN,
    REFUSED_START,
    REFUSED_END,
    REFUSED_STOPPED,
    REFUSED_HOURS,
    REFUSED_COUNTRY,
    REFUSED_CHANNEL,
    REFUSED_SEGMENT,
    REFUSED_LOCATION,
    REFUSED_CUSTOMER,
    REFUSED_FIRST_ORDER,
    REFUSED_CODE,
    REFUSED_COUPON,
    REFUSED_LINES,
    REFUSED_REQUIRED,
    REFUSED_SPEND,
    REFUSED_QUANTITY,
    REFUSED_CURRENCY,
    REFUSED_SHIPPING,
    REFUSED_ANONYMOUS,
    REFUSED_TOTAL_LIMIT,
    REFUSED_CUSTOMER_LIMIT,
    REFUSED_BUDGET,
    REFUSED_BUDGET_ANONYMOUS,
    REFUSED_CUSTOMER_BUDGET,
    REFUSED_GROUP,
    REFUSED_EXCLUSIVE,
    REFUSED_BETTER_DEAL,
    REFUSED_COUPON_START,
    REFUSED_COUPON_END,
    REFUSED_COUPON_CUSTOMER,
    REFUSED_COUPON_OTHER,
} Refusal;

/* A promotion that this quote might use. */
typedef struct Candidate {
    const CompiledPromotion *compiled;
    const char *code; /* as typed; NULL: it applies by itself */
    CouponDoor door;
    const PricingUsage *usage;
    Refusal refusal;
    const Promotion *winner; /* that excludes it; NULL: none */
    size_t n_lines;
    uint32_t *lines; /* what it is about */
    uint32_t *parts; /* of a bundle, one a line */
    int64_t spend;   /* what those lines cost at their unit prices */
    int64_t pieces;
    const CompiledTier *tier; /* that is reached */
    int64_t taken;
} Candidate;

/* What one promotion took from one line; line == n_lines is the shipping. */
typedef struct Take {
    uint32_t candidate;
    uint32_t line;
    int64_t amount;
    int32_t excess;
} Take;

/* What a choice of promotions takes. */
typedef struct Deal {
    int64_t *left; /* of each line and, last, of the shipping */
    size_t n_takes;
    size_t capacity;
    Take *takes;
    int64_t taken;
    size_t n_gifts;
    uint32_t *gifts; /* candidates */
} Deal;

typedef struct Engine {
    const PricingInput *input;
    const Rules *rules;
    Arena *arena;
    Rounding rounding;
    bool is_taxed_by_document;
    bool considers_all; /* also promotions that the cart does not lead to, to explain them */
    const char *channel_group;
    int32_t utc_offset_minutes;
    char *currency; /* of all amounts */
    int64_t minor_per_unit;
    size_t n_lines;
    Line *lines;
    size_t n_candidates;
    Candidate *candidates;
    size_t n_plans;
    TaxPlan *plans;
    const TaxPlan *shipping_tax; /* NULL: not taxed */
    int64_t *taken;              /* of each line and the shipping, by the promotion at work */
    int32_t *excess;
} Engine;

/* NULL counts as "". */
const char *context_text(const char *text);

/* What the rules have under a text; nothing where there are none. */
LookupValues engine_find(const Engine *engine, RuleKey key, const char *text);

/* Finds the price of every line. Errors: PRODUCT_RETIRED, PRICE_STOPPED, PRICE_MISSING,
 * AMOUNT_TOO_LARGE. */
const Error *price_lines(Engine *engine);

/* Whether a rule is for the channel that is priced, among others or for all. */
bool row_is_for_channel(const Engine *engine, const PriceRow *row);
bool promotion_is_for_channel(const Engine *engine, const CompiledPromotion *compiled);

/* Why a price row of the SKU is not the one, NULL when it could be. */
const char *row_refusal(const Engine *engine, const CompiledRow *row, int64_t quantity);
const CompiledRow *choose_row(
    const Engine *engine, const char *sku, int64_t quantity, bool is_sale);

/* Gathers what could apply, each with why it does not. */
void find_candidates(Engine *engine);

/* Chooses what applies and lets it take. */
Deal *make_deal(Engine *engine);

/* Lets one promotion take its part of what is left. */
void apply_promotion(Engine *engine, uint32_t candidate, Deal *deal);

/* Fills the tax plans of all lines. */
void plan_taxes(Engine *engine);

/* The plan of a category, NULL for "" or where nothing is taken. */
TaxPlan *tax_plan(Engine *engine, const char *category);

/* The taxes of each line and, last, of the shipping, in and on the amounts that are left. False when
 * they do not fit. */
bool compute_taxes(const Engine *engine, const int64_t *left, int64_t *taxes);

/* The stable word, the field that stands against it, and a part of a sentence. */
const char *refusal_word(Refusal refusal);
const char *refusal_condition(Refusal refusal);
const char *refusal_text(const Engine *engine, const Candidate *candidate);

/* Prices everything; afterwards the engine knows why what did not apply did not. */
const Error *engine_run(Engine *engine, Quote *quote);

/* Writes lines, shipping, gifts, taxes and totals. */
const Error *write_quote(const Engine *engine, const Deal *deal, Quote *quote);

#endif
