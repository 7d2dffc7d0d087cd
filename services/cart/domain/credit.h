/* What is paid back of an order: all of it when it is cancelled, pieces of lines when they come
 * back. Two writes, each of which can be repeated: the order notes what is credited and that it is
 * pending; when pieces and uses of promotions were given back, nothing is pending any more. */
#ifndef THROUGHLINE_CART_CREDIT_H
#define THROUGHLINE_CART_CREDIT_H

#include "services/cart/domain/checkout.h"

typedef Throughline__Cart__V1__CreditNote CreditNote;
typedef Throughline__Cart__V1__ReturnedLine ReturnedLine;
typedef Throughline__Cart__V1__ReturnLinesRequest ReturnLinesRequest;
typedef Throughline__Cart__V1__OrderCancelled OrderCancelled;
typedef Throughline__Cart__V1__LinesReturned LinesReturned;
typedef Throughline__Catalog__V1__ReservedLine ReservedLine;

enum { ORDER_MAX_CREDIT_NOTES = 100 };

/* ABORTED ETAG_STALE unless `etag` is "" or the order's. */
const Error *order_check_etag(const Order *order, const char *etag);

/* The note of this name, NULL when there is none. */
const CreditNote *credit_find(const Order *order, const char *name);

/* All of it is credited, by a note of this name. Errors: FAILED_PRECONDITION ORDER_RETURNED. */
const Error *credit_cancel(Order *order, const char *name, const char *reason, const Actor *actor,
    Arena *arena, OrderCancelled *event);

/* What the request names is credited. Errors: NOT_FOUND CHARGE_NOT_FOUND; FAILED_PRECONDITION
 * ORDER_CANCELLED, RETURN_TOO_LARGE, RETURNS_FULL. */
const Error *credit_return(Order *order, const char *name, const ReturnLinesRequest *request,
    const Actor *actor, Arena *arena, LinesReturned *event);

/* Whether nothing of it counts for promotions any more. */
bool credit_frees_uses(const Order *order);

#endif
