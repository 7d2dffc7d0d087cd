/* Changes of carts are answered by whoever makes them durable, and move to a worker where something is not in memory: whatever happens
 * meanwhile, each counts once, and every answer is of a cart as it was. */
#include "tests/service/cart/shop.h"

#include "shared/base/clock.h"
#include "tests/support/parallel.h"
#include "tests/support/test_main.h"

#include <stdatomic.h>
#include <stdlib.h>

typedef Throughline__Cart__V1__AddLineRequest AddLineRequest;
typedef Throughline__Cart__V1__GetCartRequest GetCartRequest;

enum {
    CALLERS = 64,
    ADDS = 10, /* of each caller */
    CARTS = 16,
    MAX_ETAG = CALLERS * ADDS + 2,
    MAX_HURRY_MICROS = 4000,
    FORGOTTEN_MS = 1100, /* by then the cart asks the catalogue again */
    PATIENCE_MS = 60000,
};

/* Carts of one visitor each, and what is known of what was added to them. */
typedef struct Carts {
    int count;
    const char *names[CARTS], *visitors[CARTS];
    atomic_bool is_etag_seen[CARTS][MAX_ETAG];
} Carts;

static void open_carts(Fixture *fixture, Carts *opened, int count)
{
    opened->count = count;
    for (int i = 0; i < count; i++) {
        opened->visitors[i] = arena_printf(fixture_arena(fixture), "anonymous/v%d", i);
        fixture_act_as(fixture, "web", opened->visitors[i]);
        opened->names[i] = shop_cart(fixture)->name;
    }
}

static AddLineRequest add_of(Worker *worker, const char *cart, int number)
{
    AddLineRequest request = THROUGHLINE__CART__V1__ADD_LINE_REQUEST__INIT;

    request.cart = arena_text(worker->arena, cart);
    request.item_case = THROUGHLINE__CART__V1__ADD_LINE_REQUEST__ITEM_SKU;
    request.sku = arena_printf(worker->arena, "v-%d", (worker->index + number) % 7);
    request.quantity = 1;
    request.request_id = worker_request_id(worker, arena_printf(worker->arena, "add-%d", number));
    return request;
}

/* Each change has an etag of its own, the next one; who repeats a request gets the first answer. */
static void note_etag(Worker *worker, Carts *all, int cart, const Cart *reply, bool is_new)
{
    int64_t etag = strtoll(reply->etag, NULL, 10);

    worker_expect_true(worker, etag > 1 && etag < MAX_ETAG, "an etag that cannot be");
    if (worker->failure)
        return;
    worker_expect_true(worker, atomic_exchange(&all->is_etag_seen[cart][etag], true) != is_new,
        is_new ? "an etag was there before" : "an etag of no answer before");
}

static void add_some(Worker *worker)
{
    Carts *all = worker->context;
    int cart = worker->index % all->count;

    for (int i = 0; i < ADDS && !worker->failure; i++) {
        AddLineRequest request = add_of(worker, all->names[cart], i);
        bool is_repeated = (worker->index + i) % 3 == 0;

        for (int times = 0; times <= is_repeated; times++) {
            Cart reply = THROUGHLINE__CART__V1__CART__INIT;
            const Error *error =
                worker_call(worker, all->visitors[cart], "CartService/AddLine", &request, &reply);

            worker_expect(worker, error);
            if (!error)
                note_etag(worker, all, cart, &reply, !times);
        }
    }
}

/* As many pieces and as many changes as there were adds, each of which has one event. */
static void check_carts(Fixture *fixture, const Carts *all, int callers)
{
    for (int i = 0; i < all->count; i++) {
        int adds = callers / all->count * ADDS;
        Cart *cart = shop_stored_cart(fixture, all->names[i]);
        int64_t pieces = 0;

        for (size_t j = 0; j < cart->n_lines; j++)
            pieces += cart->lines[j]->quantity;
        CHECK_INT(pieces, adds);
        CHECK_INT(strtoll(cart->etag, NULL, 10), adds + 1);
        CU_ASSERT_PTR_NOT_NULL(fixture_event(fixture, cart->name, adds + 1));
    }
}

