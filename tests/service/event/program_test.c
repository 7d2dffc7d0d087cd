/* A service as a program: settings, start, readiness, signals. */
#include "shared/base/clock.h"
#include "tests/service/admin/client.h"
#include "tests/service/event/log_fixture.h"
#include "tests/service/event/note_service.h"
#include "tests/service/event/process.h"
#include "tests/support/test_main.h"

#include "shared/auth/token.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTES (&throughline__echo__v1__note_service__descriptor)

enum {
    WAIT_MS = 20 * 1000,
    N_WRITERS = 6,
    LOAD_MS = 400,
    EXIT_BAD_SETTING = 2,
    EXIT_SECOND_SIGNAL = 130,
#if SANITIZE_ADDRESS
    READY_MS = 3000,
#elif SANITIZE_THREAD
    READY_MS = 5000,
#else
    READY_MS = 500,
#endif
};

static Arena *arena;
static const char *folder;
static TokenSigner *signer;

static void start(void)
{
    arena = arena_new();
    folder = test_folder();
    CU_ASSERT_PTR_NULL_FATAL(token_keys_create(
        arena, arena_printf(arena, "%s/key", folder), arena_printf(arena, "%s/keys", folder)));
    CU_ASSERT_PTR_NULL_FATAL(
        token_signer_open(arena, arena_printf(arena, "%s/key", folder), &signer));
}

static void stop(void)
{
    token_signer_close(signer);
    arena_free(arena);
}

static Process *run_with(const char *const *extra)
{
    const char *flags[16] = { "--address=127.0.0.1", "--port=0", "--admin-port=0" };
    int n = 3;

    flags[n++] = arena_printf(arena, "--store-uri=embedded:%s/data", folder);
    flags[n++] = arena_printf(arena, "--token-keys=%s/keys", folder);
    for (; extra && *extra; extra++)
        flags[n++] = *extra;
    return process_start(arena, flags);
}

static Process *run(void)
{
    return run_with(NULL);
}

static RpcClient *client_of(const Process *process)
{
    static const char *const scopes[] = { "*" };
    Caller caller = { "accounts/web", "web", scopes, 1, clock_now() + 3600 * INT64_C(1000000) };
    const char *token;

    CU_ASSERT_PTR_NULL_FATAL(token_sign(signer, arena, &caller, clock_now(), &token));
    return rpc_client_open(arena,
        &(RpcClientOptions){
            .target = arena_printf(arena, "127.0.0.1:%d", process_port(process)), .token = token });
}

static const Error *write_note(
    RpcClient *client, Arena *own, const char *name, const char *request_id, int delay_ms)
{
    RpcOutgoing outgoing = { .arena = own,
        .context = { .actor = "customers/ann" },
        .deadline = clock_monotonic() + WAIT_MS * INT64_C(1000) };
    WriteNoteRequest request = THROUGHLINE__ECHO__V1__WRITE_NOTE_REQUEST__INIT;
    Note note = THROUGHLINE__ECHO__V1__NOTE__INIT;

    request.name = (char *)name;
    request.request_id = (char *)request_id;
    request.delay_ms = delay_ms;
    return rpc_client_call(client, &outgoing, NOTES, "WriteNote", &request, &note);
}

static const char *get(const Process *process, const char *path)
{
    return client_exchange(arena, process_admin_port(process),
        arena_printf(arena, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path));
}

static void help_names_every_setting_and_its_default(void)
{
    Process *process = process_start(arena, (const char *const[]){ "--help", NULL });
    static const char *const expected[] = { "--address", "--port", "--admin-port", "--store-uri",
        "--token-keys", "--token-file", "--log-level", "--drain-ms", "--tls-cert", "--tls-key",
        "--tls-ca", "--workers", "--max-calls", "THROUGHLINE_STORE_URI", "embedded:./data", "7901",
        "8001", "25000" };

    CHECK_INT(process_wait(process, WAIT_MS), 0);
    for (size_t i = 0; i < COUNT(expected); i++)
        if (!strstr(process_output(process), expected[i]))
            CHECK_TEXT("missing in --help", expected[i]);
    process_free(process);
}

