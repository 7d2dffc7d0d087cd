/* Keeps what is in memory current: all of it at the start, then the service's own event log, which
 * has the changes of every replica. The audit trail is made of the same reading. */
#include "services/catalog/governance/audit.h"
#include "services/catalog/records.h"
#include "shared/codec/message.h"

enum { PAGE = 200 };

/* What is read into memory at the start, in this order: products take nothing from the rest that changes later. */
typedef struct Loading {
    const Collection *collection;
    Throughline__Catalog__V1__TaxonomyChanged__RecordCase
        kind; /* not set: products, stock levels */
} Loading;

static const Loading loadings[] = {
    { &categories, THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD_CATEGORY },
    { &product_types, THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD_PRODUCT_TYPE },
    { &brands, THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD_BRAND },
    { &locations, THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD_LOCATION },
    { &assortments, THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD_ASSORTMENT },
    { &products, THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD__NOT_SET },
    { &stock_levels, THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD__NOT_SET },
};

static int64_t version_of(const StockLevel *level)
{
    int64_t version = 0;

    text_to_int64(level->etag, &version);
    return version;
}

static const Error *load_page(
    Catalog *catalog, StoreView *view, const Loading *loading, StoreQuery *query, Arena *names)
{
    StorePage page = { 0 };
    const Error *error = store_find(view, loading->collection, query, &page);

    if (error)
        return error;
    for (size_t i = 0; i < page.n_messages; i++) {
        TaxonomyChanged changed = THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__INIT;

        changed.record_case = loading->kind;
        changed.category = page.messages[i];
        if (loading->kind)
            catalog_put_record(catalog, &changed);
        else if (loading->collection == &stock_levels)
            catalog_put_stock(catalog, page.messages[i], version_of(page.messages[i]), view->arena);
        else
            catalog_put(catalog, page.messages[i]);
    }
    query->resume = arena_text(names, page.resume);
    return NULL;
}

static const Error *load_all(Catalog *catalog, StoreView *view, const Loading *loading)
{
    Arena *names = arena_new();
    StoreQuery query = { .limit = PAGE };
    const Error *error;

    do {
        arena_reset(view->arena);
        error = load_page(catalog, view, loading, &query, names);
    } while (!error && !text_is_empty(query.resume));
    arena_free(names);
    return error;
}

const Error *catalog_load(Catalog *catalog, ServiceContext *context)
{
    Arena *arena = arena_new();
    StoreView view = { .store = context->store, .arena = arena };
    const Error *error = NULL;

    /* Positions first: what changes while all is read is read again from the log. */
    for (int i = 0; i < STORE_PARTITIONS && !error; i++)
        error = event_log_head(&view, i, &catalog->followed[i]);
    for (size_t i = 0; i < COUNT(loadings) && !error; i++) {
        if (loadings[i].collection == &products)
            catalog_refresh(catalog);
        error = load_all(catalog, &view, &loadings[i]);
    }
    error = error_copy(context->arena, error);
    arena_free(arena);
    return error;
}

/* Most that the log has was put when it was stored: then its version says so, and nothing is unpacked. */
static bool has_product(Catalog *catalog, Arena *arena, const Event *event, Bytes packed)
{
    Bytes product, etag;
    int64_t version;

    return message_peek(&throughline__catalog__v1__product_changed__descriptor, packed, "product",
               &product) &&
           message_peek(&throughline__catalog__v1__product__descriptor, product, "etag", &etag) &&
           text_to_int64(arena_text_of(arena, (const char *)etag.data, etag.size), &version) &&
           snapshot_has(catalog->snapshot, event->aggregate, version);
}

static void apply_product(Catalog *catalog, Arena *arena, const Event *event)
{
    const ProtobufCMessageDescriptor *type = &throughline__catalog__v1__product_changed__descriptor;
    const Throughline__Catalog__V1__ProductChanged *changed;
    Bytes packed;

    if (!event_packed(event, type, &packed) || has_product(catalog, arena, event, packed))
        return;
    changed = event_payload(arena, event, type);
    if (changed)
        catalog_put(catalog, changed->product);
}

static void apply(Catalog *catalog, Arena *arena, const Event *event)
{
    const TaxonomyChanged *taxonomy =
        event_payload(arena, event, &throughline__catalog__v1__taxonomy_changed__descriptor);
    const Throughline__Catalog__V1__StockChanged *stock =
        event_payload(arena, event, &throughline__catalog__v1__stock_changed__descriptor);

    apply_product(catalog, arena, event);
    /* The event has a copy of the level, made before the store gave it its version. */
    if (stock)
        catalog_put_stock(catalog, stock->level, version_of(stock->level) + 1, arena);
    if (taxonomy)
        catalog_put_record(catalog, taxonomy);
}

/* Memory and trail are mostly at the same place of a partition, and this is it; else where the one is that is behind. */
static int64_t place_of(const Catalog *catalog, const AuditTrail *trail, int partition)
{
    int64_t followed = catalog->followed[partition];
    int64_t audited = audit_place(trail, partition);

    return audited < followed ? audited : followed;
}

static const Error *follow_page(
    Catalog *catalog, StoreView *view, AuditTrail *trail, int partition, bool *is_last)
{
    LogRange range = {
        .partition = partition, .after = place_of(catalog, trail, partition), .limit = PAGE
    };
    LogPage page;
    const Error *error = event_log_read(view, &range, &page);

    if (error)
        return error;
    for (size_t i = 0; i < page.n_records; i++) {
        if (page.records[i]->sequence <= catalog->followed[partition])
            continue;
        apply(catalog, view->arena, page.records[i]->event);
        catalog->followed[partition] = page.records[i]->sequence;
    }
    audit_take(trail, view, partition, &page);
    *is_last = page.n_records < PAGE;
    return NULL;
}

static const Error *follow_all(Catalog *catalog, RpcCall *call, StoreView *view, AuditTrail *trail)
{
    int64_t places[STORE_PARTITIONS];
    const Error *error;
    unsigned ahead;

    for (int i = 0; i < STORE_PARTITIONS; i++)
        places[i] = place_of(catalog, trail, i);
    error = event_log_ahead(view, places, &ahead);
    for (int i = 0; i < STORE_PARTITIONS && !error; i++) {
        bool is_last = !(ahead & 1u << i);

        while (!error && !is_last && !rpc_should_stop(call)) {
            arena_reset(view->arena);
            error = follow_page(catalog, view, trail, i, &is_last);
        }
    }
    catalog_refresh(catalog);
    return error;
}

const Error *catalog_follow(RpcCall *call)
{
    Arena *arena = arena_new();
    StoreView view = *call->store;
    AuditTrail *trail = audit_open(call);
    const Error *error, *audit_error;

    view.arena = arena;
    error = error_copy(call->arena, follow_all(catalog_of(call), call, &view, trail));
    audit_error = audit_close(trail);
    arena_free(arena);
    return error ? error : audit_error;
}
