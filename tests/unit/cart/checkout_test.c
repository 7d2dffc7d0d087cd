#include "services/cart/domain/checkout.h"
#include "services/cart/domain/ledger.h"
#include "services/cart/domain/terms.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/support/test_main.h"
#include "tests/unit/cart/builders.h"

static Cart *a_full_cart(Arena *arena)
{
    Cart *cart = a_cart(arena, "customers/ann");

    a_line(arena, cart, "tent", 2, 19900);
    a_line(arena, cart, "rope", 3, 333);
    return cart;
}

static void a_quote_of_the_cart_as_it_is_can_be_bought(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_full_cart(arena);
    Quote *quote = a_quote(arena, cart, 0);

    CU_ASSERT_PTR_NULL(checkout_check(cart, quote, false, some_noon, arena));
    quote->customer = arena_text(arena, "");
    CU_ASSERT_PTR_NULL(checkout_check(cart, quote, false, some_noon, arena));
    arena_free(arena);
}

static void a_quote_is_honoured_to_the_last_microsecond(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_full_cart(arena);
    Quote *quote = a_quote(arena, cart, 0);
    int64_t end = timestamp_to_micros(quote->expire_time);

    CU_ASSERT_PTR_NULL(checkout_check(cart, quote, false, end - 1, arena));
    CHECK_TEXT(error_reason(checkout_check(cart, quote, false, end, arena)), "QUOTE_EXPIRED");
    arena_free(arena);
}

static void a_cart_without_a_customer_is_not_bought(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_cart(arena, "");

    a_line(arena, cart, "tent", 1, 19900);
    CHECK_TEXT(error_reason(checkout_check(cart, a_quote(arena, cart, 0), false, some_noon, arena)),
        "CUSTOMER_MISSING");
    arena_free(arena);
}

static void a_quote_of_another_cart_is_refused(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_full_cart(arena);
    Quote *quote = a_quote(arena, cart, 0);

    quote->cart = arena_text(arena, "carts/other");
    CHECK_TEXT(
        error_reason(checkout_check(cart, quote, false, some_noon, arena)), "QUOTE_OTHER_CART");
    arena_free(arena);
}

static void a_quote_of_other_content_is_outdated(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_full_cart(arena);
    Quote *version = a_quote(arena, cart, 0), *customer = a_quote(arena, cart, 0);
    Quote *sku = a_quote(arena, cart, 0), *quantity = a_quote(arena, cart, 0);
    Quote *fewer = a_quote(arena, cart, 0), *currency = a_quote(arena, cart, 0);

    version->cart_etag = arena_text(arena, "6");
    customer->customer = arena_text(arena, "customers/bob");
    sku->lines[1]->sku = arena_text(arena, "string");
    quantity->lines[0]->quantity = 1;
    fewer->n_lines = 1;
    currency->currency = arena_text(arena, "USD");

    CHECK_TEXT(
        error_reason(checkout_check(cart, version, false, some_noon, arena)), "QUOTE_OUTDATED");
    CHECK_TEXT(
        error_reason(checkout_check(cart, customer, false, some_noon, arena)), "QUOTE_OUTDATED");
    CHECK_TEXT(error_reason(checkout_check(cart, sku, false, some_noon, arena)), "QUOTE_OUTDATED");
    CHECK_TEXT(
        error_reason(checkout_check(cart, quantity, false, some_noon, arena)), "QUOTE_OUTDATED");
    CHECK_TEXT(
        error_reason(checkout_check(cart, fewer, false, some_noon, arena)), "QUOTE_OUTDATED");
    CHECK_TEXT(
        error_reason(checkout_check(cart, currency, false, some_noon, arena)), "QUOTE_OUTDATED");
    arena_free(arena);
}

