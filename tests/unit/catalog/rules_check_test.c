/* Which rules may be published: bad fields by name, ties, names, references. */
#include "services/catalog/domain/rules_check.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"

static const int64_t a_day = INT64_C(86400000000);

static PriceRow *a_row(Arena *arena, const char *name, const char *currency, int64_t amount)
{
    PriceRow *row = message_new(arena, &throughline__catalog__v1__price_row__descriptor);

    row->name = arena_printf(arena, "priceRows/%s", name);
    row->sku = text(arena, "tent-green");
    row->amount = money_message(arena, currency, amount);
    return row;
}

static TaxRate *a_rate(Arena *arena, const char *name)
{
    TaxRate *rate = message_new(arena, &throughline__catalog__v1__tax_rate__descriptor);

    rate->name = arena_printf(arena, "taxRates/%s", name);
    rate->title = text(arena, "VAT");
    rate->country = text(arena, "DE");
    rate->tax_category = text(arena, "taxCategories/goods");
    rate->rate_millionths = 190000;
    return rate;
}

static TaxCategory *a_category(Arena *arena)
{
    TaxCategory *category = message_new(arena, &throughline__catalog__v1__tax_category__descriptor);

    category->name = text(arena, "taxCategories/goods");
    category->title = text(arena, "Goods");
    category->is_default = true;
    return category;
}

static void check_fields(const Findings *findings, const char *const *fields, size_t n_fields)
{
    for (size_t i = 0; i < n_fields; i++) {
        if (!has_finding(findings, fields[i]))
            printf("not named: %s\n", fields[i]);
        CU_ASSERT(has_finding(findings, fields[i]));
    }
    CHECK_INT(findings->n_items, n_fields);
    if (findings->n_items != n_fields)
        for (size_t i = 0; i < findings->n_items; i++)
            printf("%s: %s\n", findings->items[i].field, findings->items[i].description);
}

static void every_bad_field_of_a_price_row_is_named(void)
{
    static const char *const fields[] = { "row.name", "row.sku", "row.amount", "row.country",
        "row.channel_group", "row.segment", "row.min_quantity", "row.end_time", "row.kind" };
    Arena *arena = arena_new();
    Findings findings = { .arena = arena };
    PriceRow *row = a_row(arena, "a", "EUR", -1);

    row->name = text(arena, "rows/a");
    row->sku = text(arena, "tent green");
    row->country = text(arena, "Germany");
    row->channel_group = text(
        arena, "a name of more than sixty-four characters is more than anybody will ever read");
    row->segment = text(arena, "vip");
    row->min_quantity = -1;
    row->start_time = timestamp_from_micros(arena, some_noon);
    row->end_time = timestamp_from_micros(arena, some_noon);
    row->kind = 7;

    price_row_check(row, "row", &findings);

    check_fields(&findings, fields, COUNT(fields));
    arena_free(arena);
}

static void a_price_has_the_digits_of_its_currency(void)
{
    Arena *arena = arena_new();
    Findings findings = { .arena = arena };
    PriceRow *row = a_row(arena, "a", "JPY", 100);

    row->amount->nanos = 500000000;
    price_row_check(row, "yen", &findings);
    row->amount = money_message(arena, "EUR", 100);
    row->amount->currency_code = text(arena, "EUX");
    price_row_check(row, "unknown", &findings);
    row->amount = NULL;
    price_row_check(row, "absent", &findings);

    CHECK_INT(findings.n_items, 3);
    CHECK_TEXT(
        findings.items[0].description, "is not an amount with at most 0 digits behind the point");
    CHECK_TEXT(findings.items[1].description, "\"EUX\" is not an ISO 4217 currency");
    CHECK_TEXT(findings.items[2].description, "must be set");
    arena_free(arena);
}

static void check_rows(Arena *arena, PriceRow *first, PriceRow *second, const char *description)
{
    Findings findings = { .arena = arena };
    RuleSet set = THROUGHLINE__CATALOG__V1__RULE_SET__INIT;
    PriceRow *rows[] = { first, second };

    set.price_rows = rows;
    set.n_price_rows = COUNT(rows);
    rules_check(&set, &findings);

    CHECK_INT(findings.n_items, description != NULL);
    if (findings.n_items && description)
        CHECK_TEXT(findings.items[0].description, description);
}

