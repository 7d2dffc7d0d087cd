/* Coupons and the limits of promotions, over gRPC. */
#include "tests/service/catalog/coupon_fixture.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <string.h>

typedef Throughline__Catalog__V1__UseReservation__State State;

static const State HELD = THROUGHLINE__CATALOG__V1__USE_RESERVATION__STATE__HELD;
static const State REDEEMED = THROUGHLINE__CATALOG__V1__USE_RESERVATION__STATE__REDEEMED;
static const State RETURNED = THROUGHLINE__CATALOG__V1__USE_RESERVATION__STATE__RETURNED;

static const char ann[] = "customers/ann";
static const char bob[] = "customers/bob";

/* The reservation of a new quote, which must be had. */
static UseReservation reserved(const char *customer, const char *code)
{
    CreateQuoteResponse quoted;
    UseReservation reservation;

    CHECK_TEXT(error_reason(quote_tents(1, customer, code, &quoted)), "OK");
    CHECK_TEXT(error_reason(reserve(quoted.signed_quote, &reservation)), "OK");
    return reservation;
}

static const char *reason_of_reserving(const char *customer, const char *code)
{
    CreateQuoteResponse quoted;
    UseReservation reservation;
    const Error *error = quote_tents(1, customer, code, &quoted);

    return error_reason(error ? error : reserve(quoted.signed_quote, &reservation));
}

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
        error_reason(look_up(coupon_code(key, "REAL", 1, arena), "", &coupon)), "COUPON_NOT_FOUND");
    CHECK_TEXT(
        error_reason(look_up(arena_printf(arena, "OTHER%s", strchr(codes[0], '-')), "", &coupon)),
        "COUPON_NOT_FOUND");
    CHECK_TEXT(error_reason(look_up(codes[0], "", &coupon)), "OK");
}

static void what_cannot_be_generated_is_refused(void)
{
    Throughline__Catalog__V1__GenerateCouponsRequest request =
        THROUGHLINE__CATALOG__V1__GENERATE_COUPONS_REQUEST__INIT;
    CouponCampaign created;
    RpcClientStream *stream;
    void *received;

    CU_ASSERT_PTR_NULL(create_campaign(a_campaign("SINGLE", ""), &created));
    request.campaign = created.name;
    request.count = 1;
    CU_ASSERT_PTR_NULL(fixture_open(fixture, "CouponService/GenerateCoupons", &request, &stream));
    CHECK_TEXT(error_reason(rpc_client_receive(stream, arena, &received)), "CAMPAIGN_HAS_ONE_CODE");
    rpc_client_close_stream(stream);
    request.count = COUPON_MAX_NUMBER;
    request.first = 2;
    CU_ASSERT_PTR_NULL(fixture_open(fixture, "CouponService/GenerateCoupons", &request, &stream));
    CU_ASSERT(has_violation(rpc_client_receive(stream, arena, &received), "count"));
    rpc_client_close_stream(stream);
}

/* Uses. */

static void uses_are_reserved_redeemed_and_counted(void)
{
    UseReservation reservation, again;
    PromotionUsage usage;

    publish_open_tents(10, 2, 100000);
    reservation = reserved(ann, "");
    usage = usage_of_tents(ann);
    CHECK_INT(reservation.n_claims, 2);
    CHECK_INT(usage.used, 0);
    CHECK_INT(usage.reserved, 1);
    CHECK_INT(usage.customer_used, 1);
    CHECK_INT(minor(usage.spent), 1990);

    CU_ASSERT_PTR_NULL(end_uses("RedeemUses", reservation.name, &again));
    CHECK_INT(again.state, REDEEMED);
    CU_ASSERT_PTR_NULL(end_uses("RedeemUses", reservation.name, &again));
    usage = usage_of_tents(ann);
    CHECK_INT(usage.used, 1);
    CHECK_INT(usage.reserved, 0);
    CU_ASSERT_PTR_NULL(end_uses("GetUses", reservation.name, &again));
    CHECK_INT(again.state, REDEEMED);
}

