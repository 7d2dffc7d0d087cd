/* The client of other services, against real servers: round robin, retries, deadlines, errors. */
#include "shared/rpc/client.h"

#include "shared/auth/token.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "tests/support/echo_service.h"
#include "tests/support/test_main.h"

#include "throughline/echo/v1/echo.pb-c.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

typedef Throughline__Echo__V1__EchoRequest EchoRequest;
typedef Throughline__Echo__V1__EchoResponse EchoResponse;
typedef Throughline__Echo__V1__EchoSlowlyRequest EchoSlowlyRequest;
typedef Throughline__Echo__V1__EchoSlowlyResponse EchoSlowlyResponse;
typedef Throughline__Echo__V1__EchoManyRequest EchoManyRequest;
typedef Throughline__Echo__V1__EchoManyResponse EchoManyResponse;
typedef Throughline__Echo__V1__EchoCountRequest EchoCountRequest;
typedef Throughline__Echo__V1__EchoCountResponse EchoCountResponse;
typedef Throughline__Echo__V1__EchoEachRequest EchoEachRequest;
typedef Throughline__Echo__V1__EchoEachResponse EchoEachResponse;
typedef Throughline__Echo__V1__EchoContextRequest EchoContextRequest;
typedef Throughline__Echo__V1__EchoContextResponse EchoContextResponse;

#define ECHO (&throughline__echo__v1__echo_service__descriptor)

enum { N_BACKENDS = 2, GRACE_MS = 2000, WAIT_MS = 10 * 1000, DEAD_PORT = 1 };

/* A server that counts its calls and refuses the first ones. */
typedef struct Backend {
    RpcServer *server;
    EchoState state;
    int port;
    atomic_int calls;
    atomic_int refuses;
    atomic_int sleeps_ms; /* before each call, whatever becomes of it */
} Backend;

static Arena *arena;
static TokenKeys *keys;
static TokenSigner *signer;
static const char *token;
static Backend backends[N_BACKENDS];
static RpcClient *client;

static const Error refused = { ERROR_UNAVAILABLE, "REFUSED", "The test wants it." };

static const Error *begin(void *context, RpcCall *call, const ProtobufCMessage *request,
    ProtobufCMessage *reply, Bytes request_bytes)
{
    Backend *backend = context;

    (void)request, (void)reply, (void)request_bytes;
    if (!call->caller) /* health */
        return NULL;
    call->service = &backend->state;
    atomic_fetch_add(&backend->calls, 1);
    clock_sleep_ms(atomic_load(&backend->sleeps_ms));
    return atomic_fetch_sub(&backend->refuses, 1) > 0 ? &refused : NULL;
}

static void start_backend(Backend *backend, int port)
{
    static const RpcService *const services[] = { &echo_rpcs, NULL };
    RpcServerOptions options = {
        .address = "127.0.0.1",
        .port = port,
        .hooks = { .context = backend, .begin = begin },
        .keys = keys,
        .services = services,
    };

    CU_ASSERT_PTR_NULL_FATAL(rpc_server_start(arena, &options, &backend->server));
    backend->port = rpc_server_port(backend->server);
    rpc_server_set_serving(backend->server, true);
}

static void stop_backend(Backend *backend)
{
    if (backend->server)
        rpc_server_stop(backend->server, GRACE_MS);
    backend->server = NULL;
}

static const char *make_token(const char *scope)
{
    Caller caller = { "accounts/test", "", &scope, 1, clock_now() + 3600 * INT64_C(1000000) };
    const char *made;

    CU_ASSERT_PTR_NULL_FATAL(token_sign(signer, arena, &caller, clock_now(), &made));
    return made;
}

static void open_client(const char *target)
{
    client = rpc_client_open(arena, &(RpcClientOptions){ .target = target, .token = token });
}

static const char *target_of(int first, int second)
{
    return arena_printf(arena, "ipv4:127.0.0.1:%d,127.0.0.1:%d", first, second);
}

