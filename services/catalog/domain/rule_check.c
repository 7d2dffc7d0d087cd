/* What a good price row, tax rule, cost, stop and setting is; promotions: promotion_check.c. */
#include "services/catalog/domain/expect.h"
#include "services/catalog/domain/rules_check.h"
#include "shared/base/money.h"
#include "shared/codec/types.h"

#include <string.h>

static bool is_known(const ProtobufCEnumDescriptor *type, int value)
{
    return protobuf_c_enum_descriptor_get_value(type, value) != NULL;
}

void price_row_check(const PriceRow *row, const char *path, Findings *findings)
{
    const Expect check = { path, findings };
    int64_t amount;
    int64_t list;

    expect_name(&check, "name", row->name, "priceRows/*", false);
    expect_sku(&check, "sku", row->sku);
    if (expect_money(&check, "amount", row->amount, 0, &amount) && row->list_amount &&
        expect_money(&check, "list_amount", row->list_amount, 0, &list)) {
        if (!text_equal(row->list_amount->currency_code, row->amount->currency_code))
            expect_fail(&check, "list_amount", "must be in the currency of the amount, %s",
                row->amount->currency_code);
        else if (list < amount)
            expect_fail(&check, "list_amount", "must not be below the amount");
    }
    expect_country(&check, "country", row->country, false);
    expect_text(&check, "channel_group", row->channel_group, 0, RULES_MAX_WORD);
    expect_name(&check, "segment", row->segment, "segments/*", false);
    expect_text(&check, "location", row->location, 0, RULES_MAX_WORD);
    expect_range(&check, "min_quantity", row->min_quantity, 0, RULES_MAX_QUANTITY);
    expect_window(&check, row->start_time, row->end_time);
    if (!is_known(&throughline__catalog__v1__price_row__kind__descriptor, (int)row->kind))
        expect_fail(&check, "kind", "is not a kind of price row");
}

void tax_category_check(const TaxCategory *category, const char *path, Findings *findings)
{
    const Expect check = { path, findings };

    expect_name(&check, "name", category->name, "taxCategories/*", false);
    expect_text(&check, "title", category->title, 1, RULES_MAX_TITLE);
    expect_count(&check, "skus", category->n_skus, 0, RULES_MAX_ITEM_COSTS);
    for (size_t i = 0; i < category->n_skus; i++)
        if (!sku_is_valid(category->skus[i]))
            expect_sku(&check, expect_at(&check, "skus", i), category->skus[i]);
    expect_count(&check, "categories", category->n_categories, 0, SELECTOR_MAX_SKUS);
    for (size_t i = 0; i < category->n_categories; i++)
        expect_category(&check, expect_at(&check, "categories", i), category->categories[i]);
}

void tax_rate_check(const TaxRate *rate, const char *path, Findings *findings)
{
    const Expect check = { path, findings };

    expect_name(&check, "name", rate->name, "taxRates/*", false);
    expect_text(&check, "title", rate->title, 1, RULES_MAX_TITLE);
    expect_country(&check, "country", rate->country, true);
    expect_text(&check, "region", rate->region, 0, RULES_MAX_WORD);
    expect_name(&check, "tax_category", rate->tax_category, "taxCategories/*", true);
    expect_range(&check, "rate_millionths", rate->rate_millionths, 0, RULES_MAX_RATE);
    expect_window(&check, rate->start_time, rate->end_time);
}

void tax_exemption_check(const TaxExemption *exemption, const char *path, Findings *findings)
{
    const Expect check = { path, findings };

    expect_name(&check, "name", exemption->name, "taxExemptions/*", false);
    expect_name(&check, "customer", exemption->customer, "customers/*", false);
    expect_name(&check, "segment", exemption->segment, "segments/*", false);
    if (!*exemption->customer == !*exemption->segment)
        expect_fail(&check, "customer", "must be set, or a segment, and not both");
    expect_country(&check, "country", exemption->country, false);
    expect_name(&check, "tax_category", exemption->tax_category, "taxCategories/*", false);
    expect_text(&check, "reason", exemption->reason, 1, RULES_MAX_REASON);
    expect_window(&check, exemption->start_time, exemption->end_time);
}

void item_cost_check(const ItemCost *cost, const char *path, Findings *findings)
{
    const Expect check = { path, findings };

    expect_name(&check, "name", cost->name, "itemCosts/*", false);
    expect_sku(&check, "sku", cost->sku);
    expect_moneys(&check, "amounts", cost->amounts, cost->n_amounts, 1, 0);
}

