/* Between nghttp2 and the calls: its callbacks, and the frames of the connection itself. */
#include "shared/rpc/transport_h2.h"

#include "shared/base/clock.h"

#include <stdlib.h>
#include <string.h>

enum {
    CONNECTION_WINDOW = 1024 * 1024,
    MAX_SETTINGS = 4,
    MAX_CONTINUATIONS = 8, /* behind a frame of headers */
    MAX_ACKS = 256,        /* that wait to be written */
    UNLIMITED = 1 << 30,   /* we count ourselves, to say so in a metric */
    SMALL_DATA = 64,       /* a frame below that costs more than what it brings */
    FRAMES_PER_STREAM = 4, /* that may wait to be written */
};

static const uint8_t retiring[8] = "retiring";

static H2Call *call_of(nghttp2_session *session, int32_t stream)
{
    return nghttp2_session_get_stream_user_data(session, stream);
}

/* Whoever was kicked is not read any further. */
static int verdict(const H2Connection *connection)
{
    return connection->is_kicked ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

/* How much of a block of headers has come, or is about to. */
static void count_block(H2Connection *connection, const nghttp2_frame_hd *head)
{
    if (head->type == NGHTTP2_HEADERS)
        connection->block_bytes = head->length;
    else if (head->type == NGHTTP2_CONTINUATION)
        connection->block_bytes += head->length;
    if (head->type == NGHTTP2_CONTINUATION && h2_is_heavy(connection))
        h2_limits_kick(connection, H2_REASON_HEADERS);
}

/* Frames that bring neither a call nor a message cost the same as those that do. */
static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *head, void *context)
{
    H2Connection *connection = context;
    bool is_small = head->length < SMALL_DATA && !(head->flags & NGHTTP2_FLAG_END_STREAM);

    (void)session;
    connection->told++;
    count_block(connection, head);
    if (head->type == NGHTTP2_RST_STREAM)
        h2_limits_take_reset(connection);
    else if (head->type != NGHTTP2_HEADERS && (head->type != NGHTTP2_DATA || is_small))
        h2_limits_take_control(connection);
    return verdict(connection);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    H2Connection *connection = context;
    H2Call *call;

    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    call = h2_call_new(connection, frame->hd.stream_id);
    connection->heading = call;
    connection->headers_since = connection->read_at;
    connection->n_streams++;
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, call);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, nghttp2_rcbuf *name,
    nghttp2_rcbuf *value, uint8_t flags, void *context)
{
    bool is_trailer = frame->headers.cat != NGHTTP2_HCAT_REQUEST;
    H2Call *call =
        is_trailer ? call_of(session, frame->hd.stream_id) : ((H2Connection *)context)->heading;

    (void)flags;
    if (!call)
        return 0;
    call->is_malformed |= !h2_http_take(call, name, value, is_trailer);
    if (!is_trailer) /* those of a client say nothing in gRPC */
        h2_request_header(call, name, value);
    return verdict(context);
}

/* The connection's window is given back at once, so that no stream holds up another; the
 * stream's own as the run time receives. */
static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data,
    size_t size, void *context)
{
    H2Call *call = call_of(session, stream);

    (void)flags, (void)context;
    nghttp2_session_consume_connection(session, size);
    if (call && !h2_http_count(call, size))
        h2_request_refuse(call);
    else if (call)
        h2_request_data(call, (Bytes){ data, size });
    return 0;
}

