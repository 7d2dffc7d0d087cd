#include "tests/service/catalog/coupon_fixture.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

typedef Throughline__Catalog__V1__CreateCouponCampaignRequest CreateCouponCampaignRequest;
typedef Throughline__Catalog__V1__GenerateCouponsRequest GenerateCouponsRequest;
typedef Throughline__Catalog__V1__GenerateCouponsResponse GenerateCouponsResponse;

static void publish_only(Promotion *promotion)
{
    static int64_t release = 1000;
    Catalog *catalog = fixture_context(fixture)->state;
    RuleSet set = THROUGHLINE__CATALOG__V1__RULE_SET__INIT;

    promotion->name = text(arena, "promotions/tents");
    promotion->title = text(arena, "Tent weeks");
    set.release = release++;
    set.promotions = &promotion;
    set.n_promotions = 1;
    rules_holder_swap(catalog->rules, rules_compile(&set));
}

static void publish(bool needs_coupon, int64_t total_limit, int64_t customer_limit, int64_t budget)
{
    Promotion *tents = a_promotion(arena, "", 1000);

    tents->needs_coupon = needs_coupon;
    tents->total_limit = total_limit;
    tents->customer_limit = customer_limit;
    tents->budget = budget ? money_message(arena, "EUR", budget) : NULL;
    publish_only(tents);
}

void publish_customer_budget(
    int64_t budget, Throughline__Catalog__V1__Promotion__LimitPeriod period)
{
    Promotion *tents = a_promotion(arena, "", 1000);

    tents->customer_budget = money_message(arena, "EUR", budget);
    tents->limit_period = period;
    publish_only(tents);
}

void publish_tents(int64_t total_limit, int64_t customer_limit, int64_t budget)
{
    publish(true, total_limit, customer_limit, budget);
}

void publish_open_tents(int64_t total_limit, int64_t customer_limit, int64_t budget)
{
    publish(false, total_limit, customer_limit, budget);
}

CouponCampaign *a_campaign(const char *code, const char *prefix)
{
    CouponCampaign *campaign = message_new(arena, coupon_campaigns.message);

    campaign->title = text(arena, "Newsletter");
    campaign->promotion = text(arena, "promotions/tents");
    campaign->code = text(arena, code);
    campaign->prefix = text(arena, prefix);
    return campaign;
}

const Error *create_campaign(CouponCampaign *campaign, CouponCampaign *created)
{
    CreateCouponCampaignRequest request =
        THROUGHLINE__CATALOG__V1__CREATE_COUPON_CAMPAIGN_REQUEST__INIT;

    throughline__catalog__v1__coupon_campaign__init(created);
    request.campaign = campaign;
    return fixture_call(fixture, "CouponService/CreateCouponCampaign", &request, created);
}

/* All codes that the request streams, in their order. */
static char **generate_all(const GenerateCouponsRequest *request, int64_t count)
{
    char **codes = arena_array(arena, (size_t)count, sizeof(*codes));
    RpcClientStream *stream;
    int64_t n_codes = 0;
    void *received;

    CU_ASSERT_PTR_NULL_FATAL(
        fixture_open(fixture, "CouponService/GenerateCoupons", request, &stream));
    do {
        CHECK_TEXT(error_reason(rpc_client_receive(stream, arena, &received)), "OK");
        if (received) {
            const GenerateCouponsResponse *message = received;

            CHECK_INT(message->first, (request->first ? request->first : 1) + n_codes);
            for (size_t i = 0; i < message->n_codes && n_codes < count; i++)
                codes[n_codes++] = message->codes[i];
        }
    } while (received);
    rpc_client_close_stream(stream);
    CHECK_INT(n_codes, count);
    return codes;
}

char **generate(const char *campaign, int64_t first, int64_t count)
{
    GenerateCouponsRequest request = THROUGHLINE__CATALOG__V1__GENERATE_COUPONS_REQUEST__INIT;

    request.campaign = text(arena, campaign);
    request.first = first;
    request.count = count;
    return generate_all(&request, count);
}

char **generate_for(const char *campaign, const char *const *customers, size_t n_customers)
{
    GenerateCouponsRequest request = THROUGHLINE__CATALOG__V1__GENERATE_COUPONS_REQUEST__INIT;

    request.campaign = text(arena, campaign);
    request.customers = (char **)customers;
    request.n_customers = n_customers;
    return generate_all(&request, (int64_t)n_customers);
}

const Error *look_up(const char *code, const char *customer, Coupon *coupon)
{
    Throughline__Catalog__V1__GetCouponRequest request =
        THROUGHLINE__CATALOG__V1__GET_COUPON_REQUEST__INIT;

    throughline__catalog__v1__coupon__init(coupon);
    request.code = text(arena, code);
    request.customer = text(arena, customer);
    return fixture_call(fixture, "CouponService/GetCoupon", &request, coupon);
}

