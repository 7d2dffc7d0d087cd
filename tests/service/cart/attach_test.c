/* Sign-ins: an anonymous cart gets its customer, through gRPC. */
#include "tests/service/cart/shop.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "tests/support/test_main.h"

typedef Throughline__Cart__V1__AttachCustomerRequest AttachCustomerRequest;

enum { JOB_WAIT_MS = 10000 };

static Cart *guest_cart(Fixture *fixture, const char *visitor, const char *sku, int32_t quantity)
{
    fixture_act_as(fixture, "web", visitor);
    return shop_add(fixture, shop_cart(fixture)->name, sku, quantity);
}

static const Error *attach_by(
    Fixture *fixture, const char *cart, const char *customer, MergeMode mode, MergeReport *report)
{
    AttachCustomerRequest request = THROUGHLINE__CART__V1__ATTACH_CUSTOMER_REQUEST__INIT;

    request.cart = arena_text(fixture_arena(fixture), cart);
    request.customer = arena_text(fixture_arena(fixture), customer);
    request.mode = mode;
    return fixture_call(fixture, "CartService/AttachCustomer", &request, report);
}

static void a_first_cart_becomes_the_customers_as_it_is(void)
{
    Fixture *fixture = shop_open();
    Cart *guest = guest_cart(fixture, "anonymous/visitor", "tent", 2);
    MergeReport *report = shop_attach(fixture, guest->name, "customers/ann");

    CHECK_TEXT(report->cart->name, guest->name);
    CHECK_TEXT(report->cart->customer, "customers/ann");
    CHECK_INT(report->n_outcomes, 0);
    CHECK_INT(report->cart->n_holders, 0);
    CU_ASSERT(message_equal(report->cart, shop_stored_cart(fixture, guest->name)));
    fixture_act_as(fixture, "app", "customers/ann");
    CHECK_TEXT(shop_cart(fixture)->name, guest->name);
    shop_close(fixture);
}

static void a_cart_merges_into_the_one_that_is_there(void)
{
    Fixture *fixture = shop_open();
    Cart *own = shop_cart(fixture), *guest, *source;
    MergeReport *report;

    shop_add(fixture, own->name, "tent", 1);
    guest = guest_cart(fixture, "anonymous/visitor", "tent", 2);
    shop_add(fixture, guest->name, "rope", 3);

    report = shop_attach(fixture, guest->name, "customers/ann");

    CHECK_TEXT(report->cart->name, own->name);
    CHECK_INT(report->n_outcomes, 2);
    CHECK_INT(shop_quantity(report->cart, "tent"), 3);
    CHECK_INT(shop_quantity(report->cart, "rope"), 3);
    CU_ASSERT(message_equal(report->cart, shop_stored_cart(fixture, own->name)));
    source = shop_stored_cart(fixture, guest->name);
    CHECK_INT(source->state, THROUGHLINE__CART__V1__CART__STATE__MERGED);
    CHECK_TEXT(source->merged_into, own->name);
    CHECK_INT(source->n_lines, 2);
    shop_close(fixture);
}

static void every_mode_is_kept(void)
{
    static const struct {
        MergeMode mode;
        int32_t quantity;
    } modes[] = {
        { THROUGHLINE__CART__V1__ATTACH_CUSTOMER_REQUEST__MODE__SUM, 5 },
        { THROUGHLINE__CART__V1__ATTACH_CUSTOMER_REQUEST__MODE__MAX, 3 },
        { THROUGHLINE__CART__V1__ATTACH_CUSTOMER_REQUEST__MODE__GUEST_WINS, 2 },
        { THROUGHLINE__CART__V1__ATTACH_CUSTOMER_REQUEST__MODE__CUSTOMER_WINS, 3 },
    };
    Fixture *fixture = shop_open();

    for (size_t i = 0; i < COUNT(modes); i++) {
        const char *customer = arena_printf(fixture_arena(fixture), "customers/c%zu", i);
        MergeReport report = THROUGHLINE__CART__V1__ATTACH_CUSTOMER_RESPONSE__INIT;
        Cart *guest;

        fixture_act_as(fixture, "app", customer);
        shop_add(fixture, shop_cart(fixture)->name, "tent", 3);
        guest = guest_cart(fixture, "anonymous/visitor", "tent", 2);
        CU_ASSERT_PTR_NULL(attach_by(fixture, guest->name, customer, modes[i].mode, &report));
        CHECK_INT(shop_quantity(report.cart, "tent"), modes[i].quantity);
    }
    shop_close(fixture);
}

