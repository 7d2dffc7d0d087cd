#include "services/cart/domain/handoff.h"

#include "tests/support/test_main.h"
#include "tests/unit/cart/builders.h"

#include <string.h>

static void a_stored_handoff_does_not_show_its_code(void)
{
    Arena *arena = arena_new();
    Handoff handoff = THROUGHLINE__CART__V1__HANDOFF__INIT;

    handoff_make(&handoff, "12345678", "carts/one", some_noon, arena);

    CHECK_TEXT(handoff.name, handoff_name(arena, "12345678"));
    CHECK_TEXT(handoff.code, "");
    CHECK_TEXT(handoff.cart, "carts/one");
    CU_ASSERT(text_matches_name(handoff.name, "handoffs/*"));
    CU_ASSERT_PTR_NULL(strstr(handoff.name, "12345678"));
    CU_ASSERT(!text_equal(handoff.name, handoff_name(arena, "12345679")));
    arena_free(arena);
}

static void a_code_holds_for_ten_minutes(void)
{
    Arena *arena = arena_new();
    Handoff handoff = THROUGHLINE__CART__V1__HANDOFF__INIT;
    int64_t end = some_noon + 600 * INT64_C(1000000);

    handoff_make(&handoff, "12345678", "carts/one", some_noon, arena);

    CU_ASSERT_PTR_NULL(handoff_check(&handoff, "a", end - 1));
    CHECK_TEXT(error_reason(handoff_check(&handoff, "a", end)), "HANDOFF_NOT_FOUND");
    CU_ASSERT_FALSE(handoff_is_over(&handoff, end - 1));
    CU_ASSERT(handoff_is_over(&handoff, end));
    arena_free(arena);
}

static void a_code_works_for_one_request(void)
{
    Arena *arena = arena_new();
    Handoff handoff = THROUGHLINE__CART__V1__HANDOFF__INIT;
    Actor till = an_actor("anonymous/till");

    handoff_make(&handoff, "12345678", "carts/one", some_noon, arena);
    handoff_use(&handoff, &till, "request-a", arena);

    CHECK_TEXT(handoff.claimed_by, "anonymous/till");
    CU_ASSERT(handoff_is_over(&handoff, some_noon));
    CU_ASSERT_PTR_NULL(handoff_check(&handoff, "request-a", some_noon));
    CU_ASSERT_PTR_EQUAL(handoff_check(&handoff, "request-b", some_noon), &handoff_not_found);
    arena_free(arena);
}

static void wrong_codes_are_counted_by_who_and_minute(void)
{
    Arena *arena = arena_new();
    ClaimCount a = THROUGHLINE__CART__V1__CLAIM_COUNT__INIT, same = a, later = a, other = a;

    claim_count_make(&a, "accounts/web", some_noon, arena);
    claim_count_make(&same, "accounts/web", some_noon + 59999999, arena);
    claim_count_make(&later, "accounts/web", some_noon + 60000000, arena);
    claim_count_make(&other, "accounts/app", some_noon, arena);

    CHECK_TEXT(a.name, same.name);
    CU_ASSERT(!text_equal(a.name, later.name));
    CU_ASSERT(!text_equal(a.name, other.name));
    arena_free(arena);
}

static void a_refused_claim_says_when_to_come_back(void)
{
    Arena *arena = arena_new();

    CHECK_INT(claim_refused(some_noon, arena)->retry_after_ms, 60001);
    CHECK_INT(claim_refused(some_noon + 45000000, arena)->retry_after_ms, 15001);
    CHECK_TEXT(error_reason(claim_refused(some_noon, arena)), "TOO_MANY_WRONG_CODES");
    arena_free(arena);
}

static CU_TestInfo tests[] = {
    { "a_stored_handoff_does_not_show_its_code", a_stored_handoff_does_not_show_its_code },
    { "a_code_holds_for_ten_minutes", a_code_holds_for_ten_minutes },
    { "a_code_works_for_one_request", a_code_works_for_one_request },
    { "wrong_codes_are_counted_by_who_and_minute", wrong_codes_are_counted_by_who_and_minute },
    { "a_refused_claim_says_when_to_come_back", a_refused_claim_says_when_to_come_back },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = { { .pName = "handoff", .pTests = tests }, CU_SUITE_INFO_NULL };

    return test_main("cart_handoff", suites, argc, argv);
}
