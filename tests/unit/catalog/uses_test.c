/* Codes of coupons, campaigns, and counters that count each use once whatever is repeated. */
#include "services/catalog/domain/uses.h"

#include "shared/base/clock.h"
#include "shared/codec/types.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"

#include <string.h>

typedef Throughline__Catalog__V1__UseReservation__State State;

static const State REDEEMED = THROUGHLINE__CATALOG__V1__USE_RESERVATION__STATE__REDEEMED;
static const State RETURNED = THROUGHLINE__CATALOG__V1__USE_RESERVATION__STATE__RETURNED;

enum { SECOND = 1000000 };

static const uint8_t key[COUPON_KEY] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

static Arena *arena;
static UseCounter counter;
static UseReservation reservation;
static UseClaim claim;

static void set_up(void)
{
    Quote quote = THROUGHLINE__CATALOG__V1__QUOTE__INIT;

    arena = arena_new();
    quote.name = text(arena, "quotes/one");
    quote.customer = text(arena, "customers/ann");
    throughline__catalog__v1__use_counter__init(&counter);
    throughline__catalog__v1__use_claim__init(&claim);
    claim.subject = text(arena, "promotions/tents");
    claim.most_uses = 2;
    uses_init(
        "useReservations/one", &quote, some_noon, some_noon + 900 * SECOND, arena, &reservation);
}

static void tear_down(void)
{
    arena_free(arena);
}

/* Codes. */

/* Of a code that is nobody's in particular. */
static int64_t number_of(const uint8_t *with, const char *code)
{
    uint32_t tie;
    int64_t number = coupon_number(with, code, &tie);

    return tie == COUPON_UNTIED ? number : 0;
}

static void codes_are_read_back(void)
{
    static const int64_t numbers[] = { 1, 2, 999, 1000000, COUPON_MAX_NUMBER };

    for (size_t i = 0; i < COUNT(numbers); i++) {
        const char *code = coupon_code(key, "SPRING", numbers[i], COUPON_UNTIED, arena);

        CHECK_TEXT(coupon_prefix(code, arena), "SPRING");
        CHECK_INT(number_of(key, code), numbers[i]);
    }
}

static void codes_differ_in_many_letters(void)
{
    for (int64_t i = 1; i < 500; i++) {
        const char *code = coupon_code(key, "AB", i, COUPON_UNTIED, arena) + 3;
        const char *next = coupon_code(key, "AB", i + 1, COUPON_UNTIED, arena) + 3;
        int same = 0;

        for (int j = 0; j < COUPON_LETTERS; j++)
            same += code[j] == next[j];
        CU_ASSERT(same <= 6);
    }
}

/* One letter changed is a guess, and none of these hits. */
static void changed_codes_are_none(void)
{
    char *code = coupon_code(key, "AB", 77, COUPON_UNTIED, arena);

    for (size_t i = 3; code[i]; i++) {
        char was = code[i];

        for (const char *at = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; *at; at++) {
            code[i] = *at;
            if (*at != was)
                CHECK_INT(number_of(key, code), 0);
        }
        code[i] = was;
    }
    CHECK_INT(number_of(key, code), 77);
}

static void other_keys_read_nothing(void)
{
    uint8_t other[COUPON_KEY];

    memcpy(other, key, sizeof(other));
    other[15] ^= 1;
    for (int64_t i = 1; i < 1000; i++)
        CHECK_INT(number_of(other, coupon_code(key, "AB", i, COUPON_UNTIED, arena)), 0);
}

static void a_tied_code_says_whose_it_is(void)
{
    static const char *const customers[] = { "customers/ann", "customers/bob", "customers/b" };

    for (size_t i = 0; i < COUNT(customers); i++) {
        uint32_t tie = coupon_tie(key, customers[i]), read;
        const char *code = coupon_code(key, "AB", 77, tie, arena);

        CHECK_INT(coupon_number(key, code, &read), 77);
        CHECK_INT(read, tie);
        CHECK_INT(number_of(key, code), 0);
        for (size_t j = 0; j < i; j++)
            CU_ASSERT(tie != coupon_tie(key, customers[j]));
    }
}

