/* Unary calls through the whole pipeline. */
#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "tests/rpc/echo_fixture.h"
#include "tests/support/test_main.h"

#include <stdatomic.h>
#include <stdlib.h>
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

static void a_call_that_never_blocks_is_answered(void)
{
    EchoResponse *reply = NULL;

    CHECK_TEXT(error_reason(echo_say(echo, echo_pairs(echo), "hello", &reply)), "OK");

    CU_ASSERT_FATAL(reply != NULL);
    CHECK_INT(reply->payload.len, 5);
    CU_ASSERT(!memcmp(reply->payload.data, "hello", 5));
}

static void a_call_that_must_block_after_all_is_moved_to_a_worker(void)
{
    EchoResponse *reply = NULL;

    atomic_store(&echo->state.blocks, true);
    CHECK_TEXT(error_reason(echo_say(echo, echo_pairs(echo), "hello", &reply)), "OK");

    CU_ASSERT_FATAL(reply != NULL);
    CHECK_INT(reply->payload.len, 5);
    CHECK_INT(atomic_load(&echo->state.moved), 1);
}

static void a_call_that_blocks_is_answered(void)
{
    EchoSlowlyResponse *reply = NULL;

    CHECK_TEXT(error_reason(echo_slowly(echo, "grüße", 20, &reply)), "OK");

    CU_ASSERT_FATAL(reply != NULL);
    CHECK_TEXT(reply->text, "grüße");
    CU_ASSERT_FALSE(reply->was_cancelled);
}

static const Error *fail_with(int code, const char *text)
{
    EchoSlowlyRequest request = THROUGHLINE__ECHO__V1__ECHO_SLOWLY_REQUEST__INIT;
    EchoSlowlyResponse *reply;

    request.code = code;
    request.text = (char *)(uintptr_t)text;
    return echo_call(echo, ECHO_PATH "EchoSlowly", echo_pairs(echo), &request,
        &throughline__echo__v1__echo_slowly_response__descriptor, &reply);
}

static void an_error_keeps_its_code_reason_and_sentence(void)
{
    const Error *error = fail_with(ERROR_ABORTED, "100 % sure");

    CHECK_INT(error->code, ERROR_ABORTED);
    CHECK_TEXT(error->reason, "AS_ASKED");
    CHECK_TEXT(error->message, "As asked: 100 % sure.");
}

static void an_internal_error_keeps_its_cause_to_itself(void)
{
    const Error *error = fail_with(ERROR_INTERNAL, "the secret cause");

    CHECK_INT(error->code, ERROR_INTERNAL);
    CU_ASSERT_PTR_NULL(strstr(error->message, "secret"));
    CHECK_INT(error->n_facts, 0);
}

static void every_bad_field_is_named(void)
{
    char text[102];
    const Error *error;
    EchoSlowlyResponse *reply;

    memset(text, 'x', 101);
    text[101] = '\0';
    error = echo_slowly(echo, text, -5000, &reply);

    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    CHECK_INT(error->n_violations, 2);
    CHECK_TEXT(error->violations[0].field, "text");
    CHECK_TEXT(error->violations[0].description, "must have 0 to 100 characters, has 101");
    CHECK_TEXT(error->violations[1].field, "delay");
}

static int remaining_ms(int timeout_ms)
{
    EchoSlowlyRequest request = THROUGHLINE__ECHO__V1__ECHO_SLOWLY_REQUEST__INIT;
    RawCall *call = echo_open(echo, ECHO_PATH "EchoSlowly", &request, timeout_ms);
    EchoSlowlyResponse *reply =
        echo_next(echo, call, &throughline__echo__v1__echo_slowly_response__descriptor);
    int remaining = (int)reply->remaining->seconds * 1000 + reply->remaining->nanos / 1000000;

    CU_ASSERT_PTR_NULL(raw_status(call));
    raw_free(call);
    return remaining;
}

static void the_callers_deadline_is_known(void)
{
    int remaining = remaining_ms(5000);

    CU_ASSERT(remaining > 4000 && remaining <= 5050);
}

static void a_call_without_a_deadline_gets_the_default(void)
{
    int remaining = remaining_ms(RAW_NO_DEADLINE);

    CU_ASSERT(remaining > 29000 && remaining <= 30000);
}

