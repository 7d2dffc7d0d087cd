#include "tests/rpc/raw_client.h"

#include "shared/rpc/status.h"

#include <grpc/byte_buffer_reader.h>
#include <grpc/compression.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PAIRS = 64, TARGET_SIZE = 40 };

struct RawClient {
    grpc_channel *channel;
};

struct RawCall {
    grpc_call *call;
    grpc_completion_queue *queue;
    Arena *arena;
    grpc_metadata_array initial, trailing;
    grpc_status_code status;
    grpc_slice details;
    bool has_status;
};

static grpc_channel_credentials *credentials_of(const RawOptions *options)
{
    grpc_ssl_pem_key_cert_pair pair = { options->tls_key, options->tls_certificate };

    if (!options->tls_ca)
        return grpc_insecure_credentials_create();
    return grpc_ssl_credentials_create(
        options->tls_ca, options->tls_key ? &pair : NULL, NULL, NULL);
}

RawClient *raw_open_with(const RawOptions *options)
{
    grpc_arg args[] = {
        { GRPC_ARG_INTEGER, (char *)GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, { .integer = 1 } },
        { GRPC_ARG_INTEGER, (char *)GRPC_ARG_ENABLE_RETRIES, { .integer = 0 } },
        { GRPC_ARG_INTEGER, (char *)GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, { .integer = -1 } },
        { GRPC_ARG_INTEGER, (char *)GRPC_COMPRESSION_CHANNEL_DEFAULT_ALGORITHM,
            { .integer = options->compresses ? GRPC_COMPRESS_GZIP : GRPC_COMPRESS_NONE } },
        { GRPC_ARG_INTEGER, (char *)GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION,
            { .integer = !options->keeps_compressed } },
        { GRPC_ARG_STRING, (char *)GRPC_SSL_TARGET_NAME_OVERRIDE_ARG,
            { .string = (char *)"localhost" } },
    };
    RawClient *client = calloc(1, sizeof(*client));
    grpc_channel_credentials *credentials;
    char target[TARGET_SIZE];

    if (!client)
        abort();
    grpc_init();
    snprintf(target, sizeof(target), "127.0.0.1:%d", options->port);
    credentials = credentials_of(options);
    client->channel = grpc_channel_create(
        target, credentials, &(grpc_channel_args){ COUNT(args) - (options->tls_ca ? 0 : 1), args });
    grpc_channel_credentials_release(credentials);
    return client;
}

RawClient *raw_open(int port)
{
    return raw_open_with(&(RawOptions){ .port = port });
}

void raw_close(RawClient *client)
{
    grpc_channel_destroy(client->channel);
    grpc_shutdown();
    free(client);
}

/* Starts a batch and waits for it; the address of the ops is the tag. */
static bool run(RawCall *call, const grpc_op *ops, size_t count)
{
    if (grpc_call_start_batch(call->call, ops, count, (void *)(uintptr_t)ops, NULL) != GRPC_CALL_OK)
        return false;
    return grpc_completion_queue_pluck(
               call->queue, (void *)(uintptr_t)ops, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL)
               .success != 0;
}

static void send_metadata(RawCall *call, const RawPair *pairs)
{
    grpc_metadata metadata[MAX_PAIRS] = { 0 };
    grpc_op op = { .op = GRPC_OP_SEND_INITIAL_METADATA };
    size_t count = 0;

    for (; pairs && pairs[count].key; count++) {
        metadata[count].key = grpc_slice_from_copied_string(pairs[count].key);
        metadata[count].value = grpc_slice_from_copied_string(pairs[count].value);
    }
    op.data.send_initial_metadata.count = count;
    op.data.send_initial_metadata.metadata = metadata;
    run(call, &op, 1);
    for (size_t i = 0; i < count; i++) {
        grpc_slice_unref(metadata[i].key);
        grpc_slice_unref(metadata[i].value);
    }
}

/* Asked for at the start: core delivers a cancellation nowhere else, and no status before
 * somebody wants the initial metadata. */
static void ask_status(RawCall *call)
{
    grpc_op initial = { .op = GRPC_OP_RECV_INITIAL_METADATA };
    grpc_op op = { .op = GRPC_OP_RECV_STATUS_ON_CLIENT };

    initial.data.recv_initial_metadata.recv_initial_metadata = &call->initial;
    grpc_call_start_batch(call->call, &initial, 1, &call->initial, NULL);
    op.data.recv_status_on_client.trailing_metadata = &call->trailing;
    op.data.recv_status_on_client.status = &call->status;
    op.data.recv_status_on_client.status_details = &call->details;
    grpc_call_start_batch(call->call, &op, 1, call, NULL);
}

RawCall *raw_start(RawClient *client, const char *path, const RawPair *metadata, int timeout_ms)
{
    RawCall *call = calloc(1, sizeof(*call));
    gpr_timespec deadline = gpr_inf_future(GPR_CLOCK_MONOTONIC);
    grpc_slice method = grpc_slice_from_copied_string(path);

    if (!call)
        abort();
    if (timeout_ms != RAW_NO_DEADLINE)
        deadline = gpr_time_add(
            gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(timeout_ms, GPR_TIMESPAN));
    call->arena = arena_new();
    call->queue = grpc_completion_queue_create_for_pluck(NULL);
    call->call = grpc_channel_create_call(
        client->channel, NULL, GRPC_PROPAGATE_DEFAULTS, call->queue, method, NULL, deadline, NULL);
    grpc_slice_unref(method);
    grpc_metadata_array_init(&call->initial);
    grpc_metadata_array_init(&call->trailing);
    call->details = grpc_empty_slice();
    ask_status(call);
    send_metadata(call, metadata);
    return call;
}

