/* Uses of promotions: reserved, redeemed, given back, counted. */
#include "services/catalog/channel_view.h"
#include "services/catalog/pricing/quote_input.h"
#include "services/catalog/pricing/quote_limits.h"
#include "services/catalog/pricing/uses_store.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "shared/rpc/check.h"

typedef Throughline__Catalog__V1__GetPromotionUsageRequest GetPromotionUsageRequest;
typedef Throughline__Catalog__V1__PromotionUsage PromotionUsage;
typedef Throughline__Catalog__V1__ReserveUsesRequest ReserveUsesRequest;
typedef Throughline__Catalog__V1__RedeemUsesRequest RedeemUsesRequest;
typedef Throughline__Catalog__V1__ReturnUsesRequest ReturnUsesRequest;
typedef Throughline__Catalog__V1__GetUsesRequest GetUsesRequest;

enum { MICROS = 1000000 };

static const Error promotion_not_found = { ERROR_NOT_FOUND, "PROMOTION_NOT_FOUND",
    "There is no promotion of this name." };

/* A counter in all or for a customer; an empty one where nothing was counted. */
static const Error *load_counter(
    RpcCall *call, const char *subject, const char *customer, UseCounter *counter)
{
    const char *name = uses_counter_name(call->arena, subject, customer, "");
    const Error *error = store_get(call->store, &use_counters, name, counter);

    return error && error->code == ERROR_NOT_FOUND ? NULL : error;
}

static const Error *show_usage(
    RpcCall *call, const Promotion *promotion, const char *customer, PromotionUsage *usage)
{
    const char *subject = uses_subject(promotion, call->arrived_at, call->arena);
    UseCounter *total = message_new(call->arena, use_counters.message);
    UseCounter *own = message_new(call->arena, use_counters.message);
    const Error *error;

    if ((error = load_counter(call, subject, "", total)) ||
        (*customer && (error = load_counter(call, subject, customer, own))))
        return error;
    usage->used = total->used;
    usage->reserved = counter_reserved(total, call->arrived_at);
    usage->customer_used = own->used + counter_reserved(own, call->arrived_at);
    if (promotion->budget)
        usage->spent = money_message(
            call->arena, promotion->budget->currency_code, counter_spent(total, call->arrived_at));
    if (promotion->customer_budget && *customer)
        usage->customer_spent = money_message(call->arena,
            promotion->customer_budget->currency_code, counter_spent(own, call->arrived_at));
    return NULL;
}

const Error *get_promotion_usage(RpcCall *call, const void *request, void *reply)
{
    const GetPromotionUsageRequest *req = request;
    PromotionUsage *usage = reply;
    const Promotion *promotion = NULL;
    Rules *rules;
    const Error *error;

    check_name(call, "promotion", req->promotion, "promotions/*");
    check_optional_name(call, "customer", req->customer, "customers/*");
    if ((error = check_result(call)))
        return error;

    rules = rules_holder_current(catalog_of(call)->rules);
    usage->promotion = req->promotion;
    if (!(error = promotion_load(call, rules, req->promotion, &promotion)))
        error = promotion && sees_promotion(call, req->promotion)
                    ? show_usage(call, promotion, req->customer, usage)
                    : &promotion_not_found;
    rules_release(rules);
    return error;
}

const Error *reserve_uses(RpcCall *call, const void *request, void *reply)
{
    const ReserveUsesRequest *req = request;
    int64_t ttl = req->ttl_seconds ? req->ttl_seconds : USES_DEFAULT_TTL_SECONDS;
    Quote *quote = message_new(call->arena, &throughline__catalog__v1__quote__descriptor);
    const Error *error;

    check_present(call, "signed_quote", req->signed_quote);
    check_range(call, "ttl_seconds", ttl, USES_MIN_TTL_SECONDS, USES_MAX_TTL_SECONDS);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)) ||
        (error = quote_open(call, req->signed_quote, call->arrived_at, quote)))
        return error;

    return uses_reserve(call, quote, call->arrived_at + ttl * MICROS, reply);
}

/* Of a quote of the caller's channel. */
static const Error *load_reservation(RpcCall *call, const char *name, UseReservation *reservation)
{
    static const Error not_found = { ERROR_NOT_FOUND, "USE_RESERVATION_NOT_FOUND",
        "There is no such reservation for the account's channel." };
    const Error *error = store_get(call->store, &use_reservations, name, reservation);

    return error || sees_channel(call, reservation->channel) ? error : &not_found;
}

/* The caller ends only what it would see. */
static const Error *close_seen(
    RpcCall *call, const char *name, UsesEnd end, UseReservation *reservation)
{
    UseReservation now = THROUGHLINE__CATALOG__V1__USE_RESERVATION__INIT;
    const Error *error = bound_channel(call) ? load_reservation(call, name, &now) : NULL;

    return error ? error : uses_close(call, name, end, true, reservation);
}

const Error *redeem_uses(RpcCall *call, const void *request, void *reply)
{
    const RedeemUsesRequest *req = request;
    const Error *error;

    check_name(call, "name", req->name, "useReservations/*");
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    return close_seen(call, req->name, USES_REDEEM, reply);
}

const Error *return_uses(RpcCall *call, const void *request, void *reply)
{
    const ReturnUsesRequest *req = request;
    const Error *error;

    check_name(call, "name", req->name, "useReservations/*");
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    return close_seen(call, req->name, USES_RETURN, reply);
}

const Error *get_uses(RpcCall *call, const void *request, void *reply)
{
    const GetUsesRequest *req = request;
    const Error *error;

    check_name(call, "name", req->name, "useReservations/*");
    if ((error = check_result(call)))
        return error;

    return load_reservation(call, req->name, reply);
}
