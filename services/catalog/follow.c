/* Keeps the snapshot current: all products at the start, then the service's own event log, which
 * has the changes of every replica. */
#include "services/catalog/catalog_service.h"

#include "services/catalog/domain/promotion.h"
#include "shared/event/log.h"

enum { PAGE = 200 };

static const Error *load_page(
    Catalog *catalog, StoreView *view, StoreQuery *query, Arena *names, bool *is_last)
{
    StorePage page = { 0 };
    const Error *error = store_find(view, &products, query, &page);

    if (error)
        return error;
    for (size_t i = 0; i < page.n_messages; i++)
        catalog_put(catalog, page.messages[i]);
    *is_last = text_is_empty(page.resume);
    query->resume = arena_text(names, page.resume);
    return NULL;
}

const Error *catalog_load(Catalog *catalog, ServiceContext *context)
{
    Arena *arena = arena_new();
    Arena *names = arena_new();
    StoreView view = { .store = context->store, .arena = arena };
    StoreQuery query = { .limit = PAGE };
    bool is_last = false;
    const Error *error = NULL;

    /* Positions first: what changes while products are read is read again from the log. */
    for (int i = 0; i < STORE_PARTITIONS && !error; i++)
        error = event_log_head(&view, i, &catalog->followed[i]);
    while (!error && !is_last) {
        arena_reset(arena);
        error = load_page(catalog, &view, &query, names, &is_last);
    }
    error = error_copy(context->arena, error);
    arena_free(names);
    arena_free(arena);
    return error;
}

static const Error *follow_page(Catalog *catalog, StoreView *view, int partition, bool *is_last)
{
    LogRange range = {
        .partition = partition, .after = catalog->followed[partition], .limit = PAGE
    };
    LogPage page;
    const Error *error = event_log_read(view, &range, &page);

    if (error)
        return error;
    for (size_t i = 0; i < page.n_records; i++) {
        const Throughline__Catalog__V1__ProductChanged *changed = event_payload(view->arena,
            page.records[i]->event, &throughline__catalog__v1__product_changed__descriptor);

        if (changed)
            catalog_put(catalog, changed->product);
        catalog->followed[partition] = page.records[i]->sequence;
    }
    *is_last = page.n_records < PAGE;
    return NULL;
}

const Error *catalog_follow(RpcCall *call)
{
    Catalog *catalog = catalog_of(call);
    Arena *arena = arena_new();
    StoreView view = *call->store;
    const Error *error = NULL;

    view.arena = arena;
    for (int i = 0; i < STORE_PARTITIONS && !error; i++) {
        bool is_last = false;

        while (!error && !is_last && !rpc_should_stop(call)) {
            arena_reset(arena);
            error = follow_page(catalog, &view, i, &is_last);
        }
    }
    error = error_copy(call->arena, error);
    arena_free(arena);
    return error;
}
