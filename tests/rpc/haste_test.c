/* Who waits when replies are made faster than they are sent: workers, and nobody else. The store's
 * and the events' threads, which offer to streams and end what is deferred, never sleep. */
#include "shared/base/clock.h"
#include "shared/rpc/exchange.h"
#include "shared/rpc/transport_h2.h"
#include "tests/rpc/echo_fixture.h"
#include "tests/support/test_main.h"

enum { LARGE = 10000, MUCH = 1024 * 1024 * 1024, LONG_MS = 60000 };

static Echo *echo;
static pthread_t tester;
static atomic_int slept;

void __real_clock_sleep_ms(int ms);
void __wrap_clock_sleep_ms(int ms);

static _Atomic size_t *made_bytes(void)
{
    return &((H2Transport *)echo->server->transport)->made_bytes;
}

/* Whoever sleeps in the server is told at the first wink that all has been sent. */
void __wrap_clock_sleep_ms(int ms)
{
    if (pthread_equal(pthread_self(), tester))
        __real_clock_sleep_ms(ms);
    else if (atomic_fetch_add(&slept, 1) == 0)
        atomic_fetch_sub(made_bytes(), MUCH);
}

static void start(void)
{
    echo = echo_start_with(&(RpcServerOptions){ .transport = &transport_h2 });
    tester = pthread_self();
    atomic_store(&slept, 0);
    atomic_fetch_add(made_bytes(), MUCH);
}

static void stop(void)
{
    echo_stop(echo);
}

static void end_well(RpcDeferral *deferral)
{
    rpc_deferral_end(deferral, true);
}

/* Calls Echo with so much that its reply has memory of its own. */
static void echo_large(void)
{
    static uint8_t zeros[LARGE];
    EchoRequest request = THROUGHLINE__ECHO__V1__ECHO_REQUEST__INIT;
    EchoResponse *reply;

    request.payload = (ProtobufCBinaryData){ LARGE, zeros };
    CHECK_TEXT(error_reason(echo_call(echo, ECHO_PATH "Echo", echo_pairs(echo), &request,
                   &throughline__echo__v1__echo_response__descriptor, &reply)),
        "OK");
}

static void stream_large(void)
{
    static uint8_t zeros[LARGE];
    EchoManyRequest request = THROUGHLINE__ECHO__V1__ECHO_MANY_REQUEST__INIT;
    RawCall *call;
    Bytes message;
    int n = 0;

    request.payload = (ProtobufCBinaryData){ LARGE, zeros };
    request.count = 10;
    call = echo_open(echo, ECHO_PATH "EchoMany", &request, LONG_MS);
    while (raw_receive(call, &message))
        n++;

    CHECK_INT(n, 10);
    CHECK_TEXT(error_reason(raw_status(call)), "OK");
    raw_free(call);
}

static void a_worker_waits_for_those_who_send(void)
{
    atomic_store(&echo->state.blocks, true);

    echo_large();

    CHECK_INT(atomic_load(&slept), 1);
}

static void a_worker_that_streams_waits_too(void)
{
    stream_large();

    CHECK_INT(atomic_load(&slept), 1);
}

static void a_loop_does_not_wait(void)
{
    echo_large();

    CHECK_INT(atomic_load(&slept), 0);
}

static void whoever_ends_what_is_deferred_does_not_wait(void)
{
    atomic_store(&echo->state.blocks, true);
    atomic_store(&echo->state.defers, end_well);

    echo_large();

    CHECK_INT(atomic_load(&slept), 0);
}

static void whoever_offers_to_a_stream_does_not_wait(void)
{
    atomic_store(&echo->state.detaches, true);

    stream_large();

    CHECK_INT(atomic_load(&slept), 0);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a worker waits for those who send", a_worker_waits_for_those_who_send },
        { "a worker that streams waits too", a_worker_that_streams_waits_too },
        { "a loop does not wait", a_loop_does_not_wait },
        { "whoever ends what is deferred does not wait",
            whoever_ends_what_is_deferred_does_not_wait },
        { "whoever offers to a stream does not wait", whoever_offers_to_a_stream_does_not_wait },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "haste", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("rpc_haste_test", suites, argc, argv);
}
