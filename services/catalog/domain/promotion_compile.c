/* Promotions made ready: what they are about as sets, what they take as numbers. */
#include "services/catalog/domain/rules_index.h"

#include "shared/codec/types.h"

#include <string.h>

enum { PHASE_LINES, PHASE_CART, PHASE_SHIPPING, PHASE_GIFTS };

Window window_of(const Google__Protobuf__Timestamp *start, const Google__Protobuf__Timestamp *end)
{
    return (Window){
        .start = start ? timestamp_to_micros(start) : INT64_MIN,
        .end = end ? timestamp_to_micros(end) : INT64_MAX,
    };
}

bool window_has(const Window *window, int64_t now)
{
    return window->start <= now && now < window->end;
}

bool amounts_in(const Amounts *amounts, const char *currency, int64_t *minor)
{
    for (size_t i = 0; i < amounts->n_amounts; i++)
        if (!strcmp(amounts->amounts[i].currency, currency)) {
            *minor = amounts->amounts[i].minor;
            return true;
        }
    return false;
}

int32_t share_of(int32_t basis_points)
{
    if (basis_points < 0)
        return 0;
    return basis_points > PROMOTION_WHOLE ? PROMOTION_WHOLE : basis_points;
}

static bool read_amount(const Google__Type__Money *money, Amount *amount)
{
    if (!money_minor(money, &amount->minor) || amount->minor < 0)
        return false;
    memcpy(amount->currency, money->currency_code, sizeof(amount->currency));
    return true;
}

Amounts amounts_compile(Arena *arena, Google__Type__Money *const *moneys, size_t n_moneys)
{
    Amounts amounts = { 0, arena_array(arena, n_moneys, sizeof(Amount)) };

    for (size_t i = 0; i < n_moneys; i++)
        if (read_amount(moneys[i], &amounts.amounts[amounts.n_amounts]))
            amounts.n_amounts++;
    return amounts;
}

static void compile_conditions(Arena *arena, CompiledPromotion *compiled)
{
    const Throughline__Catalog__V1__PromotionConditions *conditions =
        compiled->promotion->conditions;

    if (!conditions)
        return;
    compiled->countries = text_set(arena, conditions->countries, conditions->n_countries);
    compiled->channel_groups =
        text_set(arena, conditions->channel_groups, conditions->n_channel_groups);
    compiled->segments = text_set(arena, conditions->segments, conditions->n_segments);
    compiled->locations = text_set(arena, conditions->locations, conditions->n_locations);
    compiled->customers = text_set(arena, conditions->customers, conditions->n_customers);
    compiled->min_spend = amounts_compile(arena, conditions->min_spend, conditions->n_min_spend);
    compiled->requires = selector_compile(arena, conditions->requires);
}

static void compile_tiers(
    Arena *arena, const Throughline__Catalog__V1__Tiers *tiers, CompiledPromotion *compiled)
{
    compiled->n_tiers = tiers->n_tiers;
    compiled->tiers = arena_array(arena, tiers->n_tiers, sizeof(*compiled->tiers));
    for (size_t i = 0; i < tiers->n_tiers; i++)
        compiled->tiers[i] = (CompiledTier){
            .min_spend =
                amounts_compile(arena, tiers->tiers[i]->min_spend, tiers->tiers[i]->n_min_spend),
            .min_quantity = tiers->tiers[i]->min_quantity,
            .basis_points = share_of(tiers->tiers[i]->basis_points),
            .amounts = amounts_compile(arena, tiers->tiers[i]->amounts, tiers->tiers[i]->n_amounts),
        };
}

static void compile_bundle(
    Arena *arena, const Throughline__Catalog__V1__BundlePrice *bundle, CompiledPromotion *compiled)
{
    compiled->amounts = amounts_compile(arena, bundle->prices, bundle->n_prices);
    compiled->n_parts = bundle->n_parts;
    compiled->parts = arena_array(arena, bundle->n_parts, sizeof(*compiled->parts));
    for (size_t i = 0; i < bundle->n_parts; i++)
        compiled->parts[i] = (CompiledPart){
            .target = selector_compile(arena, bundle->parts[i]->target),
            .quantity = bundle->parts[i]->quantity,
        };
}

static void compile_effect(Arena *arena, CompiledPromotion *compiled)
{
    const Promotion *promotion = compiled->promotion;

    switch (promotion->effect_case) {
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_AMOUNT_OFF:
        compiled->amounts = amounts_compile(
            arena, promotion->amount_off->amounts, promotion->amount_off->n_amounts);
        break;
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_FIXED_PRICE:
        compiled->amounts = amounts_compile(
            arena, promotion->fixed_price->prices, promotion->fixed_price->n_prices);
        break;
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_BUY_X_GET_Y:
        compiled->reward = selector_compile(arena, promotion->buy_x_get_y->reward);
        break;
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_BUNDLE_PRICE:
        compile_bundle(arena, promotion->bundle_price, compiled);
        break;
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_TIERS:
        compile_tiers(arena, promotion->tiers, compiled);
        break;
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_GIFT:
        compiled->phase = PHASE_GIFTS;
        break;
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_CART_OFF:
        compiled->phase = PHASE_CART;
        compiled->basis_points = share_of(promotion->cart_off->basis_points);
        compiled->amounts =
            amounts_compile(arena, promotion->cart_off->amounts, promotion->cart_off->n_amounts);
        break;
    case THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_SHIPPING_OFF:
        compiled->phase = PHASE_SHIPPING;
        compiled->basis_points = share_of(promotion->shipping_off->basis_points);
        compiled->amounts = amounts_compile(
            arena, promotion->shipping_off->amounts, promotion->shipping_off->n_amounts);
        break;
    default:
        break;
    }
}

void promotion_compile(Arena *arena, const Promotion *promotion, CompiledPromotion *compiled)
{
    *compiled = (CompiledPromotion){
        .promotion = promotion,
        .window = window_of(promotion->start_time, promotion->end_time),
        .is_automatic = !*promotion->code && !promotion->needs_coupon,
        .phase = PHASE_LINES,
        .basis_points = share_of(promotion->basis_points),
        .target = selector_compile(arena, promotion->target),
        .requires = selector_compile(arena, NULL),
        .reward = selector_compile(arena, NULL),
        .has_budget = promotion->budget != NULL,
        .has_customer_budget = promotion->customer_budget != NULL,
    };
    if (promotion->budget)
        read_amount(promotion->budget, &compiled->budget);
    if (promotion->customer_budget)
        read_amount(promotion->customer_budget, &compiled->customer_budget);
    compile_conditions(arena, compiled);
    compile_effect(arena, compiled);
}