void price_stop_check(const PriceStop *stop, const char *path, Findings *findings)
{
    const Expect check = { path, findings };

    expect_name(&check, "name", stop->name, "priceStops/*", false);
    switch (stop->what_case) {
    case THROUGHLINE__CATALOG__V1__PRICE_STOP__WHAT_SKU:
        expect_sku(&check, "sku", stop->sku);
        break;
    case THROUGHLINE__CATALOG__V1__PRICE_STOP__WHAT_CATEGORY:
        expect_category(&check, "category", stop->category);
        break;
    case THROUGHLINE__CATALOG__V1__PRICE_STOP__WHAT_PROMOTION:
        expect_name(&check, "promotion", stop->promotion, "promotions/*", true);
        break;
    default:
        expect_fail(&check, "what", "must be a sku, a category or a promotion");
    }
    expect_text(&check, "reason", stop->reason, 1, RULES_MAX_REASON);
}

static void check_roundings(const Expect *check, const PricingSettings *settings)
{
    expect_count(check, "roundings", settings->n_roundings, 0, RULES_MAX_AMOUNTS);
    for (size_t i = 0; i < settings->n_roundings && i < RULES_MAX_AMOUNTS; i++) {
        const CurrencyRounding *rounding = settings->roundings[i];
        const char *field = expect_at(check, "roundings", i);

        if (*rounding->currency && money_digits(rounding->currency) < 0)
            expect_fail(check, field, "\"%s\" is not an ISO 4217 currency", rounding->currency);
        if (!is_known(&throughline__catalog__v1__currency_rounding__mode__descriptor,
                (int)rounding->mode) ||
            !is_known(&throughline__catalog__v1__currency_rounding__tax_scope__descriptor,
                (int)rounding->tax_scope))
            expect_fail(check, field, "is not a way to round");
        for (size_t j = 0; j < i; j++)
            if (text_equal(settings->roundings[j]->currency, rounding->currency))
                expect_fail(check, field, "is for \"%s\" as another one is", rounding->currency);
    }
}

static bool has_channel(
    const Throughline__Catalog__V1__ChannelGroup *group, size_t n_channels, const char *channel)
{
    for (size_t i = 0; i < n_channels; i++)
        if (text_equal(group->channels[i], channel))
            return true;
    return false;
}

static void check_group(const Expect *check, const PricingSettings *settings, size_t index)
{
    const Throughline__Catalog__V1__ChannelGroup *group = settings->channel_groups[index];
    const char *field = expect_at(check, "channel_groups", index);

    expect_text(check, arena_printf(check->findings->arena, "%s.name", field), group->name, 1,
        RULES_MAX_WORD);
    expect_count(check, arena_printf(check->findings->arena, "%s.channels", field),
        group->n_channels, 1, SETTINGS_MAX_CHANNELS);
    for (size_t i = 0; i < group->n_channels && i < SETTINGS_MAX_CHANNELS; i++) {
        bool is_taken = has_channel(group, i, group->channels[i]);

        for (size_t j = 0; j < index && !is_taken; j++)
            is_taken = has_channel(settings->channel_groups[j],
                settings->channel_groups[j]->n_channels, group->channels[i]);
        if (is_taken || !*group->channels[i])
            expect_fail(check, field, "has the channel \"%s\", which must be in one group only",
                group->channels[i]);
    }
}

void settings_check(const PricingSettings *settings, const char *path, Findings *findings)
{
    const Expect check = { path, findings };

    expect_name(&check, "name", settings->name, "pricingSettings/*", false);
    check_roundings(&check, settings);
    expect_count(&check, "channel_groups", settings->n_channel_groups, 0, SETTINGS_MAX_GROUPS);
    for (size_t i = 0; i < settings->n_channel_groups && i < SETTINGS_MAX_GROUPS; i++)
        check_group(&check, settings, i);
    if (!is_known(&throughline__catalog__v1__pricing_settings__code_combination__descriptor,
            (int)settings->code_combination))
        expect_fail(&check, "code_combination", "is not a way to combine codes");
    expect_count(&check, "blackout_skus", settings->n_blackout_skus, 0, SELECTOR_MAX_SKUS);
    for (size_t i = 0; i < settings->n_blackout_skus && i < SELECTOR_MAX_SKUS; i++)
        if (!sku_is_valid(settings->blackout_skus[i]))
            expect_sku(&check, expect_at(&check, "blackout_skus", i), settings->blackout_skus[i]);
    expect_name(
        &check, "shipping_tax_category", settings->shipping_tax_category, "taxCategories/*", false);
    expect_range(&check, "utc_offset_minutes", settings->utc_offset_minutes,
        -UTC_OFFSET_MAX_MINUTES, UTC_OFFSET_MAX_MINUTES);
}
