/* gRPC core as an engine: the life of a call. One object per call; each thing asked of core has
 * a tag in it. A unary call that is answered at once costs two events: it arrived with its
 * message, and it is over. References keep the object until the last tag is back. */
#include "shared/rpc/transport_core.h"

#include "shared/base/clock.h"

#include <assert.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Calls that may arrive at once before one has to wait for a thread. */
    REQUESTS_PER_METHOD = 16,
    MAX_OPS = 4,
    MAX_PAIRS = 16, /* of one's own in the metadata that goes out */
};

struct CoreCall {
    TransportCall base;
    const CoreMethod *method;
    grpc_call *call;
    gpr_timespec deadline;
    grpc_metadata_array metadata;
    grpc_call_details details; /* of calls that nobody offers */
    grpc_byte_buffer *received;
    grpc_slice flat; /* of `received`, when it came in pieces */
    bool has_flat;
    TransportMessage message; /* `received` as the run time sees it */
    grpc_slice reserved;
    grpc_byte_buffer *sending; /* until core says that it went */
    bool has_reserved;
    bool has_sent_metadata;
    bool compresses; /* core was told to, and can be told not to for a message */
    bool is_watched;
    int is_cancelled; /* written by core, read after `watch` or `finish` is back */
    _Atomic int references;
    CoreTag arrive, watch, receive, send, finish;
};

static CoreTransport *transport_of(const CoreCall *call)
{
    return (CoreTransport *)call->base.transport;
}

void core_tag_arm(CoreTag *tag)
{
    atomic_store_explicit(&tag->fence, 1, memory_order_release);
}

static void start(CoreCall *call, const grpc_op *ops, size_t count, CoreTag *tag)
{
    grpc_call_error error;

    core_tag_arm(tag);
    error = grpc_call_start_batch(call->call, ops, count, tag, NULL);
    assert(error == GRPC_CALL_OK);
    (void)error;
}

static void drop_received(CoreCall *call)
{
    if (call->has_flat)
        grpc_slice_unref(call->flat);
    call->has_flat = false;
    if (call->received)
        grpc_byte_buffer_destroy(call->received);
    call->received = NULL;
}

static void free_call(CoreCall *call)
{
    drop_received(call);
    if (call->has_reserved)
        grpc_slice_unref(call->reserved);
    if (call->sending)
        grpc_byte_buffer_destroy(call->sending);
    grpc_metadata_array_destroy(&call->metadata);
    if (!call->method->method)
        grpc_call_details_destroy(&call->details);
    if (call->call)
        grpc_call_unref(call->call);
    free(call);
}

/* One less request or call; the drain waits for the last. */
static void settle(CoreTransport *transport)
{
    if (atomic_fetch_sub(&transport->pending, 1) > 1)
        return;
    pthread_mutex_lock(&transport->lock);
    pthread_cond_broadcast(&transport->changed);
    pthread_mutex_unlock(&transport->lock);
}

static void release(CoreCall *call)
{
    CoreTransport *transport = transport_of(call);

    if (atomic_fetch_sub(&call->references, 1) > 1)
        return;
    transport->events.closed(call->base.user, call->is_cancelled);
    free_call(call);
    atomic_fetch_sub(&transport->calls, 1);
    settle(transport);
}

/* As one run of bytes; in place where it came in one piece. */
static Bytes flatten(CoreCall *call)
{
    grpc_byte_buffer *buffer = call->received;
    grpc_byte_buffer_reader reader;
    const grpc_slice *only = buffer->data.raw.slice_buffer.slices;

    if (buffer->type == GRPC_BB_RAW && buffer->data.raw.compression == GRPC_COMPRESS_NONE &&
        buffer->data.raw.slice_buffer.count == 1)
        return (Bytes){ GRPC_SLICE_START_PTR(*only), GRPC_SLICE_LENGTH(*only) };
    if (!grpc_byte_buffer_reader_init(&reader, buffer))
        return (Bytes){ 0 };
    call->flat = grpc_byte_buffer_reader_readall(&reader);
    call->has_flat = true;
    grpc_byte_buffer_reader_destroy(&reader);
    return (Bytes){ GRPC_SLICE_START_PTR(call->flat), GRPC_SLICE_LENGTH(call->flat) };
}

