/* What a stranger may do to the h2 engine, and what they get for more. */
#include "shared/base/clock.h"
#include "shared/rpc/transport_h2_message.h"
#include "tests/rpc/h2_client.h"
#include "tests/rpc/tiny_server.h"
#include "tests/support/test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE };
enum { END_STREAM = 1, END_HEADERS = 4, CONTINUATION = 9, PROTOCOL_ERROR = 1, CALM = 11 };

static Metrics *metrics;

static void listen_with(const TransportOptions *options)
{
    TransportOptions counted = *options;

    if (tiny.transport) {
        tiny.ops->drain(tiny.transport, 0);
        tiny.ops->destroy(tiny.transport);
    }
    counted.metrics = metrics;
    tiny_listen(&counted);
}

static void start(void)
{
    TransportOptions options = tiny_options();

    metrics = metrics_new();
    tiny_start(&transport_h2);
    listen_with(&options);
}

static void stop(void)
{
    atomic_store(&tiny.is_released, true);
    tiny.ops->drain(tiny.transport, 2000);
    tiny.ops->destroy(tiny.transport);
    CHECK_INT(tiny.closed, tiny.arrived);
    metrics_free(metrics);
    arena_free(tiny.arena);
}

static uint64_t reached(const char *reason)
{
    char labels[64];

    snprintf(labels, sizeof(labels), "reason=\"%s\"", reason);
    return counter_value(
        metrics_counter(metrics, "throughline_rpc_limits_reached_total", labels, ""));
}

static Bytes message_of(size_t size)
{
    uint8_t *bytes = arena_alloc(tiny.arena, size);

    return h2_message(tiny.arena, (Bytes){ bytes, size }, false);
}

static void well_behaved_clients_are_served(void)
{
    H2Client *client = h2_client_open(tiny.port);

    CHECK_INT(h2_client_call(client, "/t.S/Echo", NULL, message_of(100))->status, 0);
    h2_client_close(client);
}

/* The connection ends in this GOAWAY, for this reason, and the next one is served. */
static void is_sent_away(H2Client *client, const char *reason, int64_t expected)
{
    int64_t code;

    CU_ASSERT(h2_client_is_hung_up(client, &code));
    CHECK_INT(code, expected);
    CHECK_INT(reached(reason), 1);
    h2_client_close(client);
    well_behaved_clients_are_served();
}

static void what_is_not_grpc_is_told_so(void)
{
    H2Client *client = h2_client_open(tiny.port);
    const RawPair json[] = { { "content-type", "application/json" }, { 0 } };
    const RawPair none[] = { { "content-type", "" }, { 0 } };
    const RawPair get[] = { { ":method", "GET" }, { 0 } };
    const H2Answer *answer = h2_client_call(client, "/t.S/Echo", json, message_of(1));

    CHECK_INT(answer->http, 415);
    CU_ASSERT(answer->size > 0);
    CHECK_INT(h2_client_call(client, "/", none, (Bytes){ 0 })->http, 415);
    CHECK_INT(h2_client_call(client, "/", get, (Bytes){ 0 })->http, 405);
    CHECK_INT(tiny.arrived, 0);
    h2_client_close(client);
}

static void an_unknown_encoding_is_refused_with_those_known(void)
{
    H2Client *client = h2_client_open(tiny.port);
    const RawPair snappy[] = { { "grpc-encoding", "snappy" }, { 0 } };
    const H2Answer *answer = h2_client_call(client, "/t.S/Echo", snappy, message_of(1));

    CHECK_INT(answer->status, ERROR_UNIMPLEMENTED);
    CHECK_TEXT(answer->accepts, "identity,gzip,deflate");
    h2_client_close(client);
}

static void bad_headers_of_grpc_are_refused(void)
{
    H2Client *client = h2_client_open(tiny.port);
    const RawPair timeout[] = { { "grpc-timeout", "soon" }, { 0 } };
    const RawPair binary[] = { { "x-bin", "no base64!" }, { 0 } };

    CHECK_INT(h2_client_call(client, "/t.S/Echo", timeout, message_of(1))->status,
        ERROR_INVALID_ARGUMENT);
    CHECK_INT(
        h2_client_call(client, "/t.S/Echo", binary, message_of(1))->status, ERROR_INVALID_ARGUMENT);
    CHECK_INT(tiny.arrived, 0);
    h2_client_close(client);
}