static void the_version_is_told(void)
{
    Process *process = process_start(arena, (const char *const[]){ "--version", NULL });

    CHECK_INT(process_wait(process, WAIT_MS), 0);
    CHECK_TEXT(process_output(process), "notes " THROUGHLINE_VERSION "\n");
    process_free(process);
}

static void check_refused(const char *flag, const char *named)
{
    Process *process = run_with((const char *const[]){ flag, NULL });

    CHECK_INT(process_wait(process, WAIT_MS), EXIT_BAD_SETTING);
    if (!strstr(process_errors(process), named))
        CHECK_TEXT(process_errors(process), named);
    process_free(process);
}

static void a_bad_setting_stops_the_start_by_name(void)
{
    check_refused("--port=99999", "--port");
    check_refused("--no-such=1", "--no-such");
    check_refused("--drain-ms=soon", "--drain-ms");
    check_refused("--log-level=loud", "--log-level");
    check_refused("word", "word");
    check_refused("--store-uri=ftp://nowhere", "store");
}

static void a_taken_port_stops_the_start(void)
{
    Process *first = run();
    Process *second;

    CU_ASSERT_TRUE_FATAL(process_wait_ready(first, WAIT_MS));
    second = run_with((const char *const[]){ arena_printf(arena, "--port=%d", process_port(first)),
        arena_printf(arena, "--store-uri=embedded:%s/other", folder), NULL });

    CHECK_INT(process_wait(second, WAIT_MS), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(process_output(second), "PORT_TAKEN"));
    process_free(second);
    process_free(first);
}

static void it_is_ready_in_no_time(void)
{
    int64_t start_at = clock_monotonic();
    int64_t took_ms;
    Process *process = run();

    CU_ASSERT_TRUE_FATAL(process_wait_ready(process, WAIT_MS));
    took_ms = (clock_monotonic() - start_at) / 1000;

    CU_ASSERT_PTR_NOT_NULL(strstr(get(process, "/readyz"), " 200 "));
    CU_ASSERT_PTR_NOT_NULL(strstr(get(process, "/healthz"), " 200 "));
    if (took_ms > READY_MS)
        CHECK_INT(took_ms, READY_MS);
    process_free(process);
}

static void a_store_that_is_away_at_the_start_is_waited_for(void)
{
    LogFixture holder;
    Process *process;
    RpcClient *client;
    const Error *error;
    int64_t until = clock_monotonic() + WAIT_MS * INT64_C(1000);

    /* The embedded store belongs to one process at a time: us. */
    CU_ASSERT_TRUE_FATAL(
        log_fixture_open_at(&holder, arena_printf(arena, "embedded:%s/data", folder)));
    process = run();
    CU_ASSERT_TRUE_FATAL(process_wait_text(process, "store_away", WAIT_MS));
    CU_ASSERT_TRUE_FATAL(process_wait_listening(process, WAIT_MS));
    CU_ASSERT_PTR_NOT_NULL(strstr(get(process, "/readyz"), " 503 "));
    CU_ASSERT_PTR_NOT_NULL(strstr(get(process, "/readyz"), "the store does not answer"));
    CU_ASSERT_PTR_NOT_NULL(strstr(get(process, "/healthz"), " 200 "));

    log_fixture_close(&holder);
    CU_ASSERT_TRUE(process_wait_ready(process, WAIT_MS));
    client = client_of(process);
    do
        error = write_note(client, arena, "notes/a", "", 0);
    while (error && error->code == ERROR_UNAVAILABLE && clock_monotonic() < until);
    CHECK_TEXT(error_reason(error), "OK");
    rpc_client_close(client);
    process_free(process);
}

