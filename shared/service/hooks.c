/* What stands between the run time and the store: each call gets its view; a repeated request
 * gets its first answer. */
#include "shared/service/running.h"

#include "shared/base/id.h"

#include <assert.h>
#include <string.h>

const Error service_store_away = { ERROR_UNAVAILABLE, "STORE_UNAVAILABLE",
    "The store does not answer: try again a little later.", .retry_after_ms = TRY_AGAIN_MS };

ServiceContext *service_of(const RpcCall *call)
{
    return call->service;
}

RpcClient *service_peer(const RpcCall *call, const char *name)
{
    const struct ServicePeer *peer = service_of(call)->peers;

    while (peer->name && !text_equal(peer->name, name))
        peer++;
    assert(peer->name && "a service calls only the peers that it names");
    return peer->client;
}

StoreView service_view(RpcCall *call, Store *store)
{
    return (StoreView){
        .store = store,
        .arena = call->arena,
        .deadline = call->deadline == INT64_MAX ? 0 : call->deadline,
        .seal = event_seal,
        .seal_context = call,
    };
}

static void write_ended(void *context, bool is_done)
{
    rpc_deferral_end(context, is_done);
}

const Error *service_replace_last(
    RpcCall *call, const Collection *collection, void *message, const void *event)
{
    RpcDeferral *deferral = store_can_defer(call->store->store) ? rpc_defer(call) : NULL;

    if (!deferral)
        return store_replace(call->store, collection, message, event);
    store_replace_later(call->store, collection, message, event, write_ended, deferral);
    rpc_deferral_reply(deferral, call->store->packed_reply);
    return &rpc_deferred;
}

static const char *request_id(const ProtobufCMessage *request)
{
    const ProtobufCFieldDescriptor *field;
    char *const *id;

    if (!request)
        return "";
    field = protobuf_c_message_descriptor_get_field_by_name(request->descriptor, "request_id");
    if (!field || field->type != PROTOBUF_C_TYPE_STRING ||
        field->label == PROTOBUF_C_LABEL_REPEATED)
        return "";
    id = (char *const *)((const char *)request + field->offset);
    return *id ? *id : "";
}

/* What makes two requests the same: method and bytes. */
static void hash_request(const RpcCall *call, Bytes bytes, uint8_t hash[32])
{
    size_t method = strlen(call->method) + 1;
    uint8_t *all = arena_alloc(call->arena, method + bytes.size);

    memcpy(all, call->method, method);
    if (bytes.size)
        memcpy(all + method, bytes.data, bytes.size);
    id_digest(all, method + bytes.size, hash);
}

static const Error *begin(void *context, RpcCall *call, const ProtobufCMessage *request,
    ProtobufCMessage *reply, Bytes request_bytes)
{
    RunningService *running = context;
    StoreView *view;
    const char *id = request_id(request);

    call->service = &running->context;
    if (!call->caller) /* health and reflection answer whatever the store does */
        return NULL;
    if (!atomic_load(&running->is_open))
        return &service_store_away;
    view = arena_alloc(call->arena, sizeof(*view));
    *view = service_view(call, running->context.store);
    view->is_hasty = !rpc_may_block(call);
    call->store = view;
    if (!*id)
        return NULL;
    view->request_key = arena_printf(call->arena, "%s/%s", call->caller->account, id);
    view->reply = reply;
    hash_request(call, request_bytes, view->request_hash);
    return store_find_reply(view);
}

/* What depends on what is stored, so that a twin of the call that was answered meanwhile may have brought it about. */
static bool depends_on_state(const Error *error)
{
    return error->code == ERROR_FAILED_PRECONDITION || error->code == ERROR_NOT_FOUND ||
           error->code == ERROR_ALREADY_EXISTS || error->code == ERROR_ABORTED;
}

/* The first answer where there is one by now, else the error as it is. */
static const Error *look_again(const RpcCall *call, const Error *error)
{
    const Error *found = store_find_reply(call->store);

    return found && (found->code == ERROR_ALREADY_EXISTS || found == &store_would_wait) ? found
                                                                                        : error;
}

static const Error *end(void *context, RpcCall *call, const Error *error, Bytes *replayed)
{
    (void)context;
    if (error && error != &store_replayed && depends_on_state(error) && call->store)
        error = look_again(call, error);
    if (error == &store_would_wait)
        return &rpc_needs_worker;
    if (error == &store_replayed) {
        *replayed = call->store->replayed;
        return NULL;
    }
    if (error && error->code == ERROR_UNAVAILABLE && error->retry_after_ms == 0 &&
        text_equal(error->reason, service_store_away.reason))
        return error_with_retry(call->arena, error, TRY_AGAIN_MS);
    return error;
}

RpcHooks service_hooks(RunningService *running)
{
    return (RpcHooks){ .context = running, .begin = begin, .end = end };
}
