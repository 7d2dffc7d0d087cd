#include "services/feedback/owners.h"

#include "shared/base/id.h"
#include "shared/codec/types.h"
#include "shared/service/aliases.h"

typedef Throughline__Feedback__V1__CaseCustomerLinked CaseCustomerLinked;
typedef Throughline__Feedback__V1__MentionCustomerLinked MentionCustomerLinked;

enum {
    SWEEP_AFTER_SECONDS = 60, /* longer than any call takes */
    LINK_BATCH = 100,
    SWEEP_BATCH = 100,
};

const Error customer_not_found = { ERROR_NOT_FOUND, "CUSTOMER_NOT_FOUND",
    "There is no such customer." };

static const Owned owned[] = { { &cases }, { &mentions }, { &notes }, { &order_summaries },
    { &survey_answers }, { 0 } };

static char *owner_name(Arena *arena, const char *key)
{
    char id[ID_SIZE];

    id_from(key, id);
    return arena_printf(arena, "handleOwners/%s", id);
}

static Timestamp *sweep_time(const RpcCall *call)
{
    return timestamp_from_micros(
        call->arena, call->arrived_at + (int64_t)SWEEP_AFTER_SECONDS * 1000000);
}

/* NOT_FOUND is an answer: there is none. */
static const Error *load(
    StoreView *view, const Collection *collection, const char *name, void *record, bool *is_found)
{
    const Error *error = store_get(view, collection, name, record);

    *is_found = !error;
    return error && error->code == ERROR_NOT_FOUND ? NULL : error;
}

const Error *owners_check_speaker(RpcCall *call, const char *customer)
{
    return text_starts_with(call->context.actor, "customers/")
               ? alias_check_reader(call, customer, &customer_not_found)
               : NULL;
}

const Error *owners_of_handle(StoreView *view, const char *key, const char **customer)
{
    HandleOwner owner = THROUGHLINE__FEEDBACK__V1__HANDLE_OWNER__INIT;
    bool is_found;
    const Error *error =
        load(view, &handle_owners, owner_name(view->arena, key), &owner, &is_found);

    return error ? error : alias_survivor(view, owner.customer, customer);
}

static StoreQuery nobodys(const char *key)
{
    return (StoreQuery){ .index = "identifier",
        .equal = { { .kind = STORE_TEXT, .text = key }, { .kind = STORE_TEXT, .text = "" } },
        .limit = LINK_BATCH };
}

/* What was linked is found no more, so a crash in between costs nothing but the rest. */
static const Error *link_cases(StoreView *view, const char *key, const char *customer)
{
    StoreQuery query = nobodys(key);
    StorePage page;
    const Error *error;

    do {
        if ((error = store_find(view, &cases, &query, &page)))
            return error;
        for (size_t i = 0; i < page.n_messages; i++) {
            Case *record = page.messages[i];
            CaseCustomerLinked event = THROUGHLINE__FEEDBACK__V1__CASE_CUSTOMER_LINKED__INIT;

            record->customer = (char *)customer;
            event.case_record = record;
            if ((error = store_replace(view, &cases, record, &event)))
                return error;
        }
    } while (page.n_messages > 0);
    return NULL;
}

static const Error *link_mentions(StoreView *view, const char *key, const char *customer)
{
    StoreQuery query = nobodys(key);
    StorePage page;
    const Error *error;

    do {
        if ((error = store_find(view, &mentions, &query, &page)))
            return error;
        for (size_t i = 0; i < page.n_messages; i++) {
            Mention *mention = page.messages[i];
            MentionCustomerLinked event = THROUGHLINE__FEEDBACK__V1__MENTION_CUSTOMER_LINKED__INIT;

            mention->customer = (char *)customer;
            event.mention = mention;
            if ((error = store_replace(view, &mentions, mention, &event)))
                return error;
        }
    } while (page.n_messages > 0);
    return NULL;
}

static const Error *link_handle(StoreView *view, const char *key, const char *owner)
{
    const char *customer;
    const Error *error;

    if (text_is_empty(owner))
        return NULL;
    if ((error = alias_survivor(view, owner, &customer)) ||
        (error = link_cases(view, key, customer)))
        return error;
    return link_mentions(view, key, customer);
}

static bool is_before(const Timestamp *a, const Timestamp *b)
{
    return timestamp_to_micros(a) < timestamp_to_micros(b);
}

const Error *owners_attach(
    RpcCall *call, const char *key, const char *customer, const Timestamp *since)
{
    StoreView steps = store_steps(call->store);
    HandleOwner owner = THROUGHLINE__FEEDBACK__V1__HANDLE_OWNER__INIT;
    bool is_found;
    const Error *error;

    if ((error = load(&steps, &handle_owners, owner_name(call->arena, key), &owner, &is_found)))
        return error;
    /* Events of two customers come in no order of their own: the later attachment counts. */
    if (is_found && is_before(since, owner.attach_time))
        return NULL;
    owner.name = owner_name(call->arena, key);
    owner.key = (char *)key;
    owner.customer = (char *)customer;
    owner.attach_time = (Timestamp *)since;
    owner.sweep_time = sweep_time(call);
    if ((error = store_put(&steps, &handle_owners, &owner, NULL)))
        return error;
    return link_handle(&steps, key, customer);
}

const Error *owners_detach(RpcCall *call, const char *key, const char *customer)
{
    StoreView steps = store_steps(call->store);
    HandleOwner owner = THROUGHLINE__FEEDBACK__V1__HANDLE_OWNER__INIT;
    const char *now;
    bool is_found;
    const Error *error;

    if ((error = load(&steps, &handle_owners, owner_name(call->arena, key), &owner, &is_found)) ||
        !is_found || (error = alias_survivor(&steps, owner.customer, &now)))
        return error;
    if (!text_equal(now, customer))
        return NULL;
    owner.customer = "";
    owner.sweep_time = NULL;
    return store_put(&steps, &handle_owners, &owner, NULL);
}

const Error *owners_merge(RpcCall *call, const char *duplicate, const char *survivor)
{
    return alias_learn(call, duplicate, survivor, owned);
}

static StoreQuery due(const RpcCall *call)
{
    return (StoreQuery){ .index = "sweep",
        .from = { .kind = STORE_TIME, .number = 1 },
        .below = { .kind = STORE_TIME, .number = call->arrived_at },
        .limit = SWEEP_BATCH };
}

static const Error *sweep_handles(RpcCall *call)
{
    StoreQuery query = due(call);
    StorePage page;
    const Error *error = store_find(call->store, &handle_owners, &query, &page);

    for (size_t i = 0; !error && i < page.n_messages; i++) {
        HandleOwner *owner = page.messages[i];

        if ((error = link_handle(call->store, owner->key, owner->customer)))
            return error;
        owner->sweep_time = NULL;
        error = store_replace(call->store, &handle_owners, owner, NULL);
    }
    return error;
}

const Error *sweep_owners(RpcCall *call)
{
    const Error *error = sweep_handles(call);

    return error ? error : alias_sweep(call, owned);
}
