/* Calls whose handler has returned before it is known how they end. Three may come in any order, on three threads: the handler returns,
 * the one who defers says how it went, the caller goes away or its time is over. Whoever completes the picture settles the call, once. */
#include "shared/rpc/exchange.h"

#include "shared/base/clock.h"
#include "shared/base/condition.h"
#include "shared/codec/message.h"

#include <assert.h>
#include <stdlib.h>

struct RpcDeferral {
    pthread_mutex_t lock;
    RpcExchange *exchange; /* there until the call is settled */
    Bytes reply;           /* packed, in the exchange's arena */
    int holders;           /* the exchange, until it is recycled, and whoever ends it */
    bool is_handled, is_ended, is_done, is_gone, is_settled;
    RpcDeferral *next, *previous; /* of the server's, under their lock, as the next */
    bool is_listed;
};

/* The transport knows the deadlines that callers set. For calls without one a thread looks at the clock: all have the same time, so
 * that the first of the list is the next whose time is over. */
struct Deferrals {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    RpcDeferral *first, *last;
    pthread_t thread;
    bool has_thread, is_stopping;
};

struct Deferrals *deferrals_new(void)
{
    struct Deferrals *deferrals = calloc(1, sizeof(*deferrals));

    if (!deferrals)
        abort();
    pthread_mutex_init(&deferrals->lock, NULL);
    condition_init(&deferrals->changed);
    return deferrals;
}

void deferrals_free(struct Deferrals *deferrals)
{
    pthread_mutex_lock(&deferrals->lock);
    deferrals->is_stopping = true;
    pthread_cond_signal(&deferrals->changed);
    pthread_mutex_unlock(&deferrals->lock);
    if (deferrals->has_thread)
        pthread_join(deferrals->thread, NULL);
    pthread_cond_destroy(&deferrals->changed);
    pthread_mutex_destroy(&deferrals->lock);
    free(deferrals);
}

/* Under the list's lock. */
static void unlist(struct Deferrals *deferrals, RpcDeferral *deferral)
{
    *(deferral->previous ? &deferral->previous->next : &deferrals->first) = deferral->next;
    *(deferral->next ? &deferral->next->previous : &deferrals->last) = deferral->previous;
    deferral->is_listed = false;
}

/* The same. The first, held, if its time is over; else waits for a while. */
static RpcDeferral *take_overdue(struct Deferrals *deferrals)
{
    RpcDeferral *first = deferrals->first;
    int64_t until = first ? first->exchange->call.deadline : 0;

    if (!first) {
        pthread_cond_wait(&deferrals->changed, &deferrals->lock);
        return NULL;
    }
    if (clock_monotonic() < until) {
        condition_wait_until(&deferrals->changed, &deferrals->lock, until);
        return NULL;
    }
    unlist(deferrals, first);
    pthread_mutex_lock(&first->lock);
    first->holders++;
    pthread_mutex_unlock(&first->lock);
    return first;
}

static void *end_overdue(void *context)
{
    struct Deferrals *deferrals = context;

    pthread_mutex_lock(&deferrals->lock);
    while (!deferrals->is_stopping) {
        RpcDeferral *overdue = take_overdue(deferrals);

        if (!overdue)
            continue;
        pthread_mutex_unlock(&deferrals->lock);
        deferral_gone(overdue);
        deferral_free(overdue);
        pthread_mutex_lock(&deferrals->lock);
    }
    pthread_mutex_unlock(&deferrals->lock);
    return NULL;
}

static void list(struct Deferrals *deferrals, RpcDeferral *deferral)
{
    pthread_mutex_lock(&deferrals->lock);
    if (!deferrals->has_thread)
        deferrals->has_thread = !pthread_create(&deferrals->thread, NULL, end_overdue, deferrals);
    deferral->previous = deferrals->last;
    *(deferrals->last ? &deferrals->last->next : &deferrals->first) = deferral;
    deferrals->last = deferral;
    deferral->is_listed = true;
    if (deferrals->first == deferral)
        pthread_cond_signal(&deferrals->changed);
    pthread_mutex_unlock(&deferrals->lock);
}

/* By whoever settles it: from then on nobody finds it here. */
static void forget(RpcDeferral *deferral)
{
    struct Deferrals *deferrals = deferral->exchange->server->deferrals;

    if (!deferral->exchange->has_default_deadline)
        return;
    pthread_mutex_lock(&deferrals->lock);
    if (deferral->is_listed)
        unlist(deferrals, deferral);
    pthread_mutex_unlock(&deferrals->lock);
}

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
    if (exchange->has_default_deadline)
        list(exchange->server->deferrals, deferral);
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
    forget(deferral);
    if (is_done) {
        exchange_reserve_bytes(exchange, reply, false);
        exchange_finish(exchange, NULL);
    } else if (is_gone) {
        exchange_finish(exchange, exchange_stop_error(exchange));
    } else {
        exchange_again(exchange);
    }
}

void rpc_deferral_reply(RpcDeferral *deferral, Bytes packed)
{
    pthread_mutex_lock(&deferral->lock);
    deferral->reply = packed;
    pthread_mutex_unlock(&deferral->lock);
}

void deferral_handled(RpcDeferral *deferral, const void *reply)
{
    Bytes packed = deferral->reply;

    if (!packed.data)
        packed = message_pack(deferral->exchange->arena, reply);
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
