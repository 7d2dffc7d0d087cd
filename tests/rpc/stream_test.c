/* Streams of all kinds, those that keep a worker and those that do without. */
#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "tests/rpc/echo_fixture.h"
#include "tests/support/test_main.h"

#include <string.h>
#include <unistd.h>

static Echo *echo;

static void start(void)
{
    echo = echo_start(NULL);
}

static void stop(void)
{
    echo_stop(echo);
}

static void restart(const RpcLimits *limits)
{
    echo_stop(echo);
    echo = echo_start(limits);
}

static RawCall *open_many(int32_t count, size_t payload)
{
    EchoManyRequest request = THROUGHLINE__ECHO__V1__ECHO_MANY_REQUEST__INIT;

    request.count = count;
    request.payload.len = payload;
    request.payload.data = arena_alloc(echo->arena, payload);
    return echo_open(echo, ECHO_PATH "EchoMany", &request, RAW_NO_DEADLINE);
}

/* How many messages come, in order; -1 when one is out of order. */
static int count_in_order(RawCall *call)
{
    EchoManyResponse *message;
    int count = 0;

    while (
        (message = echo_next(echo, call, &throughline__echo__v1__echo_many_response__descriptor)))
        if (message->number != count++)
            return -1;
    return count;
}

static void a_server_stream_keeps_its_order(void)
{
    RawCall *call = open_many(1000, 10);

    CHECK_INT(count_in_order(call), 1000);
    CHECK_TEXT(error_reason(raw_status(call)), "OK");
    raw_free(call);
}

static void a_detached_stream_keeps_its_order(void)
{
    RawCall *call;

    echo->state.detaches = true;
    call = open_many(1000, 10);

    CHECK_INT(count_in_order(call), 1000);
    CHECK_TEXT(error_reason(raw_status(call)), "OK");
    raw_free(call);
}

static void an_empty_stream_ends(void)
{
    for (int i = 0; i < 2; i++) {
        RawCall *call;

        echo->state.detaches = i == 1;
        call = open_many(0, 10);
        CHECK_INT(count_in_order(call), 0);
        CHECK_TEXT(error_reason(raw_status(call)), "OK");
        raw_free(call);
    }
}

static void an_error_ends_a_server_stream(void)
{
    RawCall *call = open_many(-1, 10);
    const Error *error = raw_status(call);

    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    CHECK_INT(error->n_violations, 1);
    CHECK_TEXT(error->violations[0].field, "count");
    raw_free(call);
}

static void a_client_stream_is_counted(void)
{
    RawCall *call = raw_start(echo->client, ECHO_PATH "EchoCount", echo_pairs(echo), 20000);
    Throughline__Echo__V1__EchoCountResponse *reply;

    for (int i = 0; i < 5000; i++)
        CU_ASSERT_FATAL(raw_send(call, (Bytes){ (const uint8_t *)"\x0a\x03"
                                                                 "abc",
                                           5 }));
    raw_finish_sending(call);
    reply = echo_next(echo, call, &throughline__echo__v1__echo_count_response__descriptor);

    CU_ASSERT_FATAL(reply != NULL);
    CHECK_INT(reply->messages, 5000);
    CHECK_INT(reply->bytes, 15000);
    CHECK_TEXT(error_reason(raw_status(call)), "OK");
    raw_free(call);
}

static void an_empty_client_stream_is_answered(void)
{
    RawCall *call = raw_start(echo->client, ECHO_PATH "EchoCount", echo_pairs(echo), 20000);
    Bytes reply;

    raw_finish_sending(call);

    CU_ASSERT(raw_receive(call, &reply));
    CHECK_INT(reply.size, 0);
    CHECK_TEXT(error_reason(raw_status(call)), "OK");
    raw_free(call);
}

static RawCall *open_each(void)
{
    return raw_start(echo->client, ECHO_PATH "EchoEach", echo_pairs(echo), 20000);
}

static bool goes_round(RawCall *call, uint8_t number)
{
    const uint8_t message[] = { 0x0a, 1, number };
    Bytes reply;

    return raw_send(call, (Bytes){ message, sizeof(message) }) && raw_receive(call, &reply) &&
           reply.size == sizeof(message) && reply.data[2] == number;
}

static void a_stream_both_ways_is_a_conversation(void)
{
    RawCall *call = open_each();

    for (int i = 0; i < 200; i++)
        CU_ASSERT_FATAL(goes_round(call, (uint8_t)i));
    raw_finish_sending(call);

    CHECK_TEXT(error_reason(raw_status(call)), "OK");
    raw_free(call);
}

static void a_bad_message_ends_its_stream(void)
{
    RawCall *call = open_each();

    CU_ASSERT(goes_round(call, 1));
    raw_send(call, (Bytes){ (const uint8_t *)"\x0a\x7f", 2 });

    CHECK_TEXT(error_reason(raw_status(call)), "MESSAGE_MALFORMED");
    raw_free(call);
}

