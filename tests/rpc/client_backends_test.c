/* The client and several servers: which one gets a call, and what happens when they go. */
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "tests/rpc/client_fixture.h"
#include "tests/support/ports.h"
#include "tests/support/test_main.h"

static const char *target_of(int first, int second)
{
    return arena_printf(fixture.arena, "ipv4:127.0.0.1:%d,127.0.0.1:%d", first, second);
}

static bool both_were_called(void)
{
    return atomic_load(&fixture.backends[0].calls) > 0 &&
           atomic_load(&fixture.backends[1].calls) > 0;
}

static bool a_call_succeeds(void)
{
    return echo() == NULL;
}

static void calls_go_round(void)
{
    use_target(target_of(fixture.backends[0].port, fixture.backends[1].port));
    CU_ASSERT_TRUE_FATAL(call_until(both_were_called));
    atomic_store(&fixture.backends[0].calls, 0);
    atomic_store(&fixture.backends[1].calls, 0);

    for (int i = 0; i < 20; i++)
        CHECK_TEXT(error_reason(echo()), "OK");

    CHECK_INT(atomic_load(&fixture.backends[0].calls), 10);
    CHECK_INT(atomic_load(&fixture.backends[1].calls), 10);
}

static void a_dead_backend_is_passed_over(void)
{
    use_target(target_of(fixture.backends[0].port, port_dead()));
    CU_ASSERT_TRUE_FATAL(call_until(a_call_succeeds));

    for (int i = 0; i < 20; i++)
        CHECK_TEXT(error_reason(echo()), "OK");
}

static bool calls_stay_off_the_first(void)
{
    int before = atomic_load(&fixture.backends[0].calls);

    for (int i = 0; i < 6; i++)
        echo();
    return atomic_load(&fixture.backends[0].calls) == before;
}

static void a_backend_that_is_not_serving_gets_no_calls(void)
{
    use_target(target_of(fixture.backends[0].port, fixture.backends[1].port));
    CU_ASSERT_TRUE_FATAL(call_until(both_were_called));

    rpc_server_set_serving(fixture.backends[0].server, false);
    CU_ASSERT_TRUE(call_until(calls_stay_off_the_first));

    atomic_store(&fixture.backends[0].calls, 0);
    rpc_server_set_serving(fixture.backends[0].server, true);
    CU_ASSERT_TRUE(call_until(both_were_called));
}

static void nobody_there_is_said_at_once(void)
{
    int64_t start_at = clock_monotonic();
    const Error *error;

    use_target(arena_printf(fixture.arena, "127.0.0.1:%d", port_dead()));
    error = echo();

    CHECK_TEXT(error_reason(error), "PEER_UNAVAILABLE");
    CHECK_INT(error->code, ERROR_UNAVAILABLE);
    CU_ASSERT_TRUE(ms_since(start_at) < 5000);
}

static void a_server_that_comes_back_is_found(void)
{
    int port = fixture.backends[0].port;

    CHECK_TEXT(error_reason(echo()), "OK");
    stop_backend(&fixture.backends[0]);
    CHECK_TEXT(error_reason(echo()), "PEER_UNAVAILABLE");
    start_backend(&fixture.backends[0], port);

    CU_ASSERT_TRUE(call_until(a_call_succeeds));
}

static CU_TestInfo backend_tests[] = {
    { "calls_go_round", calls_go_round },
    { "a_dead_backend_is_passed_over", a_dead_backend_is_passed_over },
    { "a_backend_that_is_not_serving_gets_no_calls", a_backend_that_is_not_serving_gets_no_calls },
    { "nobody_there_is_said_at_once", nobody_there_is_said_at_once },
    { "a_server_that_comes_back_is_found", a_server_that_comes_back_is_found },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {
        { .pName = "backends",
            .pSetUpFunc = start,
            .pTearDownFunc = stop,
            .pTests = backend_tests },
        CU_SUITE_INFO_NULL,
    };

    log_setup("test", LOG_OFF);
    return test_main("rpc_client_backends_test", suites, argc, argv);
}
