/* The contract of transport.h, for every engine there is: a tiny server straight over its
 * operations. */
#include "shared/base/clock.h"
#include "tests/rpc/certificate.h"
#include "tests/rpc/engine.h"
#include "tests/rpc/raw_client.h"
#include "tests/rpc/tiny_server.h"
#include "tests/support/test_main.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A deadline that passes on the server, however busy the machine is. */
enum { ENOUGH_TO_ARRIVE_MS = 1500 };

static void start_core(void)
{
    tiny_start(engine_named("core"));
}

static void start_h2(void)
{
    tiny_start(&transport_h2);
}

static void stop(void)
{
    atomic_store(&tiny.is_released, true);
    tiny.ops->drain(tiny.transport, 2000);
    tiny.ops->destroy(tiny.transport);
    CHECK_INT(tiny.closed, tiny.arrived);
    arena_free(tiny.arena);
}

static bool comes_to(atomic_int *counter, int value)
{
    for (int i = 0; i < 10000 && atomic_load(counter) != value; i++)
        clock_sleep_ms(2);
    return atomic_load(counter) == value;
}

static Bytes text(const char *bytes)
{
    return (Bytes){ (const uint8_t *)bytes, strlen(bytes) };
}

static const Error *ask(const char *path, const RawPair *pairs, Bytes request, Bytes *reply)
{
    RawClient *client = raw_open(tiny.port);
    const Error *error = raw_unary(client, tiny.arena, path, pairs, request, reply);

    raw_close(client);
    return error;
}

static void a_call_is_answered_at_once(void)
{
    Bytes reply;

    CHECK_TEXT(error_reason(ask("/t.S/Echo", NULL, text("hello"), &reply)), "OK");

    CHECK_INT(reply.size, 5);
    CU_ASSERT(!memcmp(reply.data, "hello", 5));
    CU_ASSERT(comes_to(&tiny.closed, 1));
}

static void a_call_is_answered_from_another_thread(void)
{
    Bytes reply;

    CHECK_TEXT(error_reason(ask("/t.S/Later", NULL, text("x"), &reply)), "OK");

    CHECK_INT(reply.size, 5);
    CHECK_INT(tiny.cancelled, 0);
}

static void metadata_and_peer_arrive(void)
{
    const RawPair pairs[] = { { "x-other", "1" }, { "x-key", "a value" }, { 0 } };

    ask("/t.S/Echo", pairs, text(""), NULL);

    CHECK_TEXT(tiny_seen().key, "a value");
    CU_ASSERT(text_starts_with(tiny_seen().address, "ipv4:127.0.0.1:"));
    CHECK_TEXT(tiny_seen().identity, "");
}

static void a_deadline_arrives_as_monotonic_time(void)
{
    RawClient *client = raw_open(tiny.port);
    RawCall *call = raw_start(client, "/t.S/Echo", NULL, 3000);
    Bytes reply;
    int64_t left;

    raw_send(call, text(""));
    raw_finish_sending(call);
    raw_receive(call, &reply);
    left = tiny_seen().deadline - clock_monotonic();

    CU_ASSERT(left > 2500000 && left < 3050000); /* engines round up */
    raw_status(call);
    raw_free(call);
    raw_close(client);
}

static void no_deadline_is_the_end_of_time(void)
{
    RawClient *client = raw_open(tiny.port);
    RawCall *call = raw_start(client, "/t.S/Echo", NULL, RAW_NO_DEADLINE);
    Bytes reply;

    raw_send(call, text(""));
    raw_finish_sending(call);
    raw_receive(call, &reply);

    CU_ASSERT(tiny_seen().deadline == INT64_MAX);
    raw_status(call);
    raw_free(call);
    raw_close(client);
}

static void an_unknown_method_arrives_as_none(void)
{
    const Error *error = ask("/t.S/Nothing", NULL, text("x"), NULL);

    CHECK_INT(error->code, ERROR_ABORTED);
    CU_ASSERT_FALSE(tiny_seen().is_known);
}

static void status_text_and_details_come_back(void)
{
    RawClient *client = raw_open(tiny.port);
    RawCall *call = raw_start(client, "/t.S/Fail", NULL, 5000);
    const Error *error;

    raw_send(call, text("x"));
    raw_finish_sending(call);
    error = raw_status(call);

    CHECK_INT(error->code, ERROR_ABORTED);
    CHECK_TEXT(error->message, "as \"asked\": 100 %, ü");
    raw_free(call);
    raw_close(client);
}

