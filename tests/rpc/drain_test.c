/* The end of a server: calls under way finish, streams are told, nothing that was taken is lost. */
#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "tests/rpc/echo_fixture.h"
#include "tests/support/test_main.h"

#include "grpc/health/v1/health.pb-c.h"

#include <pthread.h>
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

static RawCall *open_slow(int delay_ms)
{
    EchoSlowlyRequest request = THROUGHLINE__ECHO__V1__ECHO_SLOWLY_REQUEST__INIT;
    Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;
    RawCall *call;

    delay.seconds = delay_ms / 1000;
    delay.nanos = delay_ms % 1000 * 1000000;
    request.delay = &delay;
    call = echo_open(echo, ECHO_PATH "EchoSlowly", &request, RAW_NO_DEADLINE);
    CU_ASSERT(comes_to(&echo->state.running, 1));
    return call;
}

/* Milliseconds that it took; *is_clean as the server says. */
static int64_t stop_server(int grace_ms, bool *is_clean)
{
    int64_t start_at = clock_monotonic();

    *is_clean = rpc_server_stop(echo->server, grace_ms);
    echo->server = NULL;
    return (clock_monotonic() - start_at) / 1000;
}

static void a_call_under_way_finishes(void)
{
    RawCall *call = open_slow(500);
    bool is_clean;
    int64_t took_ms = stop_server(10000, &is_clean);

    CU_ASSERT(is_clean);
    CU_ASSERT(took_ms < 3000);
    CHECK_TEXT(error_reason(raw_status(call)), "OK");
    CHECK_INT(echo->state.finished, 1);
    raw_free(call);
}

static void a_call_that_outlives_the_grace_is_cut(void)
{
    RawCall *call = open_slow(60000);
    bool is_clean;
    int64_t took_ms = stop_server(200, &is_clean);

    CU_ASSERT_FALSE(is_clean);
    CU_ASSERT(took_ms < 3000);
    CHECK_INT(raw_status(call)->code, ERROR_UNAVAILABLE);
    CHECK_INT(echo->state.cancelled, 1);
    raw_free(call);
}

static void a_new_call_is_refused_at_once(void)
{
    EchoSlowlyResponse *reply;
    bool is_clean;

    stop_server(1000, &is_clean);

    CU_ASSERT(is_clean);
    CHECK_INT(echo_slowly(echo, "too late", 0, &reply)->code, ERROR_UNAVAILABLE);
}

static void a_stream_both_ways_is_told_to_come_again(void)
{
    RawCall *call = raw_start(echo->client, ECHO_PATH "EchoEach", echo_pairs(echo), 20000);
    bool is_clean;
    Bytes reply;
    int64_t took_ms;

    raw_send(call, (Bytes){ 0 });
    CU_ASSERT(raw_receive(call, &reply));
    took_ms = stop_server(10000, &is_clean);

    CU_ASSERT(is_clean);
    CU_ASSERT(took_ms < 3000);
    CHECK_INT(raw_status(call)->code, ERROR_UNAVAILABLE);
    CHECK_TEXT(error_reason(raw_status(call)), "STREAM_DRAINED");
    raw_free(call);
}

static int health_in(RawCall *call)
{
    Grpc__Health__V1__HealthCheckResponse *response =
        echo_next(echo, call, &grpc__health__v1__health_check_response__descriptor);

    return response ? (int)response->status : -1;
}

static void a_watcher_is_told_not_serving_and_to_come_again(void)
{
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    RawCall *call = echo_open(echo, "/grpc.health.v1.Health/Watch", &request, RAW_NO_DEADLINE);
    bool is_clean;
    int64_t took_ms;

    CHECK_INT(health_in(call), 1);
    took_ms = stop_server(10000, &is_clean);

    CU_ASSERT(is_clean);
    CU_ASSERT(took_ms < 3000);
    CHECK_INT(health_in(call), 2);
    CHECK_TEXT(error_reason(raw_status(call)), "STREAM_DRAINED");
    raw_free(call);
}

static void a_detached_stream_is_ended(void)
{
    EchoManyRequest request = THROUGHLINE__ECHO__V1__ECHO_MANY_REQUEST__INIT;
    uint8_t payload[1000] = { 0 };
    RawCall *call;
    bool is_clean;
    Bytes message;
    int count = 0;

    echo->state.detaches = true;
    request.count = 1000000;
    request.payload = (ProtobufCBinaryData){ sizeof(payload), payload };
    call = echo_open(echo, ECHO_PATH "EchoMany", &request, RAW_NO_DEADLINE);
    CU_ASSERT(raw_receive(call, &message));
    stop_server(300, &is_clean); /* a reader that does not read is cut */

    while (raw_receive(call, &message))
        count++;
    CU_ASSERT(count < 1000000);
    raw_free(call);
}

typedef struct Crowd {
    const RawPair *pairs;
    atomic_bool is_over;
    atomic_int answered, refused, strange;
} Crowd;

static void *call_until_refused(void *context)
{
    Crowd *crowd = context;
    RawClient *client = raw_open(echo->port);
    Arena *arena = arena_new();

    while (!atomic_load(&crowd->is_over)) {
        const Error *error = raw_unary(client, arena, ECHO_PATH "EchoSlowly", crowd->pairs,
            (Bytes){ (const uint8_t *)"\x12\x04\x10\xc0\x84\x3d", 6 }, NULL);

        if (!error)
            atomic_fetch_add(&crowd->answered, 1);
        else if (error->code == ERROR_UNAVAILABLE || error->code == ERROR_CANCELLED)
            atomic_fetch_add(&crowd->refused,
                1); /* core cancels what comes between its GOAWAY and the client's hearing it */
        else
            atomic_fetch_add(&crowd->strange, 1);
        if (error)
            break;
    }
    raw_close(client);
    arena_free(arena);
    return NULL;
}

/* What a handler has finished, its caller has heard of; who is not heard was refused before a
 * handler saw it. */
static void under_load_no_call_that_was_taken_is_lost(void)
{
    enum { CALLERS = 16 };
    pthread_t threads[CALLERS];
    Crowd crowd = { .pairs = echo_pairs(echo) };
    bool is_clean;

    for (int i = 0; i < CALLERS; i++)
        pthread_create(&threads[i], NULL, call_until_refused, &crowd);
    clock_sleep_ms(200);
    stop_server(5000, &is_clean);
    atomic_store(&crowd.is_over, true);
    for (int i = 0; i < CALLERS; i++)
        pthread_join(threads[i], NULL);

    CU_ASSERT(is_clean);
    CU_ASSERT(crowd.answered > CALLERS);
    CHECK_INT(crowd.strange, 0);
    CHECK_INT(echo->state.finished, crowd.answered);
    CHECK_INT(echo->state.cancelled, 0);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a call under way finishes", a_call_under_way_finishes },
        { "a call that outlives the grace is cut", a_call_that_outlives_the_grace_is_cut },
        { "a new call is refused at once", a_new_call_is_refused_at_once },
        { "a stream both ways is told to come again", a_stream_both_ways_is_told_to_come_again },
        { "a watcher is told not serving and to come again",
            a_watcher_is_told_not_serving_and_to_come_again },
        { "a detached stream is ended", a_detached_stream_is_ended },
        { "under load no call that was taken is lost", under_load_no_call_that_was_taken_is_lost },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "drain", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("rpc_drain_test", suites, argc, argv);
}
