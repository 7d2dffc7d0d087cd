#include "services/identity/customer_records.h"

static const Error customer_not_found = { ERROR_NOT_FOUND, "CUSTOMER_NOT_FOUND",
    "There is no such customer." };

const Error merge_conflict = { ERROR_ABORTED, "MERGE_CONFLICT",
    "Somebody merges the same customers the other way round: load them again.",
    .retry_after_ms = 100 };

const Error *customer_load(StoreView *view, const char *name, Customer *customer)
{
    throughline__identity__v1__customer__init(customer);
    return store_get(view, &customers, name, customer);
}

const Error *customer_load_survivor(StoreView *view, const char *name, Customer *survivor)
{
    Customer *path = NULL;
    size_t n = 0;
    const Error *error;

    if ((error = customer_load(view, name, survivor)))
        return error;
    while (customer_is_merged(survivor)) {
        if (n == CUSTOMER_MAX_MERGES)
            return &merge_conflict;
        path = arena_grow(view->arena, path, n, n + 1, sizeof(*path));
        path[n++] = *survivor;
        if ((error = customer_load(view, path[n - 1].merged_into, survivor)))
            return error;
    }
    while (n-- > 0) {
        CustomersMerged event = THROUGHLINE__IDENTITY__V1__CUSTOMERS_MERGED__INIT;

        merge_absorb(survivor, &path[n], view->arena, &event);
    }
    return NULL;
}

const Error *customer_survivor_name(StoreView *view, const char *name, const char **survivor)
{
    Customer customer;
    const Error *error = customer_load_survivor(view, name, &customer);

    *survivor = error ? name : customer.name;
    return error && error->code == ERROR_NOT_FOUND ? NULL : error;
}

const Error *customer_find(StoreView *view, const char *key, Customer *survivor)
{
    StoreQuery query = {
        .index = "identifier", .equal = { { .kind = STORE_TEXT, .text = key } }, .limit = 1
    };
    StorePage page;
    const Error *error;

    if ((error = store_find(view, &customers, &query, &page)))
        return error;
    if (page.n_messages == 0)
        return &customer_not_found;
    return customer_load_survivor(view, ((Customer *)page.messages[0])->name, survivor);
}

bool customer_asks(const RpcCall *call)
{
    return call->caller && !text_is_empty(call->caller->channel) &&
           text_starts_with(call->context.actor, "customers/");
}

const Error *customer_check_access(const RpcCall *call, const Customer *customer, const char *name)
{
    const char *actor = call->context.actor;

    if (!customer_asks(call) || text_equal(actor, customer->name) ||
        merge_is_absorbed(customer, actor))
        return NULL;
    return name ? error_new(call->arena, customer_not_found.code, customer_not_found.reason,
                      "There is no \"%s\".", name)
                : &customer_not_found;
}

/* Whether another record holds what the identifier claims. */
static const Error *is_anothers(
    StoreView *view, const Customer *customer, const Identifier *identifier, bool *is_so)
{
    StoreQuery query = { .index = "identifier",
        .equal = { { .kind = STORE_TEXT, .text = identifier->claim } },
        .limit = 1 };
    StorePage page = { 0 };
    const Error *error = NULL;

    if (!text_is_empty(identifier->claim))
        error = store_find(view, &customers, &query, &page);
    *is_so = page.n_messages > 0 &&
             !text_equal(((const Customer *)page.messages[0])->name, customer->name);
    return error;
}

const Error *customer_explain(StoreView *view, const Customer *customer, const Error *error)
{
    const char *taken = "";
    const Error *explained;

    if (!error || !text_equal(error->reason, "IDENTIFIER_TAKEN"))
        return error;
    for (size_t i = 0; i < customer->n_identifiers; i++) {
        const Identifier *identifier = customer->identifiers[i];
        bool is_taken;

        if (is_anothers(view, customer, identifier, &is_taken))
            return error;
        if (is_taken)
            taken = arena_printf(view->arena, "%s%s%s", taken, *taken ? ", " : "", identifier->key);
    }
    if (!*taken)
        return error;
    explained = error_new(view->arena, error->code, error->reason,
        "Another customer has %s: merge the two, or detach it there first.", taken);
    return error_with_fact(view->arena, explained, "identifiers", taken);
}
