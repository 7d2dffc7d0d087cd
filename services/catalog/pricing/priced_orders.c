/* The quotes that became orders: which rules had a part in them, and what simulations look at. */
#include "services/catalog/governance/governance.h"

#include "shared/codec/message.h"
#include "shared/rpc/check.h"

#include "throughline/cart/v1/events.pb-c.h"

#include <string.h>

typedef Throughline__Cart__V1__OrderPlaced OrderPlaced;
typedef Throughline__Catalog__V1__Quote Quote;
typedef Throughline__Catalog__V1__PricedLine PricedLine;
typedef Throughline__Catalog__V1__Adjustment Adjustment;
typedef Throughline__Catalog__V1__RuleUse RuleUse;
typedef Throughline__Catalog__V1__ListRuleOrdersRequest ListRuleOrdersRequest;
typedef Throughline__Catalog__V1__ListRuleOrdersResponse ListRuleOrdersResponse;

enum { USES_STEP = 64 };

/* Each rule once; "" is none. */
static void add_use(PricedOrder *order, const char *rule, Arena *arena)
{
    RuleUse *use;

    if (text_is_empty(rule))
        return;
    for (size_t i = 0; i < order->n_uses; i++)
        if (text_equal(order->uses[i]->rule, rule))
            return;
    use = message_new(arena, &throughline__catalog__v1__rule_use__descriptor);
    use->rule = arena_text(arena, rule);
    if (order->n_uses % USES_STEP == 0)
        order->uses = arena_grow(
            arena, order->uses, order->n_uses, order->n_uses + USES_STEP, sizeof(*order->uses));
    order->uses[order->n_uses++] = use;
}

static void add_adjustments(
    PricedOrder *order, Adjustment *const *list, size_t n_items, Arena *arena)
{
    for (size_t i = 0; i < n_items; i++) {
        add_use(order, list[i]->promotion, arena);
        add_use(order, list[i]->exemption, arena);
    }
}

static void add_uses(PricedOrder *order, const Quote *quote, Arena *arena)
{
    for (size_t i = 0; i < quote->n_lines; i++) {
        const PricedLine *line = quote->lines[i];

        add_use(order, *line->price_row ? line->price_row : line->product, arena);
        add_adjustments(order, line->adjustments, line->n_adjustments, arena);
        if (line->override)
            add_use(order, line->override->limit, arena);
    }
    if (quote->shipping)
        add_adjustments(order, quote->shipping->adjustments, quote->shipping->n_adjustments, arena);
    for (size_t i = 0; i < quote->n_gifts; i++)
        add_use(order, quote->gifts[i]->promotion, arena);
    for (size_t i = 0; i < quote->n_taxes; i++)
        add_use(order, quote->taxes[i]->rate, arena);
}

const ProtobufCMessageDescriptor *const learned_from_orders[] = {
    &throughline__cart__v1__order_placed__descriptor,
    NULL,
};

const Error *learn_from_orders(RpcCall *call, const Event *event)
{
    const OrderPlaced *placed =
        event_payload(call->arena, event, &throughline__cart__v1__order_placed__descriptor);
    PricedOrder order = THROUGHLINE__CATALOG__V1__PRICED_ORDER__INIT;

    if (!placed || !placed->order || !placed->order->quote)
        return NULL;
    order.name = placed->order->name;
    order.quote = placed->order->quote;
    order.order_time = placed->order->create_time;
    add_uses(&order, placed->order->quote, call->arena);
    return store_put(call->store, &priced_orders, &order, NULL);
}

bool sees_order(const RpcCall *call, const PricedOrder *order)
{
    return sees_channel(call, order->quote->channel);
}

static const Error *look_at_order(RpcCall *call, void *message, bool *is_seen)
{
    *is_seen = sees_order(call, message);
    return NULL;
}

const Error *list_rule_orders(RpcCall *call, const void *request, void *reply)
{
    const ListRuleOrdersRequest *req = request;
    ListRuleOrdersResponse *res = reply;
    RpcPage page = page_read(call, req->page_size, req->page_token, req->rule);
    StorePage found = { 0 };
    const Error *error;

    if (!text_matches_name(req->rule, "products/*") && !rule_name_is_valid(req->rule))
        check_fail(call, "rule", "is not the name of a rule or of a product");
    if ((error = find_by_rule(call, &priced_orders, req->rule, &page, look_at_order, &found)))
        return error;

    res->orders = (PricedOrder **)found.messages;
    res->n_orders = found.n_messages;
    res->next_page_token = page_token(call, &page, found.resume);
    return NULL;
}
