/* Promotions of worked examples. */
#include "tests/unit/catalog/example.h"

#include "shared/codec/message.h"

#include <stdlib.h>
#include <string.h>

typedef Throughline__Catalog__V1__Selector Selector;
typedef Throughline__Catalog__V1__Tiers__Tier Tier;

/* One amount of the example's currency as a list. */
static Google__Type__Money **moneys(Example *example, const char *value, size_t *n_moneys)
{
    Google__Type__Money **list = arena_array(example->arena, 1, sizeof(*list));

    *n_moneys = 1;
    list[0] = example_money(example, value);
    return list;
}

static int32_t number(const char *value)
{
    return value ? atoi(value) : 0;
}

static const char *option_of(
    Example *example, const ExampleLine *line, const char *prefix, const char *key)
{
    return example_option(line, arena_printf(example->arena, "%s%s", prefix, key));
}

/* "key>=5", "key=red|blue", "key!=red", "key". */
static void read_predicate(Example *example, const char *value, Selector *selector)
{
    Throughline__Catalog__V1__AttributePredicate *predicate =
        message_new(example->arena, &throughline__catalog__v1__attribute_predicate__descriptor);
    size_t length = strcspn(value, "<>!=");
    const char *compare = value + length;
    char *values = arena_text(example->arena, compare + strcspn(compare, "=") + (*compare != '\0'));

    predicate->key = arena_text_of(example->arena, value, length);
    predicate->comparison =
        *compare == '>'   ? THROUGHLINE__CATALOG__V1__ATTRIBUTE_PREDICATE__COMPARISON__AT_LEAST
        : *compare == '<' ? THROUGHLINE__CATALOG__V1__ATTRIBUTE_PREDICATE__COMPARISON__AT_MOST
        : *compare == '!' ? THROUGHLINE__CATALOG__V1__ATTRIBUTE_PREDICATE__COMPARISON__NONE_OF
        : *compare == '=' ? THROUGHLINE__CATALOG__V1__ATTRIBUTE_PREDICATE__COMPARISON__ONE_OF
                          : THROUGHLINE__CATALOG__V1__ATTRIBUTE_PREDICATE__COMPARISON__PRESENT;
    for (char *at = values; (at = strchr(at, '|'));)
        *at = ',';
    if (*compare)
        predicate->values = example_list(example, values, &predicate->n_values);
    selector->attributes = arena_array(example->arena, 1, sizeof(*selector->attributes));
    selector->attributes[selector->n_attributes++] = predicate;
}

/* NULL when no word says anything of it. */
static Selector *read_selector(Example *example, const ExampleLine *line, const char *prefix)
{
    Selector *selector =
        message_new(example->arena, &throughline__catalog__v1__selector__descriptor);
    const char *has = option_of(example, line, prefix, "has");

    selector->skus =
        example_list(example, option_of(example, line, prefix, "skus"), &selector->n_skus);
    selector->products =
        example_list(example, option_of(example, line, prefix, "products"), &selector->n_products);
    selector->categories = example_list(
        example, option_of(example, line, prefix, "categories"), &selector->n_categories);
    selector->brands =
        example_list(example, option_of(example, line, prefix, "brands"), &selector->n_brands);
    selector->excluded_skus =
        example_list(example, option_of(example, line, prefix, "not"), &selector->n_excluded_skus);
    selector->excluded_categories = example_list(example,
        option_of(example, line, prefix, "not-categories"), &selector->n_excluded_categories);
    if (has)
        read_predicate(example, has, selector);
    return selector->n_skus || selector->n_products || selector->n_categories ||
                   selector->n_brands || selector->n_excluded_skus ||
                   selector->n_excluded_categories || has
               ? selector
               : NULL;
}

/* Effects. */

/* Either "10%" or "20.00". */
static void read_share(Example *example, const char *value, int32_t *basis_points,
    Google__Type__Money ***amounts, size_t *n_amounts)
{
    if (strchr(value, '%'))
        *basis_points = example_share(example, value);
    else
        *amounts = moneys(example, value, n_amounts);
}