static void sigterm_while_the_store_is_away_ends_it(void)
{
    LogFixture holder;
    Process *process;

    CU_ASSERT_TRUE_FATAL(
        log_fixture_open_at(&holder, arena_printf(arena, "embedded:%s/data", folder)));
    process = run();
    CU_ASSERT_TRUE_FATAL(process_wait_text(process, "store_away", WAIT_MS));

    process_signal(process, SIGTERM);

    CHECK_INT(process_wait(process, WAIT_MS), 0);
    process_free(process);
    log_fixture_close(&holder);
}

static void sigterm_ends_with_zero(void)
{
    Process *process = run();
    int64_t start_at;

    CU_ASSERT_TRUE_FATAL(process_wait_ready(process, WAIT_MS));
    start_at = clock_monotonic();
    process_signal(process, SIGTERM);

    CHECK_INT(process_wait(process, WAIT_MS), 0);
    CU_ASSERT_TRUE(clock_monotonic() - start_at < 5 * INT64_C(1000000));
    CU_ASSERT_PTR_NOT_NULL(strstr(process_output(process), "\"stopped\""));
    process_free(process);
}

typedef struct SlowCall {
    RpcClient *client;
    int delay_ms;
    char reason[64];
    pthread_t thread;
} SlowCall;

static void *call_slowly(void *context)
{
    SlowCall *call = context;
    Arena *own = arena_new();

    snprintf(call->reason, sizeof(call->reason), "%s",
        error_reason(write_note(call->client, own, "notes/slow", "", call->delay_ms)));
    arena_free(own);
    return NULL;
}

static void a_call_under_way_is_finished_before_the_end(void)
{
    Process *process = run();
    SlowCall call = { .delay_ms = 700 };

    CU_ASSERT_TRUE_FATAL(process_wait_ready(process, WAIT_MS));
    call.client = client_of(process);
    pthread_create(&call.thread, NULL, call_slowly, &call);
    clock_sleep_ms(300);
    process_signal(process, SIGTERM);
    pthread_join(call.thread, NULL);

    CHECK_TEXT(call.reason, "OK");
    CHECK_INT(process_wait(process, WAIT_MS), 0);
    rpc_client_close(call.client);
    process_free(process);
}

static void a_second_signal_ends_at_once(void)
{
    Process *process = run();
    SlowCall call = { .delay_ms = 8000 };
    int64_t start_at = clock_monotonic();

    CU_ASSERT_TRUE_FATAL(process_wait_ready(process, WAIT_MS));
    call.client = client_of(process);
    pthread_create(&call.thread, NULL, call_slowly, &call);
    clock_sleep_ms(300);
    process_signal(process, SIGTERM);
    CU_ASSERT_TRUE(process_wait_text(process, "draining", WAIT_MS));
    process_signal(process, SIGTERM);

    CHECK_INT(process_wait(process, WAIT_MS), EXIT_SECOND_SIGNAL);
    CU_ASSERT_TRUE(clock_monotonic() - start_at < 7 * INT64_C(1000000));
    pthread_join(call.thread, NULL);
    rpc_client_close(call.client);
    process_free(process);
}

/* Writes notes of its own, one after the other, until the server is gone; counts what was
 * acknowledged. */
typedef struct LoadWriter {
    RpcClient *client;
    int number;
    _Atomic int acknowledged;
    pthread_t thread;
} LoadWriter;

static void *write_until_gone(void *context)
{
    LoadWriter *writer = context;
    Arena *own = arena_new();
    const Error *error = NULL;
    char name[32], request_id[32];

    snprintf(name, sizeof(name), "notes/w%d", writer->number);
    while (!error) {
        snprintf(request_id, sizeof(request_id), "w%d-%d", writer->number, writer->acknowledged);
        arena_reset(own);
        error = write_note(writer->client, own, name, request_id, 0);
        if (!error)
            writer->acknowledged++;
    }
    arena_free(own);
    return NULL;
}

/* What was acknowledged, and at most one writing more: the one whose answer did not come. */
static void check_note(LogFixture *store, const LoadWriter *writer)
{
    StoreView view = { .store = store->store, .arena = arena };
    Note note = THROUGHLINE__ECHO__V1__NOTE__INIT;
    const Error *error =
        store_get(&view, &notes, arena_printf(arena, "notes/w%d", writer->number), &note);

    CU_ASSERT_TRUE(!error || (writer->acknowledged == 0 && error->code == ERROR_NOT_FOUND));
    CU_ASSERT_TRUE(
        note.writings == writer->acknowledged || note.writings == writer->acknowledged + 1);
}

