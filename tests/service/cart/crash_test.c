/* Operations of many writes, cut off at every store operation, before and after it, and tried
 * again: nothing is lost, nothing happens twice. */
#include "tests/service/cart/shop.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "tests/service/cart/failing_store.h"
#include "tests/support/test_main.h"

#include <string.h>

enum { MAX_OPERATIONS = 60, MAX_RETRIES = 5 };

/* More tents, and uses, than are sold here; how long to wait for the job. */
enum { MANY = 1000, JOB_WAIT_MS = 30000, POLL_MS = 20 };

/* How the client tries again. */
typedef enum Retry { SAME_REQUEST, NEW_REQUEST, N_RETRIES } Retry;

/* One case: the n-th operation fails in this way, then the client tries again in that way. */
typedef struct Cut {
    const char *service; /* whose operation */
    int n;
    Fault fault;
    Retry retry;
} Cut;

/* The promotion of prepare_shop. */
static const char *limited;

static const char *request_id(Fixture *fixture, const Cut *cut, int try)
{
    return arena_printf(fixture_arena(fixture), "r-%d-%d-%d-%d", cut->n, (int)cut->fault,
        (int)cut->retry, cut->retry == NEW_REQUEST ? try : 0);
}

/* Runs `play` with every cut, until one meets no fault any more. It plays one story, checks how it
 * ended, and says whether it was cut. */
static void cut_everywhere(
    const char *service, void (*prepare)(Fixture *), bool (*play)(Fixture *, const Cut *))
{
    Fixture *fixture = shop_open();

    if (prepare)
        prepare(fixture);

    for (Retry retry = SAME_REQUEST; retry < N_RETRIES; retry++) {
        for (Fault fault = FAULT_BEFORE; fault <= FAULT_AFTER; fault++) {
            bool was_cut = true;
            int n = 0;

            while (was_cut && ++n < MAX_OPERATIONS) {
                Cut cut = { service, n, fault, retry };

                was_cut = play(fixture, &cut);
            }
            CU_ASSERT(n > 2 && n < MAX_OPERATIONS);
        }
    }
    fixture_act_as(fixture, "web", "customers/ann");
    CU_ASSERT(fixture_settle(fixture));
    shop_close(fixture);
}

/* A customer and a visitor of this cut's own. */
static const char *somebody(Fixture *fixture, const char *kind, const Cut *cut)
{
    return arena_printf(
        fixture_arena(fixture), "%s/%d-%d-%d", kind, cut->n, (int)cut->fault, (int)cut->retry);
}

static bool is_cut_off(const Error *error)
{
    return text_equal(error_reason(error), "CUT_OFF");
}

static void check_merged(Fixture *fixture, const char *customer, const char *source)
{
    Cart *cart, *merged = shop_stored_cart(fixture, source);

    fixture_act_as(fixture, "web", customer);
    cart = shop_cart(fixture);
    CHECK_INT(shop_quantity(cart, "tent"), 3);
    CHECK_INT(shop_quantity(cart, "rope"), 4);
    CHECK_INT(cart->n_lines, 2);
    CHECK_INT(merged->state, THROUGHLINE__CART__V1__CART__STATE__MERGED);
    CHECK_TEXT(merged->merged_into, cart->name);
}

static bool merge_with_a_cut(Fixture *fixture, const Cut *cut)
{
    const char *customer = somebody(fixture, "customers", cut), *guest;
    const Error *error;
    bool was_cut;
    int try = 0;

    fixture_act_as(fixture, "web", customer);
    shop_add(fixture, shop_cart(fixture)->name, "tent", 1);
    fixture_act_as(fixture, "web", somebody(fixture, "anonymous", cut));
    guest = shop_cart(fixture)->name;
    shop_add(fixture, guest, "tent", 2);
    shop_add(fixture, guest, "rope", 4);
    fixture_act_as(fixture, "app", customer);

    failing_store_arm(cut->service, cut->n, cut->fault);
    do {
        MergeReport report = THROUGHLINE__CART__V1__ATTACH_CUSTOMER_RESPONSE__INIT;

        error = shop_try_attach(fixture, guest, customer, request_id(fixture, cut, try), &report);
    } while (is_cut_off(error) && ++try < MAX_RETRIES);
    was_cut = failing_store_disarm();

    CHECK_TEXT(error_reason(error), "OK");
    check_merged(fixture, customer, guest);
    return was_cut;
}

