/* What differs between two quotes of the same lines, and why. */
#include "services/catalog/domain/pricing.h"

#include "shared/codec/types.h"

typedef Throughline__Catalog__V1__RequoteResponse Changes;
typedef Throughline__Catalog__V1__QuoteChange__Kind ChangeKind;
typedef Throughline__Catalog__V1__TaxShare TaxShare;

typedef struct Comparison {
    const QuoteExplanation *after;
    Arena *arena;
    size_t capacity;
    Changes *changes;
} Comparison;

/* One difference; the amounts may be absent. */
typedef struct Difference {
    ChangeKind kind;
    const char *sku;
    const char *rule;
    const Google__Type__Money *before;
    const Google__Type__Money *after;
    const char *reason;
} Difference;

static bool is_same(const Google__Type__Money *a, const Google__Type__Money *b)
{
    return a && b ? a->units == b->units && a->nanos == b->nanos : a == b;
}

static void add_change(Comparison *comparison, const Difference *difference)
{
    Changes *changes = comparison->changes;
    QuoteChange *change = arena_alloc(comparison->arena, sizeof(*change));

    throughline__catalog__v1__quote_change__init(change);
    change->kind = difference->kind;
    change->sku = arena_text(comparison->arena, difference->sku);
    change->rule = arena_text(comparison->arena, difference->rule);
    change->before = (Google__Type__Money *)difference->before;
    change->after = (Google__Type__Money *)difference->after;
    change->reason = arena_text(comparison->arena, difference->reason);
    if (changes->n_changes == comparison->capacity) {
        comparison->capacity = 2 * comparison->capacity + 16;
        changes->changes = arena_grow(comparison->arena, changes->changes, changes->n_changes,
            comparison->capacity, sizeof(*changes->changes));
    }
    changes->changes[changes->n_changes++] = change;
}

/* Why a rule of the first quote is not in the second. */
static const char *why_gone(const Comparison *comparison, const char *rule)
{
    for (size_t i = 0; i < comparison->after->n_considered; i++)
        if (text_equal(comparison->after->considered[i]->rule, rule))
            return comparison->after->considered[i]->is_applied
                       ? "NOTHING_LEFT"
                       : comparison->after->considered[i]->reason;
    return "WITHDRAWN";
}

static const char *rule_of(const Adjustment *adjustment)
{
    return *adjustment->exemption ? adjustment->exemption : adjustment->promotion;
}

static const Adjustment *find_adjustment(
    Adjustment *const *adjustments, size_t n_adjustments, const char *rule)
{
    for (size_t i = 0; i < n_adjustments; i++)
        if (text_equal(rule_of(adjustments[i]), rule))
            return adjustments[i];
    return NULL;
}

/* Adjustments of one line or of the shipping. */
typedef struct Adjustments {
    Adjustment *const *adjustments;
    size_t n_adjustments;
} Adjustments;

static void compare_adjustments(
    Comparison *comparison, const char *sku, const Adjustments *before, const Adjustments *after)
{
    Difference difference = { .kind = THROUGHLINE__CATALOG__V1__QUOTE_CHANGE__KIND__ADJUSTMENT,
        .sku = sku };

    for (size_t i = 0; i < before->n_adjustments; i++) {
        const Adjustment *was = before->adjustments[i];
        const Adjustment *is =
            find_adjustment(after->adjustments, after->n_adjustments, rule_of(was));

        difference.rule = rule_of(was);
        difference.before = was->amount;
        difference.after = is ? is->amount : NULL;
        difference.reason = is ? "RULE_CHANGED" : why_gone(comparison, rule_of(was));
        if (!is_same(difference.before, difference.after))
            add_change(comparison, &difference);
    }
    for (size_t i = 0; i < after->n_adjustments; i++) {
        const Adjustment *is = after->adjustments[i];

        difference.rule = rule_of(is);
        difference.before = NULL;
        difference.after = is->amount;
        difference.reason = "NEW";
        if (!find_adjustment(before->adjustments, before->n_adjustments, rule_of(is)))
            add_change(comparison, &difference);
    }
}

static const TaxShare *find_tax(TaxShare *const *taxes, size_t n_taxes, const char *rate)
{
    for (size_t i = 0; i < n_taxes; i++)
        if (text_equal(taxes[i]->rate, rate))
            return taxes[i];
    return NULL;
}

/* Taxes of one line or of the shipping. */
typedef struct Taxes {
    TaxShare *const *taxes;
    size_t n_taxes;
} Taxes;

