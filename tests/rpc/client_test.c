/* Unary calls of the client to one server: deadlines, tries, context, errors. */
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "tests/rpc/client_fixture.h"
#include "tests/support/test_main.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static void a_reply_comes_back(void)
{
    RpcOutgoing outgoing = for_ms(WAIT_MS);
    EchoRequest request = THROUGHLINE__ECHO__V1__ECHO_REQUEST__INIT;
    EchoResponse reply = THROUGHLINE__ECHO__V1__ECHO_RESPONSE__INIT;

    request.payload = (ProtobufCBinaryData){ 5, (uint8_t *)"hello" };
    CU_ASSERT_PTR_NULL(rpc_client_call(fixture.client, &outgoing, ECHO, "Echo", &request, &reply));

    CHECK_INT(reply.payload.len, 5);
    CU_ASSERT_TRUE(reply.payload.len == 5 && !memcmp(reply.payload.data, "hello", 5));
}

static void raw_bytes_go_and_come(void)
{
    RpcOutgoing outgoing = for_ms(WAIT_MS);
    Bytes request = { (const uint8_t *)"\x0a\x02hi", 4 };
    Bytes reply;

    CU_ASSERT_PTR_NULL(rpc_client_call_raw(
        fixture.client, &outgoing, "/throughline.echo.v1.EchoService/Echo", request, &reply));

    CHECK_INT(reply.size, 4);
    CU_ASSERT_TRUE(reply.size == 4 && !memcmp(reply.data, request.data, 4));
}

static void an_error_comes_back_with_reason_and_sentence(void)
{
    RpcOutgoing outgoing = for_ms(WAIT_MS);
    const Error *error = slowly(&outgoing, 0, ERROR_FAILED_PRECONDITION);

    CHECK_TEXT(error_reason(error), "AS_ASKED");
    CHECK_INT(error->code, ERROR_FAILED_PRECONDITION);
    CHECK_TEXT(error->message, "As asked: slow.");
}

static void violations_come_back_by_name(void)
{
    RpcOutgoing outgoing = for_ms(WAIT_MS);
    const Error *error = slowly(&outgoing, -1000, 0);

    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    CHECK_INT(error->n_violations, 1);
    CHECK_TEXT(error->violations[0].field, "delay");
}

static void facts_come_back(void)
{
    RpcOutgoing outgoing = for_ms(WAIT_MS);
    const Error *error;

    outgoing.token = make_token("other");
    error = slowly(&outgoing, 0, 0);

    CHECK_TEXT(error_reason(error), "SCOPE_MISSING");
    CHECK_INT(error->n_facts, 1);
    CHECK_TEXT(error->facts[0].key, "scope");
    CHECK_TEXT(error->facts[0].value, "echo");
}

static void a_deadline_ends_a_call(void)
{
    RpcOutgoing outgoing = for_ms(200);
    int64_t start_at = clock_monotonic();
    const Error *error;

    atomic_store(&fixture.backends[0].sleeps_ms, 1000);
    error = slowly(&outgoing, 0, 0);

    CHECK_TEXT(error_reason(error), "DEADLINE_EXCEEDED");
    CHECK_INT(error->code, ERROR_DEADLINE_EXCEEDED);
    CU_ASSERT_TRUE(ms_since(start_at) >= 190 && ms_since(start_at) < 900);
}

static void a_deadline_in_the_past_sends_nothing(void)
{
    RpcOutgoing outgoing = for_ms(-100);

    CHECK_TEXT(error_reason(slowly(&outgoing, 0, 0)), "DEADLINE_EXCEEDED");
}

static void the_end_of_the_parent_ends_a_call(void)
{
    RpcContext context = { "web", "customers/ann", "", "", "", "" };
    RpcCall *parent = rpc_internal_call(fixture.arena, "tests/parent", &context, NULL);
    RpcOutgoing outgoing;
    int64_t start_at = clock_monotonic();
    const Error *error;

    outgoing = rpc_outgoing(parent);
    outgoing.deadline = clock_monotonic() + WAIT_MS * INT64_C(1000);
    parent->deadline = clock_monotonic() + 150 * 1000;
    error = slowly(&outgoing, 9000, 0);

    CHECK_TEXT(error_reason(error), "CALL_CANCELLED");
    CU_ASSERT_TRUE(ms_since(start_at) < 5000);
}