static void read_amount_off(Example *example, const ExampleLine *line, Promotion *promotion)
{
    const char *per = example_option(line, "per");

    promotion->effect_case = THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_AMOUNT_OFF;
    promotion->amount_off =
        message_new(example->arena, &throughline__catalog__v1__amount_off__descriptor);
    promotion->amount_off->amounts =
        moneys(example, example_option(line, "off"), &promotion->amount_off->n_amounts);
    promotion->amount_off->unit =
        text_equal(per ? per : "once", "piece")  ? THROUGHLINE__CATALOG__V1__AMOUNT_OFF__UNIT__PIECE
        : text_equal(per ? per : "once", "line") ? THROUGHLINE__CATALOG__V1__AMOUNT_OFF__UNIT__LINE
                                                 : THROUGHLINE__CATALOG__V1__AMOUNT_OFF__UNIT__ONCE;
}

static void read_fixed_price(Example *example, const ExampleLine *line, Promotion *promotion)
{
    promotion->effect_case = THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_FIXED_PRICE;
    promotion->fixed_price =
        message_new(example->arena, &throughline__catalog__v1__fixed_price__descriptor);
    promotion->fixed_price->prices =
        moneys(example, example_option(line, "fixed"), &promotion->fixed_price->n_prices);
}

static void read_buy(Example *example, const ExampleLine *line, Promotion *promotion)
{
    const char *at = example_option(line, "less");
    Throughline__Catalog__V1__BuyXGetY *buy =
        message_new(example->arena, &throughline__catalog__v1__buy_xget_y__descriptor);

    promotion->effect_case = THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_BUY_X_GET_Y;
    promotion->buy_x_get_y = buy;
    buy->buy = number(example_option(line, "buy"));
    buy->get = number(example_option(line, "get"));
    buy->basis_points = at ? example_share(example, at) : 0;
    buy->max_times = number(example_option(line, "times"));
    buy->reward = read_selector(example, line, "reward.");
    if (example_flag(line, "dearest"))
        buy->choice = THROUGHLINE__CATALOG__V1__BUY_XGET_Y__CHOICE__DEAREST;
}

/* "2*sku" or "1*Outdoor > Tents": a SKU if a product has it. */
static void read_part(
    Example *example, const char *value, Throughline__Catalog__V1__BundlePrice *bundle)
{
    Throughline__Catalog__V1__BundlePart *part =
        message_new(example->arena, &throughline__catalog__v1__bundle_part__descriptor);
    const char *star = strchr(value, '*');
    bool is_sku = false;

    part->quantity = atoi(value);
    part->target = message_new(example->arena, &throughline__catalog__v1__selector__descriptor);
    for (size_t i = 0; star && i < example->n_products; i++)
        is_sku = is_sku || product_variant(example->products[i], star + 1);
    if (star && is_sku)
        part->target->skus = example_list(example, star + 1, &part->target->n_skus);
    else if (star)
        part->target->categories = example_list(example, star + 1, &part->target->n_categories);
    bundle->parts[bundle->n_parts++] = part;
}

static void read_bundle(Example *example, const ExampleLine *line, Promotion *promotion)
{
    Throughline__Catalog__V1__BundlePrice *bundle =
        message_new(example->arena, &throughline__catalog__v1__bundle_price__descriptor);
    size_t n_parts;
    char **parts = example_list(example, example_option(line, "bundle"), &n_parts);

    promotion->effect_case = THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_BUNDLE_PRICE;
    promotion->bundle_price = bundle;
    bundle->parts = arena_array(example->arena, n_parts, sizeof(*bundle->parts));
    for (size_t i = 0; i < n_parts; i++)
        read_part(example, parts[i], bundle);
    bundle->prices = moneys(example, example_option(line, "for"), &bundle->n_prices);
    bundle->max_times = number(example_option(line, "times"));
}

