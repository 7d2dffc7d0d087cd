#include "tests/service/catalog/bare_catalog.h"

#include "tests/service/catalog/catalog_memory.h"
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
    bare->arena = arena_new();
    open_store(bare);
    catalog_memory_open(&bare->catalog);
    bare->context = (ServiceContext){
        .name = "catalog", .store = bare->store, .arena = bare->arena, .state = &bare->catalog
    };
}

void bare_catalog_close(BareCatalog *bare)
{
    catalog_memory_close(&bare->catalog);
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
