/* Campaigns and their codes. */
#include "services/catalog/governance/governance.h"
#include "services/catalog/pricing/uses_store.h"

#include "shared/base/id.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "shared/rpc/check.h"
#include "shared/rpc/naming.h"
#include "shared/rpc/page.h"
#include "shared/service/race.h"

#include <string.h>

typedef Throughline__Catalog__V1__CreateCouponCampaignRequest CreateCouponCampaignRequest;
typedef Throughline__Catalog__V1__GetCouponCampaignRequest GetCouponCampaignRequest;
typedef Throughline__Catalog__V1__ListCouponCampaignsRequest ListCouponCampaignsRequest;
typedef Throughline__Catalog__V1__ListCouponCampaignsResponse ListCouponCampaignsResponse;
typedef Throughline__Catalog__V1__EndCouponCampaignRequest EndCouponCampaignRequest;
typedef Throughline__Catalog__V1__GenerateCouponsRequest GenerateCouponsRequest;
typedef Throughline__Catalog__V1__GenerateCouponsResponse GenerateCouponsResponse;
typedef Throughline__Catalog__V1__GetCouponRequest GetCouponRequest;
typedef Throughline__Catalog__V1__CouponCampaignChanged CouponCampaignChanged;

enum { CODES_A_MESSAGE = 1000, MAX_CUSTOMERS = 10000 };

static const Error etag_stale = { ERROR_ABORTED, "ETAG_STALE",
    "The campaign was changed meanwhile: load it again." };
static const Error coupon_not_found = { ERROR_NOT_FOUND, "COUPON_NOT_FOUND",
    "No campaign of the account's channel has this code." };
static const Error has_one_code = { ERROR_FAILED_PRECONDITION, "CAMPAIGN_HAS_ONE_CODE",
    "Only campaigns with a prefix generate codes." };
static const Error campaign_ended = { ERROR_FAILED_PRECONDITION, "CAMPAIGN_ENDED",
    "The campaign has ended: its codes can't be used any more." };

/* Campaigns. */

/* A code of a promotion is found first where it is looked for: no campaign may have it too. */
static const Error *check_free(RpcCall *call, const char *code)
{
    static const Error taken = { ERROR_ALREADY_EXISTS, "CODE_TAKEN",
        "A promotion has this code: choose another." };
    Rules *rules;
    bool is_taken;
    const Error *error;

    if (!*code)
        return NULL;
    if ((error = rule_shelf_follow(catalog_of(call)->shelf, call->store)))
        return error;
    rules = rules_holder_current(catalog_of(call)->rules);
    is_taken = rules_promotion_by_code(rules, code) != NULL;
    rules_release(rules);
    return is_taken ? &taken : NULL;
}

/* Before the campaign, so that none is ever without its key; a second try finds the first one's. */
static const Error *make_key(RpcCall *call, const char *campaign)
{
    StoreView steps = store_steps(call->store);
    CouponKeyRecord *key = message_new(call->arena, coupon_keys.message);
    const Error *error;

    key->name = coupon_key_name(call->arena, campaign);
    key->key.data = arena_alloc(call->arena, COUPON_KEY);
    key->key.len = COUPON_KEY;
    id_random(key->key.data, COUPON_KEY);
    error = store_insert(&steps, &coupon_keys, key, NULL);
    return error && error->code == ERROR_ALREADY_EXISTS ? NULL : error;
}

static const Error *create_coupon_campaign(RpcCall *call, const void *request, void *reply)
{
    const CreateCouponCampaignRequest *req = request;
    CouponCampaign *campaign = reply;
    CouponCampaignChanged event = THROUGHLINE__CATALOG__V1__COUPON_CAMPAIGN_CHANGED__INIT;
    Findings findings = { .arena = call->arena };
    const Error *error;

    check_request_id(call, req->request_id);
    check_present(call, "campaign", req->campaign);
    if (req->campaign)
        campaign_check(req->campaign, &findings);
    for (size_t i = 0; i < findings.n_items; i++)
        check_fail(call, findings.items[i].field, "%s", findings.items[i].description);
    if ((error = check_result(call)) ||
        (error = check_promotion_channel(call, req->campaign->promotion)) ||
        (error = check_free(call, req->campaign->code)))
        return error;

    *campaign = *req->campaign;
    campaign->name = rpc_new_name(call, "couponCampaigns", req->request_id);
    campaign->etag = arena_text(call->arena, "");
    campaign->code_count = 0;
    campaign->create_time = timestamp_from_micros(call->arena, call->arrived_at);
    event.campaign = campaign;
    if (*campaign->prefix && (error = make_key(call, campaign->name)))
        return error;
    return store_insert(call->store, &coupon_campaigns, campaign, &event);
}

