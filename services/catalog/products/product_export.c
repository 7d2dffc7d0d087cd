/* All products, one after the other, as they are stored. */
#include "services/catalog/governance/published.h"

#include "shared/rpc/check.h"

#include <stdio.h>

typedef Throughline__Catalog__V1__ExportProductsRequest ExportProductsRequest;

enum { SLICE = 64, MAX_NAME = 128 };

const Error *catalog_check_drafts(const RpcCall *call, bool with_drafts)
{
    static const Error scope_missing = { ERROR_PERMISSION_DENIED, "SCOPE_MISSING",
        "Drafts are shown only to accounts with the scope catalog.write." };

    return with_drafts && !caller_has_scope(call->caller, "catalog.write") ? &scope_missing : NULL;
}

static const Error *send_entry(
    RpcCall *call, Arena *arena, const ExportProductsRequest *req, const SnapshotEntry *entry)
{
    Product product = THROUGHLINE__CATALOG__V1__PRODUCT__INIT;
    Bytes packed;

    if (!category_contains_any(req->category, entry->paths) ||
        (!published_entry(catalog_of(call), entry, arena, &packed) && !req->with_drafts))
        return NULL;
    snapshot_reply(arena, packed, &product);
    return rpc_send(call, &product);
}

/* Sends what stands behind `after`, and moves it; false at the end. */
static bool send_slice(RpcCall *call, Arena *arena, const ExportProductsRequest *req,
    char after[MAX_NAME], const Error **error)
{
    SnapshotEntry *entries[SLICE];
    size_t n_entries = snapshot_walk(catalog_of(call)->snapshot, after, entries, SLICE);

    for (size_t i = 0; i < n_entries; i++) {
        if (!*error)
            *error = send_entry(call, arena, req, entries[i]);
        if (i == n_entries - 1)
            snprintf(after, MAX_NAME, "%s", entries[i]->name);
        snapshot_release(entries[i]);
    }
    arena_reset(arena);
    return n_entries == SLICE && !*error;
}

const Error *export_products(RpcCall *call, const void *request, void *reply)
{
    const ExportProductsRequest *req = request;
    char after[MAX_NAME];
    const Error *error;
    Arena *arena;

    (void)reply;
    check_optional_name(call, "after", req->after, "products/*");
    if (!category_is_valid(req->category))
        check_fail(call, "category", "must be parts joined by \" > \"");
    if ((error = check_result(call)) || (error = catalog_check_drafts(call, req->with_drafts)))
        return error;

    snprintf(after, MAX_NAME, "%s", req->after);
    arena = arena_new();
    while (send_slice(call, arena, req, after, &error))
        continue;
    arena_free(arena);
    return error;
}
