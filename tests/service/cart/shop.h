/* A shop to test carts in: the cart service beside a catalogue that sells
 *
 *     tent       199.00 EUR, 219.00 USD, GTIN 4006381333931
 *     rope         3.33 EUR
 *     dollar       1.00 USD only
 *     retired      1.00 EUR, not for sale any more
 *     v-0 … v-119  1.00 EUR each
 *
 * and takes 10 % off everything for the code SPRING-10. */
#ifndef THROUGHLINE_TESTS_CART_SHOP_H
#define THROUGHLINE_TESTS_CART_SHOP_H

#include "services/cart/cart_service.h"
#include "services/cart/domain/checkout.h"
#include "tests/support/fixture.h"

#include "throughline/catalog/v1/coupon.pb-c.h"

enum { SHOP_VARIANTS = 120 };

Fixture *shop_open(void);
/* The same with flags for the cart service, NULL-ended. */
Fixture *shop_open_flags(const char *const *flags);
/* The same with another service besides. */
Fixture *shop_open_beside(const Service *another);
/* Stops the cart service and starts it again; returns when the client has found it again. */
void shop_restart(Fixture *fixture);
/* Drains; a test that leaves the ledger with a finding fails. */
void shop_close(Fixture *fixture);

/* What the current actor does; what a test does not expect to fail is checked here. */
Cart *shop_cart(Fixture *fixture);
Cart *shop_add(Fixture *fixture, const char *cart, const char *sku, int32_t quantity);
/* The current actor's, with two tents and three ropes. */
Cart *shop_full_cart(Fixture *fixture);
SignedQuote *shop_quote(Fixture *fixture, const char *cart);
Order *shop_checkout(Fixture *fixture, const char *cart, SignedQuote *signed_quote);
const char *shop_handoff(Fixture *fixture, const char *cart);
MergeReport *shop_attach(Fixture *fixture, const char *cart, const char *customer);

/* Adds 20 % off for a code that may be used so often in all, and for a customer (0: without limit);
 * its name. Needs to come before carts. */
const char *shop_limited_promotion(
    Fixture *fixture, const char *code, int64_t total_limit, int64_t customer_limit);
Cart *shop_add_code(Fixture *fixture, const char *cart, const char *code);

/* What may fail. */
const Error *shop_try_add(
    Fixture *fixture, const char *cart, const char *sku, int32_t quantity, Cart *reply);
const Error *shop_try_checkout(Fixture *fixture, const char *cart, SignedQuote *signed_quote,
    const char *request_id, Order *order);
const Error *shop_try_attach(Fixture *fixture, const char *cart, const char *customer,
    const char *request_id, MergeReport *report);
const Error *shop_try_claim(Fixture *fixture, const char *code, const char *request_id, Cart *cart);

/* The documents as they are stored; a name that is not there fails the test. */
Cart *shop_stored_cart(Fixture *fixture, const char *name);
size_t shop_count(Fixture *fixture, const Collection *collection);
int32_t shop_quantity(const Cart *cart, const char *sku);
int64_t shop_minor(const Google__Type__Money *money);

/* Signs any quote as the catalogue would. */
SignedQuote *shop_sign(Fixture *fixture, const Quote *quote);

/* The same with a signature that it shares with another one. */
SignedQuote *shop_sign_together(Fixture *fixture, const Quote *quote, const Quote *other);

/* What the catalogue knows of pieces and of limited promotions. */
void shop_stock(Fixture *fixture, const char *sku, const char *location, int64_t on_hand);
typedef Throughline__Catalog__V1__GetStockResponse ShopStock;
ShopStock shop_stock_of(Fixture *fixture, const char *sku);
typedef Throughline__Catalog__V1__PromotionUsage ShopUsage;
ShopUsage shop_usage(Fixture *fixture, const char *promotion);

/* The fact of an error, "" when it has none of this key. */
const char *shop_fact(const Error *error, const char *key);

#endif
