#include "tests/service/catalog/bare_catalog.h"

#include "tests/support/test_main.h"

static void open_store(BareCatalog *bare)
{
    const Collection *all[STORE_MAX_COLLECTIONS + 1] = { &event_log };
    StoreOptions options = { .service = "catalog", .collections = all, .log = &bare->log };

    for (size_t i = 0; catalog_collections[i]; i++)
        all[i + 1] = catalog_collections[i];
    bare->log = event_store_log("catalog");
    options.uri = arena_printf(bare->arena, "embedded:%s", test_folder());
    CHECK_TEXT(error_reason(store_open(bare->arena, &options, &bare->store)), "OK");
}

void bare_catalog_open(BareCatalog *bare)
{
    Catalog *catalog = &bare->catalog;

    bare->arena = arena_new();
    open_store(bare);
    *catalog = (Catalog){ .snapshot = snapshot_new(),
        .search = search_index_new(),
        .registry = registry_new(),
        .taxonomy = taxonomy_holder_new(),
        .assortments = assortment_shelf_new(),
        .rules = rules_holder_new() };
    catalog->shelf = rule_shelf_new(catalog->rules);
    bare->context = (ServiceContext){
        .name = "catalog", .store = bare->store, .arena = bare->arena, .state = catalog
    };
}

void bare_catalog_close(BareCatalog *bare)
{
    rule_shelf_free(bare->catalog.shelf);
    rules_holder_free(bare->catalog.rules);
    assortment_shelf_free(bare->catalog.assortments);
    taxonomy_holder_free(bare->catalog.taxonomy);
    registry_free(bare->catalog.registry);
    search_index_free(bare->catalog.search);
    snapshot_free(bare->catalog.snapshot);
    store_close(bare->store);
    arena_free(bare->arena);
}

RpcCall *bare_catalog_call(BareCatalog *bare)
{
    RpcContext caller = { .channel = "system",
        .actor = "agents/ann",
        .on_behalf_of = "",
        .device = "",
        .journey = "",
        .purpose = "" };
    RpcCall *call = rpc_internal_call(bare->arena, "test", &caller, &bare->context);
    StoreView *view = arena_alloc(bare->arena, sizeof(*view));

    *view = (StoreView){
        .store = bare->store, .arena = bare->arena, .seal = event_seal, .seal_context = call
    };
    call->store = view;
    return call;
}
