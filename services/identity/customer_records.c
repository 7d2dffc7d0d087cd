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

const Error *customer_check_access(const RpcCall *call, const Customer *customer)
{
    const char *actor = call->context.actor;
    bool is_channel = call->caller && !text_is_empty(call->caller->channel);

    if (!is_channel || !text_starts_with(actor, "customers/") ||
        text_equal(actor, customer->name) || merge_is_absorbed(customer, actor))
        return NULL;
    return &customer_not_found;
}
