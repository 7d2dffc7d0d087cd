#include "services/feedback/domain/order.h"

OrderSummary order_summary(const Order *order, Arena *arena)
{
    OrderSummary summary = THROUGHLINE__FEEDBACK__V1__ORDER_SUMMARY__INIT;
    const Throughline__Cart__V1__Invoice *invoice = order->invoice;
    size_t n = invoice ? invoice->n_charges : 0;

    summary.name = order->name;
    summary.customer = order->customer;
    summary.channel = order->channel;
    summary.create_time = order->create_time;
    summary.total = invoice ? invoice->total : NULL;
    summary.n_titles = n < ORDER_MAX_TITLES ? n : ORDER_MAX_TITLES;
    summary.titles = arena_array(arena, summary.n_titles, sizeof(*summary.titles));
    for (size_t i = 0; i < summary.n_titles; i++)
        summary.titles[i] = invoice->charges[i]->title;
    return summary;
}
