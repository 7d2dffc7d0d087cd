/* Orders as a case shows them. */
#ifndef THROUGHLINE_FEEDBACK_ORDER_H
#define THROUGHLINE_FEEDBACK_ORDER_H

#include "shared/base/arena.h"

#include "throughline/cart/v1/order.pb-c.h"
#include "throughline/feedback/v1/case.pb-c.h"

typedef Throughline__Cart__V1__Order Order;
typedef Throughline__Feedback__V1__OrderSummary OrderSummary;

enum { ORDER_MAX_TITLES = 20 };

/* What a case needs of an order; an order without an invoice has no total. */
OrderSummary order_summary(const Order *order, Arena *arena);

#endif
