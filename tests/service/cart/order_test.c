/* Orders, invoices and the ledger, through gRPC. */
#include "tests/service/cart/shop.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/support/test_main.h"

typedef Throughline__Cart__V1__GetOrderRequest GetOrderRequest;
typedef Throughline__Cart__V1__GetInvoiceRequest GetInvoiceRequest;
typedef Throughline__Cart__V1__ListOrdersRequest ListOrdersRequest;
typedef Throughline__Cart__V1__ListOrdersResponse ListOrdersResponse;
typedef Throughline__Cart__V1__VerifyLedgerRequest VerifyLedgerRequest;
typedef Throughline__Cart__V1__VerifyLedgerResponse VerifyLedgerResponse;

static const Error *get_order(Fixture *fixture, const char *name, Order *order)
{
    GetOrderRequest request = THROUGHLINE__CART__V1__GET_ORDER_REQUEST__INIT;

    request.name = arena_text(fixture_arena(fixture), name);
    return fixture_call(fixture, "OrderService/GetOrder", &request, order);
}

static const Error *get_invoice(Fixture *fixture, const char *order, Invoice *invoice)
{
    GetInvoiceRequest request = THROUGHLINE__CART__V1__GET_INVOICE_REQUEST__INIT;

    request.order = arena_text(fixture_arena(fixture), order);
    return fixture_call(fixture, "OrderService/GetInvoice", &request, invoice);
}

static const Error *list(Fixture *fixture, const RpcOutgoing *outgoing, const char *customer,
    int32_t size, const char *token, ListOrdersResponse *response)
{
    ListOrdersRequest request = THROUGHLINE__CART__V1__LIST_ORDERS_REQUEST__INIT;

    request.customer = arena_text(fixture_arena(fixture), customer);
    request.page_size = size;
    request.page_token = arena_text(fixture_arena(fixture), token);
    return fixture_call_with(fixture, outgoing, "OrderService/ListOrders", &request, response);
}

static void an_order_and_its_bill_are_read_by_who_may(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_full_cart(fixture);
    Order *order = shop_checkout(fixture, cart->name, shop_quote(fixture, cart->name));
    Order read = THROUGHLINE__CART__V1__ORDER__INIT;
    Invoice invoice = THROUGHLINE__CART__V1__INVOICE__INIT;
    ListOrdersResponse page = THROUGHLINE__CART__V1__LIST_ORDERS_RESPONSE__INIT;
    RpcOutgoing outgoing;

    CU_ASSERT_PTR_NULL(get_order(fixture, order->name, &read));
    CU_ASSERT(message_equal(&read, order));
    CU_ASSERT_PTR_NULL(get_invoice(fixture, order->name, &invoice));
    CU_ASSERT(message_equal(&invoice, order->invoice));
    CHECK_TEXT(error_reason(get_order(fixture, "orders/none", &read)), "ORDER_NOT_FOUND");
    CHECK_TEXT(error_reason(get_order(fixture, "none", &read)), "FIELD_INVALID");
    CHECK_TEXT(error_reason(get_invoice(fixture, "orders/none", &invoice)), "ORDER_NOT_FOUND");
    CHECK_TEXT(error_reason(get_invoice(fixture, "", &invoice)), "FIELD_INVALID");

    fixture_act_as(fixture, "web", "customers/bob");
    outgoing = fixture_outgoing(fixture);
    CHECK_TEXT(error_reason(get_order(fixture, order->name, &read)), "ORDER_NOT_FOUND");
    CHECK_TEXT(error_reason(get_invoice(fixture, order->name, &invoice)), "ORDER_NOT_FOUND");
    CHECK_TEXT(
        error_reason(list(fixture, &outgoing, "customers/ann", 0, "", &page)), "ORDERS_OF_ANOTHER");
    fixture_act_as(fixture, "care", "agents/kim");
    CHECK_TEXT(error_reason(get_order(fixture, order->name, &read)), "ORDER_NOT_FOUND");
    outgoing = fixture_outgoing(fixture);
    outgoing.context.on_behalf_of = "customers/ann";
    CU_ASSERT_PTR_NULL(list(fixture, &outgoing, "customers/ann", 0, "", &page));
    CHECK_INT(page.n_orders, 1);
    fixture_act_as(fixture, "", "services/feedback");
    CU_ASSERT_PTR_NULL(get_order(fixture, order->name, &read));
    shop_close(fixture);
}