static void add_to(int count)
{
    Fixture *fixture = shop_open();
    Carts *all = arena_alloc(fixture_arena(fixture), sizeof(*all));

    open_carts(fixture, all, count);
    parallel_run(fixture, CALLERS, add_some, all);
    check_carts(fixture, all, CALLERS);
    shop_close(fixture);
}

static void every_change_of_one_cart_counts_once(void)
{
    add_to(1);
}

static void every_change_of_many_carts_counts_once(void)
{
    add_to(CARTS);
}

/* Asks until it is answered: first in no time, then with time enough. */
static void add_in_a_hurry(Worker *worker)
{
    Carts *all = worker->context;
    int cart = worker->index % all->count;

    for (int i = 0; i < ADDS && !worker->failure; i++) {
        RpcOutgoing outgoing = fixture_outgoing(worker->fixture);
        AddLineRequest request = add_of(worker, all->names[cart], i);
        Cart reply = THROUGHLINE__CART__V1__CART__INIT;
        const Error *error;

        outgoing.arena = worker->arena;
        outgoing.context.actor = all->visitors[cart];
        outgoing.deadline = clock_monotonic() + (worker->index * 37 + i * 331) % MAX_HURRY_MICROS;
        error =
            fixture_call_with(worker->fixture, &outgoing, "CartService/AddLine", &request, &reply);
        if (error && error->code == ERROR_DEADLINE_EXCEEDED)
            error =
                worker_call(worker, all->visitors[cart], "CartService/AddLine", &request, &reply);
        worker_expect(worker, error);
    }
}

static void who_gives_up_and_asks_again_is_counted_once(void)
{
    Fixture *fixture = shop_open();
    Carts *all = arena_alloc(fixture_arena(fixture), sizeof(*all));

    open_carts(fixture, all, CARTS);
    parallel_run(fixture, CALLERS, add_in_a_hurry, all);
    check_carts(fixture, all, CALLERS);
    shop_close(fixture);
}

static const Error *add_again_and_again(Worker *worker, const Carts *all, int cart, int number)
{
    AddLineRequest request = add_of(worker, all->names[cart], number);
    int64_t until = clock_monotonic() + PATIENCE_MS * INT64_C(1000);
    const Error *error;

    do {
        Cart reply = THROUGHLINE__CART__V1__CART__INIT;

        error = worker_call(worker, all->visitors[cart], "CartService/AddLine", &request, &reply);
    } while (error && error->code == ERROR_UNAVAILABLE && clock_monotonic() < until);
    return error;
}

/* The last caller is the one who stops the service and starts it again. */
static void add_through_a_restart(Worker *worker)
{
    const Carts *all = worker->context;

    if (worker->index == CALLERS) {
        fixture_restart(worker->fixture);
        return;
    }
    for (int i = 0; i < ADDS && !worker->failure; i++)
        worker_expect(worker, add_again_and_again(worker, all, worker->index % all->count, i));
}

static void a_restart_under_load_loses_and_doubles_nothing(void)
{
    Fixture *fixture = shop_open();
    Carts *all = arena_alloc(fixture_arena(fixture), sizeof(*all));

    open_carts(fixture, all, CARTS);
    parallel_run(fixture, CALLERS + 1, add_through_a_restart, all);
    check_carts(fixture, all, CALLERS);
    shop_close(fixture);
}

static Cart *got(Fixture *fixture, const char *name)
{
    GetCartRequest request = THROUGHLINE__CART__V1__GET_CART_REQUEST__INIT;
    Cart *reply = shop_stored_cart(fixture, name);

    request.name = arena_text(fixture_arena(fixture), name);
    CHECK_TEXT(error_reason(fixture_call(fixture, "CartService/GetCart", &request, reply)), "OK");
    return reply;
}

