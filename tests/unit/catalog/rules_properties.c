#include "tests/unit/catalog/rules_properties.h"

#include "services/catalog/domain/rules_check.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/support/test_main.h"

#include <stdlib.h>

int64_t property_minor(const Google__Type__Money *money)
{
    int64_t value = 0;

    if (money)
        CU_ASSERT_FATAL(money_minor(money, &value));
    return value;
}

Quote *property_price(const PricingInput *input, Arena *arena)
{
    Quote *quote = message_new(arena, &throughline__catalog__v1__quote__descriptor);

    CU_ASSERT_PTR_NULL_FATAL(pricing_quote(input, arena, quote));
    return quote;
}

Quote *property_price_with(const Trial *trial, const RuleSet *set)
{
    World world = trial->world;
    Rules *rules = rules_compile(set);
    Quote *quote;

    world.input.codes = world.codes;
    world.input.rules = rules;
    world_find_codes(&world, rules);
    quote = property_price(&world.input, world.arena);
    rules_release(rules);
    return quote;
}

static void shuffle(void **list, size_t n_items, unsigned *seed)
{
    for (size_t i = n_items; i > 1; i--) {
        size_t j = (size_t)rand_r(seed) % i;
        void *kept = list[i - 1];

        list[i - 1] = list[j];
        list[j] = kept;
    }
}

static int64_t taken_from(Adjustment *const *adjustments, size_t n_adjustments)
{
    int64_t sum = 0;

    for (size_t i = 0; i < n_adjustments; i++)
        sum += property_minor(adjustments[i]->amount);
    return sum;
}

/* Sums. */

static bool list_is_unit_times_quantity(const Trial *trial)
{
    for (size_t i = 0; i < trial->quote->n_lines; i++)
        if (property_minor(trial->quote->lines[i]->list_total) !=
            property_minor(trial->quote->lines[i]->unit_price) * trial->quote->lines[i]->quantity)
            return false;
    return trial->quote->n_lines == trial->world.input.n_items;
}

static bool every_line_is_explained_to_the_cent(const Trial *trial)
{
    for (size_t i = 0; i < trial->quote->n_lines; i++) {
        const PricedLine *line = trial->quote->lines[i];

        if (property_minor(line->list_total) - taken_from(line->adjustments, line->n_adjustments) +
                property_minor(line->tax_on_top) !=
            property_minor(line->total))
            return false;
    }
    return true;
}

static bool shipping_is_explained_to_the_cent(const Trial *trial)
{
    const Throughline__Catalog__V1__PricedShipping *shipping = trial->quote->shipping;

    if (!shipping)
        return !trial->world.input.shipping;
    return property_minor(shipping->list_total) -
               taken_from(shipping->adjustments, shipping->n_adjustments) +
               property_minor(shipping->tax_on_top) ==
           property_minor(shipping->total);
}

static bool parts_add_up_to_the_whole(const Trial *trial)
{
    const Quote *quote = trial->quote;
    int64_t list = 0, total = 0, taken = 0, tax = 0, on_top = 0;

    for (size_t i = 0; i < quote->n_lines; i++) {
        list += property_minor(quote->lines[i]->list_total);
        total += property_minor(quote->lines[i]->total);
        taken += taken_from(quote->lines[i]->adjustments, quote->lines[i]->n_adjustments);
        tax += property_minor(quote->lines[i]->tax_total);
        on_top += property_minor(quote->lines[i]->tax_on_top);
    }
    if (quote->shipping) {
        list += property_minor(quote->shipping->list_total);
        total += property_minor(quote->shipping->total);
        taken += taken_from(quote->shipping->adjustments, quote->shipping->n_adjustments);
        tax += property_minor(quote->shipping->tax_total);
        on_top += property_minor(quote->shipping->tax_on_top);
    }
    return list == property_minor(quote->list_total) && total == property_minor(quote->total) &&
           taken == property_minor(quote->discount_total) &&
           tax == property_minor(quote->tax_total) && on_top == property_minor(quote->tax_on_top);
}

static bool the_whole_is_list_less_discount_plus_tax(const Trial *trial)
{
    return property_minor(trial->quote->list_total) - property_minor(trial->quote->discount_total) +
               property_minor(trial->quote->tax_on_top) ==
           property_minor(trial->quote->total);
}

