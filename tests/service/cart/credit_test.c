/* Cancellations and returns, through gRPC. */
#include "tests/service/cart/shop.h"

#include "services/cart/domain/credit.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/support/parallel.h"
#include "tests/support/test_main.h"

enum { CALLERS = 16 };

static Fixture *fixture;
static Arena *arena;
static const char *promotion;

static void open_shop(void)
{
    fixture = shop_open();
    arena = fixture_arena(fixture);
    promotion = shop_limited_promotion(fixture, "LIMITED", 5, 1);
    shop_stock(fixture, "tent", "berlin", 10);
}

static void close_shop(void)
{
    fixture_act_as(fixture, "web", "customers/ann");
    shop_close(fixture);
}

/* Ann's, of two tents and three ropes, with the code. */
static Order *an_order(void)
{
    const char *cart = shop_full_cart(fixture)->name;

    shop_add_code(fixture, cart, "LIMITED");
    return shop_checkout(fixture, cart, shop_quote(fixture, cart));
}

static const Error *cancel(const char *name, const char *etag, const char *request_id, Order *reply)
{
    Throughline__Cart__V1__CancelOrderRequest request =
        THROUGHLINE__CART__V1__CANCEL_ORDER_REQUEST__INIT;

    throughline__cart__v1__order__init(reply);
    request.order = arena_text(arena, name);
    request.reason = arena_text(arena, "Changed their mind");
    request.etag = arena_text(arena, etag);
    request.request_id = arena_text(arena, request_id);
    return fixture_call(fixture, "OrderService/CancelOrder", &request, reply);
}

/* The clerk's call on Ann's behalf. */
static const Error *bring_back(const char *name, const char *sku, int32_t quantity,
    const char *etag, const char *request_id, Order *reply)
{
    ReturnLinesRequest request = THROUGHLINE__CART__V1__RETURN_LINES_REQUEST__INIT;
    ReturnedLine line = THROUGHLINE__CART__V1__RETURNED_LINE__INIT, *lines[] = { &line };
    RpcOutgoing outgoing;
    const Error *error;

    throughline__cart__v1__order__init(reply);
    line.sku = arena_text(arena, sku);
    line.quantity = quantity;
    request.order = arena_text(arena, name);
    request.n_lines = COUNT(lines);
    request.lines = lines;
    request.reason = arena_text(arena, "Too small");
    request.location = arena_text(arena, "london");
    request.etag = arena_text(arena, etag);
    request.request_id = arena_text(arena, request_id);
    fixture_act_as(fixture, "store", "agents/sam");
    outgoing = fixture_outgoing(fixture);
    outgoing.context.on_behalf_of = "customers/ann";
    error = fixture_call_with(fixture, &outgoing, "OrderService/ReturnLines", &request, reply);
    fixture_act_as(fixture, "web", "customers/ann");
    return error;
}

static void a_cancelled_order_gives_back_what_it_took(void)
{
    Order *order = an_order(), cancelled, again;
    const Event *event;

    CHECK_INT(shop_stock_of(fixture, "tent").on_hand, 8);
    CHECK_INT(shop_usage(fixture, promotion).used, 1);
    CHECK_TEXT(error_reason(cancel(order->name, order->etag, "one", &cancelled)), "OK");

    CHECK_INT(cancelled.state, THROUGHLINE__CART__V1__ORDER__STATE__CANCELLED);
    CU_ASSERT_PTR_NULL(cancelled.pending);
    CHECK_INT(cancelled.n_credit_notes, 1);
    CHECK_INT(shop_minor(cancelled.credit_notes[0]->total), shop_minor(cancelled.invoice->total));
    CHECK_TEXT(cancelled.credit_notes[0]->actor, "customers/ann");
    CHECK_INT(shop_stock_of(fixture, "tent").on_hand, 10);
    CHECK_INT(shop_usage(fixture, promotion).used, 0);
    CHECK_TEXT(error_reason(cancel(order->name, order->etag, "one", &again)), "OK");
    CU_ASSERT(message_equal(&again, &cancelled));
    CHECK_TEXT(error_reason(cancel(order->name, "", "", &again)), "OK");
    CHECK_INT(again.n_credit_notes, 1);
    CHECK_INT(shop_stock_of(fixture, "tent").on_hand, 10);
    event = fixture_event(fixture, order->name, 2);
    CU_ASSERT_PTR_NOT_NULL_FATAL(event);
    CHECK_TEXT(event->customer, "customers/ann");
    CU_ASSERT_PTR_NOT_NULL(
        event_payload(arena, event, &throughline__cart__v1__order_cancelled__descriptor));
    /* The code, once for a customer, may be used again. */
    CHECK_INT(shop_minor(an_order()->invoice->total), shop_minor(order->invoice->total));
}

