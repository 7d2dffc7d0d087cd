/* The part of the client over libevent and libnghttp2 that runs on its callers' threads: they post what they want and wait for it. */
#include "shared/rpc/client_h2.h"

#include "shared/base/clock.h"
#include "shared/base/condition.h"
#include "shared/codec/message.h"
#include "shared/rpc/methods.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* One block of memory for all values, which outlives the caller's arena. */
static void add_headers(Onward *call, const char *path, const ClientPair *pairs, size_t n_pairs)
{
    const ClientChannel *channel = call->channel;
    size_t size = strlen(path) + 1;
    char *at;

    for (size_t i = 0; i < n_pairs; i++)
        size += strlen(pairs[i].value) + 1;
    call->header_texts = at = malloc(size);
    if (!at)
        abort();
    call->headers[call->n_headers++] = link_header(":method", "POST");
    call->headers[call->n_headers++] = link_header(":scheme", channel->tls ? "https" : "http");
    call->headers[call->n_headers++] = link_header(":path", strcpy(at, path));
    at += strlen(at) + 1;
    call->headers[call->n_headers++] = link_header(":authority", channel->authority);
    call->headers[call->n_headers++] = link_header("te", "trailers");
    call->headers[call->n_headers++] = link_header("content-type", "application/grpc");
    call->headers[call->n_headers++] = link_header("grpc-accept-encoding", h2_encodings);
    for (size_t i = 0; i < n_pairs; i++) {
        call->headers[call->n_headers++] = link_header(pairs[i].key, strcpy(at, pairs[i].value));
        at += strlen(at) + 1;
    }
    if (call->deadline != INT64_MAX)
        call->headers[call->n_headers++] = link_header("grpc-timeout", "");
}

static const Error *new_call(
    ClientChannel *channel, const RpcOutgoing *outgoing, const char *path, Onward **made)
{
    ClientPair pairs[CLIENT_MAX_PAIRS];
    const RpcMethod *method = rpc_method_find(path);
    const Error *error = channel->error;
    size_t n_pairs;
    Onward *call;

    if (error || (error = client_pairs(&channel->token, outgoing, pairs, &n_pairs)))
        return error;
    call = calloc(1, sizeof(*call));
    if (!call)
        abort();
    call->base.ops = &client_h2;
    call->channel = channel;
    call->parent = outgoing->parent;
    call->arena = outgoing->arena;
    call->deadline = client_deadline(outgoing);
    call->is_idempotent = method && method->policy.is_idempotent;
    call->last = &call->first;
    pthread_mutex_init(&call->lock, NULL);
    condition_init(&call->changed);
    add_headers(call, path, pairs, n_pairs);
    *made = call;
    return NULL;
}

static void free_call(Onward *call)
{
    for (TransportMessage *message = call->first, *next; message; message = next) {
        next = message->next;
        free(message);
    }
    h2_reader_free(&call->reader);
    pthread_cond_destroy(&call->changed);
    pthread_mutex_destroy(&call->lock);
    free(call->header_texts);
    free(call->out);
    free(call->came_text);
    free(call->came_details);
    free(call->status_text);
    free(call->status_details);
    free(call);
}

/* Under the lock: once something has changed, or a parent should be asked whether it goes on. A call
 * whose parent does not is cancelled. */
static void wait_for_change(Onward *call, bool *is_cancelled)
{
    if (!call->parent || *is_cancelled) {
        pthread_cond_wait(&call->changed, &call->lock);
        return;
    }
    condition_wait_until(
        &call->changed, &call->lock, clock_monotonic() + CLIENT_PARENT_CHECK_MS * INT64_C(1000));
    if (!call->is_over && rpc_should_stop(call->parent)) {
        *is_cancelled = true;
        channel_post(call, ONWARD_CANCEL);
    }
}

static TransportMessage *pop(Onward *call)
{
    TransportMessage *message = call->first;

    if (message) {
        call->first = message->next;
        if (!call->first)
            call->last = &call->first;
        call->queued -= message->bytes.size;
    }
    return message;
}

/* When it is over. */
static const Error *error_of(const Onward *call, Arena *arena)
{
    Bytes list = { (const uint8_t *)call->status_details,
        call->status_details ? strlen(call->status_details) : 0 };
    RpcStatus status = { .code = call->status };

    if (!status.code)
        return NULL;
    status.message = h2_percent_read(arena, call->status_text);
    if (list.size && !h2_binary_next(arena, &list, &status.details))
        status.details = (Bytes){ 0 };
    return client_error(arena, &status);
}

/* The channel's thread lets go of it before it is freed. */
static void close_call(Onward *call)
{
    channel_post(call, ONWARD_CLOSE);
    pthread_mutex_lock(&call->lock);
    while (!call->is_closed)
        pthread_cond_wait(&call->changed, &call->lock);
    pthread_mutex_unlock(&call->lock);
    free_call(call);
}

static void set_out(Onward *call, const ProtobufCMessage *message, Bytes raw)
{
    size_t size = message ? protobuf_c_message_get_packed_size(message) : raw.size;
    uint8_t *out = malloc(H2_PREFIX_BYTES + size);

    if (!out)
        abort();
    h2_prefix_write(out, false, size);
    if (message)
        protobuf_c_message_pack(message, out + H2_PREFIX_BYTES);
    else if (size)
        memcpy(out + H2_PREFIX_BYTES, raw.data, size);
    call->out = out;
    call->out_size = H2_PREFIX_BYTES + size;
}

