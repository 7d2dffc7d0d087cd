/* From a typed code to its campaign, and what is left of limits. */
#include "services/catalog/pricing/uses_store.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <string.h>

static const Error coupon_not_found = { ERROR_NOT_FOUND, "COUPON_NOT_FOUND",
    "No campaign has this code." };

static const Error *find_campaign(
    RpcCall *call, const char *index, const char *text, CouponCampaign *campaign)
{
    StoreView steps = store_steps(call->store);
    StoreQuery query = {
        .index = index, .equal = { { .kind = STORE_TEXT, .text = text } }, .limit = 1
    };
    StorePage page = { 0 };
    const Error *error = store_find(&steps, &coupon_campaigns, &query, &page);

    if (error)
        return error;
    if (page.n_messages == 0)
        return &coupon_not_found;
    *campaign = *(CouponCampaign *)page.messages[0];
    return NULL;
}

/* A code that looks generated must be one of those that were; a personal one is its own customer's. */
static const Error *check_generated(RpcCall *call, const CouponCampaign *campaign, const char *code,
    const char *customer, Coupon *coupon)
{
    StoreView steps = store_steps(call->store);
    CouponKeyRecord *key = message_new(call->arena, coupon_keys.message);
    uint32_t tie;
    int64_t number;
    const Error *error =
        store_get(&steps, &coupon_keys, coupon_key_name(call->arena, campaign->name), key);

    if (error)
        return error->code == ERROR_NOT_FOUND ? &coupon_not_found : error;
    number = coupon_number(key->key.data, code, &tie);
    if (number < 1 || number > campaign->code_count ||
        (tie != COUPON_UNTIED) != campaign->is_personal)
        return &coupon_not_found;
    if (campaign->is_personal && coupon->state == COUPON_USABLE && !*customer)
        coupon->state = COUPON_CUSTOMER_NEEDED;
    else if (campaign->is_personal && coupon->state == COUPON_USABLE &&
             tie != coupon_tie(key->key.data, customer))
        coupon->state = COUPON_OTHER_CUSTOMER;
    return NULL;
}

char *coupon_key_name(Arena *arena, const char *campaign)
{
    return arena_printf(arena, "couponKeys/%s", campaign + strlen("couponCampaigns/"));
}

const Error *coupon_find(
    RpcCall *call, const char *code, const char *customer, CouponCampaign *campaign, Coupon *coupon)
{
    const char *prefix = coupon_prefix(code, call->arena);
    const Error *error;

    if (!promotion_code_is_valid(code))
        return &coupon_not_found;
    error = prefix ? find_campaign(call, "prefix", prefix, campaign)
                   : find_campaign(call, "code", code, campaign);
    if (error)
        return error;
    coupon->code = arena_text(call->arena, code);
    coupon->campaign = campaign->name;
    coupon->promotion = campaign->promotion;
    coupon->is_personal = campaign->is_personal;
    coupon->state = campaign_state(campaign, call->arrived_at);
    return prefix ? check_generated(call, campaign, code, customer, coupon) : NULL;
}

const Error *coupon_look_up(RpcCall *call, const char *code, const char *customer, Coupon *coupon)
{
    CouponCampaign *campaign = message_new(call->arena, coupon_campaigns.message);
    UseReservation claims = THROUGHLINE__CATALOG__V1__USE_RESERVATION__INIT;
    UseCounter **counters;
    const Error *error;

    if ((error = coupon_find(call, code, customer, campaign, coupon)) ||
        coupon->state != COUPON_USABLE)
        return error;
    claims.customer = arena_text(call->arena, customer);
    if (uses_claim_campaign(campaign, code, call->arena, &claims)) {
        coupon->state = COUPON_CUSTOMER_NEEDED;
        return NULL;
    }
    if ((error = uses_load_counters(call, &claims, &counters)))
        return error;
    for (size_t i = 0; i < claims.n_claims; i++)
        if (!counter_uses_left(counters[i], claims.claims[i]->most_uses, call->arrived_at))
            coupon->state = COUPON_USED_UP;
    return NULL;
}

/* What is left of promotions. */

static int64_t budget_left(
    const Google__Type__Money *budget, const UseCounter *counter, int64_t now)
{
    int64_t most, spent;

    if (!budget || !money_minor(budget, &most))
        return INT64_MAX;
    spent = counter_spent(counter, now);
    return spent < most ? most - spent : 0;
}

static UsesLeft left_of(const Promotion *promotion, const UseCounter *total, const UseCounter *own,
    bool is_known, int64_t now)
{
    UsesLeft left = {
        .uses = counter_uses_left(total, promotion->total_limit, now),
        .customer_uses = counter_uses_left(own, promotion->customer_limit, now),
        .budget = budget_left(promotion->budget, total, now),
        .customer_budget = budget_left(promotion->customer_budget, own, now),
    };

    if (promotion->customer_limit > 0 && !is_known)
        left.customer_uses = 0;
    if (promotion->customer_budget && !is_known)
        left.customer_budget = 0;
    return left;
}

const Error *uses_left(RpcCall *call, const Promotion *const *limited, size_t n_limited,
    const char *customer, UsesLeft *left)
{
    StoreView steps = store_steps(call->store);
    size_t n_names = 2 * n_limited;
    const char **names = arena_array(call->arena, n_names, sizeof(*names));
    void **counters = arena_array(call->arena, n_names, sizeof(*counters));
    UseCounter none = THROUGHLINE__CATALOG__V1__USE_COUNTER__INIT;
    const Error *error;

    if (n_limited == 0)
        return NULL;
    for (size_t i = 0; i < n_limited; i++) {
        const char *subject = uses_subject(limited[i], call->arrived_at, call->arena);

        names[2 * i] = uses_counter_name(call->arena, subject, "", "");
        names[2 * i + 1] = uses_counter_name(call->arena, subject, customer, "");
    }
    if ((error = store_get_many(&steps, &use_counters, names, n_names, counters)))
        return error;
    for (size_t i = 0; i < n_limited; i++) {
        const UseCounter *total = counters[2 * i] ? counters[2 * i] : &none;
        const UseCounter *own = counters[2 * i + 1] ? counters[2 * i + 1] : &none;

        left[i] = left_of(limited[i], total, own, *customer != '\0', call->arrived_at);
    }
    return NULL;
}
