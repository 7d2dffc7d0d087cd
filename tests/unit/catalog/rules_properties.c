#include "tests/unit/catalog/rules_properties.h"

#include "services/catalog/domain/rules_check.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/support/test_main.h"

#include <stdlib.h>

static int64_t minor(const Google__Type__Money *money)
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

/* The same cart with a changed set of rules. */
static Quote *price_with(const Trial *trial, const RuleSet *set)
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

static const Promotion *promotion_of(const Trial *trial, const char *name)
{
    return rules_promotion(trial->rules, name);
}

static bool is_applied(const Trial *trial, const char *rule)
{
    for (size_t i = 0; i < trial->explanation->n_considered; i++)
        if (text_equal(trial->explanation->considered[i]->rule, rule))
            return trial->explanation->considered[i]->is_applied;
    return false;
}

/* What a rule took of all lines and the shipping. */
static int64_t taken_by(const Quote *quote, const char *promotion)
{
    int64_t sum = 0;

    for (size_t i = 0; i < quote->n_lines; i++)
        for (size_t j = 0; j < quote->lines[i]->n_adjustments; j++)
            if (text_equal(quote->lines[i]->adjustments[j]->promotion, promotion))
                sum += minor(quote->lines[i]->adjustments[j]->amount);
    for (size_t j = 0; quote->shipping && j < quote->shipping->n_adjustments; j++)
        if (text_equal(quote->shipping->adjustments[j]->promotion, promotion))
            sum += minor(quote->shipping->adjustments[j]->amount);
    return sum;
}

static int64_t taken_from(Adjustment *const *adjustments, size_t n_adjustments)
{
    int64_t sum = 0;

    for (size_t i = 0; i < n_adjustments; i++)
        sum += minor(adjustments[i]->amount);
    return sum;
}

/* Sums. */

static bool list_is_unit_times_quantity(const Trial *trial)
{
    for (size_t i = 0; i < trial->quote->n_lines; i++)
        if (minor(trial->quote->lines[i]->list_total) !=
            minor(trial->quote->lines[i]->unit_price) * trial->quote->lines[i]->quantity)
            return false;
    return trial->quote->n_lines == trial->world.input.n_items;
}

static bool every_line_is_explained_to_the_cent(const Trial *trial)
{
    for (size_t i = 0; i < trial->quote->n_lines; i++) {
        const PricedLine *line = trial->quote->lines[i];

        if (minor(line->list_total) - taken_from(line->adjustments, line->n_adjustments) +
                minor(line->tax_on_top) !=
            minor(line->total))
            return false;
    }
    return true;
}

static bool shipping_is_explained_to_the_cent(const Trial *trial)
{
    const Throughline__Catalog__V1__PricedShipping *shipping = trial->quote->shipping;

    if (!shipping)
        return !trial->world.input.shipping;
    return minor(shipping->list_total) -
               taken_from(shipping->adjustments, shipping->n_adjustments) +
               minor(shipping->tax_on_top) ==
           minor(shipping->total);
}

static bool parts_add_up_to_the_whole(const Trial *trial)
{
    const Quote *quote = trial->quote;
    int64_t list = 0, total = 0, taken = 0, tax = 0, on_top = 0;

    for (size_t i = 0; i < quote->n_lines; i++) {
        list += minor(quote->lines[i]->list_total);
        total += minor(quote->lines[i]->total);
        taken += taken_from(quote->lines[i]->adjustments, quote->lines[i]->n_adjustments);
        tax += minor(quote->lines[i]->tax_total);
        on_top += minor(quote->lines[i]->tax_on_top);
    }
    if (quote->shipping) {
        list += minor(quote->shipping->list_total);
        total += minor(quote->shipping->total);
        taken += taken_from(quote->shipping->adjustments, quote->shipping->n_adjustments);
        tax += minor(quote->shipping->tax_total);
        on_top += minor(quote->shipping->tax_on_top);
    }
    return list == minor(quote->list_total) && total == minor(quote->total) &&
           taken == minor(quote->discount_total) && tax == minor(quote->tax_total) &&
           on_top == minor(quote->tax_on_top);
}

static bool the_whole_is_list_less_discount_plus_tax(const Trial *trial)
{
    return minor(trial->quote->list_total) - minor(trial->quote->discount_total) +
               minor(trial->quote->tax_on_top) ==
           minor(trial->quote->total);
}

static bool nothing_is_below_zero(const Trial *trial)
{
    for (size_t i = 0; i < trial->quote->n_lines; i++) {
        const PricedLine *line = trial->quote->lines[i];

        if (minor(line->total) < 0 || minor(line->tax_total) < 0 ||
            minor(line->total) < minor(line->tax_total))
            return false;
        for (size_t j = 0; j < line->n_adjustments; j++)
            if (minor(line->adjustments[j]->amount) <= 0)
                return false;
    }
    return !trial->quote->shipping || minor(trial->quote->shipping->total) >= 0;
}

