/* Orders that are cancelled, pieces that come back. The order of the writes, and why, is in
 * domain/credit.h. */
#include "services/cart/cart_service.h"

#include "services/cart/catalog_client.h"
#include "services/cart/domain/credit.h"
#include "services/cart/domain/terms.h"
#include "shared/base/id.h"
#include "shared/codec/message.h"
#include "shared/rpc/check.h"
#include "shared/rpc/naming.h"

typedef Throughline__Cart__V1__CancelOrderRequest CancelOrderRequest;

enum { REASON_MAX = 500, SKU_MAX = 64, RETURN_MAX_LINES = 100 };

/* One credit on its way. */
typedef struct Crediting {
    RpcCall *call;
    const char *etag;
    const char *note;                /* its name */
    const char *reason;              /* of a cancellation; or */
    const ReturnLinesRequest *lines; /* what comes back */
    bool is_decided;
} Crediting;

/* The rest of a credit: pieces, uses, and the write that says that nothing is pending. */
static const Error *carry_out(RpcCall *call, StoreView *view, Order *order)
{
    const CreditNote *note = credit_find(order, order->pending->credit_note);
    const Error *error = NULL;

    for (size_t i = 0; note && i < note->n_pieces && !error; i++)
        error = catalog_bear_loss(
            "pieces_lost", order->name, catalog_restock(call, note, note->pieces[i]));
    if (!error && credit_frees_uses(order))
        error = catalog_bear_loss("uses_lost", order->name, catalog_return_uses(call, order->uses));
    if (error)
        return error;
    order->pending = NULL;
    return store_replace(view, &orders, order, NULL);
}

/* The first write, unless this credit has been decided before. */
static const Error *decide(Crediting *on, Order *order)
{
    OrderCancelled cancelled = THROUGHLINE__CART__V1__ORDER_CANCELLED__INIT;
    LinesReturned returned = THROUGHLINE__CART__V1__LINES_RETURNED__INIT;
    StoreView steps = store_steps(on->call->store);
    Actor actor = actor_of(on->call);
    const Error *error;

    if (credit_find(order, on->note))
        return NULL;
    if ((error = order_check_etag(order, on->etag)))
        return error;
    error = on->lines
                ? credit_return(order, on->note, on->lines, &actor, on->call->arena, &returned)
                : credit_cancel(order, on->note, on->reason, &actor, on->call->arena, &cancelled);
    if (error)
        return error;
    error = store_replace(
        &steps, &orders, order, on->lines ? (const void *)&returned : (const void *)&cancelled);
    on->is_decided = !error;
    return error;
}

/* A credit that another one left is finished first. */
static const Error *credit_once(Crediting *on, const char *name, Order *order)
{
    RpcCall *call = on->call;
    StoreView steps = store_steps(call->store);
    const Error *error;

    message_init(orders.message, order);
    if ((error = order_load(call, name, order)))
        return error;
    if (order->pending && !text_equal(order->pending->credit_note, on->note) &&
        (error = carry_out(call, &steps, order)))
        return error;
    if ((error = decide(on, order)))
        return error;
    return order->pending ? carry_out(call, call->store, order) : NULL;
}

static const Error *credit(Crediting *on, const char *name, Order *order)
{
    Race race __attribute__((cleanup(race_end))) = race_start(on->call, name);
    const Error *error;

    do
        error = credit_once(on, name, order);
    while (race_lost(&race, error, on->is_decided ? "" : on->etag));
    return error;
}

const Error *cancel_order(RpcCall *call, const void *request, void *reply)
{
    const CancelOrderRequest *req = request;
    char id[ID_SIZE];
    Crediting on = { .call = call, .etag = req->etag, .reason = req->reason };
    const Error *error;

    check_name(call, "order", req->order, "orders/*");
    check_text(call, "reason", req->reason, 1, REASON_MAX);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    /* An order is cancelled once, whoever asks for it. */
    id_from(arena_printf(call->arena, "cancellation of %s", req->order), id);
    on.note = arena_printf(call->arena, "creditNotes/%s", id);
    return credit(&on, req->order, reply);
}

static void check_lines(RpcCall *call, const ReturnLinesRequest *req)
{
    check_count(call, "lines", req->n_lines, req->credits_shipping ? 0 : 1, RETURN_MAX_LINES);
    for (size_t i = 0; i < req->n_lines && i < RETURN_MAX_LINES; i++) {
        const ReturnedLine *line = req->lines[i];

        check_text(call, check_path(call, "lines[%zu].sku", i), line->sku, 1, SKU_MAX);
        check_range(call, check_path(call, "lines[%zu].quantity", i), line->quantity, 1, INT32_MAX);
        check_optional_name(
            call, check_path(call, "lines[%zu].promotion", i), line->promotion, "promotions/*");
        for (size_t k = 0; k < i; k++)
            if (text_equal(req->lines[k]->sku, line->sku) &&
                text_equal(req->lines[k]->promotion, line->promotion))
                check_fail(call, check_path(call, "lines[%zu].sku", i), "is in lines[%zu] too", k);
    }
}

const Error *return_lines(RpcCall *call, const void *request, void *reply)
{
    const ReturnLinesRequest *req = request;
    Crediting on = { .call = call, .etag = req->etag, .lines = req };
    const Error *error;

    check_name(call, "order", req->order, "orders/*");
    check_lines(call, req);
    check_text(call, "reason", req->reason, 1, REASON_MAX);
    if (!location_is_good(req->location) && *req->location)
        check_fail(call, "location", "must be 1 to %d characters of [a-z0-9-]", LOCATION_ID_MAX);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    on.note = rpc_new_name(call, "creditNotes", req->request_id);
    return credit(&on, req->order, reply);
}

const Error *finish_credit(RpcCall *call, const char *name)
{
    Race race __attribute__((cleanup(race_end))) = race_start(call, name);
    StoreView steps = store_steps(call->store);
    const Error *error;

    do {
        Order *order = message_new(call->arena, orders.message);

        error = store_get(&steps, &orders, name, order);
        if (!error && order->pending)
            error = carry_out(call, &steps, order);
    } while (race_lost(&race, error, ""));
    return error;
}