static void a_merge_that_is_cut_anywhere_loses_and_doubles_no_line(void)
{
    cut_everywhere("cart", NULL, merge_with_a_cut);
}

static bool attach_with_a_cut(Fixture *fixture, const Cut *cut)
{
    const char *customer = somebody(fixture, "customers", cut), *guest;
    const Error *error;
    bool was_cut;
    int try = 0;

    fixture_act_as(fixture, "web", somebody(fixture, "anonymous", cut));
    guest = shop_cart(fixture)->name;
    shop_add(fixture, guest, "rope", 4);
    fixture_act_as(fixture, "app", customer);

    failing_store_arm(cut->service, cut->n, cut->fault);
    do {
        MergeReport report = THROUGHLINE__CART__V1__ATTACH_CUSTOMER_RESPONSE__INIT;

        error = shop_try_attach(fixture, guest, customer, request_id(fixture, cut, try), &report);
    } while (is_cut_off(error) && ++try < MAX_RETRIES);
    was_cut = failing_store_disarm();

    CHECK_TEXT(error_reason(error), "OK");
    CHECK_TEXT(shop_cart(fixture)->name, guest);
    CHECK_INT(shop_quantity(shop_cart(fixture), "rope"), 4);
    return was_cut;
}

static void a_first_sign_in_that_is_cut_anywhere_keeps_the_cart(void)
{
    cut_everywhere("cart", NULL, attach_with_a_cut);
}

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

    fixture_act_as(fixture, "web", somebody(fixture, "customers", cut));
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

    failing_store_arm(cut->service, cut->n, cut->fault);
    do {
        throughline__cart__v1__order__init(&order);
        error =
            shop_try_checkout(fixture, cart, signed_quote, request_id(fixture, cut, try), &order);
    } while (is_cut_off(error) && ++try < MAX_RETRIES);
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

/* The customer does not come back: the job finishes what has begun; what has not is as it was. */
static bool leave_at_a_cut(Fixture *fixture, const Cut *cut)
{
    int64_t until = clock_monotonic() + JOB_WAIT_MS * INT64_C(1000);
    size_t before = shop_count(fixture, &orders);
    SignedQuote *signed_quote;
    const char *name = prepare_to_buy(fixture, cut, &signed_quote);
    Order order = THROUGHLINE__CART__V1__ORDER__INIT;
    Cart *cart;
    bool was_cut;

    failing_store_arm("cart", cut->n, cut->fault);
    (void)shop_try_checkout(fixture, name, signed_quote, request_id(fixture, cut, 0), &order);
    was_cut = failing_store_disarm();
    cart = shop_stored_cart(fixture, name);
    if (cart->pending) {
        StoreView view = fixture_view(fixture);

        /* Long ago for the job. */
        cart->pending->key = arena_printf(fixture_arena(fixture), "%019d %s", 1, name);
        CU_ASSERT_PTR_NULL(store_replace(&view, &carts, cart, NULL));
    }
    while (shop_stored_cart(fixture, name)->pending && clock_monotonic() < until)
        clock_sleep_ms(POLL_MS);

    cart = shop_stored_cart(fixture, name);
    if (cart->state == THROUGHLINE__CART__V1__CART__STATE__OPEN) {
        CHECK_INT(shop_count(fixture, &orders), before);
        /* What is still reserved is so for this cart only: buying it now takes it. */
        shop_checkout(fixture, name, signed_quote);
    }
    CHECK_INT(shop_stored_cart(fixture, name)->state, THROUGHLINE__CART__V1__CART__STATE__ORDERED);
    CHECK_INT(shop_count(fixture, &orders), before + 1);
    check_taken(fixture, before + 1);
    return was_cut;
}

static void a_checkout_that_is_left_anywhere_is_finished_or_has_not_been(void)
{
    cut_everywhere("cart", prepare_shop, leave_at_a_cut);
}