/* What was in memory is not there any more, neither cart nor product nor answer. */
static void a_cart_goes_on_after_a_restart(void)
{
    Fixture *fixture = shop_open();
    AddLineRequest request = THROUGHLINE__CART__V1__ADD_LINE_REQUEST__INIT;
    Cart first = THROUGHLINE__CART__V1__CART__INIT, again = THROUGHLINE__CART__V1__CART__INIT;
    const char *name = shop_cart(fixture)->name;

    request.cart = arena_text(fixture_arena(fixture), name);
    request.item_case = THROUGHLINE__CART__V1__ADD_LINE_REQUEST__ITEM_SKU;
    request.sku = arena_text(fixture_arena(fixture), "tent");
    request.quantity = 1;
    request.request_id = arena_text(fixture_arena(fixture), "the-one");
    CHECK_TEXT(error_reason(fixture_call(fixture, "CartService/AddLine", &request, &first)), "OK");
    shop_restart(fixture);

    CHECK_INT(shop_quantity(got(fixture, name), "tent"), 1);
    CHECK_TEXT(error_reason(fixture_call(fixture, "CartService/AddLine", &request, &again)), "OK");
    CHECK_TEXT(again.etag, first.etag);
    CHECK_INT(shop_quantity(shop_add(fixture, name, "tent", 1), "tent"), 2);
    CHECK_INT(shop_quantity(shop_add(fixture, name, "tent", 1), "tent"), 3);
    CHECK_INT(shop_quantity(got(fixture, name), "tent"), 3);
    shop_close(fixture);
}

static void a_product_that_was_forgotten_is_asked_for_again(void)
{
    Fixture *fixture = shop_open();
    const char *name = shop_cart(fixture)->name;

    shop_add(fixture, name, "tent", 1);
    clock_sleep_ms(FORGOTTEN_MS);

    CHECK_INT(shop_quantity(shop_add(fixture, name, "tent", 1), "tent"), 2);
    CHECK_INT(shop_quantity(shop_add(fixture, name, "rope", 1), "rope"), 1);
    shop_close(fixture);
}

/* The first run of a handler that finds it out waits for nobody; the answer must be the same. */
static void what_is_refused_is_refused_wherever_it_runs(void)
{
    Fixture *fixture = shop_open();
    const char *name = shop_cart(fixture)->name;
    Cart reply = THROUGHLINE__CART__V1__CART__INIT;

    for (int i = 0; i < 2; i++) {
        CHECK_TEXT(
            error_reason(shop_try_add(fixture, name, "nothing", 1, &reply)), "VARIANT_NOT_FOUND");
        CHECK_TEXT(
            error_reason(shop_try_add(fixture, name, "retired", 1, &reply)), "PRODUCT_RETIRED");
        CHECK_TEXT(
            error_reason(shop_try_add(fixture, "carts/none", "tent", 1, &reply)), "CART_NOT_FOUND");
        CHECK_TEXT(error_reason(shop_try_add(fixture, name, "tent", 0, &reply)), "FIELD_INVALID");
        shop_add(fixture, name, "tent", 1);
    }
    shop_close(fixture);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "every_change_of_one_cart_counts_once", every_change_of_one_cart_counts_once },
        { "every_change_of_many_carts_counts_once", every_change_of_many_carts_counts_once },
        { "who_gives_up_and_asks_again_is_counted_once",
            who_gives_up_and_asks_again_is_counted_once },
        { "a_restart_under_load_loses_and_doubles_nothing",
            a_restart_under_load_loses_and_doubles_nothing },
        { "a_cart_goes_on_after_a_restart", a_cart_goes_on_after_a_restart },
        { "a_product_that_was_forgotten_is_asked_for_again",
            a_product_that_was_forgotten_is_asked_for_again },
        { "what_is_refused_is_refused_wherever_it_runs",
            what_is_refused_is_refused_wherever_it_runs },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "later", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("cart_service_later_test", suites, argc, argv);
}
