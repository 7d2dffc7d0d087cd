/* Operations of many writes, cut off at every store operation, before and after it, and tried
 * again. For programs that link failing_store.c. */
#ifndef THROUGHLINE_TESTS_CART_CUTS_H
#define THROUGHLINE_TESTS_CART_CUTS_H

#include "tests/service/cart/failing_store.h"
#include "tests/service/cart/shop.h"

enum { CUT_MAX_RETRIES = 5 };

/* How the client tries again. */
typedef enum Retry { SAME_REQUEST, NEW_REQUEST, N_RETRIES } Retry;

/* One case: the n-th operation of a service fails in this way, then the client tries again in that
 * way. */
typedef struct Cut {
    const char *service;
    int n;
    Fault fault;
    Retry retry;
} Cut;

/* Runs `play` with every cut (in the quick run: with every operation, but not in every way), until one meets no fault any more. It plays one story in the shop that
 * `prepare` (may be NULL) has seen, checks how it ended, and says whether it was cut. */
void cut_everywhere(
    const char *service, void (*prepare)(Fixture *), bool (*play)(Fixture *, const Cut *));

/* Somebody of this cut's own: "customers/…". */
const char *cut_somebody(Fixture *fixture, const char *kind, const Cut *cut);

/* Of the try, counted from 0. */
const char *cut_request_id(Fixture *fixture, const Cut *cut, int try);

void cut_arm(const Cut *cut);
bool cut_is_off(const Error *error);

#endif
