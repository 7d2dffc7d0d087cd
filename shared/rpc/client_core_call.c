/* One call of a client: what goes out beside the message, waiting for batches, the status that
 * comes back. The thread that waits is woken by the channel's poller. */
#include "shared/rpc/client_core.h"

#include "shared/base/clock.h"
#include "shared/base/condition.h"

#include <assert.h>
#include <grpc/byte_buffer_reader.h>
#include <stdlib.h>
#include <string.h>

static const Error *fill_metadata(
    ClientMetadata *metadata, ClientChannel *channel, const RpcOutgoing *outgoing)
{
    ClientPair pairs[CLIENT_MAX_PAIRS];
    const Error *error = client_pairs(&channel->token, outgoing, pairs, &metadata->count);

    if (error)
        return error;
    memset(metadata->items, 0, sizeof(metadata->items));
    for (size_t i = 0; i < metadata->count; i++) {
        metadata->items[i].key = grpc_slice_from_static_string(pairs[i].key);
        metadata->items[i].value = grpc_slice_from_copied_string(pairs[i].value);
    }
    return NULL;
}

void client_metadata_free(ClientMetadata *metadata)
{
    for (size_t i = 0; i < metadata->count; i++)
        grpc_slice_unref(metadata->items[i].value);
}

static gpr_timespec wire_deadline(int64_t deadline)
{
    if (deadline == INT64_MAX)
        return gpr_inf_future(GPR_CLOCK_MONOTONIC);
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
        gpr_time_from_micros(deadline - clock_monotonic(), GPR_TIMESPAN));
}

const Error *client_call_begin(ClientChannel *channel, const RpcOutgoing *outgoing,
    const char *path, ClientCall *call, ClientMetadata *metadata)
{
    grpc_slice method;
    const Error *error;

    if (channel->error)
        return channel->error;
    if ((error = fill_metadata(metadata, channel, outgoing)))
        return error;
    memset(call, 0, sizeof(*call));
    call->channel = channel;
    call->parent = outgoing->parent;
    method = grpc_slice_from_copied_string(path);
    call->wire = grpc_channel_create_call(channel->wire, NULL, GRPC_PROPAGATE_DEFAULTS,
        channel->queue, method, NULL, wire_deadline(client_deadline(outgoing)), NULL);
    grpc_slice_unref(method);
    grpc_metadata_array_init(&call->initial);
    grpc_metadata_array_init(&call->trailing);
    call->status_text = grpc_empty_slice();
    pthread_mutex_init(&call->lock, NULL);
    condition_init(&call->changed);
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
    condition_wait_until(
        &call->changed, &call->lock, clock_monotonic() + milliseconds * INT64_C(1000));
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
        wait_until(call, CLIENT_PARENT_CHECK_MS);
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
    return client_error(arena, &status);
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