/* A unary call from its request to the bytes of its reply. */
static const Error *exchange(Onward *call, Arena *arena, Bytes *reply)
{
    bool is_cancelled = false;
    TransportMessage *message;
    const Error *error;

    call->is_unary = call->ends_sending = true;
    channel_post(call, ONWARD_START);
    pthread_mutex_lock(&call->lock);
    while (!call->is_over)
        wait_for_change(call, &is_cancelled);
    message = pop(call);
    pthread_mutex_unlock(&call->lock);
    error = error_of(call, arena);
    if (!error && !message)
        error = &client_reply_missing;
    if (!error)
        *reply = (Bytes){ arena_copy(arena, message->bytes.data, message->bytes.size),
            message->bytes.size };
    free(message);
    if (is_cancelled)
        close_call(call);
    else
        free_call(call);
    return error;
}

static const Error *call_method(ClientChannel *channel, const RpcOutgoing *outgoing,
    const ProtobufCServiceDescriptor *service, const char *method, const void *request, void *reply)
{
    const ProtobufCMethodDescriptor *descriptor =
        protobuf_c_service_descriptor_get_method_by_name(service, method);
    const char *path = arena_printf(outgoing->arena, "/%s/%s", service->name, method);
    const Error *error;
    Onward *call;
    Bytes bytes;
    void *message;

    assert(descriptor);
    if ((error = new_call(channel, outgoing, path, &call)))
        return error;
    set_out(call, request, (Bytes){ 0 });
    if ((error = exchange(call, outgoing->arena, &bytes)) ||
        (error = client_unpack(outgoing->arena, descriptor->output, bytes, &message)))
        return error;
    memcpy(reply, message, descriptor->output->sizeof_message);
    return NULL;
}

static const Error *call_raw(ClientChannel *channel, const RpcOutgoing *outgoing, const char *path,
    Bytes request, Bytes *reply)
{
    Onward *call;
    const Error *error = new_call(channel, outgoing, path, &call);

    if (error)
        return error;
    set_out(call, NULL, request);
    return exchange(call, outgoing->arena, reply);
}

static const Error *open_stream(ClientChannel *channel, const RpcOutgoing *outgoing,
    const ProtobufCServiceDescriptor *service, const char *method, RpcClientStream **stream)
{
    const ProtobufCMethodDescriptor *descriptor =
        protobuf_c_service_descriptor_get_method_by_name(service, method);
    const char *path = arena_printf(outgoing->arena, "/%s/%s", service->name, method);
    Onward *call;
    const Error *error = new_call(channel, outgoing, path, &call);

    assert(descriptor);
    if (error)
        return error;
    call->output = descriptor->output;
    channel_post(call, ONWARD_START);
    *stream = &call->base;
    return NULL;
}

static const Error *finished(Onward *call)
{
    const Error *error = error_of(call, call->arena);

    return error ? error : &client_stream_finished;
}

/* Until the message was taken: a call that ends right after it has taken it all the same. */
static const Error *send_message(RpcClientStream *stream, const void *message)
{
    Onward *call = (Onward *)stream;
    bool is_cancelled = false, is_late, is_sent;

    pthread_mutex_lock(&call->lock);
    is_late = call->is_over;
    if (!is_late)
        set_out(call, message, (Bytes){ 0 });
    pthread_mutex_unlock(&call->lock);
    channel_post(call, ONWARD_SEND);
    pthread_mutex_lock(&call->lock);
    while (call->out && !call->is_over)
        wait_for_change(call, &is_cancelled);
    is_sent = !call->out && !is_late;
    pthread_mutex_unlock(&call->lock);
    return is_sent ? NULL : finished(call);
}

static const Error *finish_sending(RpcClientStream *stream)
{
    Onward *call = (Onward *)stream;

    pthread_mutex_lock(&call->lock);
    call->ends_sending = true;
    pthread_mutex_unlock(&call->lock);
    channel_post(call, ONWARD_SEND);
    return NULL;
}

static const Error *receive(RpcClientStream *stream, Arena *arena, void **message)
{
    Onward *call = (Onward *)stream;
    bool is_cancelled = false, gives_window;
    TransportMessage *came;
    const Error *error;

    *message = NULL;
    pthread_mutex_lock(&call->lock);
    while (!call->first && !call->is_over)
        wait_for_change(call, &is_cancelled);
    came = pop(call);
    gives_window = call->withheld && call->queued < ONWARD_QUEUED_BYTES && !call->is_over;
    pthread_mutex_unlock(&call->lock);
    if (!came)
        return error_of(call, arena);
    if (gives_window)
        channel_post(call, ONWARD_TAKEN);
    error = client_unpack(arena, call->output, came->bytes, message);
    free(came);
    return error;
}

static void cancel(RpcClientStream *stream)
{
    channel_post((Onward *)stream, ONWARD_CANCEL);
}

static void close_stream(RpcClientStream *stream)
{
    close_call((Onward *)stream);
}

const ClientOps client_h2 = {
    .open = channel_open,
    .close = channel_close,
    .call = call_method,
    .call_raw = call_raw,
    .open_stream = open_stream,
    .send = send_message,
    .finish_sending = finish_sending,
    .receive = receive,
    .cancel = cancel,
    .close_stream = close_stream,
};