static void start(void)
{
    const char *folder = test_folder();
    const char *private, *public;

    arena = arena_new();
    private = arena_printf(arena, "%s/key", folder);
    public = arena_printf(arena, "%s/keys", folder);
    CU_ASSERT_PTR_NULL_FATAL(token_keys_create(arena, private, public));
    CU_ASSERT_PTR_NULL_FATAL(token_keys_open(arena, public, &keys));
    CU_ASSERT_PTR_NULL_FATAL(token_signer_open(arena, private, &signer));
    token = make_token("*");
    for (int i = 0; i < N_BACKENDS; i++) {
        atomic_store(&backends[i].calls, 0);
        atomic_store(&backends[i].refuses, 0);
        atomic_store(&backends[i].sleeps_ms, 0);
        start_backend(&backends[i], 0);
    }
    open_client(arena_printf(arena, "127.0.0.1:%d", backends[0].port));
}

static void stop(void)
{
    rpc_client_close(client);
    for (int i = 0; i < N_BACKENDS; i++)
        stop_backend(&backends[i]);
    token_keys_close(keys);
    token_signer_close(signer);
    arena_free(arena);
}

static void use_target(const char *target)
{
    rpc_client_close(client);
    open_client(target);
}

static RpcOutgoing for_ms(int milliseconds)
{
    return (RpcOutgoing){
        .arena = arena,
        .deadline = clock_monotonic() + milliseconds * INT64_C(1000),
        .context = { .channel = "web", .actor = "customers/ann" },
    };
}

static const Error *echo(void)
{
    RpcOutgoing outgoing = for_ms(WAIT_MS);
    EchoRequest request = THROUGHLINE__ECHO__V1__ECHO_REQUEST__INIT;
    EchoResponse reply = THROUGHLINE__ECHO__V1__ECHO_RESPONSE__INIT;

    request.payload = (ProtobufCBinaryData){ 5, (uint8_t *)"hello" };
    return rpc_client_call(client, &outgoing, ECHO, "Echo", &request, &reply);
}

static const Error *slowly(const RpcOutgoing *outgoing, int delay_ms, int code)
{
    EchoSlowlyRequest request = THROUGHLINE__ECHO__V1__ECHO_SLOWLY_REQUEST__INIT;
    EchoSlowlyResponse reply = THROUGHLINE__ECHO__V1__ECHO_SLOWLY_RESPONSE__INIT;
    Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;

    delay.seconds = delay_ms / 1000;
    delay.nanos = delay_ms % 1000 * 1000000;
    request.text = "slow";
    request.delay = &delay;
    request.code = code;
    return rpc_client_call(client, outgoing, ECHO, "EchoSlowly", &request, &reply);
}

static int64_t ms_since(int64_t start_at)
{
    return (clock_monotonic() - start_at) / 1000;
}

/* Calls until a condition holds; false when it never does. */
static bool call_until(bool (*is_there)(void))
{
    int64_t start_at = clock_monotonic();

    while (!is_there()) {
        if (ms_since(start_at) > WAIT_MS)
            return false;
        echo();
        clock_sleep_ms(5);
    }
    return true;
}

static bool both_were_called(void)
{
    return atomic_load(&backends[0].calls) > 0 && atomic_load(&backends[1].calls) > 0;
}

static bool a_call_succeeds(void)
{
    return echo() == NULL;
}

static void a_reply_comes_back(void)
{
    RpcOutgoing outgoing = for_ms(WAIT_MS);
    EchoRequest request = THROUGHLINE__ECHO__V1__ECHO_REQUEST__INIT;
    EchoResponse reply = THROUGHLINE__ECHO__V1__ECHO_RESPONSE__INIT;

    request.payload = (ProtobufCBinaryData){ 5, (uint8_t *)"hello" };
    CU_ASSERT_PTR_NULL(rpc_client_call(client, &outgoing, ECHO, "Echo", &request, &reply));

    CHECK_INT(reply.payload.len, 5);
    CU_ASSERT_TRUE(reply.payload.len == 5 && !memcmp(reply.payload.data, "hello", 5));
}

