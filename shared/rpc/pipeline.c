/* The one path of every call: method, limits, trace, token, scope, context; then, on a worker
 * or, where the proto says that it seldom waits, right here: request, handler, reply; then
 * count, log, status. */
#include "shared/rpc/call.h"
#include "shared/rpc/exchange.h"
#include "shared/rpc/metadata.h"
#include "shared/rpc/trace.h"
#include "shared/rpc/workers.h"

#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/codec/message.h"
#include "shared/codec/scan.h"

#include <string.h>

enum { OVERLOAD_RETRY_MS = 250, SMALL_REPLY = 4096 };

static const Error method_unknown = { ERROR_UNIMPLEMENTED, "METHOD_UNKNOWN",
    "This server offers no such method; reflection lists those that it has." };
static const Error overloaded = { ERROR_RESOURCE_EXHAUSTED, "OVERLOADED",
    "The server has as many calls as it can take; try again a little later.",
    .retry_after_ms = OVERLOAD_RETRY_MS };
static const Error metadata_too_large = { ERROR_RESOURCE_EXHAUSTED, "METADATA_TOO_LARGE",
    "The call brought more metadata than the server takes." };
static const Error message_missing = { ERROR_INVALID_ARGUMENT, "MESSAGE_MISSING",
    "The call brought no request message." };
static const Error message_malformed = { ERROR_INVALID_ARGUMENT, "MESSAGE_MALFORMED",
    "The request is not a message of its type." };
static const Error no_keys = { ERROR_UNAUTHENTICATED, "TOKEN_KEY_UNKNOWN",
    "This server was started without keys and accepts no token." };
static const Error token_missing = { ERROR_UNAUTHENTICATED, "TOKEN_MISSING",
    "Send the account's token as metadata: \"authorization: Bearer TOKEN\"." };
static const Error cancelled = { ERROR_CANCELLED, "CALL_CANCELLED",
    "The caller gave up, or the connection was lost." };
static const Error too_late = { ERROR_DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED",
    "The call took longer than its deadline." };

const Error *exchange_stop_error(const RpcExchange *exchange)
{
    return clock_monotonic() >= exchange->call.deadline ? &too_late : &cancelled;
}

static const Error *authenticate(RpcExchange *exchange, const RpcMetadata *metadata)
{
    RpcCall *call = &exchange->call;
    const Throughline__Api__V1__MethodPolicy *policy = &exchange->method->method->policy;
    const char *token;
    const Error *error;

    if (policy->access == THROUGHLINE__API__V1__METHOD_POLICY__ACCESS__OPEN)
        return NULL;
    token = metadata_token(metadata, call->arena);
    if (!*token)
        return &token_missing;
    if (!exchange->server->keys)
        return &no_keys;
    if ((error = token_verify(
             exchange->server->keys, call->arena, token, call->arrived_at, &call->caller)))
        return error;
    if (caller_has_scope(call->caller, policy->scope))
        return NULL;
    error = error_new(call->arena, ERROR_PERMISSION_DENIED, "SCOPE_MISSING",
        "The token of %s lacks the scope \"%s\".", call->caller->account, policy->scope);
    return error_with_fact(call->arena, error, "scope", policy->scope);
}

static const Error *check_channel(RpcCall *call)
{
    const char *own = call->caller ? call->caller->channel : "";

    if (text_is_empty(own))
        return NULL;
    if (!*call->context.channel)
        call->context.channel = own;
    if (text_equal(call->context.channel, own))
        return NULL;
    return error_new(call->arena, ERROR_PERMISSION_DENIED, "CHANNEL_MISMATCH",
        "The account %s speaks for the channel \"%s\" only.", call->caller->account, own);
}

/* Who changes something says where and who it is. */
static const Error *check_origin(RpcCall *call)
{
    const char *channel = *call->context.channel ? NULL : metadata_key(METADATA_CHANNEL);
    const char *actor = *call->context.actor ? NULL : metadata_key(METADATA_ACTOR);
    const Error *error;

    if (!channel && !actor)
        return NULL;
    error = error_new(call->arena, ERROR_FAILED_PRECONDITION, "CONTEXT_MISSING",
        "A call that changes something needs the metadata %s%s%s.", channel ? channel : "",
        channel && actor ? " and " : "", actor ? actor : "");
    if (channel)
        error = error_with_fact(call->arena, error, channel, "missing");
    if (actor)
        error = error_with_fact(call->arena, error, actor, "missing");
    return error;
}

