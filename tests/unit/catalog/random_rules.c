#include "tests/unit/catalog/random_rules.h"

#include "shared/base/money.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/unit/catalog/builders.h"

#include <stdlib.h>
#include <string.h>

typedef Throughline__Catalog__V1__Selector Selector;

static const char *const categories[] = { "", "Outdoor", "Outdoor > Tents",
    "Outdoor > Tents > Large", "Kitchen", "Kitchen > Pots" };
static const char *const currencies[] = { "EUR", "JPY", "KWD" };
static const char *const groups[] = { "", "", "season", "club" };

/* 0 … limit - 1. */
static int any(World *world, int limit)
{
    return rand_r(&world->seed) % limit;
}

static bool one_in(World *world, int n)
{
    return any(world, n) == 0;
}

static int64_t any_amount(World *world)
{
    return ((int64_t)any(world, 1 << 20) + 1) >> any(world, 18);
}

static Google__Type__Money *any_money(World *world)
{
    return money_message(world->arena, world->input.currency, 1 + any_amount(world));
}

static Google__Type__Money **any_moneys(World *world, size_t *n_moneys)
{
    Google__Type__Money **list = arena_array(world->arena, 1, sizeof(*list));

    *n_moneys = 1;
    list[0] = any_money(world);
    return list;
}

static char *sku_of(World *world, int index)
{
    return arena_printf(world->arena, "p%d", index);
}

static char **one_text(World *world, const char *value, size_t *n_texts)
{
    char **list = arena_array(world->arena, 1, sizeof(*list));

    *n_texts = 1;
    list[0] = text(world->arena, value);
    return list;
}

static void any_window(
    World *world, Google__Protobuf__Timestamp **start, Google__Protobuf__Timestamp **end)
{
    if (one_in(world, 4))
        *start = timestamp_from_micros(world->arena, some_noon - 10 + any(world, 12));
    if (one_in(world, 4))
        *end = timestamp_from_micros(world->arena, some_noon + 3 + any(world, 10));
}

/* The cart. */

static void make_cart(World *world)
{
    world->input.n_items = 1 + (size_t)any(world, WORLD_MAX_LINES);
    for (size_t i = 0; i < world->input.n_items; i++) {
        QuoteLine *line =
            message_new(world->arena, &throughline__catalog__v1__quote_line__descriptor);
        Product *product = a_simple_product(world->arena, sku_of(world, (int)i),
            categories[any(world, COUNT(categories))], world->input.currency, any_amount(world));

        product->brand = text(world->arena, one_in(world, 2) ? "Fernweh" : "Steiner");
        line->sku = product->variants[0]->sku;
        line->quantity = 1 + any(world, one_in(world, 4) ? 1000 : 6);
        world->items[i] = (PricingItem){ line, product };
    }
    if (one_in(world, 2)) {
        world->shipping = (PricingShipping){ "post", any_amount(world), one_in(world, 3) };
        world->input.shipping = &world->shipping;
    }
    if (one_in(world, 8)) {
        world->overrides[0] =
            (PricingOverride){ sku_of(world, 0), any_amount(world), "goodwill", "agents/ann" };
        world->input.n_overrides = 1;
    }
}

static void make_context(World *world)
{
    PricingContext *context = &world->input.context;

    context->country = one_in(world, 4) ? "" : "DE";
    context->region = one_in(world, 2) ? "NY" : "";
    context->location = one_in(world, 2) ? "berlin" : "";
    context->channel = one_in(world, 2) ? "web" : "pos";
    context->customer = one_in(world, 2) ? "customers/ann" : "";
    world->segments[0] = "segments/gold";
    world->segments[1] = "segments/club";
    context->segments = world->segments;
    context->n_segments = (size_t)any(world, 3);
    context->is_first_order = one_in(world, 2);
}

/* Rules. */

/* Rows of one SKU differ in what they name, so that no two are for the same. */
static void make_rows(World *world)
{
    for (int i = any(world, WORLD_MAX_ROWS + 1); i > 0; i--) {
        PriceRow *row = message_new(world->arena, &throughline__catalog__v1__price_row__descriptor);

        row->name = arena_printf(world->arena, "priceRows/%d", i);
        row->sku = sku_of(world, any(world, WORLD_MAX_LINES));
        row->amount = any_money(world);
        row->country = text(world->arena, one_in(world, 3) ? "DE" : "");
        row->segment = text(world->arena, one_in(world, 4) ? "segments/gold" : "");
        row->location = text(world->arena, one_in(world, 5) ? "berlin" : "");
        row->channel_group = text(world->arena, one_in(world, 5) ? "online" : "");
        row->min_quantity = i; /* unlike any other's */
        row->is_net = one_in(world, 3);
        if (one_in(world, 4))
            row->kind = THROUGHLINE__CATALOG__V1__PRICE_ROW__KIND__SALE;
        any_window(world, &row->start_time, &row->end_time);
        world->set.price_rows[world->set.n_price_rows++] = row;
    }
}

