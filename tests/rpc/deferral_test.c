/* Answers that come later: the handler returns, the one who was asked says how it went, the caller leaves, in each order. */
#include "shared/base/clock.h"
#include "tests/rpc/held.h"
#include "tests/support/test_main.h"

#include <pthread.h>
#include <string.h>

enum {
    HELD = 100,
    LONG_MS = 60000,
    SHORT_MS = 3000, /* enough to arrive, however busy the machine is */
    GRACE_MS = 300,
};

static Echo *echo;

static void start(void)
{
    echo = echo_start(NULL);
    held_open();
}

static void stop(void)
{
    echo_stop(echo);
    CHECK_INT(held_count(), 0);
}

static void end_well(RpcDeferral *deferral)
{
    rpc_deferral_end(deferral, true);
}

static void end_badly(RpcDeferral *deferral)
{
    rpc_deferral_end(deferral, false);
}

static void *end_elsewhere(void *deferral)
{
    rpc_deferral_end(deferral, true);
    return NULL;
}

/* Before the handler returns, but by another thread. */
static void have_ended(RpcDeferral *deferral)
{
    pthread_t thread;

    pthread_create(&thread, NULL, end_elsewhere, deferral);
    pthread_join(thread, NULL);
}

static void defer_by(EchoDefer defers)
{
    atomic_store(&echo->state.defers, defers);
}

static RawCall *open_echo(int timeout_ms)
{
    EchoRequest request = THROUGHLINE__ECHO__V1__ECHO_REQUEST__INIT;

    request.payload = (ProtobufCBinaryData){ 5, (uint8_t *)(uintptr_t) "hello" };
    return echo_open(echo, ECHO_PATH "Echo", &request, timeout_ms);
}

static RawCall *open_held(int timeout_ms)
{
    int before = atomic_load(held_total());
    RawCall *call;

    defer_by(held_put);
    call = open_echo(timeout_ms);
    CU_ASSERT_FATAL(comes_to(held_total(), before + 1));
    return call;
}

/* `how`: by the run that has deferred, "later", or by one that "waited". */
static void check_answered(RawCall *call, const char *how)
{
    EchoResponse *reply = echo_next(echo, call, &throughline__echo__v1__echo_response__descriptor);
    Bytes header;

    CHECK_TEXT(error_reason(raw_status(call)), "OK");
    CU_ASSERT_FATAL(reply != NULL);
    CHECK_INT(reply->payload.len, 5);
    CU_ASSERT(!memcmp(reply->payload.data, "hello", 5));
    header = raw_metadata(call, false, "echo");
    CHECK_TEXT(arena_text_of(echo->arena, (const char *)header.data, header.size), how);
    raw_free(call);
}

static void check_waited(int times)
{
    CHECK_INT(atomic_load(&echo->state.waited), times);
}

static void an_answer_that_is_there_before_the_handler_returns_goes_out(void)
{
    defer_by(end_well);
    check_answered(open_echo(LONG_MS), "later");
    defer_by(have_ended);
    check_answered(open_echo(LONG_MS), "later");
    check_waited(0);
}

static void an_answer_that_comes_later_goes_out(void)
{
    RawCall *call = open_held(LONG_MS);

    rpc_deferral_end(held_take(), true);

    check_answered(call, "later");
    check_waited(0);
}

static void what_was_not_done_is_tried_again_by_waiting(void)
{
    RawCall *call;

    defer_by(end_badly);
    check_answered(open_echo(LONG_MS), "waited");
    check_waited(1);

    call = open_held(LONG_MS);
    rpc_deferral_end(held_take(), false);
    check_answered(call, "waited");
    check_waited(2);
}

static void a_call_on_a_worker_can_be_deferred_too(void)
{
    RawCall *call;

    atomic_store(&echo->state.blocks, true);
    call = open_held(LONG_MS);
    rpc_deferral_end(held_take(), true);
    check_answered(call, "later");
    check_waited(0);

    call = open_held(LONG_MS);
    rpc_deferral_end(held_take(), false);
    check_answered(call, "waited");
    check_waited(1);
    CHECK_INT(atomic_load(&echo->state.moved), 2);
}