static void prices_of_one_scope_must_not_overlap(void)
{
    Arena *arena = arena_new();
    PriceRow *a = a_row(arena, "a", "EUR", 100);
    PriceRow *b = a_row(arena, "b", "EUR", 200);

    check_rows(arena, a, b, "is for the same as \"priceRows/a\", which holds always");

    a->end_time = timestamp_from_micros(arena, some_noon);
    check_rows(arena, a, b, NULL); /* the one with an end goes first while it holds */

    b->start_time = timestamp_from_micros(arena, some_noon);
    check_rows(arena, a, b, NULL);

    b->start_time = timestamp_from_micros(arena, some_noon - 1);
    check_rows(
        arena, a, b, "is for the same as \"priceRows/a\", which holds until 2026-01-01T12:00:00Z");
    arena_free(arena);
}

static void prices_of_different_scopes_may_overlap(void)
{
    Arena *arena = arena_new();
    PriceRow *a = a_row(arena, "a", "EUR", 100);

    for (int i = 0; i < 7; i++) {
        PriceRow *b = a_row(arena, "b", i == 0 ? "USD" : "EUR", 200);

        b->country = text(arena, i == 1 ? "DE" : "");
        b->channel_group = text(arena, i == 2 ? "stores" : "");
        b->segment = text(arena, i == 3 ? "segments/vip" : "");
        b->location = text(arena, i == 4 ? "berlin" : "");
        b->min_quantity = i == 5 ? 10 : 1;
        if (i == 6)
            b->kind = THROUGHLINE__CATALOG__V1__PRICE_ROW__KIND__SALE;
        check_rows(arena, a, b, NULL);
    }
    arena_free(arena);
}

static void a_long_window_is_compared_with_all_that_it_covers(void)
{
    Arena *arena = arena_new();
    Findings findings = { .arena = arena };
    RuleSet set = THROUGHLINE__CATALOG__V1__RULE_SET__INIT;
    PriceRow *rows[3];

    /* The first covers both others, which do not touch each other. */
    for (int i = 0; i < 3; i++) {
        rows[i] = a_row(arena, arena_printf(arena, "%d", i), "EUR", 100);
        rows[i]->start_time = timestamp_from_micros(arena, some_noon + i * 2 * a_day);
        rows[i]->end_time =
            timestamp_from_micros(arena, some_noon + (i == 0 ? 9 : i * 2 + 1) * a_day);
    }
    set.price_rows = rows;
    set.n_price_rows = COUNT(rows);

    rules_check(&set, &findings);

    CHECK_INT(findings.n_items, 2);
    CU_ASSERT(has_finding(&findings, "price_rows[1]"));
    CU_ASSERT(has_finding(&findings, "price_rows[2]"));
    arena_free(arena);
}

static void names_and_codes_are_unique_and_references_are_there(void)
{
    static const char *const fields[] = { "promotions[1]", "promotions[2]", "tax_rates[1]",
        "tax_rates[1].tax_category", "price_stops[0].promotion", "settings.shipping_tax_category" };
    Arena *arena = arena_new();
    Findings findings = { .arena = arena };
    RuleSet set = THROUGHLINE__CATALOG__V1__RULE_SET__INIT;
    Promotion *promotions[] = { a_promotion(arena, "SPRING", 1), a_promotion(arena, "SPRING", 2),
        a_promotion(arena, "FALL", 2) };
    TaxRate *rates[] = { a_rate(arena, "vat"), a_rate(arena, "vat") };
    TaxCategory *categories[] = { a_category(arena) };
    PriceStop stop = THROUGHLINE__CATALOG__V1__PRICE_STOP__INIT;
    PriceStop *stops[] = { &stop };
    PricingSettings settings = THROUGHLINE__CATALOG__V1__PRICING_SETTINGS__INIT;

    promotions[1]->name = text(arena, "promotions/other");
    promotions[2]->name = text(arena, "promotions/other");
    rates[1]->position = 1;
    rates[1]->tax_category = text(arena, "taxCategories/none");
    stop.name = text(arena, "priceStops/1");
    stop.reason = text(arena, "wrong");
    stop.what_case = THROUGHLINE__CATALOG__V1__PRICE_STOP__WHAT_PROMOTION;
    stop.promotion = text(arena, "promotions/none");
    settings.shipping_tax_category = text(arena, "taxCategories/none");
    set.promotions = promotions;
    set.n_promotions = COUNT(promotions);
    set.tax_rates = rates;
    set.n_tax_rates = COUNT(rates);
    set.tax_categories = categories;
    set.n_tax_categories = COUNT(categories);
    set.price_stops = stops;
    set.n_price_stops = COUNT(stops);
    set.settings = &settings;

    rules_check(&set, &findings);

    check_fields(&findings, fields, COUNT(fields));
    arena_free(arena);
}

