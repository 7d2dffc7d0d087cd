/* Quotes priced again as they were, over gRPC. */
#include "tests/service/catalog/governance_fixture.h"
#include "tests/service/catalog/pricing_fixture.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"

typedef Throughline__Catalog__V1__ReplayQuoteRequest ReplayQuoteRequest;
typedef Throughline__Catalog__V1__ReplayQuoteResponse ReplayQuoteResponse;
typedef Throughline__Catalog__V1__PriceOverride PriceOverride;

static const Error *replay(SignedQuote *given, ReplayQuoteResponse *reply)
{
    ReplayQuoteRequest request = THROUGHLINE__CATALOG__V1__REPLAY_QUOTE_REQUEST__INIT;

    throughline__catalog__v1__replay_quote_response__init(reply);
    request.signed_quote = given;
    /* What a new release is made of reaches the log by the relay. */
    CU_ASSERT(fixture_settle(fixture));
    return fixture_call(fixture, "GovernanceService/ReplayQuote", &request, reply);
}

static void import_tent_at(int64_t amount)
{
    Product *tent = a_product(arena);

    set_price(arena, tent->variants[0], "EUR", amount);
    fixture_act_as(fixture, "web", "agents/merchandiser");
    import_all(&tent, 1);
}

static void a_quote_is_the_same_after_everything_has_changed(void)
{
    CreateQuoteRequest *request = a_request(arena, 3);
    ReplayQuoteResponse reply;
    SignedQuote *given;
    int64_t total;

    publish_settings((RuleSetting[]){ { "spring", 1000 }, { "summer", 500 }, { 0 } });
    add_code(request, "CODE-SPRING");
    CU_ASSERT_PTR_NULL_FATAL(quote(request));
    given = answer.signed_quote;
    total = minor(answer.quote->total);
    publish_settings((RuleSetting[]){ { "spring", 0 }, { "summer", 7000 }, { 0 } });
    import_tent_at(100);
    import_tent_at(200);
    fixture_restart(fixture);

    CHECK_TEXT(error_reason(replay(given, &reply)), "OK");
    CU_ASSERT(reply.is_same);
    CHECK_INT(minor(reply.quote->total), total);
    CHECK_INT(reply.release->number, 1);
    CHECK_TEXT(error_reason(quote(request)), "PROMOTION_NOT_APPLICABLE");
}

static void a_quote_of_the_time_before_the_first_release_is_replayed(void)
{
    ReplayQuoteResponse reply;

    CU_ASSERT_PTR_NULL_FATAL(quote(a_request(arena, 1)));
    publish_settings((RuleSetting[]){ { "spring", 1000 }, { 0 } });
    import_tent_at(100);

    CHECK_TEXT(error_reason(replay(answer.signed_quote, &reply)), "OK");
    CU_ASSERT(reply.is_same);
    CHECK_INT(minor(reply.quote->total), 19900);
    CU_ASSERT_PTR_NULL(reply.release);
}

static void prices_set_by_hand_and_codes_that_did_not_apply_are_replayed(void)
{
    CreateQuoteRequest *request = a_request(arena, 2);
    PriceOverride override = THROUGHLINE__CATALOG__V1__PRICE_OVERRIDE__INIT;
    PriceOverride *overrides[] = { &override };
    ReplayQuoteResponse reply;

    publish_limit(1000, 5000);
    fixture_act_as(fixture, "care", "agents/kim");
    override.sku = text(arena, "tent-green");
    override.unit_price = money_message(arena, "EUR", 19000);
    override.reason = text(arena, "A torn bag");
    override.limit = text(arena, "overrideLimits/goodwill");
    request->overrides = overrides;
    request->n_overrides = 1;
    request->allows_unused_codes = true;
    add_code(request, "NO-SUCH-CODE");
    CU_ASSERT_PTR_NULL_FATAL(quote(request));
    publish_limit(1, 1);
    import_tent_at(100);

    CHECK_TEXT(error_reason(replay(answer.signed_quote, &reply)), "OK");
    CU_ASSERT(reply.is_same);
    CHECK_TEXT(reply.quote->lines[0]->override->limit, "overrideLimits/goodwill");
}

static void a_forged_quote_is_not_replayed(void)
{
    ReplayQuoteRequest request = THROUGHLINE__CATALOG__V1__REPLAY_QUOTE_REQUEST__INIT;
    ReplayQuoteResponse reply;

    CU_ASSERT_PTR_NULL_FATAL(quote(a_request(arena, 1)));
    answer.signed_quote->signature.data[0] ^= 1;
    CHECK_TEXT(error_reason(replay(answer.signed_quote, &reply)), "QUOTE_FORGED");

    CU_ASSERT(has_violation(
        fixture_call(fixture, "GovernanceService/ReplayQuote", &request, &reply), "signed_quote"));
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_quote_is_the_same_after_everything_has_changed",
            a_quote_is_the_same_after_everything_has_changed },
        { "a_quote_of_the_time_before_the_first_release_is_replayed",
            a_quote_of_the_time_before_the_first_release_is_replayed },
        { "prices_set_by_hand_and_codes_that_did_not_apply_are_replayed",
            prices_set_by_hand_and_codes_that_did_not_apply_are_replayed },
        { "a_forged_quote_is_not_replayed", a_forged_quote_is_not_replayed },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "replay",
            .pSetUpFunc = start_with_tents,
            .pTearDownFunc = stop_catalog,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_replay_service", suites, argc, argv);
}
