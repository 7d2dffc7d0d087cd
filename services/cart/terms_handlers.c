/* Where a cart goes, and on which terms. */
#include "services/cart/cart_service.h"

#include "services/cart/catalog_client.h"
#include "services/cart/domain/terms.h"
#include "shared/rpc/check.h"

#include <string.h>

typedef Throughline__Cart__V1__SetFulfilmentRequest SetFulfilmentRequest;
typedef Throughline__Cart__V1__SetTermsRequest SetTermsRequest;

enum { WORD_MAX = 64, SEGMENTS_MAX = 100 };

static void check_place(RpcCall *call, const char *path, const Place *place)
{
    static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    if (!place)
        return;
    if (*place->country && (strlen(place->country) != 2 || strspn(place->country, capitals) != 2))
        check_fail(call, check_path(call, "%s.country", path), "must be two capitals (ISO 3166-1)");
    check_text(call, check_path(call, "%s.region", path), place->region, 0, WORD_MAX);
}

static void check_fulfilment(RpcCall *call, const Fulfilment *fulfilment)
{
    if (!fulfilment)
        return;
    check_enum(call, "fulfilment.method", &throughline__cart__v1__fulfilment__method__descriptor,
        (int)fulfilment->method);
    if (!fulfilment_is_pickup(fulfilment) && *fulfilment->location)
        check_fail(call, "fulfilment.location", "is for PICKUP only");
    if (fulfilment_is_pickup(fulfilment) && !location_is_good(fulfilment->location))
        check_fail(call, "fulfilment.location", "must be 1 to %d characters of [a-z0-9-]",
            LOCATION_ID_MAX);
    check_place(call, "fulfilment.delivery", fulfilment->delivery);
    check_place(call, "fulfilment.billing", fulfilment->billing);
}

const Error *set_fulfilment(RpcCall *call, const void *request, void *reply)
{
    const SetFulfilmentRequest *req = request;
    Actor actor = actor_of(call);
    Cart *cart = reply;
    CartChange change __attribute__((cleanup(cart_change_end))) =
        cart_change(call, req->cart, req->etag, cart);
    Location *location = NULL;
    const Error *error;

    check_name(call, "cart", req->cart, "carts/*");
    check_fulfilment(call, req->fulfilment);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)) ||
        (fulfilment_is_pickup(req->fulfilment) &&
            (error = catalog_find_location(call, req->fulfilment->location, &location))))
        return error;

    while (cart_change_loads(&change)) {
        FulfilmentSet event = THROUGHLINE__CART__V1__FULFILMENT_SET__INIT;

        change.error =
            cart_set_fulfilment(cart, req->fulfilment, location, &actor, call->arena, &event);
        cart_change_store(&change, &event);
    }
    return change.error;
}

static void check_terms(RpcCall *call, const Terms *terms)
{
    int64_t minor;

    if (!terms)
        return;
    check_count(call, "terms.segments", terms->n_segments, 0, SEGMENTS_MAX);
    for (size_t i = 0; i < terms->n_segments && i < SEGMENTS_MAX; i++)
        check_name(
            call, check_path(call, "terms.segments[%zu]", i), terms->segments[i], "segments/*");
    if (!terms->shipping)
        return;
    check_text(call, "terms.shipping.method", terms->shipping->method, 1, WORD_MAX);
    check_money(call, "terms.shipping.amount", terms->shipping->amount, 0, INT64_MAX, &minor);
}

const Error *set_terms(RpcCall *call, const void *request, void *reply)
{
    const SetTermsRequest *req = request;
    Actor actor = actor_of(call);
    Cart *cart = reply;
    CartChange change __attribute__((cleanup(cart_change_end))) =
        cart_change(call, req->cart, req->etag, cart);
    const Error *error;

    check_name(call, "cart", req->cart, "carts/*");
    check_terms(call, req->terms);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    while (cart_change_loads(&change)) {
        TermsSet event = THROUGHLINE__CART__V1__TERMS_SET__INIT;

        change.error = cart_set_terms(cart, req->terms, &actor, call->arena, &event);
        cart_change_store(&change, &event);
    }
    return change.error;
}