/* Also when it opens what the caller does not see. */
static const Error campaign_not_found = { ERROR_NOT_FOUND, "COUPON_CAMPAIGN_NOT_FOUND",
    "There is no such campaign for the account's channel." };

static const Error *load_campaign(RpcCall *call, const char *name, CouponCampaign *campaign)
{
    const Error *error = store_get(call->store, &coupon_campaigns, name, campaign);

    return error || sees_promotion(call, campaign->promotion) ? error : &campaign_not_found;
}

static const Error *look_at_campaign(RpcCall *call, void *message, bool *is_seen)
{
    *is_seen = sees_promotion(call, ((const CouponCampaign *)message)->promotion);
    return NULL;
}

static const Error *get_coupon_campaign(RpcCall *call, const void *request, void *reply)
{
    const GetCouponCampaignRequest *req = request;
    const Error *error;

    check_name(call, "name", req->name, "couponCampaigns/*");
    if ((error = check_result(call)))
        return error;

    return load_campaign(call, req->name, reply);
}

static const Error *list_coupon_campaigns(RpcCall *call, const void *request, void *reply)
{
    const ListCouponCampaignsRequest *req = request;
    ListCouponCampaignsResponse *res = reply;
    RpcPage page = page_read(call, req->page_size, req->page_token, "");
    StoreQuery query = { .limit = page.limit, .max_bytes = PAGE_BYTES, .resume = page.resume };
    StorePage found = { 0 };
    const Error *error;

    if ((error = check_result(call)) ||
        (error = find_seen(call, &coupon_campaigns, &query, look_at_campaign, &found)))
        return error;

    res->campaigns = (CouponCampaign **)found.messages;
    res->n_campaigns = found.n_messages;
    res->next_page_token = page_token(call, &page, found.resume);
    return NULL;
}

static const Error *end_coupon_campaign(RpcCall *call, const void *request, void *reply)
{
    const EndCouponCampaignRequest *req = request;
    CouponCampaign *campaign = reply;
    CouponCampaignChanged event = THROUGHLINE__CATALOG__V1__COUPON_CAMPAIGN_CHANGED__INIT;
    Race race __attribute__((cleanup(race_end))) = race_start(call, req->name);
    const Error *error;

    check_name(call, "name", req->name, "couponCampaigns/*");
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    do {
        message_init(coupon_campaigns.message, campaign);
        if ((error = load_campaign(call, req->name, campaign)) ||
            (error = check_promotion_channel(call, campaign->promotion)))
            return error;
        if (*req->etag && !text_equal(req->etag, campaign->etag))
            return &etag_stale;
        if (!campaign_end(campaign, call->arrived_at, call->arena))
            return NULL;
        event.campaign = campaign;
        error = store_replace(call->store, &coupon_campaigns, campaign, &event);
    } while (race_lost(&race, error, req->etag));
    return error;
}

/* Codes. */

static const Error *check_generates(
    const CouponCampaign *campaign, const GenerateCouponsRequest *req, int64_t now)
{
    static const Error is_personal = { ERROR_FAILED_PRECONDITION, "CAMPAIGN_IS_PERSONAL",
        "Each code of the campaign is one customer's: name the customers." };
    static const Error not_personal = { ERROR_FAILED_PRECONDITION, "CAMPAIGN_NOT_PERSONAL",
        "The campaign's codes are for everybody: name no customers." };

    if (!*campaign->prefix)
        return &has_one_code;
    if (campaign_state(campaign, now) == COUPON_ENDED)
        return &campaign_ended;
    if (campaign->is_personal != (req->n_customers > 0))
        return campaign->is_personal ? &is_personal : &not_personal;
    return NULL;
}

