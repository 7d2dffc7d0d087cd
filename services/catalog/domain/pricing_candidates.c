/* Which promotions a quote might use, and for each whether it fits: by the codes, and by what the
 * rules have under the SKUs, products, categories and brands of the cart. */
#include "services/catalog/domain/pricing_engine.h"

#include "shared/codec/types.h"

#include <stdlib.h>
#include <string.h>

enum { MICROS_A_MINUTE = 60000000, A_DAY = 1440, A_WEEK = 7, FIRST_WEEKDAY = 3 };

/* Gathering. */

typedef struct Found {
    size_t n_found;
    size_t capacity;
    uint32_t *found; /* promotions of the rules, some more than once */
} Found;

static void add_found(const Engine *engine, Found *list, const uint32_t *values, size_t n_values)
{
    if (list->n_found + n_values > list->capacity) {
        size_t capacity = 2 * (list->n_found + n_values) + 32;

        list->found =
            arena_grow(engine->arena, list->found, list->n_found, capacity, sizeof(*list->found));
        list->capacity = capacity;
    }
    if (n_values)
        memcpy(list->found + list->n_found, values, n_values * sizeof(*values));
    list->n_found += n_values;
}

static void add_under(
    const Engine *engine, Found *list, RuleKey key, const char *text, size_t length)
{
    LookupValues found = lookup_find(engine->rules->lookup, (int)key, text, length);

    add_found(engine, list, found.values, found.n_values);
}

static void add_line(const Engine *engine, Found *list, const Line *line)
{
    const Product *product = line->item->product;
    const Throughline__Catalog__V1__FormerNames *names = product->former_names;
    const char *path;

    add_under(engine, list, KEY_PROMOTION_SKU, line->variant->sku, strlen(line->variant->sku));
    add_under(engine, list, KEY_PROMOTION_PRODUCT, product->name, strlen(product->name));
    add_under(engine, list, KEY_PROMOTION_BRAND, product->brand, strlen(product->brand));
    for (size_t i = 0; names && i < names->n_brand; i++)
        add_under(engine, list, KEY_PROMOTION_BRAND, names->brand[i], strlen(names->brand[i]));
    for (size_t i = 0; (path = product_path(product, i)); i++)
        for (size_t length = 0; category_part(path, &length);)
            add_under(engine, list, KEY_PROMOTION_CATEGORY, path, length);
}

static int by_number(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;

    return left == right ? 0 : (left < right ? -1 : 1);
}

static Found find_all(const Engine *engine)
{
    const Rules *rules = engine->rules;
    Found list = { 0 };

    if (!rules)
        return list;
    if (engine->considers_all) {
        for (uint32_t i = 0; i < rules->n_promotions; i++)
            add_found(engine, &list, &i, 1);
        return list;
    }
    add_found(engine, &list, rules->open, rules->n_open);
    for (size_t i = 0; i < engine->n_lines; i++)
        add_line(engine, &list, &engine->lines[i]);
    if (list.n_found > 1)
        qsort(list.found, list.n_found, sizeof(*list.found), by_number);
    return list;
}

static bool is_typed(const Engine *engine, const char *promotion)
{
    for (size_t i = 0; i < engine->input->n_codes; i++)
        if (engine->input->codes[i].promotion &&
            text_equal(engine->input->codes[i].promotion->name, promotion))
            return true;
    return false;
}

/* Whether one fits. */

static bool is_of(const TextSet *wanted, const char *given)
{
    return wanted->n_texts == 0 || text_set_has(wanted, context_text(given));
}

static bool has_any_segment(const TextSet *wanted, const PricingContext *context)
{
    for (size_t i = 0; i < context->n_segments; i++)
        if (text_set_has(wanted, context->segments[i]))
            return true;
    return wanted->n_texts == 0;
}

static bool is_on_day(const Throughline__Catalog__V1__Hours *hours, int32_t day)
{
    for (size_t i = 0; i < hours->n_days; i++)
        if (hours->days[i] == day)
            return true;
    return hours->n_days == 0;
}

static int64_t floor_divide(int64_t value, int64_t divisor)
{
    return value / divisor - (value % divisor < 0);
}

