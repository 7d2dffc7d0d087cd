/* Services that only tell events, under the names of those that identity follows. */
#ifndef THROUGHLINE_TESTS_SERVICE_IDENTITY_TELLER_H
#define THROUGHLINE_TESTS_SERVICE_IDENTITY_TELLER_H

#include "tests/service/identity/calls.h"

#include "throughline/cart/v1/events.pb-c.h"

typedef Throughline__Cart__V1__Cart Cart;

/* A running identity whose log is followed, with tellers of all its sources. */
Fixture *start_identity_with_tellers(void);

/* Stores the cart in the teller's name and tells the payload with it; the cart's name is the
 * aggregate. */
void tell(Fixture *fixture, const char *source, Cart *cart, const void *payload);

/* A cart of the customer ("" for nobody), in the fixture's arena. */
Cart *a_cart(Fixture *fixture, const char *name, const char *customer);

#endif
