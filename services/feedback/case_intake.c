#include "services/feedback/case_intake.h"

#include "services/feedback/identity_client.h"
#include "services/feedback/owners.h"
#include "shared/base/handle.h"
#include "shared/codec/types.h"
#include "shared/service/aliases.h"

typedef Throughline__Feedback__V1__CaseOpened CaseOpened;
typedef Throughline__Feedback__V1__CaseMessageAdded CaseMessageAdded;
typedef Throughline__Feedback__V1__CaseCustomerLinked CaseCustomerLinked;

const Error *intake_find_owner(
    RpcCall *call, const char *customer, const char *handle, IntakeOwner *owner)
{
    const Error *error;

    owner->customer = customer;
    owner->key = text_is_empty(handle) ? "" : handle_key(call->arena, handle);
    if (text_is_empty(customer) &&
        (error = owners_of_handle(call->store, owner->key, &owner->customer)))
        return error;
    if (text_is_empty(owner->customer))
        owner->customer = identity_owner_of(call, handle);
    return alias_survivor(call->store, owner->customer, &owner->customer);
}

static const Error *first_case(RpcCall *call, const StoreQuery *query, Case *record, bool *is_found)
{
    StorePage page;
    const Error *error;

    if ((error = store_find(call->store, &cases, query, &page)))
        return error;
    *is_found = page.n_messages > 0;
    if (*is_found)
        *record = *(Case *)page.messages[0];
    return NULL;
}

static const Error *find_by_open_key(RpcCall *call, const char *key, Case *record, bool *is_found)
{
    StoreQuery query = {
        .index = "open_key", .equal = { { .kind = STORE_TEXT, .text = key } }, .limit = 1
    };

    return text_is_empty(key) ? NULL : first_case(call, &query, record, is_found);
}

const Error *intake_find_case(RpcCall *call, const IntakeOwner *owner, Case *record, bool *is_found)
{
    /* Every open case has a key, and every key is above "". */
    StoreQuery any_open = { .index = "customer_open",
        .equal = { { .kind = STORE_TEXT, .text = owner->customer } },
        .from = { .kind = STORE_TEXT, .text = "!" },
        .is_descending = true,
        .limit = 1 };
    const Error *error;

    *is_found = false;
    if ((error = find_by_open_key(call, owner->customer, record, is_found)) || *is_found ||
        (error = find_by_open_key(call, owner->key, record, is_found)) || *is_found)
        return error;
    return text_is_empty(owner->customer) ? NULL : first_case(call, &any_open, record, is_found);
}

CaseMessage *intake_message(const RpcCall *call, const char *text)
{
    CaseMessage *message = arena_alloc(call->arena, sizeof(*message));

    *message = (CaseMessage)THROUGHLINE__FEEDBACK__V1__CASE_MESSAGE__INIT;
    message->author = THROUGHLINE__FEEDBACK__V1__CASE_MESSAGE__AUTHOR__CUSTOMER;
    message->text = (char *)text;
    message->channel = (char *)call->context.channel;
    message->actor = (char *)call->context.actor;
    message->time = timestamp_from_micros(call->arena, call->arrived_at);
    return message;
}

const Error *intake_join_case(
    RpcCall *call, Case *record, const IntakeOwner *owner, CaseMessage *message)
{
    bool is_linked = text_is_empty(record->customer) && !text_is_empty(owner->customer);
    CaseMessageAdded added = THROUGHLINE__FEEDBACK__V1__CASE_MESSAGE_ADDED__INIT;
    CaseCustomerLinked linked = THROUGHLINE__FEEDBACK__V1__CASE_CUSTOMER_LINKED__INIT;
    const void *events[] = { &linked, &added };
    StoreWrite write = { .kind = STORE_REPLACE,
        .collection = &cases,
        .message = record,
        .events = is_linked ? events : events + 1,
        .n_events = is_linked ? 2 : 1 };
    const Error *error;

    if ((error = case_add_message(record, message, call->arena)))
        return error;
    if (is_linked)
        record->customer = (char *)owner->customer;
    added.case_record = linked.case_record = record;
    return store_write(call->store, &write, 1);
}

const Error *intake_open_case(
    StoreView *view, Case *record, const char *open_key, bool may_stand_alone)
{
    CaseOpened event = THROUGHLINE__FEEDBACK__V1__CASE_OPENED__INIT;
    const Error *error;

    event.case_record = record;
    record->open_key = (char *)open_key;
    error = store_insert(view, &cases, record, &event);
    if (!may_stand_alone || !error || !text_equal(error->reason, "OPEN_KEY_TAKEN"))
        return error;
    record->open_key = record->name;
    return store_insert(view, &cases, record, &event);
}
