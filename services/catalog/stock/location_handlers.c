/* Where pieces lie. */
#include "services/catalog/products/taxonomy_users.h"

#include "services/catalog/domain/location.h"
#include "shared/rpc/check.h"
#include "shared/rpc/page.h"

typedef Throughline__Catalog__V1__PutLocationRequest PutLocationRequest;
typedef Throughline__Catalog__V1__GetLocationRequest GetLocationRequest;
typedef Throughline__Catalog__V1__ListLocationsRequest ListLocationsRequest;
typedef Throughline__Catalog__V1__ListLocationsResponse ListLocationsResponse;
typedef Throughline__Catalog__V1__DeleteLocationRequest DeleteLocationRequest;

static const Error location_not_found = { ERROR_NOT_FOUND, "LOCATION_NOT_FOUND",
    "There is no location of this name." };

static void check_location(const void *record, Findings *findings)
{
    location_check(record, findings);
}

static const RecordKind location_kind = {
    .collection = &locations,
    .field = "location",
    .check = check_location,
    .kind = THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD_LOCATION,
    .not_found = &location_not_found,
    .find_users = location_users,
    .in_use = "LOCATION_IN_USE",
};

static const Error *put_location(RpcCall *call, const void *request, void *reply)
{
    const PutLocationRequest *req = request;
    Findings findings = { .arena = call->arena };
    const Error *error;

    if (req->location)
        location_check(req->location, &findings);
    if ((error = record_check(call, req->request_id, "location", req->location, &findings)))
        return error;

    *(Location *)reply = *req->location;
    return record_put(call, &location_kind, reply);
}

static const Error *import_locations(RpcCall *call, const void *request, void *reply)
{
    (void)request;
    return record_import(call, &location_kind, reply);
}

static const Error *get_location(RpcCall *call, const void *request, void *reply)
{
    const GetLocationRequest *req = request;
    const Error *error;

    check_name(call, "name", req->name, "locations/*");
    if ((error = check_result(call)))
        return error;

    return record_get(call, &location_kind, req->name, reply);
}

static const Error *list_locations(RpcCall *call, const void *request, void *reply)
{
    const ListLocationsRequest *req = request;
    ListLocationsResponse *res = reply;
    RpcPage page = page_read(call, req->page_size, req->page_token, req->is_pickup ? "pickup" : "");
    StoreQuery query = { .limit = page.limit, .max_bytes = PAGE_BYTES, .resume = page.resume };
    StorePage found = { 0 };
    const Error *error;

    if ((error = check_result(call)) ||
        (error = store_find(call->store, &locations, &query, &found)))
        return error;

    records_drop_deleted(&found);
    res->locations = (Location **)found.messages;
    for (size_t i = 0; i < found.n_messages; i++) {
        Location *location = found.messages[i];

        if (!req->is_pickup || location->is_pickup)
            res->locations[res->n_locations++] = location;
    }
    res->next_page_token = page_token(call, &page, found.resume);
    return NULL;
}

static const Error *delete_location(RpcCall *call, const void *request, void *reply)
{
    const DeleteLocationRequest *req = request;
    const Error *error;

    (void)reply;
    check_delete(call, "locations/*", req->name, req->request_id);
    if ((error = check_result(call)))
        return error;

    return record_delete(call, &location_kind, req->name, req->etag);
}

const RpcService location_rpcs = THROUGHLINE__CATALOG__V1__LOCATION_SERVICE__INIT();
