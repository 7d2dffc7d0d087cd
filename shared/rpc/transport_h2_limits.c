/* What a connection may do to the server. Frames that cost work without bringing calls are paid
 * from allowances, which time and calls that are answered fill again; whoever runs out of one is
 * sent away with GOAWAY ENHANCE_YOUR_CALM. */
#include "shared/rpc/transport_h2.h"

#include "shared/base/clock.h"
#include "shared/base/log.h"

#include <stdio.h>

enum {
    KEEPALIVE_TIMEOUT_MICROS = 20 * 1000000,
    /* For the client to answer the first GOAWAY before it gets the last. */
    NOTICE_MICROS = 500 * 1000,
    LINGER_MICROS = 1000 * 1000,
    COMPLAINT_INTERVAL_MICROS = 1000 * 1000,
    /* A tenth of an allowance comes back each second. */
    REFILLS_PER_ALLOWANCE = 10 * 1000 * 1000 / H2_SWEEP_MICROS,
    /* Bytes that make good for a frame, and that a reader has to take in the time to stall. */
    BYTES_PER_FRAME = 1024,
    /* gRPC's clients open windows and measure the way for each message, small as it may be. */
    FRAMES_PER_MESSAGE = 4,
    REPORT_BYTES = 64 * 1024, /* loops share a sum, and touch it seldom */
    MAX_MADE = 4 * 1024 * 1024,
    MAX_MADE_WAITS = 1000, /* milliseconds */
};

static const H2Status too_slow = { 200, ERROR_DEADLINE_EXCEEDED,
    "The request did not come in time.", "" };

static const char *const reasons[H2_REASONS] = {
    [H2_REASON_RESETS] = "resets",
    [H2_REASON_CONTROL] = "control_frames",
    [H2_REASON_HEADERS] = "headers",
    [H2_REASON_PROTOCOL] = "protocol",
    [H2_REASON_HANDSHAKE] = "handshake",
    [H2_REASON_BODY] = "slow_body",
    [H2_REASON_STALLED] = "stalled",
    [H2_REASON_HELD] = "held",
    [H2_REASON_SILENT] = "silent",
    [H2_REASON_CONNECTIONS] = "connections",
    [H2_REASON_ADDRESS] = "address",
    [H2_REASON_DESCRIPTORS] = "descriptors",
    [H2_REASON_MEMORY] = "memory",
    [H2_REASON_PROXY] = "proxy",
};

void h2_limits_setup(H2Transport *transport, Metrics *metrics)
{
    for (int i = 0; metrics && i < H2_REASONS; i++) {
        char labels[64];

        snprintf(labels, sizeof(labels), "reason=\"%s\"", reasons[i]);
        transport->ended[i] = metrics_counter(metrics, "throughline_rpc_limits_reached_total",
            labels, "Connections and requests that were ended for a limit they reached.");
    }
    if (metrics)
        transport->open = metrics_gauge(
            metrics, "throughline_rpc_connections", "", "Connections to the gRPC port.");
}

void h2_limits_count(H2Transport *transport, H2Reason reason, const char *peer)
{
    int64_t now = clock_monotonic();
    int64_t before = atomic_load(&transport->complained_at);

    if (transport->ended[reason])
        counter_add(transport->ended[reason], 1);
    if (now - before < COMPLAINT_INTERVAL_MICROS ||
        !atomic_compare_exchange_strong(&transport->complained_at, &before, now))
        return;
    log_write(LOG_WARN, "limit_reached",
        (const LogField[]){ { "limit", reasons[reason], 0 }, { "peer", peer, 0 }, { 0 } });
}

void h2_limits_start(H2Connection *connection)
{
    const RpcLimits *limits = &connection->loop->transport->limits;

    connection->resets_left = limits->max_resets;
    connection->control_left = limits->max_control_frames;
}

void h2_limits_kick(H2Connection *connection, H2Reason reason)
{
    if (connection->is_kicked || connection->is_closed)
        return;
    connection->is_kicked = true;
    connection->kicked_at = clock_monotonic();
    h2_limits_count(connection->loop->transport, reason, connection->name);
    nghttp2_session_terminate_session(connection->session,
        reason == H2_REASON_PROTOCOL ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_ENHANCE_YOUR_CALM);
    h2_connection_touch(connection);
}

bool h2_limits_take_reset(H2Connection *connection)
{
    if (--connection->resets_left < 0)
        h2_limits_kick(connection, H2_REASON_RESETS);
    return !connection->is_kicked;
}

bool h2_limits_take_control(H2Connection *connection)
{
    if (--connection->control_left < 0)
        h2_limits_kick(connection, H2_REASON_CONTROL);
    return !connection->is_kicked;
}

void h2_limits_take_untold(H2Connection *connection)
{
    if (connection->seen <= connection->told)
        return;
    connection->control_left -= connection->seen - connection->told - 1;
    h2_limits_take_control(connection);
}

static int32_t refilled(int32_t left, int32_t step, int32_t max)
{
    return left + step < max ? left + step : max;
}

void h2_limits_give_call(H2Connection *connection)
{
    const RpcLimits *limits = &connection->loop->transport->limits;

    connection->resets_left = refilled(connection->resets_left, 1, limits->max_resets);
    h2_limits_give_message(connection);
}

void h2_limits_give_message(H2Connection *connection)
{
    connection->control_left = refilled(connection->control_left, FRAMES_PER_MESSAGE,
        connection->loop->transport->limits.max_control_frames);
}

void h2_limits_give_bytes(H2Connection *connection, size_t size)
{
    connection->moved += size;
    if (size >= BYTES_PER_FRAME)
        connection->control_left =
            refilled(connection->control_left, (int32_t)(size / BYTES_PER_FRAME),
                connection->loop->transport->limits.max_control_frames);
}