const Error *quote_tents(
    int32_t quantity, const char *customer, const char *code, CreateQuoteResponse *quoted)
{
    CreateQuoteRequest *request = a_request(arena, quantity);

    throughline__catalog__v1__create_quote_response__init(quoted);
    request->customer = text(arena, customer);
    if (*code)
        add_code(request, code);
    return fixture_call(fixture, "PricingService/CreateQuote", request, quoted);
}

const Error *reserve(SignedQuote *signed_quote, UseReservation *reservation)
{
    Throughline__Catalog__V1__ReserveUsesRequest request =
        THROUGHLINE__CATALOG__V1__RESERVE_USES_REQUEST__INIT;

    throughline__catalog__v1__use_reservation__init(reservation);
    request.signed_quote = signed_quote;
    return fixture_call(fixture, "CouponService/ReserveUses", &request, reservation);
}

const Error *end_uses(const char *verb, const char *name, UseReservation *reservation)
{
    /* The three requests begin with the same field. */
    Throughline__Catalog__V1__RedeemUsesRequest redeem =
        THROUGHLINE__CATALOG__V1__REDEEM_USES_REQUEST__INIT;
    Throughline__Catalog__V1__ReturnUsesRequest give_back =
        THROUGHLINE__CATALOG__V1__RETURN_USES_REQUEST__INIT;
    Throughline__Catalog__V1__GetUsesRequest look =
        THROUGHLINE__CATALOG__V1__GET_USES_REQUEST__INIT;
    const void *request = text_equal(verb, "RedeemUses")   ? (const void *)&redeem
                          : text_equal(verb, "ReturnUses") ? (const void *)&give_back
                                                           : (const void *)&look;

    throughline__catalog__v1__use_reservation__init(reservation);
    redeem.name = give_back.name = look.name = text(arena, name);
    return fixture_call(
        fixture, arena_printf(arena, "CouponService/%s", verb), request, reservation);
}

PromotionUsage usage_of_tents(const char *customer)
{
    Throughline__Catalog__V1__GetPromotionUsageRequest request =
        THROUGHLINE__CATALOG__V1__GET_PROMOTION_USAGE_REQUEST__INIT;
    PromotionUsage usage = THROUGHLINE__CATALOG__V1__PROMOTION_USAGE__INIT;

    request.promotion = text(arena, "promotions/tents");
    request.customer = text(arena, customer);
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "CouponService/GetPromotionUsage", &request, &usage)),
        "OK");
    return usage;
}

void make_uses_old(const char *name)
{
    StoreView view = fixture_view(fixture);
    UseReservation *reservation = message_new(arena, use_reservations.message);
    int64_t past = clock_now() - 1;

    CHECK_TEXT(error_reason(store_get(&view, &use_reservations, name, reservation)), "OK");
    for (size_t i = 0; i < reservation->n_claims; i++) {
        UseCounter *counter = message_new(arena, use_counters.message);

        CHECK_TEXT(
            error_reason(store_get(&view, &use_counters, reservation->claims[i]->counter, counter)),
            "OK");
        for (size_t j = 0; j < counter->n_holds; j++)
            counter->holds[j]->expire_time = timestamp_from_micros(arena, past);
        CHECK_TEXT(error_reason(store_replace(&view, &use_counters, counter, NULL)), "OK");
    }
    reservation->expire_time = timestamp_from_micros(arena, past);
    reservation->due = (char *)uses_due(arena, past, name);
    CHECK_TEXT(error_reason(store_replace(&view, &use_reservations, reservation, NULL)), "OK");
}

void leave_uses(const char *name, Throughline__Catalog__V1__UseReservation__State state)
{
    StoreView view = fixture_view(fixture);
    UseReservation *reservation = message_new(arena, use_reservations.message);

    CHECK_TEXT(error_reason(store_get(&view, &use_reservations, name, reservation)), "OK");
    reservation->state = state;
    reservation->due = (char *)uses_due(arena, clock_now() - 1, name);
    CHECK_TEXT(error_reason(store_replace(&view, &use_reservations, reservation, NULL)), "OK");
}

bool wait_for_uses(const char *name, Throughline__Catalog__V1__UseReservation__State state)
{
    for (int i = 0; i < 2000; i++) {
        UseReservation reservation;

        CHECK_TEXT(error_reason(end_uses("GetUses", name, &reservation)), "OK");
        if (reservation.state == state)
            return true;
        clock_sleep_ms(5);
    }
    return false;
}

UseReservation reserved(const char *customer, const char *code)
{
    CreateQuoteResponse quoted;
    UseReservation reservation;

    CHECK_TEXT(error_reason(quote_tents(1, customer, code, &quoted)), "OK");
    CHECK_TEXT(error_reason(reserve(quoted.signed_quote, &reservation)), "OK");
    return reservation;
}

const char *reason_of_reserving(const char *customer, const char *code)
{
    CreateQuoteResponse quoted;
    UseReservation reservation;
    const Error *error = quote_tents(1, customer, code, &quoted);

    return error_reason(error ? error : reserve(quoted.signed_quote, &reservation));
}
