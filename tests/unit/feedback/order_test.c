#include "services/feedback/domain/order.h"

#include "tests/support/test_main.h"

typedef Throughline__Cart__V1__Invoice Invoice;
typedef Throughline__Cart__V1__Charge Charge;

enum { CHARGES = ORDER_MAX_TITLES + 5 };

static void a_summary_has_what_a_case_shows(void)
{
    Arena *arena = arena_new();
    Order order = THROUGHLINE__CART__V1__ORDER__INIT;
    Invoice invoice = THROUGHLINE__CART__V1__INVOICE__INIT;
    Google__Type__Money total = GOOGLE__TYPE__MONEY__INIT;
    Charge charges[CHARGES];
    Charge *list[CHARGES];
    OrderSummary summary;

    for (int i = 0; i < CHARGES; i++) {
        charges[i] = (Charge)THROUGHLINE__CART__V1__CHARGE__INIT;
        charges[i].title = arena_printf(arena, "Lamp %d", i + 1);
        list[i] = &charges[i];
    }
    invoice.charges = list;
    invoice.n_charges = 2;
    invoice.total = &total;
    total.currency_code = "EUR";
    total.units = 12;
    order.name = "orders/a";
    order.customer = "customers/jo";
    order.channel = "store";
    order.invoice = &invoice;
    summary = order_summary(&order, arena);

    CHECK_TEXT(summary.name, "orders/a");
    CHECK_TEXT(summary.customer, "customers/jo");
    CHECK_TEXT(summary.channel, "store");
    CHECK_INT(summary.total->units, 12);
    CHECK_INT((int)summary.n_titles, 2);
    CHECK_TEXT(summary.titles[1], "Lamp 2");
    invoice.n_charges = CHARGES;
    CHECK_INT((int)order_summary(&order, arena).n_titles, ORDER_MAX_TITLES);
    arena_free(arena);
}

static void an_order_without_an_invoice_has_no_total(void)
{
    Arena *arena = arena_new();
    Order order = THROUGHLINE__CART__V1__ORDER__INIT;
    OrderSummary summary;

    order.name = "orders/a";
    summary = order_summary(&order, arena);

    CU_ASSERT_PTR_NULL(summary.total);
    CHECK_INT((int)summary.n_titles, 0);
    arena_free(arena);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_summary_has_what_a_case_shows", a_summary_has_what_a_case_shows },
        { "an_order_without_an_invoice_has_no_total", an_order_without_an_invoice_has_no_total },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "order", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("feedback_order", suites, argc, argv);
}
