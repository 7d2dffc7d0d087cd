/* Campaigns and their codes, over gRPC. */
#include "tests/service/catalog/coupon_fixture.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <string.h>

typedef Throughline__Catalog__V1__GenerateCouponsRequest GenerateCouponsRequest;
typedef Throughline__Catalog__V1__UseReservation__State State;

static const State HELD = THROUGHLINE__CATALOG__V1__USE_RESERVATION__STATE__HELD;

static const char ann[] = "customers/ann";
static const char bob[] = "customers/bob";

/* Campaigns. */

static void a_campaign_of_one_code_opens_its_promotion(void)
{
    CouponCampaign created;
    CreateQuoteResponse quoted;
    Coupon coupon;

    publish_tents(0, 0, 0);
    CHECK_TEXT(error_reason(create_campaign(a_campaign("SUMMER-26", ""), &created)), "OK");

    CU_ASSERT_PTR_NULL(look_up("SUMMER-26", "", &coupon));
    CHECK_TEXT(coupon.campaign, created.name);
    CHECK_TEXT(coupon.promotion, "promotions/tents");
    CHECK_INT(coupon.state, COUPON_USABLE);
    CU_ASSERT_PTR_NULL(quote_tents(2, "", "SUMMER-26", &quoted));
    CHECK_INT(minor(quoted.quote->discount_total), 3980);
    CU_ASSERT_PTR_NULL(quote_tents(2, "", "", &quoted));
    CHECK_INT(minor(quoted.quote->discount_total), 0);
    CHECK_TEXT(error_reason(look_up("SUMMER-27", "", &coupon)), "COUPON_NOT_FOUND");
}

static void bad_campaigns_are_refused_with_all_reasons(void)
{
    CouponCampaign *campaign = a_campaign("summer", "x");
    CouponCampaign created;
    const Error *error;

    campaign->title = text(arena, "");
    campaign->promotion = text(arena, "tents");
    campaign->total_limit = -1;
    campaign->code_limit = -1;
    campaign->customer_limit = -1;
    campaign->start_time = timestamp_from_micros(arena, some_noon);
    campaign->end_time = timestamp_from_micros(arena, some_noon);
    error = create_campaign(campaign, &created);

    CU_ASSERT(has_violation(error, "campaign.title"));
    CU_ASSERT(has_violation(error, "campaign.promotion"));
    CU_ASSERT(has_violation(error, "campaign.code"));
    CU_ASSERT(has_violation(error, "campaign.prefix"));
    CU_ASSERT(has_violation(error, "campaign.total_limit"));
    CU_ASSERT(has_violation(error, "campaign.code_limit"));
    CU_ASSERT(has_violation(error, "campaign.customer_limit"));
    CU_ASSERT(has_violation(error, "campaign.end_time"));
    CU_ASSERT(has_violation(
        create_campaign(a_campaign("ABC-0123456789AB", ""), &created), "campaign.code"));
    CU_ASSERT(has_violation(create_campaign(a_campaign("", ""), &created), "campaign.code"));
    CU_ASSERT(has_violation(create_campaign(NULL, &created), "campaign"));
}

static void codes_and_prefixes_are_unique(void)
{
    CouponCampaign created;
    Promotion promotion;

    CU_ASSERT_PTR_NULL(create_campaign(a_campaign("ONCE", ""), &created));
    CU_ASSERT_PTR_NULL(create_campaign(a_campaign("", "ONCE"), &created));
    CU_ASSERT_PTR_NULL(create(a_promotion(arena, "OTHER", 500), "", &promotion));

    CHECK_TEXT(error_reason(create_campaign(a_campaign("ONCE", ""), &created)), "CODE_TAKEN");
    CHECK_TEXT(error_reason(create_campaign(a_campaign("", "ONCE"), &created)), "PREFIX_TAKEN");
    CHECK_TEXT(error_reason(create_campaign(a_campaign("OTHER", ""), &created)), "CODE_TAKEN");
}

