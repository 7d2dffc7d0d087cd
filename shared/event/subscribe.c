/* The log for other services: everything after their positions, then everything new. */
#include "shared/event/event.h"

#include "shared/codec/message.h"
#include "shared/event/hub.h"
#include "shared/rpc/check.h"

typedef Throughline__Event__V1__Position Position;
typedef Throughline__Event__V1__SubscribeRequest SubscribeRequest;

enum { MAX_TYPES = 200, MAX_TYPE_LENGTH = 200 };

static const Error *check_position(RpcCall *call, const SubscribeRequest *request, size_t i)
{
    const Position *position = request->positions[i];
    const Error *error;
    int64_t head;

    if (position->partition < 0 || position->partition >= STORE_PARTITIONS) {
        check_fail(call, check_path(call, "positions[%zu].partition", i), "must be 0 to %d",
            STORE_PARTITIONS - 1);
        return NULL;
    }
    for (size_t j = 0; j < i; j++)
        if (request->positions[j]->partition == position->partition)
            check_fail(call, check_path(call, "positions[%zu].partition", i), "is there twice");
    error = event_log_head(call->store, position->partition, &head);
    if (!error && (position->sequence < 0 || position->sequence > head))
        check_fail(call, check_path(call, "positions[%zu].sequence", i),
            "must be within the log: 0 to %lld", (long long)head);
    return error;
}

const Error *event_subscribe(EventHub *hub, RpcCall *call, const SubscribeRequest *request)
{
    const Error *error;

    check_count(call, "positions", request->n_positions, 0, STORE_PARTITIONS);
    check_count(call, "types", request->n_types, 0, MAX_TYPES);
    check_range(call, "max_events", request->max_events, 0, EVENT_MAX_IN_MESSAGE);
    if ((error = check_result(call)))
        return error;
    for (size_t i = 0; i < request->n_types; i++)
        check_text(call, check_path(call, "types[%zu]", i), request->types[i], 1, MAX_TYPE_LENGTH);
    for (size_t i = 0; i < request->n_positions; i++)
        if ((error = check_position(call, request, i)))
            return error;
    if ((error = check_result(call)))
        return error;
    return event_hub_follow(hub, call,
        &(EventInterest){
            .positions = (const Position *const *)request->positions,
            .n_positions = request->n_positions,
            .types = request->types,
            .n_types = request->n_types,
            .max_events = request->max_events,
        });
}

/* The ends of the log. Where the hub knows how far it has read, one query tells which have moved since. */
static const Error *read_ends(EventHub *hub, StoreView *view, int64_t ends[STORE_PARTITIONS])
{
    unsigned ahead = STORE_ALL_PARTITIONS;
    const Error *error = NULL;

    if (event_hub_heads(hub, ends))
        error = event_log_ahead(view, ends, &ahead);
    for (int i = 0; i < STORE_PARTITIONS && !error; i++)
        if (ahead & 1u << i)
            error = event_log_head(view, i, &ends[i]);
    return error;
}

const Error *event_get_positions(
    EventHub *hub, RpcCall *call, Throughline__Event__V1__GetPositionsResponse *reply)
{
    int64_t ends[STORE_PARTITIONS];
    const Error *error = read_ends(hub, call->store, ends);

    if (error)
        return error;
    reply->positions = arena_array(call->arena, STORE_PARTITIONS, sizeof(*reply->positions));
    for (int i = 0; i < STORE_PARTITIONS; i++) {
        Position *position =
            message_new(call->arena, &throughline__event__v1__position__descriptor);

        position->partition = i;
        position->sequence = ends[i];
        reply->positions[reply->n_positions++] = position;
    }
    return NULL;
}