static bool is_open_hour(
    const Engine *engine, const Throughline__Catalog__V1__PromotionConditions *conditions)
{
    int64_t local = floor_divide(engine->input->now, MICROS_A_MINUTE) + engine->utc_offset_minutes;
    int64_t days = floor_divide(local, A_DAY);
    int32_t minute = (int32_t)(local - days * A_DAY);
    int64_t weeks = floor_divide(days + FIRST_WEEKDAY, A_WEEK);
    int32_t day = (int32_t)(days + FIRST_WEEKDAY - weeks * A_WEEK) + 1;

    for (size_t i = 0; i < conditions->n_hours; i++)
        if (is_on_day(conditions->hours[i], day) && conditions->hours[i]->from_minute <= minute &&
            minute < conditions->hours[i]->until_minute)
            return true;
    return conditions->n_hours == 0;
}

bool promotion_is_for_channel(const Engine *engine, const CompiledPromotion *compiled)
{
    return is_of(&compiled->channel_groups, engine->input->context.channel) ||
           text_set_has(&compiled->channel_groups, engine->channel_group);
}

/* What can be said without looking at the lines. */
static Refusal context_refusal(const Engine *engine, const CompiledPromotion *compiled)
{
    const PricingContext *context = &engine->input->context;
    const Throughline__Catalog__V1__PromotionConditions *conditions =
        compiled->promotion->conditions;

    if (engine->input->now < compiled->window.start)
        return REFUSED_START;
    if (engine->input->now >= compiled->window.end)
        return REFUSED_END;
    if (compiled->is_stopped)
        return REFUSED_STOPPED;
    if (!conditions)
        return REFUSED_NOT;
    if (!is_of(&compiled->countries, context->country))
        return REFUSED_COUNTRY;
    if (!promotion_is_for_channel(engine, compiled))
        return REFUSED_CHANNEL;
    if (!has_any_segment(&compiled->segments, context))
        return REFUSED_SEGMENT;
    if (!is_of(&compiled->locations, context->location))
        return REFUSED_LOCATION;
    if (!is_of(&compiled->customers, context->customer))
        return REFUSED_CUSTOMER;
    if (conditions->is_first_order && !context->is_first_order)
        return REFUSED_FIRST_ORDER;
    return is_open_hour(engine, conditions) ? REFUSED_NOT : REFUSED_HOURS;
}

static Refusal limit_refusal(const Engine *engine, const Candidate *candidate)
{
    const CompiledPromotion *compiled = candidate->compiled;
    const Promotion *promotion = compiled->promotion;
    const PricingUsage *usage = candidate->usage;

    if (promotion->customer_limit > 0 && !*context_text(engine->input->context.customer))
        return REFUSED_ANONYMOUS;
    if (compiled->has_customer_budget && !*context_text(engine->input->context.customer))
        return REFUSED_BUDGET_ANONYMOUS;
    if ((compiled->has_budget && strcmp(compiled->budget.currency, engine->input->currency) != 0) ||
        (compiled->has_customer_budget &&
            strcmp(compiled->customer_budget.currency, engine->input->currency) != 0))
        return REFUSED_CURRENCY;
    if (!usage)
        return REFUSED_NOT;
    /* Also where only the coupon has a limit. */
    if (usage->uses_left <= 0)
        return REFUSED_TOTAL_LIMIT;
    if (promotion->customer_limit > 0 && usage->customer_uses_left <= 0)
        return REFUSED_CUSTOMER_LIMIT;
    if (compiled->has_budget && usage->budget_left <= 0)
        return REFUSED_BUDGET;
    if (compiled->has_customer_budget && usage->customer_budget_left <= 0)
        return REFUSED_CUSTOMER_BUDGET;
    return REFUSED_NOT;
}

/* The part of a bundle that the line is for; n_parts when for none. */
static size_t find_part(const CompiledPromotion *compiled, const Line *line)
{
    size_t part = 0;

    while (part < compiled->n_parts &&
           !selector_matches(&compiled->parts[part].target, line->item->product, line->variant))
        part++;
    return part;
}

