/* Checkouts with promotions that may be used only so often. */
#include "tests/service/cart/shop.h"

#include "tests/support/parallel.h"
#include "tests/support/test_main.h"

#include <stdatomic.h>
#include <string.h>

enum { CALLERS = 16, USES = 3 };

static Fixture *fixture;
static Arena *arena;
static const char *promotion;

/* A shop with 20 % off for the code LIMITED, so often and so often for a customer. */
static void open_shop(int64_t total_limit, int64_t customer_limit)
{
    fixture = shop_open();
    arena = fixture_arena(fixture);
    promotion = shop_limited_promotion(fixture, "LIMITED", total_limit, customer_limit);
}

/* A cart of this customer with tents and the code. */
static Cart *cart_of(const char *customer)
{
    fixture_act_as(fixture, "web", customer);
    return shop_add_code(fixture, shop_full_cart(fixture)->name, "LIMITED");
}

static ShopUsage usage(void)
{
    return shop_usage(fixture, promotion);
}

static void an_order_counts_for_the_limit(void)
{
    Cart *cart;
    SignedQuote *signed_quote;
    Order *order, *again;

    open_shop(2, 0);
    cart = cart_of("customers/ann");
    signed_quote = shop_quote(fixture, cart->name);
    CHECK_INT(usage().used + usage().reserved, 0);
    order = shop_checkout(fixture, cart->name, signed_quote);
    again = shop_checkout(fixture, cart->name, signed_quote);

    CU_ASSERT(!strncmp(order->uses, "useReservations/", strlen("useReservations/")));
    CHECK_TEXT(again->name, order->name);
    CHECK_INT(usage().used, 1);
    CHECK_INT(usage().reserved, 0);
    shop_close(fixture);
}

static void orders_without_promotions_count_nothing(void)
{
    Cart *cart;

    open_shop(1, 0);
    cart = shop_full_cart(fixture);

    CHECK_TEXT(shop_checkout(fixture, cart->name, shop_quote(fixture, cart->name))->uses, "");
    CHECK_INT(usage().used, 0);
    shop_close(fixture);
}

/* The quote was given while there was one left; the cart stays open and can be quoted anew. */
static void who_comes_second_is_told_and_keeps_the_cart(void)
{
    Cart *first, *second;
    SignedQuote *early, *late;
    Order order = THROUGHLINE__CART__V1__ORDER__INIT;
    const Error *error;

    open_shop(1, 0);
    first = cart_of("customers/ann");
    early = shop_quote(fixture, first->name);
    second = cart_of("customers/bob");
    late = shop_quote(fixture, second->name);
    shop_checkout(fixture, second->name, late);
    fixture_act_as(fixture, "web", "customers/ann");
    error = shop_try_checkout(fixture, first->name, early, "", &order);

    CHECK_TEXT(error_reason(error), "USED_UP");
    CHECK_INT(
        shop_stored_cart(fixture, first->name)->state, THROUGHLINE__CART__V1__CART__STATE__OPEN);
    CHECK_INT(usage().used, 1);
    CHECK_INT(usage().reserved, 0);
    shop_close(fixture);
}

static void a_customer_uses_what_is_once_for_each_once(void)
{
    Throughline__Cart__V1__AddPromotionRequest request =
        THROUGHLINE__CART__V1__ADD_PROMOTION_REQUEST__INIT;
    Cart *cart, reply = THROUGHLINE__CART__V1__CART__INIT;

    open_shop(0, 1);
    cart = cart_of("customers/ann");
    shop_checkout(fixture, cart->name, shop_quote(fixture, cart->name));
    cart = shop_full_cart(fixture);
    request.cart = cart->name;
    request.code = arena_text(arena, "LIMITED");

    CHECK_TEXT(error_reason(fixture_call(fixture, "CartService/AddPromotion", &request, &reply)),
        "PROMOTION_NOT_APPLICABLE");
    cart = cart_of("customers/bob");
    shop_checkout(fixture, cart->name, shop_quote(fixture, cart->name));
    CHECK_INT(usage().customer_used, 0);
    shop_close(fixture);
}

typedef struct Rush {
    const char *carts[CALLERS];
    SignedQuote *quotes[CALLERS];
    atomic_int sold;
    atomic_int refused;
} Rush;

static void buy(Worker *worker)
{
    Rush *rush = worker->context;
    Throughline__Cart__V1__CheckoutRequest request = THROUGHLINE__CART__V1__CHECKOUT_REQUEST__INIT;
    Order order = THROUGHLINE__CART__V1__ORDER__INIT;
    const Error *error;

    request.cart = arena_text(worker->arena, rush->carts[worker->index]);
    request.signed_quote = rush->quotes[worker->index];
    error = worker_call(worker, arena_printf(worker->arena, "customers/c%d", worker->index),
        "CartService/Checkout", &request, &order);
    if (error && text_equal(error->reason, "USED_UP"))
        atomic_fetch_add(&rush->refused, 1);
    else
        worker_expect(worker, error);
    if (!error)
        atomic_fetch_add(&rush->sold, 1);
}

