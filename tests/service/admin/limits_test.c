/* What a client cannot do to the admin port. */
#include "shared/admin/http.h"

#include "shared/base/clock.h"
#include "shared/base/text.h"
#include "tests/service/admin/client.h"
#include "tests/support/test_main.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The server's limits: 64 connections, 8 KiB of head, 5 seconds. */
enum {
    CONNECTIONS = 64,
    TOO_MANY = 100,
    HEAD_SIZE = 8 * 1024,
    DEADLINE_MS = 5000,
    PATIENCE_MS = 60 * 1000,
    LARGE_BODY = 1 << 20,
    THREADS = 4,
    REQUESTS_EACH = 100,
};

static const char request[] = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

static Arena *arena;
static Metrics *metrics;
static AdminServer *server;
static int port;

static bool is_ready(void *context, const char **reason)
{
    (void)context, (void)reason;
    return true;
}

static void set_up(void)
{
    AdminOptions options;

    arena = arena_new();
    metrics = metrics_new();
    options = (AdminOptions){ .address = "127.0.0.1",
        .service = "cart",
        .version = "1.2.3",
        .metrics = metrics,
        .is_ready = is_ready };
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

static void check_healthy(void)
{
    CU_ASSERT(text_starts_with(client_exchange(arena, port, request), "HTTP/1.1 200 OK\r\n"));
}

static const char *request_of_size(int size)
{
    int rest = size - (int)strlen("GET /healthz HTTP/1.1\r\nX: \r\n\r\n");

    return arena_printf(arena, "GET /healthz HTTP/1.1\r\nX: %0*d\r\n\r\n", rest, 0);
}

static void a_head_of_8_kib_is_answered(void)
{
    const char *answer = client_exchange(arena, port, request_of_size(HEAD_SIZE));

    CU_ASSERT(text_starts_with(answer, "HTTP/1.1 200 OK\r\n"));
}

static void a_larger_head_is_refused(void)
{
    const char *answer = client_exchange(arena, port, request_of_size(HEAD_SIZE + 4));

    CU_ASSERT(text_starts_with(answer, "HTTP/1.1 431 Request Header Fields Too Large\r\n"));
    check_healthy();
}

static void an_endless_head_is_refused_and_cut_off(void)
{
    int connection = client_connect(port);
    char bytes[4096];
    int64_t until = clock_monotonic() + PATIENCE_MS * INT64_C(1000);
    bool is_open = true;

    memset(bytes, 'a', sizeof(bytes));
    while (is_open && clock_monotonic() < until)
        is_open = client_send(connection, bytes, sizeof(bytes));

    CU_ASSERT(!is_open);
    close(connection);
    check_healthy();
}

static void the_answer_arrives_although_the_body_was_not_wanted(void)
{
    char *body = arena_alloc(arena, LARGE_BODY);
    int connection = client_connect(port);
    static const char head[] =
        "POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n";

    CU_ASSERT(client_send(connection, head, strlen(head)));
    CU_ASSERT(client_send(connection, body, LARGE_BODY));

    CU_ASSERT(text_starts_with(
        client_read_all(arena, connection), "HTTP/1.1 405 Method Not Allowed\r\n"));
}

static void when_all_places_are_taken_the_oldest_makes_room(void)
{
    int connections[TOO_MANY];
    int n_closed = 0;

    for (int i = 0; i < TOO_MANY; i++)
        connections[i] = client_connect(port);

    check_healthy();
    clock_sleep_ms(50);
    for (int i = 0; i < TOO_MANY; i++) {
        bool is_closed = client_is_closed(connections[i]);

        n_closed += is_closed;
        CHECK_INT(is_closed, i <= TOO_MANY - CONNECTIONS);
        close(connections[i]);
    }
    CHECK_INT(n_closed, TOO_MANY - CONNECTIONS + 1);
}

/* One says nothing, one a byte now and then, one does not read its answer to the end. */
static void a_slow_client_is_cut_off_after_five_seconds(void)
{
    int silent = client_connect(port);
    int slow = client_connect(port);
    int answered = client_connect(port);
    int64_t before = clock_monotonic();
    int64_t until = before + PATIENCE_MS * INT64_C(1000);

    client_send(answered, request, strlen(request));
    while (!client_is_closed(slow) && clock_monotonic() < until) {
        client_send(slow, "G", 1);
        clock_sleep_ms(100);
    }

    CU_ASSERT(clock_monotonic() - before > (DEADLINE_MS - 500) * 1000);
    while (!client_is_closed(silent) && clock_monotonic() < until)
        clock_sleep_ms(10);
    CU_ASSERT(client_is_closed(slow) && client_is_closed(silent));
    CU_ASSERT(!client_send(answered, "x", 1) || !client_send(answered, "x", 1));
    close(silent);
    close(slow);
    close(answered);
    check_healthy();
}

static double cpu_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* The client's connection completes in the kernel; the server has no descriptor to accept it
 * with. */
static void running_out_of_descriptors_neither_spins_nor_deafens(void)
{
    struct rlimit before;
    double cpu;
    int connection;
    int next;

    getrlimit(RLIMIT_NOFILE, &before);
    next = open("/dev/null", O_RDONLY);
    close(next);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){ (rlim_t)next + 1, before.rlim_max });
    connection = client_connect(port);
    CHECK_INT(connection, next);
    client_send(connection, request, strlen(request));
    cpu = cpu_seconds();
    clock_sleep_ms(1000);
    CU_ASSERT(cpu_seconds() - cpu < 0.3);
    setrlimit(RLIMIT_NOFILE, &before);

    CU_ASSERT(text_starts_with(client_read_all(arena, connection), "HTTP/1.1 200 OK\r\n"));
    check_healthy();
}

static void *ask_often(void *context)
{
    Arena *own = arena_new();
    int *n_bad = context;

    for (int i = 0; i < REQUESTS_EACH; i++) {
        if (!text_starts_with(client_exchange(own, port, request), "HTTP/1.1 200 OK\r\n"))
            ++*n_bad;
        arena_reset(own);
    }
    arena_free(own);
    return NULL;
}

static void many_clients_are_all_answered(void)
{
    pthread_t threads[THREADS];
    int n_bad[THREADS] = { 0 };

    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, ask_often, &n_bad[i]);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);

    for (int i = 0; i < THREADS; i++)
        CHECK_INT(n_bad[i], 0);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_head_of_8_kib_is_answered", a_head_of_8_kib_is_answered },
        { "a_larger_head_is_refused", a_larger_head_is_refused },
        { "an_endless_head_is_refused_and_cut_off", an_endless_head_is_refused_and_cut_off },
        { "the_answer_arrives_although_the_body_was_not_wanted",
            the_answer_arrives_although_the_body_was_not_wanted },
        { "when_all_places_are_taken_the_oldest_makes_room",
            when_all_places_are_taken_the_oldest_makes_room },
        { "a_slow_client_is_cut_off_after_five_seconds",
            a_slow_client_is_cut_off_after_five_seconds },
        { "running_out_of_descriptors_neither_spins_nor_deafens",
            running_out_of_descriptors_neither_spins_nor_deafens },
        { "many_clients_are_all_answered", many_clients_are_all_answered },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "limits", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("admin_limits", suites, argc, argv);
}
