#include "shared/base/clock.h"
#include "tests/rpc/echo_fixture.h"
#include "tests/support/test_main.h"

#include "grpc/health/v1/health.pb-c.h"

typedef Grpc__Health__V1__HealthCheckRequest Request;
typedef Grpc__Health__V1__HealthCheckResponse Response;

enum { SERVING = 1, NOT_SERVING = 2, SERVICE_UNKNOWN = 3 };

static Echo *echo;

static void start(void)
{
    echo = echo_start(NULL);
}

static void stop(void)
{
    echo_stop(echo);
}

static int check(const char *service, const Error **error)
{
    Request request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    Response *response = NULL;

    request.service = (char *)(uintptr_t)service;
    *error = echo_call(echo, "/grpc.health.v1.Health/Check", NULL, &request,
        &grpc__health__v1__health_check_response__descriptor, &response);
    return response ? (int)response->status : 0;
}

static RawCall *watch(const char *service)
{
    Request request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;

    request.service = (char *)(uintptr_t)service;
    return echo_open(echo, "/grpc.health.v1.Health/Watch", &request, RAW_NO_DEADLINE);
}

static int next(RawCall *call)
{
    Response *response =
        echo_next(echo, call, &grpc__health__v1__health_check_response__descriptor);

    return response ? (int)response->status : -1;
}

static void check_knows_the_server_and_each_service(void)
{
    const Error *error;

    CHECK_INT(check("", &error), SERVING);
    CHECK_INT(check("throughline.echo.v1.EchoService", &error), SERVING);
    CHECK_INT(check("grpc.health.v1.Health", &error), SERVING);
    rpc_server_set_serving(echo->server, false);
    CHECK_INT(check("", &error), NOT_SERVING);
    CHECK_INT(check("throughline.echo.v1.EchoService", &error), NOT_SERVING);
}

static void check_of_an_unknown_service_is_not_found(void)
{
    const Error *error;

    check("throughline.echo.v1.Echo", &error);

    CHECK_INT(error->code, ERROR_NOT_FOUND);
    CHECK_TEXT(error->reason, "SERVICE_UNKNOWN");
}

static void watch_tells_every_change(void)
{
    RawCall *call = watch("throughline.echo.v1.EchoService");

    CHECK_INT(next(call), SERVING);
    rpc_server_set_serving(echo->server, false);
    CHECK_INT(next(call), NOT_SERVING);
    rpc_server_set_serving(echo->server, true);
    CHECK_INT(next(call), SERVING);
    raw_free(call);
}

static void no_change_is_not_told(void)
{
    RawCall *call = watch("");

    CHECK_INT(next(call), SERVING);
    rpc_server_set_serving(echo->server, true);
    rpc_server_set_serving(echo->server, false);
    CHECK_INT(next(call), NOT_SERVING);
    raw_free(call);
}

static void watch_of_an_unknown_service_stays(void)
{
    RawCall *call = watch("no.such.Service");

    CHECK_INT(next(call), SERVICE_UNKNOWN);
    raw_free(call);
}

static void watchers_come_and_go(void)
{
    enum { ROUNDS = 3, WATCHERS = 100 };
    RawCall *calls[WATCHERS];
    const Error *error;

    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < WATCHERS; i++)
            CHECK_INT(next(calls[i] = watch("")), SERVING);
        rpc_server_set_serving(echo->server, false);
        for (int i = 0; i < WATCHERS; i++) {
            CHECK_INT(next(calls[i]), NOT_SERVING);
            raw_free(calls[i]);
        }
        rpc_server_set_serving(echo->server, true);
    }
    CHECK_INT(check("", &error), SERVING);
}

static void there_is_an_end_to_watchers(void)
{
    enum { LIMIT = 256 };
    RawCall *calls[LIMIT + 1];
    const Error *error;

    stop();
    echo = echo_start(&(RpcLimits){ .max_streams = LIMIT + 10 });
    for (int i = 0; i < LIMIT; i++)
        CHECK_INT(next(calls[i] = watch("")), SERVING);
    calls[LIMIT] = watch("");

    error = raw_status(calls[LIMIT]);
    CHECK_TEXT(error_reason(error), "TOO_MANY_WATCHERS");
    CU_ASSERT(error->retry_after_ms > 0);
    CHECK_INT(check("", &error), SERVING);
    for (int i = 0; i <= LIMIT; i++)
        raw_free(calls[i]);
}

static void who_stops_watching_is_counted_as_gone(void)
{
    RawCall *call = watch("");

    CHECK_INT(next(call), SERVING);
    raw_cancel(call);
    raw_free(call);
    for (int i = 0; i < 5000 && !strstr(echo_metrics(echo), "Health/Watch\",grpc_status="); i++)
        clock_sleep_ms(2);

    CHECK_CONTAINS(echo_metrics(echo),
        "grpc_server_call_duration_seconds_count{grpc_method=\"grpc.health.v1.Health/Watch\","
        "grpc_status=\"CANCELLED\"} 1\n");
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "check knows the server and each service", check_knows_the_server_and_each_service },
        { "check of an unknown service is not found", check_of_an_unknown_service_is_not_found },
        { "watch tells every change", watch_tells_every_change },
        { "no change is not told", no_change_is_not_told },
        { "watch of an unknown service stays", watch_of_an_unknown_service_stays },
        { "watchers come and go", watchers_come_and_go },
        { "there is an end to watchers", there_is_an_end_to_watchers },
        { "who stops watching is counted as gone", who_stops_watching_is_counted_as_gone },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "health", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("rpc_health_test", suites, argc, argv);
}
