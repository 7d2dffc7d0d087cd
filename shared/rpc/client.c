/* Unary calls: one batch, one wait. */
#include "shared/rpc/client_channel.h"

#include <assert.h>
#include <string.h>

static const Error reply_missing = { ERROR_INTERNAL, "REPLY_MISSING",
    "Another service said that all is well, but sent no answer." };

/* Takes `request` over. *reply is the caller's to destroy when NULL is returned. */
static const Error *exchange(RpcClient *client, const RpcOutgoing *outgoing, const char *path,
    grpc_byte_buffer *request, grpc_byte_buffer **reply)
{
    ClientCall call;
    ClientBatch batch = { NULL };
    ClientMetadata metadata;
    const Error *error = client_call_begin(client, outgoing, path, &call, &metadata);
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
        ops[3].data.recv_initial_metadata.recv_initial_metadata = &call.initial;
        ops[5] = client_status_op(&call);
        client_batch_start(&call, &batch, ops, COUNT(ops));
        client_metadata_free(&metadata);
        client_batch_wait(&batch);
        error = client_call_status(&call, outgoing->arena);
        if (!error && !*reply)
            error = &reply_missing;
        client_call_end(&call);
    }
    grpc_byte_buffer_destroy(request);
    if (error && *reply) {
        grpc_byte_buffer_destroy(*reply);
        *reply = NULL;
    }
    return error;
}

const Error *rpc_client_call(RpcClient *client, const RpcOutgoing *outgoing,
    const ProtobufCServiceDescriptor *service, const char *method, const void *request, void *reply)
{
    const ProtobufCMethodDescriptor *descriptor =
        protobuf_c_service_descriptor_get_method_by_name(service, method);
    grpc_byte_buffer *buffer;
    const Error *error;
    void *message;

    assert(descriptor);
    error =
        exchange(client, outgoing, arena_printf(outgoing->arena, "/%s/%s", service->name, method),
            client_pack(request), &buffer);
    if (error)
        return error;
    error = client_unpack(outgoing->arena, descriptor->output, buffer, &message);
    grpc_byte_buffer_destroy(buffer);
    if (!error)
        memcpy(reply, message, descriptor->output->sizeof_message);
    return error;
}

const Error *rpc_client_call_raw(
    RpcClient *client, const RpcOutgoing *outgoing, const char *path, Bytes request, Bytes *reply)
{
    grpc_slice slice = grpc_slice_from_copied_buffer((const char *)request.data, request.size);
    grpc_byte_buffer *sent = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_byte_buffer *received;
    const Error *error;

    grpc_slice_unref(slice);
    error = exchange(client, outgoing, path, sent, &received);
    if (error)
        return error;
    *reply = client_bytes(outgoing->arena, received);
    grpc_byte_buffer_destroy(received);
    return NULL;
}