static bool nothing_is_below_zero(const Trial *trial)
{
    for (size_t i = 0; i < trial->quote->n_lines; i++) {
        const PricedLine *line = trial->quote->lines[i];

        if (property_minor(line->total) < 0 || property_minor(line->tax_total) < 0 ||
            property_minor(line->total) < property_minor(line->tax_total))
            return false;
        for (size_t j = 0; j < line->n_adjustments; j++)
            if (property_minor(line->adjustments[j]->amount) <= 0)
                return false;
    }
    return !trial->quote->shipping || property_minor(trial->quote->shipping->total) >= 0;
}

/* Taxes. */

static bool shares_of_a_tax_add_up(const Trial *trial)
{
    for (size_t i = 0; i < trial->quote->n_lines; i++) {
        const PricedLine *line = trial->quote->lines[i];
        int64_t sum = 0;

        for (size_t j = 0; j < line->n_taxes; j++)
            sum += property_minor(line->taxes[j]->amount);
        if (sum != property_minor(line->tax_total))
            return false;
    }
    return true;
}

static bool rates_add_up_over_the_lines(const Trial *trial)
{
    const Quote *quote = trial->quote;
    int64_t all = 0;

    for (size_t i = 0; i < quote->n_taxes; i++) {
        int64_t sum = 0;

        for (size_t j = 0; j < quote->n_lines; j++)
            for (size_t k = 0; k < quote->lines[j]->n_taxes; k++)
                if (text_equal(quote->lines[j]->taxes[k]->rate, quote->taxes[i]->rate))
                    sum += property_minor(quote->lines[j]->taxes[k]->amount);
        for (size_t k = 0; quote->shipping && k < quote->shipping->n_taxes; k++)
            if (text_equal(quote->shipping->taxes[k]->rate, quote->taxes[i]->rate))
                sum += property_minor(quote->shipping->taxes[k]->amount);
        if (sum != property_minor(quote->taxes[i]->amount))
            return false;
        all += sum;
    }
    return all == property_minor(quote->tax_total);
}

static bool only_net_prices_are_added_to(const Trial *trial)
{
    for (size_t i = 0; i < trial->quote->n_lines; i++) {
        const PricedLine *line = trial->quote->lines[i];

        if (property_minor(line->tax_on_top) !=
            (line->is_net ? property_minor(line->tax_total) : 0))
            return false;
    }
    return true;
}

/* The same again. */

static bool same_input_gives_same_bytes(const Trial *trial)
{
    return message_equal(trial->quote, property_price(&trial->world.input, trial->world.arena));
}

static bool rules_compiled_again_give_same_bytes(const Trial *trial)
{
    return message_equal(trial->quote, property_price_with(trial, &trial->world.set));
}

static bool order_of_rules_changes_nothing(const Trial *trial)
{
    RuleSet set = trial->world.set;
    RuleSet *copy = message_copy(trial->world.arena, &set);
    unsigned seed = trial->world.seed;

    shuffle((void **)copy->price_rows, copy->n_price_rows, &seed);
    shuffle((void **)copy->promotions, copy->n_promotions, &seed);
    shuffle((void **)copy->tax_rates, copy->n_tax_rates, &seed);
    shuffle((void **)copy->tax_categories, copy->n_tax_categories, &seed);
    shuffle((void **)copy->item_costs, copy->n_item_costs, &seed);
    return message_equal(trial->quote, property_price_with(trial, copy));
}

static bool order_of_lines_changes_no_line(const Trial *trial)
{
    PricingInput input = trial->world.input;
    PricingItem reversed[WORLD_MAX_LINES];
    const Quote *quote;

    for (size_t i = 0; i < input.n_items; i++)
        reversed[i] = input.items[input.n_items - 1 - i];
    input.items = reversed;
    quote = property_price(&input, trial->world.arena);
    for (size_t i = 0; i < input.n_items; i++)
        if (!message_equal(quote->lines[input.n_items - 1 - i], trial->quote->lines[i]))
            return false;
    return property_minor(quote->total) == property_minor(trial->quote->total);
}

