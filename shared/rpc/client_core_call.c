/* One call of a client: what goes out beside the message, waiting for batches, the status that
 * comes back. The thread that waits is woken by the channel's poller. */
#include "shared/rpc/client_core.h"

#include "shared/base/clock.h"
#include "shared/base/id.h"
#include "shared/base/text.h"
#include "shared/codec/message.h"
#include "shared/codec/scan.h"
#include "shared/rpc/status.h"

#include <assert.h>
#include <grpc/byte_buffer_reader.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEFAULT_DEADLINE_MS = 10 * 1000,
    PARENT_CHECK_MS = 20, /* how long a cancelled parent may go unnoticed */
    TRACE_ID_SIZE = 32,
    SPAN_ID_BYTES = 8,
    TRACEPARENT_SIZE = 55, /* "00-" 32 "-" 16 "-" 2 */
};

static const Error metadata_invalid = { ERROR_INVALID_ARGUMENT, "METADATA_INVALID",
    "Token and context of a call may only have printable ASCII characters." };
static const Error reply_malformed = { ERROR_INTERNAL, "REPLY_MALFORMED",
    "The answer of another service is not the message that its method promises." };

/* The same trace with a span id of its own; a new trace when there is none. */
static const char *next_span(Arena *arena, const char *traceparent)
{
    uint8_t random[TRACE_ID_SIZE / 2 + SPAN_ID_BYTES];
    const char *span;

    id_random(random, sizeof(random));
    span = text_hex(arena, random, SPAN_ID_BYTES);
    if (!traceparent || strlen(traceparent) != TRACEPARENT_SIZE)
        return arena_printf(
            arena, "00-%s-%s-01", text_hex(arena, random + SPAN_ID_BYTES, TRACE_ID_SIZE / 2), span);
    return arena_printf(arena, "%.*s%s%s", 3 + TRACE_ID_SIZE + 1, traceparent, span,
        traceparent + TRACEPARENT_SIZE - 3);
}

static bool add_metadata(ClientMetadata *metadata, const char *key, const char *value)
{
    grpc_metadata *item = &metadata->items[metadata->count];

    if (text_is_empty(value))
        return true;
    assert(metadata->count < CLIENT_MAX_METADATA);
    item->key = grpc_slice_from_static_string(key);
    item->value = grpc_slice_from_copied_string(value);
    metadata->count++;
    return grpc_header_nonbin_value_is_legal(item->value);
}

static bool fill_metadata(
    ClientMetadata *metadata, ClientChannel *channel, const RpcOutgoing *outgoing)
{
    const RpcContext *context = &outgoing->context;
    Arena *arena = outgoing->arena;
    const char *token = outgoing->token ? outgoing->token : client_token(channel, arena);

    memset(metadata, 0, sizeof(*metadata));
    if (!text_is_empty(token))
        token = arena_printf(arena, "Bearer %s", token);
    return add_metadata(metadata, "authorization", token) &&
           add_metadata(metadata, "throughline-channel", context->channel) &&
           add_metadata(metadata, "throughline-actor", context->actor) &&
           add_metadata(metadata, "throughline-on-behalf-of", context->on_behalf_of) &&
           add_metadata(metadata, "throughline-device", context->device) &&
           add_metadata(metadata, "throughline-journey", context->journey) &&
           add_metadata(metadata, "throughline-purpose", context->purpose) &&
           add_metadata(metadata, "traceparent", next_span(arena, outgoing->traceparent));
}

void client_metadata_free(ClientMetadata *metadata)
{
    for (size_t i = 0; i < metadata->count; i++)
        grpc_slice_unref(metadata->items[i].value);
}

static gpr_timespec wire_deadline(int64_t deadline)
{
    int64_t left;

    if (deadline == INT64_MAX)
        return gpr_inf_future(GPR_CLOCK_MONOTONIC);
    left = deadline ? deadline - clock_monotonic() : DEFAULT_DEADLINE_MS * INT64_C(1000);
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_micros(left, GPR_TIMESPAN));
}

