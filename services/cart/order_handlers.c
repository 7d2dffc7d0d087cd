#include "services/cart/cart_service.h"

#include "services/cart/domain/ledger.h"
#include "shared/codec/message.h"
#include "shared/rpc/check.h"
#include "shared/rpc/page.h"
#include "shared/service/aliases.h"

typedef Throughline__Cart__V1__GetOrderRequest GetOrderRequest;
typedef Throughline__Cart__V1__GetInvoiceRequest GetInvoiceRequest;
typedef Throughline__Cart__V1__ListOrdersRequest ListOrdersRequest;
typedef Throughline__Cart__V1__ListOrdersResponse ListOrdersResponse;
typedef Throughline__Cart__V1__VerifyLedgerRequest VerifyLedgerRequest;
typedef Throughline__Cart__V1__VerifyLedgerResponse VerifyLedgerResponse;

enum { VERIFY_MAX_ORDERS = 10000, VERIFY_PAGE = 500 };

static const Error orders_of_another = { ERROR_PERMISSION_DENIED, "ORDERS_OF_ANOTHER",
    "Only the customer, an agent on their behalf and services list a customer's orders." };

const Error *order_load(RpcCall *call, const char *name, Order *order)
{
    Actor actor = actor_of(call);
    const Error *error = store_get(call->store, &orders, name, order);

    if (error)
        return error->code == ERROR_NOT_FOUND ? &order_not_found : error;
    return order_may_read(order->customer, &actor) || order_may_read(order_buyer(order), &actor)
               ? NULL
               : &order_not_found;
}

static const Error *get_order(RpcCall *call, const void *request, void *reply)
{
    const GetOrderRequest *req = request;
    const Error *error;

    check_name(call, "name", req->name, "orders/*");
    if ((error = check_result(call)))
        return error;
    return order_load(call, req->name, reply);
}

static const Error *get_invoice(RpcCall *call, const void *request, void *reply)
{
    const GetInvoiceRequest *req = request;
    Order *order = message_new(call->arena, orders.message);
    const Error *error;

    check_name(call, "order", req->order, "orders/*");
    if ((error = check_result(call)) || (error = order_load(call, req->order, order)))
        return error;
    *(Invoice *)reply = *order->invoice;
    return NULL;
}

static const Error *list_orders(RpcCall *call, const void *request, void *reply)
{
    const ListOrdersRequest *req = request;
    ListOrdersResponse *response = reply;
    RpcPage page = page_read(call, req->page_size, req->page_token, req->customer);
    StoreQuery query = { .index = "customer",
        .is_descending = true,
        .limit = page.limit,
        .max_bytes = PAGE_BYTES,
        .resume = page.resume };
    Actor actor = actor_of(call);
    const char *customer;
    StorePage found;
    const Error *error;

    check_name(call, "customer", req->customer, "customers/*");
    if ((error = check_result(call)) ||
        (error = alias_survivor(call->store, req->customer, &customer)))
        return error;
    if (!order_may_read(req->customer, &actor) && !order_may_read(customer, &actor))
        return &orders_of_another;
    query.equal[0] = (StoreValue){ .kind = STORE_TEXT, .text = customer };
    if ((error = store_find(call->store, &orders, &query, &found)))
        return error;
    response->n_orders = found.n_messages;
    response->orders = (Order **)found.messages;
    response->next_page_token = page_token(call, &page, found.resume);
    return NULL;
}

static void check_order(const Order *order, Arena *arena, Findings *findings)
{
    const SignedQuote *promise = order->signed_quote;
    Quote *promised = NULL;

    if (promise)
        promised = message_unpack(arena, &throughline__catalog__v1__quote__descriptor,
            (Bytes){ promise->payload.data, promise->payload.len });
    ledger_check(order, promised, findings);
}

/* One page, in an arena of its own: a call looks at more orders than its memory should hold. */
static const Error *verify_page(RpcCall *call, Arena *arena, const char **after, bool *is_last,
    VerifyLedgerResponse *response, Findings *findings)
{
    StoreView view = store_steps(call->store);
    StoreQuery query = {
        .from = { .kind = STORE_TEXT, .text = *after },
        .limit = VERIFY_PAGE,
    };
    StorePage page;
    const Error *error;

    view.arena = arena;
    if (text_is_empty(*after))
        query.from = (StoreValue){ 0 };
    if ((error = store_find(&view, &orders, &query, &page)))
        return error;
    for (size_t i = 0; i < page.n_messages; i++) {
        const Order *order = page.messages[i];

        /* The page begins with the order that the one before ended with. */
        if (text_equal(order->name, *after))
            continue;
        check_order(order, arena, findings);
        response->orders++;
    }
    *is_last = text_is_empty(page.resume);
    if (page.n_messages)
        *after = arena_text(call->arena, ((const Order *)page.messages[page.n_messages - 1])->name);
    return NULL;
}

static const Error *verify_ledger(RpcCall *call, const void *request, void *reply)
{
    const VerifyLedgerRequest *req = request;
    VerifyLedgerResponse *response = reply;
    Findings findings = { .arena = call->arena };
    const char *after = req->after;
    Arena *arena;
    bool is_last = false;
    const Error *error;

    check_optional_name(call, "after", req->after, "orders/*");
    if ((error = check_result(call)))
        return error;
    arena = arena_new();
    while (!error && !is_last && response->orders <= VERIFY_MAX_ORDERS - VERIFY_PAGE) {
        error = verify_page(call, arena, &after, &is_last, response, &findings);
        arena_reset(arena);
    }
    arena_free(arena);
    response->n_findings = findings.n_items;
    response->findings = findings.items;
    response->next = is_last ? (char *)protobuf_c_empty_string : arena_text(call->arena, after);
    return error;
}

/* Every rpc of the proto has a function of its name above, or this does not compile. */
const RpcService order_rpcs = THROUGHLINE__CART__V1__ORDER_SERVICE__INIT();