/* 20 % off for whoever has the coupon FLYER, which works once in all. */
static void print_flyer(void)
{
    Throughline__Catalog__V1__CreatePromotionRequest create =
        THROUGHLINE__CATALOG__V1__CREATE_PROMOTION_REQUEST__INIT;
    Throughline__Catalog__V1__Promotion made = THROUGHLINE__CATALOG__V1__PROMOTION__INIT,
                                        reply = made;
    Throughline__Catalog__V1__CreateCouponCampaignRequest request =
        THROUGHLINE__CATALOG__V1__CREATE_COUPON_CAMPAIGN_REQUEST__INIT;
    Throughline__Catalog__V1__CouponCampaign campaign =
                                                 THROUGHLINE__CATALOG__V1__COUPON_CAMPAIGN__INIT,
                                             printed = campaign;
    Fixture *catalog = fixture_peer(fixture, "catalog");

    made.title = arena_text(arena, "With the flyer");
    made.basis_points = 2000;
    made.needs_coupon = true;
    create.promotion = &made;
    CHECK_TEXT(
        error_reason(fixture_call(catalog, "PricingService/CreatePromotion", &create, &reply)),
        "OK");
    campaign.title = arena_text(arena, "Flyer");
    campaign.promotion = reply.name;
    campaign.code = arena_text(arena, "FLYER");
    campaign.total_limit = 1;
    request.campaign = &campaign;
    CHECK_TEXT(error_reason(
                   fixture_call(catalog, "CouponService/CreateCouponCampaign", &request, &printed)),
        "OK");
}

static Throughline__Catalog__V1__Coupon__State state_of_flyer(void)
{
    Throughline__Catalog__V1__GetCouponRequest request =
        THROUGHLINE__CATALOG__V1__GET_COUPON_REQUEST__INIT;
    Throughline__Catalog__V1__Coupon reply = THROUGHLINE__CATALOG__V1__COUPON__INIT;

    request.code = arena_text(arena, "FLYER");
    CHECK_TEXT(error_reason(fixture_call(
                   fixture_peer(fixture, "catalog"), "CouponService/GetCoupon", &request, &reply)),
        "OK");
    return reply.state;
}

static void a_coupon_is_used_by_an_order_and_free_again_when_it_is_cancelled(void)
{
    Throughline__Cart__V1__CancelOrderRequest request =
        THROUGHLINE__CART__V1__CANCEL_ORDER_REQUEST__INIT;
    Rush *rush;
    Order reply = THROUGHLINE__CART__V1__ORDER__INIT;
    StoreView view;
    StorePage page;
    const Order *order;

    open_shop(0, 0);
    print_flyer();
    rush = arena_alloc(arena, sizeof(*rush));
    for (int i = 0; i < CALLERS; i++) {
        fixture_act_as(fixture, "web", arena_printf(arena, "customers/c%d", i));
        rush->carts[i] = shop_add_code(fixture, shop_full_cart(fixture)->name, "FLYER")->name;
        rush->quotes[i] = shop_quote(fixture, rush->carts[i]);
    }
    parallel_run(fixture, CALLERS, buy, rush);
    CHECK_INT(rush->sold, 1);
    CHECK_INT(rush->refused, CALLERS - 1);
    CHECK_INT(state_of_flyer(), THROUGHLINE__CATALOG__V1__COUPON__STATE__USED_UP);

    view = fixture_view(fixture);
    CU_ASSERT_PTR_NULL_FATAL(store_find(&view, &orders, &(StoreQuery){ .limit = 1 }, &page));
    order = page.messages[0];
    fixture_act_as(fixture, "web", order->customer);
    request.order = order->name;
    request.reason = arena_text(arena, "Changed their mind");
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "OrderService/CancelOrder", &request, &reply)), "OK");
    CHECK_INT(state_of_flyer(), THROUGHLINE__CATALOG__V1__COUPON__STATE__USABLE);
    shop_close(fixture);
}

static void as_many_orders_as_uses(void)
{
    Rush *rush;

    open_shop(USES, 0);
    rush = arena_alloc(arena, sizeof(*rush));
    for (int i = 0; i < CALLERS; i++) {
        rush->carts[i] = cart_of(arena_printf(arena, "customers/c%d", i))->name;
        rush->quotes[i] = shop_quote(fixture, rush->carts[i]);
    }
    parallel_run(fixture, CALLERS, buy, rush);

    CHECK_INT(rush->sold, USES);
    CHECK_INT(rush->refused, CALLERS - USES);
    CHECK_INT(usage().used, USES);
    CHECK_INT(usage().reserved, 0);
    shop_close(fixture);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "an_order_counts_for_the_limit", an_order_counts_for_the_limit },
        { "orders_without_promotions_count_nothing", orders_without_promotions_count_nothing },
        { "who_comes_second_is_told_and_keeps_the_cart",
            who_comes_second_is_told_and_keeps_the_cart },
        { "a_customer_uses_what_is_once_for_each_once",
            a_customer_uses_what_is_once_for_each_once },
        { "as_many_orders_as_uses", as_many_orders_as_uses },
        { "a_coupon_is_used_by_an_order_and_free_again_when_it_is_cancelled",
            a_coupon_is_used_by_an_order_and_free_again_when_it_is_cancelled },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "uses", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("cart_uses_service", suites, argc, argv);
}
