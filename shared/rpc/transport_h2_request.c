/* What comes in of a call: headers, then messages, of which the first or none makes a call of a
 * method that takes no stream. */
#include "shared/rpc/transport_h2.h"

#include "shared/base/clock.h"

#include <stdlib.h>
#include <string.h>

enum {
    PAIR_OVERHEAD = 32, /* as HTTP/2 counts */
    /* Calls that were given up may still be in the server. */
    CALLS_PER_STREAM = 2,
};

static const H2Status not_post = { 405, 0, "gRPC calls are POST requests.\n", "" };
static const H2Status not_grpc = { 415, 0,
    "This port takes gRPC calls: content-type application/grpc.\n", "" };
static const H2Status bad_timeout = { 200, ERROR_INVALID_ARGUMENT,
    "grpc-timeout is not up to eight digits and a unit.", "" };
static const H2Status bad_binary = { 200, ERROR_INVALID_ARGUMENT,
    "A metadata value of a key in -bin is not base64.", "" };
static const H2Status too_much_metadata = { 200, ERROR_RESOURCE_EXHAUSTED,
    "The call brought more metadata than the server takes.", "" };
static const H2Status bad_encoding = { 200, ERROR_UNIMPLEMENTED,
    "The message encoding is not one of those that grpc-accept-encoding lists.", "" };
static const H2Status too_large = { 200, ERROR_RESOURCE_EXHAUSTED,
    "A message is larger than the server takes.", "" };
static const H2Status too_many_calls = { 200, ERROR_RESOURCE_EXHAUSTED,
    "Your connection or address has as much under way as it may; try again a little later.", "" };
static const H2Status too_much_pending = { 200, ERROR_RESOURCE_EXHAUSTED,
    "Your connection or address has sent more than may wait in the server.", "" };
static const H2Status malformed = { 200, ERROR_INTERNAL,
    "The request does not consist of gRPC messages.", "" };
static const H2Status too_many = { 200, ERROR_UNIMPLEMENTED,
    "The method takes one request message, and there was another.", "" };

static const RpcLimits *limits_of(const H2Call *call)
{
    return &call->connection->loop->transport->limits;
}

/* What is kept of what a client sends. */
static void charge(H2Call *call, size_t size)
{
    call->in_bytes += size;
    call->connection->in_bytes += size;
}

static void discharge(H2Call *call, size_t size)
{
    call->in_bytes -= size;
    call->connection->in_bytes -= size;
}

/* What a message takes, empty ones too; NULL is allowed. */
static size_t weight_of(const H2Message *message)
{
    return message ? sizeof(*message) + message->room : 0;
}

static void add_pair(H2Call *call, nghttp2_rcbuf *key, nghttp2_rcbuf *value, Bytes decoded)
{
    if (call->n_pairs == call->pairs_room) {
        size_t size = call->n_pairs * sizeof(H2Pair);
        H2Pair *grown = malloc(size * 2);

        if (!grown)
            abort();
        memcpy(grown, call->pairs, size);
        if (call->pairs != call->own_pairs)
            free(call->pairs);
        call->pairs = grown;
        call->pairs_room *= 2;
    }
    nghttp2_rcbuf_incref(key);
    nghttp2_rcbuf_incref(value);
    call->pairs[call->n_pairs++] = (H2Pair){ key, value, decoded };
}

static void take_timeout(H2Call *call, Bytes value)
{
    int64_t micros;

    if (h2_timeout_read(value, &micros))
        call->deadline = clock_monotonic() + micros;
    else
        call->refusal = &bad_timeout;
}

static void take_encoding(H2Call *call, Bytes value)
{
    call->encoding = h2_encoding_of(value);
    if (call->encoding == H2_ENCODING_UNKNOWN)
        call->refusal = &bad_encoding;
}

/* Whether the header is HTTP's or gRPC's own, and no metadata. */
static bool take_own(H2Call *call, Bytes name, Bytes value)
{
    switch (name.size) {
    case 2:
        return h2_bytes_are(name, "te");
    case 5:
        if (!h2_bytes_are(name, ":path"))
            return false;
        call->method = h2_find_method(call->connection->loop->transport, value);
        return true;
    case 7:
        if (h2_bytes_are(name, ":method"))
            call->is_post = h2_bytes_are(value, "POST");
        return *name.data == ':';
    case 10:
        return *name.data == ':';
    case 12:
        if (h2_bytes_are(name, "content-type"))
            call->is_grpc = h2_is_grpc(value);
        else if (h2_bytes_are(name, "grpc-timeout"))
            take_timeout(call, value);
        else
            return false;
        return true;
    case 13:
        if (!h2_bytes_are(name, "grpc-encoding"))
            return false;
        take_encoding(call, value);
        return true;
    case 20:
        if (!h2_bytes_are(name, "grpc-accept-encoding"))
            return false;
        call->takes_gzip = h2_list_has(value, "gzip");
        return true;
    default:
        return false;
    }
}