static void a_checkout_closes_the_cart_and_notes_the_promise(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_full_cart(arena), *twin = a_full_cart(arena);
    SignedQuote *signed_quote = a_signed_quote(arena, a_quote(arena, cart, 0));
    CheckoutStarted event = THROUGHLINE__CART__V1__CHECKOUT_STARTED__INIT;
    CartOrdered ordered = THROUGHLINE__CART__V1__CART_ORDERED__INIT;
    Actor actor = an_actor("customers/ann");

    checkout_start(cart, signed_quote, &actor, arena, &event);
    checkout_start(twin, signed_quote, &actor, arena, &event);

    CHECK_INT(cart->state, THROUGHLINE__CART__V1__CART__STATE__CHECKING_OUT);
    CHECK_TEXT(cart->open_customer, "");
    CHECK_TEXT(cart->order, twin->order);
    CU_ASSERT(checkout_is_same(cart->pending->signed_quote, signed_quote));
    checkout_finish(cart, &actor, arena, &ordered);
    CHECK_INT(cart->state, THROUGHLINE__CART__V1__CART__STATE__ORDERED);
    CU_ASSERT_PTR_NULL(cart->pending);
    CHECK_TEXT(cart->order, twin->order);
    arena_free(arena);
}

static void the_bill_is_the_quote(void)
{
    Arena *arena = arena_new();
    Order *order = an_order(arena, a_full_cart(arena), 1234);
    int64_t minor = 0;

    CHECK_INT(order->state, THROUGHLINE__CART__V1__ORDER__STATE__PLACED);
    CHECK_TEXT(order->customer, "customers/ann");
    CHECK_INT(order->invoice->n_charges, 2);
    CHECK_TEXT(order->invoice->order, order->name);
    CU_ASSERT(money_minor(order->invoice->charges[0]->discount_amount, &minor));
    CHECK_INT(minor, 1234);
    CU_ASSERT(money_minor(order->invoice->charges[0]->amount, &minor));
    CHECK_INT(minor, 2 * 19900 - 1234);
    CU_ASSERT(money_minor(order->invoice->total, &minor));
    CHECK_INT(minor, 2 * 19900 - 1234 + 3 * 333);
    CHECK_INT(timestamp_to_micros(order->create_time), some_noon);
    arena_free(arena);
}

static const Error *order_of(Arena *arena, Cart *cart, const Quote *quote)
{
    CheckoutStarted event = THROUGHLINE__CART__V1__CHECKOUT_STARTED__INIT;
    Order *order = message_new(arena, &throughline__cart__v1__order__descriptor);
    Actor actor = an_actor("customers/ann");

    checkout_start(cart, a_signed_quote(arena, quote), &actor, arena, &event);
    return checkout_order(cart, quote, arena, order);
}

/* 19 % on top of the first line, and 4.90 of shipping. */
static Quote *a_taxed_quote(Arena *arena, const Cart *cart)
{
    Quote *quote = a_quote(arena, cart, 0);
    Throughline__Catalog__V1__PricedShipping *shipping =
        message_new(arena, &throughline__catalog__v1__priced_shipping__descriptor);

    quote->lines[0]->tax_on_top = quote->lines[0]->tax_total = money_message(arena, "EUR", 7562);
    quote->lines[0]->total = money_message(arena, "EUR", 39800 + 7562);
    shipping->method = arena_text(arena, "post");
    shipping->list_total = shipping->total = money_message(arena, "EUR", 490);
    quote->shipping = shipping;
    quote->list_total = money_message(arena, "EUR", 39800 + 999 + 490);
    quote->tax_total = quote->tax_on_top = money_message(arena, "EUR", 7562);
    quote->total = money_message(arena, "EUR", 39800 + 7562 + 999 + 490);
    return quote;
}

static void taxes_on_top_and_shipping_are_billed(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_full_cart(arena);
    Quote *quote = a_taxed_quote(arena, cart);
    CheckoutStarted event = THROUGHLINE__CART__V1__CHECKOUT_STARTED__INIT;
    Order *order = message_new(arena, &throughline__cart__v1__order__descriptor);
    Actor actor = an_actor("customers/ann");
    Findings findings = { .arena = arena };
    int64_t minor = 0;

    checkout_start(cart, a_signed_quote(arena, quote), &actor, arena, &event);
    CU_ASSERT_PTR_NULL_FATAL(checkout_order(cart, quote, arena, order));

    CHECK_INT(order->invoice->n_charges, 3);
    CU_ASSERT(money_minor(order->invoice->charges[0]->tax_on_top, &minor));
    CHECK_INT(minor, 7562);
    CHECK_TEXT(order->invoice->charges[2]->sku, "");
    CHECK_TEXT(order->invoice->charges[2]->title, "post");
    CU_ASSERT(money_minor(order->invoice->total, &minor));
    CHECK_INT(minor, 48851);
    ledger_check(order, quote, &findings);
    CHECK_INT(findings.n_items, 0);
    order->invoice->charges[0]->tax_amount = money_message(arena, "EUR", 7561);
    ledger_check(order, quote, &findings);
    CHECK_INT(findings.n_items, 1);

    quote->lines[0]->tax_on_top = money_message(arena, "EUR", 7561);
    CHECK_TEXT(error_reason(order_of(arena, a_full_cart(arena), quote)), "QUOTE_INCONSISTENT");
    arena_free(arena);
}