static void an_empty_message_is_not_a_missing_one(void)
{
    RawClient *client = raw_open(tiny.port);
    RawCall *call;

    ask("/t.S/Echo", NULL, text(""), NULL);
    CU_ASSERT(tiny_seen().has_message);

    call = raw_start(client, "/t.S/Echo", NULL, 5000);
    raw_finish_sending(call);
    raw_status(call);
    CU_ASSERT_FALSE(tiny_seen().has_message);
    raw_free(call);
    raw_close(client);
}

static void large_messages_come_in_one_piece(void)
{
    Bytes reply, request = { arena_alloc(tiny.arena, 90000), 90000 };

    memset((uint8_t *)(uintptr_t)request.data, 'x', request.size);
    CHECK_TEXT(error_reason(ask("/t.S/Echo", NULL, request, &reply)), "OK");

    CHECK_INT(reply.size, 90000);
    CU_ASSERT(!memcmp(reply.data, request.data, 90000));
}

static void compressed_messages_arrive_as_they_were(void)
{
    RawClient *client = raw_open_with(&(RawOptions){ .port = tiny.port, .compresses = true });
    Bytes reply, request = { arena_alloc(tiny.arena, 10000), 10000 };

    CHECK_TEXT(
        error_reason(raw_unary(client, tiny.arena, "/t.S/Echo", NULL, request, &reply)), "OK");

    CHECK_INT(tiny_seen().size, 10000);
    CHECK_INT(reply.size, 10000);
    raw_close(client);
}

static void too_large_a_message_is_refused(void)
{
    Bytes request = { arena_alloc(tiny.arena, 100001), 100001 };

    CHECK_INT(ask("/t.S/Echo", NULL, request, NULL)->code, ERROR_RESOURCE_EXHAUSTED);
}

static void too_large_a_message_breaks_a_stream(void)
{
    RawClient *client = raw_open(tiny.port);
    RawCall *call = raw_start(client, "/t.S/Each", NULL, 5000);
    Bytes request = { arena_alloc(tiny.arena, 100001), 100001 };

    raw_send(call, request);
    CHECK_INT(raw_status(call)->code, ERROR_RESOURCE_EXHAUSTED);

    CU_ASSERT(comes_to(&tiny.broken, 1));
    raw_free(call);
    raw_close(client);
}

static void a_stream_keeps_its_order_and_its_end(void)
{
    RawClient *client = raw_open(tiny.port);
    RawCall *call = raw_start(client, "/t.S/Each", NULL, 5000);
    Bytes reply;

    for (int i = 0; i < 100; i++) {
        uint8_t number = (uint8_t)i;

        raw_send(call, (Bytes){ &number, 1 });
        CU_ASSERT_FATAL(raw_receive(call, &reply));
        CHECK_INT(*reply.data, i);
    }
    raw_finish_sending(call);

    CU_ASSERT_FALSE(raw_receive(call, &reply));
    CU_ASSERT_PTR_NULL(raw_status(call));
    CHECK_INT(tiny.ended, 1);
    CHECK_INT(tiny.broken, 0);
    raw_free(call);
    raw_close(client);
}

static void many_messages_are_sent_one_after_another(void)
{
    RawClient *client = raw_open(tiny.port);
    RawCall *call = raw_start(client, "/t.S/Many", NULL, 5000);
    Bytes reply;
    int count = 0;

    raw_send(call, text(""));
    raw_finish_sending(call);
    while (raw_receive(call, &reply))
        CHECK_INT(*reply.data, count++);

    CHECK_INT(count, 100);
    CU_ASSERT_PTR_NULL(raw_status(call));
    raw_free(call);
    raw_close(client);
}

static void a_cancelled_call_is_told_and_closed(void)
{
    RawClient *client = raw_open(tiny.port);
    RawCall *call = raw_start(client, "/t.S/Hold", NULL, RAW_NO_DEADLINE);

    raw_send(call, text(""));
    raw_finish_sending(call);
    CU_ASSERT(comes_to(&tiny.arrived, 1));
    CHECK_INT(tiny.cancelled, 0);
    raw_cancel(call);

    CU_ASSERT(comes_to(&tiny.cancelled, 1));
    CU_ASSERT(comes_to(&tiny.closed, 1));
    raw_free(call);
    raw_close(client);
}