/* Core takes the message apart before anybody sees it; only what its own tests ask knows. */
static bool was_compressed(const CoreCall *call)
{
    enum { WAS_COMPRESSED = 0x40000000 };
    const CoreTransport *transport = transport_of(call);

    return transport->message_flags && transport->message_flags(call->call) & WAS_COMPRESSED;
}

/* NULL when none came. */
static const TransportMessage *message_of(CoreCall *call)
{
    if (!call->received)
        return NULL;
    call->message = (TransportMessage){ NULL, flatten(call), was_compressed(call) };
    return &call->message;
}

static int64_t monotonic_deadline(gpr_timespec deadline)
{
    gpr_timespec left;

    if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0)
        return INT64_MAX;
    left = gpr_time_sub(deadline, gpr_now(deadline.clock_type));
    return clock_monotonic() + left.tv_sec * 1000000 + left.tv_nsec / 1000;
}

static void request_call(CoreTransport *transport, const CoreMethod *method);

static void on_arrive(CoreCall *call, bool ok)
{
    CoreTransport *transport = transport_of(call);
    TransportArrival arrival = { .method = call->method->method };

    if (!ok) { /* the server shuts down */
        free_call(call);
        settle(transport);
        return;
    }
    request_call(transport, call->method);
    atomic_fetch_add(&transport->calls, 1);
    arrival.deadline = monotonic_deadline(arrival.method ? call->deadline : call->details.deadline);
    arrival.message = message_of(call);
    transport->events.arrived(transport->events.context, &call->base, &arrival);
}

static void on_watch(CoreCall *call, bool ok)
{
    (void)ok;
    if (call->is_cancelled)
        transport_of(call)->events.cancelled(call->base.user);
    release(call);
}

static void on_receive(CoreCall *call, bool ok)
{
    const TransportMessage *message = ok ? message_of(call) : NULL;
    TransportReceived what;

    if (message)
        what = TRANSPORT_MESSAGE;
    else if (!ok || grpc_call_failed_before_recv_message(call->call))
        what = TRANSPORT_BROKEN;
    else
        what = TRANSPORT_END;
    transport_of(call)->events.received(call->base.user, what, message);
    release(call);
}

static void on_send(CoreCall *call, bool ok)
{
    grpc_byte_buffer_destroy(call->sending);
    call->sending = NULL;
    transport_of(call)->events.sent(call->base.user, ok);
    release(call);
}

static void on_finish(CoreCall *call, bool ok)
{
    (void)ok;
    release(call);
}

static CoreCall *new_call(CoreTransport *transport, const CoreMethod *method)
{
    CoreCall *call = calloc(1, sizeof(*call));

    if (!call)
        abort();
    call->base.transport = &transport->base;
    call->method = method;
    call->arrive.done = on_arrive;
    call->watch.done = on_watch;
    call->receive.done = on_receive;
    call->send.done = on_send;
    call->finish.done = on_finish;
    call->arrive.call = call->watch.call = call->receive.call = call->send.call =
        call->finish.call = call;
    atomic_init(&call->references, 1); /* until the status is out */
    grpc_metadata_array_init(&call->metadata);
    return call;
}

static void request_call(CoreTransport *transport, const CoreMethod *method)
{
    CoreCall *call = new_call(transport, method);
    grpc_completion_queue *queue = transport->queue;
    grpc_call_error error;

    atomic_fetch_add(&transport->pending, 1);
    core_tag_arm(&call->arrive);
    if (method->method) {
        error = grpc_server_request_registered_call(transport->server, method->handle, &call->call,
            &call->deadline, &call->metadata,
            method->method->takes_streams ? NULL : &call->received, queue, queue, &call->arrive);
    } else {
        grpc_call_details_init(&call->details);
        error = grpc_server_request_call(transport->server, &call->call, &call->details,
            &call->metadata, queue, queue, &call->arrive);
    }
    assert(error == GRPC_CALL_OK);
    (void)error;
}