/* A quote with a mug and a rope for nothing. */
static Quote *a_quote_with_gifts(Arena *arena, const Cart *cart)
{
    Quote *quote = a_quote(arena, cart, 0);
    static const char *const skus[] = { "mug", "rope" };

    quote->n_gifts = COUNT(skus);
    quote->gifts = arena_array(arena, COUNT(skus), sizeof(PricedGift *));
    for (size_t i = 0; i < COUNT(skus); i++) {
        quote->gifts[i] = message_new(arena, &throughline__catalog__v1__priced_gift__descriptor);
        quote->gifts[i]->sku = arena_text(arena, skus[i]);
        quote->gifts[i]->title = arena_printf(arena, "Title of %s", skus[i]);
        quote->gifts[i]->quantity = (int32_t)i + 1;
        quote->gifts[i]->promotion = arena_text(arena, "promotions/mugs");
    }
    return quote;
}

static void gifts_are_billed_at_nothing(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_full_cart(arena);
    Quote *quote = a_quote_with_gifts(arena, cart);
    CheckoutStarted event = THROUGHLINE__CART__V1__CHECKOUT_STARTED__INIT;
    Order *order = message_new(arena, &throughline__cart__v1__order__descriptor), *other;
    Actor actor = an_actor("customers/ann");
    Findings findings = { .arena = arena };
    int64_t minor = 1;

    checkout_start(cart, a_signed_quote(arena, quote), &actor, arena, &event);
    CU_ASSERT_PTR_NULL_FATAL(checkout_order(cart, quote, arena, order));

    CHECK_INT(order->invoice->n_charges, 4);
    CHECK_TEXT(order->invoice->charges[1]->promotion, "");
    CHECK_TEXT(order->invoice->charges[2]->sku, "mug");
    CHECK_TEXT(order->invoice->charges[3]->promotion, "promotions/mugs");
    CHECK_INT(order->invoice->charges[3]->quantity, 2);
    CU_ASSERT(money_minor(order->invoice->charges[3]->amount, &minor));
    CHECK_INT(minor, 0);
    ledger_check(order, quote, &findings);
    CHECK_INT(findings.n_items, 0);
    other = message_copy(arena, order);
    other->invoice->charges[2]->quantity = 2;
    ledger_check(other, quote, &findings);
    other->invoice->charges[3]->promotion = arena_text(arena, "");
    ledger_check(other, quote, &findings);
    CHECK_INT(findings.n_items, 3);
    other = message_copy(arena, order);
    other->invoice->n_charges = 3;
    ledger_check(other, quote, &findings);
    CHECK_INT(findings.n_items, 4);
    arena_free(arena);
}

static void gifts_are_taken_from_stock_with_the_lines(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_full_cart(arena);
    Quote *quote = a_quote_with_gifts(arena, cart);
    ReserveRequest all = THROUGHLINE__CATALOG__V1__RESERVE_REQUEST__INIT, bought = all,
                   fetched = all;
    Fulfilment pickup = THROUGHLINE__CART__V1__FULFILMENT__INIT;

    checkout_pieces(cart, quote, true, arena, &all);
    checkout_pieces(cart, quote, false, arena, &bought);
    pickup.method = THROUGHLINE__CART__V1__FULFILMENT__METHOD__PICKUP;
    pickup.location = arena_text(arena, "berlin");
    cart->fulfilment = &pickup;
    checkout_pieces(cart, quote, true, arena, &fetched);

    CHECK_INT(bought.n_lines, 2);
    CHECK_INT(bought.lines[1]->quantity, 3);
    CHECK_TEXT(bought.holder, cart->name);
    CHECK_INT(bought.purpose, 0);
    CHECK_INT(all.n_lines, 3);
    CHECK_INT(all.lines[1]->quantity, 5);
    CHECK_TEXT(all.lines[2]->sku, "mug");
    CHECK_TEXT(all.lines[2]->location, "");
    CHECK_TEXT(fetched.lines[2]->location, "berlin");
    CHECK_INT(fetched.purpose, THROUGHLINE__CATALOG__V1__STOCK_PURPOSE__STOCK_PURPOSE_PICKUP);
    pickup.method = THROUGHLINE__CART__V1__FULFILMENT__METHOD__SHIP;
    checkout_pieces(cart, quote, true, arena, &fetched);
    CHECK_INT(fetched.purpose, THROUGHLINE__CATALOG__V1__STOCK_PURPOSE__STOCK_PURPOSE_SHIP);
    arena_free(arena);
}