static void two_rates_at_one_place_are_refused(void)
{
    Arena *arena = arena_new();
    Findings findings = { .arena = arena };
    RuleSet set = THROUGHLINE__CATALOG__V1__RULE_SET__INIT;
    TaxRate *rates[] = { a_rate(arena, "old"), a_rate(arena, "new") };
    TaxCategory *categories[] = { a_category(arena) };

    set.tax_rates = rates;
    set.n_tax_rates = COUNT(rates);
    set.tax_categories = categories;
    set.n_tax_categories = COUNT(categories);
    rules_check(&set, &findings);
    CHECK_INT(findings.n_items, 1);
    CU_ASSERT(has_finding(&findings, "tax_rates[1]"));

    findings.n_items = 0;
    rates[0]->end_time = timestamp_from_micros(arena, some_noon);
    rates[1]->start_time = timestamp_from_micros(arena, some_noon);
    rules_check(&set, &findings);
    CHECK_INT(findings.n_items, 0);
    arena_free(arena);
}

static void every_bad_field_of_an_effect_is_named(void)
{
    static const char *const fields[] = { "promotion.basis_points", "promotion.buy_x_get_y.buy",
        "promotion.buy_x_get_y.get", "promotion.buy_x_get_y.max_times",
        "promotion.buy_x_get_y.reward.categories[0]", "promotion.target.attributes[0].key",
        "promotion.target.attributes[0].values", "promotion.conditions.hours[0].days[1]",
        "promotion.conditions.hours[0].until_minute", "promotion.conditions.min_spend[1]",
        "promotion.priority", "promotion.budget" };
    Arena *arena = arena_new();
    Findings findings = { .arena = arena };
    Promotion *promotion = a_promotion(arena, "SPRING", 100);
    Throughline__Catalog__V1__BuyXGetY buy = THROUGHLINE__CATALOG__V1__BUY_XGET_Y__INIT;
    Throughline__Catalog__V1__Selector reward = THROUGHLINE__CATALOG__V1__SELECTOR__INIT;
    Throughline__Catalog__V1__Selector target = THROUGHLINE__CATALOG__V1__SELECTOR__INIT;
    Throughline__Catalog__V1__AttributePredicate predicate =
        THROUGHLINE__CATALOG__V1__ATTRIBUTE_PREDICATE__INIT;
    Throughline__Catalog__V1__AttributePredicate *predicates[] = { &predicate };
    Throughline__Catalog__V1__PromotionConditions conditions =
        THROUGHLINE__CATALOG__V1__PROMOTION_CONDITIONS__INIT;
    Throughline__Catalog__V1__Hours hours = THROUGHLINE__CATALOG__V1__HOURS__INIT;
    Throughline__Catalog__V1__Hours *all_hours[] = { &hours };
    Google__Type__Money *spend[] = { money_message(arena, "EUR", 1),
        money_message(arena, "EUR", 2) };
    char *categories[] = { text(arena, " > x") };
    char *values[] = { text(arena, "many") };
    int32_t days[] = { 1, 8 };

    promotion->effect_case = THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_BUY_X_GET_Y;
    promotion->buy_x_get_y = &buy;
    buy.max_times = -1;
    buy.reward = &reward;
    reward.categories = categories;
    reward.n_categories = 1;
    promotion->target = &target;
    target.attributes = predicates;
    target.n_attributes = 1;
    predicate.comparison = THROUGHLINE__CATALOG__V1__ATTRIBUTE_PREDICATE__COMPARISON__AT_LEAST;
    predicate.values = values;
    predicate.n_values = 1;
    promotion->conditions = &conditions;
    conditions.hours = all_hours;
    conditions.n_hours = 1;
    hours.days = days;
    hours.n_days = COUNT(days);
    hours.from_minute = 600;
    hours.until_minute = 600;
    conditions.min_spend = spend;
    conditions.n_min_spend = COUNT(spend);
    promotion->priority = 1001;
    promotion->budget = money_message(arena, "EUR", 0);

    promotion_check(promotion, &findings);

    check_fields(&findings, fields, COUNT(fields));
    arena_free(arena);
}

