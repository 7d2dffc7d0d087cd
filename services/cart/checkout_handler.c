/* A cart becomes an order, exactly once. The order of the writes, and why, is in
 * domain/checkout.h. */
#include "services/cart/cart_service.h"

#include "services/cart/catalog_client.h"
#include "shared/codec/message.h"
#include "shared/rpc/check.h"

typedef Throughline__Cart__V1__CheckoutRequest CheckoutRequest;
typedef Throughline__Cart__V1__OrderPlaced OrderPlaced;

enum { QUOTE_MAX_BYTES = 1024 * 1024 };

/* What is reserved for a checkout that has not started yet. */
typedef struct Reserved {
    char *uses;
    char *stock;
} Reserved;

static const Error *unpack_promise(RpcCall *call, const SignedQuote *promise, Quote **quote)
{
    static const Error unreadable = { ERROR_DATA_LOSS, "QUOTE_UNREADABLE",
        "The stored quote of the checkout cannot be read." };
    Bytes payload = { promise->payload.data, promise->payload.len };

    *quote = message_unpack(call->arena, &throughline__catalog__v1__quote__descriptor, payload);
    return *quote ? NULL : &unreadable;
}

/* Sells the pieces. When they are held no longer they are reserved once more; when they are gone,
 * the order is one that lacks its pieces, and says so. */
static const Error *sell(RpcCall *call, Cart *cart, const Quote *quote)
{
    PendingWork *work = cart->pending;
    const Error *error = catalog_confirm_stock(call, work->stock);

    if (!catalog_is_lost(error))
        return error;
    error = catalog_reserve_stock(call, cart, quote);
    if (!error)
        error = catalog_confirm_stock(call, work->stock);
    if (!catalog_is_lost(error))
        return error;
    work->stock = arena_text(call->arena, "");
    work->n_pieces = 0;
    work->lacks_pieces = true;
    return catalog_bear_loss("stock_lost", cart->order, error);
}

/* The order stands, whatever became of what it was to count for meanwhile. */
static const Error *redeem(RpcCall *call, const Order *order)
{
    return catalog_bear_loss("uses_lost", order->name, catalog_redeem_uses(call, order->uses));
}

/* The second and third write: order and invoice, then the cart. */
static const Error *place_order(RpcCall *call, Cart *cart, Order *order)
{
    OrderPlaced placed = THROUGHLINE__CART__V1__ORDER_PLACED__INIT;
    CartOrdered ordered = THROUGHLINE__CART__V1__CART_ORDERED__INIT;
    StoreView steps = store_steps(call->store);
    Actor actor = actor_of(call);
    Quote *quote;
    const Error *error;

    message_init(orders.message, order);
    if ((error = unpack_promise(call, cart->pending->signed_quote, &quote)) ||
        (error = sell(call, cart, quote)) ||
        (error = checkout_order(cart, quote, call->arena, order)))
        return error;
    placed.order = order;
    error = store_insert(&steps, &orders, order, &placed);
    /* Another try was here: its order is the same, made of the same cart. */
    if (error && error->code == ERROR_ALREADY_EXISTS)
        error = store_get(&steps, &orders, cart->order, order);
    if (error || (error = redeem(call, order)))
        return error;
    checkout_finish(cart, &actor, call->arena, &ordered);
    return store_replace(call->store, &carts, cart, &ordered);
}

/* What is reserved for a quote that this cart is not bought at is free again; else it would be with
 * its time. */
static void give_back(RpcCall *call, const Error *error, const Reserved *reserved)
{
    if (error != &quote_outdated && !text_equal(error->reason, "CART_CLOSED"))
        return;
    (void)catalog_return_uses(call, reserved->uses);
    (void)catalog_release_stock(call, reserved->stock);
}

/* Uses first: they are given back when pieces are short, and then ask for a new quote, while pieces
 * that were given back could not be had again for the same one. */
static const Error *reserve(
    RpcCall *call, Cart *cart, const Quote *quote, const SignedQuote *promise, Reserved *reserved)
{
    const Error *error = NULL;

    if (checkout_takes_uses(quote))
        error = catalog_reserve_uses(call, promise, &reserved->uses);
    if (error)
        return text_equal(error->reason, "USES_CLOSED") ? &quote_outdated : error;
    cart->pending->uses = reserved->uses;
    error = catalog_reserve_stock(call, cart, quote);
    reserved->stock = cart->pending->stock;
    if (error && text_equal(error->reason, "OUT_OF_STOCK"))
        (void)catalog_return_uses(call, reserved->uses);
    return error;
}

