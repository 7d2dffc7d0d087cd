/* Quotes and checkouts, through gRPC. */
#include "tests/service/cart/shop.h"

#include "shared/base/clock.h"
#include "shared/auth/seal.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/support/test_main.h"

#include <string.h>

typedef Throughline__Cart__V1__OrderPlaced OrderPlaced;

enum { JOB_WAIT_MS = 10000 };

/* The quote inside, to be changed and signed anew. */
static Quote *open_quote(Fixture *fixture, const SignedQuote *signed_quote)
{
    return message_unpack(fixture_arena(fixture), &throughline__catalog__v1__quote__descriptor,
        (Bytes){ signed_quote->payload.data, signed_quote->payload.len });
}

static const char *refusal(Fixture *fixture, const char *cart, SignedQuote *signed_quote)
{
    Order order = THROUGHLINE__CART__V1__ORDER__INIT;

    return error_reason(shop_try_checkout(fixture, cart, signed_quote, "", &order));
}

static void the_invoice_is_the_quote(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_full_cart(fixture), *bought;
    SignedQuote *signed_quote;
    Order *order;
    int64_t sum = 0;

    shop_add_code(fixture, cart->name, "SPRING-10");
    signed_quote = shop_quote(fixture, cart->name);
    order = shop_checkout(fixture, cart->name, signed_quote);

    CU_ASSERT(message_equal(order->quote, open_quote(fixture, signed_quote)));
    CU_ASSERT(message_equal(order->signed_quote, signed_quote));
    CHECK_INT(shop_minor(order->quote->total), 2 * 19900 - 3980 + 3 * 333 - 100);
    CHECK_INT(shop_minor(order->invoice->total), shop_minor(order->quote->total));
    CHECK_INT(order->invoice->n_charges, 2);
    for (size_t i = 0; i < order->invoice->n_charges; i++)
        sum += shop_minor(order->invoice->charges[i]->amount);
    CHECK_INT(sum, shop_minor(order->invoice->total));
    CHECK_TEXT(order->customer, "customers/ann");
    CHECK_TEXT(order->channel, "web");
    bought = shop_stored_cart(fixture, cart->name);
    CHECK_INT(bought->state, THROUGHLINE__CART__V1__CART__STATE__ORDERED);
    CHECK_TEXT(bought->order, order->name);
    CU_ASSERT_PTR_NULL(bought->pending);
    shop_close(fixture);
}

static void the_next_cart_is_a_new_one(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_full_cart(fixture), reply = THROUGHLINE__CART__V1__CART__INIT;

    shop_checkout(fixture, cart->name, shop_quote(fixture, cart->name));

    CHECK_TEXT(error_reason(shop_try_add(fixture, cart->name, "tent", 1, &reply)), "CART_CLOSED");
    CU_ASSERT(!text_equal(shop_cart(fixture)->name, cart->name));
    shop_close(fixture);
}

static void the_same_quote_gets_the_same_order(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_full_cart(fixture);
    SignedQuote *signed_quote = shop_quote(fixture, cart->name);
    const char *const ids[] = { "one", "one", "two", "", "" };
    Order *first = shop_checkout(fixture, cart->name, signed_quote);

    for (size_t i = 0; i < COUNT(ids); i++) {
        Order again = THROUGHLINE__CART__V1__ORDER__INIT;

        CU_ASSERT_PTR_NULL(shop_try_checkout(fixture, cart->name, signed_quote, ids[i], &again));
        CU_ASSERT(message_equal(first, &again));
    }
    CHECK_INT(shop_count(fixture, &orders), 1);
    shop_close(fixture);
}

static void another_quote_hears_of_the_order(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_full_cart(fixture);
    SignedQuote *first = shop_quote(fixture, cart->name), *second = shop_quote(fixture, cart->name);
    Order *order = shop_checkout(fixture, cart->name, first),
          other = THROUGHLINE__CART__V1__ORDER__INIT;
    const Error *error = shop_try_checkout(fixture, cart->name, second, "", &other);

    CHECK_TEXT(error_reason(error), "CART_CLOSED");
    CHECK_INT(error->n_facts, 1);
    CHECK_TEXT(error->facts[0].key, "order");
    CHECK_TEXT(error->facts[0].value, order->name);
    shop_close(fixture);
}