static void a_passed_deadline_is_told(void)
{
    RawClient *client = raw_open(tiny.port);
    RawCall *call = raw_start(client, "/t.S/Hold", NULL, ENOUGH_TO_ARRIVE_MS);

    raw_send(call, text(""));
    raw_finish_sending(call);
    CHECK_INT(raw_status(call)->code, ERROR_DEADLINE_EXCEEDED);

    CU_ASSERT(comes_to(&tiny.cancelled, 1));
    CU_ASSERT(comes_to(&tiny.closed, 1));
    raw_free(call);
    raw_close(client);
}

static void a_stream_that_is_left_is_broken_and_closed(void)
{
    RawClient *client = raw_open(tiny.port);
    RawCall *call = raw_start(client, "/t.S/Each", NULL, RAW_NO_DEADLINE);
    Bytes reply;

    raw_send(call, text("x"));
    CU_ASSERT(raw_receive(call, &reply));
    raw_free(call);
    raw_close(client);

    CU_ASSERT(comes_to(&tiny.broken, 1));
    CU_ASSERT(comes_to(&tiny.closed, 1));
}

static void calls_are_counted_until_they_are_closed(void)
{
    RawClient *client = raw_open(tiny.port);
    RawCall *call = raw_start(client, "/t.S/Hold", NULL, RAW_NO_DEADLINE);

    raw_send(call, text(""));
    raw_finish_sending(call);
    CU_ASSERT(comes_to(&tiny.arrived, 1));
    CHECK_INT(tiny.ops->calls(tiny.transport), 1);
    atomic_store(&tiny.is_released, true);
    CU_ASSERT_PTR_NULL(raw_status(call));

    CU_ASSERT(comes_to(&tiny.closed, 1));
    clock_sleep_ms(5);
    CHECK_INT(tiny.ops->calls(tiny.transport), 0);
    raw_free(call);
    raw_close(client);
}

static void a_port_is_taken_once(void)
{
    TransportOptions options = tiny_options();
    Transport *other;

    options.port = tiny.port;
    CHECK_TEXT(error_reason(tiny.ops->listen(tiny.arena, &options, &other)), "PORT_TAKEN");
}

static void an_address_that_is_none_is_refused(void)
{
    TransportOptions options = tiny_options();
    Transport *other;

    options.address = "no such address";
    CHECK_TEXT(error_reason(tiny.ops->listen(tiny.arena, &options, &other)), "ADDRESS_INVALID");
}

static void start_thread(void *(*run)(void *), void *context)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, run, context) || pthread_detach(thread))
        abort();
}

static void *release_soon(void *context)
{
    (void)context;
    clock_sleep_ms(300);
    atomic_store(&tiny.is_released, true);
    return NULL;
}

/* The transport is gone afterwards; stop() wants one. */
static bool drain(int grace_ms)
{
    bool is_clean = tiny.ops->drain(tiny.transport, grace_ms);
    TransportOptions options = tiny_options();

    tiny.ops->destroy(tiny.transport);
    CHECK_INT(tiny.closed, tiny.arrived);
    tiny_listen(&options);
    return is_clean;
}

static void a_drain_waits_for_the_calls_that_it_has(void)
{
    RawClient *client = raw_open(tiny.port);
    RawCall *call = raw_start(client, "/t.S/Hold", NULL, RAW_NO_DEADLINE);

    raw_send(call, text(""));
    raw_finish_sending(call);
    CU_ASSERT(comes_to(&tiny.arrived, 1));
    start_thread(release_soon, NULL);

    CU_ASSERT(drain(5000));
    CU_ASSERT_PTR_NULL(raw_status(call));
    CHECK_INT(tiny.cancelled, 0);
    raw_free(call);
    raw_close(client);
}

static void a_drain_cuts_what_outlives_the_grace(void)
{
    RawClient *client = raw_open(tiny.port);
    RawCall *call = raw_start(client, "/t.S/Hold", NULL, RAW_NO_DEADLINE);
    int64_t start_at = clock_monotonic();

    raw_send(call, text(""));
    raw_finish_sending(call);
    CU_ASSERT(comes_to(&tiny.arrived, 1));

    CU_ASSERT_FALSE(drain(200));
    CU_ASSERT(clock_monotonic() - start_at < 2000000);
    CHECK_INT(raw_status(call)->code, ERROR_UNAVAILABLE);
    CHECK_INT(tiny.cancelled, 1);
    raw_free(call);
    raw_close(client);
}