/* What a try is refused for may be its twin's doing, which has ordered meanwhile: then the cart is not what it was, and the next
 * round finds the order. */
static const Error *refusal(RpcCall *call, const Cart *cart, const Error *error)
{
    Cart *now = message_new(call->arena, carts.message);
    const Error *changed =
        cart_load(call->store, cart->name, now) ? NULL : cart_check_etag(now, cart->etag);

    return changed ? changed : error;
}

/* The first write; before it the order must be possible, after it there is no way back. */
static const Error *start(
    RpcCall *call, Cart *cart, const SignedQuote *promise, Order *order, Reserved *reserved)
{
    CheckoutStarted event = THROUGHLINE__CART__V1__CHECKOUT_STARTED__INIT;
    StoreView steps = store_steps(call->store);
    Actor actor = actor_of(call);
    bool has_ordered;
    Quote *quote;
    const Error *error;

    if ((error = catalog_open_quote(call, promise, &quote)) ||
        (error = cart_has_order_before(call, cart, &has_ordered)) ||
        (error = checkout_check(cart, quote, has_ordered, call->arrived_at, call->arena)))
        return error;
    checkout_start(cart, promise, &actor, call->arena, &event);
    if ((error = checkout_order(cart, quote, call->arena, order)))
        return error;
    if ((error = reserve(call, cart, quote, promise, reserved)))
        return refusal(call, cart, error);
    if ((error = store_replace(&steps, &carts, cart, &event)))
        return error;
    return place_order(call, cart, order);
}

/* The cart was bought before: at this quote, or at another. */
static const Error *answer_again(
    RpcCall *call, const Cart *cart, const SignedQuote *promise, Order *order)
{
    const Error *error;

    if ((error = store_get(call->store, &orders, cart->order, order)))
        return error;
    return checkout_is_same(order->signed_quote, promise) ? NULL
                                                          : checkout_other_quote(cart, call->arena);
}

static const Error *go_on(
    RpcCall *call, Cart *cart, const SignedQuote *promise, Order *order, Reserved *reserved)
{
    switch (cart->state) {
    case THROUGHLINE__CART__V1__CART__STATE__OPEN:
        return start(call, cart, promise, order, reserved);
    case THROUGHLINE__CART__V1__CART__STATE__CHECKING_OUT:
        return checkout_is_same(cart->pending->signed_quote, promise)
                   ? place_order(call, cart, order)
                   : checkout_other_quote(cart, call->arena);
    case THROUGHLINE__CART__V1__CART__STATE__ORDERED:
        return answer_again(call, cart, promise, order);
    default:
        return cart_check_open(cart, call->arena);
    }
}

const Error *checkout(RpcCall *call, const void *request, void *reply)
{
    const CheckoutRequest *req = request;
    Race race __attribute__((cleanup(race_end))) = race_start(call, req->cart);
    Reserved reserved = { arena_text(call->arena, ""), arena_text(call->arena, "") };
    const Error *error;

    check_name(call, "cart", req->cart, "carts/*");
    check_present(call, "signed_quote", req->signed_quote);
    if (req->signed_quote)
        check_count(
            call, "signed_quote.payload", req->signed_quote->payload.len, 1, QUOTE_MAX_BYTES);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;
    do {
        Cart *cart = message_new(call->arena, carts.message);

        if ((error = cart_load_to_change(call, req->cart, "", cart)))
            return error;
        error = go_on(call, cart, req->signed_quote, reply, &reserved);
    } while (race_lost(&race, error, ""));
    if (error)
        give_back(call, error, &reserved);
    return error;
}

const Error *finish_checkout(RpcCall *call, const char *name)
{
    Order *order = message_new(call->arena, orders.message);
    Race race __attribute__((cleanup(race_end))) = race_start(call, name);
    const Error *error;

    do {
        Cart *cart = message_new(call->arena, carts.message);

        if ((error = cart_load(call->store, name, cart)) ||
            cart->state != THROUGHLINE__CART__V1__CART__STATE__CHECKING_OUT)
            return error;
        error = place_order(call, cart, order);
    } while (race_lost(&race, error, ""));
    return error;
}
