/* Whose call it is: tokens and scopes, channel and actor, the trace. */
#include "shared/base/text.h"
#include "tests/rpc/echo_fixture.h"
#include "tests/support/test_main.h"

#include "grpc/health/v1/health.pb-c.h"

#include <string.h>

static Echo *echo;

static void start(void)
{
    echo = echo_start(NULL);
}

static void stop(void)
{
    echo_stop(echo);
}

static void hidden_methods_need_a_token(void)
{
    const RawPair other_scheme[] = { { "authorization", "Basic YTpi" }, { 0 } };
    const RawPair no_token[] = { { "authorization", "Bearer " }, { 0 } };
    EchoResponse *reply;
    const Error *error = echo_say(echo, NULL, "x", &reply);

    CHECK_INT(error->code, ERROR_UNAUTHENTICATED);
    CHECK_TEXT(error->reason, "TOKEN_MISSING");
    CHECK_TEXT(error_reason(echo_say(echo, other_scheme, "x", &reply)), "TOKEN_MISSING");
    CHECK_TEXT(error_reason(echo_say(echo, no_token, "x", &reply)), "TOKEN_MISSING");
}

static const RawPair *with_token(const char *token)
{
    RawPair *pairs = arena_array(echo->arena, 2, sizeof(*pairs));

    pairs[0].key = "authorization";
    pairs[0].value = arena_printf(echo->arena, "Bearer %s", token);
    return pairs;
}

static void a_bad_token_is_told_from_none(void)
{
    EchoResponse *reply;
    char *token = arena_text(echo->arena, echo_token(echo, "*", ""));
    char *dot = strrchr(token, '.');

    CHECK_TEXT(error_reason(echo_say(echo, with_token("rubbish"), "x", &reply)), "TOKEN_MALFORMED");
    dot[10] = dot[10] == 'A' ? 'B' : 'A';
    CHECK_TEXT(error_reason(echo_say(echo, with_token(token), "x", &reply)), "TOKEN_FORGED");
    CHECK_INT(echo_say(echo, with_token(token), "x", &reply)->code, ERROR_UNAUTHENTICATED);
}

static void the_scheme_is_read_without_regard_to_case(void)
{
    const RawPair pairs[] = {
        { "authorization", arena_printf(echo->arena, "bEARER %s", echo_token(echo, "echo", "")) },
        { 0 }
    };
    EchoResponse *reply;

    CHECK_TEXT(error_reason(echo_say(echo, pairs, "x", &reply)), "OK");
}

static void a_weak_token_is_told_which_scope_it_lacks(void)
{
    EchoResponse *reply;
    const Error *error =
        echo_say(echo, with_token(echo_token(echo, "echo.write", "")), "x", &reply);

    CHECK_INT(error->code, ERROR_PERMISSION_DENIED);
    CHECK_TEXT(error->reason, "SCOPE_MISSING");
    CHECK_CONTAINS(error->message, "\"echo\"");
    CHECK_INT(error->n_facts, 1);
    CHECK_TEXT(error->facts[0].key, "scope");
    CHECK_TEXT(error->facts[0].value, "echo");
}

static void open_methods_need_no_token(void)
{
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    Grpc__Health__V1__HealthCheckResponse *reply;

    CHECK_TEXT(error_reason(echo_call(echo, "/grpc.health.v1.Health/Check", NULL, &request,
                   &grpc__health__v1__health_check_response__descriptor, &reply)),
        "OK");
}

static const Error *context_of(const RawPair *pairs, EchoContextResponse **reply)
{
    Throughline__Echo__V1__EchoContextRequest request =
        THROUGHLINE__ECHO__V1__ECHO_CONTEXT_REQUEST__INIT;

    return echo_call(echo, ECHO_PATH "EchoContext", pairs, &request,
        &throughline__echo__v1__echo_context_response__descriptor, reply);
}

static void the_context_reaches_the_handler(void)
{
    const RawPair more[] = { { "throughline-channel", "web" }, { "throughline-actor", "agents/a" },
        { "throughline-on-behalf-of", "customers/c" }, { "throughline-device", "d" },
        { "throughline-journey", "j" }, { "throughline-purpose", "p" }, { 0 } };
    EchoContextResponse *reply = NULL;

    CHECK_TEXT(error_reason(context_of(echo_pairs_and(echo, more), &reply)), "OK");

    CU_ASSERT_FATAL(reply != NULL);
    CHECK_TEXT(reply->account, "accounts/test");
    CHECK_TEXT(reply->channel, "web");
    CHECK_TEXT(reply->actor, "agents/a");
    CHECK_TEXT(reply->on_behalf_of, "customers/c");
    CHECK_TEXT(reply->device, "d");
    CHECK_TEXT(reply->journey, "j");
    CHECK_TEXT(reply->purpose, "p");
    CU_ASSERT(text_starts_with(reply->peer, "ipv4:127.0.0.1:"));
}

