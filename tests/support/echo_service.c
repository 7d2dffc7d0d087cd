#include "tests/support/echo_service.h"

#include "shared/base/clock.h"
#include "shared/rpc/check.h"

#include "throughline/echo/v1/echo.pb-c.h"

#include <stdlib.h>
#include <string.h>

typedef Throughline__Echo__V1__EchoRequest EchoRequest;
typedef Throughline__Echo__V1__EchoResponse EchoResponse;
typedef Throughline__Echo__V1__EchoSlowlyRequest EchoSlowlyRequest;
typedef Throughline__Echo__V1__EchoSlowlyResponse EchoSlowlyResponse;
typedef Throughline__Echo__V1__EchoManyRequest EchoManyRequest;
typedef Throughline__Echo__V1__EchoManyResponse EchoManyResponse;
typedef Throughline__Echo__V1__EchoCountRequest EchoCountRequest;
typedef Throughline__Echo__V1__EchoCountResponse EchoCountResponse;
typedef Throughline__Echo__V1__EchoEachRequest EchoEachRequest;
typedef Throughline__Echo__V1__EchoEachResponse EchoEachResponse;
typedef Throughline__Echo__V1__EchoContextResponse EchoContextResponse;

enum { ECHO_MAX_COUNT = 1000000, STEP_MS = 5, ECHO_SHORT = 100 };

static int64_t milliseconds(const Google__Protobuf__Duration *duration)
{
    return duration ? duration->seconds * 1000 + duration->nanos / 1000000 : 0;
}

/* False when the call was over before. */
static bool wait_for(const RpcCall *call, int64_t delay_ms)
{
    int64_t end = clock_monotonic() + delay_ms * 1000;

    while (clock_monotonic() < end) {
        if (rpc_should_stop(call))
            return false;
        clock_sleep_ms(STEP_MS);
    }
    return true;
}

/* A call whose answer waits for those of others. */
typedef struct Shared {
    const EchoRequest *request;
    EchoResponse *response;
    EchoState *state;
} Shared;

static bool is_short(const EchoRequest *request)
{
    return request->payload.len < ECHO_SHORT;
}

static void answer_together(void *const *items, size_t n_items)
{
    EchoState *state = ((const Shared *)items[0])->state;

    for (size_t i = 0; i < n_items; i++) {
        const Shared *shared = items[i];

        shared->response->payload = shared->request->payload;
    }
    atomic_fetch_add(&state->shared, (int)n_items);
    if (atomic_load(&state->largest) < (int)n_items)
        atomic_store(&state->largest, (int)n_items);
}

static void answer_short(void *const *items, size_t n_items)
{
    for (size_t i = 0; i < n_items; i++)
        if (!is_short(((const Shared *)items[i])->request))
            abort();
    answer_together(items, n_items);
}

static void answer_long(void *const *items, size_t n_items)
{
    for (size_t i = 0; i < n_items; i++)
        if (is_short(((const Shared *)items[i])->request))
            abort();
    answer_together(items, n_items);
}

static bool shares(RpcCall *call, const EchoRequest *request, EchoResponse *response)
{
    Shared *shared = arena_alloc(call->arena, sizeof(*shared));

    *shared = (Shared){ request, response, call->service };
    return rpc_share(call, is_short(request) ? answer_short : answer_long, shared);
}

static void hold(EchoState *state)
{
    if (atomic_load(&state->holds))
        atomic_fetch_add(&state->held, 1);
    while (atomic_load(&state->holds))
        clock_sleep_ms(STEP_MS);
}

/* As an answer that waits for something does: &rpc_deferred, or NULL where it would have waited. The header "echo" says which. */
static const Error *defer(RpcCall *call)
{
    static const uint8_t later[] = "later", waited[] = "waited";
    EchoState *state = call->service;
    EchoDefer defers = state ? atomic_load(&state->defers) : NULL;
    RpcDeferral *deferral;

    if (!defers)
        return NULL;
    if (!(deferral = rpc_defer(call))) {
        rpc_add_header(call, "echo", (Bytes){ waited, sizeof(waited) - 1 });
        atomic_fetch_add(&state->waited, 1);
        return NULL;
    }
    rpc_add_header(call, "echo", (Bytes){ later, sizeof(later) - 1 });
    defers(deferral);
    return &rpc_deferred;
}

static const Error *echo(RpcCall *call, const void *request, void *reply)
{
    const EchoRequest *req = request;
    EchoResponse *response = reply;
    EchoState *state = call->service;

    if (state && atomic_load(&state->blocks) && !rpc_may_block(call)) {
        atomic_fetch_add(&state->moved, 1);
        return &rpc_needs_worker;
    }
    if (state)
        hold(state);
    if (state && atomic_load(&state->shares) && shares(call, req, response))
        return NULL;
    response->payload = req->payload;
    return defer(call);
}