static void only_the_catalogues_signature_is_taken(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_full_cart(fixture);
    SignedQuote *good = shop_quote(fixture, cart->name);
    SignedQuote *payload = message_copy(fixture_arena(fixture), good);
    SignedQuote *signature = message_copy(fixture_arena(fixture), good);
    SignedQuote *key = message_copy(fixture_arena(fixture), good);
    SignedQuote *cut = message_copy(fixture_arena(fixture), good);

    payload->payload.data[payload->payload.len / 2] ^= 1;
    signature->signature.data[7] ^= 1;
    key->key_id = arena_text(fixture_arena(fixture), "quoteKeys/mine");
    cut->signature.len = 10;

    CHECK_TEXT(refusal(fixture, cart->name, payload), "QUOTE_FORGED");
    CHECK_TEXT(refusal(fixture, cart->name, signature), "QUOTE_FORGED");
    CHECK_TEXT(refusal(fixture, cart->name, key), "QUOTE_FORGED");
    CHECK_TEXT(refusal(fixture, cart->name, cut), "QUOTE_FORGED");
    CHECK_TEXT(refusal(fixture, cart->name, NULL), "FIELD_INVALID");
    CHECK_INT(shop_count(fixture, &orders), 0);
    shop_checkout(fixture, cart->name, good);
    shop_close(fixture);
}

static void a_quote_counts_for_its_cart_its_content_and_its_time(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_full_cart(fixture);
    SignedQuote *outdated = shop_quote(fixture, cart->name), *good;
    Quote *expired, *fewer, *other, *whose;

    shop_add(fixture, cart->name, "rope", 1);
    good = shop_quote(fixture, cart->name);
    expired = open_quote(fixture, good);
    expired->expire_time = timestamp_from_micros(fixture_arena(fixture), clock_now() - 1);
    fewer = open_quote(fixture, good);
    fewer->lines[0]->quantity = 1;
    other = open_quote(fixture, good);
    other->cart = arena_text(fixture_arena(fixture), "carts/other");
    whose = open_quote(fixture, good);
    whose->customer = arena_text(fixture_arena(fixture), "customers/bob");

    CHECK_TEXT(refusal(fixture, cart->name, outdated), "QUOTE_OUTDATED");
    CHECK_TEXT(refusal(fixture, cart->name, shop_sign(fixture, expired)), "QUOTE_EXPIRED");
    CHECK_TEXT(refusal(fixture, cart->name, shop_sign(fixture, fewer)), "QUOTE_OUTDATED");
    CHECK_TEXT(refusal(fixture, cart->name, shop_sign(fixture, other)), "QUOTE_OTHER_CART");
    CHECK_TEXT(refusal(fixture, cart->name, shop_sign(fixture, whose)), "QUOTE_OUTDATED");
    CHECK_INT(
        shop_stored_cart(fixture, cart->name)->state, THROUGHLINE__CART__V1__CART__STATE__OPEN);
    shop_checkout(fixture, cart->name, good);
    shop_close(fixture);
}

static void a_quote_that_was_signed_with_others_is_taken(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_full_cart(fixture);
    Quote *quote = open_quote(fixture, shop_quote(fixture, cart->name));
    Quote *other = open_quote(fixture, shop_quote(fixture, cart->name));
    SignedQuote *given;
    Order *order;

    other->cart = arena_text(fixture_arena(fixture), "carts/other");
    given = shop_sign_together(fixture, quote, other);
    given->batch->path.data[0] ^= 1;
    CHECK_TEXT(refusal(fixture, cart->name, given), "QUOTE_FORGED");
    given->batch->path.data[0] ^= 1;
    given->batch->index ^= 1;
    CHECK_TEXT(refusal(fixture, cart->name, given), "QUOTE_FORGED");
    given->batch->index ^= 1;
    order = shop_checkout(fixture, cart->name, given);
    CHECK_INT(order->signed_quote->batch->index, 1);
    CHECK_INT(order->signed_quote->batch->path.len, SEAL_HASH);
    shop_close(fixture);
}

