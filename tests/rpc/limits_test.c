/* What a client can grow has a limit, and reaching it is answered. */
#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/rpc/transport.h"
#include "tests/rpc/echo_fixture.h"
#include "tests/rpc/engine.h"
#include "tests/support/test_main.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static Echo *echo;

static void stop(void)
{
    echo_stop(echo);
}

static void start(void)
{
    echo = echo_start(NULL);
}

static void restart(const RpcLimits *limits)
{
    echo_stop(echo);
    echo = echo_start(limits);
}

static void too_large_a_message_is_refused(void)
{
    Bytes request = { arena_alloc(echo->arena, 10001), 10001 };

    restart(&(RpcLimits){ .max_message_bytes = 10000 });
    request.data = arena_alloc(echo->arena, request.size);

    CHECK_INT(
        raw_unary(echo->client, echo->arena, ECHO_PATH "Echo", echo_pairs(echo), request, NULL)
            ->code,
        ERROR_RESOURCE_EXHAUSTED);
    CHECK_TEXT(error_reason(rpc_server_probe(echo->server)), "OK");
}

static const Error *bring(size_t size)
{
    char *large = arena_alloc(echo->arena, size + 1);
    const RawPair more[] = { { "x-large", large }, { 0 } };

    memset(large, 'x', size);
    return raw_unary(echo->client, echo->arena, ECHO_PATH "Echo", echo_pairs_and(echo, more),
        (Bytes){ 0 }, NULL);
}

static void too_much_metadata_is_refused(void)
{
    CHECK_TEXT(error_reason(bring(14000)), "OK");
    CHECK_TEXT(error_reason(bring(20000)), "METADATA_TOO_LARGE");
    CHECK_INT(bring(20000)->code, ERROR_RESOURCE_EXHAUSTED);
}

/* The engine may cut the connection; the server goes on. */
static void far_too_much_metadata_is_cut_off(void)
{
    CU_ASSERT(bring(1000000) != NULL);

    CHECK_TEXT(error_reason(rpc_server_probe(echo->server)), "OK");
}

static RawCall *open_slow(int delay_seconds)
{
    EchoSlowlyRequest request = THROUGHLINE__ECHO__V1__ECHO_SLOWLY_REQUEST__INIT;
    Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;

    delay.seconds = delay_seconds;
    request.delay = &delay;
    return echo_open(echo, ECHO_PATH "EchoSlowly", &request, RAW_NO_DEADLINE);
}

static void beyond_workers_and_queue_calls_are_told_to_come_later(void)
{
    RawCall *calls[3];
    EchoSlowlyResponse *reply;
    const Error *error;

    restart(&(RpcLimits){ .workers = 2, .max_queue = 1 });
    for (int i = 0; i < 3; i++)
        calls[i] = open_slow(20);
    CU_ASSERT(comes_to(&echo->state.running, 2));
    clock_sleep_ms(50); /* the third is in the queue */
    error = echo_slowly(echo, "too many", 0, &reply);

    CHECK_INT(error->code, ERROR_RESOURCE_EXHAUSTED);
    CHECK_TEXT(error->reason, "OVERLOADED");
    CU_ASSERT(error->retry_after_ms > 0);
    CHECK_TEXT(error_reason(rpc_server_probe(echo->server)), "OK");
    for (int i = 0; i < 3; i++)
        raw_free(calls[i]);
    CU_ASSERT(comes_to(&echo->state.running, 0));
    CHECK_TEXT(error_reason(echo_slowly(echo, "again", 0, &reply)), "OK");
}

static void a_call_that_was_left_in_the_queue_is_not_run(void)
{
    RawCall *first, *second;
    EchoSlowlyResponse *reply;

    restart(&(RpcLimits){ .workers = 1, .max_queue = 10 });
    first = open_slow(20);
    CU_ASSERT(comes_to(&echo->state.running, 1));
    second = open_slow(20);
    clock_sleep_ms(50);
    raw_free(second);
    clock_sleep_ms(50);
    raw_free(first);

    CHECK_TEXT(error_reason(echo_slowly(echo, "next", 0, &reply)), "OK");
    CHECK_INT(echo->state.cancelled, 1);
    CHECK_INT(echo->state.finished, 1);
}

static void beyond_the_calls_at_once_the_answer_is_the_same(void)
{
    RawCall *calls[2];
    EchoSlowlyResponse *reply;

    restart(&(RpcLimits){ .max_calls = 2 });
    for (int i = 0; i < 2; i++)
        calls[i] = open_slow(20);
    CU_ASSERT(comes_to(&echo->state.running, 2));

    CHECK_TEXT(error_reason(echo_slowly(echo, "x", 0, &reply)), "OVERLOADED");
    for (int i = 0; i < 2; i++)
        raw_free(calls[i]);
}

static int connect_to(int port)
{
    struct sockaddr_in name = { .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&name, sizeof(name)))
        CU_FAIL("no connection");
    return fd;
}

/* An HTTP/2 client that only says hello; milliseconds until it is hung up on, -1 after three
 * seconds. */
static int64_t hung_up_after(int fd)
{
    static const char hello[] =
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0\0\0\0\4\1\0\0\0";
    int64_t start_at = clock_monotonic();
    char bytes[1024];

    if (write(fd, hello, sizeof(hello) - 1) < 0)
        return 0;
    while (clock_monotonic() - start_at < 3000000) {
        struct pollfd ready = { .fd = fd, .events = POLLIN };

        if (poll(&ready, 1, 100) > 0 && read(fd, bytes, sizeof(bytes)) <= 0)
            return (clock_monotonic() - start_at) / 1000;
    }
    return -1;
}

