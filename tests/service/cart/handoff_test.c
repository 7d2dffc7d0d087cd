/* Handing a cart over by a code, through gRPC. */
#include "tests/service/cart/shop.h"

#include "services/cart/domain/handoff.h"
#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/support/test_main.h"

#include <string.h>

static void a_code_hands_the_cart_to_another_channel(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_cart(fixture), claimed = THROUGHLINE__CART__V1__CART__INIT;
    const char *code;

    cart = shop_add(fixture, cart->name, "tent", 2);
    code = shop_handoff(fixture, cart->name);
    CHECK_INT(strlen(code), 8);
    CHECK_INT(strspn(code, "0123456789"), 8);

    fixture_act_as(fixture, "store", "anonymous/till-3");
    code = arena_printf(fixture_arena(fixture), "%.4s %s", code, code + 4); /* as people write it */
    CU_ASSERT_PTR_NULL(shop_try_claim(fixture, code, "", &claimed));
    CHECK_TEXT(claimed.name, cart->name);
    CHECK_INT(shop_quantity(&claimed, "tent"), 2);
    CHECK_INT(shop_minor(claimed.subtotal), shop_minor(cart->subtotal));
    CHECK_TEXT(claimed.last_channel, "store");
    CHECK_INT(shop_quantity(shop_add(fixture, cart->name, "rope", 1), "rope"), 1);
    shop_close(fixture);
}

static void a_quote_given_before_the_handoff_still_holds(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_cart(fixture), claimed = THROUGHLINE__CART__V1__CART__INIT;
    SignedQuote *quote;
    const char *code;

    shop_add(fixture, cart->name, "tent", 2);
    quote = shop_quote(fixture, cart->name);
    code = shop_handoff(fixture, cart->name);
    fixture_act_as(fixture, "store", "anonymous/till-3");
    CU_ASSERT_PTR_NULL(shop_try_claim(fixture, code, "", &claimed));

    CHECK_INT(shop_minor(shop_checkout(fixture, cart->name, quote)->invoice->total), 2 * 19900);
    shop_close(fixture);
}

static void a_code_works_once(void)
{
    Fixture *fixture = shop_open();
    Cart first = THROUGHLINE__CART__V1__CART__INIT, again = first, other = first;
    const char *code = shop_handoff(fixture, shop_cart(fixture)->name);

    fixture_act_as(fixture, "store", "anonymous/till-3");
    CU_ASSERT_PTR_NULL(shop_try_claim(fixture, code, "claim-1", &first));
    CU_ASSERT_PTR_NULL(shop_try_claim(fixture, code, "claim-1", &again));
    CU_ASSERT(message_equal(&first, &again));
    CHECK_TEXT(error_reason(shop_try_claim(fixture, code, "claim-2", &other)), "HANDOFF_NOT_FOUND");
    CHECK_TEXT(error_reason(shop_try_claim(fixture, code, "", &other)), "HANDOFF_NOT_FOUND");
    shop_close(fixture);
}

static void expire(Fixture *fixture, const char *code)
{
    StoreView view = fixture_view(fixture);
    Handoff *handoff = message_new(fixture_arena(fixture), handoffs.message);

    CU_ASSERT_PTR_NULL(
        store_get(&view, &handoffs, handoff_name(fixture_arena(fixture), code), handoff));
    handoff->expire_time = timestamp_from_micros(fixture_arena(fixture), 1000000);
    CU_ASSERT_PTR_NULL(store_replace(&view, &handoffs, handoff, NULL));
}

/* Codes that are unknown, used, expired, replaced or lead to a closed cart cannot be told apart. */
static void a_wrong_code_is_wrong_in_one_way(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_cart(fixture), reply = THROUGHLINE__CART__V1__CART__INIT;
    const char *old = shop_handoff(fixture, cart->name);
    const char *used = shop_handoff(fixture, cart->name), *expired, *closed;
    const Error *errors[5];

    CU_ASSERT_PTR_NULL(shop_try_claim(fixture, used, "", &reply));
    expired = shop_handoff(fixture, cart->name);
    expire(fixture, expired);
    shop_add(fixture, cart->name, "tent", 1);
    errors[0] = shop_try_claim(fixture, old, "", &reply);
    errors[1] = shop_try_claim(fixture, used, "", &reply);
    errors[2] = shop_try_claim(fixture, expired, "", &reply);
    errors[3] =
        shop_try_claim(fixture, text_equal(used, "00000000") ? "00000001" : "00000000", "", &reply);
    closed = shop_handoff(fixture, cart->name);
    shop_checkout(fixture, cart->name, shop_quote(fixture, cart->name));
    errors[4] = shop_try_claim(fixture, closed, "", &reply);

    for (size_t i = 0; i < COUNT(errors); i++) {
        CHECK_TEXT(error_reason(errors[i]), "HANDOFF_NOT_FOUND");
        CHECK_TEXT(errors[i]->message, errors[0]->message);
    }
    CHECK_TEXT(error_reason(shop_try_claim(fixture, "1234567", "", &reply)), "FIELD_INVALID");
    CHECK_TEXT(error_reason(shop_try_claim(fixture, "1234567a", "", &reply)), "FIELD_INVALID");
    shop_close(fixture);
}

static void the_store_does_not_have_the_code(void)
{
    Fixture *fixture = shop_open();
    StoreView view = fixture_view(fixture);
    StoreQuery query = { .limit = 10 };
    const char *code = shop_handoff(fixture, shop_cart(fixture)->name);
    StorePage page;

    CU_ASSERT_PTR_NULL(store_find(&view, &handoffs, &query, &page));
    CHECK_INT(page.n_messages, 1);
    CHECK_TEXT(((Handoff *)page.messages[0])->code, "");
    CU_ASSERT_PTR_NULL(strstr(((Handoff *)page.messages[0])->name, code));
    shop_close(fixture);
}

