/* What a good promotion is. */
#include "services/catalog/domain/expect.h"
#include "services/catalog/domain/rules_check.h"
#include "shared/codec/types.h"

#include <string.h>

typedef Throughline__Catalog__V1__Tiers__Tier Tier;
typedef Throughline__Catalog__V1__Selector Selector;
typedef Throughline__Catalog__V1__AttributePredicate AttributePredicate;
typedef Throughline__Catalog__V1__PromotionConditions PromotionConditions;

/* Findings below a field: "promotion.target" for "target". */
static Expect inside(const Expect *check, const char *field)
{
    return (Expect){ expect_path(check, field), check->findings };
}

static void check_names(
    const Expect *check, const char *field, char *const *names, size_t n_names, const char *pattern)
{
    expect_count(check, field, n_names, 0, CONDITION_MAX_VALUES);
    for (size_t i = 0; i < n_names && i < CONDITION_MAX_VALUES; i++)
        expect_name(check, expect_at(check, field, i), names[i], pattern, true);
}

static void check_words(
    const Expect *check, const char *field, char *const *words, size_t n_words, size_t max)
{
    expect_count(check, field, n_words, 0, CONDITION_MAX_VALUES);
    for (size_t i = 0; i < n_words && i < CONDITION_MAX_VALUES; i++)
        expect_text(check, expect_at(check, field, i), words[i], 1, max);
}

static void check_skus(const Expect *check, const char *field, char *const *skus, size_t n_skus)
{
    expect_count(check, field, n_skus, 0, SELECTOR_MAX_SKUS);
    for (size_t i = 0; i < n_skus && i < SELECTOR_MAX_SKUS; i++)
        if (!sku_is_valid(skus[i]))
            expect_sku(check, expect_at(check, field, i), skus[i]);
}

static void check_categories(
    const Expect *check, const char *field, char *const *categories, size_t n_categories)
{
    expect_count(check, field, n_categories, 0, SELECTOR_MAX_NAMES);
    for (size_t i = 0; i < n_categories && i < SELECTOR_MAX_NAMES; i++)
        expect_category(check, expect_at(check, field, i), categories[i]);
}

static void check_predicate(const Expect *check, const AttributePredicate *predicate)
{
    bool is_number = false;
    size_t n_min = 1;
    size_t n_max = PREDICATE_MAX_VALUES;
    double number;

    expect_text(check, "key", predicate->key, 1, ATTRIBUTE_MAX_KEY);
    switch (predicate->comparison) {
    case THROUGHLINE__CATALOG__V1__ATTRIBUTE_PREDICATE__COMPARISON__ONE_OF:
    case THROUGHLINE__CATALOG__V1__ATTRIBUTE_PREDICATE__COMPARISON__NONE_OF:
        break;
    case THROUGHLINE__CATALOG__V1__ATTRIBUTE_PREDICATE__COMPARISON__PRESENT:
        n_min = n_max = 0;
        break;
    case THROUGHLINE__CATALOG__V1__ATTRIBUTE_PREDICATE__COMPARISON__AT_LEAST:
    case THROUGHLINE__CATALOG__V1__ATTRIBUTE_PREDICATE__COMPARISON__AT_MOST:
        is_number = true;
        n_max = 1;
        break;
    default:
        expect_fail(check, "comparison", "must be set");
    }
    expect_count(check, "values", predicate->n_values, n_min, n_max);
    if (is_number && predicate->n_values == 1 && !text_to_double(predicate->values[0], &number))
        expect_fail(check, "values", "must be a number");
}