/* "100.00:5%" or, with pieces, "3:5%"; what comes off may be an amount. */
static Tier *read_tier(Example *example, const char *value, bool is_pieces)
{
    Tier *tier = message_new(example->arena, &throughline__catalog__v1__tiers__tier__descriptor);
    char *from = arena_text(example->arena, value);
    char *colon = strchr(from, ':');

    if (!colon)
        return tier;
    *colon = '\0';
    if (is_pieces)
        tier->min_quantity = atoi(from);
    else
        tier->min_spend = moneys(example, from, &tier->n_min_spend);
    read_share(example, colon + 1, &tier->basis_points, &tier->amounts, &tier->n_amounts);
    return tier;
}

static void read_tiers(Example *example, const char *value, bool is_pieces, Promotion *promotion)
{
    size_t n_steps;
    char **steps = example_list(example, value, &n_steps);

    promotion->effect_case = THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_TIERS;
    promotion->tiers = message_new(example->arena, &throughline__catalog__v1__tiers__descriptor);
    promotion->tiers->tiers = arena_array(example->arena, n_steps, sizeof(Tier *));
    for (size_t i = 0; i < n_steps; i++)
        promotion->tiers->tiers[promotion->tiers->n_tiers++] =
            read_tier(example, steps[i], is_pieces);
}

static void read_gift(Example *example, const char *value, Promotion *promotion)
{
    const char *star = strchr(value, '*');

    promotion->effect_case = THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_GIFT;
    promotion->gift = message_new(example->arena, &throughline__catalog__v1__gift__descriptor);
    promotion->gift->quantity = atoi(value);
    promotion->gift->sku = arena_text(example->arena, star ? star + 1 : "");
}

static void read_nth(Example *example, const ExampleLine *line, Promotion *promotion)
{
    promotion->effect_case = THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_NTH_ITEM;
    promotion->nth_item =
        message_new(example->arena, &throughline__catalog__v1__nth_item__descriptor);
    promotion->nth_item->n = number(example_option(line, "nth"));
    promotion->nth_item->basis_points = example_share(example, example_option(line, "less"));
}

static void read_cart_off(Example *example, const char *value, Promotion *promotion)
{
    promotion->effect_case = THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_CART_OFF;
    promotion->cart_off =
        message_new(example->arena, &throughline__catalog__v1__cart_off__descriptor);
    read_share(example, value, &promotion->cart_off->basis_points, &promotion->cart_off->amounts,
        &promotion->cart_off->n_amounts);
}

static void read_shipping_off(Example *example, const ExampleLine *line, Promotion *promotion)
{
    Throughline__Catalog__V1__ShippingOff *off =
        message_new(example->arena, &throughline__catalog__v1__shipping_off__descriptor);

    promotion->effect_case = THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_SHIPPING_OFF;
    promotion->shipping_off = off;
    read_share(example, example_option(line, "shipping"), &off->basis_points, &off->amounts,
        &off->n_amounts);
    off->methods = example_list(example, example_option(line, "methods"), &off->n_methods);
}

static void read_effect(Example *example, const ExampleLine *line, Promotion *promotion)
{
    if (example_option(line, "percent"))
        promotion->basis_points = example_share(example, example_option(line, "percent"));
    else if (example_option(line, "off"))
        read_amount_off(example, line, promotion);
    else if (example_option(line, "fixed"))
        read_fixed_price(example, line, promotion);
    else if (example_option(line, "buy"))
        read_buy(example, line, promotion);
    else if (example_option(line, "bundle"))
        read_bundle(example, line, promotion);
    else if (example_option(line, "spend"))
        read_tiers(example, example_option(line, "spend"), false, promotion);
    else if (example_option(line, "pieces"))
        read_tiers(example, example_option(line, "pieces"), true, promotion);
    else if (example_option(line, "gift"))
        read_gift(example, example_option(line, "gift"), promotion);
    else if (example_option(line, "nth"))
        read_nth(example, line, promotion);
    else if (example_option(line, "cart"))
        read_cart_off(example, example_option(line, "cart"), promotion);
    else if (example_option(line, "shipping"))
        read_shipping_off(example, line, promotion);
    else
        example_problem(example, line, "it does nothing");
}

/* Conditions. */

