/* What becomes of codes, and what is tried out before it is published. */
#include "tests/service/catalog/coupon_fixture.h"
#include "tests/service/catalog/governance_fixture.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

typedef Throughline__Catalog__V1__CodeResult CodeResult;
typedef Throughline__Catalog__V1__CodeResult__State CodeState;
typedef Throughline__Catalog__V1__ConsideredRule ConsideredRule;
typedef Throughline__Catalog__V1__ExplainQuoteRequest ExplainQuoteRequest;
typedef Throughline__Catalog__V1__GetPriceRequest GetPriceRequest;
typedef Throughline__Catalog__V1__GetPriceResponse GetPriceResponse;
typedef Throughline__Catalog__V1__ReplayQuoteRequest ReplayQuoteRequest;
typedef Throughline__Catalog__V1__ReplayQuoteResponse ReplayQuoteResponse;

static const int64_t an_hour = INT64_C(3600) * 1000000;

/* "promotions/NAME" with its code, to be changed before it is published. */
static Promotion *a_draft_of(const char *name, Change **change)
{
    *change = a_change(arena, name, 1000);
    return (*change)->after->promotion;
}

static CodeResult *result_of(const char *code)
{
    CreateQuoteRequest *request = a_request(arena, 1);

    request->allows_unused_codes = true;
    add_code(request, code);
    CHECK_TEXT(error_reason(quote(request)), "OK");
    CU_ASSERT_EQUAL_FATAL(answer.quote->n_codes, 1);
    return answer.quote->codes[0];
}

static void check_code(const char *code, CodeState state, const char *reason, const char *condition)
{
    const CodeResult *result = result_of(code);

    CHECK_INT(result->state, state);
    CHECK_TEXT(result->reason, reason);
    CHECK_TEXT(result->condition, condition);
    CHECK_INT(*result->detail != '\0', *reason != '\0');
}

static void every_state_of_a_code_says_which_condition_failed(void)
{
    Change *changes[6];
    Promotion *large = a_draft_of("large", &changes[1]);
    Promotion *later = a_draft_of("later", &changes[2]);
    Promotion *best = a_draft_of("best", &changes[3]);
    Promotion *worse = a_draft_of("worse", &changes[4]);
    Promotion *never = a_draft_of("never", &changes[5]);
    Throughline__Catalog__V1__PromotionConditions conditions =
        THROUGHLINE__CATALOG__V1__PROMOTION_CONDITIONS__INIT;
    Throughline__Catalog__V1__PromotionConditions first =
        THROUGHLINE__CATALOG__V1__PROMOTION_CONDITIONS__INIT;

    (void)a_draft_of("good", &changes[0]);
    conditions.min_quantity = 5;
    large->conditions = &conditions;
    later->start_time = timestamp_from_micros(arena, clock_now() + an_hour);
    best->code = text(arena, "");
    best->basis_points = 5000;
    best->stacking_group = worse->stacking_group = text(arena, "season");
    first.is_first_order = true;
    never->conditions = &first;
    publish_changes(changes, 6);

    check_code("CODE-GOOD", THROUGHLINE__CATALOG__V1__CODE_RESULT__STATE__APPLIED, "", "");
    check_code("CODE-NONE", THROUGHLINE__CATALOG__V1__CODE_RESULT__STATE__UNKNOWN, "UNKNOWN", "");
    check_code("CODE-LARGE", THROUGHLINE__CATALOG__V1__CODE_RESULT__STATE__NOT_MATCHING,
        "QUANTITY_TOO_LOW", "conditions.min_quantity");
    check_code("CODE-NEVER", THROUGHLINE__CATALOG__V1__CODE_RESULT__STATE__NOT_MATCHING,
        "NOT_FIRST_ORDER", "conditions.is_first_order");
    check_code("CODE-LATER", THROUGHLINE__CATALOG__V1__CODE_RESULT__STATE__NOT_ACTIVE,
        "NOT_STARTED", "start_time");
    check_code("CODE-WORSE", THROUGHLINE__CATALOG__V1__CODE_RESULT__STATE__EXCLUDED,
        "BETTER_IN_GROUP", "stacking_group");
    CHECK_TEXT(result_of("CODE-WORSE")->excluded_by, "promotions/best");
    CHECK_TEXT(result_of("CODE-GOOD")->excluded_by, "");
}