static void match_lines(const Engine *engine, Candidate *candidate)
{
    const CompiledPromotion *compiled = candidate->compiled;

    candidate->lines = arena_array(engine->arena, engine->n_lines, sizeof(uint32_t));
    if (compiled->n_parts)
        candidate->parts = arena_array(engine->arena, engine->n_lines, sizeof(uint32_t));
    for (size_t i = 0; i < engine->n_lines; i++) {
        const Line *line = &engine->lines[i];
        size_t part = 0;

        if (line->is_closed || !promotion_matches(compiled->promotion, line->item->product) ||
            !selector_matches(&compiled->target, line->item->product, line->variant))
            continue;
        if (compiled->n_parts) {
            part = find_part(compiled, line);
            if (part == compiled->n_parts)
                continue;
            candidate->parts[candidate->n_lines] = (uint32_t)part;
        }
        candidate->lines[candidate->n_lines++] = (uint32_t)i;
        candidate->spend += line->list;
        candidate->pieces += line->item->line->quantity;
    }
}

/* A bundle needs a line for each of its parts. */
static bool has_all_parts(const Candidate *candidate)
{
    for (size_t part = 0; part < candidate->compiled->n_parts; part++) {
        bool is_there = false;

        for (size_t i = 0; i < candidate->n_lines && !is_there; i++)
            is_there = candidate->parts[i] == part;
        if (!is_there)
            return false;
    }
    return candidate->n_lines > 0;
}

static bool has_required(const Engine *engine, const CompiledPromotion *compiled)
{
    for (size_t i = 0; i < engine->n_lines; i++)
        if (selector_matches(
                &compiled->requires, engine->lines[i].item->product, engine->lines[i].variant))
            return true;
    return !compiled->requires.selector;
}

static bool is_reached(const Engine *engine, const Candidate *candidate, const CompiledTier *tier)
{
    int64_t spend;

    if (candidate->pieces < tier->min_quantity)
        return false;
    return tier->min_spend.n_amounts == 0 ||
           (amounts_in(&tier->min_spend, engine->input->currency, &spend) &&
               candidate->spend >= spend);
}

/* Whether what it takes is said in the currency of the quote. */
static bool has_amount(const Engine *engine, const Candidate *candidate)
{
    const char *currency = engine->input->currency;
    int64_t amount;

    switch (candidate->compiled->promotion->effect_case) {
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_AMOUNT_OFF:
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_FIXED_PRICE:
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_BUNDLE_PRICE:
        return amounts_in(&candidate->compiled->amounts, currency, &amount);
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_CART_OFF:
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_SHIPPING_OFF:
        return candidate->compiled->basis_points > 0 ||
               amounts_in(&candidate->compiled->amounts, currency, &amount);
    default:
        return true;
    }
}

static Refusal lines_refusal(const Engine *engine, Candidate *candidate)
{
    const CompiledPromotion *compiled = candidate->compiled;
    const Throughline__Catalog__V1__PromotionConditions *conditions =
        compiled->promotion->conditions;
    int64_t spend;

    if (!has_required(engine, compiled))
        return REFUSED_REQUIRED;
    match_lines(engine, candidate);
    if (!has_all_parts(candidate))
        return REFUSED_LINES;
    if (!has_amount(engine, candidate))
        return REFUSED_CURRENCY;
    if (compiled->min_spend.n_amounts > 0 &&
        (!amounts_in(&compiled->min_spend, engine->input->currency, &spend) ||
            candidate->spend < spend))
        return REFUSED_SPEND;
    if (conditions && candidate->pieces < conditions->min_quantity)
        return REFUSED_QUANTITY;
    for (size_t i = 0; i < compiled->n_tiers; i++)
        if (is_reached(engine, candidate, &compiled->tiers[i]))
            candidate->tier = &compiled->tiers[i];
    return compiled->n_tiers > 0 && !candidate->tier ? REFUSED_SPEND : REFUSED_NOT;
}

