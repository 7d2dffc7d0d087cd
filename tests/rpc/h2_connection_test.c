/* Who is let in by the h2 engine: caps, strain, proxies, and those who say nothing. */
#include "tests/rpc/h2_fixture.h"

#include "shared/base/clock.h"

#include <string.h>

static void whoever_says_nothing_is_hung_up_on(void)
{
    TransportOptions options = tiny_options();

    options.limits.handshake_ms = 200;
    listen_with(&options);

    is_sent_away(h2_client_connect(tiny.port), "handshake", CALM);
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

/* Calls that stay weigh; above the limit their address gets no further ones, and no connections. */
static void what_an_address_weighs_has_a_limit(void)
{
    enum { CALLS = 60 };
    TransportOptions options = tiny_options();
    const H2Answer *answers[CALLS];
    H2Client *heavy, *other;
    int64_t code;
    int refused = 0, status = -1;

    options.limits.max_address_bytes = 256 * 1024;
    listen_with(&options);
    heavy = h2_client_open(tiny.port);
    for (int i = 0; i < CALLS; i++)
        answers[i] = h2_client_start(heavy, "/t.S/Hold", NULL, message_of(1), true);
    h2_client_wait(heavy, answers[CALLS - 1]);
    for (int i = 0; i < CALLS; i++)
        refused += answers[i]->status == ERROR_RESOURCE_EXHAUSTED;
    CU_ASSERT(refused > 0 && refused < CALLS);

    other = h2_client_open(tiny.port);
    CU_ASSERT(h2_client_is_hung_up(other, &code));
    CHECK_INT(reached("address"), 1);
    h2_client_close(other);

    h2_client_close(heavy);
    for (int i = 0; i < 1000 && status != 0; i++) {
        const H2Answer *answer;

        other = h2_client_open(tiny.port);
        answer = h2_client_start(other, "/t.S/Echo", NULL, message_of(1), true);
        h2_client_wait(other, answer);
        status = answer->status;
        h2_client_close(other);
    }
    CHECK_INT(status, 0);
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

static void behind_a_proxy_each_client_has_its_own_limit(void)
{
    TransportOptions options = tiny_options();
    uint8_t header[sizeof(proxied)];
    H2Client *clients[4];
    int64_t code;

    memcpy(header, proxied, sizeof(proxied));
    options.expects_proxy = true;
    options.limits.max_connections_per_address = 2;
    listen_with(&options);
    for (int i = 0; i < 4; i++) {
        header[19] = i == 3 ? 4 : 3; /* the last one comes from 10.1.2.4 */
        clients[i] = h2_client_connect(tiny.port);
        h2_client_write(clients[i], header, sizeof(header) - 1);
        h2_client_greet(clients[i]);
        if (i == 2)
            CU_ASSERT(h2_client_is_hung_up(clients[i], &code))
        else
            CHECK_INT(h2_client_call(clients[i], "/t.S/Echo", NULL, message_of(1))->status, 0);
    }

    CHECK_INT(reached("address"), 1);
    for (int i = 0; i < 4; i++)
        h2_client_close(clients[i]);
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
        { "whoever says nothing is hung up on", whoever_says_nothing_is_hung_up_on },
        { "connections have a limit", connections_have_a_limit },
        { "connections of an address have a limit", connections_of_an_address_have_a_limit },
        { "what an address weighs has a limit", what_an_address_weighs_has_a_limit },
        { "without memory nobody is let in", without_memory_nobody_is_let_in },
        { "behind a proxy the client is who it says", behind_a_proxy_the_client_is_who_it_says },
        { "behind a proxy each client has its own limit",
            behind_a_proxy_each_client_has_its_own_limit },
        { "half a header of a proxy is not waited for",
            half_a_header_of_a_proxy_is_not_waited_for },
        { "whoever comes around the proxy is hung up on",
            whoever_comes_around_the_proxy_is_hung_up_on },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "connections of h2",
            .pSetUpFunc = h2_start,
            .pTearDownFunc = h2_stop,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("rpc_h2_connection_test", suites, argc, argv);
}
