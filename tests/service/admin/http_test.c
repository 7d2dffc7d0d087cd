/* The pages of the admin port, over a real port. */
#include "shared/admin/http.h"

#include "shared/base/text.h"
#include "tests/service/admin/client.h"
#include "tests/support/test_main.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LARGE_SERIES = 200, LARGE_HELP = 50000, RESTARTS = 30, GARBAGE_ROUNDS = 300 };

/* What the probes are told. */
typedef struct State {
    atomic_bool is_ready;
    atomic_bool is_alive;
} State;

static Arena *arena;
static Metrics *metrics;
static AdminServer *server;
static State state;
static int port;

static bool tell_ready(void *context, const char **reason)
{
    State *told = context;

    *reason = "the store is down";
    return told->is_ready;
}

static bool tell_alive(void *context, const char **reason)
{
    State *told = context;

    *reason = "the port does not answer";
    return told->is_alive;
}

static AdminOptions some_options(void)
{
    return (AdminOptions){ .address = "127.0.0.1",
        .service = "cart",
        .version = "1.2.3",
        .metrics = metrics,
        .is_ready = tell_ready,
        .is_alive = tell_alive,
        .context = &state };
}

static void set_up(void)
{
    AdminOptions options;

    arena = arena_new();
    metrics = metrics_new();
    state.is_ready = true;
    state.is_alive = true;
    options = some_options();
    if (admin_start(arena, &options, &server))
        abort();
    port = admin_port(server);
}

static void tear_down(void)
{
    admin_stop(server);
    metrics_free(metrics);
    arena_free(arena);
}

static const char *ask(const char *request)
{
    return client_exchange(arena, port, request);
}

static const char *get(const char *path)
{
    return ask(arena_printf(arena, "GET %s HTTP/1.1\r\nHost: admin\r\n\r\n", path));
}

static const char *body_of(const char *answer)
{
    const char *end = answer ? strstr(answer, "\r\n\r\n") : NULL;

    return end ? end + 4 : "";
}

/* Whether the answer starts with the status line; the whole answer is printed when not. */
static void check_status(const char *answer, const char *status)
{
    const char *line = arena_printf(arena, "HTTP/1.1 %s\r\n", status);

    if (!text_starts_with(answer, line))
        CHECK_TEXT(answer, line);
}

static void health_is_ok_while_the_loop_turns(void)
{
    const char *answer = get("/healthz");

    check_status(answer, "200 OK");
    CHECK_TEXT(body_of(answer), "ok\n");
    CHECK_CONTAINS(answer, "\r\nContent-Length: 3\r\n");
    CHECK_CONTAINS(answer, "\r\nConnection: close\r\n");
}

static void health_fails_when_the_process_should_end(void)
{
    const char *answer;

    state.is_alive = false;
    answer = get("/healthz");

    check_status(answer, "503 Service Unavailable");
    CHECK_TEXT(body_of(answer), "the port does not answer\n");
    check_status(get("/readyz"), "200 OK");
}

static void readiness_is_asked_every_time(void)
{
    CHECK_TEXT(body_of(get("/readyz")), "ready\n");

    state.is_ready = false;
    check_status(get("/readyz"), "503 Service Unavailable");
    CHECK_TEXT(body_of(get("/readyz")), "the store is down\n");
    check_status(get("/healthz"), "200 OK");

    state.is_ready = true;
    check_status(get("/readyz"), "200 OK");
}