static void compare_taxes(
    Comparison *comparison, const char *sku, const Taxes *before, const Taxes *after)
{
    Difference difference = { .kind = THROUGHLINE__CATALOG__V1__QUOTE_CHANGE__KIND__TAX,
        .sku = sku };

    for (size_t i = 0; i < before->n_taxes; i++) {
        const TaxShare *is = find_tax(after->taxes, after->n_taxes, before->taxes[i]->rate);

        difference.rule = before->taxes[i]->rate;
        difference.before = before->taxes[i]->amount;
        difference.after = is ? is->amount : NULL;
        difference.reason = is ? "AMOUNT_CHANGED" : "WITHDRAWN";
        if (!is_same(difference.before, difference.after))
            add_change(comparison, &difference);
    }
    for (size_t i = 0; i < after->n_taxes; i++) {
        difference.rule = after->taxes[i]->rate;
        difference.before = NULL;
        difference.after = after->taxes[i]->amount;
        difference.reason = "NEW";
        if (!find_tax(before->taxes, before->n_taxes, after->taxes[i]->rate))
            add_change(comparison, &difference);
    }
}

static void compare_line(Comparison *comparison, const PricedLine *before, const PricedLine *after)
{
    if (!is_same(before->unit_price, after->unit_price))
        add_change(comparison,
            &(Difference){
                .kind = THROUGHLINE__CATALOG__V1__QUOTE_CHANGE__KIND__UNIT_PRICE,
                .sku = after->sku,
                .rule = after->price_row,
                .before = before->unit_price,
                .after = after->unit_price,
                .reason = before->override                                  ? "OVERRIDE_NOT_KEPT"
                          : text_equal(before->price_row, after->price_row) ? "RULE_CHANGED"
                                                                            : "OTHER_RULE",
            });
    compare_adjustments(comparison, after->sku,
        &(Adjustments){ before->adjustments, before->n_adjustments },
        &(Adjustments){ after->adjustments, after->n_adjustments });
    compare_taxes(comparison, after->sku, &(Taxes){ before->taxes, before->n_taxes },
        &(Taxes){ after->taxes, after->n_taxes });
}

static bool has_gift(const Quote *quote, const Throughline__Catalog__V1__PricedGift *gift)
{
    for (size_t i = 0; i < quote->n_gifts; i++)
        if (text_equal(quote->gifts[i]->promotion, gift->promotion) &&
            text_equal(quote->gifts[i]->sku, gift->sku) &&
            quote->gifts[i]->quantity == gift->quantity)
            return true;
    return false;
}

static void compare_gifts(Comparison *comparison, const Quote *before, const Quote *after)
{
    Difference difference = { .kind = THROUGHLINE__CATALOG__V1__QUOTE_CHANGE__KIND__GIFT };

    for (size_t i = 0; i < before->n_gifts; i++) {
        difference.rule = before->gifts[i]->promotion;
        difference.reason = why_gone(comparison, difference.rule);
        if (!has_gift(after, before->gifts[i]))
            add_change(comparison, &difference);
    }
    for (size_t i = 0; i < after->n_gifts; i++) {
        difference.rule = after->gifts[i]->promotion;
        difference.reason = "NEW";
        if (!has_gift(before, after->gifts[i]))
            add_change(comparison, &difference);
    }
}

static void compare_codes(Comparison *comparison, const Quote *before, const Quote *after)
{
    for (size_t i = 0; i < before->n_codes && i < after->n_codes; i++)
        if (before->codes[i]->state != after->codes[i]->state)
            add_change(comparison,
                &(Difference){
                    .kind = THROUGHLINE__CATALOG__V1__QUOTE_CHANGE__KIND__CODE,
                    .rule = after->codes[i]->code,
                    .reason = *after->codes[i]->reason ? after->codes[i]->reason : "NEW",
                });
}

static void compare_shipping(Comparison *comparison, const Quote *before, const Quote *after)
{
    if (!before->shipping || !after->shipping)
        return;
    compare_adjustments(comparison, "",
        &(Adjustments){ before->shipping->adjustments, before->shipping->n_adjustments },
        &(Adjustments){ after->shipping->adjustments, after->shipping->n_adjustments });
    compare_taxes(comparison, "", &(Taxes){ before->shipping->taxes, before->shipping->n_taxes },
        &(Taxes){ after->shipping->taxes, after->shipping->n_taxes });
}

void pricing_compare(
    const Quote *before, const QuoteExplanation *after, Arena *arena, Changes *changes)
{
    Comparison comparison = { .after = after, .arena = arena, .changes = changes };

    for (size_t i = 0; i < before->n_lines && i < after->quote->n_lines; i++)
        compare_line(&comparison, before->lines[i], after->quote->lines[i]);
    compare_shipping(&comparison, before, after->quote);
    compare_gifts(&comparison, before, after->quote);
    compare_codes(&comparison, before, after->quote);
}
