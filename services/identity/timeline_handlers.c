/* The timeline as a list: newest first, with a count of each source. */
#include "services/identity/timeline_handlers.h"

#include "services/identity/customer_records.h"
#include "shared/rpc/check.h"
#include "shared/rpc/page.h"

typedef Throughline__Identity__V1__ListTimelineRequest ListTimelineRequest;
typedef Throughline__Identity__V1__ListTimelineResponse ListTimelineResponse;
typedef Throughline__Identity__V1__TimelineSource TimelineSource;

/* By looking at every entry: a counter beside them could differ from them. */
static const Error *count_entries(
    RpcCall *call, const char *customer, const char *source, int64_t *count)
{
    StoreQuery query = { .index = "source",
        .equal = { { .kind = STORE_TEXT, .text = customer },
            { .kind = STORE_TEXT, .text = source } },
        .limit = STORE_MAX_PAGE };
    StorePage page;
    const Error *error;

    *count = 0;
    do {
        StoreView view = *call->store;

        view.arena = arena_new();
        error = store_find(&view, &timeline, &query, &page);
        if (!error) {
            *count += (int64_t)page.n_messages;
            query.resume = arena_text(call->arena, page.resume);
        } else {
            error = error_new(call->arena, error->code, error->reason, "%s", error->message);
        }
        arena_free(view.arena);
    } while (!error && *query.resume);
    return error;
}

static const Error *count_sources(
    RpcCall *call, const char *customer, ListTimelineResponse *response)
{
    const ServiceConsumer *consumers = identity_service.consumers;
    const Error *error;

    response->sources = arena_array(call->arena, SERVICE_MAX_CONSUMERS, sizeof(*response->sources));
    for (int i = 0; i < SERVICE_MAX_CONSUMERS && consumers[i].source; i++) {
        TimelineSource *source = arena_alloc(call->arena, sizeof(*source));

        *source = (TimelineSource)THROUGHLINE__IDENTITY__V1__TIMELINE_SOURCE__INIT;
        source->source = (char *)consumers[i].source;
        if ((error = count_entries(call, customer, source->source, &source->entries)))
            return error;
        response->sources[response->n_sources++] = source;
    }
    return NULL;
}

const Error *list_timeline(RpcCall *call, const void *request, void *reply)
{
    const ListTimelineRequest *req = request;
    ListTimelineResponse *response = reply;
    RpcPage page = page_read(call, req->page_size, req->page_token, req->customer);
    StoreQuery query = { .index = "customer",
        .is_descending = true,
        .limit = page.limit,
        .max_bytes = PAGE_BYTES,
        .resume = page.resume };
    StorePage found;
    Customer customer;
    const Error *error;

    check_name(call, "customer", req->customer, "customers/*");
    if ((error = check_result(call)) ||
        (error = customer_load_survivor(call->store, req->customer, &customer)) ||
        (error = customer_check_access(call, &customer, req->customer)))
        return error;
    query.equal[0] = (StoreValue){ .kind = STORE_TEXT, .text = customer.name };
    if ((error = store_find(call->store, &timeline, &query, &found)))
        return error;
    response->n_entries = found.n_messages;
    response->entries = (TimelineEntry **)found.messages;
    response->next_page_token = page_token(call, &page, found.resume);
    return text_is_empty(req->page_token) ? count_sources(call, customer.name, response) : NULL;
}