static void a_code_for_named_customers_is_nobody_elses(void)
{
    Change *change;
    Promotion *own = a_draft_of("own", &change);
    Throughline__Catalog__V1__PromotionConditions conditions =
        THROUGHLINE__CATALOG__V1__PROMOTION_CONDITIONS__INIT;
    char *customers[] = { text(arena, "customers/ann") };
    CreateQuoteResponse quoted;

    conditions.customers = customers;
    conditions.n_customers = COUNT(customers);
    own->conditions = &conditions;
    publish_changes(&change, 1);

    check_code("CODE-OWN", THROUGHLINE__CATALOG__V1__CODE_RESULT__STATE__NOT_MATCHING,
        "OTHER_CUSTOMER", "conditions.customers");
    CHECK_TEXT(error_reason(quote_tents(1, "customers/bob", "CODE-OWN", &quoted)),
        "PROMOTION_NOT_APPLICABLE");
    CHECK_TEXT(error_reason(quote_tents(1, "customers/ann", "CODE-OWN", &quoted)), "OK");
    CHECK_INT(minor(quoted.quote->total), 17910);
}

static void what_excludes_a_promotion_is_named(void)
{
    Change *changes[2];
    Promotion *alone = a_draft_of("alone", &changes[0]);

    (void)a_draft_of("other", &changes[1]);
    alone->code = text(arena, "");
    alone->is_exclusive = true;
    alone->basis_points = 3000;
    publish_changes(changes, 2);

    check_code("CODE-OTHER", THROUGHLINE__CATALOG__V1__CODE_RESULT__STATE__EXCLUDED, "EXCLUDED",
        "is_exclusive");
    CHECK_TEXT(result_of("CODE-OTHER")->excluded_by, "promotions/alone");
}

static void a_switch_lets_the_better_of_codes_and_sales_apply(void)
{
    Change *changes[3];
    Promotion *sale = a_draft_of("sale", &changes[0]);
    Throughline__Catalog__V1__PricingSettings settings =
        THROUGHLINE__CATALOG__V1__PRICING_SETTINGS__INIT;
    Rule rule = THROUGHLINE__CATALOG__V1__RULE__INIT;
    Change set = THROUGHLINE__CATALOG__V1__CHANGE__INIT;

    (void)a_draft_of("small", &changes[1]);
    sale->code = text(arena, "");
    sale->basis_points = 3000;
    publish_changes(changes, 2);
    CHECK_INT(
        result_of("CODE-SMALL")->state, THROUGHLINE__CATALOG__V1__CODE_RESULT__STATE__APPLIED);
    CHECK_INT(minor(answer.quote->total), 12537);

    settings.name = set.rule = text(arena, "pricingSettings/default");
    settings.code_combination =
        THROUGHLINE__CATALOG__V1__PRICING_SETTINGS__CODE_COMBINATION__BEST_DEAL;
    rule.kind_case = THROUGHLINE__CATALOG__V1__RULE__KIND_PRICING_SETTINGS;
    rule.pricing_settings = &settings;
    set.after = &rule;
    changes[0] = &set;
    publish_changes(changes, 1);

    check_code(
        "CODE-SMALL", THROUGHLINE__CATALOG__V1__CODE_RESULT__STATE__BETTER_DEAL, "BETTER_DEAL", "");
    CHECK_INT(minor(answer.quote->total), 13930);
}

