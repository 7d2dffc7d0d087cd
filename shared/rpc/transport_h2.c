/* HTTP/2 by libnghttp2 on loops of libevent as an engine: what the run time asks of a call. It
 * may ask on any thread; what has to happen on the call's loop is posted there. */
#include "shared/rpc/transport_h2.h"

#include <assert.h>
#include <stdlib.h>

static bool h2_metadata(const TransportCall *base, size_t i, TransportPair *pair)
{
    const H2Call *call = (const H2Call *)base;

    if (i >= call->n_pairs)
        return false;
    pair->key = h2_bytes_of(call->pairs[i].key);
    pair->value =
        call->pairs[i].decoded.data ? call->pairs[i].decoded : h2_bytes_of(call->pairs[i].value);
    return true;
}

/* The connection stays until its last call is closed. */
static TransportPeer h2_peer(TransportCall *base, Arena *arena)
{
    const H2Connection *connection = ((H2Call *)base)->connection;

    (void)arena;
    return (TransportPeer){ connection->name, connection->identity ? connection->identity : "" };
}

static void h2_watch(TransportCall *base)
{
    h2_call_watch((H2Call *)base);
}

static void h2_linger(TransportCall *base)
{
    H2Call *call = (H2Call *)base;

    h2_loop_linger(call->connection->loop, call);
}

static void ask(H2Call *call, H2Ask what)
{
    h2_loop_ask(call->connection->loop, call, what);
}

static void h2_receive(TransportCall *base)
{
    ask((H2Call *)base, H2_ASK_RECEIVE);
}

static uint8_t *h2_reserve(TransportCall *base, size_t size, bool may_wait)
{
    H2Call *call = (H2Call *)base;
    size_t whole = H2_PREFIX_BYTES + size;

    assert(!call->reserved);
    if (whole > sizeof(call->own_out))
        h2_limits_make(call, whole, may_wait);
    call->reserved = whole <= sizeof(call->own_out) ? call->own_out : malloc(whole);
    if (!call->reserved)
        abort();
    call->reserved_size = whole;
    h2_prefix_write(call->reserved, false, size);
    return call->reserved + H2_PREFIX_BYTES;
}

static void h2_send(TransportCall *base)
{
    h2_reply_prepare((H2Call *)base, false);
    ask((H2Call *)base, H2_ASK_SEND);
}

static void h2_finish(TransportCall *base, const RpcStatus *status)
{
    H2Call *call = (H2Call *)base;
    H2Loop *loop = call->connection->loop;

    call->status = h2_status_encode(call, status);
    h2_reply_prepare(call, true);
    if (h2_loop_is_here(loop) && loop->arriving == call)
        h2_call_asked(call, H2_ASK_FINISH);
    else
        ask(call, H2_ASK_FINISH);
}

const TransportOps transport_h2 = {
    .name = "h2",
    .listen = h2_listen,
    .port = h2_port,
    .metadata = h2_metadata,
    .peer = h2_peer,
    .watch = h2_watch,
    .linger = h2_linger,
    .receive = h2_receive,
    .reserve = h2_reserve,
    .send = h2_send,
    .finish = h2_finish,
    .calls = h2_calls,
    .drain = h2_drain,
    .destroy = h2_destroy,
    .strain = h2_strain,
};
