/* Where a stream may go on: behind an event that it gave. */
#include "shared/event/event.h"

#include "shared/event/log.h"
#include "shared/rpc/check.h"

static const Error *is_customers(
    StoreView *view, const char *customer, int64_t sequence, bool *is_so)
{
    StoreQuery query = { .index = "customer",
        .equal = { { .kind = STORE_TEXT, .text = customer },
            { .kind = STORE_NUMBER, .number = sequence } },
        .limit = 1 };
    StorePage page;
    const Error *error = store_find(view, &event_log, &query, &page);

    *is_so = !error && page.n_messages > 0;
    return error;
}

const Error *event_check_after(RpcCall *call, const EventInterest *interest)
{
    bool is_known = interest->after == 0;
    const Error *error = NULL;

    if (interest->after > 0)
        error = interest->aggregate
                    ? event_log_has(call->store, interest->aggregate, interest->after, &is_known)
                    : is_customers(call->store, interest->customer, interest->after, &is_known);
    if (!error && !is_known)
        check_fail(call, "after", "must be a sequence that this stream gave, or 0 for all");
    return error ? error : check_result(call);
}