static RawCall *open_slow(int delay_seconds, int timeout_ms)
{
    EchoSlowlyRequest request = THROUGHLINE__ECHO__V1__ECHO_SLOWLY_REQUEST__INIT;
    Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;

    delay.seconds = delay_seconds;
    request.delay = &delay;
    return echo_open(echo, ECHO_PATH "EchoSlowly", &request, timeout_ms);
}

static void a_cancelled_call_stops_its_handler(void)
{
    RawCall *call = open_slow(30, RAW_NO_DEADLINE);

    CU_ASSERT(comes_to(&echo->state.running, 1));
    raw_cancel(call);

    CU_ASSERT(comes_to(&echo->state.cancelled, 1));
    CHECK_INT(echo->state.finished, 0);
    raw_free(call);
}

static void a_passed_deadline_stops_its_handler(void)
{
    RawCall *call = open_slow(30, 100);
    const Error *error = raw_status(call);

    CU_ASSERT(comes_to(&echo->state.cancelled, 1));
    if (error) /* or the handler was quicker to see it than the client */
        CHECK_INT(error->code, ERROR_DEADLINE_EXCEEDED);
    raw_free(call);
}

static void the_default_deadline_stops_a_handler_too(void)
{
    EchoSlowlyResponse *reply;
    RawCall *call;

    echo_stop(echo);
    echo = echo_start(&(RpcLimits){ .default_deadline_ms = 100 });
    call = open_slow(30, RAW_NO_DEADLINE);
    reply = echo_next(echo, call, &throughline__echo__v1__echo_slowly_response__descriptor);

    CU_ASSERT_FATAL(reply != NULL);
    CU_ASSERT(reply->was_cancelled);
    raw_free(call);
}

static void unknown_methods_and_services_are_refused(void)
{
    const Bytes nothing = { 0 };
    const char *const paths[] = { ECHO_PATH "Nothing", "/no.such.Service/Echo", "/", "/x",
        "/throughline.echo.v1.EchoService" };

    for (size_t i = 0; i < COUNT(paths); i++) {
        const Error *error =
            raw_unary(echo->client, echo->arena, paths[i], echo_pairs(echo), nothing, NULL);

        CHECK_INT(error->code, ERROR_UNIMPLEMENTED);
        CHECK_TEXT(error->reason, "METHOD_UNKNOWN");
    }
}

static void a_call_without_its_message_is_refused(void)
{
    RawCall *call = raw_start(echo->client, ECHO_PATH "Echo", echo_pairs(echo), 5000);

    raw_finish_sending(call);

    CHECK_TEXT(error_reason(raw_status(call)), "MESSAGE_MISSING");
    raw_free(call);
}

static void calls_are_counted_by_method_and_status(void)
{
    EchoResponse *reply;

    echo_say(echo, echo_pairs(echo), "x", &reply);
    echo_say(echo, echo_pairs(echo), "x", &reply);
    echo_say(echo, NULL, "x", &reply);
    raw_unary(echo->client, echo->arena, "/a/b", NULL, (Bytes){ 0 }, NULL);

    CHECK_CONTAINS(echo_metrics(echo),
        "grpc_server_call_started_total{grpc_method=\"throughline.echo.v1."
        "EchoService/Echo\"} 3\n");
    CHECK_CONTAINS(echo_metrics(echo),
        "grpc_server_call_duration_seconds_count{grpc_method=\"throughline.echo."
        "v1.EchoService/Echo\",grpc_status=\"OK\"} 2\n");
    CHECK_CONTAINS(echo_metrics(echo), "grpc_status=\"UNAUTHENTICATED\"} 1\n");
    CHECK_CONTAINS(echo_metrics(echo),
        "grpc_server_call_duration_seconds_count{grpc_method=\"other\","
        "grpc_status=\"UNIMPLEMENTED\"} 1\n");
    CHECK_CONTAINS(echo_metrics(echo),
        "grpc_server_call_rcvd_message_bytes_total{grpc_method=\"throughline."
        "echo.v1.EchoService/Echo\"} 9\n");
}

static const Error *replaying_begin(void *context, RpcCall *call, const ProtobufCMessage *request,
    ProtobufCMessage *reply, Bytes request_bytes)
{
    static const Error refused = { ERROR_ALREADY_EXISTS, "BEGIN_SAYS_NO", "No." };

    (void)call;
    CU_ASSERT(request != NULL && reply != NULL);
    atomic_store((atomic_size_t *)context, request_bytes.size);
    return request_bytes.size == 0 ? &refused : NULL;
}