static void raw_bytes_go_and_come(void)
{
    RpcOutgoing outgoing = for_ms(WAIT_MS);
    Bytes request = { (const uint8_t *)"\x0a\x02hi", 4 };
    Bytes reply;

    CU_ASSERT_PTR_NULL(rpc_client_call_raw(
        client, &outgoing, "/throughline.echo.v1.EchoService/Echo", request, &reply));

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

    atomic_store(&backends[0].sleeps_ms, 1000);
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
    RpcCall *parent = rpc_internal_call(arena, "tests/parent", &context, NULL);
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
    RpcCall *parent = rpc_internal_call(arena, "tests/parent", &context, NULL);

    CHECK_INT(rpc_outgoing(parent).deadline, 0);
    parent->deadline = 12345;
    CHECK_INT(rpc_outgoing(parent).deadline, 12345);
}

static void an_idempotent_call_is_tried_again(void)
{
    atomic_store(&backends[0].refuses, 2);

    CHECK_TEXT(error_reason(echo()), "OK");
    CHECK_INT(atomic_load(&backends[0].calls), 3);
}

static void tries_come_to_an_end(void)
{
    atomic_store(&backends[0].refuses, 100);

    CHECK_TEXT(error_reason(echo()), "REFUSED");
    CHECK_INT(atomic_load(&backends[0].calls), 4);
}

static const Error *ask_context(RpcOutgoing *outgoing, EchoContextResponse *reply)
{
    EchoContextRequest request = THROUGHLINE__ECHO__V1__ECHO_CONTEXT_REQUEST__INIT;

    throughline__echo__v1__echo_context_response__init(reply);
    return rpc_client_call(client, outgoing, ECHO, "EchoContext", &request, reply);
}

static void a_call_that_is_not_idempotent_is_tried_once(void)
{
    RpcOutgoing outgoing = for_ms(WAIT_MS);
    EchoContextResponse reply;

    atomic_store(&backends[0].refuses, 1);

    CHECK_TEXT(error_reason(ask_context(&outgoing, &reply)), "REFUSED");
    CHECK_INT(atomic_load(&backends[0].calls), 1);
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
    CHECK_INT(atomic_load(&backends[0].calls), 0);
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
    const char *path = arena_printf(arena, "%s/token", test_folder());

    write_file(path, arena_printf(arena, "%s\n", make_token("other")));
    rpc_client_close(client);
    client = rpc_client_open(
        arena, &(RpcClientOptions){ .target = arena_printf(arena, "127.0.0.1:%d", backends[0].port),
                   .token_file = path });
    CHECK_TEXT(error_reason(echo()), "SCOPE_MISSING");

    clock_sleep_ms(20); /* the clock of files has a coarse tick */
    write_file(path, make_token("*"));
    CHECK_TEXT(error_reason(echo()), "OK");

    remove(path);
    CHECK_TEXT(error_reason(echo()), "OK");
}

static void calls_go_round(void)
{
    use_target(target_of(backends[0].port, backends[1].port));
    CU_ASSERT_TRUE_FATAL(call_until(both_were_called));
    atomic_store(&backends[0].calls, 0);
    atomic_store(&backends[1].calls, 0);

    for (int i = 0; i < 20; i++)
        CHECK_TEXT(error_reason(echo()), "OK");

    CHECK_INT(atomic_load(&backends[0].calls), 10);
    CHECK_INT(atomic_load(&backends[1].calls), 10);
}

static void a_dead_backend_is_passed_over(void)
{
    use_target(target_of(backends[0].port, DEAD_PORT));
    CU_ASSERT_TRUE_FATAL(call_until(a_call_succeeds));

    for (int i = 0; i < 20; i++)
        CHECK_TEXT(error_reason(echo()), "OK");
}

static bool calls_stay_off_the_first(void)
{
    int before = atomic_load(&backends[0].calls);

    for (int i = 0; i < 6; i++)
        echo();
    return atomic_load(&backends[0].calls) == before;
}

static void a_backend_that_is_not_serving_gets_no_calls(void)
{
    use_target(target_of(backends[0].port, backends[1].port));
    CU_ASSERT_TRUE_FATAL(call_until(both_were_called));

    rpc_server_set_serving(backends[0].server, false);
    CU_ASSERT_TRUE(call_until(calls_stay_off_the_first));

    atomic_store(&backends[0].calls, 0);
    rpc_server_set_serving(backends[0].server, true);
    CU_ASSERT_TRUE(call_until(both_were_called));
}