static bool order_of_codes_changes_nothing(const Trial *trial)
{
    PricingInput input = trial->world.input;
    PricingCode reversed[WORLD_MAX_CODES];

    for (size_t i = 0; i < input.n_codes; i++)
        reversed[i] = input.codes[input.n_codes - 1 - i];
    input.codes = reversed;
    return message_equal(trial->quote, property_price(&input, trial->world.arena));
}

static bool order_of_segments_changes_nothing(const Trial *trial)
{
    PricingInput input = trial->world.input;
    const char *reversed[] = { trial->world.segments[1], trial->world.segments[0] };

    if (input.context.n_segments < 2)
        return true;
    input.context.segments = reversed;
    return message_equal(trial->quote, property_price(&input, trial->world.arena));
}

static bool an_explanation_is_of_the_same_quote(const Trial *trial)
{
    return message_equal(trial->quote, trial->explanation->quote);
}

static bool nothing_has_changed_where_nothing_has(const Trial *trial)
{
    Throughline__Catalog__V1__RequoteResponse changes =
        THROUGHLINE__CATALOG__V1__REQUOTE_RESPONSE__INIT;

    pricing_compare(trial->quote, trial->explanation, trial->world.arena, &changes);
    return changes.n_changes == 0;
}

/* What applies. */

static bool a_rounding_is_less_than_one_unit(const Trial *trial)
{
    for (size_t i = 0; i < trial->quote->n_lines; i++)
        for (size_t j = 0; j < trial->quote->lines[i]->n_adjustments; j++) {
            int32_t rounding = trial->quote->lines[i]->adjustments[j]->rounding_millionths;

            if (rounding >= 1000000 || rounding <= -1000000)
                return false;
        }
    return true;
}

static bool a_sale_is_below_the_price_before(const Trial *trial)
{
    for (size_t i = 0; i < trial->quote->n_lines; i++) {
        const PricedLine *line = trial->quote->lines[i];

        if (line->price_before && !line->override &&
            property_minor(line->price_before) <= property_minor(line->unit_price))
            return false;
    }
    return true;
}

static bool the_rules_are_good(const Trial *trial)
{
    Findings findings = { .arena = trial->world.arena };

    rules_check(&trial->world.set, &findings);
    for (size_t i = 0; i < findings.n_items; i++)
        printf("%s: %s\n", findings.items[i].field, findings.items[i].description);
    return findings.n_items == 0;
}

/* All of them. */

const Property quote_properties[] = {
    { "the_rules_are_good", the_rules_are_good },
    { "list_is_unit_times_quantity", list_is_unit_times_quantity },
    { "every_line_is_explained_to_the_cent", every_line_is_explained_to_the_cent },
    { "shipping_is_explained_to_the_cent", shipping_is_explained_to_the_cent },
    { "parts_add_up_to_the_whole", parts_add_up_to_the_whole },
    { "the_whole_is_list_less_discount_plus_tax", the_whole_is_list_less_discount_plus_tax },
    { "nothing_is_below_zero", nothing_is_below_zero },
    { "shares_of_a_tax_add_up", shares_of_a_tax_add_up },
    { "rates_add_up_over_the_lines", rates_add_up_over_the_lines },
    { "only_net_prices_are_added_to", only_net_prices_are_added_to },
    { "same_input_gives_same_bytes", same_input_gives_same_bytes },
    { "rules_compiled_again_give_same_bytes", rules_compiled_again_give_same_bytes },
    { "order_of_rules_changes_nothing", order_of_rules_changes_nothing },
    { "order_of_lines_changes_no_line", order_of_lines_changes_no_line },
    { "order_of_codes_changes_nothing", order_of_codes_changes_nothing },
    { "order_of_segments_changes_nothing", order_of_segments_changes_nothing },
    { "an_explanation_is_of_the_same_quote", an_explanation_is_of_the_same_quote },
    { "nothing_has_changed_where_nothing_has", nothing_has_changed_where_nothing_has },
    { "a_rounding_is_less_than_one_unit", a_rounding_is_less_than_one_unit },
    { "a_sale_is_below_the_price_before", a_sale_is_below_the_price_before },
    { NULL, NULL },
};