/* Taxes. */

static bool shares_of_a_tax_add_up(const Trial *trial)
{
    for (size_t i = 0; i < trial->quote->n_lines; i++) {
        const PricedLine *line = trial->quote->lines[i];
        int64_t sum = 0;

        for (size_t j = 0; j < line->n_taxes; j++)
            sum += minor(line->taxes[j]->amount);
        if (sum != minor(line->tax_total))
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
                    sum += minor(quote->lines[j]->taxes[k]->amount);
        for (size_t k = 0; quote->shipping && k < quote->shipping->n_taxes; k++)
            if (text_equal(quote->shipping->taxes[k]->rate, quote->taxes[i]->rate))
                sum += minor(quote->shipping->taxes[k]->amount);
        if (sum != minor(quote->taxes[i]->amount))
            return false;
        all += sum;
    }
    return all == minor(quote->tax_total);
}

static bool only_net_prices_are_added_to(const Trial *trial)
{
    for (size_t i = 0; i < trial->quote->n_lines; i++) {
        const PricedLine *line = trial->quote->lines[i];

        if (minor(line->tax_on_top) != (line->is_net ? minor(line->tax_total) : 0))
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
    return message_equal(trial->quote, price_with(trial, &trial->world.set));
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
    return message_equal(trial->quote, price_with(trial, copy));
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
    return minor(quote->total) == minor(trial->quote->total);
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

static bool only_what_applies_takes(const Trial *trial)
{
    const QuoteExplanation *explanation = trial->explanation;

    for (size_t i = 0; i < explanation->n_considered; i++) {
        const Throughline__Catalog__V1__ConsideredRule *rule = explanation->considered[i];
        int64_t taken = taken_by(trial->quote, rule->rule);

        if (*rule->sku)
            continue;
        if (taken != minor(rule->amount) || (taken > 0 && !rule->is_applied) ||
            rule->is_applied != !*rule->reason)
            return false;
    }
    return true;
}

static bool every_promotion_is_accounted_for(const Trial *trial)
{
    size_t n_seen = 0;

    for (size_t i = 0; i < trial->explanation->n_considered; i++)
        n_seen += text_starts_with(trial->explanation->considered[i]->rule, "promotions/");
    return n_seen == trial->world.set.n_promotions;
}

static bool what_applies_is_in_its_time(const Trial *trial)
{
    for (size_t i = 0; i < trial->world.set.n_promotions; i++) {
        const Promotion *promotion = trial->world.set.promotions[i];

        if (is_applied(trial, promotion->name) &&
            ((promotion->start_time &&
                 timestamp_to_micros(promotion->start_time) > trial->world.input.now) ||
                (promotion->end_time &&
                    timestamp_to_micros(promotion->end_time) <= trial->world.input.now)))
            return false;
    }
    return true;
}

static bool closed_lines_are_not_touched(const Trial *trial)
{
    const PricingSettings *settings = trial->world.set.settings;

    for (size_t i = 0; i < trial->quote->n_lines; i++) {
        const PricedLine *line = trial->quote->lines[i];
        bool is_closed =
            line->override != NULL ||
            (settings->n_blackout_skus > 0 && text_equal(settings->blackout_skus[0], line->sku));

        for (size_t j = 0; is_closed && j < line->n_adjustments; j++)
            if (*line->adjustments[j]->promotion)
                return false;
    }
    return true;
}

/* With BEST_DEAL the codes and the others are groups of their own, of which one takes nothing. */
static bool one_of_a_group_applies(const Trial *trial)
{
    for (size_t i = 0; i < trial->world.set.n_promotions; i++)
        for (size_t j = 0; j < i; j++) {
            const Promotion *a = trial->world.set.promotions[i];
            const Promotion *b = trial->world.set.promotions[j];

            if (*a->stacking_group && text_equal(a->stacking_group, b->stacking_group) &&
                is_applied(trial, a->name) && is_applied(trial, b->name))
                return false;
        }
    return true;
}

static bool an_exclusive_one_is_alone(const Trial *trial)
{
    size_t n_applied = 0;
    bool is_exclusive = false;

    for (size_t i = 0; i < trial->world.set.n_promotions; i++) {
        const Promotion *promotion = trial->world.set.promotions[i];

        if (!is_applied(trial, promotion->name))
            continue;
        n_applied++;
        is_exclusive = is_exclusive || promotion->is_exclusive;
    }
    return !is_exclusive || n_applied == 1;
}

static bool a_budget_is_never_exceeded(const Trial *trial)
{
    for (size_t i = 0; i < trial->world.set.n_promotions; i++) {
        const Promotion *promotion = trial->world.set.promotions[i];
        int64_t taken = taken_by(trial->quote, promotion->name);

        if ((promotion->budget && taken > minor(promotion->budget)) ||
            (promotion->customer_budget && taken > minor(promotion->customer_budget)))
            return false;
        for (size_t j = 0; j < trial->world.input.n_usages; j++) {
            const PricingUsage *usage = &trial->world.usages[j];

            if (text_equal(usage->promotion, promotion->name) &&
                ((promotion->budget && taken > usage->budget_left) ||
                    (promotion->customer_budget && taken > usage->customer_budget_left)))
                return false;
        }
    }
    return true;
}

static bool what_is_used_up_takes_nothing(const Trial *trial)
{
    for (size_t i = 0; i < trial->world.input.n_usages; i++)
        if (trial->world.usages[i].uses_left == 0 &&
            taken_by(trial->quote, trial->world.usages[i].promotion) > 0)
            return false;
    return true;
}

static int64_t cost_of(const Trial *trial, const char *sku)
{
    for (size_t i = 0; i < trial->world.set.n_item_costs; i++)
        if (text_equal(trial->world.set.item_costs[i]->sku, sku))
            return minor(trial->world.set.item_costs[i]->amounts[0]);
    return -1;
}

/* Where the last that took from a line asks for a margin, it is there. */
static bool a_margin_is_left(const Trial *trial)
{
    for (size_t i = 0; i < trial->quote->n_lines; i++) {
        const PricedLine *line = trial->quote->lines[i];
        const Promotion *last =
            line->n_adjustments
                ? promotion_of(trial, line->adjustments[line->n_adjustments - 1]->promotion)
                : NULL;
        int64_t cost = cost_of(trial, line->sku) * line->quantity;

        if (!last || last->min_margin_basis_points == 0)
            continue;
        /* A cent may be lost to the rounding of the tax in the price. */
        if (cost < 0 || (minor(line->total) - minor(line->tax_total) + 1) *
                                (PROMOTION_WHOLE - last->min_margin_basis_points) <
                            cost * PROMOTION_WHOLE)
            return false;
    }
    return true;
}

static bool gifts_are_of_promotions_that_apply(const Trial *trial)
{
    for (size_t i = 0; i < trial->quote->n_gifts; i++)
        if (!is_applied(trial, trial->quote->gifts[i]->promotion) ||
            !promotion_of(trial, trial->quote->gifts[i]->promotion)->gift)
            return false;
    return true;
}

/* Not with codes: without its promotion a code would be another one. */
static bool what_does_not_apply_may_as_well_not_be_there(const Trial *trial)
{
    RuleSet *copy = message_copy(trial->world.arena, &trial->world.set);
    size_t n_kept = 0;

    if (trial->world.input.n_codes > 0)
        return true;
    for (size_t i = 0; i < copy->n_promotions; i++)
        if (is_applied(trial, copy->promotions[i]->name))
            copy->promotions[n_kept++] = copy->promotions[i];
    copy->n_promotions = n_kept;
    return message_equal(trial->quote, price_with(trial, copy));
}

static bool promotions_never_cost_anything(const Trial *trial)
{
    RuleSet set = trial->world.set;
    World plain = trial->world;

    set.n_promotions = 0;
    plain.input.n_codes = 0;
    plain.input.codes = plain.codes;
    plain.input.rules = rules_compile(&set);
    {
        int64_t total = minor(property_price(&plain.input, plain.arena)->total);

        rules_release((Rules *)plain.input.rules);
        return minor(trial->quote->total) <= total;
    }
}

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
            minor(line->price_before) <= minor(line->unit_price))
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

const Property properties[] = {
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
    { "only_what_applies_takes", only_what_applies_takes },
    { "every_promotion_is_accounted_for", every_promotion_is_accounted_for },
    { "what_applies_is_in_its_time", what_applies_is_in_its_time },
    { "closed_lines_are_not_touched", closed_lines_are_not_touched },
    { "one_of_a_group_applies", one_of_a_group_applies },
    { "an_exclusive_one_is_alone", an_exclusive_one_is_alone },
    { "a_budget_is_never_exceeded", a_budget_is_never_exceeded },
    { "what_is_used_up_takes_nothing", what_is_used_up_takes_nothing },
    { "a_margin_is_left", a_margin_is_left },
    { "gifts_are_of_promotions_that_apply", gifts_are_of_promotions_that_apply },
    { "what_does_not_apply_may_as_well_not_be_there",
        what_does_not_apply_may_as_well_not_be_there },
    { "promotions_never_cost_anything", promotions_never_cost_anything },
    { "a_rounding_is_less_than_one_unit", a_rounding_is_less_than_one_unit },
    { "a_sale_is_below_the_price_before", a_sale_is_below_the_price_before },
};

const size_t n_properties = COUNT(properties);