static void pieces_that_come_back_are_credited_and_on_hand(void)
{
    Order *order = an_order(), one, two, rest;
    const Event *event;

    CHECK_TEXT(error_reason(bring_back(order->name, "tent", 1, order->etag, "one", &one)), "OK");
    CHECK_INT(one.state, THROUGHLINE__CART__V1__ORDER__STATE__PARTLY_RETURNED);
    CHECK_INT(shop_minor(one.credit_notes[0]->total), 19900 - 3980);
    CHECK_TEXT(one.credit_notes[0]->actor, "agents/sam");
    CHECK_INT(shop_stock_of(fixture, "tent").n_levels, 2);
    CHECK_INT(shop_stock_of(fixture, "tent").on_hand, 9);
    CHECK_INT(shop_usage(fixture, promotion).used, 1);
    event = fixture_event(fixture, order->name, 2);
    CU_ASSERT_PTR_NOT_NULL_FATAL(event);
    CU_ASSERT_PTR_NOT_NULL(
        event_payload(arena, event, &throughline__cart__v1__lines_returned__descriptor));

    CHECK_TEXT(error_reason(bring_back(order->name, "tent", 1, order->etag, "one", &two)), "OK");
    CU_ASSERT(message_equal(&one, &two));
    CHECK_TEXT(
        error_reason(bring_back(order->name, "tent", 1, order->etag, "", &two)), "ETAG_STALE");
    CHECK_TEXT(error_reason(cancel(order->name, "", "", &two)), "ORDER_RETURNED");
    CHECK_TEXT(error_reason(bring_back(order->name, "tent", 1, one.etag, "", &two)), "OK");
    CHECK_TEXT(error_reason(bring_back(order->name, "tent", 1, "", "", &rest)), "RETURN_TOO_LARGE");
    CHECK_TEXT(error_reason(bring_back(order->name, "rope", 3, "", "", &rest)), "OK");
    CHECK_INT(rest.state, THROUGHLINE__CART__V1__ORDER__STATE__RETURNED);
    CHECK_INT(shop_stock_of(fixture, "tent").on_hand, 10);
    CHECK_INT(shop_usage(fixture, promotion).used, 0);
}

static void requests_are_checked_and_access_too(void)
{
    ReturnLinesRequest request = THROUGHLINE__CART__V1__RETURN_LINES_REQUEST__INIT;
    ReturnedLine line = THROUGHLINE__CART__V1__RETURNED_LINE__INIT, *lines[] = { &line, &line };
    RpcOutgoing outgoing = fixture_outgoing(fixture);
    Order *order = an_order(), reply;
    const Error *error;

    throughline__cart__v1__order__init(&reply);
    request.order = arena_text(arena, "none");
    request.location = arena_text(arena, "London");
    line.promotion = arena_text(arena, "x");
    request.n_lines = COUNT(lines);
    request.lines = lines;
    error = fixture_call(fixture, "OrderService/ReturnLines", &request, &reply);
    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    CHECK_INT(error->n_violations, 10);
    CHECK_TEXT(error_reason(cancel("none", "", "", &reply)), "FIELD_INVALID");
    CHECK_TEXT(error_reason(cancel("orders/none", "", "", &reply)), "ORDER_NOT_FOUND");
    CHECK_TEXT(error_reason(cancel(order->name, "99", "", &reply)), "ETAG_STALE");
    CHECK_TEXT(
        error_reason(bring_back(order->name, "boat", 1, "", "", &reply)), "CHARGE_NOT_FOUND");
    outgoing.token = fixture_token(fixture, "order.read order.cancel cart.checkout", "web");
    request.order = arena_text(arena, order->name);
    CHECK_TEXT(error_reason(fixture_call_with(
                   fixture, &outgoing, "OrderService/ReturnLines", &request, &reply)),
        "SCOPE_MISSING");
    fixture_act_as(fixture, "web", "customers/bob");
    CHECK_TEXT(error_reason(cancel(order->name, "", "", &reply)), "ORDER_NOT_FOUND");
}