static void a_quote_that_does_not_add_up_is_not_billed(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_full_cart(fixture);
    Quote *quote = open_quote(fixture, shop_quote(fixture, cart->name));

    quote->total = money_message(fixture_arena(fixture), "EUR", 1);
    CU_ASSERT(!text_equal(refusal(fixture, cart->name, shop_sign(fixture, quote)), "OK"));
    CHECK_INT(
        shop_stored_cart(fixture, cart->name)->state, THROUGHLINE__CART__V1__CART__STATE__OPEN);
    shop_close(fixture);
}

static void a_cart_without_a_customer_is_quoted_but_not_bought(void)
{
    Fixture *fixture = shop_open();
    Cart *cart;

    fixture_act_as(fixture, "web", "anonymous/visitor");
    cart = shop_full_cart(fixture);
    CHECK_TEXT(refusal(fixture, cart->name, shop_quote(fixture, cart->name)), "CUSTOMER_MISSING");
    fixture_act_as(fixture, "web", "customers/ann");
    shop_close(fixture);
}

static void an_agent_who_comes_and_goes_does_not_void_a_quote(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_full_cart(fixture), reply = THROUGHLINE__CART__V1__CART__INIT;
    SignedQuote *quote = shop_quote(fixture, cart->name);
    Throughline__Cart__V1__JoinCartRequest join = THROUGHLINE__CART__V1__JOIN_CART_REQUEST__INIT;

    join.cart = cart->name;
    fixture_act_as(fixture, "care", "agents/kim");
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "CartService/JoinCart", &join, &reply));
    CHECK_TEXT(shop_checkout(fixture, cart->name, quote)->actor, "agents/kim");
    fixture_act_as(fixture, "web", "customers/ann");
    shop_close(fixture);
}

static const Error *quote_of(Fixture *fixture, const char *cart)
{
    Throughline__Cart__V1__QuoteCartRequest request =
        THROUGHLINE__CART__V1__QUOTE_CART_REQUEST__INIT;
    Throughline__Cart__V1__QuoteCartResponse reply =
        THROUGHLINE__CART__V1__QUOTE_CART_RESPONSE__INIT;

    request.cart = arena_text(fixture_arena(fixture), cart);
    return fixture_call(fixture, "CartService/QuoteCart", &request, &reply);
}

static void a_quote_needs_a_cart_that_is_open_and_full_and_ones_own(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_cart(fixture);

    CHECK_TEXT(error_reason(quote_of(fixture, cart->name)), "CART_EMPTY");
    CHECK_TEXT(error_reason(quote_of(fixture, "carts/none")), "CART_NOT_FOUND");
    CHECK_TEXT(error_reason(quote_of(fixture, "")), "FIELD_INVALID");
    cart = shop_full_cart(fixture);
    fixture_act_as(fixture, "web", "customers/bob");
    CHECK_TEXT(error_reason(quote_of(fixture, cart->name)), "CART_NOT_FOUND");
    CHECK_TEXT(refusal(fixture, cart->name,
                   shop_sign(fixture, &(Quote)THROUGHLINE__CATALOG__V1__QUOTE__INIT)),
        "FIELD_INVALID");
    fixture_act_as(fixture, "web", "customers/ann");
    shop_checkout(fixture, cart->name, shop_quote(fixture, cart->name));
    CHECK_TEXT(error_reason(quote_of(fixture, cart->name)), "CART_CLOSED");
    shop_close(fixture);
}

static void an_order_tells_its_event(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_full_cart(fixture);
    Order *order = shop_checkout(fixture, cart->name, shop_quote(fixture, cart->name));
    const Event *event = fixture_event(fixture, order->name, 1);
    const OrderPlaced *placed;

    CU_ASSERT_PTR_NOT_NULL_FATAL(event);
    CHECK_TEXT(event->customer, "customers/ann");
    placed = event_payload(
        fixture_arena(fixture), event, &throughline__cart__v1__order_placed__descriptor);
    CU_ASSERT_PTR_NOT_NULL_FATAL(placed);
    CU_ASSERT(message_equal(placed->order, order));
    CU_ASSERT_PTR_NOT_NULL(fixture_event(fixture, cart->name, 5));
    CU_ASSERT_PTR_NOT_NULL(
        event_payload(fixture_arena(fixture), fixture_event(fixture, cart->name, 4),
            &throughline__cart__v1__checkout_started__descriptor));
    CU_ASSERT_PTR_NOT_NULL(event_payload(fixture_arena(fixture),
        fixture_event(fixture, cart->name, 5), &throughline__cart__v1__cart_ordered__descriptor));
    shop_close(fixture);
}