static bool send_message(RawCall *call, Bytes message, uint32_t flags)
{
    grpc_slice slice = grpc_slice_from_copied_buffer((const char *)message.data, message.size);
    grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_op op = { .op = GRPC_OP_SEND_MESSAGE, .flags = flags };
    bool is_sent;

    op.data.send_message.send_message = buffer;
    is_sent = run(call, &op, 1);
    grpc_byte_buffer_destroy(buffer);
    grpc_slice_unref(slice);
    return is_sent;
}

bool raw_send(RawCall *call, Bytes message)
{
    return send_message(call, message, 0);
}

bool raw_send_plain(RawCall *call, Bytes message)
{
    return send_message(call, message, GRPC_WRITE_NO_COMPRESS);
}

void raw_finish_sending(RawCall *call)
{
    grpc_op op = { .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT };

    run(call, &op, 1);
}

bool raw_receive(RawCall *call, Bytes *message)
{
    grpc_byte_buffer *buffer = NULL;
    grpc_op op = { .op = GRPC_OP_RECV_MESSAGE };
    grpc_byte_buffer_reader reader;
    grpc_slice slice;

    op.data.recv_message.recv_message = &buffer;
    run(call, &op, 1);
    if (!buffer)
        return false;
    grpc_byte_buffer_reader_init(&reader, buffer);
    slice = grpc_byte_buffer_reader_readall(&reader);
    message->size = GRPC_SLICE_LENGTH(slice);
    message->data = arena_copy(call->arena, GRPC_SLICE_START_PTR(slice), message->size);
    grpc_slice_unref(slice);
    grpc_byte_buffer_reader_destroy(&reader);
    grpc_byte_buffer_destroy(buffer);
    return true;
}

void raw_cancel(RawCall *call)
{
    grpc_call_cancel(call->call, NULL);
}

static void wait_status(RawCall *call)
{
    gpr_timespec never = gpr_inf_future(GPR_CLOCK_MONOTONIC);
    Bytes unread;

    if (call->has_status)
        return;
    while (raw_receive(call, &unread)) /* core holds the status back behind unread messages */
        ;
    grpc_completion_queue_pluck(call->queue, &call->initial, never, NULL);
    grpc_completion_queue_pluck(call->queue, call, never, NULL);
    call->has_status = true;
}

const Error *raw_status(RawCall *call)
{
    RpcStatus status;

    wait_status(call);
    status = (RpcStatus){ .code = (int)call->status };
    status.message = arena_text_of(call->arena, (const char *)GRPC_SLICE_START_PTR(call->details),
        GRPC_SLICE_LENGTH(call->details));
    for (size_t i = 0; i < call->trailing.count; i++)
        if (!grpc_slice_str_cmp(call->trailing.metadata[i].key, "grpc-status-details-bin"))
            status.details = (Bytes){ GRPC_SLICE_START_PTR(call->trailing.metadata[i].value),
                GRPC_SLICE_LENGTH(call->trailing.metadata[i].value) };
    return status_to_error(call->arena, &status);
}

Bytes raw_metadata(const RawCall *call, bool is_trailing, const char *key)
{
    const grpc_metadata_array *pairs = is_trailing ? &call->trailing : &call->initial;

    for (size_t i = 0; i < pairs->count; i++)
        if (!grpc_slice_str_cmp(pairs->metadata[i].key, key))
            return (Bytes){ GRPC_SLICE_START_PTR(pairs->metadata[i].value),
                GRPC_SLICE_LENGTH(pairs->metadata[i].value) };
    return (Bytes){ 0 };
}

void raw_free(RawCall *call)
{
    if (!call->has_status)
        raw_cancel(call);
    wait_status(call);
    grpc_call_unref(call->call);
    grpc_completion_queue_shutdown(call->queue);
    grpc_completion_queue_destroy(call->queue);
    grpc_metadata_array_destroy(&call->initial);
    grpc_metadata_array_destroy(&call->trailing);
    grpc_slice_unref(call->details);
    arena_free(call->arena);
    free(call);
}

static const Error *copy_error(Arena *arena, const Error *error)
{
    Error *copy = arena_copy(arena, error, sizeof(*error));
    FieldViolation *violations = arena_array(arena, error->n_violations, sizeof(*violations));
    ErrorFact *facts = arena_array(arena, error->n_facts, sizeof(*facts));

    copy->reason = arena_text(arena, error->reason);
    copy->message = arena_text(arena, error->message);
    for (size_t i = 0; i < error->n_violations; i++)
        violations[i] = (FieldViolation){ arena_text(arena, error->violations[i].field),
            arena_text(arena, error->violations[i].description) };
    for (size_t i = 0; i < error->n_facts; i++)
        facts[i] = (ErrorFact){ arena_text(arena, error->facts[i].key),
            arena_text(arena, error->facts[i].value) };
    copy->violations = violations;
    copy->facts = facts;
    return copy;
}

const Error *raw_unary(RawClient *client, Arena *arena, const char *path, const RawPair *metadata,
    Bytes request, Bytes *reply)
{
    RawCall *call = raw_start(client, path, metadata, 20000);
    Bytes received = { 0 };
    const Error *error;

    raw_send(call, request);
    raw_finish_sending(call);
    raw_receive(call, &received);
    if (reply)
        *reply = (Bytes){ arena_copy(arena, received.data, received.size), received.size };
    if ((error = raw_status(call)))
        error = copy_error(arena, error);
    raw_free(call);
    return error;
}