static int status_for(H2Client *client, const void *body, size_t size)
{
    return h2_client_call(client, "/t.S/Echo", NULL, (Bytes){ body, size })->status;
}

static void a_body_that_is_no_message_is_refused(void)
{
    H2Client *client = h2_client_open(tiny.port);

    CHECK_INT(status_for(client, "\0\0\0\0\5abc", 8), ERROR_INTERNAL);
    CHECK_INT(status_for(client, "\0\0", 2), ERROR_INTERNAL);
    CHECK_INT(status_for(client, "\7\0\0\0\1a", 6), ERROR_INTERNAL);
    CHECK_INT(status_for(client, "\1\0\0\0\1a", 6), ERROR_INTERNAL); /* and no grpc-encoding */
    CHECK_INT(status_for(client, "\0\0\0\0\1a\0\0\0\0\1b", 12), ERROR_UNIMPLEMENTED);
    CHECK_INT(tiny.arrived, 0);
    h2_client_close(client);
}

static void a_bomb_is_refused(void)
{
    static uint8_t zeros[2000000];
    H2Client *client = h2_client_open(tiny.port);
    const RawPair gzip[] = { { "grpc-encoding", "gzip" }, { 0 } };
    size_t size;
    uint8_t *bytes = h2_gzip((Bytes){ zeros, sizeof(zeros) }, &size);

    h2_prefix_write(bytes, true, size);
    CHECK_INT(h2_client_call(client, "/t.S/Echo", gzip, (Bytes){ bytes, size + 5 })->status,
        ERROR_RESOURCE_EXHAUSTED);
    free(bytes);
    h2_client_close(client);
}

static void a_client_that_resets_on_and_on_is_sent_away(void)
{
    TransportOptions options = tiny_options();
    H2Client *client;

    options.limits.max_resets = 20;
    listen_with(&options);
    client = h2_client_open(tiny.port);
    for (int i = 0; i < 60; i++)
        h2_client_reset(client, h2_client_start(client, "/t.S/Hold", NULL, message_of(1), true));

    is_sent_away(client, "resets", CALM);
}

static void frames_of_control(uint8_t type, uint32_t stream, const void *bytes, size_t size)
{
    TransportOptions options = tiny_options();
    H2Client *client;

    options.limits.max_control_frames = 50;
    listen_with(&options);
    client = h2_client_open(tiny.port);
    for (int i = 0; i < 300; i++)
        h2_client_frame(client, type, 0, stream, bytes, size);

    is_sent_away(client, "control_frames", CALM);
}

static void a_flood_of_pings_ends_the_connection(void)
{
    frames_of_control(PING, 0, "12345678", 8);
}

static void pings_beside_messages_are_no_flood(void)
{
    TransportOptions options = tiny_options();
    H2Client *client;

    options.limits.max_control_frames = 50;
    listen_with(&options);
    client = h2_client_open(tiny.port);
    for (int i = 0; i < 100; i++) {
        CHECK_INT(h2_client_call(client, "/t.S/Many", NULL, message_of(1))->status, 0);
        for (int k = 0; k < 40; k++)
            h2_client_frame(client, PING, 0, 0, "12345678", 8);
    }

    CHECK_INT(reached("control_frames"), 0);
    h2_client_close(client);
}

static void a_flood_of_settings_ends_the_connection(void)
{
    frames_of_control(SETTINGS, 0, "", 0);
}

static void a_flood_of_priorities_ends_the_connection(void)
{
    frames_of_control(PRIORITY, 1, "\0\0\0\0\1", 5);
}