/* A single poller, a single worker: who keeps them is not answered. */
static void calls_that_are_deferred_keep_no_thread(void)
{
    RawCall *calls[HELD];

    echo_stop(echo);
    echo = echo_start(&(RpcLimits){ .pollers = 1, .workers = 1 });
    for (int is_worker = 0; is_worker < 2; is_worker++) {
        atomic_store(&echo->state.blocks, is_worker);
        for (int i = 0; i < HELD; i++)
            calls[i] = open_held(LONG_MS);
        for (int i = 0; i < HELD; i++)
            rpc_deferral_end(held_take(), i % 2);
        for (int i = 0; i < HELD; i++)
            check_answered(calls[i], (HELD - 1 - i) % 2 ? "later" : "waited");
    }
    check_waited(HELD);
}

static void a_call_whose_time_is_over_is_answered_at_once(void)
{
    RawCall *first = open_held(SHORT_MS), *second = open_held(SHORT_MS);

    CHECK_INT(raw_status(first)->code, ERROR_DEADLINE_EXCEEDED);
    CHECK_INT(raw_status(second)->code, ERROR_DEADLINE_EXCEEDED);
    raw_free(first);
    raw_free(second);

    rpc_deferral_end(held_take(), true);
    rpc_deferral_end(held_take(), false);
    defer_by(end_well);
    check_answered(open_echo(LONG_MS), "later");
    check_waited(0);
}

/* A disk that hangs says nothing for ever. */
static void a_call_without_a_deadline_waits_for_as_long_as_the_server_lets_it(void)
{
    RawCall *patient, *first, *second;

    defer_by(end_well);
    check_answered(open_echo(RAW_NO_DEADLINE), "later");
    defer_by(end_badly);
    check_answered(open_echo(RAW_NO_DEADLINE), "waited");

    echo_stop(echo);
    echo = echo_start(&(RpcLimits){ .default_deadline_ms = SHORT_MS });
    patient = open_held(LONG_MS);
    first = open_held(RAW_NO_DEADLINE);
    second = open_held(RAW_NO_DEADLINE);

    CHECK_TEXT(error_reason(raw_status(first)), "DEADLINE_EXCEEDED");
    CHECK_TEXT(error_reason(raw_status(second)), "DEADLINE_EXCEEDED");
    raw_free(first);
    raw_free(second);

    rpc_deferral_end(held_take(), true);
    rpc_deferral_end(held_take(), false);
    rpc_deferral_end(held_take(), true);
    check_answered(patient, "later");
    check_waited(0);
}

static void a_call_that_was_given_up_is_over_before_it_is_ended(void)
{
    RawCall *first = open_held(LONG_MS), *second = open_held(LONG_MS);

    raw_cancel(first);
    raw_cancel(second);
    CHECK_INT(raw_status(first)->code, ERROR_CANCELLED);
    CHECK_INT(raw_status(second)->code, ERROR_CANCELLED);
    raw_free(first);
    raw_free(second);
    CU_ASSERT(deferrals_come_to_rest(echo));

    /* Its memory serves others by now. */
    defer_by(end_well);
    check_answered(open_echo(LONG_MS), "later");
    rpc_deferral_end(held_take(), true);
    rpc_deferral_end(held_take(), false);
    check_answered(open_echo(LONG_MS), "later");
    check_waited(0);
}

typedef struct Stop {
    pthread_t thread;
    int grace_ms;
    bool is_clean;
} Stop;

static void *stop_server(void *argument)
{
    Stop *server_stop = argument;

    server_stop->is_clean = rpc_server_stop(echo->server, server_stop->grace_ms);
    return NULL;
}

/* Ends when the server takes no call any more. */
static void begin_stop(Stop *server_stop)
{
    const Error *error;

    pthread_create(&server_stop->thread, NULL, stop_server, server_stop);
    defer_by(end_well);
    do {
        RawClient *client = raw_open(echo->port);
        error = raw_unary(
            client, echo->arena, ECHO_PATH "Echo", echo_pairs(echo), (Bytes){ 0 }, &(Bytes){ 0 });
        raw_close(client);
    } while (!error);
}