static Selector *any_selector(World *world)
{
    Selector *selector = message_new(world->arena, &throughline__catalog__v1__selector__descriptor);

    switch (any(world, 4)) {
    case 0:
        selector->skus =
            one_text(world, sku_of(world, any(world, WORLD_MAX_LINES)), &selector->n_skus);
        break;
    case 1:
        selector->categories = one_text(
            world, categories[1 + any(world, COUNT(categories) - 1)], &selector->n_categories);
        break;
    case 2:
        selector->brands = one_text(world, "Fernweh", &selector->n_brands);
        break;
    default:
        selector->excluded_skus =
            one_text(world, sku_of(world, any(world, WORLD_MAX_LINES)), &selector->n_excluded_skus);
    }
    return selector;
}

static void any_buy(World *world, Promotion *promotion)
{
    Throughline__Catalog__V1__BuyXGetY *buy =
        message_new(world->arena, &throughline__catalog__v1__buy_xget_y__descriptor);

    promotion->effect_case = THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_BUY_X_GET_Y;
    promotion->buy_x_get_y = buy;
    buy->buy = 1 + any(world, 3);
    buy->get = 1 + any(world, 2);
    buy->basis_points = one_in(world, 2) ? 0 : 1 + any(world, PROMOTION_WHOLE);
    buy->max_times = one_in(world, 3) ? 1 + any(world, 3) : 0;
    if (one_in(world, 3))
        buy->reward = any_selector(world);
    if (one_in(world, 3))
        buy->choice = THROUGHLINE__CATALOG__V1__BUY_XGET_Y__CHOICE__DEAREST;
}

static void any_bundle(World *world, Promotion *promotion)
{
    Throughline__Catalog__V1__BundlePrice *bundle =
        message_new(world->arena, &throughline__catalog__v1__bundle_price__descriptor);

    promotion->effect_case = THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_BUNDLE_PRICE;
    promotion->bundle_price = bundle;
    bundle->parts = arena_array(world->arena, 2, sizeof(*bundle->parts));
    for (int i = 1 + any(world, 2); i > 0; i--) {
        Throughline__Catalog__V1__BundlePart *part =
            message_new(world->arena, &throughline__catalog__v1__bundle_part__descriptor);

        part->target = any_selector(world);
        part->quantity = 1 + any(world, 3);
        bundle->parts[bundle->n_parts++] = part;
    }
    bundle->prices = any_moneys(world, &bundle->n_prices);
    bundle->max_times = one_in(world, 3) ? 2 : 0;
}

static void any_tiers(World *world, Promotion *promotion)
{
    Throughline__Catalog__V1__Tiers *tiers =
        message_new(world->arena, &throughline__catalog__v1__tiers__descriptor);

    promotion->effect_case = THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_TIERS;
    promotion->tiers = tiers;
    tiers->tiers = arena_array(world->arena, 3, sizeof(*tiers->tiers));
    for (int i = 0; i < 3; i++) {
        Throughline__Catalog__V1__Tiers__Tier *tier =
            message_new(world->arena, &throughline__catalog__v1__tiers__tier__descriptor);

        tier->min_quantity = 1 + 4 * i;
        if (i == 1)
            tier->amounts = any_moneys(world, &tier->n_amounts);
        else
            tier->basis_points = 1 + any(world, PROMOTION_WHOLE);
        tiers->tiers[tiers->n_tiers++] = tier;
    }
}

static void any_amount_off(World *world, Promotion *promotion)
{
    Throughline__Catalog__V1__AmountOff *off =
        message_new(world->arena, &throughline__catalog__v1__amount_off__descriptor);

    promotion->effect_case = THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_AMOUNT_OFF;
    promotion->amount_off = off;
    off->amounts = any_moneys(world, &off->n_amounts);
    off->unit = (Throughline__Catalog__V1__AmountOff__Unit)(1 + any(world, 3));
}

static void any_cart_off(World *world, Promotion *promotion)
{
    Throughline__Catalog__V1__CartOff *off =
        message_new(world->arena, &throughline__catalog__v1__cart_off__descriptor);

    promotion->effect_case = THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_CART_OFF;
    promotion->cart_off = off;
    if (one_in(world, 2))
        off->amounts = any_moneys(world, &off->n_amounts);
    else
        off->basis_points = 1 + any(world, PROMOTION_WHOLE);
}

static void any_shipping_off(World *world, Promotion *promotion)
{
    promotion->effect_case = THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_SHIPPING_OFF;
    promotion->shipping_off =
        message_new(world->arena, &throughline__catalog__v1__shipping_off__descriptor);
    promotion->shipping_off->basis_points = 1 + any(world, PROMOTION_WHOLE);
}