static void the_customer_attaches_by_the_carts_name(void)
{
    Fixture *fixture = shop_open();
    Cart *guest = guest_cart(fixture, "anonymous/visitor", "tent", 2);
    MergeReport report = THROUGHLINE__CART__V1__ATTACH_CUSTOMER_RESPONSE__INIT;

    fixture_act_as(fixture, "app", "anonymous/other");
    CHECK_TEXT(error_reason(shop_try_attach(fixture, guest->name, "customers/ann", "", &report)),
        "CART_NOT_FOUND");
    fixture_act_as(fixture, "app", "customers/bob");
    CHECK_TEXT(error_reason(shop_try_attach(fixture, guest->name, "customers/ann", "", &report)),
        "CART_NOT_FOUND");
    fixture_act_as(fixture, "app", "customers/ann");
    CHECK_TEXT(shop_attach(fixture, guest->name, "customers/ann")->cart->name, guest->name);
    shop_close(fixture);
}

static void sending_it_again_changes_nothing(void)
{
    Fixture *fixture = shop_open();
    MergeReport first = THROUGHLINE__CART__V1__ATTACH_CUSTOMER_RESPONSE__INIT, again = first;
    Cart *own = shop_cart(fixture), *guest;
    MergeReport *later;

    shop_add(fixture, own->name, "tent", 1);
    guest = guest_cart(fixture, "anonymous/visitor", "tent", 2);

    CU_ASSERT_PTR_NULL(shop_try_attach(fixture, guest->name, "customers/ann", "sign-in", &first));
    CU_ASSERT_PTR_NULL(shop_try_attach(fixture, guest->name, "customers/ann", "sign-in", &again));
    CU_ASSERT(message_equal(&first, &again));
    later = shop_attach(fixture, guest->name, "customers/ann");
    CHECK_TEXT(later->cart->name, own->name);
    CHECK_INT(later->n_outcomes, 0);
    CHECK_INT(shop_quantity(later->cart, "tent"), 3);
    shop_close(fixture);
}

static void what_cannot_be_attached_is_refused(void)
{
    Fixture *fixture = shop_open();
    Cart *own = shop_cart(fixture), *guest, *bought;
    MergeReport report = THROUGHLINE__CART__V1__ATTACH_CUSTOMER_RESPONSE__INIT;

    CHECK_TEXT(error_reason(shop_try_attach(fixture, "carts/none", "customers/ann", "", &report)),
        "CART_NOT_FOUND");
    CHECK_TEXT(error_reason(shop_try_attach(fixture, "x", "", "", &report)), "FIELD_INVALID");
    CHECK_TEXT(
        error_reason(attach_by(fixture, own->name, "customers/ann", 77, &report)), "FIELD_INVALID");
    CHECK_TEXT(error_reason(shop_try_attach(fixture, own->name, "customers/bob", "", &report)),
        "CART_HAS_CUSTOMER");
    bought = shop_add(fixture, own->name, "tent", 1);
    shop_checkout(fixture, bought->name, shop_quote(fixture, bought->name));
    CHECK_TEXT(error_reason(shop_try_attach(fixture, own->name, "customers/ann", "", &report)),
        "CART_CLOSED");
    guest = guest_cart(fixture, "anonymous/visitor", "tent", 2);
    shop_attach(fixture, guest->name, "customers/ann");
    fixture_act_as(fixture, "web", "anonymous/visitor");
    CHECK_TEXT(error_reason(shop_try_attach(fixture, guest->name, "customers/bob", "", &report)),
        "CART_NOT_FOUND");
    shop_close(fixture);
}

static void carts_of_two_currencies_stay_apart(void)
{
    Fixture *fixture = shop_open();
    Throughline__Cart__V1__CreateCartRequest dollars =
        THROUGHLINE__CART__V1__CREATE_CART_REQUEST__INIT;
    MergeReport report = THROUGHLINE__CART__V1__ATTACH_CUSTOMER_RESPONSE__INIT;
    Cart *guest, own = THROUGHLINE__CART__V1__CART__INIT;

    dollars.currency = arena_text(fixture_arena(fixture), "USD");
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "CartService/CreateCart", &dollars, &own));
    guest = guest_cart(fixture, "anonymous/visitor", "tent", 2);

    CHECK_TEXT(error_reason(shop_try_attach(fixture, guest->name, "customers/ann", "", &report)),
        "CURRENCY_MISMATCH");
    CU_ASSERT(message_equal(guest, shop_stored_cart(fixture, guest->name)));
    shop_close(fixture);
}

static void many_visits_end_in_one_cart(void)
{
    enum { VISITS = CART_MAX_MERGED_FROM * 2 + 3 };
    Fixture *fixture = shop_open();
    Cart *own = shop_cart(fixture), *guest, *last;

    for (int i = 0; i < VISITS; i++) {
        guest = guest_cart(fixture, "anonymous/visitor", "tent", 1);
        shop_attach(fixture, guest->name, "customers/ann");
    }
    last = shop_stored_cart(fixture, own->name);
    CHECK_INT(shop_quantity(last, "tent"), VISITS);
    CHECK_INT(last->n_merged_from, CART_MAX_MERGED_FROM);
    CHECK_TEXT(last->merged_from[CART_MAX_MERGED_FROM - 1], guest->name);
    shop_close(fixture);
}