static void a_campaign_is_read_listed_and_ended(void)
{
    Throughline__Catalog__V1__GetCouponCampaignRequest get =
        THROUGHLINE__CATALOG__V1__GET_COUPON_CAMPAIGN_REQUEST__INIT;
    Throughline__Catalog__V1__EndCouponCampaignRequest end =
        THROUGHLINE__CATALOG__V1__END_COUPON_CAMPAIGN_REQUEST__INIT;
    Throughline__Catalog__V1__ListCouponCampaignsRequest list =
        THROUGHLINE__CATALOG__V1__LIST_COUPON_CAMPAIGNS_REQUEST__INIT;
    Throughline__Catalog__V1__ListCouponCampaignsResponse page =
        THROUGHLINE__CATALOG__V1__LIST_COUPON_CAMPAIGNS_RESPONSE__INIT;
    CouponCampaign created, shown = THROUGHLINE__CATALOG__V1__COUPON_CAMPAIGN__INIT;
    Coupon coupon;

    publish_tents(0, 0, 0);
    CU_ASSERT_PTR_NULL(create_campaign(a_campaign("ENDS", ""), &created));
    get.name = end.name = created.name;
    end.etag = text(arena, "7");

    CU_ASSERT_PTR_NULL(fixture_call(fixture, "CouponService/GetCouponCampaign", &get, &shown));
    CU_ASSERT(message_equal(&shown, &created));
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "CouponService/ListCouponCampaigns", &list, &page));
    CHECK_INT(page.n_campaigns, 1);
    CHECK_TEXT(error_reason(fixture_call(fixture, "CouponService/EndCouponCampaign", &end, &shown)),
        "ETAG_STALE");
    end.etag = created.etag;
    end.request_id = text(arena, "end-1");
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "CouponService/EndCouponCampaign", &end, &shown));
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "CouponService/EndCouponCampaign", &end, &shown));
    CHECK_TEXT(shown.etag, "2");
    CU_ASSERT_PTR_NULL(look_up("ENDS", "", &coupon));
    CHECK_INT(coupon.state, COUPON_ENDED);
    get.name = text(arena, "couponCampaigns/none");
    CHECK_TEXT(error_reason(fixture_call(fixture, "CouponService/GetCouponCampaign", &get, &shown)),
        "COUPON_CAMPAIGN_NOT_FOUND");
}

/* Generated codes. */

static void generated_codes_are_used_once_each(void)
{
    CouponCampaign created;
    Coupon coupon;
    UseReservation reservation;
    char **codes;

    publish_tents(0, 0, 0);
    CU_ASSERT_PTR_NULL(create_campaign(a_campaign("", "SPRING"), &created));
    codes = generate(created.name, 0, 2500);
    CHECK_INT(strlen(codes[0]), strlen("SPRING-") + COUPON_LETTERS);

    reservation = reserved(ann, codes[2499]);
    CHECK_INT(reservation.state, HELD);
    CU_ASSERT_PTR_NULL(end_uses("RedeemUses", reservation.name, &reservation));
    CU_ASSERT_PTR_NULL(look_up(codes[2499], "", &coupon));
    CHECK_INT(coupon.state, COUPON_USED_UP);
    CHECK_TEXT(reason_of_reserving(ann, codes[2499]), "PROMOTION_NOT_APPLICABLE");
    CHECK_TEXT(reason_of_reserving(ann, codes[0]), "OK");
}

/* Whose codes they are is in the codes alone: no store knows it. */
static void a_personal_code_is_its_customers_alone(void)
{
    const char *const customers[] = { ann, bob };
    CouponCampaign *campaign = a_campaign("", "YOURS"), created;
    Coupon coupon;
    char **codes;

    publish_tents(0, 0, 0);
    campaign->is_personal = true;
    CU_ASSERT_PTR_NULL(create_campaign(campaign, &created));
    codes = generate_for(created.name, customers, COUNT(customers));
    CHECK_TEXT(generate_for(created.name, customers, 1)[0], codes[0]);

    CU_ASSERT_PTR_NULL(look_up(codes[0], ann, &coupon));
    CHECK_INT(coupon.state, COUPON_USABLE);
    CU_ASSERT(coupon.is_personal);
    CU_ASSERT_PTR_NULL(look_up(codes[0], bob, &coupon));
    CHECK_INT(coupon.state, COUPON_OTHER_CUSTOMER);
    CU_ASSERT_PTR_NULL(look_up(codes[0], "", &coupon));
    CHECK_INT(coupon.state, COUPON_CUSTOMER_NEEDED);
    CHECK_TEXT(reason_of_reserving(bob, codes[0]), "PROMOTION_NOT_APPLICABLE");
    CHECK_TEXT(reason_of_reserving("", codes[0]), "PROMOTION_NOT_APPLICABLE");
    CHECK_TEXT(reason_of_reserving(bob, codes[1]), "OK");
    CHECK_TEXT(reason_of_reserving(ann, codes[0]), "OK");
}

static void it_is_said_that_a_code_is_somebody_elses(void)
{
    const char *const customers[] = { ann };
    CouponCampaign *campaign = a_campaign("", "YOURS"), created;
    CreateQuoteRequest *request = a_request(arena, 1);

    publish_tents(0, 0, 0);
    campaign->is_personal = true;
    CU_ASSERT_PTR_NULL(create_campaign(campaign, &created));
    add_code(request, generate_for(created.name, customers, 1)[0]);
    request->customer = text(arena, bob);
    request->allows_unused_codes = true;
    CHECK_TEXT(error_reason(quote(request)), "OK");
    CHECK_TEXT(answer.quote->codes[0]->reason, "OTHER_CUSTOMER");
    CHECK_TEXT(answer.quote->codes[0]->condition, "campaign.is_personal");
    CHECK_INT(coupon_door_of(answer.quote->codes[0]->condition), COUPON_DOOR_OTHER_CUSTOMER);
}