static void the_same_quote_is_reserved_once(void)
{
    CreateQuoteResponse quoted;
    UseReservation first, second;

    publish_open_tents(10, 0, 0);
    CU_ASSERT_PTR_NULL(quote_tents(1, ann, "", &quoted));
    CU_ASSERT_PTR_NULL(reserve(quoted.signed_quote, &first));
    CU_ASSERT_PTR_NULL(reserve(quoted.signed_quote, &second));

    CU_ASSERT(message_equal(&first, &second));
    CHECK_INT(usage_of_tents("").reserved, 1);
    CU_ASSERT_PTR_NULL(end_uses("RedeemUses", first.name, &first));
    CHECK_TEXT(error_reason(reserve(quoted.signed_quote, &second)), "USES_CLOSED");
}

static void what_is_returned_can_be_used_again(void)
{
    UseReservation one, other, again;

    publish_open_tents(2, 0, 10000);
    one = reserved(ann, "");
    other = reserved(bob, "");
    CU_ASSERT_PTR_NULL(end_uses("RedeemUses", other.name, &again));

    CU_ASSERT_PTR_NULL(end_uses("ReturnUses", one.name, &again));
    CHECK_INT(again.state, RETURNED);
    CU_ASSERT_PTR_NULL(end_uses("ReturnUses", other.name, &again));
    CU_ASSERT_PTR_NULL(end_uses("ReturnUses", other.name, &again));
    CHECK_INT(usage_of_tents("").used, 0);
    CHECK_INT(usage_of_tents("").reserved, 0);
    CHECK_INT(minor(usage_of_tents("").spent), 0);
    CHECK_TEXT(error_reason(end_uses("RedeemUses", one.name, &again)), "USES_RETURNED");
    CHECK_TEXT(reason_of_reserving(ann, ""), "OK");
}

/* A quote that was given while there was something left is refused at the checkout. */
static void the_last_use_goes_to_who_checks_out_first(void)
{
    CreateQuoteResponse early, late;
    UseReservation reservation;
    const Error *error;

    publish_open_tents(1, 0, 0);
    CU_ASSERT_PTR_NULL(quote_tents(1, ann, "", &early));
    CU_ASSERT_PTR_NULL(quote_tents(1, bob, "", &late));
    CU_ASSERT_PTR_NULL(reserve(late.signed_quote, &reservation));
    error = reserve(early.signed_quote, &reservation);

    CHECK_TEXT(error_reason(error), "USED_UP");
    CU_ASSERT_PTR_NULL(quote_tents(1, ann, "", &early));
    CHECK_INT(minor(early.quote->discount_total), 0);
    CU_ASSERT_PTR_NULL(reserve(early.signed_quote, &reservation));
    CHECK_TEXT(reservation.name, "");
}

static void customers_have_limits_of_their_own(void)
{
    CreateQuoteResponse quoted;
    UseReservation reservation = { 0 };

    publish_open_tents(0, 1, 0);
    reservation = reserved(ann, "");
    CHECK_INT(reservation.n_claims, 1);

    CU_ASSERT_PTR_NULL(quote_tents(1, ann, "", &quoted));
    CHECK_INT(minor(quoted.quote->discount_total), 0);
    CU_ASSERT_PTR_NULL(quote_tents(1, bob, "", &quoted));
    CHECK_INT(minor(quoted.quote->discount_total), 1990);
    CU_ASSERT_PTR_NULL(quote_tents(1, "", "", &quoted));
    CHECK_INT(minor(quoted.quote->discount_total), 0);
}

static void a_budget_is_never_exceeded(void)
{
    CreateQuoteResponse one, other;
    UseReservation reservation;

    publish_open_tents(0, 0, 3000);
    CU_ASSERT_PTR_NULL(quote_tents(1, ann, "", &one));
    CU_ASSERT_PTR_NULL(quote_tents(1, bob, "", &other));
    CU_ASSERT_PTR_NULL(reserve(one.signed_quote, &reservation));

    CHECK_TEXT(error_reason(reserve(other.signed_quote, &reservation)), "USED_UP");
    CHECK_INT(minor(usage_of_tents("").spent), 1990);
}