static void a_coupon_out_of_its_time_is_not_active(void)
{
    CouponCampaign *later = a_campaign("LATER-26", ""), *over = a_campaign("OVER-26", "");
    CouponCampaign *known = a_campaign("KNOWN-26", ""), *spent = a_campaign("SPENT-26", "");
    CouponCampaign created;
    UseReservation reservation;

    publish_tents(0, 0, 0);
    later->start_time = timestamp_from_micros(arena, clock_now() + an_hour);
    over->end_time = timestamp_from_micros(arena, clock_now() - an_hour);
    known->customer_limit = 1;
    spent->total_limit = 1;
    CHECK_TEXT(error_reason(create_campaign(later, &created)), "OK");
    CHECK_TEXT(error_reason(create_campaign(over, &created)), "OK");
    CHECK_TEXT(error_reason(create_campaign(known, &created)), "OK");
    CHECK_TEXT(error_reason(create_campaign(spent, &created)), "OK");

    check_code("LATER-26", THROUGHLINE__CATALOG__V1__CODE_RESULT__STATE__NOT_ACTIVE, "NOT_STARTED",
        "campaign.start_time");
    check_code("OVER-26", THROUGHLINE__CATALOG__V1__CODE_RESULT__STATE__NOT_ACTIVE, "ENDED",
        "campaign.end_time");
    check_code("KNOWN-26", THROUGHLINE__CATALOG__V1__CODE_RESULT__STATE__NOT_MATCHING,
        "CUSTOMER_UNKNOWN", "campaign.customer_limit");
    (void)result_of("SPENT-26");
    CHECK_TEXT(error_reason(reserve(answer.signed_quote, &reservation)), "OK");
    check_code("SPENT-26", THROUGHLINE__CATALOG__V1__CODE_RESULT__STATE__LIMIT_REACHED,
        "TOTAL_LIMIT_REACHED", "total_limit");
}

static void a_code_that_is_a_coupon_is_no_promotions(void)
{
    CouponCampaign created;
    Promotion promotion = THROUGHLINE__CATALOG__V1__PROMOTION__INIT;
    Change *change = a_change(arena, "spring", 1000);
    Draft reply;
    const Error *error;

    CHECK_TEXT(error_reason(create(a_promotion(arena, "TENTS", 1000), "", &promotion)), "OK");
    CHECK_TEXT(error_reason(create_campaign(a_campaign("CODE-SPRING", ""), &created)), "OK");
    error = draft_call("SubmitDraft", make_draft_of(&change, 1)->name, "", &reply);

    CHECK_TEXT(error_reason(error), "RULES_INVALID");
    CU_ASSERT(has_violation(error, "rules[\"promotions/spring\"].code"));
    CHECK_TEXT(error_reason(create(a_promotion(arena, "CODE-SPRING", 1000), "", &promotion)),
        "RULES_INVALID");
}

static const ConsideredRule *considered(const QuoteExplanation *explanation, const char *rule)
{
    for (size_t i = 0; i < explanation->n_considered; i++)
        if (text_equal(explanation->considered[i]->rule, rule))
            return explanation->considered[i];
    return NULL;
}

static void a_draft_is_tried_out_on_a_cart_and_nothing_is_counted(void)
{
    Change *change = a_change(arena, "spring", 1000);
    Draft *draft = make_draft((RuleSetting[]){ { "spring", 1000 }, { 0 } });
    ExplainQuoteRequest request = THROUGHLINE__CATALOG__V1__EXPLAIN_QUOTE_REQUEST__INIT;
    QuoteExplanation explanation = THROUGHLINE__CATALOG__V1__EXPLAIN_QUOTE_RESPONSE__INIT;

    request.request = a_request(arena, 1);
    add_code(request.request, change->after->promotion->code);
    request.draft = draft->name;
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "PricingService/ExplainQuote", &request, &explanation)),
        "OK");
    CHECK_INT(minor(explanation.quote->total), 17910);
    CU_ASSERT_PTR_NOT_NULL_FATAL(considered(&explanation, "promotions/spring"));
    CU_ASSERT(considered(&explanation, "promotions/spring")->is_applied);
    CU_ASSERT_PTR_NULL(get_release_number(0));
    CHECK_INT(
        result_of("CODE-SPRING")->state, THROUGHLINE__CATALOG__V1__CODE_RESULT__STATE__UNKNOWN);

    request.draft = text(arena, "drafts/none");
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "PricingService/ExplainQuote", &request, &explanation)),
        "DRAFT_NOT_FOUND");
    request.draft = text(arena, "none");
    CU_ASSERT(has_violation(
        fixture_call(fixture, "PricingService/ExplainQuote", &request, &explanation), "draft"));
}