static void check_selector(const Expect *outer, const char *field, const Selector *selector)
{
    Expect check;

    if (!selector)
        return;
    check = inside(outer, field);
    check_skus(&check, "skus", selector->skus, selector->n_skus);
    check_names(&check, "products", selector->products, selector->n_products, "products/*");
    check_categories(&check, "categories", selector->categories, selector->n_categories);
    check_words(&check, "brands", selector->brands, selector->n_brands, PRODUCT_MAX_BRAND);
    expect_count(&check, "attributes", selector->n_attributes, 0, SELECTOR_MAX_PREDICATES);
    for (size_t i = 0; i < selector->n_attributes && i < SELECTOR_MAX_PREDICATES; i++) {
        Expect predicate = inside(&check, expect_at(&check, "attributes", i));

        check_predicate(&predicate, selector->attributes[i]);
    }
    check_skus(&check, "excluded_skus", selector->excluded_skus, selector->n_excluded_skus);
    check_categories(&check, "excluded_categories", selector->excluded_categories,
        selector->n_excluded_categories);
}

/* Effects. */

/* Either basis points or amounts, not both and not neither. */
static void check_share(const Expect *check, int32_t basis_points,
    Google__Type__Money *const *amounts, size_t n_amounts)
{
    expect_range(check, "basis_points", basis_points, 0, PROMOTION_WHOLE);
    if ((basis_points != 0) == (n_amounts != 0))
        expect_fail(check, "basis_points", "must be set, or amounts, and not both");
    expect_moneys(check, "amounts", amounts, n_amounts, 0, 1);
}

static void check_buy(const Expect *check, const Throughline__Catalog__V1__BuyXGetY *buy)
{
    expect_range(check, "buy", buy->buy, 1, EFFECT_MAX_PIECES);
    expect_range(check, "get", buy->get, 1, EFFECT_MAX_PIECES);
    expect_range(check, "basis_points", buy->basis_points, 0, PROMOTION_WHOLE);
    expect_range(check, "max_times", buy->max_times, 0, RULES_MAX_QUANTITY);
    check_selector(check, "reward", buy->reward);
    if (!protobuf_c_enum_descriptor_get_value(
            &throughline__catalog__v1__buy_xget_y__choice__descriptor, (int)buy->choice))
        expect_fail(check, "choice", "is not a choice of pieces");
}

static void check_bundle(const Expect *check, const Throughline__Catalog__V1__BundlePrice *bundle)
{
    expect_count(check, "parts", bundle->n_parts, 1, EFFECT_MAX_PARTS);
    for (size_t i = 0; i < bundle->n_parts && i < EFFECT_MAX_PARTS; i++) {
        Expect part = inside(check, expect_at(check, "parts", i));

        expect_range(&part, "quantity", bundle->parts[i]->quantity, 1, EFFECT_MAX_PIECES);
        if (!bundle->parts[i]->target)
            expect_fail(&part, "target", "must be set");
        check_selector(&part, "target", bundle->parts[i]->target);
    }
    expect_moneys(check, "prices", bundle->prices, bundle->n_prices, 1, 0);
    expect_range(check, "max_times", bundle->max_times, 0, RULES_MAX_QUANTITY);
}

/* The amount in the currency, -1 when there is none. */
static int64_t amount_of(Google__Type__Money *const *moneys, size_t n_moneys, const char *currency)
{
    int64_t minor;

    for (size_t i = 0; i < n_moneys; i++)
        if (text_equal(moneys[i]->currency_code, currency) && money_minor(moneys[i], &minor))
            return minor;
    return -1;
}

static bool is_later(const Tier *tier, const Tier *before)
{
    if (tier->min_quantity < before->min_quantity)
        return false;
    for (size_t i = 0; i < tier->n_min_spend; i++) {
        int64_t reached =
            amount_of(before->min_spend, before->n_min_spend, tier->min_spend[i]->currency_code);
        int64_t wanted =
            amount_of(tier->min_spend, tier->n_min_spend, tier->min_spend[i]->currency_code);

        if (wanted < reached || (wanted == reached && tier->min_quantity == before->min_quantity))
            return false;
    }
    return tier->n_min_spend > 0 || tier->min_quantity > before->min_quantity;
}

