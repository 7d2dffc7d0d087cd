/* How much is there, and who gets it. */
#include "services/catalog/stock/stock_reserve.h"

#include "shared/codec/message.h"
#include "shared/rpc/check.h"
#include "shared/rpc/page.h"
#include "shared/service/race.h"

typedef Throughline__Catalog__V1__ConfirmRequest ConfirmRequest;
typedef Throughline__Catalog__V1__ReleaseRequest ReleaseRequest;
typedef Throughline__Catalog__V1__GetReservationRequest GetReservationRequest;
typedef Throughline__Catalog__V1__CorrectStockRequest CorrectStockRequest;
typedef Throughline__Catalog__V1__RestockRequest RestockRequest;
typedef Throughline__Catalog__V1__GetStockRequest GetStockRequest;
typedef Throughline__Catalog__V1__GetStockResponse GetStockResponse;
typedef Throughline__Catalog__V1__ListStockRequest ListStockRequest;
typedef Throughline__Catalog__V1__ListStockResponse ListStockResponse;

enum { MAX_NOTE = 200 };

static const Error variant_not_found = { ERROR_NOT_FOUND, "VARIANT_NOT_FOUND",
    "No product has a variant with this SKU." };
static const Error etag_stale = { ERROR_ABORTED, "ETAG_STALE",
    "The stock was changed meanwhile: load it again." };

static void check_sku(RpcCall *call, const char *field, const char *sku)
{
    if (!sku_is_valid(sku))
        check_fail(call, field, "must be 1 to 64 characters of [A-Za-z0-9_.~-]");
}

static void check_location(RpcCall *call, const char *field, const char *location)
{
    if (!location_is_valid(location))
        check_fail(call, field, "must be 1 to %d characters of [a-z0-9-]", LOCATION_MAX_ID);
}

static void check_reserve_lines(RpcCall *call, const ReserveRequest *req)
{
    check_count(call, "lines", req->n_lines, 1, RESERVE_MAX_LINES);
    for (size_t i = 0; i < req->n_lines && i < RESERVE_MAX_LINES; i++) {
        const ReserveLine *line = req->lines[i];
        const char *path = check_path(call, "lines[%zu].sku", i);

        check_sku(call, path, line->sku);
        check_range(call, check_path(call, "lines[%zu].quantity", i), line->quantity, 1,
            RESERVE_MAX_QUANTITY);
        if (*line->location)
            check_location(call, check_path(call, "lines[%zu].location", i), line->location);
        for (size_t j = 0; j < i; j++)
            if (text_equal(req->lines[j]->sku, line->sku) &&
                text_equal(req->lines[j]->location, line->location))
                check_fail(call, path, "is in lines[%zu] too, at the same location", j);
    }
}

static void check_purpose(RpcCall *call, StockPurpose purpose)
{
    if (purpose)
        check_enum(
            call, "purpose", &throughline__catalog__v1__stock_purpose__descriptor, (int)purpose);
}

/* Promises pieces, all lines or none. */
static const Error *reserve(RpcCall *call, const void *request, void *reply)
{
    const ReserveRequest *req = request;
    const Error *error;

    check_request_id(call, req->request_id);
    check_reserve_lines(call, req);
    check_text(call, "holder", req->holder, 0, RESERVE_MAX_HOLDER);
    check_purpose(call, req->purpose);
    if (req->ttl_seconds)
        check_range(call, "ttl_seconds", req->ttl_seconds, RESERVE_MIN_TTL_SECONDS,
            RESERVE_MAX_TTL_SECONDS);
    if ((error = check_result(call)))
        return error;

    return stock_reserve(call, req, reply);
}

static const Error *confirm(RpcCall *call, const void *request, void *reply)
{
    const ConfirmRequest *req = request;
    const Error *error;

    check_name(call, "name", req->name, "reservations/*");
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    return reservation_end(call, req->name, RESERVATION_SELL, true, reply);
}

static const Error *release(RpcCall *call, const void *request, void *reply)
{
    const ReleaseRequest *req = request;
    const Error *error;

    check_name(call, "name", req->name, "reservations/*");
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    return reservation_end(call, req->name, RESERVATION_GIVE_BACK, true, reply);
}

static const Error *get_reservation(RpcCall *call, const void *request, void *reply)
{
    const GetReservationRequest *req = request;
    const Error *error;

    check_name(call, "name", req->name, "reservations/*");
    if ((error = check_result(call)))
        return error;

    return store_get(call->store, &reservations, req->name, reply);
}

/* The store is asked where the snapshot does not know yet what another replica has just imported. */
static const Error *check_variant(RpcCall *call, const char *sku)
{
    StoreView steps = store_steps(call->store);
    StoreQuery query = {
        .index = "sku",
        .equal = { { .kind = STORE_TEXT, .text = sku } },
        .limit = 1,
    };
    StorePage page = { 0 };
    const Error *error = NULL;

    if (snapshot_owner(catalog_of(call)->snapshot, SNAPSHOT_SKU, sku, call->arena) ||
        (error = store_find(&steps, &products, &query, &page)))
        return error;
    return page.n_messages ? NULL : &variant_not_found;
}