static void an_onward_call_inherits_the_deadline(void)
{
    RpcContext context = { "web", "customers/ann", "", "", "", "" };
    RpcCall *parent = rpc_internal_call(fixture.arena, "tests/parent", &context, NULL);

    CHECK_INT(rpc_outgoing(parent).deadline, 0);
    parent->deadline = 12345;
    CHECK_INT(rpc_outgoing(parent).deadline, 12345);
}

static void an_idempotent_call_is_tried_again(void)
{
    atomic_store(&fixture.backends[0].refuses, 2);

    CHECK_TEXT(error_reason(echo()), "OK");
    CHECK_INT(atomic_load(&fixture.backends[0].calls), 3);
}

static void tries_come_to_an_end(void)
{
    atomic_store(&fixture.backends[0].refuses, 100);

    CHECK_TEXT(error_reason(echo()), "REFUSED");
    CHECK_INT(atomic_load(&fixture.backends[0].calls), 4);
}

static const Error *ask_context(RpcOutgoing *outgoing, EchoContextResponse *reply)
{
    EchoContextRequest request = THROUGHLINE__ECHO__V1__ECHO_CONTEXT_REQUEST__INIT;

    throughline__echo__v1__echo_context_response__init(reply);
    return rpc_client_call(fixture.client, outgoing, ECHO, "EchoContext", &request, reply);
}

static void a_call_that_is_not_idempotent_is_tried_once(void)
{
    RpcOutgoing outgoing = for_ms(WAIT_MS);
    EchoContextResponse reply;

    atomic_store(&fixture.backends[0].refuses, 1);

    CHECK_TEXT(error_reason(ask_context(&outgoing, &reply)), "REFUSED");
    CHECK_INT(atomic_load(&fixture.backends[0].calls), 1);
}

static void the_context_travels(void)
{
    RpcOutgoing outgoing = for_ms(WAIT_MS);
    EchoContextResponse reply;

    outgoing.context = (RpcContext){ "care", "agents/eve", "customers/ann", "devices/7",
        "journeys/1", "complaint" };
    outgoing.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    CHECK_TEXT(error_reason(ask_context(&outgoing, &reply)), "OK");

    CHECK_TEXT(reply.account, "accounts/test");
    CHECK_TEXT(reply.channel, "care");
    CHECK_TEXT(reply.actor, "agents/eve");
    CHECK_TEXT(reply.on_behalf_of, "customers/ann");
    CHECK_TEXT(reply.device, "devices/7");
    CHECK_TEXT(reply.journey, "journeys/1");
    CHECK_TEXT(reply.purpose, "complaint");
    CHECK_TEXT(reply.trace_id, "0af7651916cd43dd8448eb211c80319c");
}

static void a_call_without_trace_begins_one(void)
{
    RpcOutgoing outgoing = for_ms(WAIT_MS);
    EchoContextResponse first, second;

    CHECK_TEXT(error_reason(ask_context(&outgoing, &first)), "OK");
    CHECK_TEXT(error_reason(ask_context(&outgoing, &second)), "OK");

    CHECK_INT(strlen(first.trace_id), 32);
    CU_ASSERT_STRING_NOT_EQUAL(first.trace_id, second.trace_id);
}

static void context_that_cannot_travel_is_refused(void)
{
    RpcOutgoing outgoing = for_ms(WAIT_MS);
    EchoContextResponse reply;

    outgoing.context.actor = "customers/\n";

    CHECK_TEXT(error_reason(ask_context(&outgoing, &reply)), "METADATA_INVALID");
    CHECK_INT(atomic_load(&fixture.backends[0].calls), 0);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(text, file);
    fclose(file);
}

