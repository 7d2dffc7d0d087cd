#include "tests/service/catalog/replicas.h"

#include "shared/base/id.h"
#include "tests/support/test_main.h"

#include <stdio.h>
#include <stdlib.h>

static Store *open_store(Arena *arena, const char *uri, const char *service)
{
    StoreOptions options = { .uri = uri, .service = service, .collections = catalog_collections };
    Store *store;
    const Error *error = store_open(arena, &options, &store);

    if (error) {
        fprintf(stderr, "%s: %s\n", uri, error->message);
        abort();
    }
    return store;
}

static void start(Replica *replica)
{
    replica->catalog = (Catalog){ .rules = rules_holder_new() };
    replica->catalog.shelf = rule_shelf_new(replica->catalog.rules);
}

static void stop(Replica *replica)
{
    rule_shelf_free(replica->catalog.shelf);
    rules_holder_free(replica->catalog.rules);
}

bool replicas_open(Replicas *replicas, bool is_mongo)
{
    const char *uri = getenv("THROUGHLINE_TEST_MONGO_URI"), *service;
    char id[ID_SIZE];

    if (is_mongo && !uri) {
        test_skip("THROUGHLINE_TEST_MONGO_URI is not set");
        return false;
    }
    id_new(id);
    replicas->arena = arena_new();
    replicas->is_shared = !is_mongo;
    service = arena_printf(replicas->arena, "test_%s", id);
    if (!is_mongo)
        uri = arena_printf(replicas->arena, "embedded:%s", test_folder());
    for (int i = 0; i < REPLICAS; i++) {
        Replica *replica = &replicas->each[i];

        replica->arena = replicas->arena;
        replica->store = i && replicas->is_shared ? replicas->each[0].store
                                                  : open_store(replicas->arena, uri, service);
        start(replica);
        replica->context = (ServiceContext){ .name = "catalog",
            .store = replica->store,
            .arena = replicas->arena,
            .state = &replica->catalog };
    }
    return true;
}

void replicas_close(Replicas *replicas)
{
    for (int i = 0; i < REPLICAS; i++) {
        stop(&replicas->each[i]);
        if (!i || !replicas->is_shared)
            store_close(replicas->each[i].store);
    }
    arena_free(replicas->arena);
}

void replica_restart(Replica *replica)
{
    stop(replica);
    start(replica);
}

RpcCall *replica_call(Replica *replica, Arena *arena, const char *person)
{
    RpcContext context = { .channel = "backoffice",
        .actor = arena_printf(arena, "agents/%s", person),
        .on_behalf_of = "",
        .device = "",
        .journey = "",
        .purpose = "" };
    RpcCall *call = rpc_internal_call(arena, "test", &context, &replica->context);
    StoreView *view = arena_alloc(arena, sizeof(*view));

    *view = (StoreView){
        .store = replica->store, .arena = arena, .seal = event_seal, .seal_context = call
    };
    call->store = view;
    return call;
}