static void check_tiers(const Expect *check, const Throughline__Catalog__V1__Tiers *tiers)
{
    expect_count(check, "tiers", tiers->n_tiers, 1, EFFECT_MAX_PARTS);
    for (size_t i = 0; i < tiers->n_tiers && i < EFFECT_MAX_PARTS; i++) {
        Expect tier = inside(check, expect_at(check, "tiers", i));

        expect_moneys(
            &tier, "min_spend", tiers->tiers[i]->min_spend, tiers->tiers[i]->n_min_spend, 0, 0);
        expect_range(&tier, "min_quantity", tiers->tiers[i]->min_quantity, 0, INT64_MAX);
        check_share(&tier, tiers->tiers[i]->basis_points, tiers->tiers[i]->amounts,
            tiers->tiers[i]->n_amounts);
        if (i > 0 && !is_later(tiers->tiers[i], tiers->tiers[i - 1]))
            expect_fail(&tier, "min_spend", "must be reached later than the tier before");
    }
}

static void check_shipping_off(
    const Expect *check, const Throughline__Catalog__V1__ShippingOff *off)
{
    check_share(check, off->basis_points, off->amounts, off->n_amounts);
    check_words(check, "methods", off->methods, off->n_methods, RULES_MAX_WORD);
}

static void check_amount_off(const Expect *check, const Throughline__Catalog__V1__AmountOff *off)
{
    expect_moneys(check, "amounts", off->amounts, off->n_amounts, 1, 1);
    if (off->unit == THROUGHLINE__CATALOG__V1__AMOUNT_OFF__UNIT__UNIT_UNSPECIFIED ||
        !protobuf_c_enum_descriptor_get_value(
            &throughline__catalog__v1__amount_off__unit__descriptor, (int)off->unit))
        expect_fail(check, "unit", "must be PIECE, LINE or ONCE");
}

static void check_effect(const Expect *outer, const Promotion *promotion)
{
    Expect check;

    switch (promotion->effect_case) {
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_AMOUNT_OFF:
        check = inside(outer, "amount_off");
        check_amount_off(&check, promotion->amount_off);
        break;
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_FIXED_PRICE:
        check = inside(outer, "fixed_price");
        expect_moneys(&check, "prices", promotion->fixed_price->prices,
            promotion->fixed_price->n_prices, 1, 0);
        break;
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_BUY_X_GET_Y:
        check = inside(outer, "buy_x_get_y");
        check_buy(&check, promotion->buy_x_get_y);
        break;
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_BUNDLE_PRICE:
        check = inside(outer, "bundle_price");
        check_bundle(&check, promotion->bundle_price);
        break;
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_TIERS:
        check = inside(outer, "tiers");
        check_tiers(&check, promotion->tiers);
        break;
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_GIFT:
        check = inside(outer, "gift");
        expect_sku(&check, "sku", promotion->gift->sku);
        expect_range(&check, "quantity", promotion->gift->quantity, 1, GIFT_MAX_PIECES);
        break;
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_NTH_ITEM:
        check = inside(outer, "nth_item");
        expect_range(&check, "n", promotion->nth_item->n, 2, EFFECT_MAX_PIECES);
        expect_range(&check, "basis_points", promotion->nth_item->basis_points, 1, PROMOTION_WHOLE);
        break;
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_CART_OFF:
        check = inside(outer, "cart_off");
        check_share(&check, promotion->cart_off->basis_points, promotion->cart_off->amounts,
            promotion->cart_off->n_amounts);
        break;
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_SHIPPING_OFF:
        check = inside(outer, "shipping_off");
        check_shipping_off(&check, promotion->shipping_off);
        break;
    default:
        expect_range(outer, "basis_points", promotion->basis_points, 1, PROMOTION_WHOLE);
        return;
    }
    if (promotion->basis_points)
        expect_fail(outer, "basis_points", "must be 0 beside another effect");
}

/* Conditions and limits. */

static void check_hours(const Expect *check, const Throughline__Catalog__V1__Hours *hours)
{
    for (size_t i = 0; i < hours->n_days; i++)
        if (hours->days[i] < 1 || hours->days[i] > 7)
            expect_fail(check, expect_at(check, "days", i), "must be 1 (Monday) to 7 (Sunday)");
    expect_range(check, "from_minute", hours->from_minute, 0, MINUTES_A_DAY - 1);
    expect_range(check, "until_minute", hours->until_minute, 1, MINUTES_A_DAY);
    if (hours->until_minute <= hours->from_minute)
        expect_fail(check, "until_minute", "must be above from_minute");
}

