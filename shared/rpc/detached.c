/* Streams that go on without a thread: offers queue, the transport's answers move the queue on.
 * The lock is never held while `changed` runs, which may take locks that are held around offers. */
#include "shared/rpc/exchange.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

RpcStream *rpc_detach(RpcCall *call)
{
    RpcExchange *exchange = call->exchange;
    RpcServer *server = exchange->server;
    RpcStream *stream = calloc(1, sizeof(*stream));

    if (!stream)
        abort();
    assert(!exchange->stream && !exchange->has_slot);
    pthread_mutex_init(&stream->lock, NULL);
    pthread_cond_init(&stream->idle, NULL);
    stream->exchange = exchange;
    stream->arena = arena_new();
    stream->last = &stream->first;
    pthread_mutex_lock(&exchange->lock);
    stream->is_gone = atomic_load(&exchange->is_cancelled);
    exchange->stream = stream;
    pthread_mutex_unlock(&exchange->lock);
    pthread_mutex_lock(&server->lock);
    stream->is_draining = server->is_draining;
    stream->next = server->streams;
    if (stream->next)
        stream->next->previous = stream;
    server->streams = stream;
    pthread_mutex_unlock(&server->lock);
    return stream;
}

void detached_free(RpcStream *stream)
{
    while (stream->first) {
        QueuedMessage *message = stream->first;

        stream->first = message->next;
        free(message);
    }
    pthread_cond_destroy(&stream->idle);
    pthread_mutex_destroy(&stream->lock);
    arena_free(stream->arena);
    free(stream);
}

static void delist(RpcStream *stream)
{
    RpcServer *server = stream->exchange->server;

    pthread_mutex_lock(&server->lock);
    if (stream->previous)
        stream->previous->next = stream->next;
    else
        server->streams = stream->next;
    if (stream->next)
        stream->next->previous = stream->previous;
    pthread_mutex_unlock(&server->lock);
}

/* Sends the next of the queue, if nothing is on its way. The lock is held. */
static void send_next(RpcStream *stream)
{
    RpcExchange *exchange = stream->exchange;
    const TransportOps *ops = exchange->server->ops;
    QueuedMessage *message = stream->first;

    if (stream->is_sending || !message || stream->is_gone)
        return;
    stream->first = message->next;
    if (!stream->first)
        stream->last = &stream->first;
    stream->n_queued--;
    stream->queued_bytes -= message->size;
    memcpy(ops->reserve(exchange->wire, message->size, false), message->data, message->size);
    counter_add(exchange->method->sent_bytes, message->size);
    free(message);
    stream->is_sending = true;
    ops->send(exchange->wire);
}

static bool is_over(const RpcStream *stream)
{
    return stream->is_ended && stream->is_handled && !stream->is_sending && !stream->is_calling &&
           stream->n_holders == 0 && (!stream->first || stream->is_gone);
}

/* Lets go of the lock, and of the stream when it is over; it must not be touched afterwards. */
static void leave(RpcStream *stream)
{
    bool is_last = is_over(stream) && !stream->is_finished;

    stream->is_finished |= is_last;
    if (is_last && stream->is_gone && !stream->error)
        stream->error = exchange_stop_error(stream->exchange);
    pthread_mutex_unlock(&stream->lock);
    if (!is_last)
        return;
    delist(stream);
    exchange_finish(stream->exchange, stream->error);
}

/* Until nobody is in `changed`; whoever waits holds the stream, which could be over meanwhile. */
static void wait_idle(RpcStream *stream)
{
    stream->n_holders++;
    while (stream->is_calling)
        pthread_cond_wait(&stream->idle, &stream->lock);
    stream->n_holders--;
}

/* Calls `changed` without the lock, which is held before and after. */
static void notify(RpcStream *stream)
{
    wait_idle(stream);
    if (!stream->changed || stream->is_ended)
        return;
    stream->is_calling = true;
    stream->calling = pthread_self();
    pthread_mutex_unlock(&stream->lock);
    stream->changed(stream->context);
    pthread_mutex_lock(&stream->lock);
    stream->is_calling = false;
    pthread_cond_broadcast(&stream->idle);
}

static QueuedMessage *pack(const ProtobufCMessage *message, size_t size)
{
    QueuedMessage *packed = malloc(sizeof(*packed) + size);

    if (!packed)
        abort();
    packed->next = NULL;
    packed->size = protobuf_c_message_pack(message, packed->data);
    return packed;
}