static void a_first_order_is_the_first(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_full_cart(arena);
    Quote *quote = a_quote(arena, cart, 0);

    quote->context = message_new(arena, &throughline__catalog__v1__quote_context__descriptor);
    quote->context->is_first_order = true;
    CU_ASSERT_PTR_NULL(checkout_check(cart, quote, false, some_noon, arena));
    CHECK_TEXT(error_reason(checkout_check(cart, quote, true, some_noon, arena)), "QUOTE_OUTDATED");
    arena_free(arena);
}

static void a_quote_that_does_not_add_up_is_never_billed(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_full_cart(arena);
    Quote *line = a_quote(arena, cart, 100), *discount = a_quote(arena, cart, 100);
    Quote *total = a_quote(arena, cart, 100), *currency = a_quote(arena, cart, 100);
    Quote *absent = a_quote(arena, cart, 100);

    line->lines[0]->total = money_message(arena, "EUR", 39699);
    discount->lines[0]->adjustments[0]->amount = money_message(arena, "EUR", 99);
    total->total = money_message(arena, "EUR", 1);
    currency->lines[1]->total = money_message(arena, "USD", 999);
    absent->total = NULL;

    CHECK_TEXT(error_reason(order_of(arena, a_full_cart(arena), line)), "QUOTE_INCONSISTENT");
    CHECK_TEXT(error_reason(order_of(arena, a_full_cart(arena), discount)), "QUOTE_INCONSISTENT");
    CHECK_TEXT(error_reason(order_of(arena, a_full_cart(arena), total)), "QUOTE_INCONSISTENT");
    CHECK_TEXT(error_reason(order_of(arena, a_full_cart(arena), currency)), "QUOTE_INCONSISTENT");
    CHECK_TEXT(error_reason(order_of(arena, a_full_cart(arena), absent)), "QUOTE_INCONSISTENT");
    arena_free(arena);
}

static CU_TestInfo tests[] = {
    { "a_quote_of_the_cart_as_it_is_can_be_bought", a_quote_of_the_cart_as_it_is_can_be_bought },
    { "a_quote_is_honoured_to_the_last_microsecond", a_quote_is_honoured_to_the_last_microsecond },
    { "a_cart_without_a_customer_is_not_bought", a_cart_without_a_customer_is_not_bought },
    { "a_quote_of_another_cart_is_refused", a_quote_of_another_cart_is_refused },
    { "a_quote_of_other_content_is_outdated", a_quote_of_other_content_is_outdated },
    { "a_checkout_closes_the_cart_and_notes_the_promise",
        a_checkout_closes_the_cart_and_notes_the_promise },
    { "the_bill_is_the_quote", the_bill_is_the_quote },
    { "taxes_on_top_and_shipping_are_billed", taxes_on_top_and_shipping_are_billed },
    { "gifts_are_billed_at_nothing", gifts_are_billed_at_nothing },
    { "gifts_are_taken_from_stock_with_the_lines", gifts_are_taken_from_stock_with_the_lines },
    { "a_first_order_is_the_first", a_first_order_is_the_first },
    { "a_quote_that_does_not_add_up_is_never_billed",
        a_quote_that_does_not_add_up_is_never_billed },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = { { .pName = "checkout", .pTests = tests }, CU_SUITE_INFO_NULL };

    return test_main("cart_checkout", suites, argc, argv);
}
