/* Promotions; quotes and keys have files of their own. */
#include "services/catalog/pricing_rpcs.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "shared/rpc/check.h"
#include "shared/rpc/naming.h"
#include "shared/rpc/page.h"

typedef Throughline__Catalog__V1__CreatePromotionRequest CreatePromotionRequest;
typedef Throughline__Catalog__V1__GetPromotionRequest GetPromotionRequest;
typedef Throughline__Catalog__V1__ListPromotionsRequest ListPromotionsRequest;
typedef Throughline__Catalog__V1__ListPromotionsResponse ListPromotionsResponse;
typedef Throughline__Catalog__V1__EndPromotionRequest EndPromotionRequest;

enum { MAX_TRIES = 8 };

static const Error *create_promotion(RpcCall *call, const void *request, void *reply)
{
    const CreatePromotionRequest *req = request;
    Promotion *promotion = reply;
    PromotionChanged event = THROUGHLINE__CATALOG__V1__PROMOTION_CHANGED__INIT;
    Findings findings = { .arena = call->arena };
    const Error *error;

    check_request_id(call, req->request_id);
    check_present(call, "promotion", req->promotion);
    if (req->promotion)
        promotion_check(req->promotion, &findings);
    /* What applies by itself is in the rules of a release. */
    if (req->promotion && !*req->promotion->code)
        check_fail(call, "promotion.code", "must be set");
    for (size_t i = 0; i < findings.n_items; i++)
        check_fail(call, findings.items[i].field, "%s", findings.items[i].description);
    if ((error = check_result(call)))
        return error;

    *promotion = *req->promotion;
    promotion->name = rpc_new_name(call, "promotions", req->request_id);
    promotion->etag = arena_text(call->arena, "");
    promotion->create_time = timestamp_from_micros(call->arena, call->arrived_at);
    event.promotion = promotion;
    return store_insert(call->store, &promotions, promotion, &event);
}

static const Error *get_promotion(RpcCall *call, const void *request, void *reply)
{
    const GetPromotionRequest *req = request;
    const Error *error;

    check_name(call, "name", req->name, "promotions/*");
    if ((error = check_result(call)))
        return error;

    return store_get(call->store, &promotions, req->name, reply);
}

static const Error *list_promotions(RpcCall *call, const void *request, void *reply)
{
    const ListPromotionsRequest *req = request;
    ListPromotionsResponse *res = reply;
    RpcPage page = page_read(call, req->page_size, req->page_token, "");
    StoreQuery query = { .limit = page.limit, .resume = page.resume };
    StorePage found = { 0 };
    const Error *error;

    if ((error = check_result(call)) ||
        (error = store_find(call->store, &promotions, &query, &found)))
        return error;

    res->promotions = (Promotion **)found.messages;
    res->n_promotions = found.n_messages;
    res->next_page_token = page_token(call, &page, found.resume);
    return NULL;
}

static const Error *end_once(RpcCall *call, const EndPromotionRequest *req, Promotion *promotion)
{
    PromotionChanged event = THROUGHLINE__CATALOG__V1__PROMOTION_CHANGED__INIT;
    bool is_seen;
    const Error *error;

    message_init(&throughline__catalog__v1__promotion__descriptor, promotion);
    if ((error = store_get(call->store, &promotions, req->name, promotion)))
        return error;
    is_seen = !*req->etag || text_equal(req->etag, promotion->etag);
    if (!promotion_end(promotion, call->arrived_at, call->arena) && is_seen)
        return NULL;
    if (!is_seen)
        promotion->etag = req->etag;
    event.promotion = promotion;
    return store_replace(call->store, &promotions, promotion, &event);
}

/* Ending twice is ending once. Without an etag it means "whatever it is now": a lost race is tried
 * again. */
static const Error *end_promotion(RpcCall *call, const void *request, void *reply)
{
    const EndPromotionRequest *req = request;
    const Error *error;

    check_name(call, "name", req->name, "promotions/*");
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    error = end_once(call, req, reply);
    for (int try = 1; try < MAX_TRIES && !*req->etag && error && error->code == ERROR_ABORTED;
         try++)
        error = end_once(call, req, reply);
    return error;
}

const RpcService pricing_rpcs = THROUGHLINE__CATALOG__V1__PRICING_SERVICE__INIT();
