/* Floods and odd frames against the h2 engine, each ended by a GOAWAY that says why. */
#include "tests/rpc/h2_fixture.h"

#include <string.h>

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

static void reset(H2Client *client, uint32_t stream)
{
    h2_client_frame(client, RST_STREAM, 0, stream, "\0\0\0\x8", 4);
}

/* As gRPC core does with a call that was given up before its headers went out. */
static void a_reset_of_an_idle_stream_harms_no_other_call(void)
{
    H2Client *client = h2_client_open(tiny.port);
    H2Answer *held = h2_client_start(client, "/t.S/Hold", NULL, message_of(1), true);

    reset(client, h2_client_skip(client));

    CHECK_INT(h2_client_call(client, "/t.S/Echo", NULL, message_of(100))->status, 0);
    atomic_store(&tiny.is_released, true);
    CU_ASSERT(h2_client_wait(client, held));
    CHECK_INT(held->status, 0);
    CHECK_INT(reached("protocol"), 0);
    h2_client_close(client);
}

static void a_reset_of_an_idle_stream_may_come_in_pieces(void)
{
    H2Client *client = h2_client_open(tiny.port);
    uint8_t frame[] = { 0, 0, 4, RST_STREAM, 0, 0, 0, 0, 0, 0, 0, 0, 8 };

    for (size_t cut = 1; cut < sizeof(frame); cut++) {
        frame[8] = (uint8_t)h2_client_skip(client);
        h2_client_write(client, frame, cut);
        h2_client_turn(client);
        h2_client_write(client, frame + cut, sizeof(frame) - cut);
        CHECK_INT(h2_client_call(client, "/t.S/Echo", NULL, message_of(100))->status, 0);
    }

    h2_client_close(client);
}

/* It was passed over, so the stream has never been anything but idle. */
static void a_call_may_come_on_a_stream_that_was_reset_while_idle(void)
{
    H2Client *client = h2_client_open(tiny.port);

    reset(client, 1);

    CHECK_INT(h2_client_call(client, "/t.S/Echo", NULL, message_of(100))->status, 0);
    reset(client, 1);
    CHECK_INT(h2_client_call(client, "/t.S/Echo", NULL, message_of(100))->status, 0);
    h2_client_close(client);
}

static void is_a_breach(H2Client *client)
{
    int64_t code;

    CU_ASSERT(h2_client_is_hung_up(client, &code));
    CHECK_INT(code, PROTOCOL_ERROR);
    h2_client_close(client);
    well_behaved_clients_are_served();
}

static void other_resets_of_no_stream_end_the_connection(void)
{
    H2Client *amid_headers = h2_client_open(tiny.port);

    h2_client_frame(amid_headers, HEADERS, 0, 1, "\x83", 1);
    reset(amid_headers, 3);

    is_a_breach(amid_headers);
    for (uint32_t stream = 0; stream <= 2; stream += 2) { /* the connection, and one of ours */
        H2Client *client = h2_client_open(tiny.port);

        reset(client, stream);

        is_a_breach(client);
    }
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

static void a_flood_of_resets_of_idle_streams_ends_the_connection(void)
{
    frames_of_control(RST_STREAM, 1, "\0\0\0\x8", 4);
}

static void a_flood_of_priorities_ends_the_connection(void)
{
    frames_of_control(PRIORITY, 1, "\0\0\0\0\1", 5);
}

static void a_flood_of_unknown_frames_ends_the_connection(void)
{
    frames_of_control(0xfa, 0, "what", 4);
}

/* On a stream that is open, or over if `ends`. */
static void frames_of_data(Bytes begun, bool ends, Bytes payload)
{
    TransportOptions options = tiny_options();
    H2Client *client;

    options.limits.max_control_frames = 50;
    listen_with(&options);
    client = h2_client_open(tiny.port);
    if (ends)
        CHECK_INT(h2_client_call(client, "/t.S/Echo", NULL, begun)->status, 0);
    else
        h2_client_start(client, "/t.S/Each", NULL, begun, false);
    for (int i = 0; i < 300; i++)
        h2_client_frame(client, DATA, 0, 1, payload.data, payload.size);

    is_sent_away(client, "control_frames", CALM);
}

static void a_flood_of_empty_data_ends_the_connection(void)
{
    frames_of_data((Bytes){ 0 }, false, (Bytes){ (const uint8_t *)"", 0 });
}

static void a_message_in_crumbs_ends_the_connection(void)
{
    frames_of_data(
        (Bytes){ (const uint8_t *)"\0\0\0\x10\0", 5 }, false, (Bytes){ (const uint8_t *)"x", 1 });
}

static void a_flood_of_data_for_a_dead_stream_ends_the_connection(void)
{
    static const uint8_t large[1000];

    frames_of_data(message_of(1), true, (Bytes){ large, sizeof(large) });
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

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a client that resets on and on is sent away",
            a_client_that_resets_on_and_on_is_sent_away },
        { "a reset of an idle stream harms no other call",
            a_reset_of_an_idle_stream_harms_no_other_call },
        { "a reset of an idle stream may come in pieces",
            a_reset_of_an_idle_stream_may_come_in_pieces },
        { "a call may come on a stream that was reset while idle",
            a_call_may_come_on_a_stream_that_was_reset_while_idle },
        { "other resets of no stream end the connection",
            other_resets_of_no_stream_end_the_connection },
        { "a flood of resets of idle streams ends the connection",
            a_flood_of_resets_of_idle_streams_ends_the_connection },
        { "a flood of pings ends the connection", a_flood_of_pings_ends_the_connection },
        { "pings beside messages are no flood", pings_beside_messages_are_no_flood },
        { "a flood of settings ends the connection", a_flood_of_settings_ends_the_connection },
        { "a flood of priorities ends the connection", a_flood_of_priorities_ends_the_connection },
        { "a flood of unknown frames ends the connection",
            a_flood_of_unknown_frames_ends_the_connection },
        { "a message in crumbs ends the connection", a_message_in_crumbs_ends_the_connection },
        { "a flood of data for a dead stream ends the connection",
            a_flood_of_data_for_a_dead_stream_ends_the_connection },
        { "a flood of empty data ends the connection", a_flood_of_empty_data_ends_the_connection },
        { "a block that swells ends the connection", a_block_that_swells_ends_the_connection },
        { "continuations without end end the connection",
            continuations_without_end_end_the_connection },
        { "rubbish ends the connection", rubbish_ends_the_connection },
        { "headers that never end are not waited for", headers_that_never_end_are_not_waited_for },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "frames of h2",
            .pSetUpFunc = h2_start,
            .pTearDownFunc = h2_stop,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("rpc_h2_frames_test", suites, argc, argv);
}