static void nobody_there_is_said_at_once(void)
{
    int64_t start_at = clock_monotonic();
    const Error *error;

    use_target("127.0.0.1:1");
    error = echo();

    CHECK_TEXT(error_reason(error), "PEER_UNAVAILABLE");
    CHECK_INT(error->code, ERROR_UNAVAILABLE);
    CU_ASSERT_TRUE(ms_since(start_at) < 5000);
}

static void a_server_that_comes_back_is_found(void)
{
    int port = backends[0].port;

    CHECK_TEXT(error_reason(echo()), "OK");
    stop_backend(&backends[0]);
    CHECK_TEXT(error_reason(echo()), "PEER_UNAVAILABLE");
    start_backend(&backends[0], port);

    CU_ASSERT_TRUE(call_until(a_call_succeeds));
}

static RpcClientStream *open_stream(const char *method, int milliseconds)
{
    RpcOutgoing outgoing = for_ms(milliseconds);
    RpcClientStream *stream = NULL;

    CHECK_TEXT(
        error_reason(rpc_client_open_stream(client, &outgoing, ECHO, method, &stream)), "OK");
    CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
    return stream;
}

static RpcClientStream *open_many(int count, int delay_ms)
{
    RpcClientStream *stream = open_stream("EchoMany", WAIT_MS);
    EchoManyRequest request = THROUGHLINE__ECHO__V1__ECHO_MANY_REQUEST__INIT;
    Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;

    delay.nanos = delay_ms * 1000000;
    request.count = count;
    request.delay = &delay;
    CHECK_TEXT(error_reason(rpc_client_send(stream, &request)), "OK");
    CHECK_TEXT(error_reason(rpc_client_finish_sending(stream)), "OK");
    return stream;
}

static void a_server_streams(void)
{
    RpcClientStream *stream = open_many(500, 0);
    void *message;

    for (int i = 0; i < 500; i++) {
        CHECK_TEXT(error_reason(rpc_client_receive(stream, arena, &message)), "OK");
        CU_ASSERT_PTR_NOT_NULL_FATAL(message);
        CHECK_INT(((EchoManyResponse *)message)->number, i);
    }
    CHECK_TEXT(error_reason(rpc_client_receive(stream, arena, &message)), "OK");
    CU_ASSERT_PTR_NULL(message);
    CHECK_TEXT(error_reason(rpc_client_receive(stream, arena, &message)), "OK");
    CU_ASSERT_PTR_NULL(message);
    rpc_client_close_stream(stream);
}

static void a_client_streams(void)
{
    RpcClientStream *stream = open_stream("EchoCount", WAIT_MS);
    EchoCountRequest request = THROUGHLINE__ECHO__V1__ECHO_COUNT_REQUEST__INIT;
    void *message;

    request.payload = (ProtobufCBinaryData){ 3, (uint8_t *)"abc" };
    for (int i = 0; i < 100; i++)
        CHECK_TEXT(error_reason(rpc_client_send(stream, &request)), "OK");
    CHECK_TEXT(error_reason(rpc_client_finish_sending(stream)), "OK");
    CHECK_TEXT(error_reason(rpc_client_receive(stream, arena, &message)), "OK");

    CU_ASSERT_PTR_NOT_NULL_FATAL(message);
    CHECK_INT(((EchoCountResponse *)message)->messages, 100);
    CHECK_INT(((EchoCountResponse *)message)->bytes, 300);
    rpc_client_close_stream(stream);
}

static void both_sides_stream(void)
{
    RpcClientStream *stream = open_stream("EchoEach", WAIT_MS);
    EchoEachRequest request = THROUGHLINE__ECHO__V1__ECHO_EACH_REQUEST__INIT;
    void *message;

    for (uint8_t i = 0; i < 50; i++) {
        request.payload = (ProtobufCBinaryData){ 1, &i };
        CHECK_TEXT(error_reason(rpc_client_send(stream, &request)), "OK");
        CHECK_TEXT(error_reason(rpc_client_receive(stream, arena, &message)), "OK");
        CU_ASSERT_PTR_NOT_NULL_FATAL(message);
        CHECK_INT(((EchoEachResponse *)message)->payload.data[0], i);
    }
    rpc_client_close_stream(stream);
}

