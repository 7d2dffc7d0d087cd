/* Finishes what was left in the middle: a process died, a client gave up, a store was away. */
#include "services/cart/cart_service.h"

#include "shared/base/log.h"

enum { PENDING_SECONDS = 5, PENDING_PAGE = 100 };

static const Error *finish_merge(RpcCall *call, const Cart *source)
{
    MergeReport report = THROUGHLINE__CART__V1__ATTACH_CUSTOMER_RESPONSE__INIT;
    const Error *error;

    if ((error = attach_cart(
             call, source->name, source->customer, "", source->pending->mode, &report)))
        return error;
    return settle_merge(call, source->name);
}

static const Error *finish(RpcCall *call, const Cart *cart)
{
    if (cart->state == THROUGHLINE__CART__V1__CART__STATE__MERGED)
        return finish_merge(call, cart);
    return finish_checkout(call, cart->name);
}

/* One that cannot be finished now must not hold up the others. */
static void log_failure(const char *name, const Error *failure)
{
    if (failure)
        log_write(LOG_WARN, "cart_pending",
            (const LogField[]){
                { "name", .text = name }, { "reason", .text = failure->reason }, { 0 } });
}

static const Error *find_pending(RpcCall *call, const Collection *collection, StorePage *page)
{
    int64_t until = call->arrived_at - (int64_t)PENDING_SECONDS * 1000000;
    StoreQuery query = {
        .index = "pending",
        .below = { .kind = STORE_TEXT,
            .text = arena_printf(call->arena, "%019lld", (long long)until) },
        .limit = PENDING_PAGE,
    };

    return store_find(call->store, collection, &query, page);
}

const Error *finish_pending(RpcCall *call)
{
    StorePage page;
    const Error *error;

    if ((error = find_pending(call, &carts, &page)))
        return error;
    for (size_t i = 0; i < page.n_messages; i++) {
        const Cart *cart = page.messages[i];

        log_failure(cart->name, finish(call, cart));
    }
    if ((error = find_pending(call, &orders, &page)))
        return error;
    for (size_t i = 0; i < page.n_messages; i++) {
        const Order *order = page.messages[i];

        log_failure(order->name, finish_credit(call, order->name));
    }
    return NULL;
}
