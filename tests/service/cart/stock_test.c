/* Checkouts of pieces that are counted. */
#include "services/cart/domain/checkout.h"
#include "tests/service/cart/shop.h"

#include "shared/base/clock.h"
#include "shared/base/id.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/support/parallel.h"
#include "tests/support/test_main.h"

#include <stdatomic.h>
#include <stdlib.h>

typedef Throughline__Catalog__V1__Reservation Reservation;

enum { CALLERS = 64, PIECES = 10, TWINS = 16 };

static Fixture *fixture;
static Arena *arena;
static char run[ID_SIZE];

static void open_shop(void)
{
    fixture = shop_open();
    arena = fixture_arena(fixture);
}

static void close_shop(void)
{
    fixture_act_as(fixture, "web", "customers/ann");
    shop_close(fixture);
}

static Reservation reservation(const char *name)
{
    Throughline__Catalog__V1__GetReservationRequest request =
        THROUGHLINE__CATALOG__V1__GET_RESERVATION_REQUEST__INIT;
    Reservation reply = THROUGHLINE__CATALOG__V1__RESERVATION__INIT;

    request.name = arena_text(arena, name);
    CHECK_TEXT(error_reason(fixture_call(fixture_peer(fixture, "catalog"),
                   "StockService/GetReservation", &request, &reply)),
        "OK");
    return reply;
}

static void check_stock(const char *sku, int64_t on_hand, int64_t reserved)
{
    ShopStock stock = shop_stock_of(fixture, sku);

    CHECK_INT(stock.on_hand, on_hand);
    CHECK_INT(stock.reserved, reserved);
}

static void what_is_ordered_leaves_the_stock(void)
{
    Cart *cart = shop_full_cart(fixture);
    SignedQuote *quote;
    Order *order;

    shop_stock(fixture, "tent", "berlin", 5);
    quote = shop_quote(fixture, cart->name);
    check_stock("tent", 5, 0);
    order = shop_checkout(fixture, cart->name, quote);
    CHECK_TEXT(shop_checkout(fixture, cart->name, quote)->stock, order->stock);

    check_stock("tent", 3, 0);
    CHECK_INT(
        reservation(order->stock).state, THROUGHLINE__CATALOG__V1__RESERVATION__STATE__CONFIRMED);
    CHECK_TEXT(reservation(order->stock).holder, cart->name);
    /* Nobody has counted ropes. */
    CHECK_INT(order->n_pieces, 1);
    CHECK_TEXT(order->pieces[0]->sku, "tent");
    CHECK_TEXT(order->pieces[0]->location, "berlin");
    CHECK_INT(order->pieces[0]->quantity, 2);
}

static void what_nobody_counts_is_not_reserved(void)
{
    Cart *cart = shop_full_cart(fixture);
    Order *order = shop_checkout(fixture, cart->name, shop_quote(fixture, cart->name));

    CHECK_TEXT(order->stock, "");
    CHECK_INT(order->n_pieces, 0);
}

/* Of a cart of two tents whose process has died in the middle of its checkout, with so many tents there. What held its pieces is gone. */
static Order *order_after_a_death(int64_t n_tents)
{
    StoreView view = fixture_view(fixture);
    CheckoutStarted event = THROUGHLINE__CART__V1__CHECKOUT_STARTED__INIT;
    Cart *cart = shop_full_cart(fixture);
    Actor actor = {
        .name = cart->customer, .on_behalf_of = "", .channel = "web", .now = clock_now()
    };
    SignedQuote *quote;

    shop_stock(fixture, "tent", "berlin", n_tents);
    quote = shop_quote(fixture, cart->name);
    cart = shop_stored_cart(fixture, cart->name);
    checkout_start(cart, quote, &actor, arena, &event);
    cart->pending->stock = arena_text(arena, "reservations/gone");
    CU_ASSERT_PTR_NULL_FATAL(store_replace(&view, &carts, cart, &event));
    return shop_checkout(fixture, cart->name, quote);
}

static void what_was_sold_to_others_meanwhile_is_owed(void)
{
    Order *order = order_after_a_death(1);

    CU_ASSERT(order->lacks_pieces);
    CHECK_TEXT(order->stock, "");
    CHECK_INT(order->n_pieces, 0);
    check_stock("tent", 1, 0);
}

static void what_is_held_no_longer_is_sold_if_it_is_there(void)
{
    Order *order = order_after_a_death(5);

    CU_ASSERT_FALSE(order->lacks_pieces);
    CHECK_INT(order->n_pieces, 1);
    check_stock("tent", 3, 0);
}