static const Error *replaying_end(void *context, RpcCall *call, const Error *error, Bytes *replayed)
{
    (void)context, (void)call;
    if (error)
        return error;
    *replayed = (Bytes){ (const uint8_t *)"\x0a\x05"
                                          "again",
        7 };
    return NULL;
}

static void hooks_may_refuse_and_replay(void)
{
    atomic_size_t seen = 99;
    RpcServerOptions options = { .hooks = { &seen, replaying_begin, replaying_end } };
    EchoRequest empty = THROUGHLINE__ECHO__V1__ECHO_REQUEST__INIT;
    EchoResponse *reply = NULL;

    echo_stop(echo);
    echo = echo_start_with(&options);
    CHECK_TEXT(error_reason(echo_say(echo, echo_pairs(echo), "first", &reply)), "OK");
    CU_ASSERT_FATAL(reply != NULL);
    CHECK_INT(seen, 7);
    CU_ASSERT(!memcmp(reply->payload.data, "again", 5));

    CHECK_TEXT(error_reason(echo_call(echo, ECHO_PATH "Echo", echo_pairs(echo), &empty,
                   &throughline__echo__v1__echo_response__descriptor, &reply)),
        "BEGIN_SAYS_NO");
}

/* A service that the descriptor set does not know has no policies. */
static void a_method_without_a_policy_keeps_the_server_from_starting(void)
{
    static const ProtobufCMethodDescriptor methods[] = { { "Nobody",
        &throughline__echo__v1__echo_request__descriptor,
        &throughline__echo__v1__echo_response__descriptor } };
    static const ProtobufCServiceDescriptor descriptor = { .magic =
                                                               PROTOBUF_C__SERVICE_DESCRIPTOR_MAGIC,
        .name = "t.Unlisted",
        .n_methods = 1,
        .methods = methods };
    static const RpcService unlisted = { .base = { .descriptor = &descriptor } };
    const RpcService *const services[] = { &unlisted, NULL };
    RpcServerOptions options = { .address = "127.0.0.1", .services = services };
    RpcServer *server;
    const Error *error = rpc_server_start(echo->arena, &options, &server);

    CHECK_INT(error->code, ERROR_FAILED_PRECONDITION);
    CHECK_TEXT(error->reason, "POLICY_MISSING");
    CHECK_CONTAINS(error->message, "t.Unlisted/Nobody");
}

static void the_probe_goes_through_the_port(void)
{
    CHECK_TEXT(error_reason(rpc_server_probe(echo->server)), "OK");
    CHECK_TEXT(error_reason(rpc_server_probe(echo->server)), "OK");
    CHECK_CONTAINS(echo_metrics(echo),
        "grpc_server_call_started_total{grpc_method=\"grpc.health.v1.Health/"
        "Check\"} 2\n");
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a call that never blocks is answered", a_call_that_never_blocks_is_answered },
        { "a call that must block after all is moved to a worker",
            a_call_that_must_block_after_all_is_moved_to_a_worker },
        { "a call that blocks is answered", a_call_that_blocks_is_answered },
        { "an error keeps its code, reason and sentence",
            an_error_keeps_its_code_reason_and_sentence },
        { "an internal error keeps its cause to itself",
            an_internal_error_keeps_its_cause_to_itself },
        { "every bad field is named", every_bad_field_is_named },
        { "the caller's deadline is known", the_callers_deadline_is_known },
        { "a call without a deadline gets the default",
            a_call_without_a_deadline_gets_the_default },
        { "a cancelled call stops its handler", a_cancelled_call_stops_its_handler },
        { "a passed deadline stops its handler", a_passed_deadline_stops_its_handler },
        { "the default deadline stops a handler too", the_default_deadline_stops_a_handler_too },
        { "unknown methods and services are refused", unknown_methods_and_services_are_refused },
        { "a call without its message is refused", a_call_without_its_message_is_refused },
        { "calls are counted by method and status", calls_are_counted_by_method_and_status },
        { "hooks may refuse and replay", hooks_may_refuse_and_replay },
        { "a method without a policy keeps the server from starting",
            a_method_without_a_policy_keeps_the_server_from_starting },
        { "the probe goes through the port", the_probe_goes_through_the_port },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "calls", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("rpc_call_test", suites, argc, argv);
}
