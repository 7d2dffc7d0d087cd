#include "shared/rpc/call.h"

#include "shared/base/clock.h"
#include "shared/rpc/exchange.h"
#include "shared/rpc/trace.h"

#include <assert.h>
#include <string.h>

bool rpc_should_stop(const RpcCall *call)
{
    if (call->exchange && atomic_load_explicit(&call->exchange->is_cancelled, memory_order_acquire))
        return true;
    return call->deadline != INT64_MAX && clock_monotonic() >= call->deadline;
}

const Error rpc_needs_worker = { ERROR_INTERNAL, "WORKER_NEEDED",
    "A method that runs where nothing may block was about to block." };

bool rpc_may_block(const RpcCall *call)
{
    const RpcExchange *exchange = call->exchange;

    return !exchange || !exchange->method->is_inline || exchange->is_moved;
}

bool rpc_share(RpcCall *call, RpcShare share, void *item)
{
    RpcExchange *exchange = call->exchange;

    if (rpc_may_block(call) || !exchange->server->ops->linger)
        return false;
    exchange->share = share;
    exchange->item = item;
    return true;
}

int32_t rpc_remaining_ms(const RpcCall *call)
{
    int64_t left;

    if (call->deadline == INT64_MAX)
        return INT32_MAX;
    left = (call->deadline - clock_monotonic()) / 1000;
    if (left < 0)
        return 0;
    return left < INT32_MAX ? (int32_t)left : INT32_MAX;
}

Bytes rpc_metadata(const RpcCall *call, const char *key)
{
    const TransportCall *wire = call->exchange ? call->exchange->wire : NULL;
    TransportPair pair;

    for (size_t i = 0; wire && wire->transport->ops->metadata(wire, i, &pair); i++)
        if (pair.key.size == strlen(key) && !memcmp(pair.key.data, key, pair.key.size))
            return pair.value;
    return (Bytes){ 0 };
}

static ExchangeExtras *extras_of(RpcExchange *exchange)
{
    if (!exchange->extras) {
        exchange->extras = arena_alloc(exchange->arena, sizeof(*exchange->extras));
        exchange->extras->wire.initial = exchange->extras->initial;
        exchange->extras->wire.trailing = exchange->extras->trailing;
        exchange->wire->extras = &exchange->extras->wire;
    }
    return exchange->extras;
}

static TransportPair copy_pair(Arena *arena, const char *key, Bytes value)
{
    size_t size = strlen(key);

    return (TransportPair){ { arena_copy(arena, key, size), size },
        { arena_copy(arena, value.data, value.size), value.size } };
}

void rpc_add_header(RpcCall *call, const char *key, Bytes value)
{
    ExchangeExtras *extras;

    if (!call->exchange)
        return;
    extras = extras_of(call->exchange);
    assert(extras->wire.n_initial < RPC_MAX_EXTRA_PAIRS);
    extras->initial[extras->wire.n_initial++] = copy_pair(call->arena, key, value);
}

void rpc_add_trailer(RpcCall *call, const char *key, Bytes value)
{
    ExchangeExtras *extras;

    if (!call->exchange)
        return;
    extras = extras_of(call->exchange);
    assert(extras->wire.n_trailing < RPC_MAX_EXTRA_PAIRS);
    extras->trailing[extras->wire.n_trailing++] = copy_pair(call->arena, key, value);
}

void rpc_compress(RpcCall *call, bool is_wanted)
{
    if (call->exchange)
        extras_of(call->exchange)->wire.compresses = is_wanted;
}

bool rpc_was_compressed(const RpcCall *call)
{
    const TransportMessage *message = call->exchange ? call->exchange->message : NULL;

    return message && message->is_compressed;
}

/* Our own work: nothing is closed to it, and the context says in whose name it is done. */
static const char *const all_scopes[] = { "*" };
static const Caller ourselves = {
    .account = "accounts/internal",
    .channel = "",
    .scopes = all_scopes,
    .n_scopes = COUNT(all_scopes),
    .expires_at = INT64_MAX,
};

RpcCall *rpc_internal_call(
    Arena *arena, const char *method, const RpcContext *context, void *service)
{
    RpcCall *call = arena_alloc(arena, sizeof(*call));

    call->arena = arena;
    call->caller = &ourselves;
    call->context = (RpcContext){
        .channel = arena_text(arena, context->channel),
        .actor = arena_text(arena, context->actor),
        .on_behalf_of = arena_text(arena, context->on_behalf_of),
        .device = arena_text(arena, context->device),
        .journey = arena_text(arena, context->journey),
        .purpose = arena_text(arena, context->purpose),
    };
    call->traceparent = trace_child(arena, (Bytes){ 0 }, (Bytes){ 0 });
    memcpy(call->trace_id, call->traceparent + 3, TRACE_ID_DIGITS);
    call->peer = "";
    call->method = arena_text(arena, method);
    call->arrived_at = clock_now();
    call->deadline = INT64_MAX;
    call->service = service;
    return call;
}
