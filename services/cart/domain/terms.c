#include "services/cart/domain/terms.h"

#include "shared/codec/message.h"

#include <string.h>

static const Error no_pickup_there = { ERROR_FAILED_PRECONDITION, "NO_PICKUP_THERE",
    "Nothing can be picked up at this location: choose another one, or have it sent." };
static const Error currency_mismatch = { ERROR_FAILED_PRECONDITION, "CURRENCY_MISMATCH",
    "What shipping costs must be in the currency of the cart." };

bool location_is_good(const char *id)
{
    size_t size = strlen(id);

    return size >= 1 && size <= LOCATION_ID_MAX &&
           strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == size;
}

bool fulfilment_is_pickup(const Fulfilment *fulfilment)
{
    return fulfilment && fulfilment->method == THROUGHLINE__CART__V1__FULFILMENT__METHOD__PICKUP;
}

static Place *place_of(const Location *location, Arena *arena)
{
    Place *place = message_new(arena, &throughline__cart__v1__place__descriptor);

    place->country = arena_text(arena, location->country);
    place->region = arena_text(arena, location->region);
    return place;
}

const Error *cart_set_fulfilment(Cart *cart, const Fulfilment *fulfilment, const Location *location,
    const Actor *actor, Arena *arena, FulfilmentSet *event)
{
    const Error *error;

    if ((error = cart_check_open(cart, arena)))
        return error;
    if (location && !location->is_pickup)
        return &no_pickup_there;
    cart->fulfilment = fulfilment ? message_copy(arena, fulfilment) : NULL;
    if (fulfilment && location && !text_is_empty(location->country))
        cart->fulfilment->delivery = place_of(location, arena);
    cart_touch(cart, actor, arena);
    event->cart = cart;
    return NULL;
}

const Error *cart_set_terms(
    Cart *cart, const Terms *terms, const Actor *actor, Arena *arena, TermsSet *event)
{
    const Error *error;

    if ((error = cart_check_open(cart, arena)))
        return error;
    if (terms && terms->shipping &&
        !text_equal(terms->shipping->amount->currency_code, cart->currency))
        return &currency_mismatch;
    cart->terms = terms ? message_copy(arena, terms) : NULL;
    cart_touch(cart, actor, arena);
    event->cart = cart;
    return NULL;
}

/* Where it is handed over, else who is billed. */
static const Place *priced_place(const Fulfilment *fulfilment)
{
    if (!fulfilment)
        return NULL;
    if (fulfilment->delivery && !text_is_empty(fulfilment->delivery->country))
        return fulfilment->delivery;
    return fulfilment->billing;
}

QuoteContext *cart_context(const Cart *cart, bool is_first_order, Arena *arena)
{
    const Place *place = priced_place(cart->fulfilment);
    QuoteContext *context;

    if (!cart->fulfilment && !is_first_order && !(cart->terms && cart->terms->n_segments))
        return NULL;
    context = message_new(arena, &throughline__catalog__v1__quote_context__descriptor);
    context->is_first_order = is_first_order;
    if (place) {
        context->country = place->country;
        context->region = place->region;
    }
    if (cart->fulfilment)
        context->location = cart->fulfilment->location;
    if (cart->terms) {
        context->segments = cart->terms->segments;
        context->n_segments = cart->terms->n_segments;
    }
    return context;
}

ShippingRequest *cart_shipping(const Cart *cart, Arena *arena)
{
    ShippingRequest *shipping;

    if (!cart->terms || !cart->terms->shipping)
        return NULL;
    shipping = message_new(arena, &throughline__catalog__v1__shipping_request__descriptor);
    shipping->method = cart->terms->shipping->method;
    shipping->amount = cart->terms->shipping->amount;
    shipping->is_net = cart->terms->shipping->is_net;
    return shipping;
}

static bool is_shipped_as(const Cart *cart, const Quote *quote)
{
    const Throughline__Cart__V1__Shipping *wanted = cart->terms ? cart->terms->shipping : NULL;
    const Throughline__Catalog__V1__PricedShipping *priced = quote->shipping;

    if (!wanted || !priced)
        return !wanted && !priced;
    return text_equal(priced->method, wanted->method) && priced->list_total &&
           message_equal(priced->list_total, wanted->amount) && !priced->is_net == !wanted->is_net;
}

bool cart_is_priced_for(const Cart *cart, const Quote *quote, Arena *arena)
{
    bool is_first_order = quote->context && quote->context->is_first_order;
    const QuoteContext *context = cart_context(cart, is_first_order, arena);

    if (!context || !quote->context)
        return !context && !quote->context && is_shipped_as(cart, quote);
    return message_equal(context, quote->context) && is_shipped_as(cart, quote);
}