static bool is_binary(Bytes name)
{
    return name.size > 4 && !memcmp(name.data + name.size - 4, "-bin", 4);
}

static void add_binary(H2Call *call, nghttp2_rcbuf *name, nghttp2_rcbuf *value)
{
    Arena *arena = h2_call_arena(call);
    Bytes rest = h2_bytes_of(value), decoded;

    while (rest.data) {
        if (!h2_binary_next(arena, &rest, &decoded)) {
            call->refusal = &bad_binary;
            return;
        }
        add_pair(call, name, value, decoded);
    }
}

/* Too much is refused; whoever goes on, sent away. */
static void refuse_headers(H2Call *call)
{
    size_t max = (size_t)limits_of(call)->max_metadata_bytes * H2_METADATA_MARGIN;

    call->refusal = &too_much_metadata;
    if (call->header_bytes > max * 2)
        h2_limits_kick(call->connection, H2_REASON_HEADERS);
}

void h2_request_header(H2Call *call, nghttp2_rcbuf *name, nghttp2_rcbuf *value)
{
    Bytes key = h2_bytes_of(name), bytes = h2_bytes_of(value);

    size_t size = key.size + bytes.size + PAIR_OVERHEAD;

    call->header_bytes += size;
    charge(call, size);
    if (call->header_bytes > (size_t)limits_of(call)->max_metadata_bytes * H2_METADATA_MARGIN)
        refuse_headers(call);
    else if (call->is_malformed || take_own(call, key, bytes))
        return;
    else if (is_binary(key))
        add_binary(call, name, value);
    else
        add_pair(call, name, value, (Bytes){ 0 });
}

static bool is_one_too_many(const H2Call *call)
{
    const H2Connection *connection = call->connection;

    return connection->n_calls > (size_t)limits_of(call)->max_streams * CALLS_PER_STREAM ||
           connection->out_bytes > (size_t)limits_of(call)->max_pending_bytes ||
           h2_is_heavy(connection);
}

static bool is_too_much(const H2Call *call)
{
    return call->connection->in_bytes > (size_t)limits_of(call)->max_pending_bytes ||
           h2_is_heavy(call->connection);
}

static void count_held(const H2Call *call)
{
    h2_limits_count(call->connection->loop->transport, H2_REASON_HELD, call->connection->name);
}

void h2_request_begin(H2Call *call)
{
    if (is_one_too_many(call)) {
        count_held(call);
        call->refusal = &too_many_calls;
    }
    if (!call->is_grpc)
        call->refusal = &not_grpc;
    if (!call->is_post)
        call->refusal = &not_post;
    if (call->refusal)
        h2_reply_end(call, call->refusal);
    else if (!call->method || call->method->takes_streams)
        h2_call_arrive(call, NULL);
}

/* Whether what comes is of no use any more. */
static bool is_ignored(const H2Call *call)
{
    return call->refusal || !call->method || call->is_cut || call->is_finished;
}

/* One whole message may wait, and what the window lets in behind it. */
static void open_window(H2Call *call)
{
    if (!call->withheld || call->is_gone ||
        (call->first && call->method->takes_streams && !is_ignored(call)))
        return;
    nghttp2_session_consume_stream(call->connection->session, call->stream, call->withheld);
    call->withheld = 0;
    h2_connection_touch(call->connection);
}

bool h2_request_is_amid(const H2Call *call)
{
    if (is_ignored(call) || call->is_waiting)
        return false;
    return !call->is_arrived || (!h2_reader_is_between(&call->reader) && !call->first);
}

static void fail(H2Call *call, const H2Status *status)
{
    if (!call->is_arrived)
        call->refusal = status;
    h2_call_cut(call, status);
}

static const H2Status *status_of(H2Read read)
{
    return read == H2_READ_TOO_LARGE ? &too_large : &malformed;
}