/* Only the same request can go on: to another one the code is used. */
static bool claim_with_a_cut(Fixture *fixture, const Cut *cut)
{
    const char *till = somebody(fixture, "anonymous", cut), *channel, *code, *cart;
    Cart reply = THROUGHLINE__CART__V1__CART__INIT;
    const Error *error;
    bool holds;
    bool was_cut;
    int try = 0;

    fixture_act_as(fixture, "web", somebody(fixture, "customers", cut));
    cart = shop_cart(fixture)->name;
    code = shop_handoff(fixture, cart);
    /* Each in a channel of its own: this is not about limits. */
    channel = arena_printf(fixture_arena(fixture), "store-%s", till + strlen("anonymous/"));
    fixture_act_as(fixture, channel, till);

    failing_store_arm(cut->service, cut->n, cut->fault);
    do
        error = shop_try_claim(fixture, code, request_id(fixture, cut, try), &reply);
    while (is_cut_off(error) && ++try < MAX_RETRIES);
    was_cut = failing_store_disarm();

    holds = shop_stored_cart(fixture, cart)->n_holders == 1;
    if (cut->retry == SAME_REQUEST)
        CHECK_TEXT(error_reason(error), "OK");
    else
        CU_ASSERT(!error || text_equal(error->reason, "HANDOFF_NOT_FOUND"));
    CU_ASSERT(error || holds);
    CHECK_TEXT(error_reason(shop_try_claim(fixture, code, "", &reply)), "HANDOFF_NOT_FOUND");
    return was_cut;
}

static void a_claim_that_is_cut_anywhere_uses_its_code_once(void)
{
    cut_everywhere("cart", NULL, claim_with_a_cut);
}

static bool add_with_a_cut(Fixture *fixture, const Cut *cut)
{
    Throughline__Cart__V1__AddLineRequest request = THROUGHLINE__CART__V1__ADD_LINE_REQUEST__INIT;
    Cart reply = THROUGHLINE__CART__V1__CART__INIT;
    const Error *error;
    bool was_cut;
    int try = 0;

    fixture_act_as(fixture, "web", somebody(fixture, "customers", cut));
    request.cart = shop_cart(fixture)->name;
    request.item_case = THROUGHLINE__CART__V1__ADD_LINE_REQUEST__ITEM_SKU;
    request.sku = arena_text(fixture_arena(fixture), "tent");
    request.quantity = 1;
    request.request_id = arena_text(fixture_arena(fixture), request_id(fixture, cut, 0));

    failing_store_arm(cut->service, cut->n, cut->fault);
    do
        error = fixture_call(fixture, "CartService/AddLine", &request, &reply);
    while (is_cut_off(error) && ++try < MAX_RETRIES);
    was_cut = failing_store_disarm();

    CHECK_TEXT(error_reason(error), "OK");
    CHECK_INT(shop_quantity(shop_stored_cart(fixture, request.cart), "tent"), 1);
    CU_ASSERT(message_equal(&reply, shop_stored_cart(fixture, request.cart)));
    return was_cut;
}

static void an_add_that_is_cut_anywhere_counts_once(void)
{
    cut_everywhere("cart", NULL, add_with_a_cut);
}

static CU_TestInfo tests[] = {
    { "a_merge_that_is_cut_anywhere_loses_and_doubles_no_line",
        a_merge_that_is_cut_anywhere_loses_and_doubles_no_line },
    { "a_first_sign_in_that_is_cut_anywhere_keeps_the_cart",
        a_first_sign_in_that_is_cut_anywhere_keeps_the_cart },
    { "a_checkout_that_is_cut_anywhere_makes_one_order",
        a_checkout_that_is_cut_anywhere_makes_one_order },
    { "a_checkout_whose_catalogue_is_cut_anywhere_makes_one_order",
        a_checkout_whose_catalogue_is_cut_anywhere_makes_one_order },
    { "a_checkout_that_is_left_anywhere_is_finished_or_has_not_been",
        a_checkout_that_is_left_anywhere_is_finished_or_has_not_been },
    { "a_claim_that_is_cut_anywhere_uses_its_code_once",
        a_claim_that_is_cut_anywhere_uses_its_code_once },
    { "an_add_that_is_cut_anywhere_counts_once", an_add_that_is_cut_anywhere_counts_once },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = { { .pName = "cut off", .pTests = tests }, CU_SUITE_INFO_NULL };

    return test_main("cart_service_crash", suites, argc, argv);
}
