#include "services/cart/domain/cart.h"

#include "shared/codec/types.h"
#include "tests/support/test_main.h"
#include "tests/unit/cart/builders.h"

static int64_t subtotal(const Cart *cart)
{
    int64_t minor = -1;

    CU_ASSERT(money_minor(cart->subtotal, &minor));
    return minor;
}

static const Error *add(Arena *arena, Cart *cart, const char *sku, int32_t quantity, int64_t price)
{
    LineAdded event = THROUGHLINE__CART__V1__LINE_ADDED__INIT;
    Actor actor = an_actor("customers/ann");

    return cart_add_line(
        cart, a_product(arena, sku, "EUR", price), sku, quantity, &actor, arena, &event);
}

static void a_new_cart_is_the_customers_or_held(void)
{
    Arena *arena = arena_new();
    Cart *own = a_cart(arena, "customers/ann"), *held = a_cart(arena, "");

    CHECK_TEXT(own->customer, "customers/ann");
    CHECK_TEXT(own->open_customer, "customers/ann");
    CHECK_INT(own->n_holders, 0);
    CHECK_TEXT(held->customer, "");
    CHECK_TEXT(held->open_customer, "");
    CHECK_INT(held->n_holders, 1);
    CHECK_TEXT(own->open_channel, "web");
    CHECK_INT(timestamp_to_micros(own->create_time), some_noon);
    CHECK_INT(subtotal(own), 0);
    arena_free(arena);
}

static void an_agent_who_opens_a_cart_is_a_participant(void)
{
    Arena *arena = arena_new();
    Cart cart = THROUGHLINE__CART__V1__CART__INIT;
    Actor agent = an_actor("agents/kim");

    cart_open(&cart, "carts/two", "EUR", &agent, arena);

    CHECK_INT(cart.n_holders, 0);
    CHECK_INT(cart.n_participants, 1);
    CHECK_TEXT(cart.participants[0]->actor, "agents/kim");
    arena_free(arena);
}

static void a_line_notes_price_title_and_who(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_cart(arena, "customers/ann");
    Product *product = a_product(arena, "tent", "EUR", 19900);
    LineAdded event = THROUGHLINE__CART__V1__LINE_ADDED__INIT;
    Actor actor = an_actor("customers/ann");

    actor.channel = "app";
    product->variants[0]->title = arena_text(arena, "green");

    CU_ASSERT_PTR_NULL(cart_add_line(cart, product, "tent", 2, &actor, arena, &event));

    CHECK_INT(cart->n_lines, 1);
    CHECK_TEXT(cart->lines[0]->title, "Title of tent, green");
    CHECK_TEXT(cart->lines[0]->product, "products/tent");
    CHECK_TEXT(cart->lines[0]->actor, "customers/ann");
    CHECK_TEXT(cart->lines[0]->channel, "app");
    CHECK_TEXT(cart->last_channel, "app");
    CHECK_INT(subtotal(cart), 39800);
    CHECK_TEXT(event.sku, "tent");
    CHECK_INT(event.quantity, 2);
    CU_ASSERT_PTR_EQUAL(event.cart, cart);
    arena_free(arena);
}

static void quantities_of_a_variant_add_up_at_the_newest_price(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_cart(arena, "customers/ann");

    CU_ASSERT_PTR_NULL(add(arena, cart, "tent", 2, 19900));
    CU_ASSERT_PTR_NULL(add(arena, cart, "tent", 3, 18900));

    CHECK_INT(cart->n_lines, 1);
    CHECK_INT(cart->lines[0]->quantity, 5);
    CHECK_INT(subtotal(cart), 5 * 18900);
    arena_free(arena);
}

static void a_full_cart_refuses_another_variant_but_takes_more_of_one(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_cart(arena, "customers/ann");

    for (int i = 0; i < CART_MAX_LINES; i++)
        CU_ASSERT_PTR_NULL(add(arena, cart, arena_printf(arena, "sku-%d", i), 1, 100));

    CHECK_TEXT(error_reason(add(arena, cart, "one-more", 1, 100)), "CART_FULL");
    CU_ASSERT_PTR_NULL(add(arena, cart, "sku-99", 1, 100));
    arena_free(arena);
}

static void a_line_holds_ten_thousand_pieces(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_cart(arena, "customers/ann");

    CU_ASSERT_PTR_NULL(add(arena, cart, "tent", CART_MAX_QUANTITY - 1, 1));
    CU_ASSERT_PTR_NULL(add(arena, cart, "tent", 1, 1));
    CHECK_TEXT(error_reason(add(arena, cart, "tent", 1, 1)), "QUANTITY_TOO_LARGE");
    arena_free(arena);
}