static void tiers_come_one_after_the_other(void)
{
    Arena *arena = arena_new();
    Findings findings = { .arena = arena };
    Promotion *promotion = a_promotion(arena, "SPRING", 0);
    Throughline__Catalog__V1__Tiers tiers = THROUGHLINE__CATALOG__V1__TIERS__INIT;
    Throughline__Catalog__V1__Tiers__Tier steps[3];
    Throughline__Catalog__V1__Tiers__Tier *list[3];

    promotion->effect_case = THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_TIERS;
    promotion->tiers = &tiers;
    tiers.tiers = list;
    tiers.n_tiers = COUNT(list);
    for (int i = 0; i < 3; i++) {
        throughline__catalog__v1__tiers__tier__init(&steps[i]);
        steps[i].min_quantity = 5 * (i + 1);
        steps[i].basis_points = 100 * (i + 1);
        list[i] = &steps[i];
    }
    promotion_check(promotion, &findings);
    CHECK_INT(findings.n_items, 0);

    steps[2].min_quantity = 10;
    promotion_check(promotion, &findings);
    CHECK_INT(findings.n_items, 1);
    CU_ASSERT(has_finding(&findings, "promotion.tiers.tiers[2].min_spend"));
    arena_free(arena);
}

static void a_channel_is_in_one_group(void)
{
    static const char *const fields[] = { "settings.roundings[1]", "settings.channel_groups[1]",
        "settings.utc_offset_minutes" };
    Arena *arena = arena_new();
    Findings findings = { .arena = arena };
    PricingSettings settings = THROUGHLINE__CATALOG__V1__PRICING_SETTINGS__INIT;
    Throughline__Catalog__V1__ChannelGroup one = THROUGHLINE__CATALOG__V1__CHANNEL_GROUP__INIT;
    Throughline__Catalog__V1__ChannelGroup two = THROUGHLINE__CATALOG__V1__CHANNEL_GROUP__INIT;
    Throughline__Catalog__V1__ChannelGroup *groups[] = { &one, &two };
    CurrencyRounding rounding = THROUGHLINE__CATALOG__V1__CURRENCY_ROUNDING__INIT;
    CurrencyRounding *roundings[] = { &rounding, &rounding };
    char *channels[] = { text(arena, "web"), text(arena, "app") };

    one.name = text(arena, "online");
    two.name = text(arena, "phones");
    one.channels = channels;
    one.n_channels = 2;
    two.channels = channels + 1;
    two.n_channels = 1;
    settings.channel_groups = groups;
    settings.n_channel_groups = COUNT(groups);
    settings.roundings = roundings;
    settings.n_roundings = COUNT(roundings);
    settings.utc_offset_minutes = 841;

    settings_check(&settings, "settings", &findings);

    check_fields(&findings, fields, COUNT(fields));
    arena_free(arena);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "every_bad_field_of_a_price_row_is_named", every_bad_field_of_a_price_row_is_named },
        { "a_price_has_the_digits_of_its_currency", a_price_has_the_digits_of_its_currency },
        { "prices_of_one_scope_must_not_overlap", prices_of_one_scope_must_not_overlap },
        { "prices_of_different_scopes_may_overlap", prices_of_different_scopes_may_overlap },
        { "a_long_window_is_compared_with_all_that_it_covers",
            a_long_window_is_compared_with_all_that_it_covers },
        { "names_and_codes_are_unique_and_references_are_there",
            names_and_codes_are_unique_and_references_are_there },
        { "two_rates_at_one_place_are_refused", two_rates_at_one_place_are_refused },
        { "every_bad_field_of_an_effect_is_named", every_bad_field_of_an_effect_is_named },
        { "tiers_come_one_after_the_other", tiers_come_one_after_the_other },
        { "a_channel_is_in_one_group", a_channel_is_in_one_group },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "rules_check", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_rules_check", suites, argc, argv);
}
