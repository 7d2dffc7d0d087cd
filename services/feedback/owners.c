#include "services/feedback/owners.h"

#include "shared/base/id.h"
#include "shared/codec/types.h"
#include "shared/store/move.h"

typedef Throughline__Feedback__V1__CaseCustomerLinked CaseCustomerLinked;
typedef Throughline__Feedback__V1__MentionCustomerLinked MentionCustomerLinked;

enum {
    SWEEP_AFTER_SECONDS = 60, /* longer than any call takes */
    LINK_BATCH = 100,
    SWEEP_BATCH = 100,
};

const Error customer_not_found = { ERROR_NOT_FOUND, "CUSTOMER_NOT_FOUND",
    "There is no such customer." };

static const Collection *const owned[] = { &cases, &mentions, &notes, &order_summaries,
    &survey_answers };

static char *record_name(Arena *arena, const char *collection, const char *subject)
{
    char id[ID_SIZE];

    id_from(subject, id);
    return arena_printf(arena, "%s/%s", collection, id);
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

const Error *owners_survivor(StoreView *view, const char *customer, const char **survivor)
{
    const Error *error = NULL;
    bool is_merged = !text_is_empty(customer);

    *survivor = customer;
    for (int i = 0; is_merged && !error && i < OWNERS_MAX_ALIASES; i++) {
        CustomerAlias alias = THROUGHLINE__FEEDBACK__V1__CUSTOMER_ALIAS__INIT;

        error = load(view, &customer_aliases,
            record_name(view->arena, "customerAliases", *survivor), &alias, &is_merged);
        if (!error && is_merged)
            *survivor = alias.survivor;
    }
    return error;
}

bool owners_is_colleague(const RpcCall *call)
{
    return !text_starts_with(call->context.actor, "customers/") &&
           !text_starts_with(call->context.actor, "anonymous/");
}

const Error *owners_check_access(RpcCall *call, const char *customer, const Error *refusal)
{
    const char *self;
    const Error *error;

    if (owners_is_colleague(call))
        return NULL;
    if ((error = owners_survivor(call->store, call->context.actor, &self)))
        return error;
    return text_equal(self, customer) ? NULL : refusal;
}

const Error *owners_check_speaker(RpcCall *call, const char *customer)
{
    return text_starts_with(call->context.actor, "customers/")
               ? owners_check_access(call, customer, &customer_not_found)
               : NULL;
}

const Error *owners_of_handle(StoreView *view, const char *key, const char **customer)
{
    HandleOwner owner = THROUGHLINE__FEEDBACK__V1__HANDLE_OWNER__INIT;
    bool is_found;
    const Error *error = load(
        view, &handle_owners, record_name(view->arena, "handleOwners", key), &owner, &is_found);

    return error ? error : owners_survivor(view, owner.customer, customer);
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
    if ((error = owners_survivor(view, owner, &customer)) ||
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

    if ((error = load(&steps, &handle_owners, record_name(call->arena, "handleOwners", key), &owner,
             &is_found)))
        return error;
    /* Events of two customers come in no order of their own: the later attachment counts. */
    if (is_found && is_before(since, owner.attach_time))
        return NULL;
    owner.name = record_name(call->arena, "handleOwners", key);
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

    if ((error = load(&steps, &handle_owners, record_name(call->arena, "handleOwners", key), &owner,
             &is_found)) ||
        !is_found || (error = owners_survivor(&steps, owner.customer, &now)))
        return error;
    if (!text_equal(now, customer))
        return NULL;
    owner.customer = "";
    owner.sweep_time = NULL;
    return store_put(&steps, &handle_owners, &owner, NULL);
}

static const Error *move_all(StoreView *view, const char *duplicate)
{
    StoreQuery query = { .index = "customer",
        .equal = { { .kind = STORE_TEXT, .text = duplicate } } };
    const char *survivor;
    const Error *error = owners_survivor(view, duplicate, &survivor);

    if (!error && text_equal(survivor, duplicate))
        return NULL;
    for (size_t i = 0; !error && i < COUNT(owned); i++)
        error = store_move(view, owned[i], &query, "customer", survivor);
    return error;
}

const Error *owners_merge(RpcCall *call, const char *duplicate, const char *survivor)
{
    StoreView steps = store_steps(call->store);
    CustomerAlias alias = THROUGHLINE__FEEDBACK__V1__CUSTOMER_ALIAS__INIT;
    const char *end;
    const Error *error;

    /* Merges that met were turned round: the survivor is itself again. */
    if ((error = owners_survivor(&steps, survivor, &end)) ||
        (text_equal(end, duplicate) &&
            (error = store_delete(&steps, &customer_aliases,
                 record_name(call->arena, "customerAliases", survivor), ""))))
        return error;
    alias.name = record_name(call->arena, "customerAliases", duplicate);
    alias.customer = (char *)duplicate;
    alias.survivor = (char *)survivor;
    alias.sweep_time = sweep_time(call);
    if ((error = store_put(&steps, &customer_aliases, &alias, NULL)))
        return error;
    return move_all(&steps, duplicate);
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

static const Error *sweep_aliases(RpcCall *call)
{
    StoreQuery query = due(call);
    StorePage page;
    const Error *error = store_find(call->store, &customer_aliases, &query, &page);

    for (size_t i = 0; !error && i < page.n_messages; i++) {
        CustomerAlias *alias = page.messages[i];

        if ((error = move_all(call->store, alias->customer)))
            return error;
        alias->sweep_time = NULL;
        error = store_replace(call->store, &customer_aliases, alias, NULL);
    }
    return error;
}

const Error *sweep_owners(RpcCall *call)
{
    const Error *error = sweep_handles(call);

    return error ? error : sweep_aliases(call);
}
