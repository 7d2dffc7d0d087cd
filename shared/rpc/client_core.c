/* The client over gRPC core. Unary calls: one batch, one wait. */
#include "shared/rpc/client_core.h"

#include <assert.h>
#include <string.h>

/* Takes `request` over. *reply is the caller's to destroy when NULL is returned. */
static const Error *exchange(ClientChannel *channel, const RpcOutgoing *outgoing, const char *path,
    grpc_byte_buffer *request, grpc_byte_buffer **reply)
{
    ClientCall wire;
    ClientBatch batch = { NULL };
    ClientMetadata metadata;
    const Error *error = client_call_begin(channel, outgoing, path, &wire, &metadata);
    grpc_op ops[] = {
        { .op = GRPC_OP_SEND_INITIAL_METADATA },
        { .op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = request },
        { .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT },
        { .op = GRPC_OP_RECV_INITIAL_METADATA },
        { .op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = reply },
        { 0 },
    };

    *reply = NULL;
    if (!error) {
        ops[0].data.send_initial_metadata.count = metadata.count;
        ops[0].data.send_initial_metadata.metadata = metadata.items;
        ops[3].data.recv_initial_metadata.recv_initial_metadata = &wire.initial;
        ops[5] = client_status_op(&wire);
        client_batch_start(&wire, &batch, ops, COUNT(ops));
        client_metadata_free(&metadata);
        client_batch_wait(&batch);
        error = client_call_status(&wire, outgoing->arena);
        if (!error && !*reply)
            error = &client_reply_missing;
        client_call_end(&wire);
    }
    grpc_byte_buffer_destroy(request);
    if (error && *reply) {
        grpc_byte_buffer_destroy(*reply);
        *reply = NULL;
    }
    return error;
}

static const Error *call(ClientChannel *channel, const RpcOutgoing *outgoing,
    const ProtobufCServiceDescriptor *service, const char *method, const void *request, void *reply)
{
    const ProtobufCMethodDescriptor *descriptor =
        protobuf_c_service_descriptor_get_method_by_name(service, method);
    grpc_byte_buffer *buffer;
    const Error *error;
    void *message;

    assert(descriptor);
    error =
        exchange(channel, outgoing, arena_printf(outgoing->arena, "/%s/%s", service->name, method),
            client_pack(request), &buffer);
    if (error)
        return error;
    error = client_unpack(
        outgoing->arena, descriptor->output, client_bytes(outgoing->arena, buffer), &message);
    grpc_byte_buffer_destroy(buffer);
    if (!error)
        memcpy(reply, message, descriptor->output->sizeof_message);
    return error;
}

static const Error *call_raw(ClientChannel *channel, const RpcOutgoing *outgoing, const char *path,
    Bytes request, Bytes *reply)
{
    grpc_slice slice = grpc_slice_from_copied_buffer((const char *)request.data, request.size);
    grpc_byte_buffer *sent = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_byte_buffer *received;
    const Error *error;

    grpc_slice_unref(slice);
    error = exchange(channel, outgoing, path, sent, &received);
    if (error)
        return error;
    *reply = client_bytes(outgoing->arena, received);
    grpc_byte_buffer_destroy(received);
    return NULL;
}

const ClientOps client_core = {
    .open = client_channel_open,
    .close = client_channel_close,
    .call = call,
    .call_raw = call_raw,
    .open_stream = client_stream_open,
    .send = client_stream_send,
    .finish_sending = client_stream_finish_sending,
    .receive = client_stream_receive,
    .cancel = client_stream_cancel,
    .close_stream = client_stream_close,
};