static void the_same_numbers_are_the_same_codes(void)
{
    CouponCampaign created;
    Coupon coupon;
    char **once, **again, **more;

    CU_ASSERT_PTR_NULL(create_campaign(a_campaign("", "AGAIN"), &created));
    once = generate(created.name, 1, 10);
    again = generate(created.name, 5, 3);
    CHECK_TEXT(again[0], once[4]);
    CHECK_TEXT(error_reason(look_up(once[9], "", &coupon)), "OK");
    more = generate(created.name, 11, 1);
    CU_ASSERT(strcmp(more[0], once[9]) != 0);
}

static void only_codes_that_were_generated_are_coupons(void)
{
    CouponCampaign created, other;
    Coupon coupon;
    char **codes;
    uint8_t key[COUPON_KEY] = { 0 };

    CU_ASSERT_PTR_NULL(create_campaign(a_campaign("", "REAL"), &created));
    CU_ASSERT_PTR_NULL(create_campaign(a_campaign("", "OTHER"), &other));
    codes = generate(created.name, 1, 1);

    CHECK_TEXT(
        error_reason(look_up(coupon_code(key, "REAL", 1, COUPON_UNTIED, arena), "", &coupon)),
        "COUPON_NOT_FOUND");
    CHECK_TEXT(
        error_reason(look_up(arena_printf(arena, "OTHER%s", strchr(codes[0], '-')), "", &coupon)),
        "COUPON_NOT_FOUND");
    CHECK_TEXT(error_reason(look_up(codes[0], "", &coupon)), "OK");
}

/* What generating says to a request. */
static const Error *refusal_of(const GenerateCouponsRequest *request)
{
    RpcClientStream *stream;
    const Error *error;
    void *received;

    CU_ASSERT_PTR_NULL_FATAL(
        fixture_open(fixture, "CouponService/GenerateCoupons", request, &stream));
    error = error_copy(arena, rpc_client_receive(stream, arena, &received));
    rpc_client_close_stream(stream);
    return error;
}

static void what_cannot_be_generated_is_refused(void)
{
    GenerateCouponsRequest request = THROUGHLINE__CATALOG__V1__GENERATE_COUPONS_REQUEST__INIT;
    CouponCampaign created;

    CU_ASSERT_PTR_NULL(create_campaign(a_campaign("SINGLE", ""), &created));
    request.campaign = created.name;
    request.count = 1;
    CHECK_TEXT(error_reason(refusal_of(&request)), "CAMPAIGN_HAS_ONE_CODE");
    request.count = COUPON_MAX_NUMBER;
    request.first = 2;
    CU_ASSERT(has_violation(refusal_of(&request), "count"));
}

static void a_personal_campaign_generates_for_customers_only(void)
{
    GenerateCouponsRequest request = THROUGHLINE__CATALOG__V1__GENERATE_COUPONS_REQUEST__INIT;
    CouponCampaign *campaign = a_campaign("", "YOURS"), created, open;
    char *customers[] = { text(arena, ann), text(arena, "ann") };
    const Error *error;

    CU_ASSERT_PTR_NULL(create_campaign(a_campaign("", "OURS"), &open));
    campaign->is_personal = true;
    CU_ASSERT_PTR_NULL(create_campaign(campaign, &created));
    request.campaign = created.name;
    request.count = 1;
    CHECK_TEXT(error_reason(refusal_of(&request)), "CAMPAIGN_IS_PERSONAL");
    request.customers = customers;
    request.n_customers = COUNT(customers);
    error = refusal_of(&request);
    CU_ASSERT(has_violation(error, "count") && has_violation(error, "customers[1]"));
    request.count = 0;
    request.n_customers = 1;
    request.campaign = open.name;
    CHECK_TEXT(error_reason(refusal_of(&request)), "CAMPAIGN_NOT_PERSONAL");
    campaign = a_campaign("ONE-CODE", "");
    campaign->is_personal = true;
    CU_ASSERT(has_violation(create_campaign(campaign, &created), "campaign.is_personal"));
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_campaign_of_one_code_opens_its_promotion",
            a_campaign_of_one_code_opens_its_promotion },
        { "bad_campaigns_are_refused_with_all_reasons",
            bad_campaigns_are_refused_with_all_reasons },
        { "codes_and_prefixes_are_unique", codes_and_prefixes_are_unique },
        { "a_campaign_is_read_listed_and_ended", a_campaign_is_read_listed_and_ended },
        { "generated_codes_are_used_once_each", generated_codes_are_used_once_each },
        { "a_personal_code_is_its_customers_alone", a_personal_code_is_its_customers_alone },
        { "it_is_said_that_a_code_is_somebody_elses", it_is_said_that_a_code_is_somebody_elses },
        { "the_same_numbers_are_the_same_codes", the_same_numbers_are_the_same_codes },
        { "only_codes_that_were_generated_are_coupons",
            only_codes_that_were_generated_are_coupons },
        { "what_cannot_be_generated_is_refused", what_cannot_be_generated_is_refused },
        { "a_personal_campaign_generates_for_customers_only",
            a_personal_campaign_generates_for_customers_only },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "coupon",
            .pSetUpFunc = start_with_tents,
            .pTearDownFunc = stop_catalog,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_coupon_service", suites, argc, argv);
}
