/* What one promotion takes of what is left: by its effect, bounded by margins and its budget. */
#include "services/catalog/domain/pricing_effects.h"

#include "shared/base/money.h"

#include <stdlib.h>
#include <string.h>

int64_t pieces_of(const Engine *engine, uint32_t line)
{
    return engine->lines[line].item->line->quantity;
}

int64_t amount_of(const Engine *engine, const Amounts *amounts)
{
    int64_t minor = 0;

    amounts_in(amounts, engine->input->currency, &minor);
    return minor;
}

int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void take_share(Engine *engine, uint32_t line, Wide numerator, Wide denominator)
{
    engine->taken[line] =
        round_share(engine->rounding, numerator, denominator, &engine->excess[line]);
}

static void take_percentage(
    Engine *engine, const Candidate *candidate, const Deal *deal, int32_t basis_points)
{
    for (size_t i = 0; i < candidate->n_lines; i++) {
        uint32_t line = candidate->lines[i];

        take_share(engine, line, (Wide)deal->left[line] * basis_points, PROMOTION_WHOLE);
    }
}

void take_together(
    Engine *engine, const uint32_t *lines, size_t n_lines, const int64_t *weights, int64_t amount)
{
    int64_t *parts = arena_array(engine->arena, n_lines, sizeof(*parts));
    Wide sum = 0;

    for (size_t i = 0; i < n_lines; i++)
        sum += weights[i];
    if (sum == 0 || n_lines == 0)
        return;
    if (sum < amount)
        amount = (int64_t)sum;
    money_split(amount, weights, parts, (int)n_lines);
    for (size_t i = 0; i < n_lines; i++) {
        Wide exact = (Wide)amount * weights[i];

        engine->taken[lines[i]] = parts[i];
        engine->excess[lines[i]] =
            (int32_t)((((Wide)parts[i] * sum - exact) * ROUNDING_MILLIONTHS) / sum);
    }
}

static void take_once(Engine *engine, const Candidate *candidate, const Deal *deal, int64_t amount)
{
    int64_t *weights = arena_array(engine->arena, candidate->n_lines, sizeof(*weights));

    for (size_t i = 0; i < candidate->n_lines; i++)
        weights[i] = deal->left[candidate->lines[i]];
    take_together(engine, candidate->lines, candidate->n_lines, weights, amount);
}

static void take_amount(Engine *engine, const Candidate *candidate, const Deal *deal)
{
    const Throughline__Catalog__V1__AmountOff *off = candidate->compiled->promotion->amount_off;
    int64_t amount = amount_of(engine, &candidate->compiled->amounts);

    if (off->unit == THROUGHLINE__CATALOG__V1__AMOUNT_OFF__UNIT__ONCE) {
        take_once(engine, candidate, deal, amount);
        return;
    }
    for (size_t i = 0; i < candidate->n_lines; i++) {
        uint32_t line = candidate->lines[i];
        int64_t wanted = amount;

        if (off->unit == THROUGHLINE__CATALOG__V1__AMOUNT_OFF__UNIT__PIECE &&
            !money_multiply(amount, pieces_of(engine, line), &wanted))
            wanted = INT64_MAX;
        engine->taken[line] = smaller(wanted, deal->left[line]);
    }
}

static void take_fixed_price(Engine *engine, const Candidate *candidate, const Deal *deal)
{
    int64_t price = amount_of(engine, &candidate->compiled->amounts);

    for (size_t i = 0; i < candidate->n_lines; i++) {
        uint32_t line = candidate->lines[i];
        int64_t wanted;

        if (money_multiply(price, pieces_of(engine, line), &wanted) && wanted < deal->left[line])
            engine->taken[line] = deal->left[line] - wanted;
    }
}

/* Whole carts, shipping. */

static void take_cart(Engine *engine, const Candidate *candidate, const Deal *deal)
{
    const CompiledPromotion *compiled = candidate->compiled;
    Wide left = 0;
    int64_t amount = amount_of(engine, &compiled->amounts);

    for (size_t i = 0; i < candidate->n_lines; i++)
        left += deal->left[candidate->lines[i]];
    if (compiled->basis_points > 0)
        amount =
            round_share(engine->rounding, left * compiled->basis_points, PROMOTION_WHOLE, NULL);
    take_once(engine, candidate, deal, amount);
}

static void take_shipping(Engine *engine, const Candidate *candidate, const Deal *deal)
{
    const CompiledPromotion *compiled = candidate->compiled;
    uint32_t shipping = (uint32_t)engine->n_lines;

    if (compiled->basis_points > 0)
        take_share(
            engine, shipping, (Wide)deal->left[shipping] * compiled->basis_points, PROMOTION_WHOLE);
    else
        engine->taken[shipping] =
            smaller(amount_of(engine, &compiled->amounts), deal->left[shipping]);
}

static void take_tier(Engine *engine, const Candidate *candidate, const Deal *deal)
{
    if (candidate->tier->basis_points > 0)
        take_percentage(engine, candidate, deal, candidate->tier->basis_points);
    else
        take_once(engine, candidate, deal, amount_of(engine, &candidate->tier->amounts));
}