static void a_flood_of_empty_data_ends_the_connection(void)
{
    TransportOptions options = tiny_options();
    H2Client *client;

    options.limits.max_control_frames = 50;
    listen_with(&options);
    client = h2_client_open(tiny.port);
    h2_client_start(client, "/t.S/Each", NULL, (Bytes){ 0 }, false);
    for (int i = 0; i < 300; i++)
        h2_client_frame(client, DATA, 0, 1, "", 0);

    is_sent_away(client, "control_frames", CALM);
}

/* Headers that take many bytes. */
static const RawPair *heavy_headers(size_t n, size_t size)
{
    RawPair *headers = arena_array(tiny.arena, n + 1, sizeof(*headers));
    char *value = arena_alloc(tiny.arena, size + 1);

    memset(value, 'v', size);
    for (size_t i = 0; i < n; i++)
        headers[i] = (RawPair){ arena_printf(tiny.arena, "x-%zu", i), value };
    return headers;
}

static void too_many_headers_are_refused(void)
{
    H2Client *client = h2_client_open(tiny.port);
    const H2Answer *answer =
        h2_client_call(client, "/t.S/Echo", heavy_headers(1000, 32), message_of(1));

    CHECK_INT(answer->status, ERROR_RESOURCE_EXHAUSTED);
    CHECK_INT(h2_client_call(client, "/t.S/Echo", NULL, message_of(1))->status, 0);
    h2_client_close(client);
}

/* One byte in the block stands for a header of four kilobytes. */
static void a_block_that_swells_ends_the_connection(void)
{
    uint8_t block[4000] = { 0x40, 3, 'x', '-', 'y', 0x7f, 0xa1, 0x1e }; /* a value of 4000 */
    H2Client *client = h2_client_open(tiny.port);
    uint8_t again[1000];

    memset(block + 8, 'v', sizeof(block) - 8);
    memset(again, 0xbe, sizeof(again));
    h2_client_frame(client, HEADERS, 0, 1, block, sizeof(block));
    h2_client_frame(client, CONTINUATION, 0, 1, block + 8, 8);
    h2_client_frame(client, CONTINUATION, END_HEADERS, 1, again, sizeof(again));

    is_sent_away(client, "headers", CALM);
}

static void continuations_without_end_end_the_connection(void)
{
    H2Client *client = h2_client_open(tiny.port);

    h2_client_frame(client, HEADERS, 0, 1, "", 0);
    for (int i = 0; i < 100; i++)
        h2_client_frame(client, CONTINUATION, 0, 1, "", 0);

    is_sent_away(client, "headers", CALM);
}

static void rubbish_ends_the_connection(void)
{
    H2Client *client = h2_client_connect(tiny.port);

    h2_client_write(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);

    is_sent_away(client, "protocol", PROTOCOL_ERROR);
}

static void whoever_says_nothing_is_hung_up_on(void)
{
    TransportOptions options = tiny_options();

    options.limits.handshake_ms = 200;
    listen_with(&options);

    is_sent_away(h2_client_connect(tiny.port), "handshake", CALM);
}

static void headers_that_never_end_are_not_waited_for(void)
{
    TransportOptions options = tiny_options();
    H2Client *client;

    options.limits.handshake_ms = 200;
    listen_with(&options);
    client = h2_client_open(tiny.port);
    h2_client_frame(client, HEADERS, 0, 1, "\x83", 1);

    is_sent_away(client, "headers", CALM);
}

static void a_message_that_never_ends_is_not_waited_for(void)
{
    TransportOptions options = tiny_options();
    const H2Answer *unary, *stream, *calm;
    H2Client *client;

    options.limits.body_ms = 200;
    listen_with(&options);
    client = h2_client_open(tiny.port);
    calm = h2_client_start(client, "/t.S/Each", NULL, (Bytes){ 0 }, false);
    unary = h2_client_start(
        client, "/t.S/Echo", NULL, (Bytes){ (const uint8_t *)"\0\0\0\0\5a", 6 }, false);
    stream =
        h2_client_start(client, "/t.S/Each", NULL, (Bytes){ (const uint8_t *)"\0\0\0", 3 }, false);

    CU_ASSERT(h2_client_wait(client, unary));
    CHECK_INT(unary->status, ERROR_DEADLINE_EXCEEDED);
    CU_ASSERT(h2_client_wait(client, stream));
    CHECK_INT(stream->status, ERROR_DEADLINE_EXCEEDED);
    CHECK_INT(reached("slow_body"), 2);
    CU_ASSERT_FALSE(calm->is_closed); /* a stream between two messages may be silent */
    h2_client_close(client);
}

