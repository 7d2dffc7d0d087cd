#include "services/identity/merge_steps.h"

#include "services/identity/customer_records.h"
#include "shared/codec/types.h"

#include <string.h>

/* Not a failure: the marks have changed, look again. */
static const Error circle_opened = { ERROR_ABORTED, "CIRCLE_OPENED", "A circle was opened." };

enum {
    ABANDONED_AFTER_SECONDS = 5,
    FINISH_BATCH = 50,
};

/* Where the marks lead: the record they end at; or, when they lead back to where they began, the
 * one that must stay itself. */
typedef struct Trail {
    Customer end;
    bool is_circle;
    bool is_absorbed; /* somebody on the way, or the end, has taken the first record over */
} Trail;

static const Error *follow(StoreView *view, const Customer *first, Trail *trail)
{
    Customer lowest = *first;
    Customer at = *first;
    const Error *error;

    *trail = (Trail){ 0 };
    for (int steps = 0; customer_is_merged(&at); steps++) {
        if (steps > CUSTOMER_MAX_MERGES)
            return &merge_conflict;
        if ((error = customer_load(view, arena_text(view->arena, at.merged_into), &at)))
            return error;
        trail->is_absorbed = trail->is_absorbed || merge_is_absorbed(&at, first->name);
        trail->is_circle = text_equal(at.name, first->name);
        if (trail->is_circle)
            break;
        if (strcmp(at.name, lowest.name) < 0)
            lowest = at;
    }
    trail->end = trail->is_circle ? lowest : at;
    return NULL;
}

static const Error *open_circle(StoreView *view, Customer *lowest)
{
    StoreView steps = store_steps(view);

    merge_revive(lowest, view->arena);
    return store_replace(&steps, &customers, lowest, NULL);
}

/* In the name of whoever merged them, whoever takes the step. */
static const Error *store_absorbed(RpcCall *call, StoreView *view, const Merge *merge,
    Customer *survivor, const CustomersMerged *event)
{
    RpcContext context = call->context;
    const Error *error;

    call->context.channel = merge->channel;
    call->context.actor = merge->actor;
    error = store_replace(view, &customers, survivor, event);
    call->context = context;
    return error;
}

const Error *merge_take_over(
    RpcCall *call, StoreView *view, const char *duplicate, Customer *survivor)
{
    const Error *error;
    Race race __attribute__((cleanup(race_end))) = race_start(call, duplicate);

    do {
        CustomersMerged event = THROUGHLINE__IDENTITY__V1__CUSTOMERS_MERGED__INIT;
        Customer marked;
        Trail trail;

        if ((error = customer_load(view, duplicate, &marked)))
            return error;
        if (!customer_is_merged(&marked))
            return &merge_conflict;
        if ((error = follow(view, &marked, &trail)))
            return error;
        if (trail.is_circle) {
            error = open_circle(view, &trail.end);
            if (!error)
                error = &circle_opened;
            continue;
        }
        *survivor = trail.end;
        if (trail.is_absorbed)
            return NULL;
        merge_absorb(survivor, &marked, view->arena, &event);
        error = store_absorbed(call, view, marked.merge, survivor, &event);
    } while ((error == &circle_opened && race_again(&race)) || race_lost(&race, error, ""));
    return error;
}

/* Step 1, unless it was taken before. */
static const Error *mark(
    RpcCall *call, const char *survivor_name, const char *duplicate_name, const Merge *merge)
{
    StoreView steps = store_steps(call->store);
    const Error *error;
    Race race __attribute__((cleanup(race_end))) = race_start(call, duplicate_name);

    do {
        Customer survivor, duplicate;

        if ((error = customer_load(&steps, survivor_name, &survivor)) ||
            (error = customer_load(&steps, duplicate_name, &duplicate)))
            return error;
        if (customer_is_merged(&duplicate) && text_equal(duplicate.merged_into, survivor.name))
            return NULL;
        if ((error = merge_check(&survivor, &duplicate)))
            return error;
        merge_mark(&duplicate, &survivor, merge, call->arena);
        error = store_replace(&steps, &customers, &duplicate, NULL);
    } while (race_lost(&race, error, ""));
    return error;
}

/* Step 3. */
static const Error *settle(RpcCall *call, const char *name)
{
    StoreView steps = store_steps(call->store);
    Customer duplicate;
    const Error *error;

    if ((error = customer_load(&steps, name, &duplicate)) || !duplicate.merge ||
        !duplicate.merge->is_pending)
        return error;
    duplicate.merge->is_pending = false;
    return store_replace(&steps, &customers, &duplicate, NULL);
}

const Error *merge_customers_into(
    RpcCall *call, const char *survivor, const char *duplicate, const char *reason, Customer *reply)
{
    Merge merge = THROUGHLINE__IDENTITY__V1__MERGE__INIT;
    const Error *error;

    merge.reason = (char *)reason;
    merge.channel = (char *)call->context.channel;
    merge.actor = (char *)call->context.actor;
    merge.time = timestamp_from_micros(call->arena, call->arrived_at);
    if ((error = mark(call, survivor, duplicate, &merge)) ||
        (error = merge_take_over(call, call->store, duplicate, reply)))
        return error;
    /* The merge has happened; when this fails the job does it. */
    (void)settle(call, duplicate);
    return NULL;
}

const Error *finish_merges(RpcCall *call)
{
    int64_t before = call->arrived_at - (int64_t)ABANDONED_AFTER_SECONDS * 1000000;
    StoreQuery query = { .index = "pending_merge",
        .equal = { { .kind = STORE_BOOL, .number = true } },
        .below = { .kind = STORE_TIME, .number = before },
        .limit = FINISH_BATCH };
    StorePage page;
    const Error *first, *error;

    if ((first = store_find(call->store, &customers, &query, &page)))
        return first;
    for (size_t i = 0; i < page.n_messages; i++) {
        const char *name = ((Customer *)page.messages[i])->name;
        Customer survivor;

        error = merge_take_over(call, call->store, name, &survivor);
        if (!error)
            error = settle(call, name);
        if (!first)
            first = error;
    }
    return first;
}