static void a_token_file_is_read_again(void)
{
    const char *path = arena_printf(fixture.arena, "%s/token", test_folder());

    write_file(path, arena_printf(fixture.arena, "%s\n", make_token("other")));
    rpc_client_close(fixture.client);
    fixture.client = rpc_client_open(fixture.arena,
        &(RpcClientOptions){
            .target = arena_printf(fixture.arena, "127.0.0.1:%d", fixture.backends[0].port),
            .token_file = path });
    CHECK_TEXT(error_reason(echo()), "SCOPE_MISSING");

    clock_sleep_ms(20); /* the clock of files has a coarse tick */
    write_file(path, make_token("*"));
    CHECK_TEXT(error_reason(echo()), "OK");

    remove(path);
    CHECK_TEXT(error_reason(echo()), "OK");
}

static void *call_often(void *context)
{
    atomic_int *good = context;
    Arena *own = arena_new();

    for (int i = 0; i < 100; i++) {
        RpcOutgoing outgoing = { .arena = own };
        EchoRequest request = THROUGHLINE__ECHO__V1__ECHO_REQUEST__INIT;
        EchoResponse reply = THROUGHLINE__ECHO__V1__ECHO_RESPONSE__INIT;

        if (!rpc_client_call(fixture.client, &outgoing, ECHO, "Echo", &request, &reply))
            atomic_fetch_add(good, 1);
        arena_reset(own);
    }
    arena_free(own);
    return NULL;
}

static void many_threads_share_a_client(void)
{
    enum { N_THREADS = 16 };
    pthread_t threads[N_THREADS];
    atomic_int good = 0;

    for (int i = 0; i < N_THREADS; i++)
        pthread_create(&threads[i], NULL, call_often, &good);
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);

    CHECK_INT(atomic_load(&good), N_THREADS * 100);
}

static void a_certificate_that_cannot_be_read_fails_the_calls(void)
{
    rpc_client_close(fixture.client);
    fixture.client = rpc_client_open(
        fixture.arena, &(RpcClientOptions){ .target = "127.0.0.1:1", .tls_ca = "/nowhere/ca.pem" });

    CHECK_TEXT(error_reason(echo()), "TLS_FILE_UNREADABLE");
}

static CU_TestInfo unary_tests[] = {
    { "a_reply_comes_back", a_reply_comes_back },
    { "raw_bytes_go_and_come", raw_bytes_go_and_come },
    { "an_error_comes_back_with_reason_and_sentence",
        an_error_comes_back_with_reason_and_sentence },
    { "violations_come_back_by_name", violations_come_back_by_name },
    { "facts_come_back", facts_come_back },
    { "a_deadline_ends_a_call", a_deadline_ends_a_call },
    { "a_deadline_in_the_past_sends_nothing", a_deadline_in_the_past_sends_nothing },
    { "the_end_of_the_parent_ends_a_call", the_end_of_the_parent_ends_a_call },
    { "an_onward_call_inherits_the_deadline", an_onward_call_inherits_the_deadline },
    { "an_idempotent_call_is_tried_again", an_idempotent_call_is_tried_again },
    { "tries_come_to_an_end", tries_come_to_an_end },
    { "a_call_that_is_not_idempotent_is_tried_once", a_call_that_is_not_idempotent_is_tried_once },
    { "the_context_travels", the_context_travels },
    { "a_call_without_trace_begins_one", a_call_without_trace_begins_one },
    { "context_that_cannot_travel_is_refused", context_that_cannot_travel_is_refused },
    { "a_token_file_is_read_again", a_token_file_is_read_again },
    { "many_threads_share_a_client", many_threads_share_a_client },
    { "a_certificate_that_cannot_be_read_fails_the_calls",
        a_certificate_that_cannot_be_read_fails_the_calls },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {
        { .pName = "unary", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = unary_tests },
        CU_SUITE_INFO_NULL,
    };

    log_setup("test", LOG_OFF);
    return test_main("rpc_client_test", suites, argc, argv);
}