static void a_drain_of_nothing_is_quick(void)
{
    RawClient *client = raw_open(tiny.port);
    int64_t start_at;

    raw_unary(client, tiny.arena, "/t.S/Echo", NULL, text(""), NULL);
    start_at = clock_monotonic();

    CU_ASSERT(drain(10000));
    CU_ASSERT(clock_monotonic() - start_at < 1000000);
    raw_close(client);
}

static void under_mutual_tls_the_peer_has_an_identity(void)
{
    TransportOptions options = tiny_options();
    Certificate certificate;
    RawOptions raw = { 0 };
    RawClient *client;

    if (!certificate_make(tiny.arena, &certificate)) {
        test_skip("openssl is not here");
        return;
    }
    options.tls_certificate = options.tls_client_ca = certificate.path;
    options.tls_key = certificate.key_path;
    tiny.ops->drain(tiny.transport, 0);
    tiny.ops->destroy(tiny.transport);
    tiny_listen(&options);
    raw = (RawOptions){ .port = tiny.port,
        .tls_ca = certificate.text,
        .tls_key = certificate.key_text,
        .tls_certificate = certificate.text };

    client = raw_open_with(&raw);
    CHECK_TEXT(
        error_reason(raw_unary(client, tiny.arena, "/t.S/Echo", NULL, text("x"), NULL)), "OK");
    CHECK_TEXT(tiny_seen().identity, "spiffe://shop.local/svc/test");
    raw_close(client);
}

static void a_tls_file_that_is_not_there_is_named(void)
{
    TransportOptions options = tiny_options();
    Transport *other;
    const Error *error;

    options.tls_certificate = options.tls_key = "/no/such/file.pem";
    error = tiny.ops->listen(tiny.arena, &options, &other);

    CHECK_TEXT(error_reason(error), "TLS_FILE");
    CHECK_CONTAINS(error->message, "/no/such/file.pem");
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a call is answered at once", a_call_is_answered_at_once },
        { "a call is answered from another thread", a_call_is_answered_from_another_thread },
        { "metadata and peer arrive", metadata_and_peer_arrive },
        { "a deadline arrives as monotonic time", a_deadline_arrives_as_monotonic_time },
        { "no deadline is the end of time", no_deadline_is_the_end_of_time },
        { "an unknown method arrives as none", an_unknown_method_arrives_as_none },
        { "status, text and details come back", status_text_and_details_come_back },
        { "an empty message is not a missing one", an_empty_message_is_not_a_missing_one },
        { "large messages come in one piece", large_messages_come_in_one_piece },
        { "compressed messages arrive as they were", compressed_messages_arrive_as_they_were },
        { "too large a message is refused", too_large_a_message_is_refused },
        { "too large a message breaks a stream", too_large_a_message_breaks_a_stream },
        { "a stream keeps its order and its end", a_stream_keeps_its_order_and_its_end },
        { "many messages are sent one after another", many_messages_are_sent_one_after_another },
        { "a cancelled call is told and closed", a_cancelled_call_is_told_and_closed },
        { "a passed deadline is told", a_passed_deadline_is_told },
        { "a stream that is left is broken and closed",
            a_stream_that_is_left_is_broken_and_closed },
        { "calls are counted until they are closed", calls_are_counted_until_they_are_closed },
        { "a port is taken once", a_port_is_taken_once },
        { "an address that is none is refused", an_address_that_is_none_is_refused },
        { "a drain waits for the calls that it has", a_drain_waits_for_the_calls_that_it_has },
        { "a drain cuts what outlives the grace", a_drain_cuts_what_outlives_the_grace },
        { "a drain of nothing is quick", a_drain_of_nothing_is_quick },
        { "under mutual TLS the peer has an identity", under_mutual_tls_the_peer_has_an_identity },
        { "a TLS file that is not there is named", a_tls_file_that_is_not_there_is_named },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "gRPC core", .pSetUpFunc = start_core, .pTearDownFunc = stop, .pTests = tests },
        { .pName = "h2", .pSetUpFunc = start_h2, .pTearDownFunc = stop, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("transport_test", suites, argc, argv);
}
