/* For how much: quotes and promotions. */
#include "services/catalog/catalog_service.h"

#include "shared/base/id.h"
#include "shared/base/money.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "shared/rpc/check.h"
#include "shared/rpc/naming.h"
#include "shared/rpc/page.h"

typedef Throughline__Catalog__V1__CreateQuoteRequest CreateQuoteRequest;
typedef Throughline__Catalog__V1__CreateQuoteResponse CreateQuoteResponse;
typedef Throughline__Catalog__V1__VerifyQuoteRequest VerifyQuoteRequest;
typedef Throughline__Catalog__V1__QuoteKey QuoteKey;
typedef Throughline__Catalog__V1__ListQuoteKeysResponse ListQuoteKeysResponse;
typedef Throughline__Catalog__V1__CreatePromotionRequest CreatePromotionRequest;
typedef Throughline__Catalog__V1__GetPromotionRequest GetPromotionRequest;
typedef Throughline__Catalog__V1__ListPromotionsRequest ListPromotionsRequest;
typedef Throughline__Catalog__V1__ListPromotionsResponse ListPromotionsResponse;
typedef Throughline__Catalog__V1__EndPromotionRequest EndPromotionRequest;

enum {
    QUOTE_DEFAULT_TTL_SECONDS = 900,
    QUOTE_MIN_TTL_SECONDS = 60,
    QUOTE_MAX_TTL_SECONDS = 86400,
    QUOTE_MAX_ETAG = 64,
    MICROS_PER_SECOND = 1000000,
    MAX_TRIES = 8,
};

static void check_lines(RpcCall *call, const CreateQuoteRequest *req)
{
    check_count(call, "lines", req->n_lines, 1, QUOTE_MAX_LINES);
    for (size_t i = 0; i < req->n_lines && i < QUOTE_MAX_LINES; i++) {
        const char *sku_path = check_path(call, "lines[%zu].sku", i);

        if (!sku_is_valid(req->lines[i]->sku))
            check_fail(call, sku_path, "must be 1 to 64 characters of [A-Za-z0-9_.~-]");
        for (size_t j = 0; j < i; j++)
            if (text_equal(req->lines[j]->sku, req->lines[i]->sku))
                check_fail(call, sku_path, "is the SKU of lines[%zu] too", j);
        check_range(call, check_path(call, "lines[%zu].quantity", i), req->lines[i]->quantity, 1,
            QUOTE_MAX_QUANTITY);
    }
}

static const Error *check_quote_request(RpcCall *call, const CreateQuoteRequest *req)
{
    if (money_digits(req->currency) < 0)
        check_fail(call, "currency", "\"%s\" is not an ISO 4217 currency", req->currency);
    check_lines(call, req);
    check_count(call, "codes", req->n_codes, 0, QUOTE_MAX_CODES);
    for (size_t i = 0; i < req->n_codes && i < QUOTE_MAX_CODES; i++)
        for (size_t j = 0; j < i; j++)
            if (text_equal(req->codes[j], req->codes[i]))
                check_fail(call, check_path(call, "codes[%zu]", i), "is given twice");
    check_optional_name(call, "customer", req->customer, "customers/*");
    check_optional_name(call, "cart", req->cart, "carts/*");
    check_text(call, "cart_etag", req->cart_etag, 0, QUOTE_MAX_ETAG);
    if (req->ttl_seconds)
        check_range(
            call, "ttl_seconds", req->ttl_seconds, QUOTE_MIN_TTL_SECONDS, QUOTE_MAX_TTL_SECONDS);
    return check_result(call);
}

static const Error *load_items(RpcCall *call, const CreateQuoteRequest *req, PricingItem *items)
{
    for (size_t i = 0; i < req->n_lines; i++) {
        const char *sku = req->lines[i]->sku;
        Bytes packed;
        const char *found;

        if (!snapshot_find(
                catalog_of(call)->snapshot, SNAPSHOT_SKU, sku, call->arena, &packed, &found))
            return error_with_fact(call->arena,
                error_new(call->arena, ERROR_NOT_FOUND, "VARIANT_NOT_FOUND",
                    "No product has a variant with the SKU \"%s\".", sku),
                "sku", sku);
        items[i].line = req->lines[i];
        items[i].product =
            message_unpack(call->arena, &throughline__catalog__v1__product__descriptor, packed);
    }
    return NULL;
}