static void a_reply_that_nobody_takes_is_not_kept(void)
{
    TransportOptions options = tiny_options();
    H2Client *client;

    options.limits.stall_ms = 200;
    listen_with(&options);
    client = h2_client_open(tiny.port);
    h2_client_window(client, 1);
    h2_client_start(client, "/t.S/Echo", NULL, message_of(5000), true);

    is_sent_away(client, "stalled", CALM);
}

static void a_client_who_leaves_amid_a_stream_is_noticed(void)
{
    H2Client *client = h2_client_open(tiny.port);
    const H2Answer *answer;

    h2_client_window(client, 0);
    answer = h2_client_start(client, "/t.S/Many", NULL, message_of(1), true);
    for (int i = 0; i < 500 && tiny.arrived < 1; i++)
        h2_client_turn(client);
    CHECK_INT(tiny.closed, 0);
    h2_client_reset(client, answer);
    for (int i = 0; i < 500 && tiny.closed < 1; i++)
        h2_client_turn(client);

    CHECK_INT(tiny.closed, 1);
    CHECK_INT(tiny.unsent, 1);
    CHECK_INT(tiny.cancelled, 1);
    h2_client_close(client);
}

static void behind_replies_that_wait_calls_wait_too(void)
{
    H2Client *client = h2_client_open(tiny.port);
    const H2Answer *answers[5];

    h2_client_window(client, 0);
    for (size_t i = 0; i < COUNT(answers); i++)
        answers[i] = h2_client_start(client, "/t.S/Echo", NULL, message_of(90000), true);
    h2_client_window(client, 0); /* acknowledged behind the calls */
    for (int i = 0; i < 500 && (i < 10 || tiny.arrived < 1); i++)
        h2_client_turn(client);
    CHECK_INT(tiny.arrived, 1);
    h2_client_window(client, 65535);

    for (size_t i = 0; i < COUNT(answers); i++) {
        CU_ASSERT(h2_client_wait(client, answers[i]));
        CHECK_INT(answers[i]->status, 0);
        CHECK_INT(answers[i]->size, 90005);
    }
    h2_client_close(client);
}

static int large_echo(H2Client *client)
{
    return h2_client_call(client, "/t.S/Echo", NULL, message_of(90000))->status;
}

static void too_many_replies_that_wait_are_given_up(void)
{
    TransportOptions options = tiny_options();
    H2Client *idler, *client;
    const H2Answer *answer;

    options.limits.max_held_bytes = 80000;
    options.limits.pollers = 1;
    listen_with(&options);
    idler = h2_client_open(tiny.port);
    client = h2_client_open(tiny.port);
    h2_client_window(idler, 0);
    answer = h2_client_start(idler, "/t.S/Echo", NULL, message_of(90000), true);
    for (int i = 0; i < 500 && tiny.arrived < 1; i++)
        h2_client_turn(idler);

    CHECK_INT(large_echo(client), ERROR_RESOURCE_EXHAUSTED);
    CHECK_INT(reached("held"), 1);
    CHECK_INT(h2_client_call(client, "/t.S/Echo", NULL, message_of(10))->status, 0);
    h2_client_window(idler, 65535);
    CU_ASSERT(h2_client_wait(idler, answer));
    CHECK_INT(large_echo(client), 0);
    h2_client_close(idler);
    h2_client_close(client);
}