static void other_shapes_are_no_generated_codes(void)
{
    static const char *const shapes[] = { "", "SUMMER", "SUMMER-26", "A-0123456789AB",
        "AB-0123456789AI", "AB-0123456789ABC", "ab-0123456789AB", "AB_0123456789AB" };

    for (size_t i = 0; i < COUNT(shapes); i++)
        CU_ASSERT_PTR_NULL(coupon_prefix(shapes[i], arena));
}

/* Campaigns. */

static void campaigns_have_their_time(void)
{
    CouponCampaign campaign = THROUGHLINE__CATALOG__V1__COUPON_CAMPAIGN__INIT;

    CHECK_INT(campaign_state(&campaign, some_noon), COUPON_USABLE);
    campaign.start_time = timestamp_from_micros(arena, some_noon);
    campaign.end_time = timestamp_from_micros(arena, some_noon + SECOND);
    CHECK_INT(campaign_state(&campaign, some_noon - 1), COUPON_NOT_STARTED);
    CHECK_INT(campaign_state(&campaign, some_noon), COUPON_USABLE);
    CHECK_INT(campaign_state(&campaign, some_noon + SECOND), COUPON_ENDED);
    CU_ASSERT(campaign_end(&campaign, some_noon, arena));
    CU_ASSERT_FALSE(campaign_end(&campaign, some_noon, arena));
}

static void generated_codes_are_for_one_use(void)
{
    CouponCampaign campaign = THROUGHLINE__CATALOG__V1__COUPON_CAMPAIGN__INIT;

    CHECK_INT(campaign_code_limit(&campaign), 0);
    campaign.prefix = text(arena, "AB");
    CHECK_INT(campaign_code_limit(&campaign), 1);
    campaign.code_limit = 3;
    CHECK_INT(campaign_code_limit(&campaign), 3);
}

/* Claims. */

static void a_promotion_claims_what_it_limits(void)
{
    Promotion *promotion = a_promotion(arena, "TEN", 1000);
    QuoteUse use = { .promotion = promotion->name, .code = "TEN", .amount = 500 };

    CU_ASSERT_PTR_NULL(
        uses_claim_promotion(promotion, &use, "EUR", some_noon, arena, &reservation));
    CHECK_INT(reservation.n_claims, 0);
    promotion->total_limit = 100;
    promotion->customer_limit = 2;
    promotion->budget = money_message(arena, "EUR", 100000);
    CU_ASSERT_PTR_NULL(
        uses_claim_promotion(promotion, &use, "EUR", some_noon, arena, &reservation));
    CHECK_INT(reservation.n_claims, 2);
    CHECK_INT(reservation.claims[0]->most_uses, 100);
    CHECK_INT(reservation.claims[0]->amount, 500);
    CHECK_INT(reservation.claims[0]->most_amount, 100000);
    CHECK_INT(reservation.claims[1]->most_uses, 2);
    CU_ASSERT(strcmp(reservation.claims[0]->counter, reservation.claims[1]->counter) != 0);
    reservation.customer = text(arena, "");
    CHECK_TEXT(
        error_reason(uses_claim_promotion(promotion, &use, "EUR", some_noon, arena, &reservation)),
        "CUSTOMER_MISSING");
}

static void a_budget_counts_in_its_own_currency(void)
{
    Promotion *promotion = a_promotion(arena, "TEN", 1000);
    QuoteUse use = { .promotion = promotion->name, .code = "TEN", .amount = 500 };

    promotion->budget = money_message(arena, "EUR", 100000);
    CU_ASSERT_PTR_NULL(
        uses_claim_promotion(promotion, &use, "USD", some_noon, arena, &reservation));

    CHECK_INT(reservation.n_claims, 0);
}