static void what_is_short_is_named_and_the_cart_is_as_it_was(void)
{
    Cart *cart = shop_full_cart(fixture), *after;
    SignedQuote *quote = shop_quote(fixture, cart->name);
    Order order = THROUGHLINE__CART__V1__ORDER__INIT;
    const Error *error;

    shop_stock(fixture, "tent", "berlin", 1);
    shop_stock(fixture, "rope", "berlin", 5);
    error = shop_try_checkout(fixture, cart->name, quote, "soon", &order);

    CHECK_TEXT(error_reason(error), "OUT_OF_STOCK");
    CHECK_INT(error->code, ERROR_FAILED_PRECONDITION);
    CHECK_TEXT(shop_fact(error, "sku"), "tent");
    CHECK_TEXT(shop_fact(error, "location"), "");
    CHECK_TEXT(shop_fact(error, "asked"), "2");
    CHECK_TEXT(shop_fact(error, "available"), "1");
    after = shop_stored_cart(fixture, cart->name);
    CU_ASSERT(message_equal(after, cart));
    check_stock("rope", 5, 0);
    CHECK_INT(shop_count(fixture, &orders), 0);

    shop_stock(fixture, "tent", "berlin", 2);
    CU_ASSERT_PTR_NULL(shop_try_checkout(fixture, cart->name, quote, "soon", &order));
    check_stock("tent", 0, 0);
    check_stock("rope", 2, 0);
}

static void fulfil(
    const char *cart, Throughline__Cart__V1__Fulfilment__Method method, const char *location)
{
    Throughline__Cart__V1__SetFulfilmentRequest request =
        THROUGHLINE__CART__V1__SET_FULFILMENT_REQUEST__INIT;
    Throughline__Cart__V1__Fulfilment fulfilment = THROUGHLINE__CART__V1__FULFILMENT__INIT;
    Cart reply = THROUGHLINE__CART__V1__CART__INIT;

    fulfilment.method = method;
    fulfilment.location = arena_text(arena, location);
    request.cart = arena_text(arena, cart);
    request.fulfilment = &fulfilment;
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "CartService/SetFulfilment", &request, &reply)), "OK");
}

static void a_pickup_takes_the_pieces_of_its_location(void)
{
    const char *cart = shop_full_cart(fixture)->name;
    Order refused = THROUGHLINE__CART__V1__ORDER__INIT, *order;
    const Error *error;

    shop_stock(fixture, "tent", "berlin", 9);
    shop_stock(fixture, "tent", "london", 1);
    fulfil(cart, THROUGHLINE__CART__V1__FULFILMENT__METHOD__PICKUP, "london");
    error = shop_try_checkout(fixture, cart, shop_quote(fixture, cart), "", &refused);
    CHECK_TEXT(error_reason(error), "OUT_OF_STOCK");
    CHECK_TEXT(shop_fact(error, "location"), "london");
    CHECK_TEXT(shop_fact(error, "available"), "1");

    shop_stock(fixture, "tent", "london", 4);
    order = shop_checkout(fixture, cart, shop_quote(fixture, cart));
    CHECK_TEXT(order->pieces[0]->location, "london");
    CHECK_TEXT(order->fulfilment->location, "london");
    check_stock("tent", 11, 0);
}

/* Many at once. */

typedef struct Rush {
    const char *carts[CALLERS];
    SignedQuote *quotes[CALLERS];
    atomic_int sold;
    atomic_int refused;
} Rush;

/* Somebody of this run's own: a server of MongoDB's protocol outlives the test. */
static const char *buyer(Arena *memory, int index)
{
    return arena_printf(memory, "customers/%s-%d", run, index);
}

static void buy(Worker *worker)
{
    Rush *rush = worker->context;
    Throughline__Cart__V1__CheckoutRequest request = THROUGHLINE__CART__V1__CHECKOUT_REQUEST__INIT;
    Order order = THROUGHLINE__CART__V1__ORDER__INIT;
    const Error *error;

    request.cart = arena_text(worker->arena, rush->carts[worker->index]);
    request.signed_quote = rush->quotes[worker->index];
    request.request_id = worker_request_id(worker, "rush");
    error = worker_call(
        worker, buyer(worker->arena, worker->index), "CartService/Checkout", &request, &order);
    if (!error)
        atomic_fetch_add(&rush->sold, 1);
    else if (text_equal(error->reason, "OUT_OF_STOCK"))
        atomic_fetch_add(&rush->refused, 1);
    else
        worker_expect(worker, error);
}

/* Each with one tent in the cart; with a code as well where there is one. */
static Rush *prepare_rush(int callers, const char *code)
{
    Rush *rush = arena_alloc(arena, sizeof(*rush));

    for (int i = 0; i < callers; i++) {
        fixture_act_as(fixture, "web", buyer(arena, i));
        rush->carts[i] = shop_cart(fixture)->name;
        shop_add(fixture, rush->carts[i], "tent", 1);
        if (*code)
            shop_add_code(fixture, rush->carts[i], code);
        rush->quotes[i] = shop_quote(fixture, rush->carts[i]);
    }
    return rush;
}

