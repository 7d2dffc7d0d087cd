/* What handlers use on requests, without a network: checks, pages, and calls that have no wire
 * behind them. */
#include "shared/base/clock.h"
#include "shared/rpc/check.h"
#include "shared/rpc/page.h"
#include "tests/support/test_main.h"

#include "grpc/health/v1/health.pb-c.h"

#include <string.h>

static Arena *arena;
static RpcCall *call;

static void start(void)
{
    arena = arena_new();
    call =
        rpc_internal_call(arena, "test.Service/List", &(RpcContext){ .actor = "services/x" }, NULL);
}

static void stop(void)
{
    arena_free(arena);
}

/* The one violation of this call, "" when there is none; forgets it. */
static const char *complaint(void)
{
    const char *text = "";

    CU_ASSERT(call->n_violations <= 1);
    if (call->n_violations)
        text = arena_printf(
            arena, "%s %s", call->violations[0].field, call->violations[0].description);
    call->n_violations = 0;
    return text;
}

static void names_have_their_shape(void)
{
    check_name(call, "cart", "carts/abc", "carts/*");
    CHECK_TEXT(complaint(), "");
    check_name(call, "cart", "", "carts/*");
    CHECK_TEXT(complaint(), "cart is required, as \"carts/*\"");
    check_name(call, "cart", "orders/abc", "carts/*");
    CHECK_TEXT(complaint(), "cart must be of the form \"carts/*\"");
    check_optional_name(call, "cart", "", "carts/*");
    CHECK_TEXT(complaint(), "");
    check_optional_name(call, "cart", "carts/", "carts/*");
    CHECK_TEXT(complaint(), "cart must be of the form \"carts/*\"");
}

static void texts_are_measured_in_characters(void)
{
    check_text(call, "note", "äöü", 1, 3);
    CHECK_TEXT(complaint(), "");
    check_text(call, "note", "äöüß", 1, 3);
    CHECK_TEXT(complaint(), "note must have 1 to 3 characters, has 4");
    check_text(call, "note", "", 1, 3);
    CHECK_TEXT(complaint(), "note is required");
    check_text(call, "note", "", 0, 3);
    CHECK_TEXT(complaint(), "");
}

static void numbers_and_counts_have_bounds(void)
{
    check_range(call, "quantity", 1, 1, 9);
    check_range(call, "quantity", 9, 1, 9);
    check_count(call, "lines", 0, 0, 5);
    check_count(call, "lines", 5, 0, 5);
    CHECK_TEXT(complaint(), "");
    check_range(call, "quantity", 0, 1, 9);
    CHECK_TEXT(complaint(), "quantity must be 1 to 9, is 0");
    check_range(call, "quantity", INT64_MIN, 1, 9);
    CHECK_TEXT(complaint(), "quantity must be 1 to 9, is -9223372036854775808");
    check_count(call, "lines", 6, 0, 5);
    CHECK_TEXT(complaint(), "lines must have 0 to 5 items, has 6");
}

static void enums_are_known_and_given(void)
{
    const ProtobufCEnumDescriptor *type =
        &grpc__health__v1__health_check_response__serving_status__descriptor;

    check_enum(call, "status", type, 1);
    CHECK_TEXT(complaint(), "");
    check_enum(call, "status", type, 0);
    CHECK_TEXT(complaint(), "status is required");
    check_enum(call, "status", type, 77);
    CHECK_TEXT(complaint(), "status has no value 77");
}

static void request_ids_are_plain_and_short(void)
{
    char longest[257];

    memset(longest, 'a', sizeof(longest));
    longest[255] = '\0';
    check_request_id(call, "");
    check_request_id(call, "Az09_.~:-");
    check_request_id(call, longest);
    CHECK_TEXT(complaint(), "");
    longest[255] = 'a';
    longest[256] = '\0';
    check_request_id(call, longest);
    CHECK_TEXT(complaint(), "request_id must have at most 255 characters");
    check_request_id(call, "with space");
    CHECK_TEXT(complaint(), "request_id may only contain letters, digits and _ . ~ : -");
}

static const char *money(const char *currency, int64_t units, int32_t nanos, int64_t *minor)
{
    Google__Type__Money amount = GOOGLE__TYPE__MONEY__INIT;

    amount.currency_code = (char *)(uintptr_t)currency;
    amount.units = units;
    amount.nanos = nanos;
    check_money(call, "price", &amount, 0, 100000, minor);
    return complaint();
}

static void money_is_of_a_currency_and_within_bounds(void)
{
    int64_t minor = -1;

    CHECK_TEXT(money("EUR", 12, 500000000, &minor), "");
    CHECK_INT(minor, 1250);
    CHECK_TEXT(money("JPY", 100000, 0, &minor), "");
    CHECK_INT(minor, 100000);
    CHECK_TEXT(
        money("XXQ", 1, 0, &minor), "price.currency_code must be an ISO 4217 currency, as \"EUR\"");
    CHECK_CONTAINS(money("EUR", 1, 5000000, &minor), "price is not an amount of EUR");
    CHECK_CONTAINS(money("EUR", 1, -500000000, &minor), "price is not an amount of EUR");
    CHECK_CONTAINS(money("EUR", INT64_MAX, 0, &minor), "price is not an amount of EUR");
    CHECK_TEXT(money("EUR", -1, 0, &minor), "price must be 0.00 EUR to 1000.00 EUR");
    CHECK_INT(minor, 100000);
    check_money(call, "price", NULL, 0, 1, &minor);
    CHECK_TEXT(complaint(), "price is required");
}

