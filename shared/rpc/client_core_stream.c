/* Streams of a client: messages go and come one by one; sending and receiving may go on in two
 * threads. */
#include "shared/rpc/client_core.h"

#include <assert.h>
#include <stdlib.h>

typedef struct CoreStream {
    RpcClientStream base;
    ClientCall call;
    ClientBatch opening;
    ClientBatch sending;
    ClientBatch receiving;
    ClientBatch ending;
    Arena *arena; /* of who opened it: for errors of sending */
    const ProtobufCMessageDescriptor *output;
    grpc_byte_buffer *received;
} CoreStream;

const Error *client_stream_open(ClientChannel *channel, const RpcOutgoing *outgoing,
    const ProtobufCServiceDescriptor *service, const char *method, RpcClientStream **stream)
{
    const ProtobufCMethodDescriptor *descriptor =
        protobuf_c_service_descriptor_get_method_by_name(service, method);
    CoreStream *opened = calloc(1, sizeof(*opened));
    ClientMetadata metadata;
    grpc_op ops[2] = { { .op = GRPC_OP_SEND_INITIAL_METADATA },
        { .op = GRPC_OP_RECV_INITIAL_METADATA } };
    grpc_op status;
    const Error *error;

    assert(descriptor);
    if (!opened)
        abort();
    error = client_call_begin(channel, outgoing,
        arena_printf(outgoing->arena, "/%s/%s", service->name, method), &opened->call, &metadata);
    if (error) {
        free(opened);
        return error;
    }
    opened->base.ops = &client_core;
    opened->arena = outgoing->arena;
    opened->output = descriptor->output;
    ops[0].data.send_initial_metadata.count = metadata.count;
    ops[0].data.send_initial_metadata.metadata = metadata.items;
    ops[1].data.recv_initial_metadata.recv_initial_metadata = &opened->call.initial;
    client_batch_start(&opened->call, &opened->opening, ops, COUNT(ops));
    client_metadata_free(&metadata);
    status = client_status_op(&opened->call);
    client_batch_start(&opened->call, &opened->ending, &status, 1);
    *stream = &opened->base;
    return NULL;
}

/* Why nothing can be sent: the call has its status already, or gets it now. */
static const Error *ended(CoreStream *stream, Arena *arena)
{
    const Error *error;

    client_batch_wait(&stream->ending);
    error = client_call_status(&stream->call, arena);
    return error ? error : &client_stream_finished;
}

const Error *client_stream_send(RpcClientStream *base, const void *message)
{
    CoreStream *stream = (CoreStream *)base;
    grpc_byte_buffer *buffer = client_pack(message);
    grpc_op op = { .op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = buffer };
    bool is_sent;

    client_batch_start(&stream->call, &stream->sending, &op, 1);
    is_sent = client_batch_wait(&stream->sending);
    grpc_byte_buffer_destroy(buffer);
    return is_sent ? NULL : ended(stream, stream->arena);
}

const Error *client_stream_finish_sending(RpcClientStream *base)
{
    CoreStream *stream = (CoreStream *)base;
    grpc_op op = { .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT };

    client_batch_start(&stream->call, &stream->sending, &op, 1);
    return client_batch_wait(&stream->sending) ? NULL : ended(stream, stream->arena);
}

const Error *client_stream_receive(RpcClientStream *base, Arena *arena, void **message)
{
    CoreStream *stream = (CoreStream *)base;
    grpc_op op = { .op = GRPC_OP_RECV_MESSAGE,
        .data.recv_message.recv_message = &stream->received };
    const Error *error;

    *message = NULL;
    client_batch_start(&stream->call, &stream->receiving, &op, 1);
    client_batch_wait(&stream->receiving);
    if (!stream->received) {
        client_batch_wait(&stream->ending);
        return client_call_status(&stream->call, arena);
    }
    error = client_unpack(arena, stream->output, client_bytes(arena, stream->received), message);
    grpc_byte_buffer_destroy(stream->received);
    stream->received = NULL;
    return error;
}

void client_stream_cancel(RpcClientStream *base)
{
    CoreStream *stream = (CoreStream *)base;

    grpc_call_cancel(stream->call.wire, NULL);
}

void client_stream_close(RpcClientStream *base)
{
    CoreStream *stream = (CoreStream *)base;

    grpc_call_cancel(stream->call.wire, NULL);
    client_batch_wait(&stream->opening);
    client_batch_wait(&stream->ending);
    client_call_end(&stream->call);
    free(stream);
}
