#include "tests/rpc/h2_fixture.h"

#include "shared/rpc/transport_h2_message.h"

#include <stdio.h>

Metrics *metrics;

void listen_with(const TransportOptions *options)
{
    TransportOptions counted = *options;

    if (tiny.transport) {
        tiny.ops->drain(tiny.transport, 0);
        tiny.ops->destroy(tiny.transport);
    }
    counted.metrics = metrics;
    tiny_listen(&counted);
}

void h2_start(void)
{
    TransportOptions options = tiny_options();

    metrics = metrics_new();
    tiny_start(&transport_h2);
    listen_with(&options);
}

void h2_stop(void)
{
    atomic_store(&tiny.is_released, true);
    tiny.ops->drain(tiny.transport, 2000);
    tiny.ops->destroy(tiny.transport);
    CHECK_INT(tiny.closed, tiny.arrived);
    metrics_free(metrics);
    arena_free(tiny.arena);
}

uint64_t reached(const char *reason)
{
    char labels[64];

    snprintf(labels, sizeof(labels), "reason=\"%s\"", reason);
    return counter_value(
        metrics_counter(metrics, "throughline_rpc_limits_reached_total", labels, ""));
}

Bytes message_of(size_t size)
{
    uint8_t *bytes = arena_alloc(tiny.arena, size);

    return h2_message(tiny.arena, (Bytes){ bytes, size }, false);
}

void well_behaved_clients_are_served(void)
{
    H2Client *client = h2_client_open(tiny.port);

    CHECK_INT(h2_client_call(client, "/t.S/Echo", NULL, message_of(100))->status, 0);
    h2_client_close(client);
}

void is_sent_away(H2Client *client, const char *reason, int64_t expected)
{
    int64_t code;

    CU_ASSERT(h2_client_is_hung_up(client, &code));
    CHECK_INT(code, expected);
    CHECK_INT(reached(reason), 1);
    h2_client_close(client);
    well_behaved_clients_are_served();
}
