/* Rules of worked examples: prices, costs, stops, taxes, settings; promotions are read by example_promotion.c. */
#include "tests/unit/catalog/example.h"

#include "shared/base/money.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <stdlib.h>

static void read_price(Example *example, const ExampleLine *line)
{
    PriceRow *row = message_new(example->arena, &throughline__catalog__v1__price_row__descriptor);
    const char *from = example_option(line, "from");
    const char *currency = example_option(line, "currency");

    row->name = example_name(example, "priceRows", example_word(line, 1));
    row->sku = example_text(example, example_word(line, 2));
    row->amount = example_money(example, example_word(line, 3));
    if (currency)
        row->amount->currency_code = example_text(example, currency);
    row->country = example_text(example, example_option(line, "country"));
    row->channel_group = example_text(example, example_option(line, "channels"));
    row->segment = example_name(example, "segments", example_option(line, "segment"));
    row->location = example_text(example, example_option(line, "location"));
    row->min_quantity = from ? atoi(from) : 0;
    row->start_time = example_time(example, example_option(line, "start"));
    row->end_time = example_time(example, example_option(line, "end"));
    row->is_net = example_flag(line, "net");
    if (example_option(line, "was"))
        row->list_amount = example_money(example, example_option(line, "was"));
    if (example_flag(line, "sale"))
        row->kind = THROUGHLINE__CATALOG__V1__PRICE_ROW__KIND__SALE;
    example->set.price_rows[example->set.n_price_rows++] = row;
}

static void read_cost(Example *example, const ExampleLine *line)
{
    ItemCost *cost = message_new(example->arena, &throughline__catalog__v1__item_cost__descriptor);

    cost->name = example_name(example, "itemCosts", example_word(line, 1));
    cost->sku = example_text(example, example_word(line, 1));
    cost->n_amounts = 1;
    cost->amounts = arena_array(example->arena, 1, sizeof(*cost->amounts));
    cost->amounts[0] = example_money(example, example_word(line, 2));
    example->set.item_costs[example->set.n_item_costs++] = cost;
}

static void read_stop(Example *example, const ExampleLine *line)
{
    PriceStop *stop =
        message_new(example->arena, &throughline__catalog__v1__price_stop__descriptor);

    stop->name = arena_printf(example->arena, "priceStops/%zu", example->set.n_price_stops);
    stop->reason = example_text(example, "example");
    if (example_option(line, "sku")) {
        stop->what_case = THROUGHLINE__CATALOG__V1__PRICE_STOP__WHAT_SKU;
        stop->sku = example_text(example, example_option(line, "sku"));
    } else if (example_option(line, "category")) {
        stop->what_case = THROUGHLINE__CATALOG__V1__PRICE_STOP__WHAT_CATEGORY;
        stop->category = example_text(example, example_option(line, "category"));
    } else {
        stop->what_case = THROUGHLINE__CATALOG__V1__PRICE_STOP__WHAT_PROMOTION;
        stop->promotion = example_name(example, "promotions", example_option(line, "promotion"));
    }
    example->set.price_stops[example->set.n_price_stops++] = stop;
}

static void read_tax_category(Example *example, const ExampleLine *line)
{
    TaxCategory *category =
        message_new(example->arena, &throughline__catalog__v1__tax_category__descriptor);

    category->name = example_name(example, "taxCategories", example_word(line, 1));
    category->title = example_text(example, example_word(line, 1));
    category->is_default = example_flag(line, "default");
    category->skus = example_list(example, example_option(line, "skus"), &category->n_skus);
    category->categories =
        example_list(example, example_option(line, "categories"), &category->n_categories);
    example->set.tax_categories[example->set.n_tax_categories++] = category;
}

static void read_tax(Example *example, const ExampleLine *line)
{
    TaxRate *rate = message_new(example->arena, &throughline__catalog__v1__tax_rate__descriptor);
    const char *position = example_option(line, "position");

    rate->name = example_name(example, "taxRates", example_word(line, 1));
    rate->title = example_text(example, example_word(line, 1));
    rate->tax_category = example_name(example, "taxCategories", example_word(line, 2));
    rate->country = example_text(example, example_word(line, 3));
    rate->rate_millionths = (int32_t)example_percentage(example, "CLF", example_word(line, 4));
    rate->region = example_text(example, example_option(line, "region"));
    rate->position = position ? atoi(position) : 0;
    rate->is_compound = example_flag(line, "compound");
    rate->start_time = example_time(example, example_option(line, "start"));
    rate->end_time = example_time(example, example_option(line, "end"));
    example->set.tax_rates[example->set.n_tax_rates++] = rate;
}

