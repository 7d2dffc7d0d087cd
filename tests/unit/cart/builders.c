#include "tests/unit/cart/builders.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <assert.h>

Cart *a_cart(Arena *arena, const char *customer)
{
    Cart *cart = message_new(arena, &throughline__cart__v1__cart__descriptor);
    Actor actor = an_actor(*customer ? customer : "anonymous/web");

    cart_open(cart, "carts/one", "EUR", &actor, arena);
    cart->etag = arena_text(arena, "7");
    return cart;
}

CartLine *a_line(Arena *arena, Cart *cart, const char *sku, int32_t quantity, int64_t unit_price)
{
    CartLine *line = message_new(arena, &throughline__cart__v1__cart_line__descriptor);
    const Error *error;

    line->sku = arena_text(arena, sku);
    line->product = arena_printf(arena, "products/%s", sku);
    line->title = arena_printf(arena, "Title of %s", sku);
    line->quantity = quantity;
    line->unit_price = money_message(arena, cart->currency, unit_price);
    cart_append_line(cart, line, arena);
    error = cart_add_up(cart, arena);
    assert(!error);
    (void)error;
    return line;
}

Product *a_product(Arena *arena, const char *sku, const char *currency, int64_t price)
{
    Product *product = message_new(arena, &throughline__catalog__v1__product__descriptor);
    Variant *variant = message_new(arena, &throughline__catalog__v1__variant__descriptor);
    Throughline__Catalog__V1__Price *only =
        message_new(arena, &throughline__catalog__v1__price__descriptor);

    only->amount = money_message(arena, currency, price);
    variant->sku = arena_text(arena, sku);
    variant->n_prices = 1;
    variant->prices = arena_copy(arena, &only, sizeof(only));
    product->name = arena_printf(arena, "products/%s", sku);
    product->title = arena_printf(arena, "Title of %s", sku);
    product->state = THROUGHLINE__CATALOG__V1__PRODUCT__STATE__ACTIVE;
    product->n_variants = 1;
    product->variants = arena_copy(arena, &variant, sizeof(variant));
    return product;
}

Actor an_actor(const char *name)
{
    return (Actor){ .name = name, .on_behalf_of = "", .channel = "web", .now = some_noon };
}

static PricedLine *priced(Arena *arena, const Cart *cart, const CartLine *line, int64_t discount)
{
    PricedLine *priced_line =
        message_new(arena, &throughline__catalog__v1__priced_line__descriptor);
    int64_t unit_price = 0;

    money_minor(line->unit_price, &unit_price);
    priced_line->sku = line->sku;
    priced_line->product = line->product;
    priced_line->title = line->title;
    priced_line->quantity = line->quantity;
    priced_line->unit_price = line->unit_price;
    priced_line->list_total = money_message(arena, cart->currency, unit_price * line->quantity);
    priced_line->total =
        money_message(arena, cart->currency, unit_price * line->quantity - discount);
    if (discount) {
        Throughline__Catalog__V1__Adjustment *adjustment =
            message_new(arena, &throughline__catalog__v1__adjustment__descriptor);

        adjustment->code = arena_text(arena, "SPRING");
        adjustment->amount = money_message(arena, cart->currency, discount);
        priced_line->n_adjustments = 1;
        priced_line->adjustments = arena_copy(arena, &adjustment, sizeof(adjustment));
    }
    return priced_line;
}

Quote *a_quote(Arena *arena, const Cart *cart, int64_t discount)
{
    Quote *quote = message_new(arena, &throughline__catalog__v1__quote__descriptor);
    int64_t subtotal = 0;

    money_minor(cart->subtotal, &subtotal);
    quote->name = arena_text(arena, "quotes/one");
    quote->currency = cart->currency;
    quote->customer = cart->customer;
    quote->cart = cart->name;
    quote->cart_etag = arena_text(arena, cart_content_etag(cart));
    quote->issue_time = timestamp_from_micros(arena, some_noon);
    quote->expire_time = timestamp_from_micros(arena, some_noon + 900 * INT64_C(1000000));
    quote->n_lines = cart->n_lines;
    quote->lines = arena_array(arena, cart->n_lines, sizeof(PricedLine *));
    for (size_t i = 0; i < cart->n_lines; i++)
        quote->lines[i] = priced(arena, cart, cart->lines[i], i ? 0 : discount);
    quote->list_total = money_message(arena, cart->currency, subtotal);
    quote->discount_total = money_message(arena, cart->currency, discount);
    quote->total = money_message(arena, cart->currency, subtotal - discount);
    return quote;
}

SignedQuote *a_signed_quote(Arena *arena, const Quote *quote)
{
    SignedQuote *signed_quote =
        message_new(arena, &throughline__catalog__v1__signed_quote__descriptor);
    Bytes payload = message_pack(arena, quote);

    signed_quote->payload.data = (uint8_t *)payload.data;
    signed_quote->payload.len = payload.size;
    signed_quote->key_id = arena_text(arena, "quoteKeys/one");
    return signed_quote;
}

Order *an_order(Arena *arena, Cart *cart, int64_t discount)
{
    Order *order = message_new(arena, &throughline__cart__v1__order__descriptor);
    CheckoutStarted event = THROUGHLINE__CART__V1__CHECKOUT_STARTED__INIT;
    Quote *quote = a_quote(arena, cart, discount);
    Actor actor = an_actor(cart->customer);
    const Error *error;

    checkout_start(cart, a_signed_quote(arena, quote), &actor, arena, &event);
    error = checkout_order(cart, quote, arena, order);
    assert(!error);
    (void)error;
    return order;
}