/* 10 % off by itself, once. */
static void publish_one_use(void)
{
    Change *change;
    Promotion *once = a_draft_of("once", &change);

    once->code = text(arena, "");
    once->total_limit = 1;
    publish_changes(&change, 1);
}

static int64_t price_now(void)
{
    GetPriceRequest request = THROUGHLINE__CATALOG__V1__GET_PRICE_REQUEST__INIT;
    GetPriceResponse price = THROUGHLINE__CATALOG__V1__GET_PRICE_RESPONSE__INIT;

    request.sku = text(arena, "tent-green");
    request.currency = text(arena, "EUR");
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "PricingService/GetPrice", &request, &price)), "OK");
    return minor(price.line->total);
}

static void a_price_shows_no_promotion_that_is_used_up(void)
{
    UseReservation reservation;

    publish_one_use();
    CHECK_INT(price_now(), 17910);
    CHECK_TEXT(error_reason(quote(a_request(arena, 1))), "OK");
    CHECK_TEXT(error_reason(reserve(answer.signed_quote, &reservation)), "OK");

    CHECK_INT(price_now(), 19900);
}

static void a_quote_is_replayed_though_a_promotion_was_used_up(void)
{
    ReplayQuoteRequest request = THROUGHLINE__CATALOG__V1__REPLAY_QUOTE_REQUEST__INIT;
    ReplayQuoteResponse reply = THROUGHLINE__CATALOG__V1__REPLAY_QUOTE_RESPONSE__INIT;
    UseReservation reservation;

    publish_one_use();
    CHECK_TEXT(error_reason(quote(a_request(arena, 1))), "OK");
    CHECK_TEXT(error_reason(reserve(answer.signed_quote, &reservation)), "OK");
    CHECK_TEXT(error_reason(quote(a_request(arena, 1))), "OK");
    CHECK_INT(minor(answer.quote->total), 19900);
    CHECK_TEXT(error_reason(end_uses("ReturnUses", reservation.name, &reservation)), "OK");
    CU_ASSERT(fixture_settle(fixture));

    request.signed_quote = answer.signed_quote;
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "GovernanceService/ReplayQuote", &request, &reply)),
        "OK");
    CU_ASSERT(reply.is_same);
    CHECK_INT(minor(reply.quote->total), 19900);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "every_state_of_a_code_says_which_condition_failed",
            every_state_of_a_code_says_which_condition_failed },
        { "a_code_for_named_customers_is_nobody_elses",
            a_code_for_named_customers_is_nobody_elses },
        { "what_excludes_a_promotion_is_named", what_excludes_a_promotion_is_named },
        { "a_switch_lets_the_better_of_codes_and_sales_apply",
            a_switch_lets_the_better_of_codes_and_sales_apply },
        { "a_coupon_out_of_its_time_is_not_active", a_coupon_out_of_its_time_is_not_active },
        { "a_code_that_is_a_coupon_is_no_promotions", a_code_that_is_a_coupon_is_no_promotions },
        { "a_draft_is_tried_out_on_a_cart_and_nothing_is_counted",
            a_draft_is_tried_out_on_a_cart_and_nothing_is_counted },
        { "a_price_shows_no_promotion_that_is_used_up",
            a_price_shows_no_promotion_that_is_used_up },
        { "a_quote_is_replayed_though_a_promotion_was_used_up",
            a_quote_is_replayed_though_a_promotion_was_used_up },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "code",
            .pSetUpFunc = start_with_tents,
            .pTearDownFunc = stop_catalog,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_code_service", suites, argc, argv);
}
