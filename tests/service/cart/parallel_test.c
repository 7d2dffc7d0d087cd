/* Many at once: nothing is lost, nothing happens twice. */
#include "tests/service/cart/shop.h"

#include "shared/codec/message.h"
#include "tests/support/parallel.h"
#include "tests/support/test_main.h"

#include <stdatomic.h>

typedef Throughline__Cart__V1__AddLineRequest AddLineRequest;
typedef Throughline__Cart__V1__CreateCartRequest CreateCartRequest;
typedef Throughline__Cart__V1__AttachCustomerRequest AttachCustomerRequest;
typedef Throughline__Cart__V1__ClaimHandoffRequest ClaimHandoffRequest;
typedef Throughline__Cart__V1__CheckoutRequest CheckoutRequest;

enum { CALLERS = 64, VISITORS = 8 };

static const Error *add_as(
    Worker *worker, const char *actor, const char *cart, const char *sku, const char *request_id)
{
    AddLineRequest request = THROUGHLINE__CART__V1__ADD_LINE_REQUEST__INIT;
    Cart reply = THROUGHLINE__CART__V1__CART__INIT;

    request.cart = arena_text(worker->arena, cart);
    request.item_case = THROUGHLINE__CART__V1__ADD_LINE_REQUEST__ITEM_SKU;
    request.sku = arena_text(worker->arena, sku);
    request.quantity = 1;
    request.request_id = arena_text(worker->arena, request_id);
    return worker_call(worker, actor, "CartService/AddLine", &request, &reply);
}

static void add_one_of_seven(Worker *worker)
{
    const char *sku = arena_printf(worker->arena, "v-%d", worker->index % 7);

    worker_expect(worker, add_as(worker, "customers/ann", worker->context, sku, ""));
}

static void parallel_adds_lose_nothing(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_cart(fixture), *after;
    int32_t pieces = 0;

    parallel_run(fixture, CALLERS, add_one_of_seven, cart->name);

    after = shop_stored_cart(fixture, cart->name);
    CHECK_INT(after->n_lines, 7);
    for (size_t i = 0; i < after->n_lines; i++)
        pieces += after->lines[i]->quantity;
    CHECK_INT(pieces, CALLERS);
    CHECK_INT(shop_minor(after->subtotal), CALLERS * 100);
    shop_close(fixture);
}

static void add_once(Worker *worker)
{
    worker_expect(worker, add_as(worker, "customers/ann", worker->context, "tent", "the-one"));
}

static void one_request_from_many_counts_once(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_cart(fixture);

    parallel_run(fixture, CALLERS, add_once, cart->name);

    CHECK_INT(shop_quantity(shop_stored_cart(fixture, cart->name), "tent"), 1);
    shop_close(fixture);
}

static void open_cart(Worker *worker)
{
    CreateCartRequest request = THROUGHLINE__CART__V1__CREATE_CART_REQUEST__INIT;
    Cart reply = THROUGHLINE__CART__V1__CART__INIT;

    request.currency = arena_text(worker->arena, "EUR");
    worker_expect(
        worker, worker_call(worker, "customers/ann", "CartService/CreateCart", &request, &reply));
    worker_expect(worker, add_as(worker, "customers/ann", reply.name, "tent", ""));
}

static void a_customer_who_opens_many_carts_at_once_has_one(void)
{
    Fixture *fixture = shop_open();

    parallel_run(fixture, CALLERS, open_cart, NULL);

    CHECK_INT(shop_count(fixture, &carts), 1);
    CHECK_INT(shop_quantity(shop_cart(fixture), "tent"), CALLERS);
    shop_close(fixture);
}

typedef struct Visits {
    const char *carts[VISITORS];
    const char *visitors[VISITORS];
} Visits;

static Visits some_visits(Fixture *fixture)
{
    Visits visits;

    for (int i = 0; i < VISITORS; i++) {
        visits.visitors[i] = arena_printf(fixture_arena(fixture), "anonymous/v%d", i);
        fixture_act_as(fixture, "web", visits.visitors[i]);
        visits.carts[i] = shop_cart(fixture)->name;
        shop_add(fixture, visits.carts[i], "tent", 1);
        shop_add(fixture, visits.carts[i], arena_printf(fixture_arena(fixture), "v-%d", i), i + 1);
    }
    return visits;
}