static const Error *correct_once(RpcCall *call, const CorrectStockRequest *req, StockLevel *level)
{
    bool is_counted =
        req->correction_case == THROUGHLINE__CATALOG__V1__CORRECT_STOCK_REQUEST__CORRECTION_COUNTED;
    StockChanged event = THROUGHLINE__CATALOG__V1__STOCK_CHANGED__INIT;
    StoreWrite write;
    int64_t before;
    const Error *error;

    message_init(&throughline__catalog__v1__stock_level__descriptor, level);
    if ((error = stock_load(call->store, req->sku, req->location, level)))
        return error;
    if (*req->etag && !text_equal(req->etag, level->etag))
        return &etag_stale;

    before = level->on_hand;
    if ((error = stock_set(level, is_counted ? req->counted : before + req->change, call->arena)))
        return error;

    event.reason = req->reason;
    event.note = req->note;
    stock_write(call, call->arena, level, &event, before, &write);
    return store_write(call->store, &write, 1);
}

static void check_correction(RpcCall *call, const CorrectStockRequest *req)
{
    switch (req->correction_case) {
    case THROUGHLINE__CATALOG__V1__CORRECT_STOCK_REQUEST__CORRECTION_COUNTED:
        check_range(call, "counted", req->counted, 0, STOCK_MAX_PIECES);
        break;
    case THROUGHLINE__CATALOG__V1__CORRECT_STOCK_REQUEST__CORRECTION_CHANGE:
        check_range(call, "change", req->change, -STOCK_MAX_PIECES, STOCK_MAX_PIECES);
        if (req->change == 0)
            check_fail(call, "change", "must not be 0");
        break;
    default:
        check_fail(call, "counted", "what was counted or a change must be given");
    }
    check_enum(
        call, "reason", &throughline__catalog__v1__stock_reason__descriptor, (int)req->reason);
    if (req->reason == THROUGHLINE__CATALOG__V1__STOCK_REASON__STOCK_REASON_IMPORT ||
        req->reason == THROUGHLINE__CATALOG__V1__STOCK_REASON__STOCK_REASON_RESERVATION)
        check_fail(call, "reason", "is not for corrections");
}

static const Error *correct(RpcCall *call, const CorrectStockRequest *req, StockLevel *level)
{
    Race race __attribute__((cleanup(race_end))) = race_start(call, req->sku);
    const Error *error;

    if ((error = check_variant(call, req->sku)))
        return error;

    do
        error = correct_once(call, req, level);
    while (race_lost(&race, error, req->etag));
    level->n_holds = 0;
    return error;
}

static const Error *correct_stock(RpcCall *call, const void *request, void *reply)
{
    const CorrectStockRequest *req = request;
    const Error *error;

    check_sku(call, "sku", req->sku);
    check_location(call, "location", req->location);
    check_correction(call, req);
    check_text(call, "note", req->note, 0, MAX_NOTE);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    return correct(call, req, reply);
}

static const Error *restock(RpcCall *call, const void *request, void *reply)
{
    const RestockRequest *req = request;
    CorrectStockRequest correction = THROUGHLINE__CATALOG__V1__CORRECT_STOCK_REQUEST__INIT;
    const Error *error;

    check_sku(call, "sku", req->sku);
    check_location(call, "location", req->location);
    check_range(call, "quantity", req->quantity, 1, RESERVE_MAX_QUANTITY);
    check_text(call, "holder", req->holder, 0, RESERVE_MAX_HOLDER);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    correction.sku = req->sku;
    correction.location = req->location;
    correction.correction_case = THROUGHLINE__CATALOG__V1__CORRECT_STOCK_REQUEST__CORRECTION_CHANGE;
    correction.change = req->quantity;
    correction.reason = THROUGHLINE__CATALOG__V1__STOCK_REASON__STOCK_REASON_RETURN;
    correction.note = req->holder;
    return correct(call, &correction, reply);
}

static const Error *get_stock(RpcCall *call, const void *request, void *reply)
{
    const GetStockRequest *req = request;
    GetStockResponse *res = reply;
    StockLevel **levels;
    size_t n_levels;
    const Error *error;

    check_sku(call, "sku", req->sku);
    check_purpose(call, req->purpose);
    if ((error = check_result(call)) ||
        (error = stock_load_all(call->store, req->sku, &levels, &n_levels)))
        return error;
    if (!n_levels)
        return check_variant(call, req->sku);

    res->levels = levels;
    for (size_t i = 0; i < n_levels; i++) {
        if (!stock_serves(call, levels[i], req->purpose))
            continue;
        res->levels[res->n_levels++] = levels[i];
        res->on_hand += levels[i]->on_hand;
        res->reserved += levels[i]->reserved;
        res->available += levels[i]->available;
    }
    return NULL;
}

static const Error *list_stock(RpcCall *call, const void *request, void *reply)
{
    const ListStockRequest *req = request;
    ListStockResponse *res = reply;
    RpcPage page = page_read(call, req->page_size, req->page_token, req->location);
    StoreQuery query = {
        .index = "location",
        .equal = { { .kind = STORE_TEXT, .text = req->location } },
        .limit = page.limit,
        .max_bytes = PAGE_BYTES,
        .resume = page.resume,
    };
    StorePage found = { 0 };
    const Error *error;

    check_location(call, "location", req->location);
    if ((error = check_result(call)) ||
        (error = store_find(call->store, &stock_levels, &query, &found)))
        return error;

    res->levels = (StockLevel **)found.messages;
    res->n_levels = found.n_messages;
    for (size_t i = 0; i < res->n_levels; i++)
        res->levels[i]->n_holds = 0;
    res->next_page_token = page_token(call, &page, found.resume);
    return NULL;
}

const RpcService stock_rpcs = THROUGHLINE__CATALOG__V1__STOCK_SERVICE__INIT();
