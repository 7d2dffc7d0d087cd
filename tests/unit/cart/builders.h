/* Good carts, products and quotes; a test changes only what it is about. */
#ifndef THROUGHLINE_TESTS_CART_BUILDERS_H
#define THROUGHLINE_TESTS_CART_BUILDERS_H

#include "services/cart/domain/checkout.h"

/* 2026-01-01T12:00:00Z */
static const int64_t some_noon = 1767268800000000;

/* "carts/one", open, EUR, of this customer ("": held by "anonymous/web"), without lines. */
Cart *a_cart(Arena *arena, const char *customer);

/* A line at a price of one, added to the cart; its amount is in the subtotal. */
CartLine *a_line(Arena *arena, Cart *cart, const char *sku, int32_t quantity, int64_t unit_price);

/* An active product "products/SKU" with one variant at one price. */
Product *a_product(Arena *arena, const char *sku, const char *currency, int64_t price);

/* Somebody in the channel "web" at noon. */
Actor an_actor(const char *name);

/* A quote for the cart as it is, at noon for 15 minutes, with `discount` off the first line. */
Quote *a_quote(Arena *arena, const Cart *cart, int64_t discount);

/* Its signed form; the signature is not a real one. */
SignedQuote *a_signed_quote(Arena *arena, const Quote *quote);

/* An order of the cart at a quote of its own; the cart is CHECKING_OUT then. */
Order *an_order(Arena *arena, Cart *cart, int64_t discount);

#endif
