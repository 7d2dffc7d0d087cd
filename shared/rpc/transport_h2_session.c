/* Between nghttp2 and the calls: its callbacks, and the frames of the connection itself. */
#include "shared/rpc/transport_h2.h"

#include "shared/base/clock.h"

#include <stdlib.h>
#include <string.h>

enum {
    CONNECTION_WINDOW = 1024 * 1024,
    MAX_SETTINGS = 4,
};

static const uint8_t retiring[8] = "retiring";

static H2Call *call_of(nghttp2_session *session, int32_t stream)
{
    return nghttp2_session_get_stream_user_data(session, stream);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    H2Connection *connection = context;
    H2Call *call;

    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    call = h2_call_new(connection, frame->hd.stream_id);
    connection->n_streams++;
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, call);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, nghttp2_rcbuf *name,
    nghttp2_rcbuf *value, uint8_t flags, void *context)
{
    H2Call *call;

    (void)flags, (void)context;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0; /* trailers of a client say nothing in gRPC */
    call = call_of(session, frame->hd.stream_id);
    if (call)
        h2_request_header(call, name, value);
    return 0;
}

/* The connection's window is given back at once, so that no stream holds up another; the
 * stream's own as the run time receives. */
static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data,
    size_t size, void *context)
{
    H2Call *call = call_of(session, stream);

    (void)flags, (void)context;
    nghttp2_session_consume_connection(session, size);
    if (call)
        h2_request_data(call, (Bytes){ data, size });
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    H2Connection *connection = context;
    H2Call *call;

    if (frame->hd.type == NGHTTP2_PING && frame->hd.flags & NGHTTP2_FLAG_ACK &&
        connection->is_retired && !memcmp(frame->ping.opaque_data, retiring, sizeof(retiring)))
        h2_session_send_off(connection);
    if (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    call = call_of(session, frame->hd.stream_id);
    if (!call)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        h2_request_begin(call);
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        h2_request_end(call);
    return 0;
}

/* The status is out. A client that is still sending is told that nobody reads. */
static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    H2Call *call;

    (void)context;
    if (frame->hd.type != NGHTTP2_HEADERS || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        return 0;
    call = call_of(session, frame->hd.stream_id);
    if (!call)
        return 0;
    call->is_status_sent = call->is_finished && !call->is_cut;
    if (!call->has_ended)
        nghttp2_submit_rst_stream(
            session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
    return 0;
}

static int on_stream_closed(
    nghttp2_session *session, int32_t stream, uint32_t error_code, void *context)
{
    H2Connection *connection = context;
    H2Call *call = call_of(session, stream);

    (void)error_code;
    if (!call)
        return 0;
    if (--connection->n_streams == 0)
        connection->idle_since = clock_monotonic();
    h2_call_gone(call);
    return 0;
}

void h2_session_setup(H2Transport *transport)
{
    nghttp2_session_callbacks *callbacks;

    if (nghttp2_session_callbacks_new(&transport->callbacks) ||
        nghttp2_option_new(&transport->options))
        abort();
    callbacks = transport->callbacks;
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_closed);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, h2_reply_write);
    nghttp2_option_set_no_auto_window_update(transport->options, 1);
    nghttp2_option_set_no_closed_streams(transport->options, 1);
    /* Metadata may end with a space. */
    nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(transport->options, 1);
}

void h2_session_start(H2Connection *connection)
{
    const H2Transport *transport = connection->loop->transport;
    const RpcLimits *limits = &transport->limits;
    nghttp2_settings_entry settings[MAX_SETTINGS] = {
        { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, (uint32_t)limits->max_streams },
        { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
            (uint32_t)(limits->max_metadata_bytes * H2_METADATA_MARGIN) },
        { NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1 },
    };

    if (nghttp2_session_server_new2(
            &connection->session, transport->callbacks, connection, transport->options) ||
        nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, settings, 3) ||
        nghttp2_session_set_local_window_size(
            connection->session, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW))
        abort();
}

bool h2_session_take(H2Connection *connection, const uint8_t *bytes, size_t size)
{
    ssize_t taken = nghttp2_session_mem_recv(connection->session, bytes, size);

    if (taken >= 0)
        return true;
    if (taken == NGHTTP2_ERR_NOMEM)
        abort();
    return nghttp2_session_terminate_session(connection->session, NGHTTP2_PROTOCOL_ERROR) == 0;
}

bool h2_session_gather(H2Connection *connection)
{
    H2Loop *loop = connection->loop;
    const uint8_t *bytes;
    ssize_t n;

    while (loop->out_size < H2_IO_BYTES) {
        n = nghttp2_session_mem_send(connection->session, &bytes);
        if (n <= 0)
            return n == 0;
        memcpy(loop->out + loop->out_size, bytes, (size_t)n);
        loop->out_size += (size_t)n;
    }
    loop->is_out_full = true;
    return true;
}

void h2_session_retire(H2Connection *connection)
{
    if (connection->is_retired || connection->is_lingering)
        return;
    connection->is_retired = true;
    connection->retired_at = clock_monotonic();
    nghttp2_submit_shutdown_notice(connection->session);
    nghttp2_submit_ping(connection->session, NGHTTP2_FLAG_NONE, retiring);
    h2_connection_touch(connection);
}

void h2_session_send_off(H2Connection *connection)
{
    if (connection->is_sent_off || connection->is_lingering)
        return;
    connection->is_sent_off = true;
    nghttp2_submit_goaway(connection->session, NGHTTP2_FLAG_NONE,
        nghttp2_session_get_last_proc_stream_id(connection->session), NGHTTP2_NO_ERROR, NULL, 0);
    h2_connection_touch(connection);
}

void h2_session_ping(H2Connection *connection)
{
    nghttp2_submit_ping(connection->session, NGHTTP2_FLAG_NONE, NULL);
    connection->is_pinged = true;
    h2_connection_touch(connection);
}
