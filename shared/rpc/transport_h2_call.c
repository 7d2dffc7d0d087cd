/* The life of a call on its loop. Two sides have to let go of it: the stream (gone) and the run
 * time (finished); whichever is second closes it. */
#include "shared/rpc/transport_h2.h"

#include "shared/base/clock.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT_CALLS = 256 };

const H2Status h2_going_away = { 200, ERROR_UNAVAILABLE,
    "The server is going away; try another one.", "" };
static const H2Status too_late = { 200, ERROR_DEADLINE_EXCEEDED,
    "The call took longer than its deadline.", "" };

static const TransportEvents *events_of(const H2Call *call)
{
    return &call->connection->loop->transport->events;
}

Arena *h2_call_arena(H2Call *call)
{
    if (!call->arena)
        call->arena = arena_new();
    return call->arena;
}

H2Call *h2_call_new(H2Connection *connection, int32_t stream)
{
    H2Loop *loop = connection->loop;
    H2Call *call = loop->free_calls;

    if (call) {
        loop->free_calls = call->next;
        loop->n_free_calls--;
    } else if (!(call = malloc(sizeof(*call)))) {
        abort();
    }
    memset(call, 0, offsetof(H2Call, own_pairs));
    call->base.transport = &loop->transport->base;
    call->connection = connection;
    call->stream = stream;
    call->deadline = INT64_MAX;
    call->pairs = call->own_pairs;
    call->pairs_room = H2_OWN_PAIRS;
    call->last = &call->first;
    call->begun_at = connection->read_at;
    connection->n_calls++;
    call->next = connection->calls;
    if (call->next)
        call->next->previous = call;
    connection->calls = call;
    return call;
}

static void free_call(H2Call *call)
{
    H2Connection *connection = call->connection;
    H2Loop *loop = connection->loop;

    if (call->previous)
        call->previous->next = call->next;
    else
        connection->calls = call->next;
    if (call->next)
        call->next->previous = call->previous;
    if (call->has_timer)
        event_del(&call->timer);
    connection->n_calls--;
    if (connection->heading == call)
        connection->heading = NULL;
    h2_weigh_end(call);
    h2_request_free(call);
    h2_reply_free(call);
    arena_free(call->arena);
    if (loop->n_free_calls < KEPT_CALLS) {
        call->next = loop->free_calls;
        loop->free_calls = call;
        loop->n_free_calls++;
    } else {
        free(call);
    }
    h2_connection_release(connection);
}

static void close_call(H2Call *call)
{
    H2Loop *loop = call->connection->loop;
    const TransportEvents *events = events_of(call);

    if (call->is_receiving)
        events->received(call->base.user, TRANSPORT_BROKEN, NULL);
    events->closed(call->base.user, !call->is_status_sent);
    free_call(call);
    h2_loop_count(loop, -1);
}

void h2_call_arrive(H2Call *call, const TransportMessage *message)
{
    H2Loop *loop = call->connection->loop;
    TransportArrival arrival = { call->method, call->deadline, message };

    call->is_arrived = true;
    h2_weigh_arrival(call, message ? message->bytes.size : 0);
    h2_loop_count(loop, 1);
    loop->arriving = call;
    loop->transport->events.arrived(loop->transport->events.context, &call->base, &arrival);
    loop->arriving = NULL;
}

/* The run time's half of an end that it did not bring about. */
static void tell_over(H2Call *call)
{
    const TransportEvents *events = events_of(call);
    bool was_sending = call->is_sending;

    call->is_sending = false;
    if (call->is_watched)
        events->cancelled(call->base.user);
    h2_request_break(call);
    if (was_sending)
        events->sent(call->base.user, false);
}

void h2_call_reset(H2Call *call, uint32_t code)
{
    if (call->is_reset)
        return;
    call->is_reset = true;
    nghttp2_submit_rst_stream(call->connection->session, NGHTTP2_FLAG_NONE, call->stream, code);
    h2_connection_touch(call->connection);
}

void h2_call_cut(H2Call *call, const H2Status *status)
{
    bool is_amid = call->out_at > 0 && call->out_at < call->out_size;

    if (call->is_gone || call->is_cut)
        return;
    call->is_cut = true;
    if (call->is_finished) {
        h2_call_reset(call, NGHTTP2_CANCEL);
        return;
    }
    if (call->is_arrived)
        tell_over(call);
    if (is_amid) /* no status can follow half a message */
        h2_call_reset(call, NGHTTP2_CANCEL);
    else
        h2_reply_end(call, status);
}

void h2_call_gone(H2Call *call)
{
    call->is_gone = true;
    if (!call->is_arrived)
        free_call(call);
    else if (call->is_finished)
        close_call(call);
    else if (!call->is_cut)
        tell_over(call);
}

static void on_deadline(evutil_socket_t none, short what, void *context)
{
    H2Call *call = context;
    H2Loop *loop = call->connection->loop;

    (void)none, (void)what;
    if (clock_monotonic() < call->deadline)
        h2_call_watch(call); /* libevent's clock is a coarse one */
    else
        h2_call_cut(call, &too_late);
    h2_loop_settle(loop);
}

void h2_call_watch(H2Call *call)
{
    int64_t left = call->deadline - clock_monotonic() + 1000;
    struct timeval time = { left / 1000000, left % 1000000 };

    call->is_watched = true;
    if (call->deadline == INT64_MAX)
        return;
    if (left <= 0)
        time = (struct timeval){ 0 };
    if (!call->has_timer)
        evtimer_assign(&call->timer, call->connection->loop->base, on_deadline, call);
    call->has_timer = true;
    evtimer_add(&call->timer, &time);
}

static void finish(H2Call *call)
{
    call->is_finished = true;
    if (call->has_timer)
        evtimer_del(&call->timer);
    if (call->is_gone)
        close_call(call);
    else if (!call->is_cut)
        h2_reply_finish(call);
}

static void send_reserved(H2Call *call)
{
    if (!call->is_gone && !call->is_cut) {
        h2_reply_send(call);
        return;
    }
    h2_reply_drop(call);
    events_of(call)->sent(call->base.user, false);
}

void h2_call_asked(H2Call *call, unsigned what)
{
    if (what & H2_ASK_RECEIVE)
        call->is_receiving = true;
    if (what & (H2_ASK_RECEIVE | H2_ASK_DELIVER))
        h2_request_deliver(call);
    if (what & H2_ASK_SEND)
        send_reserved(call);
    if (what & H2_ASK_FINISH)
        finish(call);
}