static const Error *echo_slowly(RpcCall *call, const void *request, void *reply)
{
    const EchoSlowlyRequest *req = request;
    EchoSlowlyResponse *response = reply;
    EchoState *state = call->service;
    int32_t remaining_ms = rpc_remaining_ms(call);

    if (req->code)
        return error_new(call->arena, (ErrorCode)req->code, "AS_ASKED", "As asked: %s.", req->text);
    check_text(call, "text", req->text, 0, 100);
    check_range(call, "delay", milliseconds(req->delay), 0, 60000);
    if (check_result(call))
        return check_result(call);

    atomic_fetch_add(&state->running, 1);
    response->was_cancelled = !wait_for(call, milliseconds(req->delay));
    atomic_fetch_sub(&state->running, 1);
    atomic_fetch_add(response->was_cancelled ? &state->cancelled : &state->finished, 1);

    response->text = req->text;
    response->remaining = arena_alloc(call->arena, sizeof(*response->remaining));
    google__protobuf__duration__init(response->remaining);
    response->remaining->seconds = remaining_ms / 1000;
    response->remaining->nanos = remaining_ms % 1000 * 1000000;
    return NULL;
}

/* EchoMany without its worker: offers whenever there is room. One thread at a time is in here:
 * the handler before it watches, then whoever says that something changed. */
typedef struct Feed {
    RpcStream *stream;
    EchoManyResponse response;
    int32_t count;
    uint8_t payload[];
} Feed;

/* False when the stream was ended. */
static bool feed(Feed *self)
{
    RpcOffer offer = RPC_STREAM_TAKEN;

    while (offer == RPC_STREAM_TAKEN && self->response.number < self->count)
        if ((offer = rpc_stream_offer(self->stream, &self->response)) == RPC_STREAM_TAKEN)
            self->response.number++;
    if (offer == RPC_STREAM_FULL && !rpc_stream_is_draining(self->stream))
        return true;
    rpc_stream_end(self->stream, NULL);
    free(self);
    return false;
}

static void feed_more(void *context)
{
    feed(context);
}

static const Error *detach(RpcCall *call, const EchoManyRequest *request)
{
    Feed *self = calloc(1, sizeof(*self) + request->payload.len);

    if (!self)
        abort();
    throughline__echo__v1__echo_many_response__init(&self->response);
    memcpy(self->payload, request->payload.data, request->payload.len);
    self->response.payload = (ProtobufCBinaryData){ request->payload.len, self->payload };
    self->count = request->count;
    self->stream = rpc_detach(call);
    if (feed(self))
        rpc_stream_watch(self->stream, feed_more, self);
    return NULL;
}

static const Error *echo_many(RpcCall *call, const void *request, void *reply)
{
    const EchoManyRequest *req = request;
    EchoManyResponse *response = reply;
    const Error *error;

    check_range(call, "count", req->count, 0, ECHO_MAX_COUNT);
    if ((error = check_result(call)) || (error = defer(call)))
        return error;
    if (((EchoState *)call->service)->detaches)
        return detach(call, req);
    response->payload = req->payload;
    for (int32_t i = 0; i < req->count; i++) {
        response->number = i;
        if ((error = rpc_send(call, response)))
            return error;
        wait_for(call, milliseconds(req->delay));
    }
    return NULL;
}

static const Error *echo_count(RpcCall *call, const void *request, void *reply)
{
    EchoCountResponse *response = reply;
    const Error *error;
    void *message;

    (void)request;
    while (!(error = rpc_receive(call, &message)) && message) {
        response->messages++;
        response->bytes += (int64_t)((EchoCountRequest *)message)->payload.len;
        rpc_recycle(call);
    }
    return error ? error : defer(call);
}

static const Error *echo_each(RpcCall *call, const void *request, void *reply)
{
    EchoEachResponse *response = reply;
    const Error *error;
    void *message;

    (void)request;
    while (!(error = rpc_receive(call, &message)) && message) {
        response->payload = ((EchoEachRequest *)message)->payload;
        if ((error = rpc_send(call, response)))
            return error;
        rpc_recycle(call);
    }
    return error;
}

static const Error *echo_context(RpcCall *call, const void *request, void *reply)
{
    EchoContextResponse *response = reply;

    (void)request;
    response->account = (char *)call->caller->account;
    response->channel = (char *)call->context.channel;
    response->actor = (char *)call->context.actor;
    response->on_behalf_of = (char *)call->context.on_behalf_of;
    response->device = (char *)call->context.device;
    response->journey = (char *)call->context.journey;
    response->purpose = (char *)call->context.purpose;
    response->trace_id = call->trace_id;
    response->peer = (char *)call->peer;
    return NULL;
}

const RpcService echo_rpcs = THROUGHLINE__ECHO__V1__ECHO_SERVICE__INIT();

static const Error *begin(void *context, RpcCall *call, const ProtobufCMessage *request,
    ProtobufCMessage *reply, Bytes request_bytes)
{
    (void)request, (void)reply, (void)request_bytes;
    call->service = context;
    return NULL;
}

RpcHooks echo_hooks(EchoState *state)
{
    return (RpcHooks){ .context = state, .begin = begin };
}