static void any_effect(World *world, Promotion *promotion)
{
    switch (any(world, 10)) {
    case 0:
        any_amount_off(world, promotion);
        break;
    case 1:
        promotion->effect_case = THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_FIXED_PRICE;
        promotion->fixed_price =
            message_new(world->arena, &throughline__catalog__v1__fixed_price__descriptor);
        promotion->fixed_price->prices = any_moneys(world, &promotion->fixed_price->n_prices);
        break;
    case 2:
        any_buy(world, promotion);
        break;
    case 3:
        any_bundle(world, promotion);
        break;
    case 4:
        any_tiers(world, promotion);
        break;
    case 5:
        any_cart_off(world, promotion);
        break;
    case 6:
        any_shipping_off(world, promotion);
        break;
    case 7:
        promotion->effect_case = THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_NTH_ITEM;
        promotion->nth_item =
            message_new(world->arena, &throughline__catalog__v1__nth_item__descriptor);
        promotion->nth_item->n = 2 + any(world, 3);
        promotion->nth_item->basis_points = 1 + any(world, PROMOTION_WHOLE);
        break;
    case 8:
        promotion->effect_case = THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_GIFT;
        promotion->gift = message_new(world->arena, &throughline__catalog__v1__gift__descriptor);
        promotion->gift->sku = sku_of(world, 0);
        promotion->gift->quantity = 1;
        break;
    default:
        promotion->basis_points = 1 + any(world, PROMOTION_WHOLE);
    }
}

static void any_conditions(World *world, Promotion *promotion)
{
    Throughline__Catalog__V1__PromotionConditions *when =
        message_new(world->arena, &throughline__catalog__v1__promotion_conditions__descriptor);

    if (one_in(world, 4))
        when->min_spend = any_moneys(world, &when->n_min_spend);
    if (one_in(world, 6))
        when->countries = one_text(world, "DE", &when->n_countries);
    if (one_in(world, 6))
        when->segments = one_text(world, "segments/gold", &when->n_segments);
    if (one_in(world, 6))
        when->channel_groups = one_text(world, "online", &when->n_channel_groups);
    when->is_first_order = one_in(world, 8);
    when->min_quantity = one_in(world, 6) ? any(world, 10) : 0;
    if (one_in(world, 8))
    when->requires = any_selector(world);
    promotion->conditions = when;
}

static void any_limits(World *world, Promotion *promotion)
{
    promotion->priority = one_in(world, 3) ? any(world, 5) - 2 : 0;
    promotion->stacking_group = text(world->arena, groups[any(world, COUNT(groups))]);
    promotion->is_exclusive = one_in(world, 8);
    if (one_in(world, 6))
        promotion->budget = any_moneys(world, &(size_t){ 0 })[0];
    if (one_in(world, 6))
        promotion->customer_budget = any_moneys(world, &(size_t){ 0 })[0];
    if (one_in(world, 6))
        promotion->min_margin_basis_points = 1 + any(world, PROMOTION_WHOLE - 1);
    if (one_in(world, 6)) {
        promotion->total_limit = 10;
        world->usages[world->input.n_usages++] = (PricingUsage){ promotion->name, any(world, 3),
            INT64_MAX, any_amount(world), any_amount(world) };
    }
}

static void make_promotions(World *world)
{
    for (int i = any(world, WORLD_MAX_PROMOTIONS + 1); i > 0; i--) {
        Promotion *promotion =
            message_new(world->arena, &throughline__catalog__v1__promotion__descriptor);

        promotion->name = arena_printf(world->arena, "promotions/%d", i);
        promotion->title = arena_printf(world->arena, "Promotion %d", i);
        any_effect(world, promotion);
        any_conditions(world, promotion);
        any_limits(world, promotion);
        any_window(world, &promotion->start_time, &promotion->end_time);
        if (one_in(world, 2) &&
            promotion->effect_case != THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_BUNDLE_PRICE)
            promotion->target = any_selector(world);
        if (one_in(world, 4))
            promotion->code = arena_printf(world->arena, "CODE-%d", i);
        if (*promotion->code && world->input.n_codes < WORLD_MAX_CODES)
            world->codes[world->input.n_codes++] = (PricingCode){ .code = promotion->code };
        world->set.promotions[world->set.n_promotions++] = promotion;
    }
}