static void orders_are_listed_newest_first_page_by_page(void)
{
    enum { ORDERS = 5 };
    Fixture *fixture = shop_open();
    const char *names[ORDERS], *token = "";
    RpcOutgoing outgoing = fixture_outgoing(fixture);
    ListOrdersResponse page = THROUGHLINE__CART__V1__LIST_ORDERS_RESPONSE__INIT;
    int n = 0;

    for (int i = 0; i < ORDERS; i++) {
        Cart *cart = shop_full_cart(fixture);

        names[i] = shop_checkout(fixture, cart->name, shop_quote(fixture, cart->name))->name;
    }
    do {
        CU_ASSERT_PTR_NULL_FATAL(list(fixture, &outgoing, "customers/ann", 2, token, &page));
        for (size_t i = 0; i < page.n_orders && n < ORDERS; i++, n++)
            CHECK_TEXT(page.orders[i]->name, names[ORDERS - 1 - n]);
        token = page.next_page_token;
    } while (!text_is_empty(token));
    CHECK_INT(n, ORDERS);
    CU_ASSERT_PTR_NULL(list(fixture, &outgoing, "customers/ann", 2, "", &page));
    CHECK_INT(list(fixture, &outgoing, "customers/ann", 2, "made-up", &page)->code,
        ERROR_INVALID_ARGUMENT);
    CHECK_TEXT(error_reason(list(fixture, &outgoing, "", -1, "", &page)), "FIELD_INVALID");
    shop_close(fixture);
}

static const Error *verify(Fixture *fixture, const char *after, VerifyLedgerResponse *report)
{
    VerifyLedgerRequest request = THROUGHLINE__CART__V1__VERIFY_LEDGER_REQUEST__INIT;

    request.after = arena_text(fixture_arena(fixture), after);
    return fixture_call(fixture, "OrderService/VerifyLedger", &request, report);
}

static void set_total(Fixture *fixture, const char *name, int64_t minor)
{
    StoreView view = fixture_view(fixture);
    Order *order = message_new(fixture_arena(fixture), orders.message);

    CU_ASSERT_PTR_NULL_FATAL(store_get(&view, &orders, name, order));
    order->invoice->total = money_message(fixture_arena(fixture), "EUR", minor);
    CU_ASSERT_PTR_NULL(store_replace(&view, &orders, order, NULL));
}

static void the_ledger_finds_a_cent(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_full_cart(fixture);
    Order *order = shop_checkout(fixture, cart->name, shop_quote(fixture, cart->name));
    VerifyLedgerResponse report = THROUGHLINE__CART__V1__VERIFY_LEDGER_RESPONSE__INIT;
    int64_t total = shop_minor(order->invoice->total);

    CU_ASSERT_PTR_NULL(verify(fixture, "", &report));
    CHECK_INT(report.orders, 1);
    CHECK_INT(report.n_findings, 0);
    CHECK_TEXT(report.next, "");
    set_total(fixture, order->name, total + 1);
    CU_ASSERT_PTR_NULL(verify(fixture, "", &report));
    CHECK_INT(report.n_findings, 2);
    CHECK_TEXT(report.findings[0]->order, order->name);
    CU_ASSERT_PTR_NULL(verify(fixture, order->name, &report));
    CHECK_INT(report.orders, 0);
    CHECK_TEXT(error_reason(verify(fixture, "carts/a", &report)), "FIELD_INVALID");
    set_total(fixture, order->name, total);
    shop_close(fixture);
}

/* More than one page of the store, with copies of a real order. */
static void the_ledger_goes_through_all_orders_once(void)
{
    enum { COPIES = 1203 };
    Fixture *fixture = shop_open();
    Cart *cart = shop_full_cart(fixture);
    Order *order = shop_checkout(fixture, cart->name, shop_quote(fixture, cart->name));
    VerifyLedgerResponse report = THROUGHLINE__CART__V1__VERIFY_LEDGER_RESPONSE__INIT;
    StoreView view = fixture_view(fixture);
    StoreWrite *writes = arena_array(fixture_arena(fixture), COPIES, sizeof(*writes));

    for (int i = 0; i < COPIES; i++) {
        Order *copy = message_copy(fixture_arena(fixture), order);

        copy->name = arena_printf(fixture_arena(fixture), "orders/copy-%04d", i);
        copy->invoice->order = copy->name;
        if (i == COPIES - 1)
            copy->invoice->customer = arena_text(fixture_arena(fixture), "customers/bob");
        writes[i] = (StoreWrite){ .kind = STORE_INSERT, .collection = &orders, .message = copy };
    }
    CU_ASSERT_PTR_NULL(store_write(&view, writes, COPIES));

    CU_ASSERT_PTR_NULL(verify(fixture, "", &report));
    CHECK_INT(report.orders, COPIES + 1);
    CHECK_INT(report.n_findings, 1);
    CHECK_TEXT(report.findings[0]->order, "orders/copy-1202");
    CU_ASSERT_PTR_NULL(store_delete(&view, &orders, "orders/copy-1202", ""));
    shop_close(fixture);
}

static CU_TestInfo tests[] = {
    { "an_order_and_its_bill_are_read_by_who_may", an_order_and_its_bill_are_read_by_who_may },
    { "orders_are_listed_newest_first_page_by_page", orders_are_listed_newest_first_page_by_page },
    { "the_ledger_finds_a_cent", the_ledger_finds_a_cent },
    { "the_ledger_goes_through_all_orders_once", the_ledger_goes_through_all_orders_once },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = { { .pName = "orders", .pTests = tests }, CU_SUITE_INFO_NULL };

    return test_main("cart_service_order", suites, argc, argv);
}
