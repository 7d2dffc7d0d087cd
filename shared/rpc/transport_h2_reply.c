/* What goes out of a call: headers, messages, and a status in trailers, or in the headers when
 * there is nothing else. */
#include "shared/rpc/transport_h2.h"

#include <stdlib.h>
#include <string.h>

enum {
    FRAME_HEAD_BYTES = 9,
    MAX_EXTRAS = 16,
    MAX_HEADERS = 8 + MAX_EXTRAS,
    STATUS_TEXTS = ERROR_UNAUTHENTICATED + 1
};

enum { NO_COPY = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE };

static const H2Status too_much_held = { 200, ERROR_RESOURCE_EXHAUSTED,
    "Too many replies wait for you to take them; try again a little later.", "" };

static const char *const status_texts[STATUS_TEXTS] = { "0", "1", "2", "3", "4", "5", "6", "7", "8",
    "9", "10", "11", "12", "13", "14", "15", "16" };

static const nghttp2_nv reply_headers[] = {
    { (uint8_t *)":status", (uint8_t *)"200", 7, 3, NO_COPY },
    { (uint8_t *)"content-type", (uint8_t *)"application/grpc", 12, 16, NO_COPY },
};

static nghttp2_nv pair(const char *name, const char *value, uint8_t flags)
{
    return (nghttp2_nv){ (uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
        strlen(value), (uint8_t)(NO_COPY | flags) };
}

static size_t add_status(nghttp2_nv *headers, const H2Status *status)
{
    size_t n = 0;

    headers[n++] = pair("grpc-status", status_texts[status->code], 0);
    if (*status->message)
        headers[n++] = pair("grpc-message", status->message, NGHTTP2_NV_FLAG_NO_INDEX);
    if (*status->details)
        headers[n++] = pair("grpc-status-details-bin", status->details, NGHTTP2_NV_FLAG_NO_INDEX);
    return n;
}

H2Status h2_status_encode(H2Call *call, const RpcStatus *status)
{
    H2Status encoded = { 200, status->code, "", "" };
    Bytes text = { (const uint8_t *)status->message, strlen(status->message) };
    uint8_t *message, *details;
    Arena *arena;

    if (status->code == 0)
        return encoded;
    arena = h2_call_arena(call);
    message = arena_alloc(arena, text.size * 3 + 1);
    details = arena_alloc(arena, h2_base64_size(status->details.size) + 1);
    h2_percent_write(text, message);
    h2_base64_write(status->details, details);
    encoded.message = (const char *)message;
    encoded.details = (const char *)details;
    return encoded;
}

void h2_reply_drop(H2Call *call)
{
    h2_limits_made(call);
    if (call->reserved != call->own_out)
        free(call->reserved);
    call->reserved = NULL;
}

static nghttp2_nv extra_pair(Arena *arena, const TransportPair *extra)
{
    const char *key = arena_text_of(arena, (const char *)extra->key.data, extra->key.size);
    uint8_t *value;

    if (!text_ends_with(key, "-bin"))
        return pair(
            key, arena_text_of(arena, (const char *)extra->value.data, extra->value.size), 0);
    value = arena_alloc(arena, h2_base64_size(extra->value.size) + 1);
    h2_base64_write(extra->value, value);
    return pair(key, (const char *)value, 0);
}

static nghttp2_nv *extra_pairs(H2Call *call, const TransportPair *extras, size_t n, size_t *count)
{
    Arena *arena = h2_call_arena(call);
    nghttp2_nv *pairs = arena_array(arena, n, sizeof(*pairs));

    for (*count = 0; *count < n && *count < MAX_EXTRAS; (*count)++)
        pairs[*count] = extra_pair(arena, &extras[*count]);
    return pairs;
}

static void compress_reserved(H2Call *call)
{
    Bytes message = { call->reserved + H2_PREFIX_BYTES, call->reserved_size - H2_PREFIX_BYTES };
    size_t size;
    uint8_t *compressed = h2_gzip(message, &size);

    if (!compressed)
        return;
    h2_reply_drop(call);
    call->reserved = compressed;
    call->reserved_size = H2_PREFIX_BYTES + size;
    h2_prefix_write(compressed, true, size);
}

void h2_reply_prepare(H2Call *call, bool is_last)
{
    const TransportExtras *extras = call->base.extras;
    bool is_first = !call->is_prepared;

    call->is_prepared = true;
    if (!extras)
        return;
    if (is_first) {
        call->compresses = extras->compresses && call->takes_gzip;
        call->initial = extra_pairs(call, extras->initial, extras->n_initial, &call->n_initial);
    }
    if (is_last)
        call->trailing = extra_pairs(call, extras->trailing, extras->n_trailing, &call->n_trailing);
    if (call->reserved && call->compresses && extras->compresses)
        compress_reserved(call);
}

static void drop_out(H2Call *call)
{
    h2_limits_hold(call->connection, -(int64_t)call->out_size);
    free(call->out_memory);
    call->out_memory = NULL;
    call->out = NULL;
    call->out_size = call->out_at = 0;
}

static void take_reserved(H2Call *call)
{
    h2_limits_made(call);
    drop_out(call);
    call->out = call->reserved;
    call->out_memory = call->reserved == call->own_out ? NULL : call->reserved;
    call->out_size = call->reserved_size;
    h2_limits_hold(call->connection, (int64_t)call->out_size);
    call->reserved = NULL;
}

static size_t add_pairs(nghttp2_nv *headers, const nghttp2_nv *pairs, size_t n)
{
    if (n)
        memcpy(headers, pairs, n * sizeof(*pairs));
    return n;
}

static size_t add_initial(nghttp2_nv *headers, const H2Call *call)
{
    size_t n = add_pairs(headers, reply_headers, COUNT(reply_headers));

    if (call->compresses)
        headers[n++] = pair("grpc-encoding", "gzip", 0);
    return n + add_pairs(headers + n, call->initial, call->n_initial);
}

static size_t add_trailing(nghttp2_nv *headers, const H2Call *call, const H2Status *status)
{
    size_t n = add_status(headers, status);

    if (call->is_cut) /* the run time may still be at work on its own */
        return n;
    return n + add_pairs(headers + n, call->trailing, call->n_trailing);
}

/* Headers once, then whatever the call has to send. */
static void go_on(H2Call *call)
{
    nghttp2_session *session = call->connection->session;
    nghttp2_data_provider provider = { { .ptr = call }, h2_reply_read };

    if (!call->has_headers) {
        nghttp2_nv headers[MAX_HEADERS];

        call->has_headers = true;
        nghttp2_submit_response(
            session, call->stream, headers, add_initial(headers, call), &provider);
    } else if (call->is_deferred) {
        call->is_deferred = false;
        nghttp2_session_resume_data(session, call->stream);
    }
    h2_connection_touch(call->connection);
}

static void submit_status_alone(H2Call *call, const H2Status *status)
{
    nghttp2_nv headers[MAX_HEADERS];
    size_t n = add_pairs(headers, reply_headers, COUNT(reply_headers));

    n += add_trailing(headers + n, call, status);
    if (status->code == ERROR_UNIMPLEMENTED)
        headers[n++] = pair("grpc-accept-encoding", h2_encodings, 0);
    call->has_headers = true;
    nghttp2_submit_response(call->connection->session, call->stream, headers, n, NULL);
    h2_connection_touch(call->connection);
}

/* To somebody who does not speak gRPC: in words. */
static void submit_http_error(H2Call *call, const H2Status *status)
{
    nghttp2_data_provider provider = { { .ptr = call }, h2_reply_read };
    nghttp2_nv headers[] = {
        pair(":status", status->http == 405 ? "405" : "415", 0),
        pair("content-type", "text/plain", 0),
    };

    call->has_headers = true;
    call->out = (const uint8_t *)status->message;
    call->out_size = strlen(status->message);
    h2_limits_hold(call->connection, (int64_t)call->out_size);
    call->ends = true;
    nghttp2_submit_response(
        call->connection->session, call->stream, headers, COUNT(headers), &provider);
    h2_connection_touch(call->connection);
}

/* Whether the reply is given up for want of memory; counted. */
static bool is_given_up(H2Call *call)
{
    if (!call->reserved || !h2_limits_is_full(call->connection, call->reserved_size))
        return false;
    h2_limits_count(call->connection->loop->transport, H2_REASON_HELD, call->connection->name);
    h2_reply_drop(call);
    return true;
}

void h2_reply_send(H2Call *call)
{
    call->is_sending = true;
    if (is_given_up(call)) {
        h2_call_cut(call, &too_much_held);
        return;
    }
    take_reserved(call);
    go_on(call);
}

void h2_reply_end(H2Call *call, const H2Status *status)
{
    drop_out(call);
    if (status->http != 200) {
        submit_http_error(call, status);
    } else if (!call->has_headers && (call->is_cut || !call->n_initial)) {
        submit_status_alone(call, status);
    } else {
        call->ends = true;
        call->final = status;
        go_on(call);
    }
}

void h2_reply_finish(H2Call *call)
{
    if (call->status.code == 0 && is_given_up(call))
        call->status = too_much_held;
    if (!call->reserved || call->status.code) {
        h2_reply_end(call, &call->status);
        return;
    }
    take_reserved(call);
    call->ends = true;
    call->final = &call->status;
    go_on(call);
}

ssize_t h2_reply_read(nghttp2_session *session, int32_t stream, uint8_t *room, size_t size,
    uint32_t *flags, nghttp2_data_source *source, void *context)
{
    H2Call *call = source->ptr;
    size_t left = call->out_size - call->out_at;
    size_t n = left < size ? left : size;
    nghttp2_nv trailers[MAX_HEADERS];

    (void)room, (void)context;
    if (left == 0 && !call->ends) {
        call->is_deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    if (n > 0)
        *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (n == left && call->ends)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (n == left && call->final) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        nghttp2_submit_trailer(
            session, stream, trailers, add_trailing(trailers, call, call->final));
    }
    return (ssize_t)n;
}

int h2_reply_write(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head, size_t size,
    nghttp2_data_source *source, void *context)
{
    H2Loop *loop = ((H2Connection *)context)->loop;
    H2Call *call = source->ptr;

    (void)session, (void)frame;
    if (loop->out_size + FRAME_HEAD_BYTES + size > H2_IO_BYTES) {
        loop->is_out_full = true;
        return NGHTTP2_ERR_WOULDBLOCK;
    }
    memcpy(loop->out + loop->out_size, head, FRAME_HEAD_BYTES);
    memcpy(loop->out + loop->out_size + FRAME_HEAD_BYTES, call->out + call->out_at, size);
    loop->out_size += FRAME_HEAD_BYTES + size;
    call->out_at += size;
    h2_limits_give_bytes(call->connection, size);
    if (call->out_at < call->out_size)
        return 0;
    h2_limits_give_message(call->connection);
    drop_out(call);
    if (call->is_sending) {
        call->is_sending = false;
        loop->transport->events.sent(call->base.user, true);
    }
    return 0;
}

void h2_reply_free(H2Call *call)
{
    drop_out(call);
    h2_reply_drop(call);
}