void h2_limits_hold(H2Connection *connection, int64_t step)
{
    H2Loop *loop = connection->loop;

    connection->out_bytes = (size_t)((int64_t)connection->out_bytes + step);
    loop->unreported += step;
    if (loop->unreported < REPORT_BYTES && loop->unreported > -REPORT_BYTES)
        return;
    atomic_fetch_add(&loop->transport->held_bytes, loop->unreported);
    loop->unreported = 0;
}

/* Many workers make replies faster than few loops can refuse to hold them. */
void h2_limits_make(H2Call *call, size_t size, bool may_wait)
{
    _Atomic size_t *made = &call->connection->loop->transport->made_bytes;
    int waits = may_wait ? MAX_MADE_WAITS : 0;

    while (atomic_fetch_add(made, size) > MAX_MADE && waits-- > 0) {
        atomic_fetch_sub(made, size);
        clock_sleep_ms(1);
    }
    call->made_bytes = size;
}

void h2_limits_made(H2Call *call)
{
    if (call->made_bytes)
        atomic_fetch_sub(&call->connection->loop->transport->made_bytes, call->made_bytes);
    call->made_bytes = 0;
}

static size_t share_of(const H2Connection *connection)
{
    return (size_t)connection->loop->transport->limits.max_pending_bytes / H2_CROWDED_PART;
}

bool h2_limits_is_crowded(const H2Connection *connection)
{
    return connection->out_bytes > share_of(connection);
}

bool h2_limits_is_full(const H2Connection *connection, size_t size)
{
    H2Transport *transport = connection->loop->transport;

    if (h2_is_heavy(connection))
        return true;
    return connection->out_bytes + size > share_of(connection) &&
           atomic_load_explicit(&transport->held_bytes, memory_order_relaxed) >
               transport->limits.max_held_bytes;
}

static void refill(H2Connection *connection, const RpcLimits *limits)
{
    connection->resets_left = refilled(connection->resets_left,
        limits->max_resets / REFILLS_PER_ALLOWANCE + 1, limits->max_resets);
    connection->control_left = refilled(connection->control_left,
        limits->max_control_frames / REFILLS_PER_ALLOWANCE + 1, limits->max_control_frames);
}

static void watch_silence(H2Connection *connection, const RpcLimits *limits, int64_t now)
{
    int64_t silence = now - connection->read_at;

    if (connection->is_pinged && silence > limits->keepalive_ms * 1000 + KEEPALIVE_TIMEOUT_MICROS) {
        h2_limits_count(connection->loop->transport, H2_REASON_SILENT, connection->name);
        h2_connection_close(connection);
    } else if (!connection->is_pinged && silence > limits->keepalive_ms * 1000) {
        h2_session_ping(connection);
    }
}

/* Whoever lets their replies lie, or takes a byte of them now and then. */
static void watch_replies(H2Connection *connection, const RpcLimits *limits, int64_t now)
{
    bool waits = connection->out_bytes > 0 || connection->pending;

    if (!waits || connection->waits_since == 0 || connection->moved >= BYTES_PER_FRAME) {
        connection->waits_since = waits ? now : 0;
        connection->moved = 0;
    } else if (now - connection->waits_since > limits->stall_ms * 1000) {
        h2_limits_kick(connection, H2_REASON_STALLED);
    }
}

static void watch_requests(H2Connection *connection, const RpcLimits *limits, int64_t now)
{
    H2Call *next;

    for (H2Call *call = connection->calls; call; call = next) {
        next = call->next;
        if (!h2_request_is_amid(call) || now - call->begun_at < limits->body_ms * 1000)
            continue;
        h2_limits_count(connection->loop->transport, H2_REASON_BODY, connection->name);
        h2_call_cut(call, &too_slow);
    }
}

static void see_off(H2Connection *connection, const RpcLimits *limits, int64_t now)
{
    int64_t since = now - connection->retired_at;

    if (since > limits->max_age_grace_ms * 1000)
        h2_connection_cut(connection);
    if (since > NOTICE_MICROS)
        h2_session_send_off(connection);
}

/* True when the connection is on its way out, or gone. */
static bool watch_end(H2Connection *connection, const RpcLimits *limits, int64_t now)
{
    if ((connection->is_lingering && now - connection->lingers_since > LINGER_MICROS) ||
        (connection->is_kicked && now - connection->kicked_at > LINGER_MICROS)) {
        h2_connection_close(connection);
    } else if (!connection->has_begun &&
               now - connection->opened_at > limits->handshake_ms * 1000) {
        if (connection->ssl && !connection->is_secure) {
            h2_limits_count(connection->loop->transport, H2_REASON_HANDSHAKE, connection->name);
            h2_connection_close(connection);
        } else {
            h2_limits_kick(connection, H2_REASON_HANDSHAKE);
        }
    } else if (connection->headers_since &&
               now - connection->headers_since > limits->handshake_ms * 1000) {
        h2_limits_kick(connection, H2_REASON_HEADERS);
    }
    return connection->is_closed || connection->is_lingering || connection->is_kicked;
}

void h2_limits_sweep(H2Connection *connection, int64_t now)
{
    const RpcLimits *limits = &connection->loop->transport->limits;

    if (watch_end(connection, limits, now))
        return;
    refill(connection, limits);
    watch_requests(connection, limits, now);
    watch_replies(connection, limits, now);
    if (connection->is_retired)
        see_off(connection, limits, now);
    else if (now - connection->opened_at > connection->max_age_micros ||
             (connection->n_streams == 0 && now - connection->idle_since > limits->idle_ms * 1000))
        h2_session_retire(connection);
    watch_silence(connection, limits, now);
}
