/* Replies of the h2 engine that nobody takes: they wait within limits. */
#include "tests/rpc/h2_fixture.h"

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

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a reply that nobody takes is not kept", a_reply_that_nobody_takes_is_not_kept },
        { "a client who leaves amid a stream is noticed",
            a_client_who_leaves_amid_a_stream_is_noticed },
        { "behind replies that wait calls wait too", behind_replies_that_wait_calls_wait_too },
        { "too many replies that wait are given up", too_many_replies_that_wait_are_given_up },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "replies of h2",
            .pSetUpFunc = h2_start,
            .pTearDownFunc = h2_stop,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("rpc_h2_reply_test", suites, argc, argv);
}