const Error *client_call_begin(ClientChannel *channel, const RpcOutgoing *outgoing,
    const char *path, ClientCall *call, ClientMetadata *metadata)
{
    grpc_slice method;
    pthread_condattr_t attributes;

    if (channel->error)
        return channel->error;
    if (!fill_metadata(metadata, channel, outgoing)) {
        client_metadata_free(metadata);
        return &metadata_invalid;
    }
    memset(call, 0, sizeof(*call));
    call->channel = channel;
    call->parent = outgoing->parent;
    method = grpc_slice_from_copied_string(path);
    call->wire = grpc_channel_create_call(channel->wire, NULL, GRPC_PROPAGATE_DEFAULTS,
        channel->queue, method, NULL, wire_deadline(outgoing->deadline), NULL);
    grpc_slice_unref(method);
    grpc_metadata_array_init(&call->initial);
    grpc_metadata_array_init(&call->trailing);
    call->status_text = grpc_empty_slice();
    pthread_mutex_init(&call->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&call->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return NULL;
}

void client_call_end(ClientCall *call)
{
    grpc_call_unref(call->wire);
    grpc_metadata_array_destroy(&call->initial);
    grpc_metadata_array_destroy(&call->trailing);
    grpc_slice_unref(call->status_text);
    pthread_cond_destroy(&call->changed);
    pthread_mutex_destroy(&call->lock);
}

void client_batch_start(ClientCall *call, ClientBatch *batch, const grpc_op *ops, size_t n_ops)
{
    grpc_call_error refused;

    pthread_mutex_lock(&call->lock);
    assert(!batch->is_pending);
    batch->call = call;
    batch->is_pending = true;
    pthread_mutex_unlock(&call->lock);
    refused = grpc_call_start_batch(call->wire, ops, n_ops, batch, NULL);
    assert(refused == GRPC_CALL_OK);
}

static void wait_until(ClientCall *call, int milliseconds)
{
    int64_t until = clock_monotonic() + milliseconds * INT64_C(1000);
    struct timespec time = { until / 1000000, until % 1000000 * 1000 };

    pthread_cond_timedwait(&call->changed, &call->lock, &time);
}

bool client_batch_wait(ClientBatch *batch)
{
    ClientCall *call = batch->call;
    bool is_good;

    pthread_mutex_lock(&call->lock);
    while (batch->is_pending) {
        if (!call->parent || call->is_cancelled) {
            pthread_cond_wait(&call->changed, &call->lock);
            continue;
        }
        wait_until(call, PARENT_CHECK_MS);
        if (batch->is_pending && rpc_should_stop(call->parent)) {
            call->is_cancelled = true;
            grpc_call_cancel(call->wire, NULL);
        }
    }
    is_good = batch->is_good;
    pthread_mutex_unlock(&call->lock);
    return is_good;
}

void client_batch_finish(ClientBatch *batch, bool is_good)
{
    ClientCall *call = batch->call;

    pthread_mutex_lock(&call->lock);
    batch->is_pending = false;
    batch->is_good = is_good;
    pthread_cond_broadcast(&call->changed);
    pthread_mutex_unlock(&call->lock);
}

grpc_op client_status_op(ClientCall *call)
{
    grpc_op op = { .op = GRPC_OP_RECV_STATUS_ON_CLIENT };

    op.data.recv_status_on_client.trailing_metadata = &call->trailing;
    op.data.recv_status_on_client.status = &call->status;
    op.data.recv_status_on_client.status_details = &call->status_text;
    return op;
}

static Bytes bytes_of(grpc_slice slice, Arena *arena)
{
    size_t size = GRPC_SLICE_LENGTH(slice);

    return (Bytes){ arena_copy(arena, GRPC_SLICE_START_PTR(slice), size), size };
}

/* A status that the peer's run time did not make says nothing but its code. */
static const Error *plain_error(Arena *arena, int code, const char *message)
{
    switch (code) {
    case GRPC_STATUS_UNAVAILABLE:
        return error_new(arena, ERROR_UNAVAILABLE, "PEER_UNAVAILABLE",
            "Another service cannot be reached: %s.", message);
    case GRPC_STATUS_DEADLINE_EXCEEDED:
        return error_new(arena, ERROR_DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED",
            "The answer did not come in time.");
    case GRPC_STATUS_CANCELLED:
        return error_new(arena, ERROR_CANCELLED, "CALL_CANCELLED", "The call was cancelled.");
    default:
        return status_to_error(arena, &(RpcStatus){ .code = code, .message = message });
    }
}

const Error *client_call_status(ClientCall *call, Arena *arena)
{
    RpcStatus status = { .code = (int)call->status };
    Bytes text = bytes_of(call->status_text, arena);

    if (call->status == GRPC_STATUS_OK)
        return NULL;
    status.message = arena_text_of(arena, (const char *)text.data, text.size);
    for (size_t i = 0; i < call->trailing.count; i++)
        if (!grpc_slice_str_cmp(call->trailing.metadata[i].key, "grpc-status-details-bin"))
            status.details = bytes_of(call->trailing.metadata[i].value, arena);
    return status.details.size ? status_to_error(arena, &status)
                               : plain_error(arena, status.code, status.message);
}

grpc_byte_buffer *client_pack(const void *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    grpc_slice slice = grpc_slice_malloc(size);
    grpc_byte_buffer *buffer;

    protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
    buffer = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    return buffer;
}

Bytes client_bytes(Arena *arena, grpc_byte_buffer *buffer)
{
    grpc_byte_buffer_reader reader;
    grpc_slice slice;
    Bytes bytes;

    if (!grpc_byte_buffer_reader_init(&reader, buffer))
        return (Bytes){ NULL, 0 };
    slice = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    bytes = bytes_of(slice, arena);
    grpc_slice_unref(slice);
    return bytes;
}

const Error *client_unpack(Arena *arena, const ProtobufCMessageDescriptor *descriptor,
    grpc_byte_buffer *buffer, void **message)
{
    Bytes bytes = client_bytes(arena, buffer);

    if (scan_message(arena, descriptor, bytes))
        return &reply_malformed;
    *message = message_unpack(arena, descriptor, bytes);
    return *message ? NULL : &reply_malformed;
}
