/* What cart learns from identity: whose carts and orders they are since customers were merged. */
#include "services/cart/cart_service.h"

#include "shared/codec/message.h"
#include "shared/service/aliases.h"

#include "throughline/identity/v1/events.pb-c.h"

typedef Throughline__Identity__V1__CustomersMerged CustomersMerged;

static const Owned owned[] = { { &orders, .origin = "origin" }, { 0 } };

/* As when somebody signs in who has an open cart. One in another currency stays where it is. */
static const Error *hand_over_cart(RpcCall *call, const char *duplicate, const char *survivor)
{
    MergeReport report = THROUGHLINE__CART__V1__ATTACH_CUSTOMER_RESPONSE__INIT;
    Cart *cart = message_new(call->arena, carts.message);
    const Error *error = cart_find_open(call->store, duplicate, cart);

    if (error)
        return error == &cart_not_found ? NULL : error;
    error = attach_cart(call, cart->name, survivor, duplicate,
        THROUGHLINE__CART__V1__ATTACH_CUSTOMER_REQUEST__MODE__SUM, &report);
    return error && error->code == ERROR_FAILED_PRECONDITION ? NULL : error;
}

const Error *carts_follow_merge(RpcCall *call, const Event *event)
{
    const CustomersMerged *merged =
        event_payload(call->arena, event, &throughline__identity__v1__customers_merged__descriptor);
    StoreView steps = store_steps(call->store), *marked = call->store;
    const char *survivor;
    const Error *error;

    if (!merged)
        return NULL;
    /* Each write may be there already: no mark is needed. */
    call->store = &steps;
    if (!(error = alias_learn(call, merged->duplicate, merged->customer, owned)) &&
        !(error = alias_survivor(&steps, merged->duplicate, &survivor)) &&
        !text_equal(survivor, merged->duplicate))
        error = hand_over_cart(call, merged->duplicate, survivor);
    call->store = marked;
    return error;
}

const Error *carts_sweep_merges(RpcCall *call)
{
    return alias_sweep(call, owned);
}