RpcOffer rpc_stream_offer(RpcStream *stream, const void *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    RpcOffer offer = RPC_STREAM_TAKEN;

    pthread_mutex_lock(&stream->lock);
    assert(!stream->is_ended);
    if (stream->is_gone) {
        offer = RPC_STREAM_GONE;
    } else if (stream->n_queued == RPC_STREAM_QUEUE ||
               (stream->n_queued > 0 && stream->queued_bytes + size > RPC_STREAM_QUEUE_BYTES)) {
        stream->wants_room = true;
        offer = RPC_STREAM_FULL;
    } else {
        *stream->last = pack(message, size);
        stream->last = &(*stream->last)->next;
        stream->n_queued++;
        stream->queued_bytes += size;
        send_next(stream);
    }
    pthread_mutex_unlock(&stream->lock);
    return offer;
}

void rpc_stream_watch(RpcStream *stream, void (*changed)(void *context), void *context)
{
    pthread_mutex_lock(&stream->lock);
    stream->changed = changed;
    stream->context = context;
    pthread_mutex_unlock(&stream->lock);
}

void rpc_stream_end(RpcStream *stream, const Error *error)
{
    pthread_mutex_lock(&stream->lock);
    assert(!stream->is_ended);
    stream->is_ended = true;
    /* Whoever has left ended it, whatever we would say. */
    if (error && !stream->error && !stream->is_gone)
        stream->error = error_copy(stream->arena, error); /* outlives the caller's */
    if (!stream->is_calling || !pthread_equal(stream->calling, pthread_self()))
        wait_idle(stream);
    leave(stream);
}

bool rpc_stream_is_draining(const RpcStream *stream)
{
    RpcStream *unlocked = (RpcStream *)(uintptr_t)stream;
    bool is_draining;

    pthread_mutex_lock(&unlocked->lock);
    is_draining = stream->is_draining;
    pthread_mutex_unlock(&unlocked->lock);
    return is_draining;
}

/* Said once, and only when there is somebody to hear it. */
static bool has_room_again(RpcStream *stream)
{
    bool has_room = stream->wants_room && !stream->first && stream->changed;

    stream->wants_room &= !has_room;
    return has_room;
}

void detached_sent(RpcStream *stream, bool is_sent)
{
    pthread_mutex_lock(&stream->lock);
    stream->is_sending = false;
    stream->is_gone |= !is_sent;
    send_next(stream);
    if (has_room_again(stream))
        notify(stream);
    leave(stream);
}

void detached_gone(RpcStream *stream)
{
    pthread_mutex_lock(&stream->lock);
    stream->is_gone = true;
    notify(stream);
    leave(stream);
}

void detached_handled(RpcStream *stream, const Error *error)
{
    pthread_mutex_lock(&stream->lock);
    stream->is_handled = true;
    if (error) {
        stream->is_gone = true;
        stream->error = error_copy(stream->arena, error);
    }
    if (stream->is_gone || stream->is_draining ||
        has_room_again(stream)) /* before there was a watch */
        notify(stream);
    leave(stream);
}

/* Marks and holds all streams that are not marked yet. The array is the caller's. */
static RpcStream **hold_all(RpcServer *server, size_t *count)
{
    RpcStream **held;
    size_t n = 0;

    pthread_mutex_lock(&server->lock);
    for (const RpcStream *one = server->streams; one; one = one->next)
        n++;
    held = calloc(n + 1, sizeof(RpcStream *));
    if (!held)
        abort();
    *count = 0;
    for (RpcStream *one = server->streams; one; one = one->next) {
        pthread_mutex_lock(&one->lock);
        if (!one->is_finished) {
            one->is_draining = true;
            one->n_holders++;
            held[(*count)++] = one;
        }
        pthread_mutex_unlock(&one->lock);
    }
    pthread_mutex_unlock(&server->lock);
    return held;
}

void detached_drain_all(RpcServer *server)
{
    size_t count;
    RpcStream **held = hold_all(server, &count);

    for (size_t i = 0; i < count; i++) {
        pthread_mutex_lock(&held[i]->lock);
        notify(held[i]);
        held[i]->n_holders--;
        leave(held[i]);
    }
    free(held);
}