static void metrics_are_shown_as_they_are_now(void)
{
    Counter *counter = metrics_counter(metrics, "calls_total", "a=\"1\"", "Calls.");
    const char *answer;

    counter_add(counter, 41);
    CHECK_CONTAINS(get("/metrics"), "\ncalls_total{a=\"1\"} 41\n");
    counter_add(counter, 1);
    answer = get("/metrics");

    check_status(answer, "200 OK");
    CHECK_CONTAINS(answer, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
    CHECK_CONTAINS(answer, "\ncalls_total{a=\"1\"} 42\n");
}

/* More than the sockets between us and the server can hold. */
static void make_a_large_page(void)
{
    char *help = arena_alloc(arena, LARGE_HELP + 1);

    memset(help, 'h', LARGE_HELP);
    for (int i = 0; i < LARGE_SERIES; i++)
        metrics_counter(metrics, arena_printf(arena, "number_%d_total", i), "", help);
}

static void check_large_page(const char *answer)
{
    check_status(answer, "200 OK");
    CHECK_CONTAINS(
        answer, arena_printf(arena, "\r\nContent-Length: %zu\r\n", strlen(body_of(answer))));
    CU_ASSERT(
        text_ends_with(answer, arena_printf(arena, "\nnumber_%d_total 0\n", LARGE_SERIES - 1)));
}

static void a_large_page_arrives_whole(void)
{
    make_a_large_page();

    check_large_page(get("/metrics"));
}

static void the_version_is_json(void)
{
    const char *answer = get("/version");

    check_status(answer, "200 OK");
    CHECK_CONTAINS(answer, "\r\nContent-Type: application/json\r\n");
    CHECK_TEXT(body_of(answer), "{\"service\":\"cart\",\"version\":\"1.2.3\"}\n");
}

static void other_paths_are_not_found(void)
{
    check_status(get("/"), "404 Not Found");
    check_status(get("/healthz/"), "404 Not Found");
    check_status(get("/HEALTHZ"), "404 Not Found");
    check_status(get("/../healthz"), "404 Not Found");
    check_status(get("//healthz"), "404 Not Found");
    CHECK_CONTAINS(get("/x"), "/readyz");
}

static void a_query_is_passed_over(void)
{
    check_status(get("/healthz?verbose=1"), "200 OK");
    check_status(get("/nothing?/healthz"), "404 Not Found");
}

static void only_reading_is_allowed(void)
{
    static const char *const methods[] = { "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "get" };

    for (size_t i = 0; i < COUNT(methods); i++) {
        const char *answer =
            ask(arena_printf(arena, "%s /healthz HTTP/1.1\r\nHost: a\r\n\r\n", methods[i]));

        check_status(answer, "405 Method Not Allowed");
        CHECK_CONTAINS(answer, "\r\nAllow: GET, HEAD\r\n");
    }
    CU_ASSERT(strstr(get("/healthz"), "Allow:") == NULL);
}

static void a_head_is_answered_without_the_body(void)
{
    const char *answer = ask("HEAD /readyz HTTP/1.1\r\nHost: a\r\n\r\n");

    check_status(answer, "200 OK");
    CHECK_CONTAINS(answer, "\r\nContent-Length: 6\r\n");
    CHECK_TEXT(body_of(answer), "");
}

static void what_is_not_http_is_a_bad_request(void)
{
    static const char *const requests[] = { "\r\n\r\n", "GET\r\n\r\n", "GET /healthz\r\n\r\n",
        "GET /healthz HTTP/2.0\r\n\r\n", "GET healthz HTTP/1.1\r\n\r\n", " / HTTP/1.1\r\n\r\n",
        "GET  /healthz HTTP/1.1\r\n\r\n", "GET /healthz HTTP/1.1 x\r\n\r\n",
        "GET http://a/healthz HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02\r\n\r\n" };

    for (size_t i = 0; i < COUNT(requests); i++)
        check_status(ask(requests[i]), "400 Bad Request");
    check_status(ask("GET /healthz HTTP/1.0\r\n\r\n"), "200 OK");
}

static void a_request_may_come_in_pieces(void)
{
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    int connection = client_connect(port);

    for (const char *c = request; *c; c++) {
        CU_ASSERT(client_send(connection, c, 1));
        usleep(500);
    }
    check_status(client_read_all(arena, connection), "200 OK");
}

static void a_client_that_has_stopped_sending_is_answered(void)
{
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
    int connection = client_connect(port);

    make_a_large_page();
    client_send(connection, request, strlen(request));
    shutdown(connection, SHUT_WR);
    usleep(100 * 1000);

    check_large_page(client_read_all(arena, connection));
}

static void a_taken_port_is_named(void)
{
    AdminOptions options = some_options();
    AdminServer *second;
    const Error *error;

    options.port = port;
    error = admin_start(arena, &options, &second);

    CU_ASSERT_FATAL(error != NULL);
    CHECK_INT(error->code, ERROR_UNAVAILABLE);
    CHECK_TEXT(error->reason, "ADMIN_PORT_TAKEN");
    CHECK_CONTAINS(error->message, arena_printf(arena, "127.0.0.1:%d", port));
    CHECK_CONTAINS(error->message, "Address already in use");
}

static void an_address_that_is_none_is_named(void)
{
    static const char *const addresses[] = { "", "localhost", "1.2.3", "1.2.3.4.5", ":::" };

    for (size_t i = 0; i < COUNT(addresses); i++) {
        AdminOptions options = some_options();
        AdminServer *second;
        const Error *error;

        options.address = addresses[i];
        error = admin_start(arena, &options, &second);

        CHECK_TEXT(error_reason(error), "ADMIN_ADDRESS_BAD");
        CHECK_CONTAINS(error->message, addresses[i]);
    }
}

static void an_ipv6_address_is_listened_on(void)
{
    AdminOptions options = some_options();
    struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    static const char request[] = "GET /healthz HTTP/1.1\r\n\r\n";
    AdminServer *second;
    int connection;

    options.address = "::1";
    if (admin_start(arena, &options, &second)) {
        test_skip("this machine has no IPv6 loopback");
        return;
    }
    address.sin6_port = htons((uint16_t)admin_port(second));
    connection = socket(AF_INET6, SOCK_STREAM, 0);
    CHECK_INT(connect(connection, (struct sockaddr *)&address, sizeof(address)), 0);
    client_send(connection, request, strlen(request));
    check_status(client_read_all(arena, connection), "200 OK");
    admin_stop(second);
}

static void a_server_stops_at_once_and_starts_again_on_its_port(void)
{
    AdminOptions options = some_options();

    options.port = port;
    for (int i = 0; i < RESTARTS; i++) {
        int idle = client_connect(port);

        if (i % 2)
            client_send(idle, "GET /he", 7);
        admin_stop(server);
        server = NULL;
        close(idle);
        CU_ASSERT_FATAL(admin_start(arena, &options, &server) == NULL);
        check_status(get("/healthz"), "200 OK");
    }
}

static void random_bytes_never_stop_the_server(void)
{
    unsigned seed = 5;

    for (int round = 0; round < GARBAGE_ROUNDS; round++) {
        static const char likely[] = "GET /healthz HTTP/1.1\r\n\r\n\r\n?\0 \xff";
        char bytes[64];
        size_t size = (size_t)rand_r(&seed) % sizeof(bytes);
        int connection = client_connect(port);

        for (size_t i = 0; i < size; i++)
            bytes[i] = likely[(size_t)rand_r(&seed) % sizeof(likely)];
        client_send(connection, bytes, size);
        if (round % 2)
            client_send(connection, "\r\n\r\n", 4);
        close(connection);
    }
    check_status(get("/healthz"), "200 OK");
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "health_is_ok_while_the_loop_turns", health_is_ok_while_the_loop_turns },
        { "health_fails_when_the_process_should_end", health_fails_when_the_process_should_end },
        { "readiness_is_asked_every_time", readiness_is_asked_every_time },
        { "metrics_are_shown_as_they_are_now", metrics_are_shown_as_they_are_now },
        { "a_large_page_arrives_whole", a_large_page_arrives_whole },
        { "the_version_is_json", the_version_is_json },
        { "other_paths_are_not_found", other_paths_are_not_found },
        { "a_query_is_passed_over", a_query_is_passed_over },
        { "only_reading_is_allowed", only_reading_is_allowed },
        { "a_head_is_answered_without_the_body", a_head_is_answered_without_the_body },
        { "what_is_not_http_is_a_bad_request", what_is_not_http_is_a_bad_request },
        { "a_request_may_come_in_pieces", a_request_may_come_in_pieces },
        { "a_client_that_has_stopped_sending_is_answered",
            a_client_that_has_stopped_sending_is_answered },
        { "a_taken_port_is_named", a_taken_port_is_named },
        { "an_address_that_is_none_is_named", an_address_that_is_none_is_named },
        { "an_ipv6_address_is_listened_on", an_ipv6_address_is_listened_on },
        { "a_server_stops_at_once_and_starts_again_on_its_port",
            a_server_stops_at_once_and_starts_again_on_its_port },
        { "random_bytes_never_stop_the_server", random_bytes_never_stop_the_server },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "http", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("admin_http", suites, argc, argv);
}
