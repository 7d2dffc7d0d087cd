/* Between nghttp2 and the calls of a client: its callbacks, and the stream that watches the peer's health. */
#include "shared/rpc/client_h2.h"

#include "shared/base/clock.h"

#include "grpc/health/v1/health.pb-c.h"

#include <stdlib.h>
#include <string.h>

enum {
    STREAM_WINDOW = 256 * 1024,
    CONNECTION_WINDOW = 1024 * 1024,
    HEALTH_MESSAGE_BYTES = 1024,
    HEALTH_PAUSE_SECONDS = 1,
};

/* The peer has no health to tell, and so takes calls: in gRPC's word, or in that of HTTP, which stands for the same. */
static bool says_no_health(Bytes name, Bytes value)
{
    return (h2_bytes_are(name, "grpc-status") && h2_bytes_are(value, "12")) ||
           (h2_bytes_are(name, ":status") && h2_bytes_are(value, "404"));
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, nghttp2_rcbuf *name,
    nghttp2_rcbuf *value, uint8_t flags, void *context)
{
    Onward *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    Link *link = context;

    (void)flags;
    if (call)
        onward_header(call, h2_bytes_of(name), h2_bytes_of(value));
    else if (frame->hd.stream_id == link->health_stream &&
             says_no_health(h2_bytes_of(name), h2_bytes_of(value)))
        link_healthy(link, true);
    return 0;
}

static void take_health(Link *link, Bytes bytes)
{
    H2Message *message;

    while (
        h2_reader_take(&link->health, &bytes, HEALTH_MESSAGE_BYTES, &message) == H2_READ_MESSAGE) {
        Grpc__Health__V1__HealthCheckResponse *said =
            grpc__health__v1__health_check_response__unpack(
                NULL, message->base.bytes.size, message->base.bytes.data);

        link_healthy(link,
            said &&
                said->status == GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING);
        if (said)
            grpc__health__v1__health_check_response__free_unpacked(said, NULL);
        free(message);
    }
}

/* The connection's window is given back at once, so that no call holds up another; a stream's own as
 * its messages are taken. */
static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data,
    size_t size, void *context)
{
    Onward *call = nghttp2_session_get_stream_user_data(session, stream);
    Link *link = context;

    (void)flags;
    nghttp2_session_consume_connection(session, size);
    if (call) {
        onward_data(call, (Bytes){ data, size });
        return 0;
    }
    nghttp2_session_consume_stream(session, stream, size);
    if (stream == link->health_stream)
        take_health(link, (Bytes){ data, size });
    return 0;
}

/* New calls go over a new connection; those of this one go on. */
static void leave(Link *link)
{
    Backend *backend = link->backend;

    if (!backend)
        return;
    link_leave(link);
    channel_resolve(link->channel);
    backend_connect(backend);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    Onward *call;

    if (frame->hd.type == NGHTTP2_GOAWAY)
        leave(context);
    if (frame->hd.type != NGHTTP2_HEADERS || frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        return 0;
    call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (call)
        call->is_committed = true;
    return 0;
}

static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    Onward *call;

    (void)context;
    if (frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (call)
        call->is_started = true;
    return 0;
}

static int on_stream_closed(
    nghttp2_session *session, int32_t stream, uint32_t error_code, void *context)
{
    Onward *call = nghttp2_session_get_stream_user_data(session, stream);
    Link *link = context;

    if (call) {
        onward_gone(call, error_code, NULL);
    } else if (stream == link->health_stream) {
        link->health_stream = 0;
        link->wants_health = true;
        if (!link->is_lost) /* the stream may end with the connection */
            event_add(&link->timer, &(struct timeval){ .tv_sec = HEALTH_PAUSE_SECONDS });
    }
    return 0;
}

void link_setup(ClientChannel *channel)
{
    if (nghttp2_session_callbacks_new(&channel->callbacks) ||
        nghttp2_option_new(&channel->nghttp2_options))
        abort();
    nghttp2_session_callbacks_set_on_header_callback2(channel->callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(channel->callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(channel->callbacks, on_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(channel->callbacks, on_frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(channel->callbacks, on_stream_closed);
    nghttp2_option_set_no_auto_window_update(channel->nghttp2_options, 1);
    nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(channel->nghttp2_options, 1);
}

void link_start(Link *link)
{
    const nghttp2_settings_entry settings[] = {
        { NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
        { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW },
    };

    if (nghttp2_session_client_new2(
            &link->session, link->channel->callbacks, link, link->channel->nghttp2_options) ||
        nghttp2_submit_settings(link->session, NGHTTP2_FLAG_NONE, settings, COUNT(settings)) ||
        nghttp2_session_set_local_window_size(
            link->session, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW))
        abort();
    link_watch_health(link);
}

/* What the call has to say, until there is no more. */
static ssize_t read_call(nghttp2_session *session, int32_t stream, uint8_t *room, size_t size,
    uint32_t *flags, nghttp2_data_source *source, void *context)
{
    Onward *call = nghttp2_session_get_stream_user_data(session, stream);

    (void)source, (void)context;
    return call ? onward_read(call, room, size, flags) : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

int32_t link_request(Link *link, Onward *call)
{
    nghttp2_data_provider provider = { .read_callback = read_call };

    return nghttp2_submit_request(
        link->session, NULL, call->headers, call->n_headers, &provider, call);
}

/* An empty HealthCheckRequest: the whole server. */
static ssize_t read_nothing(nghttp2_session *session, int32_t stream, uint8_t *room, size_t size,
    uint32_t *flags, nghttp2_data_source *source, void *context)
{
    (void)session, (void)stream, (void)size, (void)source, (void)context;
    h2_prefix_write(room, false, 0);
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    return H2_PREFIX_BYTES;
}

nghttp2_nv link_header(const char *name, const char *value)
{
    return (nghttp2_nv){ (uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
        strlen(value), NGHTTP2_NV_FLAG_NONE };
}

void link_watch_health(Link *link)
{
    const nghttp2_nv headers[] = {
        link_header(":method", "POST"),
        link_header(":scheme", link->ssl ? "https" : "http"),
        link_header(":path", "/grpc.health.v1.Health/Watch"),
        link_header(":authority", link->channel->authority),
        link_header("te", "trailers"),
        link_header("content-type", "application/grpc"),
    };
    nghttp2_data_provider provider = { .read_callback = read_nothing };

    link->wants_health = false;
    h2_reader_free(&link->health);
    link->health_stream =
        nghttp2_submit_request(link->session, NULL, headers, COUNT(headers), &provider, NULL);
}
