/* What holds for promotions. */
#include "tests/unit/catalog/rules_properties.h"

#include "services/catalog/domain/rules_check.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/support/test_main.h"

#include <stdlib.h>

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
                sum += property_minor(quote->lines[i]->adjustments[j]->amount);
    for (size_t j = 0; quote->shipping && j < quote->shipping->n_adjustments; j++)
        if (text_equal(quote->shipping->adjustments[j]->promotion, promotion))
            sum += property_minor(quote->shipping->adjustments[j]->amount);
    return sum;
}

static bool only_what_applies_takes(const Trial *trial)
{
    const QuoteExplanation *explanation = trial->explanation;

    for (size_t i = 0; i < explanation->n_considered; i++) {
        const Throughline__Catalog__V1__ConsideredRule *rule = explanation->considered[i];
        int64_t taken = taken_by(trial->quote, rule->rule);

        if (*rule->sku)
            continue;
        if (taken != property_minor(rule->amount) || (taken > 0 && !rule->is_applied) ||
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

        if ((promotion->budget && taken > property_minor(promotion->budget)) ||
            (promotion->customer_budget && taken > property_minor(promotion->customer_budget)))
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
            return property_minor(trial->world.set.item_costs[i]->amounts[0]);
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
        if (cost < 0 || (property_minor(line->total) - property_minor(line->tax_total) + 1) *
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
    return message_equal(trial->quote, property_price_with(trial, copy));
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
        int64_t total = property_minor(property_price(&plain.input, plain.arena)->total);

        rules_release((Rules *)plain.input.rules);
        return property_minor(trial->quote->total) <= total;
    }
}

const Property promotion_properties[] = {
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
    { NULL, NULL },
};
