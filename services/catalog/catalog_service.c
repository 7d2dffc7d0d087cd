/* The catalogue as a service: its shape, its state, its key. */
#include "services/catalog/catalog_service.h"

#include "services/catalog/catalog.h"
#include "services/catalog/governance/governance.h"
#include "shared/base/clock.h"
#include "shared/base/id.h"
#include "shared/codec/message.h"

#include <stdlib.h>
#include <string.h>

enum { PORT = 7002, FOLLOW_INTERVAL_MS = 250, KEYS_INTERVAL_MS = 5000, DUE_INTERVAL_MS = 500 };

/* The one name under which replicas that start together agree on one key. */
static const char first_key[] = "quoteKeys/1";

/* Reads the keys, or makes one where there is none: the replica that inserts it first wins. */
static const Error *open_quote_keys(ServiceContext *context, Catalog *catalog)
{
    StoreView view = { .store = context->store, .arena = context->arena };
    QuoteKeyRecord *key =
        message_new(context->arena, &throughline__catalog__v1__quote_key_record__descriptor);
    uint8_t seed[SEAL_SEED];
    const Error *error = key_ring_load(catalog->keys, &view);

    if (error || key_ring_newest(catalog->keys))
        return error;
    id_random(seed, sizeof(seed));
    quote_key_make(seed, first_key, clock_now(), context->arena, key);
    explicit_bzero(seed, sizeof(seed));
    error = store_insert(&view, &quote_keys, key, NULL);
    if (error && error->code != ERROR_ALREADY_EXISTS)
        return error;
    return key_ring_load(catalog->keys, &view);
}

const Error *catalog_take_keys(RpcCall *call)
{
    return key_ring_load(catalog_of(call)->keys, call->store);
}

static const Error *open_rules(ServiceContext *context, Catalog *catalog)
{
    StoreView view = { .store = context->store, .arena = context->arena };

    return rule_shelf_follow(catalog->shelf, &view);
}

static const Error *open_catalog(ServiceContext *context)
{
    Catalog *catalog = calloc(1, sizeof(*catalog));
    const Error *error;

    if (!catalog)
        abort();
    catalog->snapshot = snapshot_new();
    catalog->search = search_index_new();
    catalog->registry = registry_new();
    catalog->taxonomy = taxonomy_holder_new();
    catalog->assortments = assortment_shelf_new();
    catalog->rules = rules_holder_new();
    catalog->shelf = rule_shelf_new(catalog->rules);
    catalog->keys = key_ring_new();
    context->state = catalog;
    if ((error = open_quote_keys(context, catalog)) || (error = open_rules(context, catalog)))
        return error;
    catalog->shown = rule_shelf_current(catalog->shelf);
    return catalog_load(catalog, context);
}

static void close_catalog(ServiceContext *context)
{
    Catalog *catalog = context->state;

    if (!catalog)
        return;
    snapshot_free(catalog->snapshot);
    search_index_free(catalog->search);
    registry_free(catalog->registry);
    taxonomy_holder_free(catalog->taxonomy);
    assortment_shelf_free(catalog->assortments);
    rule_book_release(catalog->shown);
    rule_shelf_free(catalog->shelf);
    rules_holder_free(catalog->rules);
    key_ring_free(catalog->keys);
    free(catalog);
}

/* The job: ends what was reserved and is over. */
static const Error *finish_due(RpcCall *call)
{
    const Error *error = stock_finish_due(call);

    return error ? error : uses_finish_due(call);
}

const Service catalog_service = {
    .name = "catalog",
    .port = PORT,
    .rpcs = { &product_rpcs, &pricing_rpcs, &stock_rpcs, &coupon_rpcs, &governance_rpcs,
        &taxonomy_rpcs, &location_rpcs },
    .peers = { "cart" },
    .consumers = { { "cart", { learn_from_orders, learned_from_orders } } },
    .collections = catalog_collections,
    .jobs = { { "follow", FOLLOW_INTERVAL_MS, catalog_follow },
        { "due", DUE_INTERVAL_MS, finish_due }, { "govern", FOLLOW_INTERVAL_MS, govern },
        { "keys", KEYS_INTERVAL_MS, catalog_take_keys } },
    .open = open_catalog,
    .close = close_catalog,
};
