/* What a cart is priced for beside its lines: where it goes, how, the customer's segments, what
 * shipping costs. */
#ifndef THROUGHLINE_CART_TERMS_H
#define THROUGHLINE_CART_TERMS_H

#include "services/cart/domain/cart.h"

#include "throughline/catalog/v1/location.pb-c.h"
#include "throughline/catalog/v1/pricing.pb-c.h"

typedef Throughline__Cart__V1__Fulfilment Fulfilment;
typedef Throughline__Cart__V1__Place Place;
typedef Throughline__Cart__V1__Terms Terms;
typedef Throughline__Cart__V1__FulfilmentSet FulfilmentSet;
typedef Throughline__Cart__V1__TermsSet TermsSet;
typedef Throughline__Catalog__V1__Location Location;
typedef Throughline__Catalog__V1__Quote Quote;
typedef Throughline__Catalog__V1__QuoteContext QuoteContext;
typedef Throughline__Catalog__V1__ShippingRequest ShippingRequest;

enum { LOCATION_ID_MAX = 63 };

/* 1 to LOCATION_ID_MAX characters of [a-z0-9-], as in stock. */
bool location_is_good(const char *id);

bool fulfilment_is_pickup(const Fulfilment *fulfilment);

/* `fulfilment` NULL: nothing is known again. `location`: what the catalogue knows of that of a
 * pickup, NULL: nothing. Errors: FAILED_PRECONDITION CART_CLOSED, NO_PICKUP_THERE. */
const Error *cart_set_fulfilment(Cart *cart, const Fulfilment *fulfilment, const Location *location,
    const Actor *actor, Arena *arena, FulfilmentSet *event);

/* `terms` NULL: none again. Errors: FAILED_PRECONDITION CART_CLOSED, CURRENCY_MISMATCH. */
const Error *cart_set_terms(
    Cart *cart, const Terms *terms, const Actor *actor, Arena *arena, TermsSet *event);

/* For whom and where the cart is priced; NULL: nothing is known. */
QuoteContext *cart_context(const Cart *cart, bool is_first_order, Arena *arena);

/* NULL: nothing is charged for shipping. */
ShippingRequest *cart_shipping(const Cart *cart, Arena *arena);

/* Whether a quote was priced for this. */
bool cart_is_priced_for(const Cart *cart, const Quote *quote, Arena *arena);

#endif