/* Promotions come from the store, not from memory: one that was just made or ended counts at once
 * in every replica. */
static const Error *load_codes(RpcCall *call, const CreateQuoteRequest *req, PricingCode *codes)
{
    for (size_t i = 0; i < req->n_codes; i++) {
        StoreQuery query = {
            .index = "code",
            .equal = { { .kind = STORE_TEXT, .text = req->codes[i] } },
            .limit = 1,
        };
        StorePage page = { 0 };
        const Error *error;

        codes[i].code = req->codes[i];
        /* What cannot be a code is one that does not apply. */
        if (!promotion_code_is_valid(req->codes[i]))
            continue;
        if ((error = store_find(call->store, &promotions, &query, &page)))
            return error;
        codes[i].promotion = page.n_messages ? page.messages[0] : NULL;
    }
    return NULL;
}

/* Names, times and for whom: what makes amounts a promise. */
static void address_quote(RpcCall *call, const CreateQuoteRequest *req, Quote *quote)
{
    int64_t ttl = req->ttl_seconds ? req->ttl_seconds : QUOTE_DEFAULT_TTL_SECONDS;

    quote->name = id_name(call->arena, "quotes");
    quote->issue_time = timestamp_from_micros(call->arena, call->arrived_at);
    quote->expire_time =
        timestamp_from_micros(call->arena, call->arrived_at + ttl * MICROS_PER_SECOND);
    quote->customer = req->customer;
    quote->cart = req->cart;
    quote->cart_etag = req->cart_etag;
    quote->channel = arena_text(call->arena, call->context.channel);
}

static const Error *create_quote(RpcCall *call, const void *request, void *reply)
{
    const CreateQuoteRequest *req = request;
    CreateQuoteResponse *res = reply;
    PricingItem *items = arena_array(call->arena, req->n_lines, sizeof(*items));
    PricingCode *codes = arena_array(call->arena, req->n_codes, sizeof(*codes));
    PricingInput input = {
        .currency = req->currency,
        .now = call->arrived_at,
        .items = items,
        .n_items = req->n_lines,
        .codes = codes,
        .n_codes = req->n_codes,
    };
    Quote *quote = message_new(call->arena, &throughline__catalog__v1__quote__descriptor);
    const Error *error;

    if ((error = check_quote_request(call, req)) || (error = load_items(call, req, items)) ||
        (error = load_codes(call, req, codes)))
        return error;

    if ((error = pricing_quote(&input, call->arena, quote)))
        return error;
    address_quote(call, req, quote);

    res->quote = quote;
    res->signed_quote =
        message_new(call->arena, &throughline__catalog__v1__signed_quote__descriptor);
    quote_sign(quote, catalog_of(call)->quote_key, call->arena, res->signed_quote);
    return NULL;
}

static const Error *verify_quote(RpcCall *call, const void *request, void *reply)
{
    const VerifyQuoteRequest *req = request;
    const QuoteKeyRecord *const keys[] = { catalog_of(call)->quote_key };
    const Error *error;

    check_present(call, "signed_quote", req->signed_quote);
    if ((error = check_result(call)))
        return error;

    return quote_verify(req->signed_quote, keys, COUNT(keys), call->arrived_at, call->arena, reply);
}

static const Error *list_quote_keys(RpcCall *call, const void *request, void *reply)
{
    ListQuoteKeysResponse *res = reply;
    const QuoteKeyRecord *record = catalog_of(call)->quote_key;
    QuoteKey *key = message_new(call->arena, &throughline__catalog__v1__quote_key__descriptor);

    (void)request;
    key->name = record->name;
    key->etag = record->etag;
    key->public_key = record->public_key;
    key->create_time = record->create_time;
    res->keys = arena_array(call->arena, 1, sizeof(*res->keys));
    res->keys[res->n_keys++] = key;
    return NULL;
}

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
