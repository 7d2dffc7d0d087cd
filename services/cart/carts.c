/* The service's state, and carts loaded for handlers. */
#include "services/cart/cart_service.h"

CartState *cart_state(const RpcCall *call)
{
    return service_of(call)->state;
}

Actor actor_of(const RpcCall *call)
{
    const Caller *caller = call->caller;

    return (Actor){
        .name = call->context.actor,
        .on_behalf_of = call->context.on_behalf_of,
        .channel = call->context.channel,
        /* A channel's account may say that it acts for a service; it is not believed. */
        .is_service = caller && text_is_empty(caller->channel) &&
                      text_starts_with(call->context.actor, "services/"),
        .now = call->arrived_at,
    };
}

const Error *cart_load(StoreView *view, const char *name, Cart *cart)
{
    const Error *error = store_get(view, &carts, name, cart);

    return error && error->code == ERROR_NOT_FOUND ? &cart_not_found : error;
}

const Error *cart_load_to_change(RpcCall *call, const char *name, const char *etag, Cart *cart)
{
    Actor actor = actor_of(call);
    const Error *error;

    if ((error = cart_load(call->store, name, cart)) || (error = cart_check_change(cart, &actor)))
        return error;
    return cart_check_etag(cart, etag);
}

CartChange cart_change(RpcCall *call, const char *name, const char *etag, Cart *cart)
{
    return (CartChange){
        .call = call, .name = name, .etag = etag, .cart = cart, .race = race_start(call, name)
    };
}

void cart_change_end(CartChange *change)
{
    race_end(&change->race);
}

bool cart_change_loads(CartChange *change)
{
    RpcCall *call = change->call;

    if (change->rounds++ && !race_lost(&change->race, change->error, change->etag))
        return false;
    change->error = change->is_for_all
                        ? cart_load(call->store, change->name, change->cart)
                        : cart_load_to_change(call, change->name, change->etag, change->cart);
    return !change->error;
}

void cart_change_store(CartChange *change, const void *event)
{
    if (!change->error && event)
        change->error = service_replace_last(change->call, &carts, change->cart, event);
}

const Error *cart_find_open(StoreView *view, const char *customer, Cart *cart)
{
    StoreQuery query = {
        .index = "open_customer",
        .equal = { { .kind = STORE_TEXT, .text = customer } },
        .limit = 1,
    };
    StorePage page;
    const Error *error;

    if ((error = store_find(view, &carts, &query, &page)))
        return error;
    if (!page.n_messages)
        return &cart_not_found;
    *cart = *(const Cart *)page.messages[0];
    return NULL;
}

const Error *cart_has_order_before(RpcCall *call, const Cart *cart, bool *has_order)
{
    StoreQuery query = {
        .index = "customer",
        .equal = { { .kind = STORE_TEXT, .text = cart->customer } },
        .limit = 2,
    };
    StoreView steps = store_steps(call->store);
    StorePage page = { 0 };
    const Error *error = NULL;

    if (!text_is_empty(cart->customer))
        error = store_find(&steps, &orders, &query, &page);
    *has_order = false;
    for (size_t i = 0; i < page.n_messages; i++)
        if (!text_equal(((const Order *)page.messages[i])->cart, cart->name))
            *has_order = true;
    return error;
}
