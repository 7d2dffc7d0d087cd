#include "shared/base/error.h"

#include "tests/support/test_main.h"

static Arena *arena;

static const Error cart_full = { ERROR_FAILED_PRECONDITION, "CART_FULL",
    "A cart holds at most 100 different products." };

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

static void the_reason_of_no_error_is_ok(void)
{
    CHECK_TEXT(error_reason(NULL), "OK");
    CHECK_TEXT(error_reason(&cart_full), "CART_FULL");
}

static void an_error_with_values_has_them_in_its_message(void)
{
    const Error *error = error_new(arena, ERROR_NOT_FOUND, "CART_NOT_FOUND", "No cart %d.", 7);

    CHECK_INT(error->code, ERROR_NOT_FOUND);
    CHECK_TEXT(error->reason, "CART_NOT_FOUND");
    CHECK_TEXT(error->message, "No cart 7.");
    CHECK_INT(error->retry_after_ms, 0);
    CHECK_INT(error->n_facts, 0);
    CHECK_INT(error->n_violations, 0);
}

static void facts_are_added_to_a_copy(void)
{
    char value[] = "cart.write";
    const Error *one = error_with_fact(arena, &cart_full, "scope", value);
    const Error *two = error_with_fact(arena, one, "limit", "100");

    value[0] = 'X';

    CHECK_INT(cart_full.n_facts, 0);
    CHECK_INT(one->n_facts, 1);
    CHECK_INT(two->n_facts, 2);
    CHECK_TEXT(two->facts[0].key, "scope");
    CHECK_TEXT(two->facts[0].value, "cart.write");
    CHECK_TEXT(two->facts[1].key, "limit");
    CHECK_TEXT(two->facts[1].value, "100");
    CHECK_TEXT(two->message, cart_full.message);
    CHECK_INT(two->code, cart_full.code);
}

static void a_hint_when_to_try_again_keeps_the_rest(void)
{
    const Error *error =
        error_with_retry(arena, error_with_fact(arena, &cart_full, "limit", "100"), 250);

    CHECK_INT(error->retry_after_ms, 250);
    CHECK_INT(error->n_facts, 1);
    CHECK_TEXT(error->reason, "CART_FULL");
    CHECK_INT(cart_full.retry_after_ms, 0);
}

static void a_copy_outlives_what_it_is_of(void)
{
    Arena *other = arena_new();
    FieldViolation violation = { arena_text(other, "lines[1].sku"), arena_text(other, "is bad") };
    Error *error = arena_copy(
        other, error_new(other, ERROR_ABORTED, "ETAG_STALE", "Try %d.", 2), sizeof(*error));
    const Error *copy;

    error->violations = &violation;
    error->n_violations = 1;

    copy = error_copy(arena, error_with_fact(other, error, "etag", "7"));
    arena_free(other);

    CHECK_INT(copy->code, ERROR_ABORTED);
    CHECK_TEXT(copy->reason, "ETAG_STALE");
    CHECK_TEXT(copy->message, "Try 2.");
    CHECK_TEXT(copy->violations[0].field, "lines[1].sku");
    CHECK_TEXT(copy->facts[0].value, "7");
    CU_ASSERT_PTR_NULL(error_copy(arena, NULL));
}

static void codes_have_the_names_of_grpc(void)
{
    CHECK_TEXT(error_code_name(0), "OK");
    CHECK_TEXT(error_code_name(ERROR_CANCELLED), "CANCELLED");
    CHECK_TEXT(error_code_name(ERROR_INVALID_ARGUMENT), "INVALID_ARGUMENT");
    CHECK_TEXT(error_code_name(ERROR_RESOURCE_EXHAUSTED), "RESOURCE_EXHAUSTED");
    CHECK_TEXT(error_code_name(ERROR_ABORTED), "ABORTED");
    CHECK_TEXT(error_code_name(ERROR_UNAVAILABLE), "UNAVAILABLE");
    CHECK_TEXT(error_code_name(ERROR_UNAUTHENTICATED), "UNAUTHENTICATED");
    CHECK_INT(ERROR_UNAUTHENTICATED, 16);
    CHECK_INT(ERROR_INTERNAL, 13);
}

static void a_code_outside_the_list_is_unknown(void)
{
    CHECK_TEXT(error_code_name(17), "UNKNOWN");
    CHECK_TEXT(error_code_name(-1), "UNKNOWN");
    CHECK_TEXT(error_code_name(1 << 30), "UNKNOWN");
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "the_reason_of_no_error_is_ok", the_reason_of_no_error_is_ok },
        { "an_error_with_values_has_them_in_its_message",
            an_error_with_values_has_them_in_its_message },
        { "facts_are_added_to_a_copy", facts_are_added_to_a_copy },
        { "a_hint_when_to_try_again_keeps_the_rest", a_hint_when_to_try_again_keeps_the_rest },
        { "a_copy_outlives_what_it_is_of", a_copy_outlives_what_it_is_of },
        { "codes_have_the_names_of_grpc", codes_have_the_names_of_grpc },
        { "a_code_outside_the_list_is_unknown", a_code_outside_the_list_is_unknown },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "error", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("base_error", suites, argc, argv);
}