static void take(Engine *engine, const Candidate *candidate, const Deal *deal)
{
    switch (candidate->compiled->promotion->effect_case) {
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_AMOUNT_OFF:
        take_amount(engine, candidate, deal);
        break;
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_FIXED_PRICE:
        take_fixed_price(engine, candidate, deal);
        break;
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_BUY_X_GET_Y:
        take_buy(engine, candidate, deal);
        break;
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_BUNDLE_PRICE:
        take_bundle(engine, candidate, deal);
        break;
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_TIERS:
        take_tier(engine, candidate, deal);
        break;
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_NTH_ITEM:
        take_nth(engine, candidate, deal);
        break;
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_CART_OFF:
        take_cart(engine, candidate, deal);
        break;
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_SHIPPING_OFF:
        take_shipping(engine, candidate, deal);
        break;
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_GIFT:
        break;
    default:
        take_percentage(engine, candidate, deal, candidate->compiled->basis_points);
    }
}

/* Bounds. */

/* What must be left of a line so that the margin is kept; what is left when its cost is unknown. */
static int64_t margin_floor(const Engine *engine, const Line *line, int32_t margin, int64_t left)
{
    LookupValues found = engine_find(engine, KEY_COST_SKU, line->variant->sku);
    const TaxPlan *tax = line->tax;
    int64_t unit, cost;

    if (!found.n_values ||
        !amounts_in(&engine->rules->costs[found.values[0]], engine->input->currency, &unit) ||
        !money_multiply(unit, line->item->line->quantity, &cost))
        return left;
    cost = round_up((Wide)cost * PROMOTION_WHOLE, PROMOTION_WHOLE - margin);
    /* A price that includes taxes must leave the margin without them. */
    if (tax && !line->is_net)
        cost = round_up((Wide)cost * (tax->unit + tax->tax), tax->unit);
    return smaller(cost, left);
}

static void keep_margins(Engine *engine, const Candidate *candidate, const Deal *deal)
{
    int32_t margin = candidate->compiled->promotion->min_margin_basis_points;

    if (margin <= 0 || margin >= PROMOTION_WHOLE)
        return;
    for (uint32_t i = 0; i < engine->n_lines; i++) {
        int64_t most;

        if (engine->taken[i] == 0)
            continue;
        most = deal->left[i] - margin_floor(engine, &engine->lines[i], margin, deal->left[i]);
        if (engine->taken[i] > most) {
            engine->taken[i] = most;
            engine->excess[i] = 0;
        }
    }
}

/* What it may take still, of its budgets; INT64_MAX where it has none. */
static int64_t budget_of(const Candidate *candidate)
{
    const CompiledPromotion *compiled = candidate->compiled;
    const PricingUsage *usage = candidate->usage;
    int64_t budget = INT64_MAX;

    if (compiled->has_budget)
        budget = smaller(compiled->budget.minor, usage ? usage->budget_left : INT64_MAX);
    if (compiled->has_customer_budget)
        budget = smaller(budget, smaller(compiled->customer_budget.minor,
                                     usage ? usage->customer_budget_left : INT64_MAX));
    return budget;
}

static void keep_budget(Engine *engine, const Candidate *candidate)
{
    int64_t budget = budget_of(candidate);
    uint32_t *lines;
    int64_t *weights;
    Wide sum = 0;

    if (budget == INT64_MAX)
        return;
    lines = arena_array(engine->arena, engine->n_lines + 1, sizeof(*lines));
    weights = arena_array(engine->arena, engine->n_lines + 1, sizeof(*weights));
    for (uint32_t i = 0; i <= engine->n_lines; i++) {
        lines[i] = i;
        weights[i] = engine->taken[i];
        sum += weights[i];
    }
    if (sum > budget)
        take_together(engine, lines, engine->n_lines + 1, weights, budget);
}

static void add_take(Engine *engine, Deal *deal, uint32_t candidate, uint32_t line)
{
    if (deal->n_takes == deal->capacity) {
        deal->takes = arena_grow(engine->arena, deal->takes, deal->n_takes, 2 * deal->capacity + 16,
            sizeof(*deal->takes));
        deal->capacity = 2 * deal->capacity + 16;
    }
    deal->takes[deal->n_takes++] = (Take){
        .candidate = candidate,
        .line = line,
        .amount = engine->taken[line],
        .excess = engine->excess[line],
    };
}

void apply_promotion(Engine *engine, uint32_t index, Deal *deal)
{
    const Candidate *candidate = &engine->candidates[index];

    memset(engine->taken, 0, (engine->n_lines + 1) * sizeof(*engine->taken));
    memset(engine->excess, 0, (engine->n_lines + 1) * sizeof(*engine->excess));
    if (candidate->compiled->promotion->effect_case ==
        THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_GIFT)
        deal->gifts[deal->n_gifts++] = index;
    take(engine, candidate, deal);
    keep_margins(engine, candidate, deal);
    keep_budget(engine, candidate);
    for (uint32_t i = 0; i <= engine->n_lines; i++) {
        if (engine->taken[i] <= 0)
            continue;
        deal->left[i] -= engine->taken[i];
        deal->taken += engine->taken[i];
        add_take(engine, deal, index, i);
    }
}