static void sign_in(Worker *worker, const char *cart)
{
    AttachCustomerRequest request = THROUGHLINE__CART__V1__ATTACH_CUSTOMER_REQUEST__INIT;
    MergeReport report = THROUGHLINE__CART__V1__ATTACH_CUSTOMER_RESPONSE__INIT;

    request.cart = arena_text(worker->arena, cart);
    request.customer = arena_text(worker->arena, "customers/ann");
    worker_expect(worker,
        worker_call(worker, "customers/ann", "CartService/AttachCustomer", &request, &report));
    worker_expect_true(worker, report.cart && text_equal(report.cart->customer, "customers/ann"),
        "the cart to go on with is not the customer's");
}

/* Every visit is signed in by several callers at once. */
static void sign_visit_in(Worker *worker)
{
    const Visits *visits = worker->context;

    sign_in(worker, visits->carts[worker->index % VISITORS]);
}

static void parallel_sign_ins_lose_and_double_no_line(void)
{
    Fixture *fixture = shop_open();
    Visits visits = some_visits(fixture);
    Cart *cart;

    parallel_run(fixture, VISITORS * 4, sign_visit_in, &visits);

    fixture_act_as(fixture, "web", "customers/ann");
    cart = shop_cart(fixture);
    CHECK_INT(shop_quantity(cart, "tent"), VISITORS);
    for (int i = 0; i < VISITORS; i++)
        CHECK_INT(shop_quantity(cart, arena_printf(fixture_arena(fixture), "v-%d", i)), i + 1);
    shop_close(fixture);
}

typedef struct Adds {
    const char *cart;
    atomic_int n_added;
} Adds;

static void add_while_signing_in(Worker *worker)
{
    Adds *adds = worker->context;

    if (worker->index == CALLERS / 2)
        sign_in(worker, adds->cart);
    else if (!add_as(worker, "anonymous/visitor", adds->cart, "rope", ""))
        atomic_fetch_add(&adds->n_added, 1);
}

static void an_add_that_was_acknowledged_is_in_the_customers_cart(void)
{
    Fixture *fixture = shop_open();
    Adds adds = { .n_added = 0 };

    fixture_act_as(fixture, "web", "anonymous/visitor");
    adds.cart = shop_cart(fixture)->name;
    fixture_act_as(fixture, "web", "customers/ann");
    shop_add(fixture, shop_cart(fixture)->name, "tent", 1);

    parallel_run(fixture, CALLERS, add_while_signing_in, &adds);

    CHECK_INT(shop_quantity(shop_cart(fixture), "rope"), atomic_load(&adds.n_added));
    shop_close(fixture);
}

typedef struct Claims {
    const char *code;
    atomic_int n_claimed;
    bool is_one_actor;
} Claims;

static void claim(Worker *worker)
{
    Claims *claims = worker->context;
    ClaimHandoffRequest request = THROUGHLINE__CART__V1__CLAIM_HANDOFF_REQUEST__INIT;
    Cart reply = THROUGHLINE__CART__V1__CART__INIT;
    const char *actor = claims->is_one_actor
                            ? "anonymous/till"
                            : arena_printf(worker->arena, "anonymous/till-%d", worker->index);
    const Error *error;

    request.code = arena_text(worker->arena, claims->code);
    error = worker_call(worker, actor, "CartService/ClaimHandoff", &request, &reply);
    if (!error)
        atomic_fetch_add(&claims->n_claimed, 1);
    else if (error->code != ERROR_NOT_FOUND && error->code != ERROR_RESOURCE_EXHAUSTED)
        worker_expect(worker, error);
}