static void take_message(H2Call *call, H2Message *message)
{
    H2Read read = H2_READ_MESSAGE;

    if (message->base.is_compressed)
        read = call->encoding == H2_IDENTITY
                   ? H2_READ_MALFORMED
                   : h2_message_inflate(&message, (size_t)limits_of(call)->max_message_bytes);
    if (read != H2_READ_MESSAGE || (call->first && !call->method->takes_streams)) {
        free(message);
        fail(call, read == H2_READ_MESSAGE ? &too_many : status_of(read));
        return;
    }
    h2_limits_give_message(call->connection);
    charge(call, weight_of(message));
    *call->last = &message->base;
    call->last = &message->base.next;
    if (call->is_receiving)
        h2_loop_ask(call->connection->loop, call, H2_ASK_DELIVER);
}

void h2_request_data(H2Call *call, Bytes bytes)
{
    const RpcLimits *limits = limits_of(call);
    H2Read read = H2_READ_MESSAGE;
    H2Message *message;

    call->withheld += bytes.size;
    discharge(call, weight_of(call->reader.message));
    while (read == H2_READ_MESSAGE && !is_ignored(call)) {
        if (call->is_arrived && h2_reader_is_between(&call->reader))
            call->begun_at = call->connection->read_at;
        read = h2_reader_take(&call->reader, &bytes, (size_t)limits->max_message_bytes, &message);
        if (read == H2_READ_MESSAGE)
            take_message(call, message);
        else if (read != H2_READ_MORE)
            fail(call, status_of(read));
    }
    charge(call, weight_of(call->reader.message));
    if (!is_ignored(call) && is_too_much(call)) {
        count_held(call);
        fail(call, &too_much_pending);
    }
    open_window(call);
}

static void wait_outside(H2Call *call)
{
    call->is_waiting = true;
    call->connection->n_waiting++;
}

static void come_in(H2Call *call)
{
    call->connection->n_waiting -= call->is_waiting;
    call->is_waiting = false;
}

void h2_request_end(H2Call *call)
{
    call->has_ended = true;
    if (is_ignored(call))
        return;
    if (!h2_reader_is_between(&call->reader))
        fail(call, &malformed);
    else if (call->method->takes_streams)
        h2_request_deliver(call);
    else if (h2_limits_is_crowded(call->connection))
        wait_outside(call);
    else
        h2_call_arrive(call, call->first);
}

void h2_request_admit(H2Connection *connection)
{
    while (connection->n_waiting && !h2_limits_is_crowded(connection)) {
        H2Call *oldest = NULL;

        for (H2Call *call = connection->calls; call; call = call->next)
            oldest = call->is_waiting ? call : oldest;
        if (!oldest)
            return;
        come_in(oldest);
        if (!is_ignored(oldest))
            h2_call_arrive(oldest, oldest->first);
    }
}

void h2_request_refuse(H2Call *call)
{
    call->is_malformed = true;
    if (!call->is_arrived)
        call->refusal = &malformed;
    h2_call_reset(call, NGHTTP2_PROTOCOL_ERROR);
}

static void free_messages(TransportMessage *message)
{
    while (message) {
        TransportMessage *next = message->next;

        free(message); /* the first member of an H2Message */
        message = next;
    }
}

void h2_request_deliver(H2Call *call)
{
    TransportReceived what = TRANSPORT_MESSAGE;

    if (!call->is_receiving || (!call->is_broken && !call->first && !call->has_ended))
        return;
    call->is_receiving = false;
    for (const TransportMessage *one = call->current; one; one = one->next)
        discharge(call, weight_of((const H2Message *)one));
    free_messages(call->current);
    call->current = NULL;
    if (call->is_broken) {
        what = TRANSPORT_BROKEN;
    } else if (!call->first) {
        what = TRANSPORT_END;
    } else {
        call->current = call->first;
        call->first = NULL;
        call->last = &call->first;
    }
    open_window(call);
    call->connection->loop->transport->events.received(call->base.user, what, call->current);
}

void h2_request_break(H2Call *call)
{
    call->is_broken = true;
    h2_request_deliver(call);
}

void h2_request_free(H2Call *call)
{
    for (size_t i = 0; i < call->n_pairs; i++) {
        nghttp2_rcbuf_decref(call->pairs[i].key);
        nghttp2_rcbuf_decref(call->pairs[i].value);
    }
    if (call->pairs != call->own_pairs)
        free(call->pairs);
    come_in(call);
    call->connection->in_bytes -= call->in_bytes;
    h2_reader_free(&call->reader);
    free_messages(call->first);
    free_messages(call->current);
}
