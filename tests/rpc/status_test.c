/* Errors as they travel, there and back. */
#include "shared/codec/message.h"
#include "shared/rpc/status.h"
#include "tests/support/test_main.h"

#include "google/rpc/status.pb-c.h"

#include <string.h>

static Arena *arena;

static void start(void)
{
    arena = arena_new();
}

static void stop(void)
{
    arena_free(arena);
}

static const Error *there_and_back(const Error *error)
{
    RpcStatus status = status_from_error(arena, error);

    return status_to_error(arena, &status);
}

static void success_is_nothing(void)
{
    RpcStatus status = status_from_error(arena, NULL);

    CHECK_INT(status.code, 0);
    CHECK_INT(status.details.size, 0);
    CU_ASSERT_PTR_NULL(status_to_error(arena, &status));
}

static void everything_comes_back(void)
{
    const FieldViolation violations[] = { { "a", "is bad" }, { "b[1].c", "is worse" } };
    const ErrorFact facts[] = { { "scope", "cart.write" }, { "limit", "100" } };
    const Error sent = { ERROR_RESOURCE_EXHAUSTED, "TOO_MUCH", "It is 100 % too much, ü.", 1250, 2,
        violations, 2, facts };
    const Error *error = there_and_back(&sent);

    CHECK_INT(error->code, ERROR_RESOURCE_EXHAUSTED);
    CHECK_TEXT(error->reason, "TOO_MUCH");
    CHECK_TEXT(error->message, "It is 100 % too much, ü.");
    CHECK_INT(error->retry_after_ms, 1250);
    CHECK_INT(error->n_violations, 2);
    CHECK_TEXT(error->violations[1].field, "b[1].c");
    CHECK_TEXT(error->violations[1].description, "is worse");
    CHECK_INT(error->n_facts, 2);
    CHECK_TEXT(error->facts[0].key, "scope");
    CHECK_TEXT(error->facts[1].value, "100");
}

/* 8 KiB is what clients take by default; base64 makes four bytes of three. */
static void an_answer_fits_into_trailers_whatever_was_wrong(void)
{
    enum { VIOLATIONS = 100, LONG = 100000, TRAILERS = 8192 };
    char *text = memset(arena_alloc(arena, LONG + 1), 'x', LONG);
    FieldViolation violations[VIOLATIONS];
    const ErrorFact fact = { "value", text };
    Error error = { ERROR_INVALID_ARGUMENT, "FIELD_INVALID", text, .n_violations = VIOLATIONS,
        .violations = violations, .n_facts = 1, .facts = &fact };
    RpcStatus status;

    for (int i = 0; i < VIOLATIONS; i++)
        violations[i] = (FieldViolation){ i % 2 ? text : "lines[17].quantity", text };
    status = status_from_error(arena, &error);

    CU_ASSERT(status.details.size * 4 / 3 + strlen(status.message) < TRAILERS);
    CU_ASSERT(there_and_back(&error)->n_violations > 5);
    CHECK_TEXT(there_and_back(&error)->violations[0].field, "lines[17].quantity");
}

static void causes_inside_stay_inside(void)
{
    static const ErrorCode hidden[] = { ERROR_INTERNAL, ERROR_UNKNOWN, ERROR_DATA_LOSS };
    const ErrorFact facts[] = { { "file", "/secret/path" } };

    for (size_t i = 0; i < COUNT(hidden); i++) {
        const Error sent = { hidden[i], "DISK_BROKEN", "secret path", .n_facts = 1,
            .facts = facts };
        RpcStatus status = status_from_error(arena, &sent);
        const Error *error = status_to_error(arena, &status);

        CHECK_INT(error->code, hidden[i]);
        CHECK_TEXT(error->reason, "DISK_BROKEN");
        CHECK_INT(error->n_facts, 0);
        CU_ASSERT_PTR_NULL(memmem(status.details.data, status.details.size, "secret", 6));
        CU_ASSERT_PTR_NULL(strstr(status.message, "secret"));
    }
}

static void a_public_message_is_passed_on(void)
{
    const Error sent = { ERROR_UNKNOWN, "AS_ASKED", "for everybody", .is_public = true };

    CHECK_TEXT(status_from_error(arena, &sent).message, "for everybody");
}

static void the_details_are_google_rpc_status(void)
{
    const Error sent = { ERROR_NOT_FOUND, "CART_NOT_FOUND", "There is no such cart." };
    RpcStatus status = status_from_error(arena, &sent);
    Google__Rpc__Status *rich =
        message_unpack(arena, &google__rpc__status__descriptor, status.details);

    CHECK_INT(rich->code, 5);
    CHECK_TEXT(rich->message, "There is no such cart.");
    CHECK_INT(rich->n_details, 1);
    CHECK_TEXT(rich->details[0]->type_url, "type.googleapis.com/google.rpc.ErrorInfo");
}

static const Error *from(int code, const void *details, size_t size)
{
    return status_to_error(arena, &(RpcStatus){ code, "text", { details, size } });
}

static void a_status_of_strangers_is_an_error_too(void)
{
    CHECK_TEXT(from(14, NULL, 0)->reason, "UNAVAILABLE");
    CHECK_TEXT(from(14, "\xff\xff", 2)->reason, "UNAVAILABLE");
    CHECK_TEXT(from(14, "\x1a\x02\x0a\x7f", 4)->reason, "UNAVAILABLE");
    CHECK_INT(from(99, NULL, 0)->code, ERROR_UNKNOWN);
    CHECK_INT(from(-1, NULL, 0)->code, ERROR_UNKNOWN);
    CHECK_TEXT(from(5, NULL, 0)->message, "text");
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "success is nothing", success_is_nothing },
        { "everything comes back", everything_comes_back },
        { "an answer fits into trailers whatever was wrong",
            an_answer_fits_into_trailers_whatever_was_wrong },
        { "causes inside stay inside", causes_inside_stay_inside },
        { "a public message is passed on", a_public_message_is_passed_on },
        { "the details are google.rpc.Status", the_details_are_google_rpc_status },
        { "a status of strangers is an error too", a_status_of_strangers_is_an_error_too },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "status", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("rpc_status_test", suites, argc, argv);
}