void core_request_calls(CoreTransport *transport)
{
    for (size_t m = 0; m <= transport->n_methods; m++)
        for (int i = 0; i < REQUESTS_PER_METHOD; i++)
            request_call(transport, &transport->methods[m]);
}

void core_poll(CoreTransport *transport)
{
    for (;;) {
        grpc_event event =
            grpc_completion_queue_next(transport->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
        CoreTag *tag = event.tag;

        if (event.type == GRPC_QUEUE_SHUTDOWN)
            return;
        atomic_load_explicit(&tag->fence, memory_order_acquire);
        if (tag->call) {
            tag->done(tag->call, event.success);
            continue;
        }
        pthread_mutex_lock(&transport->lock);
        transport->is_down = true;
        pthread_cond_broadcast(&transport->changed);
        pthread_mutex_unlock(&transport->lock);
    }
}

static Bytes bytes_of(const grpc_slice *slice)
{
    return (Bytes){ GRPC_SLICE_START_PTR(*slice), GRPC_SLICE_LENGTH(*slice) };
}

static bool core_metadata(const TransportCall *base, size_t i, TransportPair *pair)
{
    const CoreCall *call = (const CoreCall *)base;

    if (i >= call->metadata.count)
        return false;
    pair->key = bytes_of(&call->metadata.metadata[i].key);
    pair->value = bytes_of(&call->metadata.metadata[i].value);
    return true;
}

static const char *identity_of(grpc_call *call, Arena *arena)
{
    static const char *const properties[] = { "peer_spiffe_id", "x509_subject_alternative_name",
        "x509_common_name" };
    grpc_auth_context *context = grpc_call_auth_context(call);
    const char *identity = "";

    if (!context)
        return identity;
    for (size_t i = 0; !*identity && i < COUNT(properties); i++) {
        grpc_auth_property_iterator values =
            grpc_auth_context_find_properties_by_name(context, properties[i]);
        const grpc_auth_property *property = grpc_auth_property_iterator_next(&values);

        if (property)
            identity = arena_text_of(arena, property->value, property->value_length);
    }
    grpc_auth_context_release(context);
    return identity;
}

static TransportPeer core_peer(TransportCall *base, Arena *arena)
{
    CoreCall *call = (CoreCall *)base;
    CoreListener *listener = transport_of(call)->listener;
    char *name = grpc_call_get_peer(call->call);
    TransportPeer peer;

    if (listener)
        peer = (TransportPeer){ core_listener_address(listener, arena, name), "" };
    else
        peer = (TransportPeer){ arena_text(arena, name), identity_of(call->call, arena) };
    gpr_free(name);
    return peer;
}

static void core_watch(TransportCall *base)
{
    CoreCall *call = (CoreCall *)base;
    grpc_op op = { .op = GRPC_OP_RECV_CLOSE_ON_SERVER };

    op.data.recv_close_on_server.cancelled = &call->is_cancelled;
    call->is_watched = true;
    atomic_fetch_add(&call->references, 1);
    start(call, &op, 1, &call->watch);
}

static void core_receive(TransportCall *base)
{
    CoreCall *call = (CoreCall *)base;
    grpc_op op = { .op = GRPC_OP_RECV_MESSAGE };

    drop_received(call);
    op.data.recv_message.recv_message = &call->received;
    atomic_fetch_add(&call->references, 1);
    start(call, &op, 1, &call->receive);
}

static uint8_t *core_reserve(TransportCall *base, size_t size, bool may_wait)
{
    CoreCall *call = (CoreCall *)base;

    (void)may_wait;
    assert(!call->has_reserved);
    call->reserved = grpc_slice_malloc(size);
    call->has_reserved = true;
    return GRPC_SLICE_START_PTR(call->reserved);
}

static const TransportExtras no_extras;
static const Bytes details_key = { (const uint8_t *)"grpc-status-details-bin", 23 };

static const TransportExtras *extras_of(const CoreCall *call)
{
    return call->base.extras ? call->base.extras : &no_extras;
}

/* Metadata out, kept until the batch has started. */
typedef struct CorePairs {
    grpc_metadata pairs[MAX_PAIRS];
    size_t count;
} CorePairs;

static void add_pair(CorePairs *pairs, Bytes key, Bytes value)
{
    grpc_metadata *pair = &pairs->pairs[pairs->count];

    if (pairs->count == MAX_PAIRS)
        return;
    pair->key = grpc_slice_from_copied_buffer((const char *)key.data, key.size);
    pair->value = grpc_slice_from_copied_buffer((const char *)value.data, value.size);
    pairs->count++;
}

static void add_pairs(CorePairs *pairs, const TransportPair *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add_pair(pairs, list[i].key, list[i].value);
}

static void drop_pairs(CorePairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        grpc_slice_unref(pairs->pairs[i].key);
        grpc_slice_unref(pairs->pairs[i].value);
    }
}

