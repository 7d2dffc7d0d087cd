/* Checkouts, cancellations and returns, cut off at every store operation of the cart or of the
 * catalogue: one order, and exactly what it takes. */
#include "tests/service/cart/cuts.h"

#include "services/cart/domain/credit.h"
#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "tests/support/test_main.h"

/* More tents, and uses, than are sold here; how long to wait for the job. */
enum { MANY = 1000, JOB_WAIT_MS = 30000, POLL_MS = 20 };

/* The promotion of prepare_shop. */
static const char *limited;

static void check_bought(
    Fixture *fixture, const char *name, const Order *order, SignedQuote *signed_quote)
{
    const Event *placed, *second;
    StoreView view = fixture_view(fixture);
    Order *stored = message_new(fixture_arena(fixture), orders.message);
    Cart *cart = shop_stored_cart(fixture, name);

    CU_ASSERT_PTR_NULL_FATAL(store_get(&view, &orders, cart->order, stored));
    CU_ASSERT(message_equal(order, stored));
    CU_ASSERT(checkout_is_same(stored->signed_quote, signed_quote));
    CHECK_INT(cart->state, THROUGHLINE__CART__V1__CART__STATE__ORDERED);
    CU_ASSERT_PTR_NULL(cart->pending);
    placed = fixture_event(fixture, cart->order, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(placed);
    CU_ASSERT_PTR_NOT_NULL(event_payload(
        fixture_arena(fixture), placed, &throughline__cart__v1__order_placed__descriptor));
    second = fixture_event(fixture, name, 5);
    CU_ASSERT_PTR_NOT_NULL_FATAL(second);
    CU_ASSERT_PTR_NOT_NULL(event_payload(
        fixture_arena(fixture), second, &throughline__cart__v1__cart_ordered__descriptor));
}

/* A customer of this cut's own with a tent, that is counted, and a code, that is limited. */
static const char *prepare_to_buy(Fixture *fixture, const Cut *cut, SignedQuote **signed_quote)
{
    const char *cart;

    fixture_act_as(fixture, "web", cut_somebody(fixture, "customers", cut));
    cart = shop_cart(fixture)->name;
    shop_add(fixture, cart, "tent", 1);
    shop_add_code(fixture, cart, "LIMITED");
    *signed_quote = shop_quote(fixture, cart);
    return cart;
}

/* What is sold and used is what was ordered, and nothing is left reserved. */
static void check_taken(Fixture *fixture, size_t n_orders)
{
    ShopStock stock = shop_stock_of(fixture, "tent");
    ShopUsage usage = shop_usage(fixture, limited);

    CHECK_INT(stock.on_hand, MANY - (int64_t)n_orders);
    CHECK_INT(stock.reserved, 0);
    CHECK_INT(usage.used, (int64_t)n_orders);
    CHECK_INT(usage.reserved, 0);
}

static bool buy_with_a_cut(Fixture *fixture, const Cut *cut)
{
    size_t before = shop_count(fixture, &orders);
    Order order = THROUGHLINE__CART__V1__ORDER__INIT;
    SignedQuote *signed_quote;
    const char *cart = prepare_to_buy(fixture, cut, &signed_quote);
    const Error *error;
    bool was_cut;
    int try = 0;

    cut_arm(cut);
    do {
        throughline__cart__v1__order__init(&order);
        error = shop_try_checkout(
            fixture, cart, signed_quote, cut_request_id(fixture, cut, try), &order);
    } while (cut_is_off(error) && ++try < CUT_MAX_RETRIES);
    was_cut = failing_store_disarm();

    CHECK_TEXT(error_reason(error), "OK");
    CHECK_INT(shop_count(fixture, &orders), before + 1);
    check_bought(fixture, cart, &order, signed_quote);
    check_taken(fixture, before + 1);
    return was_cut;
}

static void prepare_shop(Fixture *fixture)
{
    limited = shop_limited_promotion(fixture, "LIMITED", MANY, 0);
    shop_stock(fixture, "tent", "berlin", MANY);
}

static void a_checkout_that_is_cut_anywhere_makes_one_order(void)
{
    cut_everywhere("cart", prepare_shop, buy_with_a_cut);
}

/* The catalogue forgets, between what it did and what it says, whatever it was asked. */
static void a_checkout_whose_catalogue_is_cut_anywhere_makes_one_order(void)
{
    cut_everywhere("catalog", prepare_shop, buy_with_a_cut);
}

/* Long ago for the job, which has to finish it then. */
static void wait_for_job(Fixture *fixture, const char *name)
{
    int64_t until = clock_monotonic() + JOB_WAIT_MS * INT64_C(1000);
    StoreView view = fixture_view(fixture);
    Cart *cart = shop_stored_cart(fixture, name);

    /* On a slow machine it may have been there already. */
    if (cart->pending) {
        cart->pending->key = arena_printf(fixture_arena(fixture), "%019d %s", 1, name);
        (void)store_replace(&view, &carts, cart, NULL);
    }
    while (shop_stored_cart(fixture, name)->pending && clock_monotonic() < until)
        clock_sleep_ms(POLL_MS);
    CHECK_INT(shop_stored_cart(fixture, name)->state, THROUGHLINE__CART__V1__CART__STATE__ORDERED);
}

/* What has begun is finished, by the job or by the customer who comes back without having heard
 * anything; what has not is as it was, and what is still reserved is so for this cart: buying it
 * takes it. */
static bool leave_at_a_cut(Fixture *fixture, const Cut *cut)
{
    size_t before = shop_count(fixture, &orders);
    SignedQuote *signed_quote;
    const char *name = prepare_to_buy(fixture, cut, &signed_quote);
    Order order = THROUGHLINE__CART__V1__ORDER__INIT;
    Cart *cart;
    bool was_cut;

    cut_arm(cut);
    (void)shop_try_checkout(fixture, name, signed_quote, cut_request_id(fixture, cut, 0), &order);
    was_cut = failing_store_disarm();
    cart = shop_stored_cart(fixture, name);
    if (cart->state == THROUGHLINE__CART__V1__CART__STATE__OPEN)
        CHECK_INT(shop_count(fixture, &orders), before);
    if (cart->pending && cut->retry == SAME_REQUEST)
        wait_for_job(fixture, name);
    shop_checkout(fixture, name, signed_quote);

    CHECK_INT(shop_stored_cart(fixture, name)->state, THROUGHLINE__CART__V1__CART__STATE__ORDERED);
    CHECK_INT(shop_count(fixture, &orders), before + 1);
    check_taken(fixture, before + 1);
    return was_cut;
}

static void a_checkout_that_is_left_anywhere_is_finished_or_has_not_been(void)
{
    cut_everywhere("cart", prepare_shop, leave_at_a_cut);
}

/* An order of a customer's own, and what the shop has after it. */
static Order *prepare_order(Fixture *fixture, const Cut *cut)
{
    SignedQuote *signed_quote;
    const char *cart = prepare_to_buy(fixture, cut, &signed_quote);

    return shop_checkout(fixture, cart, signed_quote);
}

/* Cancelled or returned, all is as it was before the order. */
static void check_credited(
    Fixture *fixture, const Order *order, Throughline__Cart__V1__Order__State state)
{
    StoreView view = fixture_view(fixture);
    Order *stored = message_new(fixture_arena(fixture), orders.message);

    CU_ASSERT_PTR_NULL_FATAL(store_get(&view, &orders, order->name, stored));
    CU_ASSERT(message_equal(order, stored));
    CHECK_INT(stored->state, state);
    CU_ASSERT_PTR_NULL(stored->pending);
    CHECK_INT(stored->n_credit_notes, 1);
    check_taken(fixture, 0);
    CU_ASSERT_PTR_NOT_NULL(fixture_event(fixture, order->name, 2));
}

static bool cancel_with_a_cut(Fixture *fixture, const Cut *cut)
{
    Throughline__Cart__V1__CancelOrderRequest request =
        THROUGHLINE__CART__V1__CANCEL_ORDER_REQUEST__INIT;
    Order reply = THROUGHLINE__CART__V1__ORDER__INIT;
    const Error *error;
    bool was_cut;
    int try = 0;

    request.order = prepare_order(fixture, cut)->name;
    request.reason = arena_text(fixture_arena(fixture), "Changed their mind");
    cut_arm(cut);
    do {
        throughline__cart__v1__order__init(&reply);
        request.request_id = arena_text(fixture_arena(fixture), cut_request_id(fixture, cut, try));
        error = fixture_call(fixture, "OrderService/CancelOrder", &request, &reply);
    } while (cut_is_off(error) && ++try < CUT_MAX_RETRIES);
    was_cut = failing_store_disarm();

    CHECK_TEXT(error_reason(error), "OK");
    check_credited(fixture, &reply, THROUGHLINE__CART__V1__ORDER__STATE__CANCELLED);
    return was_cut;
}

static void a_cancellation_that_is_cut_anywhere_gives_back_once(void)
{
    cut_everywhere("cart", prepare_shop, cancel_with_a_cut);
    cut_everywhere("catalog", prepare_shop, cancel_with_a_cut);
}

/* Only the same request can be known again: another one returns another piece, and there is none. */
static bool return_with_a_cut(Fixture *fixture, const Cut *cut)
{
    ReturnLinesRequest request = THROUGHLINE__CART__V1__RETURN_LINES_REQUEST__INIT;
    ReturnedLine line = THROUGHLINE__CART__V1__RETURNED_LINE__INIT, *lines[] = { &line };
    Order reply = THROUGHLINE__CART__V1__ORDER__INIT;
    StoreView view = fixture_view(fixture);
    const Error *error;
    bool was_cut;
    int try = 0;

    line.sku = arena_text(fixture_arena(fixture), "tent");
    line.quantity = 1;
    request.lines = lines;
    request.n_lines = COUNT(lines);
    request.order = prepare_order(fixture, cut)->name;
    request.reason = arena_text(fixture_arena(fixture), "Too small");
    cut_arm(cut);
    do {
        throughline__cart__v1__order__init(&reply);
        request.request_id = arena_text(fixture_arena(fixture), cut_request_id(fixture, cut, try));
        error = fixture_call(fixture, "OrderService/ReturnLines", &request, &reply);
    } while (cut_is_off(error) && ++try < CUT_MAX_RETRIES);
    was_cut = failing_store_disarm();

    if (cut->retry == SAME_REQUEST)
        CHECK_TEXT(error_reason(error), "OK");
    else
        CU_ASSERT(!error || text_equal(error->reason, "RETURN_TOO_LARGE"));
    if (error) {
        message_init(orders.message, &reply);
        CU_ASSERT_PTR_NULL(store_get(&view, &orders, request.order, &reply));
    }
    check_credited(fixture, &reply, THROUGHLINE__CART__V1__ORDER__STATE__RETURNED);
    return was_cut;
}

static void a_return_that_is_cut_anywhere_gives_back_once(void)
{
    cut_everywhere("cart", prepare_shop, return_with_a_cut);
    cut_everywhere("catalog", prepare_shop, return_with_a_cut);
}

/* Nobody comes back: the job does. */
static void the_job_finishes_a_credit_that_was_left(void)
{
    Throughline__Cart__V1__CancelOrderRequest request =
        THROUGHLINE__CART__V1__CANCEL_ORDER_REQUEST__INIT;
    Fixture *fixture = shop_open();
    StoreView view = fixture_view(fixture);
    Order reply = THROUGHLINE__CART__V1__ORDER__INIT, *stored;
    Cut cut = { "catalog", 1, FAULT_BEFORE, SAME_REQUEST };
    int64_t until = clock_monotonic() + JOB_WAIT_MS * INT64_C(1000);

    prepare_shop(fixture);
    request.order = prepare_order(fixture, &cut)->name;
    request.reason = arena_text(fixture_arena(fixture), "Changed their mind");
    cut_arm(&cut);
    CU_ASSERT(cut_is_off(fixture_call(fixture, "OrderService/CancelOrder", &request, &reply)));
    CU_ASSERT(failing_store_disarm());
    stored = message_new(fixture_arena(fixture), orders.message);
    CU_ASSERT_PTR_NULL(store_get(&view, &orders, request.order, stored));
    /* Long ago for the job, which on a slow machine may have been there already. */
    if (stored->pending) {
        stored->pending->key = arena_printf(fixture_arena(fixture), "%019d %s", 1, stored->name);
        (void)store_replace(&view, &orders, stored, NULL);
    }
    while (stored->pending && clock_monotonic() < until) {
        clock_sleep_ms(POLL_MS);
        message_init(orders.message, stored);
        CU_ASSERT_PTR_NULL(store_get(&view, &orders, request.order, stored));
    }
    check_credited(fixture, stored, THROUGHLINE__CART__V1__ORDER__STATE__CANCELLED);
    fixture_act_as(fixture, "web", "customers/ann");
    shop_close(fixture);
}

static CU_TestInfo tests[] = {
    { "a_checkout_that_is_cut_anywhere_makes_one_order",
        a_checkout_that_is_cut_anywhere_makes_one_order },
    { "a_checkout_whose_catalogue_is_cut_anywhere_makes_one_order",
        a_checkout_whose_catalogue_is_cut_anywhere_makes_one_order },
    { "a_checkout_that_is_left_anywhere_is_finished_or_has_not_been",
        a_checkout_that_is_left_anywhere_is_finished_or_has_not_been },
    { "a_cancellation_that_is_cut_anywhere_gives_back_once",
        a_cancellation_that_is_cut_anywhere_gives_back_once },
    { "a_return_that_is_cut_anywhere_gives_back_once",
        a_return_that_is_cut_anywhere_gives_back_once },
    { "the_job_finishes_a_credit_that_was_left", the_job_finishes_a_credit_that_was_left },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = { { .pName = "cut off", .pTests = tests }, CU_SUITE_INFO_NULL };

    return test_main("cart_service_order_crash", suites, argc, argv);
}