/* Leaves a checkout as a process does that dies after its first write, long ago. */
static void leave_in_the_middle(Fixture *fixture, const char *name, SignedQuote *signed_quote)
{
    StoreView view = fixture_view(fixture);
    Cart *cart = shop_stored_cart(fixture, name);
    CheckoutStarted event = THROUGHLINE__CART__V1__CHECKOUT_STARTED__INIT;
    Actor actor = { .name = "customers/ann", .channel = "web", .now = 1000000 };

    checkout_start(cart, signed_quote, &actor, fixture_arena(fixture), &event);
    CU_ASSERT_PTR_NULL(store_replace(&view, &carts, cart, &event));
}

static void the_job_finishes_a_checkout_that_was_left(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_full_cart(fixture);
    SignedQuote *signed_quote = shop_quote(fixture, cart->name);
    int64_t until = clock_monotonic() + JOB_WAIT_MS * INT64_C(1000);
    Order *order;

    leave_in_the_middle(fixture, cart->name, signed_quote);
    while (shop_stored_cart(fixture, cart->name)->pending && clock_monotonic() < until)
        clock_sleep_ms(50);

    CHECK_INT(
        shop_stored_cart(fixture, cart->name)->state, THROUGHLINE__CART__V1__CART__STATE__ORDERED);
    CHECK_INT(shop_count(fixture, &orders), 1);
    order = shop_checkout(fixture, cart->name, signed_quote);
    CHECK_TEXT(order->actor, "customers/ann");
    CHECK_TEXT(order->channel, "web");
    shop_close(fixture);
}

static void another_quote_does_not_take_over_a_checkout_under_way(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_full_cart(fixture);
    SignedQuote *first = shop_quote(fixture, cart->name), *second = shop_quote(fixture, cart->name);

    leave_in_the_middle(fixture, cart->name, first);
    CHECK_TEXT(refusal(fixture, cart->name, second), "CART_CLOSED");
    CU_ASSERT(message_equal(shop_checkout(fixture, cart->name, first)->signed_quote, first));
    shop_close(fixture);
}

static CU_TestInfo tests[] = {
    { "the_invoice_is_the_quote", the_invoice_is_the_quote },
    { "the_next_cart_is_a_new_one", the_next_cart_is_a_new_one },
    { "the_same_quote_gets_the_same_order", the_same_quote_gets_the_same_order },
    { "another_quote_hears_of_the_order", another_quote_hears_of_the_order },
    { "only_the_catalogues_signature_is_taken", only_the_catalogues_signature_is_taken },
    { "a_quote_counts_for_its_cart_its_content_and_its_time",
        a_quote_counts_for_its_cart_its_content_and_its_time },
    { "a_quote_that_was_signed_with_others_is_taken",
        a_quote_that_was_signed_with_others_is_taken },
    { "a_quote_that_does_not_add_up_is_not_billed", a_quote_that_does_not_add_up_is_not_billed },
    { "a_cart_without_a_customer_is_quoted_but_not_bought",
        a_cart_without_a_customer_is_quoted_but_not_bought },
    { "an_agent_who_comes_and_goes_does_not_void_a_quote",
        an_agent_who_comes_and_goes_does_not_void_a_quote },
    { "a_quote_needs_a_cart_that_is_open_and_full_and_ones_own",
        a_quote_needs_a_cart_that_is_open_and_full_and_ones_own },
    { "an_order_tells_its_event", an_order_tells_its_event },
    { "the_job_finishes_a_checkout_that_was_left", the_job_finishes_a_checkout_that_was_left },
    { "another_quote_does_not_take_over_a_checkout_under_way",
        another_quote_does_not_take_over_a_checkout_under_way },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = { { .pName = "checkouts", .pTests = tests }, CU_SUITE_INFO_NULL };

    return test_main("cart_service_checkout", suites, argc, argv);
}