static void check_conditions(const Expect *outer, const PromotionConditions *conditions)
{
    Expect check = inside(outer, "conditions");

    expect_count(&check, "countries", conditions->n_countries, 0, CONDITION_MAX_VALUES);
    for (size_t i = 0; i < conditions->n_countries && i < CONDITION_MAX_VALUES; i++)
        expect_country(&check, expect_at(&check, "countries", i), conditions->countries[i], true);
    check_words(&check, "channel_groups", conditions->channel_groups, conditions->n_channel_groups,
        RULES_MAX_WORD);
    check_names(&check, "segments", conditions->segments, conditions->n_segments, "segments/*");
    check_words(
        &check, "locations", conditions->locations, conditions->n_locations, RULES_MAX_WORD);
    check_names(&check, "customers", conditions->customers, conditions->n_customers, "customers/*");
    expect_moneys(&check, "min_spend", conditions->min_spend, conditions->n_min_spend, 0, 1);
    expect_range(&check, "min_quantity", conditions->min_quantity, 0, INT64_MAX);
    expect_count(&check, "hours", conditions->n_hours, 0, HOURS_MAX);
    for (size_t i = 0; i < conditions->n_hours && i < HOURS_MAX; i++) {
        Expect hours = inside(&check, expect_at(&check, "hours", i));

        check_hours(&hours, conditions->hours[i]);
    }
    check_selector(&check, "requires", conditions->requires);
}

static void check_limits(const Expect *check, const Promotion *promotion)
{
    int64_t budget;

    expect_range(check, "priority", promotion->priority, -PRIORITY_MAX, PRIORITY_MAX);
    expect_text(check, "stacking_group", promotion->stacking_group, 0, RULES_MAX_WORD);
    expect_range(check, "total_limit", promotion->total_limit, 0, INT64_MAX);
    expect_range(check, "customer_limit", promotion->customer_limit, 0, INT64_MAX);
    if (!protobuf_c_enum_descriptor_get_value(
            &throughline__catalog__v1__promotion__limit_period__descriptor,
            (int)promotion->limit_period))
        expect_fail(check, "limit_period", "is not a known period");
    if (promotion->budget)
        expect_money(check, "budget", promotion->budget, 1, &budget);
    if (promotion->customer_budget)
        expect_money(check, "customer_budget", promotion->customer_budget, 1, &budget);
    if (promotion->budget && promotion->customer_budget &&
        !text_equal(promotion->budget->currency_code, promotion->customer_budget->currency_code))
        expect_fail(check, "customer_budget", "must be in the currency of budget");
    expect_range(check, "min_margin_basis_points", promotion->min_margin_basis_points, 0,
        PROMOTION_WHOLE - 1);
    if (promotion->needs_coupon && *promotion->code)
        expect_fail(check, "code", "must be empty where a coupon is needed");
}

void promotion_check_at(const Promotion *promotion, const char *path, Findings *findings)
{
    const Expect check = { path, findings };

    expect_text(&check, "title", promotion->title, 1, PROMOTION_MAX_TITLE);
    if (*promotion->code && !promotion_code_is_valid(promotion->code))
        expect_fail(&check, "code", "must be %d to %d characters of [A-Z0-9-]", PROMOTION_MIN_CODE,
            PROMOTION_MAX_CODE);
    if (*promotion->category)
        expect_category(&check, "category", promotion->category);
    expect_window(&check, promotion->start_time, promotion->end_time);
    check_selector(&check, "target", promotion->target);
    check_effect(&check, promotion);
    if (promotion->conditions)
        check_conditions(&check, promotion->conditions);
    check_limits(&check, promotion);
}

void promotion_check(const Promotion *promotion, Findings *findings)
{
    promotion_check_at(promotion, "promotion", findings);
}