static void all_violations_come_in_one_answer(void)
{
    const Error *error;

    CU_ASSERT_PTR_NULL(check_result(call));
    for (int i = 0; i < 150; i++)
        check_fail(call, check_path(call, "lines[%d].quantity", i), "is odd");
    error = check_result(call);

    CHECK_INT(error->code, ERROR_INVALID_ARGUMENT);
    CHECK_TEXT(error->reason, "FIELD_INVALID");
    CHECK_INT(error->n_violations, CHECK_MAX_VIOLATIONS);
    CHECK_TEXT(error->violations[99].field, "lines[99].quantity");
}

static void page_sizes_are_lowered_not_refused(void)
{
    CHECK_INT(page_read(call, 0, "", "").limit, PAGE_DEFAULT);
    CHECK_INT(page_read(call, 7, "", "").limit, 7);
    CHECK_INT(page_read(call, INT32_MAX, "", "").limit, PAGE_MAX);
    CHECK_TEXT(complaint(), "");
    page_read(call, -1, "", "");
    CHECK_TEXT(complaint(), "page_size must not be negative");
}

static void a_token_leads_to_where_it_was_made(void)
{
    RpcPage first = page_read(call, 10, "", "customer=a");
    const char *token = page_token(call, &first, "2026-11-22/line 7/ü");

    CHECK_TEXT(first.resume, "");
    CHECK_TEXT(page_read(call, 20, token, "customer=a").resume, "2026-11-22/line 7/ü");
    CHECK_TEXT(complaint(), "");
    CHECK_TEXT(page_token(call, &first, ""), "");
}

static void a_token_of_another_list_is_refused(void)
{
    RpcPage first = page_read(call, 10, "", "customer=a");
    const char *token = page_token(call, &first, "key");

    CHECK_TEXT(page_read(call, 10, token, "customer=b").resume, "");
    CHECK_CONTAINS(complaint(), "page_token");
    call->method = "test.Service/ListOthers";
    CHECK_TEXT(page_read(call, 10, token, "customer=a").resume, "");
    CHECK_CONTAINS(complaint(), "page_token");
}

static void a_token_that_was_touched_is_refused(void)
{
    RpcPage first = page_read(call, 10, "", "x");
    char *token = page_token(call, &first, "a resume key");

    for (size_t i = 0; i < strlen(token); i++) {
        char kept = token[i];

        token[i] = kept == 'A' ? 'B' : 'A';
        CHECK_TEXT(page_read(call, 10, token, "x").resume, "");
        CHECK_CONTAINS(complaint(), "page_token");
        token[i] = kept;
    }
    token[strlen(token) - 1] = '\0';
    page_read(call, 10, token, "x");
    CHECK_CONTAINS(complaint(), "page_token");
    page_read(call, 10, "!", "x");
    CHECK_CONTAINS(complaint(), "page_token");
}

static void a_call_of_our_own_has_the_same_face(void)
{
    CHECK_TEXT(call->context.actor, "services/x");
    CHECK_TEXT(call->context.channel, "");
    CU_ASSERT(caller_has_scope(call->caller, "anything"));
    CHECK_INT(strlen(call->trace_id), 32);
    CU_ASSERT_FALSE(rpc_should_stop(call));
    CHECK_INT(rpc_remaining_ms(call), INT32_MAX);
    call->deadline = clock_monotonic() + 5000000;
    CU_ASSERT(rpc_remaining_ms(call) > 4000 && rpc_remaining_ms(call) <= 5000);
    call->deadline = clock_monotonic() - 1;
    CU_ASSERT(rpc_should_stop(call));
    CHECK_INT(rpc_remaining_ms(call), 0);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "names have their shape", names_have_their_shape },
        { "texts are measured in characters", texts_are_measured_in_characters },
        { "numbers and counts have bounds", numbers_and_counts_have_bounds },
        { "enums are known and given", enums_are_known_and_given },
        { "request ids are plain and short", request_ids_are_plain_and_short },
        { "money is of a currency and within bounds", money_is_of_a_currency_and_within_bounds },
        { "all violations come in one answer", all_violations_come_in_one_answer },
        { "page sizes are lowered, not refused", page_sizes_are_lowered_not_refused },
        { "a token leads to where it was made", a_token_leads_to_where_it_was_made },
        { "a token of another list is refused", a_token_of_another_list_is_refused },
        { "a token that was touched is refused", a_token_that_was_touched_is_refused },
        { "a call of our own has the same face", a_call_of_our_own_has_the_same_face },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "requests", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("rpc_request_test", suites, argc, argv);
}