static void a_customers_budget_is_claimed_of_the_customer(void)
{
    Promotion *promotion = a_promotion(arena, "TEN", 1000);
    QuoteUse use = { .promotion = promotion->name, .code = "TEN", .amount = 500 };

    promotion->customer_budget = money_message(arena, "EUR", 2000);
    CU_ASSERT_PTR_NULL(
        uses_claim_promotion(promotion, &use, "USD", some_noon, arena, &reservation));
    CHECK_INT(reservation.n_claims, 0);
    CU_ASSERT_PTR_NULL(
        uses_claim_promotion(promotion, &use, "EUR", some_noon, arena, &reservation));
    CHECK_INT(reservation.n_claims, 1);
    CHECK_INT(reservation.claims[0]->limit, THROUGHLINE__CATALOG__V1__USE_CLAIM__LIMIT__CUSTOMER);
    CHECK_INT(reservation.claims[0]->most_uses, 0);
    CHECK_INT(reservation.claims[0]->amount, 500);
    CHECK_INT(reservation.claims[0]->most_amount, 2000);
    reservation.customer = text(arena, "");
    CHECK_TEXT(
        error_reason(uses_claim_promotion(promotion, &use, "EUR", some_noon, arena, &reservation)),
        "CUSTOMER_MISSING");
}

static const char *subject_at(Throughline__Catalog__V1__Promotion__LimitPeriod period, int64_t now)
{
    Promotion *promotion = a_promotion(arena, "TEN", 1000);

    promotion->limit_period = period;
    return uses_subject(promotion, now, arena);
}

static void uses_count_by_period(void)
{
    static const int64_t a_day = INT64_C(86400) * 1000000;
    int64_t sunday = 0; /* 2026-11-22, 12:00 */

    CU_ASSERT_FATAL(clock_parse("2026-11-22T12:00:00Z", &sunday));
    CHECK_TEXT(
        subject_at(THROUGHLINE__CATALOG__V1__PROMOTION__LIMIT_PERIOD__LIMIT_PERIOD_UNSPECIFIED, 0),
        "promotions/ten");
    CHECK_TEXT(subject_at(THROUGHLINE__CATALOG__V1__PROMOTION__LIMIT_PERIOD__DAY, sunday),
        "promotions/ten in 2026-11-22");
    CHECK_TEXT(subject_at(THROUGHLINE__CATALOG__V1__PROMOTION__LIMIT_PERIOD__WEEK, sunday),
        "promotions/ten in week of 2026-11-16");
    CHECK_TEXT(subject_at(THROUGHLINE__CATALOG__V1__PROMOTION__LIMIT_PERIOD__WEEK, sunday + a_day),
        "promotions/ten in week of 2026-11-23");
    CHECK_TEXT(subject_at(THROUGHLINE__CATALOG__V1__PROMOTION__LIMIT_PERIOD__MONTH, sunday),
        "promotions/ten in 2026-11");
    CHECK_TEXT(subject_at(THROUGHLINE__CATALOG__V1__PROMOTION__LIMIT_PERIOD__YEAR, sunday),
        "promotions/ten in 2026");
}

static void a_new_period_is_counted_anew(void)
{
    static const int64_t forty_days = INT64_C(40) * 86400 * 1000000;
    Promotion *promotion = a_promotion(arena, "TEN", 1000);
    QuoteUse use = { .promotion = promotion->name, .code = "TEN", .amount = 500 };

    promotion->customer_limit = 1;
    promotion->limit_period = THROUGHLINE__CATALOG__V1__PROMOTION__LIMIT_PERIOD__MONTH;
    CU_ASSERT_PTR_NULL(
        uses_claim_promotion(promotion, &use, "EUR", some_noon, arena, &reservation));
    CU_ASSERT_PTR_NULL(
        uses_claim_promotion(promotion, &use, "EUR", some_noon + 1, arena, &reservation));
    CU_ASSERT_PTR_NULL(
        uses_claim_promotion(promotion, &use, "EUR", some_noon + forty_days, arena, &reservation));

    CHECK_TEXT(reservation.claims[1]->counter, reservation.claims[0]->counter);
    CU_ASSERT(strcmp(reservation.claims[2]->counter, reservation.claims[0]->counter) != 0);
    CHECK_TEXT(reservation.claims[2]->subject, "promotions/ten");
}

/* Counters. */

