/* Inside the client over gRPC core, what its unary calls and its streams share: the channel, batches that a
 * thread can wait for, metadata, the status. */
#ifndef THROUGHLINE_RPC_CLIENT_CORE_H
#define THROUGHLINE_RPC_CLIENT_CORE_H

#include "shared/rpc/client_engine.h"
#include "shared/rpc/client_outgoing.h"

#include <grpc/grpc.h>
#include <pthread.h>

struct ClientChannel {
    grpc_channel *wire;
    grpc_completion_queue *queue;
    pthread_t poller;
    const Error *error; /* why the channel could not be made; NULL: it was */
    ClientToken token;
};

ClientChannel *client_channel_open(const RpcClientOptions *options);
void client_channel_close(ClientChannel *channel);

/* A call over the wire. Its batches end on the client's own thread, which wakes whoever waits. */
typedef struct ClientCall {
    ClientChannel *channel;
    grpc_call *wire;
    const RpcCall *parent;
    bool is_cancelled;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    grpc_metadata_array initial;
    grpc_metadata_array trailing;
    grpc_status_code status;
    grpc_slice status_text;
} ClientCall;

/* The tag of a batch, guarded by its call's lock. */
typedef struct ClientBatch {
    /* Atomic, so that a sanitizer sees the batch change hands: what core does in between it cannot see. */
    ClientCall *_Atomic call;
    bool is_pending;
    bool is_good;
} ClientBatch;

typedef struct ClientMetadata {
    grpc_metadata items[CLIENT_MAX_PAIRS];
    size_t count;
} ClientMetadata;

/* Errors: that of the channel, INVALID_ARGUMENT METADATA_INVALID; there is nothing to end then. */
const Error *client_call_begin(ClientChannel *channel, const RpcOutgoing *outgoing,
    const char *path, ClientCall *call, ClientMetadata *metadata);

/* After every batch is over. */
void client_call_end(ClientCall *call);

/* The operations and what they point to may go when it returns, results excepted. */
void client_batch_start(ClientCall *call, ClientBatch *batch, const grpc_op *ops, size_t n_ops);

/* Until the batch is over; cancels the call when its parent stops meanwhile. True when all of the
 * operations succeeded. */
bool client_batch_wait(ClientBatch *batch);

/* The poller's part: the batch is over. */
void client_batch_finish(ClientBatch *batch, bool is_good);

/* The operation that every call has once, and what came of it when its batch is over. */
grpc_op client_status_op(ClientCall *call);
const Error *client_call_status(ClientCall *call, Arena *arena);

void client_metadata_free(ClientMetadata *metadata);

grpc_byte_buffer *client_pack(const void *message);

/* What came, in the arena. */
Bytes client_bytes(Arena *arena, grpc_byte_buffer *buffer);

/* Streams, as in client.h. */
const Error *client_stream_open(ClientChannel *channel, const RpcOutgoing *outgoing,
    const ProtobufCServiceDescriptor *service, const char *method, RpcClientStream **stream);
const Error *client_stream_send(RpcClientStream *stream, const void *message);
const Error *client_stream_finish_sending(RpcClientStream *stream);
const Error *client_stream_receive(RpcClientStream *stream, Arena *arena, void **message);
void client_stream_cancel(RpcClientStream *stream);
void client_stream_close(RpcClientStream *stream);

#endif
