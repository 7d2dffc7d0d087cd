/* Looks at a connection a few times a second: idle, old, silent, going away for too long. */
#include "shared/rpc/transport_h2.h"

enum {
    KEEPALIVE_TIMEOUT_MICROS = 20 * 1000000,
    /* For the client to answer the first GOAWAY before it gets the last. */
    NOTICE_MICROS = 500 * 1000,
    LINGER_MICROS = 1000 * 1000,
};

static void watch_silence(H2Connection *connection, const RpcLimits *limits, int64_t now)
{
    int64_t silence = now - connection->read_at;

    if (connection->is_pinged && silence > limits->keepalive_ms * 1000 + KEEPALIVE_TIMEOUT_MICROS)
        h2_connection_close(connection);
    else if (!connection->is_pinged && silence > limits->keepalive_ms * 1000)
        h2_session_ping(connection);
}

static void see_off(H2Connection *connection, const RpcLimits *limits, int64_t now)
{
    int64_t since = now - connection->retired_at;

    if (since > limits->max_age_grace_ms * 1000)
        h2_connection_cut(connection);
    if (since > NOTICE_MICROS)
        h2_session_send_off(connection);
}

void h2_sweep(H2Connection *connection, int64_t now)
{
    const RpcLimits *limits = &connection->loop->transport->limits;

    if (connection->is_lingering) {
        if (now - connection->lingers_since > LINGER_MICROS)
            h2_connection_close(connection);
        return;
    }
    if (connection->is_retired)
        see_off(connection, limits, now);
    else if (now - connection->opened_at > connection->max_age_micros ||
             (connection->n_streams == 0 && now - connection->idle_since > limits->idle_ms * 1000))
        h2_session_retire(connection);
    watch_silence(connection, limits, now);
}