static const char *hold(UseReservation *by)
{
    bool is_changed;

    return error_reason(counter_hold(&counter, &claim, by, some_noon, arena, &is_changed));
}

static bool follow(UsesEnd end)
{
    bool is_done;

    CU_ASSERT_PTR_NULL(uses_end(&reservation, end, some_noon, arena, &is_done));
    CU_ASSERT_FALSE(is_done);
    return counter_follow(&counter, &claim, &reservation, some_noon, arena);
}

static UseReservation *another(const char *name)
{
    UseReservation *other = arena_copy(arena, &reservation, sizeof(reservation));

    other->name = text(arena, name);
    return other;
}

static void a_limit_is_never_passed(void)
{
    CHECK_TEXT(hold(&reservation), "OK");
    CHECK_TEXT(hold(another("useReservations/two")), "OK");
    CHECK_TEXT(hold(another("useReservations/three")), "USED_UP");
    CHECK_INT(counter_uses_left(&counter, claim.most_uses, some_noon), 0);
    CHECK_INT(counter_reserved(&counter, some_noon), 2);
    /* For whoever looks, what is over is free; whoever counts must give it back first. */
    CHECK_INT(counter_reserved(&counter, some_noon + 900 * SECOND), 0);
    CHECK_TEXT(hold(another("useReservations/four")), "USED_UP");
}

static void a_budget_is_never_passed(void)
{
    claim.most_uses = 0;
    claim.amount = 60;
    claim.most_amount = 100;
    CHECK_TEXT(hold(&reservation), "OK");
    CHECK_TEXT(hold(another("useReservations/two")), "USED_UP");
    claim.amount = 40;
    CHECK_TEXT(hold(another("useReservations/two")), "OK");
    CHECK_INT(counter_spent(&counter, some_noon), 100);
    claim.amount = INT64_MAX;
    CHECK_TEXT(hold(another("useReservations/three")), "USED_UP");
}

static void holding_again_changes_nothing(void)
{
    bool is_changed;

    CHECK_TEXT(hold(&reservation), "OK");
    CU_ASSERT_PTR_NULL(counter_hold(&counter, &claim, &reservation, some_noon, arena, &is_changed));
    CU_ASSERT_FALSE(is_changed);
    CHECK_INT(counter.n_holds, 1);
}

static void redeeming_again_counts_once(void)
{
    hold(&reservation);
    uses_held(&reservation, some_noon, arena);
    CU_ASSERT(follow(USES_REDEEM));
    CU_ASSERT_FALSE(counter_follow(&counter, &claim, &reservation, some_noon, arena));
    uses_closed(&reservation, some_noon, arena);

    CHECK_INT(counter.used, 1);
    CHECK_INT(counter.n_holds, 0);
    CHECK_INT(reservation.state, REDEEMED);
    CHECK_TEXT(reservation.due, "");
}

static void returning_again_gives_back_once(void)
{
    hold(&reservation);
    uses_held(&reservation, some_noon, arena);
    follow(USES_REDEEM);
    uses_closed(&reservation, some_noon, arena);
    CU_ASSERT(follow(USES_RETURN));
    CU_ASSERT_FALSE(counter_follow(&counter, &claim, &reservation, some_noon, arena));
    uses_closed(&reservation, some_noon, arena);

    CHECK_INT(counter.used, 0);
    CHECK_INT(reservation.state, RETURNED);
    /* The mark does not count, and goes when nobody can be late any more. */
    CHECK_INT(counter_uses_left(&counter, 2, some_noon), 2);
    CU_ASSERT_PTR_NULL(counter_hold(&counter, &claim, another("useReservations/two"),
        some_noon + (int64_t)USES_RETURN_MARK_SECONDS * SECOND, arena, &(bool){ false }));
    CHECK_INT(counter.n_holds, 1);
}

static void another_attempt_holds_for_itself(void)
{
    UseReservation *again = another(reservation.name);

    hold(&reservation);
    again->attempt = 1;
    CHECK_TEXT(hold(again), "OK");
    CU_ASSERT(counter_drop(&counter, &reservation));
    CU_ASSERT_FALSE(counter_drop(&counter, &reservation));
    CHECK_INT(counter.n_holds, 1);
}