static void *cancel_soon(void *context)
{
    clock_sleep_ms(100);
    rpc_client_cancel(context);
    return NULL;
}

static void a_stream_is_cancelled_from_another_thread(void)
{
    RpcClientStream *stream = open_many(1000000, 50);
    int64_t start_at = clock_monotonic();
    const Error *error;
    pthread_t thread;
    void *message;

    pthread_create(&thread, NULL, cancel_soon, stream);
    while (!(error = rpc_client_receive(stream, arena, &message)) && message)
        continue;
    pthread_join(thread, NULL);

    CHECK_TEXT(error_reason(error), "CALL_CANCELLED");
    CU_ASSERT_TRUE(ms_since(start_at) < 5000);
    rpc_client_close_stream(stream);
}

static void a_stream_that_is_left_early_leaves_nothing_behind(void)
{
    for (int i = 0; i < 50; i++) {
        RpcClientStream *stream = open_many(1000000, 0);
        void *message;

        if (i % 2)
            CHECK_TEXT(error_reason(rpc_client_receive(stream, arena, &message)), "OK");
        rpc_client_close_stream(stream);
    }
    CHECK_TEXT(error_reason(echo()), "OK");
}

static void a_refused_stream_says_why(void)
{
    RpcClientStream *stream = open_many(-1, 0);
    void *message;
    const Error *error = rpc_client_receive(stream, arena, &message);

    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    CHECK_TEXT(error->violations[0].field, "count");
    rpc_client_close_stream(stream);
}

static void a_deadline_ends_a_stream(void)
{
    RpcClientStream *stream = open_stream("EchoCount", 150);
    void *message;

    CHECK_TEXT(error_reason(rpc_client_receive(stream, arena, &message)), "DEADLINE_EXCEEDED");
    rpc_client_close_stream(stream);
}

static void *call_often(void *context)
{
    atomic_int *good = context;
    Arena *own = arena_new();

    for (int i = 0; i < 100; i++) {
        RpcOutgoing outgoing = { .arena = own };
        EchoRequest request = THROUGHLINE__ECHO__V1__ECHO_REQUEST__INIT;
        EchoResponse reply = THROUGHLINE__ECHO__V1__ECHO_RESPONSE__INIT;

        if (!rpc_client_call(client, &outgoing, ECHO, "Echo", &request, &reply))
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
    rpc_client_close(client);
    client = rpc_client_open(
        arena, &(RpcClientOptions){ .target = "127.0.0.1:1", .tls_ca = "/nowhere/ca.pem" });

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

static CU_TestInfo backend_tests[] = {
    { "calls_go_round", calls_go_round },
    { "a_dead_backend_is_passed_over", a_dead_backend_is_passed_over },
    { "a_backend_that_is_not_serving_gets_no_calls", a_backend_that_is_not_serving_gets_no_calls },
    { "nobody_there_is_said_at_once", nobody_there_is_said_at_once },
    { "a_server_that_comes_back_is_found", a_server_that_comes_back_is_found },
    CU_TEST_INFO_NULL,
};

static CU_TestInfo stream_tests[] = {
    { "a_server_streams", a_server_streams },
    { "a_client_streams", a_client_streams },
    { "both_sides_stream", both_sides_stream },
    { "a_stream_is_cancelled_from_another_thread", a_stream_is_cancelled_from_another_thread },
    { "a_stream_that_is_left_early_leaves_nothing_behind",
        a_stream_that_is_left_early_leaves_nothing_behind },
    { "a_refused_stream_says_why", a_refused_stream_says_why },
    { "a_deadline_ends_a_stream", a_deadline_ends_a_stream },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {
        { .pName = "unary", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = unary_tests },
        { .pName = "backends",
            .pSetUpFunc = start,
            .pTearDownFunc = stop,
            .pTests = backend_tests },
        { .pName = "streams", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = stream_tests },
        CU_SUITE_INFO_NULL,
    };

    log_setup("test", LOG_OFF);
    return test_main("rpc_client_test", suites, argc, argv);
}
