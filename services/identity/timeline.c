#include "services/identity/timeline.h"

#include "services/identity/customer_records.h"
#include "services/identity/domain/summary.h"
#include "shared/base/id.h"
#include "shared/codec/message.h"
#include "shared/store/move.h"

#include <string.h>

typedef Throughline__Identity__V1__ConsentChanged ConsentChanged;

static const char *owner_record(Arena *arena, const char *aggregate)
{
    char id[ID_SIZE];

    id_from(aggregate, id);
    return arena_printf(arena, "aggregateOwners/%s", id);
}

/* Whose the event is: the log says so, or the aggregate has become somebody's since; "" when nobody
 * knows. */
static const Error *find_owner(StoreView *view, const Event *event, const char **owner)
{
    AggregateOwner record = THROUGHLINE__IDENTITY__V1__AGGREGATE_OWNER__INIT;
    const Error *error;

    *owner = event->customer;
    if (!text_is_empty(event->customer))
        return NULL;
    error =
        store_get(view, &aggregate_owners, owner_record(view->arena, event->aggregate), &record);
    if (!error)
        *owner = record.customer;
    return error && error->code == ERROR_NOT_FOUND ? NULL : error;
}

/* Brings a document to its customer's survivor. It is stored under the customer it names first and
 * only then looked for its owner and the owner's survivor: an adoption or a merge at the same time
 * either finds it there or is found here. `customer` points into the document. */
static const Error *place(StoreView *view, const Collection *collection, void *document,
    const char *name, char **customer, const Event *event)
{
    const char *owner, *survivor;
    const Error *error = store_insert(view, collection, document, NULL);

    if (error && error->code == ERROR_ALREADY_EXISTS)
        error = store_get(view, collection, name, document);
    if (error || (error = find_owner(view, event, &owner)) ||
        (error = customer_survivor_name(view, owner, &survivor)))
        return error;
    if (text_equal(*customer, survivor))
        return NULL;
    *customer = (char *)survivor;
    return store_replace(view, collection, document, NULL);
}

/* The aggregate is the customer's from its first event on: those that were told and, by the record,
 * those still to come. */
static const Error *adopt(StoreView *view, const char *aggregate, const char *customer)
{
    AggregateOwner record = THROUGHLINE__IDENTITY__V1__AGGREGATE_OWNER__INIT;
    StoreQuery query = { .index = "aggregate",
        .equal = {
            { .kind = STORE_TEXT, .text = aggregate }, { .kind = STORE_TEXT, .text = "" } } };
    const char *survivor;
    const Error *error;

    record.name = (char *)owner_record(view->arena, aggregate);
    record.aggregate = (char *)aggregate;
    record.customer = (char *)customer;
    if ((error = store_put(view, &aggregate_owners, &record, NULL)) ||
        (error = customer_survivor_name(view, customer, &survivor)))
        return error;
    return store_move(view, &timeline, &query, "customer", survivor);
}

static const char *place_in_log(Arena *arena, const char *collection, const Event *event)
{
    return arena_printf(arena, "%s/%s-%d-%019lld", collection, event->source, event->partition,
        (long long)event->sequence);
}

static TimelineEntry entry_of(Arena *arena, const Event *event, const ProtobufCMessage *payload)
{
    TimelineEntry entry = THROUGHLINE__IDENTITY__V1__TIMELINE_ENTRY__INIT;
    const char *type = event->payload ? strrchr(event->payload->type_url, '.') : NULL;

    type = type ? type + 1 : "";
    entry.name = (char *)place_in_log(arena, "timeline", event);
    entry.customer = entry.origin = event->customer;
    entry.time = event->time;
    entry.source = event->source;
    entry.type = (char *)type;
    entry.summary = (char *)summary_of(payload, type, arena);
    entry.aggregate = event->aggregate;
    entry.aggregate_sequence = event->aggregate_sequence;
    entry.channel = event->channel;
    entry.actor = event->actor;
    entry.on_behalf_of = event->on_behalf_of;
    return entry;
}

static void *payload_of(Arena *arena, const Event *event)
{
    const Google__Protobuf__Any *any = event->payload;

    return any ? message_from_any(arena, any->type_url, (Bytes){ any->value.data, any->value.len })
               : NULL;
}

const Error *tell_event(RpcCall *call, const Event *event)
{
    /* Several documents, each named after the event: no mark is needed, and each may be there
     * already. */
    StoreView steps = store_steps(call->store);
    const ProtobufCMessage *payload = payload_of(call->arena, event);
    TimelineEntry entry = entry_of(call->arena, event, payload);
    const char *adopted = summary_adopted(payload, event->aggregate);
    const Error *error;

    if ((error = place(&steps, &timeline, &entry, entry.name, &entry.customer, event)))
        return error;
    if (!adopted || text_is_empty(event->customer))
        return NULL;
    return adopt(&steps, adopted, event->customer);
}

static const Error *record_consent(
    StoreView *view, const Event *event, size_t number, Consent *consent, const char *merged)
{
    ConsentRecord record = THROUGHLINE__IDENTITY__V1__CONSENT_RECORD__INIT;

    record.name = arena_printf(
        view->arena, "%s-%zu", place_in_log(view->arena, "consentRecords", event), number);
    record.customer = record.origin = event->customer;
    record.consent = consent;
    record.merged = (char *)merged;
    return place(view, &consent_records, &record, record.name, &record.customer, event);
}

/* Everything under the merged record goes to whoever it is part of now. */
static const Error *hand_over(StoreView *view, const Event *event, const CustomersMerged *merged)
{
    StoreQuery query = { .index = "customer",
        .equal = { { .kind = STORE_TEXT, .text = merged->duplicate } } };
    const char *survivor;
    const Error *error;

    for (size_t i = 0; i < merged->n_consents; i++)
        if ((error = record_consent(view, event, i, merged->consents[i], merged->duplicate)))
            return error;
    if ((error = customer_survivor_name(view, merged->duplicate, &survivor)) ||
        text_equal(survivor, merged->duplicate) ||
        (error = store_move(view, &consent_records, &query, "customer", survivor)))
        return error;
    return store_move(view, &timeline, &query, "customer", survivor);
}

const Error *tell_own_event(RpcCall *call, const Event *event)
{
    StoreView steps = store_steps(call->store);
    const ConsentChanged *changed =
        event_payload(call->arena, event, &throughline__identity__v1__consent_changed__descriptor);
    const CustomersMerged *merged =
        event_payload(call->arena, event, &throughline__identity__v1__customers_merged__descriptor);
    const Error *error;

    if ((error = tell_event(call, event)))
        return error;
    if (changed && changed->consent)
        return record_consent(&steps, event, 0, changed->consent, "");
    return merged ? hand_over(&steps, event, merged) : NULL;
}
