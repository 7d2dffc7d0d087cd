/* Streams whose handler keeps a worker: rpc_send and rpc_receive turn the transport's answers
 * into waiting. */
#include "shared/rpc/exchange.h"

#include "shared/codec/message.h"
#include "shared/codec/scan.h"

static const Error too_many_streams = { ERROR_RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS",
    "The server has as many open streams of this kind as it can take; try again later.",
    .retry_after_ms = 1000 };
const Error stream_drained = { ERROR_UNAVAILABLE, "STREAM_DRAINED",
    "The server is going away; open the stream again to go on where it ended." };
static const Error malformed = { ERROR_INVALID_ARGUMENT, "MESSAGE_MALFORMED",
    "A message of the stream is not of its type." };

static void enlist(RpcExchange *exchange)
{
    RpcServer *server = exchange->server;

    pthread_mutex_lock(&server->lock);
    exchange->next_both = server->both_ways;
    if (exchange->next_both)
        exchange->next_both->previous_both = exchange;
    server->both_ways = exchange;
    exchange->is_draining = server->is_draining;
    pthread_mutex_unlock(&server->lock);
}

static void delist(RpcExchange *exchange)
{
    RpcServer *server = exchange->server;

    pthread_mutex_lock(&server->lock);
    if (exchange->previous_both)
        exchange->previous_both->next_both = exchange->next_both;
    else
        server->both_ways = exchange->next_both;
    if (exchange->next_both)
        exchange->next_both->previous_both = exchange->previous_both;
    pthread_mutex_unlock(&server->lock);
}

static bool goes_both_ways(const RpcExchange *exchange)
{
    const RpcMethod *method = exchange->method->method;

    return method->client_streams && method->server_streams;
}

/* Half of the workers may wait for slow peers, so that there are always some for calls that do
 * not. */
static const Error *take_slot(RpcExchange *exchange)
{
    RpcServer *server = exchange->server;
    int limit = server->limits.workers > 1 ? server->limits.workers / 2 : 1;

    if (exchange->has_slot)
        return NULL;
    if (atomic_fetch_add(&server->blocking_streams, 1) >= limit) {
        atomic_fetch_sub(&server->blocking_streams, 1);
        return &too_many_streams;
    }
    exchange->has_slot = true;
    if (goes_both_ways(exchange))
        enlist(exchange);
    return NULL;
}

static void wait_sent(RpcExchange *exchange)
{
    pthread_mutex_lock(&exchange->lock);
    while (exchange->is_sending)
        pthread_cond_wait(&exchange->changed, &exchange->lock);
    pthread_mutex_unlock(&exchange->lock);
}

void stream_sent(RpcExchange *exchange, bool is_sent)
{
    pthread_mutex_lock(&exchange->lock);
    exchange->is_sending = false;
    if (!is_sent)
        atomic_store_explicit(&exchange->is_cancelled, true, memory_order_release);
    pthread_cond_broadcast(&exchange->changed);
    pthread_mutex_unlock(&exchange->lock);
}

/* Returns while the message is on its way; the next one waits for it. */
const Error *rpc_send(RpcCall *call, const void *message)
{
    RpcExchange *exchange = call->exchange;
    const Error *error = take_slot(exchange);

    if (error)
        return error;
    wait_sent(exchange);
    if (rpc_should_stop(call))
        return exchange_stop_error(exchange);
    exchange_reserve(exchange, message, true);
    exchange->is_sending = true;
    exchange->server->ops->send(exchange->wire);
    return NULL;
}

void stream_received(
    RpcExchange *exchange, TransportReceived what, const TransportMessage *messages)
{
    pthread_mutex_lock(&exchange->lock);
    exchange->is_receiving = false;
    exchange->received = what;
    exchange->message = messages;
    pthread_cond_broadcast(&exchange->changed);
    pthread_mutex_unlock(&exchange->lock);
}

static bool drains(RpcExchange *exchange)
{
    bool is_draining;

    pthread_mutex_lock(&exchange->lock);
    is_draining = exchange->is_draining;
    pthread_mutex_unlock(&exchange->lock);
    return is_draining;
}

/* Asks the transport, which answers with all that has come. False when the server drains: then the
 * answer is still to come. */
static bool receive_more(RpcExchange *exchange)
{
    bool is_received;

    exchange->message = NULL;
    exchange->is_receiving = true;
    exchange->server->ops->receive(exchange->wire);
    pthread_mutex_lock(&exchange->lock);
    while (exchange->is_receiving && !exchange->is_draining)
        pthread_cond_wait(&exchange->changed, &exchange->lock);
    is_received = !exchange->is_receiving;
    pthread_mutex_unlock(&exchange->lock);
    return is_received;
}

static const Error *unpack(RpcExchange *exchange, void **message)
{
    const ProtobufCMessageDescriptor *type = exchange->method->method->input;
    Arena *arena = exchange->receive_arena ? exchange->receive_arena : exchange->arena;
    Bytes bytes = exchange->message->bytes;
    const Error *error = scan_message(exchange->arena, type, bytes);

    if (error)
        return error;
    counter_add(exchange->method->received_bytes, bytes.size);
    *message = message_unpack(arena, type, bytes);
    return *message ? NULL : &malformed;
}

const Error *rpc_receive(RpcCall *call, void **message)
{
    RpcExchange *exchange = call->exchange;
    const Error *error = take_slot(exchange);

    *message = NULL;
    if (error)
        return error;
    if (exchange->received == TRANSPORT_END)
        return NULL;
    if (drains(exchange))
        return &stream_drained;
    if (rpc_should_stop(call))
        return exchange_stop_error(exchange);
    if (exchange->message && exchange->message->next)
        exchange->message = exchange->message->next;
    else if (!receive_more(exchange))
        return &stream_drained;
    if (exchange->received == TRANSPORT_BROKEN)
        return exchange_stop_error(exchange);
    return exchange->received == TRANSPORT_END ? NULL : unpack(exchange, message);
}

void rpc_recycle(RpcCall *call)
{
    RpcExchange *exchange = call->exchange;

    if (exchange->receive_arena)
        arena_reset(exchange->receive_arena);
    else
        exchange->receive_arena = arena_new();
}

void stream_settle(RpcExchange *exchange)
{
    if (!exchange->has_slot)
        return;
    wait_sent(exchange);
    if (goes_both_ways(exchange))
        delist(exchange);
    exchange->has_slot = false;
    atomic_fetch_sub(&exchange->server->blocking_streams, 1);
}

void stream_drain_all(RpcServer *server)
{
    pthread_mutex_lock(&server->lock);
    for (RpcExchange *one = server->both_ways; one; one = one->next_both) {
        pthread_mutex_lock(&one->lock);
        one->is_draining = true;
        pthread_cond_broadcast(&one->changed);
        pthread_mutex_unlock(&one->lock);
    }
    pthread_mutex_unlock(&server->lock);
}
