/* What a request may be for the h2 engine, and what it is told that is none. */
#include "tests/rpc/h2_fixture.h"

#include "shared/rpc/transport_h2_message.h"

#include <stdlib.h>
#include <string.h>

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

static void messages_that_came_together_are_received_together(void)
{
    enum { MESSAGES = 50, SIZE = 10 };
    uint8_t *all = arena_alloc(tiny.arena, MESSAGES * (SIZE + H2_PREFIX_BYTES));
    Bytes one = message_of(SIZE);
    H2Client *client = h2_client_open(tiny.port);
    const H2Answer *answer;

    for (size_t i = 0; i < MESSAGES; i++)
        memcpy(all + i * one.size, one.data, one.size);
    answer = h2_client_call(client, "/t.S/Each", NULL, (Bytes){ all, MESSAGES * one.size });

    CHECK_INT(answer->status, 0);
    CHECK_INT(answer->size, MESSAGES * one.size);
    CHECK_INT(tiny.received, 1);
    h2_client_close(client);
}

/* What has come is taken at once: the window opens for as much again, and no more. */
static void nobody_sends_ahead_without_end(void)
{
    enum { WINDOW = 65535, SIZE = 1000 };
    uint8_t *all = arena_alloc(tiny.arena, 1000 * (SIZE + H2_PREFIX_BYTES));
    Bytes one = message_of(SIZE);
    H2Client *client = h2_client_open(tiny.port);
    const H2Answer *answer;

    for (size_t i = 0; i < 1000; i++)
        memcpy(all + i * one.size, one.data, one.size);
    h2_client_window(client, 0); /* the first message cannot be sent back */
    answer = h2_client_start(client, "/t.S/Each", NULL, (Bytes){ all, 1000 * one.size }, true);
    for (int i = 0; i < 500 && answer->sent < WINDOW; i++)
        h2_client_turn(client);
    for (int i = 0; i < 20; i++)
        h2_client_turn(client);

    CU_ASSERT(answer->sent >= WINDOW);
    CU_ASSERT(answer->sent <= 2 * WINDOW);
    h2_client_window(client, WINDOW);
    CU_ASSERT(h2_client_wait(client, answer));
    CHECK_INT(answer->status, 0);
    CHECK_INT(answer->size, 1000 * one.size);
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

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "what is not gRPC is told so", what_is_not_grpc_is_told_so },
        { "an unknown encoding is refused with those known",
            an_unknown_encoding_is_refused_with_those_known },
        { "bad headers of gRPC are refused", bad_headers_of_grpc_are_refused },
        { "a body that is no message is refused", a_body_that_is_no_message_is_refused },
        { "a bomb is refused", a_bomb_is_refused },
        { "too many headers are refused", too_many_headers_are_refused },
        { "a message that never ends is not waited for",
            a_message_that_never_ends_is_not_waited_for },
        { "messages that came together are received together",
            messages_that_came_together_are_received_together },
        { "nobody sends ahead without end", nobody_sends_ahead_without_end },
        { "unfinished messages have a limit together", unfinished_messages_have_a_limit_together },
        { "a caller who is answered early is told to stop sending",
            a_caller_who_is_answered_early_is_told_to_stop_sending },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "requests of h2",
            .pSetUpFunc = h2_start,
            .pTearDownFunc = h2_stop,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("rpc_h2_request_test", suites, argc, argv);
}