static void of_many_claims_at_once_one_succeeds(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_cart(fixture);

    for (int round = 0; round < 2; round++) {
        Claims claims = { .is_one_actor = round };

        fixture_act_as(fixture, "web", "customers/ann");
        claims.code = shop_handoff(fixture, cart->name);
        /* An account of its own: those who come too late use up what is allowed in a minute. */
        fixture_act_as(fixture, round ? "store" : "kiosk", "anonymous/till");
        parallel_run(fixture, CALLERS, claim, &claims);
        CHECK_INT(atomic_load(&claims.n_claimed), 1);
    }
    CHECK_INT(shop_stored_cart(fixture, cart->name)->n_holders, 2);
    shop_close(fixture);
}

typedef struct Purchase {
    const char *cart;
    SignedQuote *quotes[2];
    bool is_one_request;
    atomic_int n_orders, n_other;
} Purchase;

static void buy(Worker *worker)
{
    Purchase *purchase = worker->context;
    CheckoutRequest request = THROUGHLINE__CART__V1__CHECKOUT_REQUEST__INIT;
    Order order = THROUGHLINE__CART__V1__ORDER__INIT;
    const Error *error;

    request.cart = arena_text(worker->arena, purchase->cart);
    request.signed_quote = purchase->quotes[worker->index % 2];
    request.request_id = purchase->is_one_request ? arena_text(worker->arena, "buy")
                                                  : worker_request_id(worker, "buy");
    error = worker_call(worker, "customers/ann", "CartService/Checkout", &request, &order);
    if (!error && checkout_is_same(order.signed_quote, request.signed_quote))
        atomic_fetch_add(&purchase->n_orders, 1);
    if (text_equal(error_reason(error), "CART_CLOSED"))
        atomic_fetch_add(&purchase->n_other, 1);
}

static void of_many_checkouts_at_once_one_order_comes(void)
{
    Fixture *fixture = shop_open();

    for (int round = 0; round < 2; round++) {
        Cart *cart = shop_cart(fixture);
        Purchase purchase = { .cart = cart->name, .is_one_request = round };

        shop_add(fixture, cart->name, "tent", 1);
        purchase.quotes[0] = purchase.quotes[1] = shop_quote(fixture, cart->name);
        parallel_run(fixture, CALLERS, buy, &purchase);
        CHECK_INT(atomic_load(&purchase.n_orders), CALLERS);
        CHECK_INT(shop_count(fixture, &orders), round + 1);
    }
    shop_close(fixture);
}

static void two_quotes_race_and_one_wins(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_cart(fixture);
    Purchase purchase = { .cart = cart->name };

    shop_add(fixture, cart->name, "tent", 1);
    purchase.quotes[0] = shop_quote(fixture, cart->name);
    purchase.quotes[1] = shop_quote(fixture, cart->name);

    parallel_run(fixture, CALLERS, buy, &purchase);

    CHECK_INT(atomic_load(&purchase.n_orders), CALLERS / 2);
    CHECK_INT(atomic_load(&purchase.n_other), CALLERS / 2);
    CHECK_INT(shop_count(fixture, &orders), 1);
    shop_close(fixture);
}

static CU_TestInfo tests[] = {
    { "parallel_adds_lose_nothing", parallel_adds_lose_nothing },
    { "one_request_from_many_counts_once", one_request_from_many_counts_once },
    { "a_customer_who_opens_many_carts_at_once_has_one",
        a_customer_who_opens_many_carts_at_once_has_one },
    { "parallel_sign_ins_lose_and_double_no_line", parallel_sign_ins_lose_and_double_no_line },
    { "an_add_that_was_acknowledged_is_in_the_customers_cart",
        an_add_that_was_acknowledged_is_in_the_customers_cart },
    { "of_many_claims_at_once_one_succeeds", of_many_claims_at_once_one_succeeds },
    { "of_many_checkouts_at_once_one_order_comes", of_many_checkouts_at_once_one_order_comes },
    { "two_quotes_race_and_one_wins", two_quotes_race_and_one_wins },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = { { .pName = "many at once", .pTests = tests }, CU_SUITE_INFO_NULL };

    return test_main("cart_service_parallel", suites, argc, argv);
}
