/* Changes of carts, cut off at every store operation and tried again: nothing is lost, nothing
 * happens twice. */
#include "tests/service/cart/cuts.h"

#include "shared/codec/message.h"
#include "tests/support/test_main.h"

#include <string.h>

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
    const char *customer = cut_somebody(fixture, "customers", cut), *guest;
    const Error *error;
    bool was_cut;
    int try = 0;

    fixture_act_as(fixture, "web", customer);
    shop_add(fixture, shop_cart(fixture)->name, "tent", 1);
    fixture_act_as(fixture, "web", cut_somebody(fixture, "anonymous", cut));
    guest = shop_cart(fixture)->name;
    shop_add(fixture, guest, "tent", 2);
    shop_add(fixture, guest, "rope", 4);
    fixture_act_as(fixture, "app", customer);

    cut_arm(cut);
    do {
        MergeReport report = THROUGHLINE__CART__V1__ATTACH_CUSTOMER_RESPONSE__INIT;

        error =
            shop_try_attach(fixture, guest, customer, cut_request_id(fixture, cut, try), &report);
    } while (cut_is_off(error) && ++try < CUT_MAX_RETRIES);
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
    const char *customer = cut_somebody(fixture, "customers", cut), *guest;
    const Error *error;
    bool was_cut;
    int try = 0;

    fixture_act_as(fixture, "web", cut_somebody(fixture, "anonymous", cut));
    guest = shop_cart(fixture)->name;
    shop_add(fixture, guest, "rope", 4);
    fixture_act_as(fixture, "app", customer);

    cut_arm(cut);
    do {
        MergeReport report = THROUGHLINE__CART__V1__ATTACH_CUSTOMER_RESPONSE__INIT;

        error =
            shop_try_attach(fixture, guest, customer, cut_request_id(fixture, cut, try), &report);
    } while (cut_is_off(error) && ++try < CUT_MAX_RETRIES);
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

/* Only the same request can go on: to another one the code is used. */
static bool claim_with_a_cut(Fixture *fixture, const Cut *cut)
{
    const char *till = cut_somebody(fixture, "anonymous", cut), *channel, *code, *cart;
    Cart reply = THROUGHLINE__CART__V1__CART__INIT;
    const Error *error;
    bool holds;
    bool was_cut;
    int try = 0;

    fixture_act_as(fixture, "web", cut_somebody(fixture, "customers", cut));
    cart = shop_cart(fixture)->name;
    code = shop_handoff(fixture, cart);
    /* Each in a channel of its own: this is not about limits. */
    channel = arena_printf(fixture_arena(fixture), "store-%s", till + strlen("anonymous/"));
    fixture_act_as(fixture, channel, till);

    cut_arm(cut);
    do
        error = shop_try_claim(fixture, code, cut_request_id(fixture, cut, try), &reply);
    while (cut_is_off(error) && ++try < CUT_MAX_RETRIES);
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

    fixture_act_as(fixture, "web", cut_somebody(fixture, "customers", cut));
    request.cart = shop_cart(fixture)->name;
    request.item_case = THROUGHLINE__CART__V1__ADD_LINE_REQUEST__ITEM_SKU;
    request.sku = arena_text(fixture_arena(fixture), "tent");
    request.quantity = 1;
    request.request_id = arena_text(fixture_arena(fixture), cut_request_id(fixture, cut, 0));

    cut_arm(cut);
    do
        error = fixture_call(fixture, "CartService/AddLine", &request, &reply);
    while (cut_is_off(error) && ++try < CUT_MAX_RETRIES);
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