/* A server that ends before it has work to do shows nothing. */
static bool all_have_written(const LoadWriter *writers)
{
    int64_t until = clock_monotonic() + WAIT_MS * INT64_C(1000);

    for (int i = 0; i < N_WRITERS; i++)
        while (writers[i].acknowledged == 0) {
            if (clock_monotonic() > until)
                return false;
            clock_sleep_ms(5);
        }
    return true;
}

static void end_under_load(int number, int expected_code)
{
    Process *process = run();
    LoadWriter writers[N_WRITERS];
    LogFixture store;
    EventRelay *relay;
    int64_t total = 0;

    CU_ASSERT_TRUE_FATAL(process_wait_ready(process, WAIT_MS));
    for (int i = 0; i < N_WRITERS; i++) {
        writers[i] = (LoadWriter){ .client = client_of(process), .number = i };
        pthread_create(&writers[i].thread, NULL, write_until_gone, &writers[i]);
    }
    CU_ASSERT_TRUE(all_have_written(writers));
    clock_sleep_ms(LOAD_MS);
    process_signal(process, number);
    CHECK_INT(process_wait(process, WAIT_MS), expected_code);
    for (int i = 0; i < N_WRITERS; i++) {
        pthread_join(writers[i].thread, NULL);
        rpc_client_close(writers[i].client);
        total += writers[i].acknowledged;
    }
    process_free(process);

    CU_ASSERT_TRUE_FATAL(
        log_fixture_open_at(&store, arena_printf(arena, "embedded:%s/data", folder)));
    for (int i = 0; i < N_WRITERS; i++)
        check_note(&store, &writers[i]);
    /* The drain leaves nothing in the outboxes; after a kill the next relay moves it. */
    if (expected_code == 0)
        CHECK_INT(log_fixture_waiting(&store), 0);
    relay = event_relay_start(store.store, "notes", NULL, store.metrics);
    CU_ASSERT_TRUE(log_fixture_wait(&store, WAIT_MS));
    event_relay_stop(relay, 0);
    CU_ASSERT_TRUE(log_fixture_check(&store) >= total);
    log_fixture_close(&store);
}

static void sigterm_under_load_loses_no_accepted_call(void)
{
    end_under_load(SIGTERM, 0);
}

static void sigkill_under_load_loses_no_accepted_call(void)
{
    end_under_load(SIGKILL, 128 + SIGKILL);
}

static CU_TestInfo tests[] = {
    { "help_names_every_setting_and_its_default", help_names_every_setting_and_its_default },
    { "the_version_is_told", the_version_is_told },
    { "a_bad_setting_stops_the_start_by_name", a_bad_setting_stops_the_start_by_name },
    { "a_taken_port_stops_the_start", a_taken_port_stops_the_start },
    { "it_is_ready_in_no_time", it_is_ready_in_no_time },
    { "a_store_that_is_away_at_the_start_is_waited_for",
        a_store_that_is_away_at_the_start_is_waited_for },
    { "sigterm_while_the_store_is_away_ends_it", sigterm_while_the_store_is_away_ends_it },
    { "sigterm_ends_with_zero", sigterm_ends_with_zero },
    { "a_call_under_way_is_finished_before_the_end", a_call_under_way_is_finished_before_the_end },
    { "a_second_signal_ends_at_once", a_second_signal_ends_at_once },
    { "sigterm_under_load_loses_no_accepted_call", sigterm_under_load_loses_no_accepted_call },
    { "sigkill_under_load_loses_no_accepted_call", sigkill_under_load_loses_no_accepted_call },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {
        { .pName = "program", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    process_program(argv[0], "note_server");
    return test_main("event_program_test", suites, argc, argv);
}
