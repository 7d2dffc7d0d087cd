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

/* An event on its way into the timeline. */
typedef struct Telling {
    const Event *event;
    TimelineEntry entry;
    const char *adopted; /* the aggregate that is the customer's from this event on; NULL: none */
    size_t alike;        /* the first of the same aggregate and customer */
    const char *owner, *survivor;
} Telling;

static Telling telling_of(Arena *arena, const Event *event)
{
    const ProtobufCMessage *payload = payload_of(arena, event);
    Telling telling = { .event = event, .entry = entry_of(arena, event, payload) };

    if (!text_is_empty(event->customer))
        telling.adopted = summary_adopted(payload, event->aggregate);
    return telling;
}

/* What is there already is loaded: it may have been moved. */
static const Error *insert_entries(StoreView *view, Telling *tellings, size_t n)
{
    StoreWrite *writes = arena_array(view->arena, n, sizeof(*writes));

    for (size_t i = 0; i < n; i++)
        writes[i] = (StoreWrite){
            .kind = STORE_INSERT, .collection = &timeline, .message = &tellings[i].entry
        };
    store_write(view, writes, n);
    for (size_t i = 0; i < n; i++) {
        const Error *error = writes[i].error;

        if (error && error->code == ERROR_ALREADY_EXISTS)
            error = store_get(view, &timeline, tellings[i].entry.name, &tellings[i].entry);
        if (error)
            return error;
    }
    return NULL;
}

/* Of several events of one aggregate the first one is asked for all. */
static size_t first_alike(const Telling *tellings, size_t i)
{
    size_t j = 0;

    while (!text_equal(tellings[j].event->aggregate, tellings[i].event->aggregate) ||
           !text_equal(tellings[j].event->customer, tellings[i].event->customer))
        j++;
    return j;
}

/* Whose the events are: the log says so, or the aggregate has become somebody's since; "" when nobody
 * knows. */
static const Error *find_owners(StoreView *view, Telling *tellings, size_t n)
{
    const char **names = arena_array(view->arena, n, sizeof(*names));
    void **records = arena_array(view->arena, n, sizeof(*records));
    size_t *asking = arena_array(view->arena, n, sizeof(*asking)), n_asking = 0;
    const Error *error;

    for (size_t i = 0; i < n; i++) {
        const Event *event = tellings[i].event;

        tellings[i].alike = first_alike(tellings, i);
        tellings[i].owner = event->customer;
        if (tellings[i].alike != i || !text_is_empty(event->customer))
            continue;
        asking[n_asking] = i;
        names[n_asking++] = owner_record(view->arena, event->aggregate);
    }
    if (n_asking && (error = store_get_many(view, &aggregate_owners, names, n_asking, records)))
        return error;
    for (size_t i = 0; i < n_asking; i++)
        if (records[i])
            tellings[asking[i]].owner = ((const AggregateOwner *)records[i])->customer;
    return NULL;
}

/* The customers that the owners are part of now. What the events lead to is stored under the
 * customers that they name first, and only then this is asked: an adoption or a merge at the same
 * time either finds it there or is found here. */
static const Error *find_survivors(StoreView *view, Telling *tellings, size_t n)
{
    const Error *error = find_owners(view, tellings, n);

    for (size_t i = 0; i < n && !error; i++) {
        tellings[i].survivor =
            tellings[i].alike == i ? tellings[i].owner : tellings[tellings[i].alike].survivor;
        if (tellings[i].alike == i && !text_is_empty(tellings[i].owner))
            error = customer_survivor_name(view, tellings[i].owner, &tellings[i].survivor);
    }
    return error;
}

static const Error *move_entries(StoreView *view, Telling *tellings, size_t n)
{
    StoreWrite *writes = arena_array(view->arena, n, sizeof(*writes));
    size_t n_writes = 0;

    for (size_t i = 0; i < n; i++) {
        TimelineEntry *entry = &tellings[i].entry;

        if (text_equal(entry->customer, tellings[i].survivor))
            continue;
        entry->customer = (char *)tellings[i].survivor;
        writes[n_writes++] =
            (StoreWrite){ .kind = STORE_REPLACE, .collection = &timeline, .message = entry };
    }
    return store_write(view, writes, n_writes);
}

/* Up to an event that gives an aggregate its customer, which counts for those behind it. */
static const Error *tell_some(StoreView *view, Telling *tellings, size_t n)
{
    const Telling *last = &tellings[n - 1];
    const Error *error;

    if ((error = insert_entries(view, tellings, n)) ||
        (error = find_survivors(view, tellings, n)) || (error = move_entries(view, tellings, n)))
        return error;
    return last->adopted ? adopt(view, last->adopted, last->event->customer) : NULL;
}

const Error *tell_events(RpcCall *call, const Event *const *events, size_t n_events)
{
    Telling *tellings = arena_array(call->arena, n_events, sizeof(*tellings));
    /* Several documents, each named after its event: no mark is needed, and each may be there
     * already. */
    StoreView steps = store_steps(call->store);
    const Error *error = NULL;

    for (size_t i = 0, n = 0; i < n_events && !error; i++) {
        tellings[i] = telling_of(call->arena, events[i]);
        n++;
        if (!tellings[i].adopted && i + 1 < n_events)
            continue;
        error = tell_some(&steps, &tellings[i + 1 - n], n);
        n = 0;
    }
    return error;
}

static const Error *record_consent(
    StoreView *view, const Event *event, size_t number, Consent *consent, const char *merged)
{
    ConsentRecord record = THROUGHLINE__IDENTITY__V1__CONSENT_RECORD__INIT;
    const char *survivor;
    const Error *error;

    record.name = arena_printf(
        view->arena, "%s-%zu", place_in_log(view->arena, "consentRecords", event), number);
    record.customer = record.origin = event->customer;
    record.consent = consent;
    record.merged = (char *)merged;
    error = store_insert(view, &consent_records, &record, NULL);
    if (error && error->code == ERROR_ALREADY_EXISTS)
        error = store_get(view, &consent_records, record.name, &record);
    if (error || (error = customer_survivor_name(view, event->customer, &survivor)) ||
        text_equal(record.customer, survivor))
        return error;
    record.customer = (char *)survivor;
    return store_replace(view, &consent_records, &record, NULL);
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

    if ((error = tell_events(call, &event, 1)))
        return error;
    if (changed && changed->consent)
        return record_consent(&steps, event, 0, changed->consent, "");
    return merged ? hand_over(&steps, event, merged) : NULL;
}
