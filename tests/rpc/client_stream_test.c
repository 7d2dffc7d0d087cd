/* Streams of the client: both ways, cancelled, refused, left. */
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "tests/rpc/client_fixture.h"
#include "tests/support/test_main.h"

#include <pthread.h>

static RpcClientStream *open_stream(const char *method, int milliseconds)
{
    RpcOutgoing outgoing = for_ms(milliseconds);
    RpcClientStream *stream = NULL;

    CHECK_TEXT(
        error_reason(rpc_client_open_stream(fixture.client, &outgoing, ECHO, method, &stream)),
        "OK");
    CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
    return stream;
}

static RpcClientStream *open_many(int count, int delay_ms)
{
    RpcClientStream *stream = open_stream("EchoMany", WAIT_MS);
    EchoManyRequest request = THROUGHLINE__ECHO__V1__ECHO_MANY_REQUEST__INIT;
    Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;

    delay.nanos = delay_ms * 1000000;
    request.count = count;
    request.delay = &delay;
    CHECK_TEXT(error_reason(rpc_client_send(stream, &request)), "OK");
    CHECK_TEXT(error_reason(rpc_client_finish_sending(stream)), "OK");
    return stream;
}

static void a_server_streams(void)
{
    RpcClientStream *stream = open_many(500, 0);
    void *message;

    for (int i = 0; i < 500; i++) {
        CHECK_TEXT(error_reason(rpc_client_receive(stream, fixture.arena, &message)), "OK");
        CU_ASSERT_PTR_NOT_NULL_FATAL(message);
        CHECK_INT(((EchoManyResponse *)message)->number, i);
    }
    CHECK_TEXT(error_reason(rpc_client_receive(stream, fixture.arena, &message)), "OK");
    CU_ASSERT_PTR_NULL(message);
    CHECK_TEXT(error_reason(rpc_client_receive(stream, fixture.arena, &message)), "OK");
    CU_ASSERT_PTR_NULL(message);
    rpc_client_close_stream(stream);
}

static void a_client_streams(void)
{
    RpcClientStream *stream = open_stream("EchoCount", WAIT_MS);
    EchoCountRequest request = THROUGHLINE__ECHO__V1__ECHO_COUNT_REQUEST__INIT;
    void *message;

    request.payload = (ProtobufCBinaryData){ 3, (uint8_t *)"abc" };
    for (int i = 0; i < 100; i++)
        CHECK_TEXT(error_reason(rpc_client_send(stream, &request)), "OK");
    CHECK_TEXT(error_reason(rpc_client_finish_sending(stream)), "OK");
    CHECK_TEXT(error_reason(rpc_client_receive(stream, fixture.arena, &message)), "OK");

    CU_ASSERT_PTR_NOT_NULL_FATAL(message);
    CHECK_INT(((EchoCountResponse *)message)->messages, 100);
    CHECK_INT(((EchoCountResponse *)message)->bytes, 300);
    rpc_client_close_stream(stream);
}

static void both_sides_stream(void)
{
    RpcClientStream *stream = open_stream("EchoEach", WAIT_MS);
    EchoEachRequest request = THROUGHLINE__ECHO__V1__ECHO_EACH_REQUEST__INIT;
    void *message;

    for (uint8_t i = 0; i < 50; i++) {
        request.payload = (ProtobufCBinaryData){ 1, &i };
        CHECK_TEXT(error_reason(rpc_client_send(stream, &request)), "OK");
        CHECK_TEXT(error_reason(rpc_client_receive(stream, fixture.arena, &message)), "OK");
        CU_ASSERT_PTR_NOT_NULL_FATAL(message);
        CHECK_INT(((EchoEachResponse *)message)->payload.data[0], i);
    }
    rpc_client_close_stream(stream);
}

static void *cancel_soon(void *context)
{
    clock_sleep_ms(100);
    rpc_client_cancel(context);
    return NULL;
}

static void a_stream_is_cancelled_from_another_thread(void)
{
    RpcClientStream *stream = open_many(1000000, 50);
    int64_t start_at = clock_monotonic();
    const Error *error;
    pthread_t thread;
    void *message;

    pthread_create(&thread, NULL, cancel_soon, stream);
    while (!(error = rpc_client_receive(stream, fixture.arena, &message)) && message)
        continue;
    pthread_join(thread, NULL);

    CHECK_TEXT(error_reason(error), "CALL_CANCELLED");
    CU_ASSERT_TRUE(ms_since(start_at) < 5000);
    rpc_client_close_stream(stream);
}

static void a_stream_that_is_left_early_leaves_nothing_behind(void)
{
    for (int i = 0; i < 50; i++) {
        RpcClientStream *stream = open_many(1000000, 0);
        void *message;

        if (i % 2)
            CHECK_TEXT(error_reason(rpc_client_receive(stream, fixture.arena, &message)), "OK");
        rpc_client_close_stream(stream);
    }
    CHECK_TEXT(error_reason(echo()), "OK");
}

static void a_refused_stream_says_why(void)
{
    RpcClientStream *stream = open_many(-1, 0);
    void *message;
    const Error *error = rpc_client_receive(stream, fixture.arena, &message);

    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    CHECK_TEXT(error->violations[0].field, "count");
    rpc_client_close_stream(stream);
}

static void a_deadline_ends_a_stream(void)
{
    RpcClientStream *stream = open_stream("EchoCount", 150);
    void *message;

    CHECK_TEXT(
        error_reason(rpc_client_receive(stream, fixture.arena, &message)), "DEADLINE_EXCEEDED");
    rpc_client_close_stream(stream);
}

static CU_TestInfo stream_tests[] = {
    { "a_server_streams", a_server_streams },
    { "a_client_streams", a_client_streams },
    { "both_sides_stream", both_sides_stream },
    { "a_stream_is_cancelled_from_another_thread", a_stream_is_cancelled_from_another_thread },
    { "a_stream_that_is_left_early_leaves_nothing_behind",
        a_stream_that_is_left_early_leaves_nothing_behind },
    { "a_refused_stream_says_why", a_refused_stream_says_why },
    { "a_deadline_ends_a_stream", a_deadline_ends_a_stream },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {
        { .pName = "streams", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = stream_tests },
        CU_SUITE_INFO_NULL,
    };

    log_setup("test", LOG_OFF);
    return test_main("rpc_client_stream_test", suites, argc, argv);
}