static void an_idle_connection_is_closed(void)
{
    int64_t after;
    int fd;

    restart(&(RpcLimits){ .idle_ms = 1000, .max_age_ms = 60000 });
    fd = connect_to(echo->port);
    after = hung_up_after(fd);

    CU_ASSERT(after >= 500 && after < 2500);
    close(fd);
}

static void an_old_connection_is_closed_without_losing_a_call(void)
{
    EchoSlowlyResponse *reply;
    int64_t end;
    int fd, calls = 0;

    restart(&(RpcLimits){ .max_age_ms = 300, .max_age_grace_ms = 2000 });
    fd = connect_to(echo->port);
    CU_ASSERT(hung_up_after(fd) >= 0);
    close(fd);
    end = clock_monotonic() + 1500000;
    for (; clock_monotonic() < end; calls++) {
        const Error *error = echo_slowly(echo, "on and on", 20, &reply);

        CHECK_TEXT(error_reason(error), "OK");
    }
    CU_ASSERT(calls > 10);
}

static void rubbish_instead_of_http2_is_hung_up_on(void)
{
    int fd = connect_to(echo->port);
    static const char rubbish[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    CU_ASSERT(write(fd, rubbish, sizeof(rubbish)) > 0);
    CU_ASSERT(hung_up_after(fd) >= 0);
    close(fd);
    CHECK_TEXT(error_reason(rpc_server_probe(echo->server)), "OK");
}

static const char *program_path(void)
{
    char *self = arena_alloc(echo->arena, 4096);
    char *slash;

    if (readlink("/proc/self/exe", self, 4000) < 0)
        return NULL;
    slash = strrchr(self, '/'); /* …/bin/tests/rpc_limits_test → …/bin/echo_server */
    *slash = '\0';
    slash = strrchr(self, '/');
    return arena_printf(echo->arena, "%.*s/echo_server", (int)(slash - self), self);
}

/* The program with few descriptors. Its port, and its process. */
static int start_with_few_descriptors(pid_t *process)
{
    int out[2], port = 0;
    FILE *lines;

    if (pipe(out))
        return 0;
    *process = fork();
    if (*process == 0) {
        dup2(out[1], STDOUT_FILENO);
        execl("/bin/sh", "sh", "-c", "ulimit -n 100; exec \"$0\" --log-level off", program_path(),
            (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    lines = fdopen(out[0], "r");
    if (!lines || fscanf(lines, "{\"port\":%d", &port) != 1)
        port = 0;
    if (lines)
        fclose(lines);
    return port;
}

static bool answers_once(int port)
{
    RawClient *client = raw_open(port);
    const Error *error =
        raw_unary(client, echo->arena, "/grpc.health.v1.Health/Check", NULL, (Bytes){ 0 }, NULL);

    raw_close(client);
    return error == NULL;
}

/* Connections that were closed are seen to be so a little later. */
static bool answers(int port)
{
    for (int i = 0; i < 50; i++) {
        if (answers_once(port))
            return true;
        clock_sleep_ms(100);
    }
    return false;
}

/* CVE-2023-4785: core's own listener never comes back after this. */
static void running_out_of_descriptors_is_survived(void)
{
    enum { CONNECTIONS = 400 };
    int fds[CONNECTIONS], status = 0;
    pid_t process = 0;
    int port = start_with_few_descriptors(&process);

    CU_ASSERT_FATAL(port > 0);
    CU_ASSERT(answers(port));
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < CONNECTIONS; i++)
            fds[i] = connect_to(port);
        for (int i = 0; i < CONNECTIONS; i++)
            close(fds[i]);
        CU_ASSERT(answers(port));
    }
    kill(process, SIGTERM);
    waitpid(process, &status, 0);
    CHECK_INT(status, 0);
}

static void a_probe_comes_as_the_balancer_does(void)
{
    Echo *proxied =
        echo_start_with(&(RpcServerOptions){ .transport = &transport_h2, .expects_proxy = true });

    CHECK_TEXT(error_reason(rpc_server_probe(proxied->server)), "OK");
    echo_stop(proxied);
}

static void grpc_core_knows_no_balancers(void)
{
    RpcServer *server;
    const RpcService *const services[] = { NULL };
    RpcServerOptions options = { .address = "127.0.0.1",
        .transport = engine_named("core"),
        .expects_proxy = true,
        .services = services };

    CHECK_TEXT(error_reason(rpc_server_start(echo->arena, &options, &server)), "PROXY_UNSUPPORTED");
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "too large a message is refused", too_large_a_message_is_refused },
        { "too much metadata is refused", too_much_metadata_is_refused },
        { "far too much metadata is cut off", far_too_much_metadata_is_cut_off },
        { "beyond workers and queue calls are told to come later",
            beyond_workers_and_queue_calls_are_told_to_come_later },
        { "a call that was left in the queue is not run",
            a_call_that_was_left_in_the_queue_is_not_run },
        { "beyond the calls at once the answer is the same",
            beyond_the_calls_at_once_the_answer_is_the_same },
        { "an idle connection is closed", an_idle_connection_is_closed },
        { "an old connection is closed without losing a call",
            an_old_connection_is_closed_without_losing_a_call },
        { "rubbish instead of HTTP/2 is hung up on", rubbish_instead_of_http2_is_hung_up_on },
        { "running out of descriptors is survived", running_out_of_descriptors_is_survived },
        { "a probe comes as the balancer does", a_probe_comes_as_the_balancer_does },
        { "gRPC core knows no balancers", grpc_core_knows_no_balancers },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "limits", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("rpc_limits_test", suites, argc, argv);
}
