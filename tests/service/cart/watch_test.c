/* Watching a cart: every change once, in order, whatever is cut. */
#include "tests/service/cart/shop.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "tests/support/parallel.h"
#include "tests/support/test_main.h"

#include <pthread.h>
#include <stdlib.h>

typedef Throughline__Cart__V1__WatchCartRequest WatchCartRequest;
typedef Throughline__Cart__V1__WatchCartResponse WatchCartResponse;

static const Error *watch(
    Fixture *fixture, const char *cart, int64_t after, RpcClientStream **stream)
{
    WatchCartRequest request = THROUGHLINE__CART__V1__WATCH_CART_REQUEST__INIT;

    request.cart = arena_text(fixture_arena(fixture), cart);
    request.after = after;
    return fixture_open(fixture, "CartService/WatchCart", &request, stream);
}

static RpcClientStream *must_watch(Fixture *fixture, const char *cart, int64_t after)
{
    RpcClientStream *stream = NULL;

    CU_ASSERT_PTR_NULL_FATAL(watch(fixture, cart, after, &stream));
    return stream;
}

static const WatchCartResponse *next(Fixture *fixture, RpcClientStream *stream)
{
    WatchCartResponse *change = NULL;
    const Error *error = rpc_client_receive(stream, fixture_arena(fixture), (void **)&change);

    CU_ASSERT_PTR_NULL_FATAL(error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(change);
    return change;
}

static const char *refusal(Fixture *fixture, const char *cart, int64_t after)
{
    RpcClientStream *stream = NULL;
    const Error *error = watch(fixture, cart, after, &stream);
    const char *reason;
    void *message;

    if (error)
        return error_reason(error);
    reason = error_reason(rpc_client_receive(stream, fixture_arena(fixture), &message));
    rpc_client_close_stream(stream);
    return reason;
}

static void a_watcher_sees_what_was_and_what_comes(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_cart(fixture), *added;
    const WatchCartResponse *change;
    RpcClientStream *stream;

    added = shop_add(fixture, cart->name, "tent", 1);
    stream = must_watch(fixture, cart->name, 0);
    change = next(fixture, stream);
    CHECK_INT(change->sequence, 1);
    CHECK_TEXT(change->change, "CartOpened");
    change = next(fixture, stream);
    CHECK_INT(change->sequence, 2);
    CHECK_TEXT(change->change, "LineAdded");
    CU_ASSERT(message_equal(change->cart, added));
    CHECK_TEXT(change->actor, "customers/ann");
    CHECK_TEXT(change->channel, "web");
    fixture_act_as(fixture, "app", "customers/ann");
    added = shop_add(fixture, cart->name, "rope", 2);
    change = next(fixture, stream);
    CHECK_INT(change->sequence, 3);
    CHECK_TEXT(change->channel, "app");
    CU_ASSERT(message_equal(change->cart, added));
    rpc_client_close_stream(stream);
    shop_close(fixture);
}

static void a_watch_goes_on_after_what_was_seen(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_cart(fixture);
    RpcClientStream *stream;

    for (int i = 0; i < 5; i++)
        shop_add(fixture, cart->name, "tent", 1);
    stream = must_watch(fixture, cart->name, 4);
    CHECK_INT(next(fixture, stream)->sequence, 5);
    CHECK_INT(next(fixture, stream)->sequence, 6);
    rpc_client_close_stream(stream);
    shop_close(fixture);
}

static void a_watch_after_what_never_was_is_refused(void)
{
    Fixture *fixture = shop_open();
    const char *cart = shop_cart(fixture)->name;

    rpc_client_close_stream(must_watch(fixture, cart, 1));
    CHECK_TEXT(refusal(fixture, cart, 2), "FIELD_INVALID");
    CHECK_TEXT(refusal(fixture, cart, INT64_MAX), "FIELD_INVALID");
    CHECK_TEXT(refusal(fixture, cart, -1), "FIELD_INVALID");
    shop_close(fixture);
}

static void only_who_may_read_a_cart_watches_it(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_cart(fixture);

    CHECK_TEXT(refusal(fixture, "carts/none", 0), "CART_NOT_FOUND");
    CHECK_TEXT(refusal(fixture, "none", -1), "FIELD_INVALID");
    fixture_act_as(fixture, "web", "customers/bob");
    CHECK_TEXT(refusal(fixture, cart->name, 0), "CART_NOT_FOUND");
    fixture_act_as(fixture, "web", "customers/ann");
    shop_close(fixture);
}

static void who_loses_a_cart_sees_no_more_of_it(void)
{
    Fixture *fixture = shop_open();
    RpcClientStream *stream, *customers;
    RpcOutgoing outgoing;
    WatchCartRequest request = THROUGHLINE__CART__V1__WATCH_CART_REQUEST__INIT;
    WatchCartResponse *change = NULL;
    Cart *cart;

    fixture_act_as(fixture, "web", "anonymous/visitor");
    cart = shop_cart(fixture);
    request.cart = cart->name;
    outgoing = fixture_outgoing(fixture);
    outgoing.deadline = clock_monotonic() + 1500000;
    CU_ASSERT_PTR_NULL_FATAL(rpc_client_open_stream(fixture_client(fixture), &outgoing,
        &throughline__cart__v1__cart_service__descriptor, "WatchCart", &stream));
    CU_ASSERT_PTR_NULL(rpc_client_send(stream, &request));
    CU_ASSERT_PTR_NULL(rpc_client_finish_sending(stream));
    CHECK_INT(next(fixture, stream)->sequence, 1);

    shop_attach(fixture, cart->name, "customers/ann");
    fixture_act_as(fixture, "app", "customers/ann");
    shop_add(fixture, cart->name, "tent", 1);
    customers = must_watch(fixture, cart->name, 0);
    for (int64_t i = 1; i <= 3; i++)
        CHECK_INT(next(fixture, customers)->sequence, i);
    CHECK_INT(rpc_client_receive(stream, fixture_arena(fixture), (void **)&change)->code,
        ERROR_DEADLINE_EXCEEDED);
    rpc_client_close_stream(customers);
    rpc_client_close_stream(stream);
    shop_close(fixture);
}

typedef struct Changes {
    const char *cart;
    int n;
} Changes;

static void change_all_the_time(Worker *worker)
{
    const Changes *changes = worker->context;

    for (int i = 0; i < changes->n; i++) {
        Throughline__Cart__V1__AddLineRequest request =
            THROUGHLINE__CART__V1__ADD_LINE_REQUEST__INIT;
        Cart reply = THROUGHLINE__CART__V1__CART__INIT;

        request.cart = (char *)changes->cart;
        request.item_case = THROUGHLINE__CART__V1__ADD_LINE_REQUEST__ITEM_SKU;
        request.sku = arena_printf(worker->arena, "v-%d", i % 7);
        request.quantity = 1;
        worker_expect(
            worker, worker_call(worker, "customers/ann", "CartService/AddLine", &request, &reply));
    }
}

static void *write_changes(void *context)
{
    Worker *worker = context;

    change_all_the_time(worker);
    return NULL;
}

/* Cuts the stream after a few changes each time and goes on; 1, 2, 3 … must come. */
static void a_watch_that_is_cut_again_and_again_misses_and_doubles_nothing(void)
{
    enum { CHANGES = 200 };
    Fixture *fixture = shop_open();
    Changes changes = { .cart = shop_cart(fixture)->name, .n = CHANGES };
    Worker worker = { .fixture = fixture, .arena = arena_new(), .context = &changes };
    unsigned seed = 11;
    int64_t seen = 0;
    int pieces = 0;
    pthread_t writer;

    pthread_create(&writer, NULL, write_changes, &worker);
    while (seen < CHANGES + 1) {
        RpcClientStream *stream = must_watch(fixture, changes.cart, seen);
        int n = 1 + rand_r(&seed) % 12;

        while (n-- && seen < CHANGES + 1) {
            const WatchCartResponse *change = next(fixture, stream);

            CHECK_INT(change->sequence, seen + 1);
            seen = change->sequence;
            pieces = change->cart->n_lines ? pieces + 1 : pieces;
        }
        rpc_client_close_stream(stream);
    }
    pthread_join(writer, NULL);
    CHECK_TEXT(worker.failure, NULL);
    CHECK_INT(pieces, CHANGES);
    arena_free(worker.arena);
    shop_close(fixture);
}

static void a_restart_ends_a_watch_so_that_it_can_go_on(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_cart(fixture);
    RpcClientStream *stream = must_watch(fixture, cart->name, 0);
    WatchCartResponse *change = NULL;

    CHECK_INT(next(fixture, stream)->sequence, 1);
    shop_restart(fixture);
    CHECK_TEXT(error_reason(rpc_client_receive(stream, fixture_arena(fixture), (void **)&change)),
        "STREAM_DRAINED");
    rpc_client_close_stream(stream);
    shop_add(fixture, cart->name, "tent", 1);
    stream = must_watch(fixture, cart->name, 1);
    CHECK_INT(next(fixture, stream)->sequence, 2);
    rpc_client_close_stream(stream);
    shop_close(fixture);
}

static void a_merge_and_a_checkout_are_seen_to_the_end(void)
{
    static const char *const told[] = { "CartOpened", "LineAdded", "CartMerged", "CheckoutStarted",
        "CartOrdered" };
    Fixture *fixture = shop_open();
    Cart *cart = shop_cart(fixture), *guest;
    RpcClientStream *stream = must_watch(fixture, cart->name, 0);

    shop_add(fixture, cart->name, "tent", 1);
    fixture_act_as(fixture, "web", "anonymous/visitor");
    guest = shop_cart(fixture);
    shop_add(fixture, guest->name, "rope", 1);
    shop_attach(fixture, guest->name, "customers/ann");
    fixture_act_as(fixture, "web", "customers/ann");
    shop_checkout(fixture, cart->name, shop_quote(fixture, cart->name));
    for (size_t i = 0; i < COUNT(told); i++)
        CHECK_TEXT(next(fixture, stream)->change, told[i]);
    rpc_client_close_stream(stream);
    shop_close(fixture);
}

static CU_TestInfo tests[] = {
    { "a_watcher_sees_what_was_and_what_comes", a_watcher_sees_what_was_and_what_comes },
    { "a_watch_goes_on_after_what_was_seen", a_watch_goes_on_after_what_was_seen },
    { "a_watch_after_what_never_was_is_refused", a_watch_after_what_never_was_is_refused },
    { "only_who_may_read_a_cart_watches_it", only_who_may_read_a_cart_watches_it },
    { "who_loses_a_cart_sees_no_more_of_it", who_loses_a_cart_sees_no_more_of_it },
    { "a_watch_that_is_cut_again_and_again_misses_and_doubles_nothing",
        a_watch_that_is_cut_again_and_again_misses_and_doubles_nothing },
    { "a_restart_ends_a_watch_so_that_it_can_go_on", a_restart_ends_a_watch_so_that_it_can_go_on },
    { "a_merge_and_a_checkout_are_seen_to_the_end", a_merge_and_a_checkout_are_seen_to_the_end },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = { { .pName = "watches", .pTests = tests }, CU_SUITE_INFO_NULL };

    return test_main("cart_service_watch", suites, argc, argv);
}