static void what_nobody_redeems_is_given_back_in_time(void)
{
    UseReservation reservation, again;

    publish_open_tents(1, 0, 0);
    reservation = reserved(ann, "");
    make_uses_old(reservation.name);

    /* Whether the job was here first or not. */
    CHECK_TEXT(reason_of_reserving(bob, ""), "OK");
    CHECK_TEXT(error_reason(end_uses("RedeemUses", reservation.name, &again)), "USES_EXPIRED");
    CHECK_INT(usage_of_tents("").reserved, 1);
}

/* A process died after it had said what it would do. */
static void what_was_left_half_way_is_finished(void)
{
    UseReservation one, other;

    publish_open_tents(10, 0, 0);
    one = reserved(ann, "");
    other = reserved(bob, "");
    leave_uses(one.name, THROUGHLINE__CATALOG__V1__USE_RESERVATION__STATE__REDEEMING);
    leave_uses(other.name, THROUGHLINE__CATALOG__V1__USE_RESERVATION__STATE__RELEASING);

    CU_ASSERT(wait_for_uses(one.name, REDEEMED));
    CU_ASSERT(wait_for_uses(other.name, RETURNED));
    CHECK_INT(usage_of_tents("").used, 1);
    CHECK_INT(usage_of_tents("").reserved, 0);
    leave_uses(one.name, THROUGHLINE__CATALOG__V1__USE_RESERVATION__STATE__RETURNING);
    CU_ASSERT(wait_for_uses(one.name, RETURNED));
    CHECK_INT(usage_of_tents("").used, 0);
}

static void a_forged_or_old_quote_reserves_nothing(void)
{
    CreateQuoteResponse quoted;
    UseReservation reservation;

    publish_open_tents(1, 0, 0);
    CU_ASSERT_PTR_NULL(quote_tents(1, ann, "", &quoted));
    quoted.signed_quote->payload.data[5] ^= 1;

    CHECK_TEXT(error_reason(reserve(quoted.signed_quote, &reservation)), "QUOTE_FORGED");
    CU_ASSERT(has_violation(reserve(NULL, &reservation), "signed_quote"));
    CHECK_TEXT(error_reason(end_uses("RedeemUses", "useReservations/none", &reservation)),
        "USE_RESERVATION_NOT_FOUND");
    CU_ASSERT(has_violation(end_uses("ReturnUses", "none", &reservation), "name"));
}

static void uses_tell_what_happens_to_them(void)
{
    UseReservation reservation;
    const Event *event;

    publish_open_tents(1, 0, 0);
    reservation = reserved(ann, "");
    CU_ASSERT_PTR_NULL(end_uses("RedeemUses", reservation.name, &reservation));
    event = fixture_event(fixture, reservation.name, 2);

    CU_ASSERT_PTR_NOT_NULL_FATAL(event);
    CHECK_TEXT(event->customer, ann);
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
        { "the_same_numbers_are_the_same_codes", the_same_numbers_are_the_same_codes },
        { "only_codes_that_were_generated_are_coupons",
            only_codes_that_were_generated_are_coupons },
        { "what_cannot_be_generated_is_refused", what_cannot_be_generated_is_refused },
        { "uses_are_reserved_redeemed_and_counted", uses_are_reserved_redeemed_and_counted },
        { "the_same_quote_is_reserved_once", the_same_quote_is_reserved_once },
        { "what_is_returned_can_be_used_again", what_is_returned_can_be_used_again },
        { "the_last_use_goes_to_who_checks_out_first", the_last_use_goes_to_who_checks_out_first },
        { "customers_have_limits_of_their_own", customers_have_limits_of_their_own },
        { "a_budget_is_never_exceeded", a_budget_is_never_exceeded },
        { "what_nobody_redeems_is_given_back_in_time", what_nobody_redeems_is_given_back_in_time },
        { "what_was_left_half_way_is_finished", what_was_left_half_way_is_finished },
        { "a_forged_or_old_quote_reserves_nothing", a_forged_or_old_quote_reserves_nothing },
        { "uses_tell_what_happens_to_them", uses_tell_what_happens_to_them },
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