static Refusal shipping_refusal(const Engine *engine, const CompiledPromotion *compiled)
{
    const Promotion *promotion = compiled->promotion;
    const PricingShipping *shipping = engine->input->shipping;

    if (promotion->effect_case != THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_SHIPPING_OFF)
        return REFUSED_NOT;
    if (!shipping)
        return REFUSED_SHIPPING;
    for (size_t i = 0; i < promotion->shipping_off->n_methods; i++)
        if (text_equal(promotion->shipping_off->methods[i], shipping->method))
            return REFUSED_NOT;
    return promotion->shipping_off->n_methods == 0 ? REFUSED_NOT : REFUSED_SHIPPING;
}

static Refusal door_refusal(CouponDoor door)
{
    static const Refusal refusals[] = {
        [COUPON_DOOR_OPEN] = REFUSED_NOT,
        [COUPON_DOOR_NOT_STARTED] = REFUSED_COUPON_START,
        [COUPON_DOOR_ENDED] = REFUSED_COUPON_END,
        [COUPON_DOOR_CUSTOMER_UNKNOWN] = REFUSED_COUPON_CUSTOMER,
        [COUPON_DOOR_OTHER_CUSTOMER] = REFUSED_COUPON_OTHER,
    };

    return refusals[door];
}

static void judge(const Engine *engine, Candidate *candidate)
{
    const CompiledPromotion *compiled = candidate->compiled;

    for (size_t i = 0; i < engine->input->n_usages; i++)
        if (text_equal(engine->input->usages[i].promotion, compiled->promotion->name))
            candidate->usage = &engine->input->usages[i];
    candidate->refusal = door_refusal(candidate->door);
    if (!candidate->refusal && !candidate->code && !compiled->is_automatic)
        candidate->refusal = compiled->promotion->needs_coupon ? REFUSED_COUPON : REFUSED_CODE;
    if (!candidate->refusal)
        candidate->refusal = context_refusal(engine, compiled);
    if (!candidate->refusal)
        candidate->refusal = shipping_refusal(engine, compiled);
    if (!candidate->refusal)
        candidate->refusal = limit_refusal(engine, candidate);
    if (!candidate->refusal)
        candidate->refusal = lines_refusal(engine, candidate);
}

/* Codes come with their promotions: they may be of other rules than those in force. */
static void add_codes(Engine *engine)
{
    for (size_t i = 0; i < engine->input->n_codes; i++) {
        const PricingCode *code = &engine->input->codes[i];
        CompiledPromotion *compiled;

        if (!code->promotion)
            continue;
        compiled = arena_alloc(engine->arena, sizeof(*compiled));
        promotion_compile(engine->arena, code->promotion, compiled);
        compiled->is_stopped =
            engine_find(engine, KEY_STOP_PROMOTION, code->promotion->name).n_values > 0;
        engine->candidates[engine->n_candidates++] =
            (Candidate){ .compiled = compiled, .code = code->code, .door = code->door };
    }
}

/* By priority, then phase, then size, then name. */
static int by_turn(const void *a, const void *b)
{
    const CompiledPromotion *left = ((const Candidate *)a)->compiled;
    const CompiledPromotion *right = ((const Candidate *)b)->compiled;

    if (left->promotion->priority != right->promotion->priority)
        return left->promotion->priority > right->promotion->priority ? -1 : 1;
    if (left->phase != right->phase)
        return left->phase < right->phase ? -1 : 1;
    if (left->basis_points != right->basis_points)
        return left->basis_points > right->basis_points ? -1 : 1;
    return strcmp(left->promotion->name, right->promotion->name);
}

void find_candidates(Engine *engine)
{
    Found list = find_all(engine);

    engine->candidates = arena_array(
        engine->arena, list.n_found + engine->input->n_codes, sizeof(*engine->candidates));
    add_codes(engine);
    for (size_t i = 0; i < list.n_found; i++) {
        const CompiledPromotion *compiled = &engine->rules->promotions[list.found[i]];

        if ((i > 0 && list.found[i] == list.found[i - 1]) ||
            is_typed(engine, compiled->promotion->name))
            continue;
        engine->candidates[engine->n_candidates++] = (Candidate){ .compiled = compiled };
    }
    for (size_t i = 0; i < engine->n_candidates; i++)
        judge(engine, &engine->candidates[i]);
    if (engine->n_candidates > 1)
        qsort(engine->candidates, engine->n_candidates, sizeof(*engine->candidates), by_turn);
}
