#include "tests/service/catalog/follower.h"

#include "services/catalog/rule_shelf.h"

void follower_open(Follower *follower)
{
    follower->arena = arena_new();
    follower->catalog = (Catalog){
        .snapshot = snapshot_new(),
        .search = search_index_new(),
        .registry = registry_new(),
        .taxonomy = taxonomy_holder_new(),
        .assortments = assortment_shelf_new(),
        .rules = rules_holder_new(),
    };
    follower->catalog.shelf = rule_shelf_new(follower->catalog.rules);
    follower->context = (ServiceContext){
        .name = "catalog",
        .store = fixture_context(fixture)->store,
        .arena = follower->arena,
        .state = &follower->catalog,
    };
    CU_ASSERT_PTR_NULL(catalog_load(&follower->catalog, &follower->context));
}

void follower_close(Follower *follower)
{
    snapshot_free(follower->catalog.snapshot);
    search_index_free(follower->catalog.search);
    registry_free(follower->catalog.registry);
    taxonomy_holder_free(follower->catalog.taxonomy);
    assortment_shelf_free(follower->catalog.assortments);
    rule_shelf_free(follower->catalog.shelf);
    rules_holder_free(follower->catalog.rules);
    arena_free(follower->arena);
}

void follower_hear(Follower *follower)
{
    Arena *memory = arena_new();
    RpcContext context = {
        .channel = "", .actor = "", .on_behalf_of = "", .device = "", .journey = "", .purpose = ""
    };
    RpcCall *call = rpc_internal_call(memory, "test", &context, &follower->context);
    StoreView view = { .store = follower->context.store, .arena = memory };

    CU_ASSERT(fixture_settle(fixture));
    call->store = &view;
    CHECK_TEXT(error_reason(catalog_follow(call)), "OK");
    arena_free(memory);
}