/* Whether a frame of the call's is as HTTP wants it, the request's headers with it. */
static bool is_well_formed(const H2Call *call, const nghttp2_frame *frame)
{
    bool ends = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    bool is_headers = frame->hd.type == NGHTTP2_HEADERS;
    bool is_request = is_headers && frame->headers.cat == NGHTTP2_HCAT_REQUEST;

    if (call->is_malformed || (is_request && !h2_http_is_whole(call)))
        return false;
    if (is_headers && !is_request && !ends) /* trailers are the end */
        return false;
    return !ends || h2_http_is_over(call);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    H2Connection *connection = context;
    H2Call *call;

    if (frame->hd.type == NGHTTP2_PING && frame->hd.flags & NGHTTP2_FLAG_ACK &&
        connection->is_retired && !memcmp(frame->ping.opaque_data, retiring, sizeof(retiring)))
        h2_session_send_off(connection);
    connection->has_begun |= frame->hd.type == NGHTTP2_SETTINGS;
    if (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    call = call_of(session, frame->hd.stream_id);
    if (!call)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS) {
        connection->headers_since = 0;
        connection->block_bytes = 0;
    }
    if (!is_well_formed(call, frame)) {
        h2_request_refuse(call);
        return 0;
    }
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        h2_request_begin(call);
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        h2_request_end(call);
    return 0;
}

/* The status is out. A client that is still sending is told that nobody reads. */
static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    H2Connection *connection = context;
    H2Call *call;

    if (frame->hd.type == NGHTTP2_RST_STREAM && frame->rst_stream.error_code != NGHTTP2_NO_ERROR)
        h2_limits_take_reset(connection); /* a client can make us send them, too */
    if (frame->hd.type != NGHTTP2_HEADERS || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        return 0;
    h2_limits_give_call(connection);
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
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_closed);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, h2_reply_write);
    nghttp2_option_set_no_auto_window_update(transport->options, 1);
    nghttp2_option_set_no_http_messaging(transport->options, 1); /* transport_h2_http.c */
    nghttp2_option_set_no_closed_streams(transport->options, 1);
    nghttp2_option_set_max_continuations(transport->options, MAX_CONTINUATIONS);
    nghttp2_option_set_max_outbound_ack(transport->options, MAX_ACKS);
    nghttp2_option_set_stream_reset_rate_limit(transport->options, UNLIMITED, UNLIMITED);
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

    if (nghttp2_session_server_new3(&connection->session, transport->callbacks, connection,
            transport->options, &connection->loop->memory.hooks) ||
        nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, settings, 3) ||
        nghttp2_session_set_local_window_size(
            connection->session, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW))
        abort();
}

static H2Reason reason_of(int error)
{
    switch (error) {
    case NGHTTP2_ERR_FLOODED:
    case NGHTTP2_ERR_TOO_MANY_SETTINGS:
        return H2_REASON_CONTROL;
    case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS:
        return H2_REASON_HEADERS;
    default:
        return H2_REASON_PROTOCOL;
    }
}

/* Answers that nobody takes, as those to frames that ask for nothing else. */
static void check_queue(H2Connection *connection)
{
    size_t max =
        (size_t)connection->loop->transport->limits.max_streams * FRAMES_PER_STREAM + MAX_ACKS;

    if (nghttp2_session_get_outbound_queue_size(connection->session) > max)
        h2_limits_kick(connection, H2_REASON_CONTROL);
}

static void give(H2Connection *connection, Bytes bytes)
{
    ssize_t taken = nghttp2_session_mem_recv(connection->session, bytes.data, bytes.size);

    if (taken == NGHTTP2_ERR_NOMEM)
        abort();
    if (taken < 0)
        h2_limits_kick(connection, reason_of((int)taken));
}

void h2_session_take(H2Connection *connection, const uint8_t *bytes, size_t size)
{
    Bytes rest = { bytes, size };

    if (connection->is_kicked)
        return;
    connection->told = connection->seen = 0;
    while (rest.size && !connection->is_kicked) {
        Bytes run = h2_frames_next(connection, &rest);

        if (run.size)
            give(connection, run);
    }
    h2_limits_take_untold(connection);
    check_queue(connection);
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
    if (connection->is_retired || connection->is_lingering || connection->is_kicked)
        return;
    connection->is_retired = true;
    connection->retired_at = clock_monotonic();
    nghttp2_submit_shutdown_notice(connection->session);
    nghttp2_submit_ping(connection->session, NGHTTP2_FLAG_NONE, retiring);
    h2_connection_touch(connection);
}

void h2_session_send_off(H2Connection *connection)
{
    if (connection->is_sent_off || connection->is_lingering || connection->is_kicked)
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
