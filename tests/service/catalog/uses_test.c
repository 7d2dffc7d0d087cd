/* Limits of promotions and coupons: reserved, redeemed, given back, over gRPC. */
#include "tests/service/catalog/coupon_fixture.h"
#include "tests/service/catalog/governance_fixture.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <string.h>

typedef Throughline__Catalog__V1__UseReservation__State State;

static const State REDEEMED = THROUGHLINE__CATALOG__V1__USE_RESERVATION__STATE__REDEEMED;
static const State RETURNED = THROUGHLINE__CATALOG__V1__USE_RESERVATION__STATE__RETURNED;

static const Throughline__Catalog__V1__Promotion__LimitPeriod ALL_TIME =
    THROUGHLINE__CATALOG__V1__PROMOTION__LIMIT_PERIOD__LIMIT_PERIOD_UNSPECIFIED;

static const char ann[] = "customers/ann";
static const char bob[] = "customers/bob";

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

/* 19.90 is 10 % of a tent: the budget of 30.00 pays for one and a half, of each customer. */
static void a_customers_budget_is_each_customers_own(void)
{
    CreateQuoteResponse one, other;
    UseReservation reservation;
    const Error *error;

    publish_customer_budget(3000, ALL_TIME);
    CU_ASSERT_PTR_NULL(quote_tents(1, ann, "", &one));
    CU_ASSERT_PTR_NULL(quote_tents(1, ann, "", &other));
    CU_ASSERT_PTR_NULL(reserve(one.signed_quote, &reservation));
    error = reserve(other.signed_quote, &reservation);
    CHECK_TEXT(error_reason(error), "USED_UP");
    CHECK_TEXT(error_fact(error, "limit"), "customer_budget");

    CU_ASSERT_PTR_NULL(quote_tents(1, ann, "", &other));
    CHECK_INT(minor(other.quote->discount_total), 1010);
    CU_ASSERT_PTR_NULL(quote_tents(1, bob, "", &other));
    CHECK_INT(minor(other.quote->discount_total), 1990);
    CHECK_INT(minor(usage_of_tents(ann).customer_spent), 1990);
    CHECK_INT(minor(usage_of_tents(bob).customer_spent), 0);
}

static void what_is_returned_is_a_customers_to_spend_again(void)
{
    CreateQuoteResponse quoted;
    UseReservation reservation;

    publish_customer_budget(1990, ALL_TIME);
    reservation = reserved(ann, "");
    CU_ASSERT_PTR_NULL(end_uses("RedeemUses", reservation.name, &reservation));
    CU_ASSERT_PTR_NULL(quote_tents(1, ann, "", &quoted));
    CHECK_INT(minor(quoted.quote->discount_total), 0);

    CU_ASSERT_PTR_NULL(end_uses("ReturnUses", reservation.name, &reservation));
    CHECK_INT(minor(usage_of_tents(ann).customer_spent), 0);
    CU_ASSERT_PTR_NULL(quote_tents(1, ann, "", &quoted));
    CHECK_INT(minor(quoted.quote->discount_total), 1990);
}

/* What was spent all the time before is not what was spent this year. */
static void a_customers_budget_begins_anew_with_its_period(void)
{
    CreateQuoteResponse quoted;

    publish_customer_budget(1990, ALL_TIME);
    (void)reserved(ann, "");
    publish_customer_budget(1990, THROUGHLINE__CATALOG__V1__PROMOTION__LIMIT_PERIOD__YEAR);
    CU_ASSERT_PTR_NULL(quote_tents(1, ann, "", &quoted));
    CHECK_INT(minor(quoted.quote->discount_total), 1990);
    (void)reserved(ann, "");
    CU_ASSERT_PTR_NULL(quote_tents(1, ann, "", &quoted));
    CHECK_INT(minor(quoted.quote->discount_total), 0);
}

static void a_spent_customers_budget_is_explained(void)
{
    Throughline__Catalog__V1__ExplainQuoteRequest request =
        THROUGHLINE__CATALOG__V1__EXPLAIN_QUOTE_REQUEST__INIT;
    Throughline__Catalog__V1__ExplainQuoteResponse reply =
        THROUGHLINE__CATALOG__V1__EXPLAIN_QUOTE_RESPONSE__INIT;

    publish_customer_budget(1990, ALL_TIME);
    (void)reserved(ann, "");
    request.request = a_request(arena, 1);
    request.request->customer = text(arena, ann);
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "PricingService/ExplainQuote", &request, &reply)), "OK");
    CU_ASSERT_EQUAL_FATAL(reply.n_considered, 1);
    CHECK_TEXT(reply.considered[0]->reason, "CUSTOMER_BUDGET_SPENT");
    CHECK_TEXT(reply.considered[0]->condition, "customer_budget");
    CU_ASSERT_EQUAL_FATAL(reply.quote->n_limits, 1);
    CHECK_INT(minor(reply.quote->limits[0]->customer_budget_left), 0);
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
        { "uses_are_reserved_redeemed_and_counted", uses_are_reserved_redeemed_and_counted },
        { "the_same_quote_is_reserved_once", the_same_quote_is_reserved_once },
        { "what_is_returned_can_be_used_again", what_is_returned_can_be_used_again },
        { "the_last_use_goes_to_who_checks_out_first", the_last_use_goes_to_who_checks_out_first },
        { "customers_have_limits_of_their_own", customers_have_limits_of_their_own },
        { "a_budget_is_never_exceeded", a_budget_is_never_exceeded },
        { "a_customers_budget_is_each_customers_own", a_customers_budget_is_each_customers_own },
        { "what_is_returned_is_a_customers_to_spend_again",
            what_is_returned_is_a_customers_to_spend_again },
        { "a_customers_budget_begins_anew_with_its_period",
            a_customers_budget_begins_anew_with_its_period },
        { "a_spent_customers_budget_is_explained", a_spent_customers_budget_is_explained },
        { "what_nobody_redeems_is_given_back_in_time", what_nobody_redeems_is_given_back_in_time },
        { "what_was_left_half_way_is_finished", what_was_left_half_way_is_finished },
        { "a_forged_or_old_quote_reserves_nothing", a_forged_or_old_quote_reserves_nothing },
        { "uses_tell_what_happens_to_them", uses_tell_what_happens_to_them },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "uses",
            .pSetUpFunc = start_with_tents,
            .pTearDownFunc = stop_catalog,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_uses_service", suites, argc, argv);
}
