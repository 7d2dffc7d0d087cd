#include "shared/service/aliases.h"

#include "shared/base/id.h"
#include "shared/codec/types.h"
#include "shared/store/move.h"

#include "throughline/identity/v1/alias.pb-c.h"
#include "throughline/identity/v1/events.pb-c.h"

typedef Throughline__Identity__V1__CustomerAlias CustomerAlias;

enum {
    SWEEP_AFTER_SECONDS = 60, /* longer than any call takes */
    SWEEP_BATCH = 100,
};

const Collection customer_aliases = {
    .name = "customer_aliases",
    .message = &throughline__identity__v1__customer_alias__descriptor,
    .indexes = { { .name = "sweep", .fields = { "sweep_time" } } },
};

const ProtobufCMessageDescriptor *const alias_events[] = {
    &throughline__identity__v1__customers_merged__descriptor,
    NULL,
};

static char *alias_name(Arena *arena, const char *customer)
{
    char id[ID_SIZE];

    id_from(customer, id);
    return arena_printf(arena, "customerAliases/%s", id);
}

const Error *alias_survivor(StoreView *view, const char *customer, const char **survivor)
{
    *survivor = customer;
    if (text_is_empty(customer))
        return NULL;
    for (int i = 0; i < ALIASES_MAX; i++) {
        CustomerAlias alias = THROUGHLINE__IDENTITY__V1__CUSTOMER_ALIAS__INIT;
        const Error *error =
            store_get(view, &customer_aliases, alias_name(view->arena, *survivor), &alias);

        if (error)
            return error->code == ERROR_NOT_FOUND ? NULL : error;
        *survivor = alias.survivor;
    }
    return NULL;
}

bool alias_is_colleague(const RpcCall *call)
{
    return !text_starts_with(call->context.actor, "customers/") &&
           !text_starts_with(call->context.actor, "anonymous/");
}

const Error *alias_check_reader(RpcCall *call, const char *customer, const Error *refusal)
{
    const char *self;
    const Error *error;

    if (alias_is_colleague(call) || text_equal(call->context.actor, customer))
        return NULL;
    if ((error = alias_survivor(call->store, call->context.actor, &self)))
        return error;
    return text_equal(self, customer) ? NULL : refusal;
}

static const Error *move_all(StoreView *view, const char *duplicate, const Owned *owned)
{
    StoreQuery query = { .index = "customer",
        .equal = { { .kind = STORE_TEXT, .text = duplicate } } };
    const char *survivor;
    const Error *error = alias_survivor(view, duplicate, &survivor);

    if (!error && text_equal(survivor, duplicate))
        return NULL;
    for (; !error && owned->collection; owned++)
        error = store_move_keeping(
            view, owned->collection, &query, "customer", survivor, owned->origin);
    return error;
}

const Error *alias_learn(
    RpcCall *call, const char *duplicate, const char *survivor, const Owned *owned)
{
    StoreView steps = store_steps(call->store);
    CustomerAlias alias = THROUGHLINE__IDENTITY__V1__CUSTOMER_ALIAS__INIT;
    const char *end;
    const Error *error;

    /* Merges that met were turned round: the survivor is itself again. */
    if ((error = alias_survivor(&steps, survivor, &end)) ||
        (text_equal(end, duplicate) && (error = store_delete(&steps, &customer_aliases,
                                            alias_name(call->arena, survivor), ""))))
        return error;
    alias.name = alias_name(call->arena, duplicate);
    alias.customer = (char *)duplicate;
    alias.survivor = (char *)survivor;
    alias.sweep_time = timestamp_from_micros(
        call->arena, call->arrived_at + (int64_t)SWEEP_AFTER_SECONDS * 1000000);
    if ((error = store_put(&steps, &customer_aliases, &alias, NULL)))
        return error;
    return move_all(&steps, duplicate, owned);
}

const Error *alias_sweep(RpcCall *call, const Owned *owned)
{
    StoreQuery query = { .index = "sweep",
        .from = { .kind = STORE_TIME, .number = 1 },
        .below = { .kind = STORE_TIME, .number = call->arrived_at },
        .limit = SWEEP_BATCH };
    StorePage page;
    const Error *error = store_find(call->store, &customer_aliases, &query, &page);

    for (size_t i = 0; !error && i < page.n_messages; i++) {
        CustomerAlias *alias = page.messages[i];

        if ((error = move_all(call->store, alias->customer, owned)))
            return error;
        alias->sweep_time = NULL;
        error = store_replace(call->store, &customer_aliases, alias, NULL);
    }
    return error;
}
