#include "services/catalog/domain/pricing.h"

#include "shared/base/money.h"
#include "shared/codec/types.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const Error amount_too_large = { ERROR_FAILED_PRECONDITION, "AMOUNT_TOO_LARGE",
    "The amounts of this quote are too large to be added up; ask for fewer pieces." };

/* Sums in minor units. */
typedef struct Totals {
    int64_t list;
    int64_t discount;
    int64_t total;
} Totals;

static const Error *not_applicable(Arena *arena, const char *code, const char *why)
{
    const Error *error = error_new(arena, ERROR_FAILED_PRECONDITION, "PROMOTION_NOT_APPLICABLE",
        "The code \"%s\" does not apply: %s.", code, why);

    return error_with_fact(arena, error_with_fact(arena, error, "code", code), "why", why);
}

static bool matches_any(const Promotion *promotion, const PricingInput *input)
{
    for (size_t i = 0; i < input->n_items; i++)
        if (promotion_matches(promotion, input->items[i].product))
            return true;
    return false;
}

static int by_size_then_name(const void *a, const void *b)
{
    const Promotion *const *left = a;
    const Promotion *const *right = b;

    if ((*left)->basis_points != (*right)->basis_points)
        return (*left)->basis_points > (*right)->basis_points ? -1 : 1;
    return strcmp((*left)->name, (*right)->name);
}

/* The promotions of all codes in the order in which they are applied. */
static const Error *order_promotions(
    const PricingInput *input, Arena *arena, const Promotion **promotions)
{
    for (size_t i = 0; i < input->n_codes; i++) {
        const PricingCode *code = &input->codes[i];
        const char *why;

        if (!code->promotion)
            return not_applicable(arena, code->code, "there is no promotion with this code");
        if ((why = promotion_refusal(code->promotion, input->now, arena)))
            return not_applicable(arena, code->code, why);
        if (!matches_any(code->promotion, input))
            return not_applicable(arena, code->code,
                arena_printf(
                    arena, "no line is of the category \"%s\"", code->promotion->category));
        promotions[i] = code->promotion;
    }
    if (input->n_codes > 1)
        qsort(promotions, input->n_codes, sizeof(*promotions), by_size_then_name);
    return NULL;
}

static const Error *find_price(
    const PricingInput *input, const PricingItem *item, Arena *arena, int64_t *unit)
{
    const char *sku = item->line->sku;
    const Variant *variant = product_variant(item->product, sku);
    const Price *price;
    const Error *error;

    assert(variant && "an item's product has its SKU");
    if (item->product->state == PRODUCT_RETIRED) {
        error = error_new(arena, ERROR_FAILED_PRECONDITION, "PRODUCT_RETIRED",
            "\"%s\" is not for sale any more.", sku);
        return error_with_fact(arena, error, "sku", sku);
    }
    price = variant_price(variant, input->currency);
    if (price && money_minor(price->amount, unit) && *unit >= 0)
        return NULL;
    error = error_new(arena, ERROR_FAILED_PRECONDITION, "PRICE_MISSING",
        "\"%s\" has no price in %s.", sku, input->currency);
    return error_with_fact(
        arena, error_with_fact(arena, error, "sku", sku), "currency", input->currency);
}

static Adjustment *new_adjustment(
    const Promotion *promotion, const char *currency, int64_t amount, Arena *arena)
{
    Adjustment *adjustment = arena_alloc(arena, sizeof(*adjustment));

    throughline__catalog__v1__adjustment__init(adjustment);
    adjustment->promotion = promotion->name;
    adjustment->code = promotion->code;
    adjustment->title = promotion->title;
    adjustment->amount = money_message(arena, currency, amount);
    return adjustment;
}

/* Lets every matching promotion take its share; *left is what remains of the line. */
static void adjust_line(const PricingInput *input, const PricingItem *item,
    const Promotion *const *promotions, Arena *arena, PricedLine *line, int64_t *left)
{
    line->adjustments = arena_array(arena, input->n_codes, sizeof(*line->adjustments));
    for (size_t i = 0; i < input->n_codes; i++) {
        int64_t taken;
        bool fits;

        if (!promotion_matches(promotions[i], item->product))
            continue;
        fits = money_scale(*left, promotions[i]->basis_points, PROMOTION_WHOLE, &taken);
        assert(fits && taken >= 0 && taken <= *left && "a part is not larger than the whole");
        if (taken == 0)
            continue;
        *left -= taken;
        line->adjustments[line->n_adjustments++] =
            new_adjustment(promotions[i], input->currency, taken, arena);
    }
}

static char *line_title(const PricingItem *item, Arena *arena)
{
    const Variant *variant = product_variant(item->product, item->line->sku);

    if (!*variant->title)
        return arena_text(arena, item->product->title);
    return arena_printf(arena, "%s, %s", item->product->title, variant->title);
}

static const Error *price_line(const PricingInput *input, const PricingItem *item,
    const Promotion *const *promotions, Arena *arena, PricedLine *line, Totals *totals)
{
    const Error *error;
    int64_t unit;
    int64_t list;
    int64_t left;

    if ((error = find_price(input, item, arena, &unit)))
        return error;
    if (!money_multiply(unit, item->line->quantity, &list))
        return &amount_too_large;
    left = list;
    adjust_line(input, item, promotions, arena, line, &left);
    line->sku = item->line->sku;
    line->product = item->product->name;
    line->title = line_title(item, arena);
    line->quantity = item->line->quantity;
    line->unit_price = money_message(arena, input->currency, unit);
    line->list_total = money_message(arena, input->currency, list);
    line->total = money_message(arena, input->currency, left);
    /* The other two sums are at most the list's. */
    if (!money_add(totals->list, list, &totals->list))
        return &amount_too_large;
    totals->discount += list - left;
    totals->total += left;
    return NULL;
}

const Error *pricing_quote(const PricingInput *input, Arena *arena, Quote *quote)
{
    const Promotion **promotions = arena_array(arena, input->n_codes, sizeof(*promotions));
    Totals totals = { 0 };
    const Error *error;

    assert(input->n_items <= QUOTE_MAX_LINES && input->n_codes <= QUOTE_MAX_CODES);
    if ((error = order_promotions(input, arena, promotions)))
        return error;
    quote->lines = arena_array(arena, input->n_items, sizeof(*quote->lines));
    for (size_t i = 0; i < input->n_items; i++) {
        PricedLine *line = arena_alloc(arena, sizeof(*line));

        throughline__catalog__v1__priced_line__init(line);
        if ((error = price_line(input, &input->items[i], promotions, arena, line, &totals)))
            return error;
        quote->lines[quote->n_lines++] = line;
    }
    quote->currency = arena_text(arena, input->currency);
    quote->list_total = money_message(arena, input->currency, totals.list);
    quote->discount_total = money_message(arena, input->currency, totals.discount);
    quote->total = money_message(arena, input->currency, totals.total);
    return NULL;
}
