/* What a good rule is, and which rules may be published together. Findings name fields by path:
 * `path` is what comes before the field ("price_row", "price_rows[3]"). */
#ifndef THROUGHLINE_CATALOG_RULES_CHECK_H
#define THROUGHLINE_CATALOG_RULES_CHECK_H

#include "services/catalog/domain/rules.h"

enum {
    RULES_MAX_PRICE_ROWS = 1000000,
    RULES_MAX_PROMOTIONS = 100000,
    RULES_MAX_TAX_CATEGORIES = 1000,
    RULES_MAX_TAX_RATES = 100000,
    RULES_MAX_TAX_EXEMPTIONS = 100000,
    RULES_MAX_ITEM_COSTS = 1000000,
    RULES_MAX_PRICE_STOPS = 10000,
    RULES_MAX_PRODUCT_OFFERS = 1000000,
    RULES_MAX_TITLE = 120,
    RULES_MAX_REASON = 500,
    RULES_MAX_WORD = 64, /* channels, groups, locations, regions */
    RULES_MAX_RATE = 1000000,
    RULES_MAX_QUANTITY = 1000000,
    RULES_MAX_AMOUNTS = 200,
    SELECTOR_MAX_SKUS = 10000,
    SELECTOR_MAX_NAMES = 1000,
    SELECTOR_MAX_PREDICATES = 20,
    PREDICATE_MAX_VALUES = 100,
    CONDITION_MAX_VALUES = 1000,
    HOURS_MAX = 50,
    MINUTES_A_DAY = 1440,
    UTC_OFFSET_MAX_MINUTES = 840,
    EFFECT_MAX_PIECES = 1000,
    EFFECT_MAX_PARTS = 20,
    GIFT_MAX_PIECES = 100,
    PRIORITY_MAX = 1000,
    SETTINGS_MAX_GROUPS = 100,
    SETTINGS_MAX_CHANNELS = 100,
};

/* Each names every bad field of one rule; names are checked only where they are set. */
void price_row_check(const PriceRow *row, const char *path, Findings *findings);
void promotion_check_at(const Promotion *promotion, const char *path, Findings *findings);
void tax_category_check(const TaxCategory *category, const char *path, Findings *findings);
void tax_rate_check(const TaxRate *rate, const char *path, Findings *findings);
void tax_exemption_check(const TaxExemption *exemption, const char *path, Findings *findings);
void item_cost_check(const ItemCost *cost, const char *path, Findings *findings);
void price_stop_check(const PriceStop *stop, const char *path, Findings *findings);
void settings_check(const PricingSettings *settings, const char *path, Findings *findings);

/* Whether the rules may be published together: each by itself; names and codes unique; what they
 * refer to there; no two price rows, no two tax rates that could both be meant at one moment. */
void rules_check(const RuleSet *set, Findings *findings);

#endif