static void make_taxes(World *world)
{
    static const char *const names[] = { "goods", "food" };

    for (size_t i = 0; i < COUNT(names); i++) {
        TaxCategory *category =
            message_new(world->arena, &throughline__catalog__v1__tax_category__descriptor);

        category->name = arena_printf(world->arena, "taxCategories/%s", names[i]);
        category->title = text(world->arena, names[i]);
        category->is_default = i == 0;
        if (i == 1)
            category->categories = one_text(world, "Kitchen", &category->n_categories);
        world->set.tax_categories[world->set.n_tax_categories++] = category;
    }
    for (int i = any(world, 5); i > 0; i--) {
        TaxRate *rate = message_new(world->arena, &throughline__catalog__v1__tax_rate__descriptor);

        rate->name = arena_printf(world->arena, "taxRates/%d", i);
        rate->title = text(world->arena, "tax");
        rate->country = text(world->arena, "DE");
        rate->region = text(world->arena, one_in(world, 3) ? "NY" : "");
        rate->tax_category = world->set.tax_categories[any(world, 2)]->name;
        rate->rate_millionths = any(world, 400000);
        rate->is_compound = one_in(world, 3);
        rate->position = i;
        world->set.tax_rates[world->set.n_tax_rates++] = rate;
    }
    if (one_in(world, 5)) {
        TaxExemption *exemption =
            message_new(world->arena, &throughline__catalog__v1__tax_exemption__descriptor);

        exemption->name = text(world->arena, "taxExemptions/1");
        exemption->segment = text(world->arena, "segments/club");
        exemption->reason = text(world->arena, "certificate");
        world->set.tax_exemptions[world->set.n_tax_exemptions++] = exemption;
    }
}

static void make_costs(World *world)
{
    for (int i = 0; i < WORLD_MAX_LINES; i++) {
        ItemCost *cost =
            message_new(world->arena, &throughline__catalog__v1__item_cost__descriptor);

        if (one_in(world, 3))
            continue;
        cost->name = arena_printf(world->arena, "itemCosts/p%d", i);
        cost->sku = sku_of(world, i);
        cost->amounts = any_moneys(world, &cost->n_amounts);
        world->set.item_costs[world->set.n_item_costs++] = cost;
    }
}

static void make_settings(World *world)
{
    PricingSettings *settings = world->set.settings;
    CurrencyRounding *rounding =
        message_new(world->arena, &throughline__catalog__v1__currency_rounding__descriptor);
    Throughline__Catalog__V1__ChannelGroup *online =
        message_new(world->arena, &throughline__catalog__v1__channel_group__descriptor);

    rounding->mode = (Throughline__Catalog__V1__CurrencyRounding__Mode)(1 + any(world, 3));
    rounding->tax_scope = (Throughline__Catalog__V1__CurrencyRounding__TaxScope)(1 + any(world, 2));
    settings->roundings = arena_array(world->arena, 1, sizeof(*settings->roundings));
    settings->roundings[settings->n_roundings++] = rounding;
    online->name = text(world->arena, "online");
    online->channels = one_text(world, "web", &online->n_channels);
    settings->channel_groups = arena_array(world->arena, 1, sizeof(*settings->channel_groups));
    settings->channel_groups[settings->n_channel_groups++] = online;
    settings->code_combination =
        (Throughline__Catalog__V1__PricingSettings__CodeCombination)(1 + any(world, 2));
    if (one_in(world, 4))
        settings->blackout_skus = one_text(world, "p1", &settings->n_blackout_skus);
    settings->shipping_tax_category = text(world->arena, "taxCategories/goods");
}

void world_make(World *world, Arena *arena, unsigned seed)
{
    RuleSet *set = &world->set;

    *world = (World){ .arena = arena, .seed = seed };
    throughline__catalog__v1__rule_set__init(set);
    set->release = 1;
    set->price_rows = arena_array(arena, WORLD_MAX_ROWS, sizeof(*set->price_rows));
    set->promotions = arena_array(arena, WORLD_MAX_PROMOTIONS, sizeof(*set->promotions));
    set->tax_categories = arena_array(arena, 2, sizeof(*set->tax_categories));
    set->tax_rates = arena_array(arena, 4, sizeof(*set->tax_rates));
    set->tax_exemptions = arena_array(arena, 1, sizeof(*set->tax_exemptions));
    set->item_costs = arena_array(arena, WORLD_MAX_LINES, sizeof(*set->item_costs));
    set->settings = message_new(arena, &throughline__catalog__v1__pricing_settings__descriptor);
    world->input = (PricingInput){
        .currency = currencies[any(world, COUNT(currencies))],
        .now = some_noon,
        .items = world->items,
        .codes = world->codes,
        .usages = world->usages,
        .overrides = world->overrides,
        .allows_unused_codes = true,
    };
    make_cart(world);
    make_context(world);
    make_rows(world);
    make_promotions(world);
    make_taxes(world);
    make_costs(world);
    make_settings(world);
    world->seed = seed;
}

void world_find_codes(World *world, const Rules *rules)
{
    for (size_t i = 0; i < world->input.n_codes; i++)
        world->codes[i].promotion = rules_promotion_by_code(rules, world->codes[i].code);
}