static void set_trace(RpcCall *call, const RpcMetadata *metadata)
{
    call->traceparent = trace_child(
        call->arena, metadata->values[METADATA_TRACEPARENT], metadata->values[METADATA_TRACE_BIN]);
    memcpy(call->trace_id, call->traceparent + 3, TRACE_ID_DIGITS);
}

/* Whether the call may run at all. */
static const Error *admit(RpcExchange *exchange)
{
    RpcServer *server = exchange->server;
    RpcCall *call = &exchange->call;
    RpcMetadata metadata = metadata_read(exchange->wire);
    const RpcMethod *method = exchange->method->method;
    const Error *error;

    set_trace(call, &metadata);
    if (!method)
        return &method_unknown;
    if (server->ops->calls(exchange->wire->transport) > (size_t)server->limits.max_calls)
        return &overloaded;
    if (metadata.size > (size_t)server->limits.max_metadata_bytes)
        return &metadata_too_large;
    if ((error = metadata_check(&metadata, call->arena)) ||
        (error = authenticate(exchange, &metadata)) ||
        (error = metadata_context(&metadata, call->arena, &call->context)) ||
        (error = check_channel(call)))
        return error;
    return method->policy.is_mutation ? check_origin(call) : NULL;
}

static void queue(RpcExchange *exchange)
{
    if (!workers_add(exchange->server->workers, exchange))
        exchange_finish(exchange, &overloaded);
}

/* Nothing stays of the first run, what it wanted to send beside its reply neither. */
void exchange_again(RpcExchange *exchange)
{
    exchange->is_moved = true;
    exchange->share = NULL;
    exchange->extras = NULL;
    exchange->wire->extras = NULL;
    exchange->call.n_violations = 0;
    queue(exchange);
}

static void move_to_worker(RpcExchange *exchange)
{
    exchange->server->ops->watch(exchange->wire);
    queue(exchange);
}

static void arrived(void *context, TransportCall *wire, const TransportArrival *arrival)
{
    RpcServer *server = context;
    RpcExchange *exchange = exchange_new(server, wire, arrival);
    const Error *error;

    observe_arrival(exchange);
    if ((error = admit(exchange))) {
        exchange_finish(exchange, error);
    } else if (exchange->method->is_inline) {
        pipeline_run(exchange);
    } else {
        move_to_worker(exchange);
    }
}

static void call_cancelled(void *user)
{
    RpcExchange *exchange = user;
    RpcStream *stream;
    RpcDeferral *deferral;

    atomic_store_explicit(&exchange->is_cancelled, true, memory_order_release);
    pthread_mutex_lock(&exchange->lock);
    stream = exchange->stream;
    deferral = exchange->deferral;
    pthread_mutex_unlock(&exchange->lock);
    if (stream)
        detached_gone(stream);
    if (deferral)
        deferral_gone(deferral);
}

static void call_closed(void *user, bool is_cancelled)
{
    (void)is_cancelled;
    exchange_recycle(user);
}

static void call_sent(void *user, bool is_sent)
{
    RpcExchange *exchange = user;

    if (exchange->stream)
        detached_sent(exchange->stream, is_sent);
    else
        stream_sent(exchange, is_sent);
}

static void call_received(void *user, TransportReceived what, const TransportMessage *messages)
{
    stream_received(user, what, messages);
}

/* Completes the replies of those that share with the first. */
static void complete_alike(RpcExchange *const *exchanges, size_t n_exchanges)
{
    RpcShare share = exchanges[0]->share;
    void *items[RPC_MAX_SHARERS];
    size_t n_items = 0;

    for (size_t i = 0; i < n_exchanges; i++) {
        if (exchanges[i]->share != share)
            continue;
        exchanges[i]->share = NULL;
        items[n_items++] = exchanges[i]->item;
    }
    share(items, n_items);
}

static void turned(void *const *users, size_t n_users)
{
    RpcExchange *exchanges[RPC_MAX_SHARERS];

    for (size_t i = 0; i < n_users; i++)
        exchanges[i] = users[i];
    for (size_t i = 0; i < n_users; i++)
        if (exchanges[i]->share)
            complete_alike(exchanges + i, n_users - i);
    for (size_t i = 0; i < n_users; i++) {
        exchange_reserve(exchanges[i], exchanges[i]->reply, false);
        exchange_finish(exchanges[i], NULL);
    }
}