static void a_change_without_channel_and_actor_is_refused(void)
{
    const RawPair actor[] = { { "throughline-actor", "agents/a" }, { 0 } };
    EchoContextResponse *reply;
    const Error *error = context_of(echo_pairs(echo), &reply);

    CHECK_INT(error->code, ERROR_FAILED_PRECONDITION);
    CHECK_TEXT(error->reason, "CONTEXT_MISSING");
    CHECK_CONTAINS(error->message, "throughline-channel and throughline-actor");
    CHECK_INT(error->n_facts, 2);

    error = context_of(echo_pairs_and(echo, actor), &reply);
    CHECK_TEXT(error_reason(error), "CONTEXT_MISSING");
    CHECK_INT(error->n_facts, 1);
    CHECK_TEXT(error->facts[0].key, "throughline-channel");
}

/* The token of a channel's own account. */
static const Error *as_store(const char *channel, EchoContextResponse **reply)
{
    const RawPair pairs[] = {
        { "authorization", arena_printf(echo->arena, "Bearer %s", echo_token(echo, "*", "store")) },
        { "throughline-actor", "agents/a" }, { channel ? "throughline-channel" : NULL, channel },
        { 0 }
    };

    return context_of(pairs, reply);
}

static void the_channel_is_the_accounts_own(void)
{
    EchoContextResponse *reply = NULL;

    CHECK_TEXT(error_reason(as_store(NULL, &reply)), "OK");
    CU_ASSERT_FATAL(reply != NULL);
    CHECK_TEXT(reply->channel, "store");
    CHECK_TEXT(error_reason(as_store("store", &reply)), "OK");
    CHECK_TEXT(error_reason(as_store("web", &reply)), "CHANNEL_MISMATCH");
}

static void context_that_is_too_long_is_refused(void)
{
    char *longest = arena_alloc(echo->arena, 258);
    const RawPair more[] = { { "throughline-channel", "web" }, { "throughline-actor", longest },
        { 0 } };
    EchoContextResponse *reply;
    const Error *error;

    memset(longest, 'a', 256);
    CHECK_TEXT(error_reason(context_of(echo_pairs_and(echo, more), &reply)), "OK");
    longest[256] = 'a';
    error = context_of(echo_pairs_and(echo, more), &reply);

    CHECK_TEXT(error_reason(error), "CONTEXT_INVALID");
    CHECK_CONTAINS(error->message, "throughline-actor");
}

static const char *trace_for(const char *key, const char *value)
{
    const RawPair more[] = { { "throughline-channel", "web" }, { "throughline-actor", "agents/a" },
        { key, value }, { 0 } };
    EchoContextResponse *reply = NULL;

    context_of(echo_pairs_and(echo, more), &reply);
    return reply ? reply->trace_id : "";
}

static void a_trace_is_continued(void)
{
    CHECK_TEXT(trace_for("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        "0af7651916cd43dd8448eb211c80319c");
    CHECK_TEXT(
        trace_for("traceparent", "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"),
        "0af7651916cd43dd8448eb211c80319c");
}

static void a_bad_trace_begins_a_new_one(void)
{
    const char *const bad[] = { "", "00", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more" };

    for (size_t i = 0; i < COUNT(bad); i++) {
        const char *trace = trace_for("traceparent", bad[i]);

        CHECK_INT(strlen(trace), 32);
        CU_ASSERT(strcmp(trace, "0af7651916cd43dd8448eb211c80319c") != 0);
        CU_ASSERT(strcmp(trace, "00000000000000000000000000000000") != 0);
    }
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "hidden methods need a token", hidden_methods_need_a_token },
        { "a bad token is told from none", a_bad_token_is_told_from_none },
        { "the scheme is read without regard to case", the_scheme_is_read_without_regard_to_case },
        { "a weak token is told which scope it lacks", a_weak_token_is_told_which_scope_it_lacks },
        { "open methods need no token", open_methods_need_no_token },
        { "the context reaches the handler", the_context_reaches_the_handler },
        { "a change without channel and actor is refused",
            a_change_without_channel_and_actor_is_refused },
        { "the channel is the account's own", the_channel_is_the_accounts_own },
        { "context that is too long is refused", context_that_is_too_long_is_refused },
        { "a trace is continued", a_trace_is_continued },
        { "a bad trace begins a new one", a_bad_trace_begins_a_new_one },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "context", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("rpc_context_test", suites, argc, argv);
}
