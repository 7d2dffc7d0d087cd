/* Deleting a small record leaves a tombstone under its name, whose version goes on: replicas that hear of things late, and one that
 * starts anew, cannot take an older record for the newest. */
#include "services/catalog/records.h"

#include "services/catalog/governance/governance.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "shared/rpc/check.h"
#include "shared/service/race.h"

typedef Google__Protobuf__Timestamp Timestamp;

/* Puts the tombstone in the record's place. */
static const Error *bury(RpcCall *call, const RecordKind *kind, void *record)
{
    void *tombstone = message_new(call->arena, kind->collection->message);
    TaxonomyChanged event;
    const Error *error;

    record_changed(&event, kind, tombstone, deed_of(call, ""));
    event.title = record_title(record);
    *(char **)message_field(tombstone, "name") = *(char **)message_field(record, "name");
    *(char **)message_field(tombstone, "etag") = *(char **)message_field(record, "etag");
    *(Timestamp **)message_field(tombstone, "delete_time") =
        timestamp_from_micros(call->arena, call->arrived_at);
    if (!(error = store_replace(call->store, kind->collection, tombstone, &event)))
        catalog_put_record(catalog_of(call), &event);
    catalog_refresh(catalog_of(call));
    return error;
}

static const Error *delete_once(
    RpcCall *call, const RecordKind *kind, const char *name, const char *etag)
{
    void *record = message_new(call->arena, kind->collection->message);
    Users users = { .arena = call->arena, .is_discreet = bound_channel(call) != NULL };
    const Error *error = record_get(call, kind, name, record);

    if (error)
        return error;
    if (*etag && !text_equal(etag, *(char **)message_field(record, "etag")))
        return &record_etag_stale;
    if (kind->find_users && (error = kind->find_users(call, record, &users)))
        return error;
    error = users_refusal(&users, kind->in_use);
    return error ? error : bury(call, kind, record);
}

void check_delete(RpcCall *call, const char *pattern, const char *name, const char *request_id)
{
    check_name(call, "name", name, pattern);
    check_request_id(call, request_id);
}

const Error *record_delete(
    RpcCall *call, const RecordKind *kind, const char *name, const char *etag)
{
    Race race __attribute__((cleanup(race_end))) = race_start(call, name);
    const Error *error;

    do
        error = delete_once(call, kind, name, etag);
    while (race_lost(&race, error, etag));
    return error;
}