static const Event *event_of(
    Fixture *fixture, const char *aggregate, int64_t number, const ProtobufCMessageDescriptor *type)
{
    const Event *event = fixture_event(fixture, aggregate, number);

    CU_ASSERT_PTR_NOT_NULL_FATAL(event);
    CU_ASSERT_PTR_NOT_NULL(event_payload(fixture_arena(fixture), event, type));
    return event;
}

static void both_carts_tell_of_the_merge(void)
{
    Fixture *fixture = shop_open();
    Cart *own = shop_cart(fixture), *guest = guest_cart(fixture, "anonymous/visitor", "tent", 1);
    Cart *first;

    shop_attach(fixture, guest->name, "customers/ann");
    event_of(fixture, guest->name, 3, &throughline__cart__v1__cart_closed_by_merge__descriptor);
    event_of(fixture, own->name, 2, &throughline__cart__v1__cart_merged__descriptor);
    first = guest_cart(fixture, "anonymous/visitor", "tent", 1);
    shop_attach(fixture, first->name, "customers/cleo");
    CHECK_TEXT(
        event_of(fixture, first->name, 3, &throughline__cart__v1__customer_attached__descriptor)
            ->customer,
        "customers/cleo");
    shop_close(fixture);
}

/* Leaves a merge as a process does that dies after its first write, long ago. */
static void leave_in_the_middle(Fixture *fixture, const char *source_name, const Cart *target)
{
    StoreView view = fixture_view(fixture);
    Cart *source = shop_stored_cart(fixture, source_name);
    CartClosedByMerge event = THROUGHLINE__CART__V1__CART_CLOSED_BY_MERGE__INIT;
    Actor actor = { .name = "anonymous/visitor", .channel = "web", .now = 1000000 };

    merge_close(source, target, THROUGHLINE__CART__V1__ATTACH_CUSTOMER_REQUEST__MODE__SUM, &actor,
        fixture_arena(fixture), &event);
    CU_ASSERT_PTR_NULL(store_replace(&view, &carts, source, &event));
}

static bool is_settled(Fixture *fixture, const char *name)
{
    int64_t until = clock_monotonic() + JOB_WAIT_MS * INT64_C(1000);

    while (shop_stored_cart(fixture, name)->pending && clock_monotonic() < until)
        clock_sleep_ms(50);
    return !shop_stored_cart(fixture, name)->pending;
}

static void the_job_finishes_a_merge_that_was_left(void)
{
    Fixture *fixture = shop_open();
    Cart *own = shop_cart(fixture), *guest = guest_cart(fixture, "anonymous/visitor", "tent", 2);

    leave_in_the_middle(fixture, guest->name, own);

    CU_ASSERT(is_settled(fixture, guest->name));
    CHECK_INT(shop_quantity(shop_stored_cart(fixture, own->name), "tent"), 2);
    CHECK_INT(
        shop_stored_cart(fixture, guest->name)->state, THROUGHLINE__CART__V1__CART__STATE__MERGED);
    shop_close(fixture);
}

static void lines_on_their_way_to_a_cart_that_was_bought_stay_with_the_customer(void)
{
    Fixture *fixture = shop_open();
    Cart *own = shop_cart(fixture), *guest;

    shop_add(fixture, own->name, "rope", 1);
    guest = guest_cart(fixture, "anonymous/visitor", "tent", 2);
    fixture_act_as(fixture, "web", "customers/ann");
    shop_checkout(fixture, own->name, shop_quote(fixture, own->name));
    leave_in_the_middle(fixture, guest->name, shop_stored_cart(fixture, own->name));

    CU_ASSERT(is_settled(fixture, guest->name));
    CHECK_TEXT(shop_cart(fixture)->name, guest->name);
    CHECK_INT(shop_quantity(shop_cart(fixture), "tent"), 2);
    shop_close(fixture);
}

static CU_TestInfo tests[] = {
    { "a_first_cart_becomes_the_customers_as_it_is", a_first_cart_becomes_the_customers_as_it_is },
    { "a_cart_merges_into_the_one_that_is_there", a_cart_merges_into_the_one_that_is_there },
    { "every_mode_is_kept", every_mode_is_kept },
    { "the_customer_attaches_by_the_carts_name", the_customer_attaches_by_the_carts_name },
    { "sending_it_again_changes_nothing", sending_it_again_changes_nothing },
    { "what_cannot_be_attached_is_refused", what_cannot_be_attached_is_refused },
    { "carts_of_two_currencies_stay_apart", carts_of_two_currencies_stay_apart },
    { "many_visits_end_in_one_cart", many_visits_end_in_one_cart },
    { "both_carts_tell_of_the_merge", both_carts_tell_of_the_merge },
    { "the_job_finishes_a_merge_that_was_left", the_job_finishes_a_merge_that_was_left },
    { "lines_on_their_way_to_a_cart_that_was_bought_stay_with_the_customer",
        lines_on_their_way_to_a_cart_that_was_bought_stay_with_the_customer },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = { { .pName = "sign-ins", .pTests = tests }, CU_SUITE_INFO_NULL };

    return test_main("cart_service_attach", suites, argc, argv);
}