static void unfinished_messages_have_a_limit_together(void)
{
    TransportOptions options = tiny_options();
    const H2Answer *answers[10];
    Bytes part = message_of(90000);
    H2Client *client;
    int n_refused = 0;

    options.limits.max_pending_bytes = 300000;
    listen_with(&options);
    client = h2_client_open(tiny.port);
    part.size -= 10;
    for (size_t i = 0; i < COUNT(answers); i++)
        answers[i] = h2_client_start(client, "/t.S/Echo", NULL, part, false);
    for (int i = 0; i < 500 && n_refused < 6; i++) {
        h2_client_turn(client);
        n_refused = 0;
        for (size_t k = 0; k < COUNT(answers); k++)
            n_refused += answers[k]->status == ERROR_RESOURCE_EXHAUSTED;
    }

    CU_ASSERT(n_refused >= 6 && n_refused < 10);
    h2_client_close(client);
    well_behaved_clients_are_served();
}

static void a_caller_who_is_answered_early_is_told_to_stop_sending(void)
{
    H2Client *client = h2_client_open(tiny.port);
    const H2Answer *answer = h2_client_start(client, "/t.S/Nothing", NULL, (Bytes){ 0 }, false);

    CU_ASSERT(h2_client_wait(client, answer));
    CHECK_INT(answer->status, ERROR_ABORTED);
    CHECK_INT(answer->reset_code, 0);
    h2_client_close(client);
}

/* Two are served, a third is hung up on until one has gone. */
static void two_connections_are_served(const TransportOptions *options, const char *reason)
{
    H2Client *clients[3];
    int64_t code;
    int status = -1;

    listen_with(options);
    for (int i = 0; i < 2; i++) {
        clients[i] = h2_client_open(tiny.port);
        CHECK_INT(h2_client_call(clients[i], "/t.S/Echo", NULL, message_of(1))->status, 0);
    }
    clients[2] = h2_client_open(tiny.port);
    CU_ASSERT(h2_client_is_hung_up(clients[2], &code));
    CHECK_INT(code, -1);
    CHECK_INT(reached(reason), 1);
    h2_client_close(clients[2]);
    h2_client_close(clients[0]);
    for (int i = 0; i < 1000 && status != 0; i++) {
        H2Client *client = h2_client_open(tiny.port);
        const H2Answer *answer = h2_client_start(client, "/t.S/Echo", NULL, message_of(1), true);

        h2_client_wait(client, answer);
        status = answer->status;
        h2_client_close(client);
    }
    CHECK_INT(status, 0);
    h2_client_close(clients[1]);
}

static void connections_have_a_limit(void)
{
    TransportOptions options = tiny_options();

    options.limits.max_connections = 2;
    two_connections_are_served(&options, "connections");
}

static void connections_of_an_address_have_a_limit(void)
{
    TransportOptions options = tiny_options();

    options.limits.max_connections_per_address = 2;
    two_connections_are_served(&options, "address");
}

static void without_memory_nobody_is_let_in(void)
{
    TransportOptions options = tiny_options();
    H2Client *client;
    int64_t code;

    CU_ASSERT_PTR_NULL(tiny.ops->strain(tiny.transport));
    options.limits.max_memory_bytes = 1000;
    listen_with(&options);
    client = h2_client_open(tiny.port);

    CU_ASSERT(h2_client_is_hung_up(client, &code));
    CHECK_INT(reached("memory"), 1);
    CHECK_TEXT(tiny.ops->strain(tiny.transport), "memory runs out");
    h2_client_close(client);
}

static const uint8_t proxied[] =
    "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0f\x0a\1\2\3\x7f\0\0\1\x12\x34\x1f\x90"
    "\4\0\0";
static const uint8_t own_check[] = "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

static void behind_a_proxy_the_client_is_who_it_says(void)
{
    TransportOptions options = tiny_options();
    H2Client *client;

    options.expects_proxy = true;
    listen_with(&options);
    client = h2_client_connect(tiny.port);
    for (size_t i = 0; i < sizeof(proxied) - 1; i++)
        h2_client_write(client, proxied + i, 1);
    h2_client_greet(client);

    CHECK_INT(h2_client_call(client, "/t.S/Echo", NULL, message_of(1))->status, 0);
    CHECK_TEXT(tiny_seen().address, "ipv4:10.1.2.3:4660");
    h2_client_close(client);
    client = h2_client_connect(tiny.port);
    h2_client_write(client, own_check, sizeof(own_check) - 1);
    h2_client_greet(client);
    CHECK_INT(h2_client_call(client, "/t.S/Echo", NULL, message_of(1))->status, 0);
    CU_ASSERT(text_starts_with(tiny_seen().address, "ipv4:127.0.0.1:"));
    h2_client_close(client);
}