static void a_subtotal_that_cannot_be_counted_is_refused(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_cart(arena, "customers/ann");
    LineChanged event = THROUGHLINE__CART__V1__LINE_CHANGED__INIT;
    Actor actor = an_actor("customers/ann");

    CHECK_TEXT(error_reason(add(arena, cart, "yacht", 2, INT64_MAX / 2 + 1)), "AMOUNT_TOO_LARGE");
    cart = a_cart(arena, "customers/ann");
    CU_ASSERT_PTR_NULL(add(arena, cart, "yacht", 1, INT64_MAX - 5));
    CHECK_TEXT(error_reason(add(arena, cart, "rope", 1, 6)), "AMOUNT_TOO_LARGE");
    cart = a_cart(arena, "customers/ann");
    CU_ASSERT_PTR_NULL(add(arena, cart, "yacht", 1, INT64_MAX - 5));
    CHECK_TEXT(error_reason(cart_change_line(cart, "yacht", 2, &actor, arena, &event)),
        "AMOUNT_TOO_LARGE");
    arena_free(arena);
}

static void what_is_not_for_sale_does_not_go_in(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_cart(arena, "customers/ann");
    Product *dollars = a_product(arena, "tent", "USD", 100);
    Product *retired = a_product(arena, "tent", "EUR", 100);
    LineAdded event = THROUGHLINE__CART__V1__LINE_ADDED__INIT;
    Actor actor = an_actor("customers/ann");

    retired->state = THROUGHLINE__CATALOG__V1__PRODUCT__STATE__RETIRED;

    CHECK_TEXT(error_reason(cart_add_line(cart, dollars, "tent", 1, &actor, arena, &event)),
        "PRICE_MISSING");
    CHECK_TEXT(error_reason(cart_add_line(cart, retired, "tent", 1, &actor, arena, &event)),
        "PRODUCT_RETIRED");
    CHECK_TEXT(error_reason(cart_add_line(cart, dollars, "other", 1, &actor, arena, &event)),
        "VARIANT_NOT_FOUND");
    CU_ASSERT_PTR_NULL(event.cart);
    arena_free(arena);
}

static void a_quantity_is_set_and_zero_takes_the_line_out(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_cart(arena, "customers/ann");
    LineChanged event = THROUGHLINE__CART__V1__LINE_CHANGED__INIT;
    LineChanged zero = event, same = event;
    Actor actor = an_actor("customers/ann");

    a_line(arena, cart, "tent", 2, 19900);
    a_line(arena, cart, "rope", 1, 500);

    CU_ASSERT_PTR_NULL(cart_change_line(cart, "tent", 3, &actor, arena, &event));
    CHECK_INT(subtotal(cart), 3 * 19900 + 500);
    CHECK_INT(event.old_quantity, 2);
    CHECK_INT(event.new_quantity, 3);
    CU_ASSERT_PTR_NULL(cart_change_line(cart, "tent", 3, &actor, arena, &same));
    CU_ASSERT_PTR_NULL(same.cart);
    CU_ASSERT_PTR_NULL(cart_change_line(cart, "tent", 0, &actor, arena, &zero));
    CHECK_INT(cart->n_lines, 1);
    CHECK_TEXT(cart->lines[0]->sku, "rope");
    CHECK_INT(subtotal(cart), 500);
    CHECK_TEXT(
        error_reason(cart_change_line(cart, "tent", 1, &actor, arena, &event)), "LINE_NOT_FOUND");
    arena_free(arena);
}

static void a_line_is_taken_out(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_cart(arena, "customers/ann");
    LineRemoved event = THROUGHLINE__CART__V1__LINE_REMOVED__INIT;
    Actor actor = an_actor("customers/ann");

    a_line(arena, cart, "tent", 2, 19900);
    a_line(arena, cart, "rope", 1, 500);

    CU_ASSERT_PTR_NULL(cart_remove_line(cart, "tent", &actor, arena, &event));
    CHECK_INT(subtotal(cart), 500);
    CHECK_TEXT(event.sku, "tent");
    CHECK_TEXT(
        error_reason(cart_remove_line(cart, "tent", &actor, arena, &event)), "LINE_NOT_FOUND");
    arena_free(arena);
}

static void ten_codes_and_no_more(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_cart(arena, "customers/ann");
    Actor actor = an_actor("customers/ann");
    PromotionAdded event = THROUGHLINE__CART__V1__PROMOTION_ADDED__INIT, again = event;
    PromotionRemoved removed = THROUGHLINE__CART__V1__PROMOTION_REMOVED__INIT, absent = removed;

    for (int i = 0; i < CART_MAX_CODES; i++)
        CU_ASSERT_PTR_NULL(
            cart_add_code(cart, arena_printf(arena, "CODE-%d", i), &actor, arena, &event));

    CU_ASSERT_PTR_NULL(cart_add_code(cart, "CODE-3", &actor, arena, &again));
    CU_ASSERT_PTR_NULL(again.cart);
    CHECK_TEXT(
        error_reason(cart_add_code(cart, "ELEVEN", &actor, arena, &event)), "PROMOTIONS_FULL");
    CU_ASSERT_PTR_NULL(cart_remove_code(cart, "CODE-3", &actor, arena, &removed));
    CHECK_TEXT(removed.code, "CODE-3");
    CU_ASSERT_FALSE(cart_has_code(cart, "CODE-3"));
    CU_ASSERT(cart_has_code(cart, "CODE-4"));
    CU_ASSERT_PTR_NULL(cart_remove_code(cart, "CODE-3", &actor, arena, &absent));
    CU_ASSERT_PTR_NULL(absent.cart);
    arena_free(arena);
}