static size_t add_initial_metadata(CoreCall *call, grpc_op *op, CorePairs *pairs)
{
    const TransportExtras *extras = extras_of(call);

    pairs->count = 0;
    if (call->has_sent_metadata)
        return 0;
    call->has_sent_metadata = true;
    call->compresses = extras->compresses;
    add_pairs(pairs, extras->initial, extras->n_initial);
    op->op = GRPC_OP_SEND_INITIAL_METADATA;
    op->data.send_initial_metadata.count = pairs->count;
    op->data.send_initial_metadata.metadata = pairs->pairs;
    /* Core looks at what the client takes; the low level is gzip. */
    op->data.send_initial_metadata.maybe_compression_level.is_set = call->compresses;
    op->data.send_initial_metadata.maybe_compression_level.level = GRPC_COMPRESS_LEVEL_LOW;
    return 1;
}

static size_t add_reserved(CoreCall *call, grpc_op *op)
{
    call->sending = grpc_raw_byte_buffer_create(&call->reserved, 1);
    grpc_slice_unref(call->reserved);
    call->has_reserved = false;
    op->op = GRPC_OP_SEND_MESSAGE;
    op->flags = call->compresses && !extras_of(call)->compresses ? GRPC_WRITE_NO_COMPRESS : 0;
    op->data.send_message.send_message = call->sending;
    return 1;
}

static void core_send(TransportCall *base)
{
    CoreCall *call = (CoreCall *)base;
    CorePairs initial;
    grpc_op ops[MAX_OPS] = { 0 };
    size_t count = add_initial_metadata(call, ops, &initial);

    count += add_reserved(call, &ops[count]);
    atomic_fetch_add(&call->references, 1);
    start(call, ops, count, &call->send);
    drop_pairs(&initial);
}

static void core_finish(TransportCall *base, const RpcStatus *status)
{
    CoreCall *call = (CoreCall *)base;
    grpc_op ops[MAX_OPS] = { 0 };
    grpc_slice message = grpc_slice_from_copied_string(status->message);
    CorePairs initial, trailing;
    size_t count = add_initial_metadata(call, ops, &initial);

    if (call->has_reserved && status->code == 0)
        count += add_reserved(call, &ops[count]);
    trailing.count = 0;
    if (status->details.size)
        add_pair(&trailing, details_key, status->details);
    add_pairs(&trailing, extras_of(call)->trailing, extras_of(call)->n_trailing);
    ops[count].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
    ops[count].data.send_status_from_server.status = (grpc_status_code)status->code;
    ops[count].data.send_status_from_server.status_details = status->code ? &message : NULL;
    ops[count].data.send_status_from_server.trailing_metadata = trailing.pairs;
    ops[count++].data.send_status_from_server.trailing_metadata_count = trailing.count;
    if (!call->is_watched) {
        ops[count].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
        ops[count++].data.recv_close_on_server.cancelled = &call->is_cancelled;
    }
    start(call, ops, count, &call->finish);
    drop_pairs(&initial);
    drop_pairs(&trailing);
    grpc_slice_unref(message);
}

const TransportOps transport_core = {
    .name = "core",
    .listen = core_listen,
    .port = core_port,
    .metadata = core_metadata,
    .peer = core_peer,
    .watch = core_watch,
    .receive = core_receive,
    .reserve = core_reserve,
    .send = core_send,
    .finish = core_finish,
    .calls = core_calls,
    .drain = core_drain,
    .destroy = core_destroy,
};