static void half_a_header_of_a_proxy_is_not_waited_for(void)
{
    TransportOptions options = tiny_options();
    const Gauge *open = metrics_gauge(metrics, "throughline_rpc_connections", "", "");
    H2Client *client;

    options.expects_proxy = true;
    options.limits.handshake_ms = 60000;
    listen_with(&options);
    client = h2_client_connect(tiny.port);
    h2_client_write(client, proxied, sizeof(proxied) / 2);
    h2_client_close(client);
    for (int i = 0; i < 1000 && (i < 10 || gauge_value(open) > 0); i++)
        clock_sleep_ms(10);

    CHECK_INT(gauge_value(open), 0);
}

static void whoever_comes_around_the_proxy_is_hung_up_on(void)
{
    TransportOptions options = tiny_options();
    H2Client *client;
    int64_t code;

    options.expects_proxy = true;
    listen_with(&options);
    client = h2_client_open(tiny.port);

    CU_ASSERT(h2_client_is_hung_up(client, &code));
    CHECK_INT(reached("proxy"), 1);
    h2_client_close(client);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "what is not gRPC is told so", what_is_not_grpc_is_told_so },
        { "an unknown encoding is refused with those known",
            an_unknown_encoding_is_refused_with_those_known },
        { "bad headers of gRPC are refused", bad_headers_of_grpc_are_refused },
        { "a body that is no message is refused", a_body_that_is_no_message_is_refused },
        { "a bomb is refused", a_bomb_is_refused },
        { "a client that resets on and on is sent away",
            a_client_that_resets_on_and_on_is_sent_away },
        { "a flood of pings ends the connection", a_flood_of_pings_ends_the_connection },
        { "pings beside messages are no flood", pings_beside_messages_are_no_flood },
        { "a flood of settings ends the connection", a_flood_of_settings_ends_the_connection },
        { "a flood of priorities ends the connection", a_flood_of_priorities_ends_the_connection },
        { "a flood of empty data ends the connection", a_flood_of_empty_data_ends_the_connection },
        { "too many headers are refused", too_many_headers_are_refused },
        { "a block that swells ends the connection", a_block_that_swells_ends_the_connection },
        { "continuations without end end the connection",
            continuations_without_end_end_the_connection },
        { "rubbish ends the connection", rubbish_ends_the_connection },
        { "whoever says nothing is hung up on", whoever_says_nothing_is_hung_up_on },
        { "headers that never end are not waited for", headers_that_never_end_are_not_waited_for },
        { "a message that never ends is not waited for",
            a_message_that_never_ends_is_not_waited_for },
        { "a reply that nobody takes is not kept", a_reply_that_nobody_takes_is_not_kept },
        { "a client who leaves amid a stream is noticed",
            a_client_who_leaves_amid_a_stream_is_noticed },
        { "behind replies that wait calls wait too", behind_replies_that_wait_calls_wait_too },
        { "too many replies that wait are given up", too_many_replies_that_wait_are_given_up },
        { "unfinished messages have a limit together", unfinished_messages_have_a_limit_together },
        { "a caller who is answered early is told to stop sending",
            a_caller_who_is_answered_early_is_told_to_stop_sending },
        { "connections have a limit", connections_have_a_limit },
        { "connections of an address have a limit", connections_of_an_address_have_a_limit },
        { "without memory nobody is let in", without_memory_nobody_is_let_in },
        { "behind a proxy the client is who it says", behind_a_proxy_the_client_is_who_it_says },
        { "half a header of a proxy is not waited for",
            half_a_header_of_a_proxy_is_not_waited_for },
        { "whoever comes around the proxy is hung up on",
            whoever_comes_around_the_proxy_is_hung_up_on },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "limits of h2", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("rpc_h2_limits_test", suites, argc, argv);
}