static void cancel_too(Worker *worker)
{
    Throughline__Cart__V1__CancelOrderRequest request =
        THROUGHLINE__CART__V1__CANCEL_ORDER_REQUEST__INIT;
    Order reply = THROUGHLINE__CART__V1__ORDER__INIT;

    request.order = arena_text(worker->arena, worker->context);
    request.reason = arena_text(worker->arena, "Both pressed the button");
    worker_expect(
        worker, worker_call(worker, "customers/ann", "OrderService/CancelOrder", &request, &reply));
    worker_expect_true(worker,
        reply.state == THROUGHLINE__CART__V1__ORDER__STATE__CANCELLED && reply.n_credit_notes == 1,
        "one note");
}

static void many_who_cancel_at_once_cancel_once(void)
{
    Order *order = an_order();

    parallel_run(fixture, CALLERS, cancel_too, order->name);

    CHECK_INT(shop_stock_of(fixture, "tent").on_hand, 10);
    CHECK_INT(shop_usage(fixture, promotion).used, 0);
}

static void return_a_rope(Worker *worker)
{
    ReturnLinesRequest request = THROUGHLINE__CART__V1__RETURN_LINES_REQUEST__INIT;
    ReturnedLine line = THROUGHLINE__CART__V1__RETURNED_LINE__INIT, *lines[] = { &line };
    Order reply = THROUGHLINE__CART__V1__ORDER__INIT;
    const Error *error;

    line.sku = arena_text(worker->arena, "rope");
    line.quantity = 1;
    request.n_lines = COUNT(lines);
    request.lines = lines;
    request.order = arena_text(worker->arena, worker->context);
    request.reason = arena_text(worker->arena, "One by one");
    error = worker_call(worker, "customers/ann", "OrderService/ReturnLines", &request, &reply);
    if (error && !text_equal(error->reason, "RETURN_TOO_LARGE"))
        worker_expect(worker, error);
}

static void many_who_return_at_once_return_what_was_bought(void)
{
    Order *order, after;
    int64_t total = 0;

    shop_stock(fixture, "rope", "berlin", 3);
    order = an_order();
    parallel_run(fixture, CALLERS, return_a_rope, order->name);

    CHECK_TEXT(
        error_reason(bring_back(order->name, "rope", 1, "", "", &after)), "RETURN_TOO_LARGE");
    CHECK_INT(shop_stock_of(fixture, "rope").on_hand, 3);
    CHECK_TEXT(error_reason(bring_back(order->name, "tent", 2, "", "", &after)), "OK");
    CHECK_INT(after.n_credit_notes, 4);
    for (size_t i = 0; i < after.n_credit_notes; i++)
        total += shop_minor(after.credit_notes[i]->total);
    CHECK_INT(total, shop_minor(after.invoice->total));
}

static CU_TestInfo tests[] = {
    { "a_cancelled_order_gives_back_what_it_took", a_cancelled_order_gives_back_what_it_took },
    { "pieces_that_come_back_are_credited_and_on_hand",
        pieces_that_come_back_are_credited_and_on_hand },
    { "requests_are_checked_and_access_too", requests_are_checked_and_access_too },
    { "many_who_cancel_at_once_cancel_once", many_who_cancel_at_once_cancel_once },
    { "many_who_return_at_once_return_what_was_bought",
        many_who_return_at_once_return_what_was_bought },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {
        { .pName = "credit",
            .pSetUpFunc = open_shop,
            .pTearDownFunc = close_shop,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("cart_service_credit", suites, argc, argv);
}