static void only_who_may_change_a_cart_hands_it_over(void)
{
    Fixture *fixture = shop_open();
    Throughline__Cart__V1__CreateHandoffRequest request =
        THROUGHLINE__CART__V1__CREATE_HANDOFF_REQUEST__INIT;
    Handoff reply = THROUGHLINE__CART__V1__HANDOFF__INIT;
    Cart *cart = shop_cart(fixture);

    request.cart = cart->name;
    fixture_act_as(fixture, "web", "customers/bob");
    CHECK_TEXT(error_reason(fixture_call(fixture, "CartService/CreateHandoff", &request, &reply)),
        "CART_NOT_FOUND");
    fixture_act_as(fixture, "web", "customers/ann");
    shop_add(fixture, cart->name, "tent", 1);
    shop_checkout(fixture, cart->name, shop_quote(fixture, cart->name));
    CHECK_TEXT(error_reason(fixture_call(fixture, "CartService/CreateHandoff", &request, &reply)),
        "CART_CLOSED");
    request.cart = arena_text(fixture_arena(fixture), "");
    CHECK_TEXT(error_reason(fixture_call(fixture, "CartService/CreateHandoff", &request, &reply)),
        "FIELD_INVALID");
    shop_close(fixture);
}

static const Error *guess(Fixture *fixture, int number)
{
    Cart reply = THROUGHLINE__CART__V1__CART__INIT;

    return shop_try_claim(
        fixture, arena_printf(fixture_arena(fixture), "%08d", number), "", &reply);
}

/* What guessing came to in one channel. */
typedef struct Guesses {
    int by_actor, by_account;
    const Error *refused;
    const Error *right_code;
} Guesses;

static Guesses guess_on(Fixture *fixture, const char *channel, const char *code)
{
    Cart reply = THROUGHLINE__CART__V1__CART__INIT;
    Guesses guesses = { 0 };

    fixture_act_as(fixture, channel, "anonymous/guesser");
    while (text_equal(error_reason(guess(fixture, guesses.by_actor)), "HANDOFF_NOT_FOUND"))
        guesses.by_actor++;
    guesses.right_code = shop_try_claim(fixture, code, "", &reply);
    guesses.by_account = guesses.by_actor;
    for (int i = 0; !guesses.refused || i < HANDOFF_MAX_WRONG_ACCOUNT; i++) {
        const Error *error;

        fixture_act_as(
            fixture, channel, arena_printf(fixture_arena(fixture), "anonymous/guesser-%d", i));
        error = guess(fixture, i);
        if (text_equal(error_reason(error), "HANDOFF_NOT_FOUND"))
            guesses.by_account++;
        else
            guesses.refused = error;
    }
    return guesses;
}

static void guessing_ends_with_an_actors_and_an_accounts_limit(void)
{
    Fixture *fixture = shop_open();
    Cart reply = THROUGHLINE__CART__V1__CART__INIT;
    const char *code = shop_handoff(fixture, shop_cart(fixture)->name);
    Guesses guesses = { 0 };
    int64_t minute = -1;

    /* Limits are by the minute: a round that met the next one does not count. */
    for (int round = 0; minute != clock_now() / 60000000; round++) {
        minute = clock_now() / 60000000;
        guesses = guess_on(fixture, arena_printf(fixture_arena(fixture), "kiosk-%d", round), code);
    }

    CHECK_INT(guesses.by_actor, HANDOFF_MAX_WRONG_ACTOR);
    CHECK_INT(guesses.by_account, HANDOFF_MAX_WRONG_ACCOUNT);
    CHECK_TEXT(error_reason(guesses.refused), "TOO_MANY_WRONG_CODES");
    CU_ASSERT(guesses.refused->retry_after_ms > 0 && guesses.refused->retry_after_ms <= 60001);
    /* The right code did not help the guesser any more; others are not held up. */
    CHECK_TEXT(error_reason(guesses.right_code), "TOO_MANY_WRONG_CODES");
    fixture_act_as(fixture, "store", "anonymous/till");
    CU_ASSERT_PTR_NULL(shop_try_claim(fixture, code, "", &reply));
    fixture_act_as(fixture, "web", "customers/ann");
    shop_close(fixture);
}

static void right_codes_are_not_counted(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_cart(fixture), reply = THROUGHLINE__CART__V1__CART__INIT;

    for (int i = 0; i < HANDOFF_MAX_WRONG_ACTOR + 5; i++)
        CU_ASSERT_PTR_NULL(shop_try_claim(fixture, shop_handoff(fixture, cart->name), "", &reply));
    shop_close(fixture);
}

static CU_TestInfo tests[] = {
    { "a_code_hands_the_cart_to_another_channel", a_code_hands_the_cart_to_another_channel },
    { "a_quote_given_before_the_handoff_still_holds",
        a_quote_given_before_the_handoff_still_holds },
    { "a_code_works_once", a_code_works_once },
    { "a_wrong_code_is_wrong_in_one_way", a_wrong_code_is_wrong_in_one_way },
    { "the_store_does_not_have_the_code", the_store_does_not_have_the_code },
    { "only_who_may_change_a_cart_hands_it_over", only_who_may_change_a_cart_hands_it_over },
    { "guessing_ends_with_an_actors_and_an_accounts_limit",
        guessing_ends_with_an_actors_and_an_accounts_limit },
    { "right_codes_are_not_counted", right_codes_are_not_counted },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = { { .pName = "handoffs", .pTests = tests }, CU_SUITE_INFO_NULL };

    return test_main("cart_service_handoff", suites, argc, argv);
}
