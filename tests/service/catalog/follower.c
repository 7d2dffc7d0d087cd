#include "tests/service/catalog/follower.h"

#include "tests/service/catalog/catalog_memory.h"

void follower_open(Follower *follower)
{
    follower->arena = arena_new();
    catalog_memory_open(&follower->catalog);
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
    catalog_memory_close(&follower->catalog);
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