static void a_counter_holds_so_many_at_once(void)
{
    claim.most_uses = 0;
    claim.most_amount = 0;
    for (int i = 0; i < USES_MAX_HOLDS; i++)
        hold(another(arena_printf(arena, "useReservations/%d", i)));

    CHECK_TEXT(hold(&reservation), "PROMOTION_BUSY");
}

/* Reservations. */

static const char *end(UsesEnd how, int64_t now)
{
    bool is_done;

    return error_reason(uses_end(&reservation, how, now, arena, &is_done));
}

static void only_what_is_held_is_redeemed(void)
{
    int64_t late = some_noon + 900 * SECOND;

    CHECK_TEXT(end(USES_REDEEM, some_noon), "USES_EXPIRED");
    uses_held(&reservation, some_noon, arena);
    /* As long as nobody has given it back, late is not too late. */
    CHECK_TEXT(end(USES_FINISH, late - 1), "OK");
    CU_ASSERT(uses_is_open(&reservation));
    CHECK_TEXT(end(USES_REDEEM, late), "OK");
    CU_ASSERT(uses_is_closing(&reservation));
}

static void what_is_over_ends_expired(void)
{
    int64_t late = some_noon + 900 * SECOND;

    uses_held(&reservation, some_noon, arena);
    CHECK_TEXT(end(USES_FINISH, late), "OK");
    uses_closed(&reservation, late, arena);

    CU_ASSERT(reservation.is_expired);
    CHECK_TEXT(end(USES_REDEEM, late), "USES_EXPIRED");
    CHECK_TEXT(end(USES_RETURN, late), "OK");
}

static void what_was_refused_may_be_tried_again(void)
{
    uses_refused(&reservation, some_noon, arena);
    CHECK_TEXT(reservation.due, "");
    CHECK_TEXT(end(USES_RETURN, some_noon), "OK");
    uses_try_again(&reservation, some_noon, some_noon + SECOND, arena);

    CHECK_INT(reservation.attempt, 1);
    CU_ASSERT(uses_is_open(&reservation));
    CU_ASSERT(strlen(reservation.due) > 0);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "codes_are_read_back", codes_are_read_back },
        { "codes_differ_in_many_letters", codes_differ_in_many_letters },
        { "changed_codes_are_none", changed_codes_are_none },
        { "other_keys_read_nothing", other_keys_read_nothing },
        { "a_tied_code_says_whose_it_is", a_tied_code_says_whose_it_is },
        { "other_shapes_are_no_generated_codes", other_shapes_are_no_generated_codes },
        { "campaigns_have_their_time", campaigns_have_their_time },
        { "generated_codes_are_for_one_use", generated_codes_are_for_one_use },
        { "a_promotion_claims_what_it_limits", a_promotion_claims_what_it_limits },
        { "a_budget_counts_in_its_own_currency", a_budget_counts_in_its_own_currency },
        { "a_customers_budget_is_claimed_of_the_customer",
            a_customers_budget_is_claimed_of_the_customer },
        { "uses_count_by_period", uses_count_by_period },
        { "a_new_period_is_counted_anew", a_new_period_is_counted_anew },
        { "a_limit_is_never_passed", a_limit_is_never_passed },
        { "a_budget_is_never_passed", a_budget_is_never_passed },
        { "holding_again_changes_nothing", holding_again_changes_nothing },
        { "redeeming_again_counts_once", redeeming_again_counts_once },
        { "returning_again_gives_back_once", returning_again_gives_back_once },
        { "another_attempt_holds_for_itself", another_attempt_holds_for_itself },
        { "a_counter_holds_so_many_at_once", a_counter_holds_so_many_at_once },
        { "only_what_is_held_is_redeemed", only_what_is_held_is_redeemed },
        { "what_is_over_ends_expired", what_is_over_ends_expired },
        { "what_was_refused_may_be_tried_again", what_was_refused_may_be_tried_again },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "uses", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_uses", suites, argc, argv);
}
