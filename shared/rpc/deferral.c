/* Calls whose handler has returned before it is known how they end. Three may come in any order, on three threads: the handler returns,
 * the one who defers says how it went, the caller goes away. Whoever completes the picture settles the call, once. */
#include "shared/rpc/exchange.h"

#include "shared/codec/message.h"

#include <assert.h>
#include <stdlib.h>

struct RpcDeferral {
    pthread_mutex_t lock;
    RpcExchange *exchange; /* there until the call is settled */
    Bytes reply;           /* packed, in the exchange's arena */
    int holders;           /* the exchange, until it is recycled, and whoever ends it */
    bool is_handled, is_ended, is_done, is_gone, is_settled;
};

const Error rpc_deferred = { ERROR_INTERNAL, "ANSWER_DEFERRED",
    "The answer of a method comes later, but nobody waits for it." };

/* A second run of the handler does not defer: it is there to learn what became of the first. */
RpcDeferral *rpc_defer(RpcCall *call)
{
    RpcExchange *exchange = call->exchange;
    RpcDeferral *deferral;

    if (!exchange || exchange->deferral || exchange->method->method->client_streams ||
        exchange->method->method->server_streams)
        return NULL;
    if (!(deferral = calloc(1, sizeof(*deferral))))
        abort();
    pthread_mutex_init(&deferral->lock, NULL);
    deferral->exchange = exchange;
    deferral->holders = 2;
    if (!rpc_may_block(call)) /* a worker's calls are watched already */
        exchange->server->ops->watch(exchange->wire);
    pthread_mutex_lock(&exchange->lock);
    deferral->is_gone = atomic_load(&exchange->is_cancelled);
    exchange->deferral = deferral;
    pthread_mutex_unlock(&exchange->lock);
    return deferral;
}

void deferral_free(RpcDeferral *deferral)
{
    bool is_last;

    pthread_mutex_lock(&deferral->lock);
    is_last = --deferral->holders == 0;
    pthread_mutex_unlock(&deferral->lock);
    if (!is_last)
        return;
    pthread_mutex_destroy(&deferral->lock);
    free(deferral);
}

/* Lets go of the lock, after something was noted; by the last to come the call is settled, and must not be touched afterwards. */
static void leave(RpcDeferral *deferral)
{
    RpcExchange *exchange = deferral->exchange;
    Bytes reply = deferral->reply;
    bool is_done = deferral->is_ended && deferral->is_done;
    bool is_gone = deferral->is_gone && !is_done;
    bool is_mine =
        !deferral->is_settled && deferral->is_handled && (deferral->is_ended || deferral->is_gone);

    deferral->is_settled |= is_mine;
    pthread_mutex_unlock(&deferral->lock);
    if (!is_mine)
        return;
    if (is_done) {
        exchange_reserve_bytes(exchange, reply, false);
        exchange_finish(exchange, NULL);
    } else if (is_gone) {
        exchange_finish(exchange, exchange_stop_error(exchange));
    } else {
        exchange_again(exchange);
    }
}

void deferral_handled(RpcDeferral *deferral, const void *reply)
{
    Bytes packed = message_pack(deferral->exchange->arena, reply);

    pthread_mutex_lock(&deferral->lock);
    assert(!deferral->is_handled && "only the run that has deferred says so");
    deferral->reply = packed;
    deferral->is_handled = true;
    leave(deferral);
}

void deferral_gone(RpcDeferral *deferral)
{
    pthread_mutex_lock(&deferral->lock);
    deferral->is_gone = true;
    leave(deferral);
}

void rpc_deferral_end(RpcDeferral *deferral, bool is_done)
{
    pthread_mutex_lock(&deferral->lock);
    deferral->is_ended = true;
    deferral->is_done = is_done;
    leave(deferral);
    deferral_free(deferral);
}