/* Makes the codes up to a number valid. */
static const Error *raise_count(
    RpcCall *call, const GenerateCouponsRequest *req, int64_t last, CouponCampaign *campaign)
{
    CouponCampaignChanged event = THROUGHLINE__CATALOG__V1__COUPON_CAMPAIGN_CHANGED__INIT;
    Race race __attribute__((cleanup(race_end))) = race_start(call, req->campaign);
    const Error *error;

    do {
        message_init(coupon_campaigns.message, campaign);
        if ((error = load_campaign(call, req->campaign, campaign)) ||
            (error = check_promotion_channel(call, campaign->promotion)) ||
            (error = check_generates(campaign, req, call->arrived_at)))
            return error;
        if (campaign->code_count >= last)
            return NULL;
        campaign->code_count = last;
        event.campaign = campaign;
        error = store_replace(call->store, &coupon_campaigns, campaign, &event);
    } while (race_lost(&race, error, ""));
    return error;
}

/* customers: NULL, or whose codes they are from the first on. */
static const Error *send_codes(RpcCall *call, const CouponCampaign *campaign,
    char *const *customers, int64_t first, int64_t end)
{
    CouponKeyRecord *key = message_new(call->arena, coupon_keys.message);
    Arena *arena = arena_new();
    const Error *error =
        store_get(call->store, &coupon_keys, coupon_key_name(call->arena, campaign->name), key);

    while (!error && first < end) {
        GenerateCouponsResponse message = THROUGHLINE__CATALOG__V1__GENERATE_COUPONS_RESPONSE__INIT;

        message.first = first;
        message.codes = arena_array(arena, CODES_A_MESSAGE, sizeof(*message.codes));
        while (first < end && message.n_codes < CODES_A_MESSAGE) {
            uint32_t tie = customers ? coupon_tie(key->key.data, *customers++) : COUPON_UNTIED;

            message.codes[message.n_codes++] =
                coupon_code(key->key.data, campaign->prefix, first++, tie, arena);
        }
        error = rpc_send(call, &message);
        arena_reset(arena);
    }
    arena_free(arena);
    return error;
}

static void check_customers(RpcCall *call, const GenerateCouponsRequest *req)
{
    check_count(call, "customers", req->n_customers, 0, MAX_CUSTOMERS);
    if (req->n_customers > 0 && req->count != 0)
        check_fail(call, "count", "must be 0 where customers are named");
    for (size_t i = 0; i < req->n_customers && i < MAX_CUSTOMERS; i++)
        check_name(call, check_path(call, "customers[%zu]", i), req->customers[i], "customers/*");
}

static const Error *generate_coupons(RpcCall *call, const void *request, void *reply)
{
    const GenerateCouponsRequest *req = request;
    CouponCampaign *campaign = message_new(call->arena, coupon_campaigns.message);
    int64_t first = req->first ? req->first : 1;
    int64_t count = req->n_customers ? (int64_t)req->n_customers : req->count;
    bool is_number = first >= 1 && first <= COUPON_MAX_NUMBER;
    const Error *error;

    (void)reply;
    check_name(call, "campaign", req->campaign, "couponCampaigns/*");
    check_range(call, "first", first, 1, COUPON_MAX_NUMBER);
    check_range(call, "count", count, 1, COUPON_MAX_NUMBER - (is_number ? first - 1 : 0));
    check_customers(call, req);
    if ((error = check_result(call)) ||
        (error = raise_count(call, req, first + count - 1, campaign)))
        return error;

    return send_codes(
        call, campaign, req->n_customers ? req->customers : NULL, first, first + count);
}

static const Error *get_coupon(RpcCall *call, const void *request, void *reply)
{
    const GetCouponRequest *req = request;
    const Error *error;

    check_text(call, "code", req->code, PROMOTION_MIN_CODE, PROMOTION_MAX_CODE);
    check_optional_name(call, "customer", req->customer, "customers/*");
    if ((error = check_result(call)))
        return error;

    if ((error = coupon_look_up(call, req->code, req->customer, reply)))
        return error;
    return sees_promotion(call, ((const Coupon *)reply)->promotion) ? NULL : &coupon_not_found;
}

const RpcService coupon_rpcs = THROUGHLINE__CATALOG__V1__COUPON_SERVICE__INIT();
