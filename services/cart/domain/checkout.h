/* A cart becomes an order at the prices of a signed quote, exactly once. Three writes, each of
 * which can be repeated: the cart notes the promise (CHECKING_OUT, point of no return), the order
 * is inserted under a name that follows from the cart's, the cart is ORDERED. Pieces and uses of
 * limited promotions are reserved before the first; pieces are sold before the second, uses are
 * redeemed before the last. Signatures are looked at elsewhere: here a quote is one that the
 * catalogue has given. */
#ifndef THROUGHLINE_CART_CHECKOUT_H
#define THROUGHLINE_CART_CHECKOUT_H

#include "services/cart/domain/access.h"

#include "throughline/catalog/v1/pricing.pb-c.h"
#include "throughline/catalog/v1/stock.pb-c.h"

typedef Throughline__Catalog__V1__Quote Quote;
typedef Throughline__Catalog__V1__PricedGift PricedGift;
typedef Throughline__Catalog__V1__ReserveRequest ReserveRequest;
typedef Throughline__Catalog__V1__PricedLine PricedLine;
typedef Throughline__Catalog__V1__SignedQuote SignedQuote;
typedef Throughline__Cart__V1__Invoice Invoice;
typedef Throughline__Cart__V1__Charge Charge;
typedef Throughline__Cart__V1__CheckoutStarted CheckoutStarted;
typedef Throughline__Cart__V1__CartOrdered CartOrdered;

/* FAILED_PRECONDITION QUOTE_OUTDATED. */
extern const Error quote_outdated;

/* Whether the open cart can be bought at this quote now. `has_ordered`: its customer, before.
 * Errors: FAILED_PRECONDITION CUSTOMER_MISSING, QUOTE_OTHER_CART, QUOTE_EXPIRED, QUOTE_OUTDATED. */
const Error *checkout_check(
    const Cart *cart, const Quote *quote, bool has_ordered, int64_t now, Arena *arena);

bool checkout_is_same(const SignedQuote *a, const SignedQuote *b);

/* FAILED_PRECONDITION CART_CLOSED with the fact "order": the cart is bought at another quote. */
const Error *checkout_other_quote(const Cart *cart, Arena *arena);

/* The cart is bought at this quote from now on. */
void checkout_start(Cart *cart, const SignedQuote *signed_quote, const Actor *actor, Arena *arena,
    CheckoutStarted *event);

/* Fills an initialised order, with its invoice, from a cart that is CHECKING_OUT. Errors: INTERNAL
 * QUOTE_INCONSISTENT when the quote's amounts do not add up. */
const Error *checkout_order(const Cart *cart, const Quote *quote, Arena *arena, Order *order);

/* The pieces to reserve: those of the cart's lines and, as far as there is room, of gifts. */
void checkout_pieces(
    const Cart *cart, const Quote *quote, bool has_gifts, Arena *arena, ReserveRequest *request);

/* Whether promotions are in the quote: they may have limits that the order counts for. */
bool checkout_takes_uses(const Quote *quote);

/* The order is there. */
void checkout_finish(Cart *cart, const Actor *actor, Arena *arena, CartOrdered *event);

/* Minor units of an amount in this currency; false when it is absent, in another one, or unfit. */
bool amount_in(const char *currency, const Google__Type__Money *money, int64_t *minor);

/* What promotions took from a line, together. */
bool line_discount(const char *currency, const PricedLine *line, int64_t *minor);

/* Taxes that were added to the line's price; 0 when none were. */
bool line_tax_on_top(const char *currency, const PricedLine *line, int64_t *minor);

/* What is charged one by one: the lines and, if there is any, the shipping as a line without a
 * SKU. */
size_t quote_parts(const Quote *quote);
PricedLine quote_part(const Quote *quote, size_t index);

#endif