/* "17:00-19:00", with days=1,2,…. */
static void read_hours(
    Example *example, const ExampleLine *line, Throughline__Catalog__V1__PromotionConditions *when)
{
    const char *value = example_option(line, "hours");
    size_t n_days;
    char **days = example_list(example, example_option(line, "days"), &n_days);
    Throughline__Catalog__V1__Hours *hours;
    int from_hour = 0, from_minute = 0, until_hour = 24, until_minute = 0;

    if (!value && n_days == 0)
        return;
    if (value &&
        sscanf(value, "%d:%d-%d:%d", &from_hour, &from_minute, &until_hour, &until_minute) != 4)
        example_problem(example, line, "hours are like 17:00-19:00");
    hours = message_new(example->arena, &throughline__catalog__v1__hours__descriptor);
    hours->from_minute = 60 * from_hour + from_minute;
    hours->until_minute = 60 * until_hour + until_minute;
    hours->days = arena_array(example->arena, n_days, sizeof(*hours->days));
    for (size_t i = 0; i < n_days; i++)
        hours->days[hours->n_days++] = atoi(days[i]);
    when->hours = arena_array(example->arena, 1, sizeof(*when->hours));
    when->hours[when->n_hours++] = hours;
}

static char **names_of(Example *example, const char *collection, const char *value, size_t *n_names)
{
    char **names = example_list(example, value, n_names);

    for (size_t i = 0; i < *n_names; i++)
        names[i] = arena_printf(example->arena, "%s/%s", collection, names[i]);
    return names;
}

static void read_conditions(Example *example, const ExampleLine *line, Promotion *promotion)
{
    Throughline__Catalog__V1__PromotionConditions *when =
        message_new(example->arena, &throughline__catalog__v1__promotion_conditions__descriptor);

    when->countries = example_list(example, example_option(line, "country"), &when->n_countries);
    when->channel_groups =
        example_list(example, example_option(line, "channels"), &when->n_channel_groups);
    when->segments =
        names_of(example, "segments", example_option(line, "segments"), &when->n_segments);
    when->locations = example_list(example, example_option(line, "location"), &when->n_locations);
    when->customers =
        names_of(example, "customers", example_option(line, "customers"), &when->n_customers);
    if (example_option(line, "min"))
        when->min_spend = moneys(example, example_option(line, "min"), &when->n_min_spend);
    when->min_quantity = number(example_option(line, "min-pieces"));
    when->is_first_order = example_flag(line, "first-order");
    when->requires = read_selector(example, line, "requires.");
    read_hours(example, line, when);
    promotion->conditions = when;
}

Promotion *example_promotion(Example *example, const ExampleLine *line)
{
    Promotion *promotion =
        message_new(example->arena, &throughline__catalog__v1__promotion__descriptor);

    promotion->name = arena_printf(example->arena, "promotions/%s", example_word(line, 1));
    promotion->title = arena_text(example->arena, example_word(line, 1));
    promotion->code = arena_text(example->arena, example_option(line, "code"));
    promotion->category = arena_text(example->arena, example_option(line, "category"));
    promotion->start_time = example_time(example, example_option(line, "start"));
    promotion->end_time = example_time(example, example_option(line, "end"));
    promotion->target = read_selector(example, line, "");
    promotion->priority = number(example_option(line, "priority"));
    promotion->stacking_group = arena_text(example->arena, example_option(line, "group"));
    promotion->is_exclusive = example_flag(line, "exclusive");
    promotion->needs_coupon = example_flag(line, "coupon");
    promotion->total_limit = number(example_option(line, "limit"));
    promotion->customer_limit = number(example_option(line, "customer-limit"));
    if (example_option(line, "budget"))
        promotion->budget = example_money(example, example_option(line, "budget"));
    if (example_option(line, "customer-budget"))
        promotion->customer_budget =
            example_money(example, example_option(line, "customer-budget"));
    if (example_option(line, "margin"))
        promotion->min_margin_basis_points = example_share(example, example_option(line, "margin"));
    read_conditions(example, line, promotion);
    read_effect(example, line, promotion);
    return promotion;
}