static void end_stop(Stop *server_stop)
{
    pthread_join(server_stop->thread, NULL);
    echo->server = NULL;
}

static void a_drain_waits_for_what_is_deferred(void)
{
    RawCall *done = open_held(LONG_MS), *not_done = open_held(LONG_MS);
    Stop server_stop = { .grace_ms = LONG_MS };

    begin_stop(&server_stop);
    rpc_deferral_end(held_take(), false);
    rpc_deferral_end(held_take(), true);
    end_stop(&server_stop);

    CU_ASSERT(server_stop.is_clean);
    check_answered(done, "later");
    check_answered(not_done, "waited");
    check_waited(1);
}

static void what_is_deferred_for_too_long_is_cut_by_the_drain(void)
{
    RawCall *done = open_held(LONG_MS), *not_done = open_held(LONG_MS);
    Stop server_stop = { .grace_ms = GRACE_MS };

    begin_stop(&server_stop);
    end_stop(&server_stop);

    CU_ASSERT_FALSE(server_stop.is_clean);
    CHECK_INT(raw_status(done)->code, ERROR_UNAVAILABLE);
    CHECK_INT(raw_status(not_done)->code, ERROR_UNAVAILABLE);
    raw_free(done);
    raw_free(not_done);
    rpc_deferral_end(held_take(), true); /* of a server that is gone */
    rpc_deferral_end(held_take(), false);
}

static void streams_are_not_deferred(void)
{
    EchoManyRequest request = THROUGHLINE__ECHO__V1__ECHO_MANY_REQUEST__INIT;
    RawCall *call;
    Bytes reply;

    defer_by(held_put);
    request.count = 3;
    call = echo_open(echo, ECHO_PATH "EchoMany", &request, LONG_MS);
    for (int i = 0; i < 3; i++)
        CU_ASSERT(raw_receive(call, &reply));
    CHECK_TEXT(error_reason(raw_status(call)), "OK");
    raw_free(call);
    check_waited(1);

    call = raw_start(echo->client, ECHO_PATH "EchoCount", echo_pairs(echo), LONG_MS);
    raw_finish_sending(call);
    CU_ASSERT(raw_receive(call, &reply));
    CHECK_TEXT(error_reason(raw_status(call)), "OK");
    raw_free(call);
    check_waited(2);
}

static void a_call_without_a_wire_is_not_deferred(void)
{
    RpcContext context = { "", "", "", "", "", "" };

    CU_ASSERT_PTR_NULL(
        rpc_defer(rpc_internal_call(echo->arena, "test/Method", &context, &echo->state)));
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "an answer that is there before the handler returns goes out",
            an_answer_that_is_there_before_the_handler_returns_goes_out },
        { "an answer that comes later goes out", an_answer_that_comes_later_goes_out },
        { "what was not done is tried again by waiting",
            what_was_not_done_is_tried_again_by_waiting },
        { "a call on a worker can be deferred too", a_call_on_a_worker_can_be_deferred_too },
        { "calls that are deferred keep no thread", calls_that_are_deferred_keep_no_thread },
        { "a call whose time is over is answered at once",
            a_call_whose_time_is_over_is_answered_at_once },
        { "a call without a deadline waits for as long as the server lets it",
            a_call_without_a_deadline_waits_for_as_long_as_the_server_lets_it },
        { "a call that was given up is over before it is ended",
            a_call_that_was_given_up_is_over_before_it_is_ended },
        { "a drain waits for what is deferred", a_drain_waits_for_what_is_deferred },
        { "what is deferred for too long is cut by the drain",
            what_is_deferred_for_too_long_is_cut_by_the_drain },
        { "streams are not deferred", streams_are_not_deferred },
        { "a call without a wire is not deferred", a_call_without_a_wire_is_not_deferred },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "deferral", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("rpc_deferral_test", suites, argc, argv);
}