static void a_closed_cart_takes_no_change_and_says_where_it_went(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_cart(arena, "customers/ann");
    Actor actor = an_actor("customers/ann");
    LineChanged changed = THROUGHLINE__CART__V1__LINE_CHANGED__INIT;
    LineRemoved removed = THROUGHLINE__CART__V1__LINE_REMOVED__INIT;
    PromotionAdded added = THROUGHLINE__CART__V1__PROMOTION_ADDED__INIT;
    PromotionRemoved taken = THROUGHLINE__CART__V1__PROMOTION_REMOVED__INIT;
    const Error *error;

    a_line(arena, cart, "tent", 1, 19900);
    cart->state = THROUGHLINE__CART__V1__CART__STATE__ORDERED;
    cart->order = arena_text(arena, "orders/one");

    error = add(arena, cart, "tent", 1, 100);
    CHECK_TEXT(error_reason(error), "CART_CLOSED");
    CHECK_TEXT(error->facts[0].key, "order");
    CHECK_TEXT(error->facts[0].value, "orders/one");
    CHECK_TEXT(
        error_reason(cart_change_line(cart, "tent", 2, &actor, arena, &changed)), "CART_CLOSED");
    CHECK_TEXT(
        error_reason(cart_remove_line(cart, "tent", &actor, arena, &removed)), "CART_CLOSED");
    CHECK_TEXT(error_reason(cart_add_code(cart, "SPRING", &actor, arena, &added)), "CART_CLOSED");
    CHECK_TEXT(
        error_reason(cart_remove_code(cart, "SPRING", &actor, arena, &taken)), "CART_CLOSED");
    arena_free(arena);
}

static void an_etag_is_asked_only_when_given(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_cart(arena, "customers/ann");

    CU_ASSERT_PTR_NULL(cart_check_etag(cart, ""));
    CU_ASSERT_PTR_NULL(cart_check_etag(cart, "7"));
    CHECK_TEXT(error_reason(cart_check_etag(cart, "6")), "ETAG_STALE");
    arena_free(arena);
}

static void pending_work_is_ordered_by_time(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_cart(arena, "customers/ann");
    PendingWork *early = cart_pending(cart, 999999, arena);
    PendingWork *late = cart_pending(cart, some_noon, arena);

    CHECK_TEXT(early->key, "0000000000000999999 carts/one");
    CHECK_TEXT(late->key, "0001767268800000000 carts/one");
    arena_free(arena);
}

static CU_TestInfo tests[] = {
    { "a_new_cart_is_the_customers_or_held", a_new_cart_is_the_customers_or_held },
    { "an_agent_who_opens_a_cart_is_a_participant", an_agent_who_opens_a_cart_is_a_participant },
    { "a_line_notes_price_title_and_who", a_line_notes_price_title_and_who },
    { "quantities_of_a_variant_add_up_at_the_newest_price",
        quantities_of_a_variant_add_up_at_the_newest_price },
    { "a_full_cart_refuses_another_variant_but_takes_more_of_one",
        a_full_cart_refuses_another_variant_but_takes_more_of_one },
    { "a_line_holds_ten_thousand_pieces", a_line_holds_ten_thousand_pieces },
    { "a_subtotal_that_cannot_be_counted_is_refused",
        a_subtotal_that_cannot_be_counted_is_refused },
    { "what_is_not_for_sale_does_not_go_in", what_is_not_for_sale_does_not_go_in },
    { "a_quantity_is_set_and_zero_takes_the_line_out",
        a_quantity_is_set_and_zero_takes_the_line_out },
    { "a_line_is_taken_out", a_line_is_taken_out },
    { "ten_codes_and_no_more", ten_codes_and_no_more },
    { "a_closed_cart_takes_no_change_and_says_where_it_went",
        a_closed_cart_takes_no_change_and_says_where_it_went },
    { "an_etag_is_asked_only_when_given", an_etag_is_asked_only_when_given },
    { "pending_work_is_ordered_by_time", pending_work_is_ordered_by_time },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = { { .pName = "cart", .pTests = tests }, CU_SUITE_INFO_NULL };

    return test_main("cart_rules", suites, argc, argv);
}