static void read_exemption(Example *example, const ExampleLine *line)
{
    TaxExemption *exemption =
        message_new(example->arena, &throughline__catalog__v1__tax_exemption__descriptor);

    exemption->name = example_name(example, "taxExemptions", example_word(line, 1));
    exemption->customer = example_name(example, "customers", example_option(line, "customer"));
    exemption->segment = example_name(example, "segments", example_option(line, "segment"));
    exemption->country = example_text(example, example_option(line, "country"));
    exemption->tax_category =
        example_name(example, "taxCategories", example_option(line, "category"));
    exemption->reason = example_text(example, "certificate");
    exemption->end_time = example_time(example, example_option(line, "end"));
    example->set.tax_exemptions[example->set.n_tax_exemptions++] = exemption;
}

static void read_rounding(Example *example, const ExampleLine *line)
{
    PricingSettings *settings = example->set.settings;
    CurrencyRounding *rounding =
        message_new(example->arena, &throughline__catalog__v1__currency_rounding__descriptor);

    rounding->currency = example_text(example, example_option(line, "currency"));
    rounding->mode = example_flag(line, "half-even")
                         ? THROUGHLINE__CATALOG__V1__CURRENCY_ROUNDING__MODE__HALF_EVEN
                     : example_flag(line, "half-down")
                         ? THROUGHLINE__CATALOG__V1__CURRENCY_ROUNDING__MODE__HALF_DOWN
                         : THROUGHLINE__CATALOG__V1__CURRENCY_ROUNDING__MODE__HALF_UP;
    rounding->tax_scope = example_flag(line, "document")
                              ? THROUGHLINE__CATALOG__V1__CURRENCY_ROUNDING__TAX_SCOPE__DOCUMENT
                              : THROUGHLINE__CATALOG__V1__CURRENCY_ROUNDING__TAX_SCOPE__LINE;
    settings->roundings[settings->n_roundings++] = rounding;
}

static void read_channels(Example *example, const ExampleLine *line)
{
    PricingSettings *settings = example->set.settings;
    Throughline__Catalog__V1__ChannelGroup *group =
        message_new(example->arena, &throughline__catalog__v1__channel_group__descriptor);

    group->name = example_text(example, example_word(line, 1));
    group->channels = example_list(example, example_word(line, 2), &group->n_channels);
    settings->channel_groups[settings->n_channel_groups++] = group;
}

static void read_settings(Example *example, const ExampleLine *line)
{
    PricingSettings *settings = example->set.settings;

    if (example_flag(line, "best-deal"))
        settings->code_combination =
            THROUGHLINE__CATALOG__V1__PRICING_SETTINGS__CODE_COMBINATION__BEST_DEAL;
    if (example_option(line, "blackout"))
        settings->blackout_skus =
            example_list(example, example_option(line, "blackout"), &settings->n_blackout_skus);
    if (example_option(line, "shipping-tax"))
        settings->shipping_tax_category =
            example_name(example, "taxCategories", example_option(line, "shipping-tax"));
    if (example_option(line, "offset"))
        settings->utc_offset_minutes = atoi(example_option(line, "offset"));
}

static void read_promotion(Example *example, const ExampleLine *line)
{
    example->set.promotions[example->set.n_promotions++] = example_promotion(example, line);
}

static const struct {
    const char *word;
    void (*read)(Example *example, const ExampleLine *line);
} readers[] = {
    { "price", read_price },
    { "cost", read_cost },
    { "stop", read_stop },
    { "promotion", read_promotion },
    { "taxcategory", read_tax_category },
    { "tax", read_tax },
    { "exempt", read_exemption },
    { "rounding", read_rounding },
    { "channels", read_channels },
    { "settings", read_settings },
};

bool example_rule(Example *example, const ExampleLine *line)
{
    for (size_t i = 0; i < COUNT(readers); i++)
        if (text_equal(line->words[0], readers[i].word)) {
            readers[i].read(example, line);
            return true;
        }
    return false;
}