const TransportEvents pipeline_events = {
    .arrived = arrived,
    .received = call_received,
    .sent = call_sent,
    .cancelled = call_cancelled,
    .closed = call_closed,
    .turned = turned,
};

/* Looked at before it is unpacked: protobuf-c trusts its input too much. */
static const Error *read_request(RpcExchange *exchange, void **request)
{
    const RpcMethod *method = exchange->method->method;
    Arena *arena = exchange->call.arena;
    const Error *error;

    *request = NULL;
    if (method->client_streams)
        return NULL;
    if (!exchange->message)
        return &message_missing;
    if ((error = scan_message(arena, method->input, exchange->message->bytes)))
        return error;
    *request = message_unpack(arena, method->input, exchange->message->bytes);
    return *request ? NULL : &message_malformed;
}

static const Error *handle(RpcExchange *exchange, void *request, void *reply, Bytes *replayed)
{
    const RpcHooks *hooks = &exchange->server->hooks;
    RpcCall *call = &exchange->call;
    bool is_stream_in = exchange->method->method->client_streams;
    Bytes packed = exchange->message ? exchange->message->bytes : (Bytes){ 0 };
    const Error *error = NULL;

    if (hooks->begin)
        error = hooks->begin(hooks->context, call, request, is_stream_in ? NULL : reply, packed);
    if (!error)
        error = exchange->method->handler(call, request, reply);
    return hooks->end ? hooks->end(hooks->context, call, error, replayed) : error;
}

void exchange_reserve_bytes(RpcExchange *exchange, Bytes bytes, bool may_wait)
{
    uint8_t *room = exchange->server->ops->reserve(exchange->wire, bytes.size, may_wait);

    if (bytes.size)
        memcpy(room, bytes.data, bytes.size);
    counter_add(exchange->method->sent_bytes, bytes.size);
}

void exchange_reserve(RpcExchange *exchange, const void *message, bool may_wait)
{
    const ProtobufCMessage *base = message;
    uint8_t small[SMALL_REPLY];
    Bytes packed;
    size_t size;
    uint8_t *room;

    /* What was packed before is measured at once. */
    if (!base->n_unknown_fields && message_pack_into(message, small, sizeof(small), &packed)) {
        exchange_reserve_bytes(exchange, packed, may_wait);
        return;
    }
    size = protobuf_c_message_get_packed_size(message);
    room = exchange->server->ops->reserve(exchange->wire, size, may_wait);
    protobuf_c_message_pack(message, room);
    counter_add(exchange->method->sent_bytes, size);
}

void pipeline_run(RpcExchange *exchange)
{
    const RpcMethod *method = exchange->method->method;
    Bytes replayed = { 0 };
    void *request, *reply;
    const Error *error;

    if (rpc_should_stop(&exchange->call)) {
        exchange_finish(exchange, exchange_stop_error(exchange));
        return;
    }
    reply = message_new(exchange->arena, method->output);
    if (!(error = read_request(exchange, &request)))
        error = handle(exchange, request, reply, &replayed);
    if (error == &rpc_needs_worker && !rpc_may_block(&exchange->call)) {
        exchange->server->ops->watch(exchange->wire);
        exchange_again(exchange);
        return;
    }
    if (error == &rpc_deferred) {
        deferral_handled(exchange->deferral, reply);
        return;
    }
    if (exchange->share && !error) {
        exchange->reply = reply;
        exchange->server->ops->linger(exchange->wire);
        return;
    }
    if (exchange->stream) {
        detached_handled(exchange->stream, error);
        return;
    }
    stream_settle(exchange);
    if (!error && !method->server_streams && replayed.data)
        exchange_reserve_bytes(exchange, replayed, rpc_may_block(&exchange->call));
    else if (!error && !method->server_streams)
        exchange_reserve(exchange, reply, rpc_may_block(&exchange->call));
    exchange_finish(exchange, error);
}

void exchange_finish(RpcExchange *exchange, const Error *error)
{
    RpcStatus status = status_from_error(exchange->arena, error);

    observe_end(exchange, error);
    exchange->server->ops->finish(exchange->wire, &status);
}
