/* What rules are made into; for the pricing function only. */
#ifndef THROUGHLINE_CATALOG_RULES_INDEX_H
#define THROUGHLINE_CATALOG_RULES_INDEX_H

#include "services/catalog/domain/lookup.h"
#include "services/catalog/domain/rules.h"
#include "services/catalog/domain/selector.h"

#include <stdatomic.h>

/* What a lookup finds rules by. */
typedef enum RuleKey {
    KEY_ROW_SKU,
    KEY_PROMOTION_SKU,
    KEY_PROMOTION_PRODUCT,
    KEY_PROMOTION_CATEGORY,
    KEY_PROMOTION_BRAND,
    KEY_PROMOTION_NAME,
    KEY_PROMOTION_CODE,
    KEY_TAX_SKU,
    KEY_TAX_PATH,
    KEY_TAX_RATE, /* "DE taxCategories/food" */
    KEY_EXEMPT_CUSTOMER,
    KEY_EXEMPT_SEGMENT,
    KEY_COST_SKU,
    KEY_STOP_SKU,
    KEY_STOP_CATEGORY,
    KEY_STOP_PROMOTION,
    KEY_BLACKOUT_SKU,
    KEY_CHANNEL,
    KEY_OFFER_PRODUCT,
} RuleKey;

/* From when until when, microseconds. */
typedef struct Window {
    int64_t start;
    int64_t end;
} Window;

/* One amount a currency, in minor units. */
typedef struct Amount {
    char currency[4];
    int64_t minor;
} Amount;

typedef struct Amounts {
    size_t n_amounts;
    Amount *amounts;
} Amounts;

typedef struct CompiledRow {
    const PriceRow *row;
    char currency[4];
    int64_t amount;
    int64_t list_amount; /* -1: none */
    Window window;
    int32_t rank; /* larger: chosen first */
    bool is_sale;
} CompiledRow;

typedef struct CompiledTier {
    Amounts min_spend;
    int64_t min_quantity;
    int32_t basis_points;
    Amounts amounts;
} CompiledTier;

/* One part of a bundle. */
typedef struct CompiledPart {
    CompiledSelector target;
    int32_t quantity;
} CompiledPart;

typedef struct CompiledPromotion {
    const Promotion *promotion;
    Window window;
    bool is_automatic; /* neither code nor coupon */
    bool is_stopped;
    bool has_budget;
    bool has_customer_budget;
    int phase; /* 0 lines, 1 cart, 2 shipping, 3 gifts */
    int32_t basis_points;
    CompiledSelector target;
    CompiledSelector requires;
    CompiledSelector reward;
    Amounts min_spend;
    Amounts amounts;
    Amount budget;
    Amount customer_budget;
    TextSet countries;
    TextSet channel_groups;
    TextSet segments;
    TextSet locations;
    TextSet customers;
    size_t n_tiers;
    CompiledTier *tiers;
    size_t n_parts;
    CompiledPart *parts;
} CompiledPromotion;

typedef struct CompiledRate {
    const TaxRate *rate;
    Window window;
} CompiledRate;

typedef struct CompiledExemption {
    const TaxExemption *exemption;
    Window window;
} CompiledExemption;

struct Rules {
    atomic_int references;
    Arena *arena;
    const RuleSet *set;
    const Lookup *lookup;
    size_t n_rows;
    CompiledRow *rows; /* those of a SKU are found in the order in which they are chosen */
    size_t n_promotions;
    CompiledPromotion *promotions;
    bool has_limits;
    size_t n_open; /* automatic ones that are found by no SKU, product, category or brand */
    uint32_t *open;
    CompiledRate *rates;              /* those of a key are found in the order of their positions */
    CompiledExemption *exemptions;    /* as in the set */
    Amounts *costs;                   /* as in the set */
    const char *default_tax_category; /* "" when there is none */
};

Window window_of(const Google__Protobuf__Timestamp *start, const Google__Protobuf__Timestamp *end);
bool window_has(const Window *window, int64_t now);

/* The amount in this currency; false when none is listed. */
bool amounts_in(const Amounts *amounts, const char *currency, int64_t *minor);

/* Amounts of unknown currencies or below zero are left out. */
Amounts amounts_compile(Arena *arena, Google__Type__Money *const *moneys, size_t n_moneys);

/* Basis points brought between 0 and PROMOTION_WHOLE. */
int32_t share_of(int32_t basis_points);

/* Makes a promotion ready; it must live as long as the arena. */
void promotion_compile(Arena *arena, const Promotion *promotion, CompiledPromotion *compiled);

#endif