static bool is_idle(void)
{
    for (int i = 0; i < 1000 && atomic_load(&echo->state.running) > 0; i++)
        clock_sleep_ms(2);
    return rpc_server_probe(echo->server) == NULL;
}

/* The fixture's stop would hang or cut if the handler went on. */
static void a_stream_that_is_left_ends_its_handler(void)
{
    for (int i = 0; i < 2; i++) {
        RawCall *call;
        Bytes message;

        echo->state.detaches = i == 1;
        call = open_many(1000000, 1000);
        CU_ASSERT(raw_receive(call, &message));
        raw_free(call);
        CU_ASSERT(is_idle());
    }
    raw_close(echo->client);
    CU_ASSERT(rpc_server_stop(echo->server, 3000));
    echo->server = NULL;
    echo->client = raw_open(echo->port);
}

static long resident_kb(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    long pages = 0;

    if (!file || fscanf(file, "%*s %ld", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* 1 GB would come if the queue had no bound. */
static void a_slow_reader_costs_a_bounded_amount_of_memory(void)
{
    long before;
    RawCall *call;
    EchoSlowlyResponse *reply;

    echo->state.detaches = true;
    echo_slowly(echo, "warm", 0, &reply);
    before = resident_kb();
    call = open_many(1000000, 1000);
    clock_sleep_ms(500);

    CU_ASSERT(resident_kb() - before < 64 * 1024);
    CHECK_TEXT(error_reason(echo_slowly(echo, "others go on", 0, &reply)), "OK");
    raw_free(call);
}

static void a_slow_reader_misses_nothing(void)
{
    RawCall *call;

    echo->state.detaches = true;
    call = open_many(5000, 1000);
    clock_sleep_ms(300);

    CHECK_INT(count_in_order(call), 5000);
    raw_free(call);
}

static void detached_streams_keep_no_worker(void)
{
    enum { STREAMS = 100 };
    RawCall *calls[STREAMS];
    EchoSlowlyResponse *reply;

    restart(&(RpcLimits){ .workers = 2 });
    echo->state.detaches = true;
    for (int i = 0; i < STREAMS; i++) {
        Bytes message;

        calls[i] = open_many(1000, 1000);
        CU_ASSERT(raw_receive(calls[i], &message));
    }

    CHECK_TEXT(error_reason(echo_slowly(echo, "still here", 0, &reply)), "OK");
    for (int i = 0; i < STREAMS; i++)
        raw_free(calls[i]);
}

static void streams_that_wait_leave_workers_for_others(void)
{
    RawCall *calls[3];
    EchoSlowlyResponse *reply;

    restart(&(RpcLimits){ .workers = 4 });
    for (int i = 0; i < 2; i++) {
        calls[i] = open_each();
        CU_ASSERT(goes_round(calls[i], 1));
    }
    calls[2] = open_each();
    raw_send(calls[2], (Bytes){ 0 });

    CHECK_TEXT(error_reason(raw_status(calls[2])), "TOO_MANY_STREAMS");
    CHECK_TEXT(error_reason(echo_slowly(echo, "free", 0, &reply)), "OK");
    raw_finish_sending(calls[0]);
    CHECK_TEXT(error_reason(raw_status(calls[0])), "OK");
    raw_free(calls[2]);
    clock_sleep_ms(50);
    calls[2] = open_each();
    CU_ASSERT(goes_round(calls[2], 2));
    for (int i = 0; i < 3; i++)
        raw_free(calls[i]);
}

static void a_streams_deadline_ends_it(void)
{
    RawCall *call = raw_start(echo->client, ECHO_PATH "EchoEach", echo_pairs(echo), 200);

    CU_ASSERT(goes_round(call, 1));
    CHECK_INT(raw_status(call)->code, ERROR_DEADLINE_EXCEEDED);

    raw_free(call);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a server stream keeps its order", a_server_stream_keeps_its_order },
        { "a detached stream keeps its order", a_detached_stream_keeps_its_order },
        { "an empty stream ends", an_empty_stream_ends },
        { "an error ends a server stream", an_error_ends_a_server_stream },
        { "a client stream is counted", a_client_stream_is_counted },
        { "an empty client stream is answered", an_empty_client_stream_is_answered },
        { "a stream both ways is a conversation", a_stream_both_ways_is_a_conversation },
        { "a bad message ends its stream", a_bad_message_ends_its_stream },
        { "a stream that is left ends its handler", a_stream_that_is_left_ends_its_handler },
        { "a slow reader costs a bounded amount of memory",
            a_slow_reader_costs_a_bounded_amount_of_memory },
        { "a slow reader misses nothing", a_slow_reader_misses_nothing },
        { "detached streams keep no worker", detached_streams_keep_no_worker },
        { "streams that wait leave workers for others",
            streams_that_wait_leave_workers_for_others },
        { "a stream's deadline ends it", a_streams_deadline_ends_it },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "streams", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("rpc_stream_test", suites, argc, argv);
}