static void sell_the_last_ten(void)
{
    Rush *rush = prepare_rush(CALLERS, "");
    size_t before = shop_count(fixture, &orders);

    shop_stock(fixture, "tent", "berlin", PIECES - 4);
    shop_stock(fixture, "tent", "london", 4);
    parallel_run(fixture, CALLERS, buy, rush);

    CHECK_INT(rush->sold, PIECES);
    CHECK_INT(rush->refused, CALLERS - PIECES);
    CHECK_INT(shop_count(fixture, &orders), before + PIECES);
    check_stock("tent", 0, 0);
}

static void sixty_four_buyers_of_the_last_ten_make_ten_orders(void)
{
    sell_the_last_ten();
}

/* The carts are over there; how the catalogue's pieces are is shown by its own test. */
static void sixty_four_buyers_over_mongo_make_ten_orders(void)
{
    const char *uri = getenv("THROUGHLINE_TEST_MONGO_URI");
    const char *flags[] = { "--store-uri", uri, NULL };

    if (!uri) {
        test_skip("THROUGHLINE_TEST_MONGO_URI names no server");
        return;
    }
    fixture = shop_open_flags(flags);
    arena = fixture_arena(fixture);
    sell_the_last_ten();
    close_shop();
}

static void who_gets_no_piece_uses_no_promotion(void)
{
    const char *promotion = shop_limited_promotion(fixture, "LIMITED", TWINS, 0);
    Rush *rush = prepare_rush(TWINS, "LIMITED");

    shop_stock(fixture, "tent", "berlin", 3);
    parallel_run(fixture, TWINS, buy, rush);

    CHECK_INT(rush->sold, 3);
    CHECK_INT(rush->refused, TWINS - 3);
    CHECK_INT(shop_usage(fixture, promotion).used, 3);
    CHECK_INT(shop_usage(fixture, promotion).reserved, 0);
    check_stock("tent", 0, 0);
}

typedef struct Twins {
    const char *cart;
    SignedQuote *quote;
} Twins;

/* The same customer's phone, which does not wait for its answer. */
static void buy_again(Worker *worker)
{
    Twins *twins = worker->context;
    Throughline__Cart__V1__CheckoutRequest request = THROUGHLINE__CART__V1__CHECKOUT_REQUEST__INIT;
    Order order = THROUGHLINE__CART__V1__ORDER__INIT;

    request.cart = arena_text(worker->arena, twins->cart);
    request.signed_quote = twins->quote;
    request.request_id = arena_text(worker->arena, worker->index % 2 ? "" : "the-same");
    worker_expect(
        worker, worker_call(worker, "customers/ann", "CartService/Checkout", &request, &order));
}

static void one_buyer_who_sends_it_often_buys_the_last_piece_once(void)
{
    const char *promotion = shop_limited_promotion(fixture, "LIMITED", 1, 1);
    Twins *twins = arena_alloc(arena, sizeof(*twins));

    shop_stock(fixture, "tent", "berlin", 1);
    twins->cart = shop_cart(fixture)->name;
    shop_add(fixture, twins->cart, "tent", 1);
    shop_add_code(fixture, twins->cart, "LIMITED");
    twins->quote = shop_quote(fixture, twins->cart);
    parallel_run(fixture, TWINS, buy_again, twins);

    CHECK_INT(shop_count(fixture, &orders), 1);
    check_stock("tent", 0, 0);
    CHECK_INT(shop_usage(fixture, promotion).used, 1);
    CHECK_INT(shop_usage(fixture, promotion).reserved, 0);
}

static CU_TestInfo tests[] = {
    { "what_is_ordered_leaves_the_stock", what_is_ordered_leaves_the_stock },
    { "what_was_sold_to_others_meanwhile_is_owed", what_was_sold_to_others_meanwhile_is_owed },
    { "what_is_held_no_longer_is_sold_if_it_is_there",
        what_is_held_no_longer_is_sold_if_it_is_there },
    { "what_nobody_counts_is_not_reserved", what_nobody_counts_is_not_reserved },
    { "what_is_short_is_named_and_the_cart_is_as_it_was",
        what_is_short_is_named_and_the_cart_is_as_it_was },
    { "a_pickup_takes_the_pieces_of_its_location", a_pickup_takes_the_pieces_of_its_location },
    { "sixty_four_buyers_of_the_last_ten_make_ten_orders",
        sixty_four_buyers_of_the_last_ten_make_ten_orders },
    { "who_gets_no_piece_uses_no_promotion", who_gets_no_piece_uses_no_promotion },
    { "one_buyer_who_sends_it_often_buys_the_last_piece_once",
        one_buyer_who_sends_it_often_buys_the_last_piece_once },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_TestInfo elsewhere[] = {
        { "sixty_four_buyers_over_mongo_make_ten_orders",
            sixty_four_buyers_over_mongo_make_ten_orders },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "stock", .pSetUpFunc = open_shop, .pTearDownFunc = close_shop, .pTests = tests },
        { .pName = "elsewhere", .pTests = elsewhere },
        CU_SUITE_INFO_NULL,
    };

    id_new(run);
    return test_main("cart_service_stock", suites, argc, argv);
}
