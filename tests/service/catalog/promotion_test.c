/* Promotions, over gRPC. */
#include "tests/service/catalog/pricing_fixture.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include "throughline/catalog/v1/governance.pb-c.h"

#include <string.h>

static void a_promotion_is_made_and_shown(void)
{
    Promotion *wanted = a_promotion(arena, "SPRING", 1000);
    Promotion created;
    Promotion shown;

    wanted->category = text(arena, "Outdoor");
    wanted->name = text(arena, "promotions/of-my-choice");
    CU_ASSERT_PTR_NULL_FATAL(create(wanted, "", &created));
    CU_ASSERT_PTR_NULL_FATAL(get_one(created.name, &shown));

    CU_ASSERT(!text_equal(created.name, wanted->name));
    CHECK_TEXT(created.etag, "1");
    CHECK_TEXT(shown.code, "SPRING");
    CHECK_INT(shown.basis_points, 1000);
    CHECK_TEXT(shown.category, "Outdoor");
    CU_ASSERT(timestamp_to_micros(shown.create_time) > some_noon);
    CU_ASSERT(message_equal(&created, &shown));
}

static void a_bad_promotion_is_refused_with_all_its_fields(void)
{
    Promotion *wanted = a_promotion(arena, "spring", 0);
    Promotion created;
    const Error *error;

    wanted->title = text(arena, "");
    error = create(wanted, "not a request id!", &created);

    CHECK_INT(error->n_violations, 4);
    CU_ASSERT(has_violation(error, "request_id"));
    CU_ASSERT(has_violation(error, "promotion.title"));
    CU_ASSERT(has_violation(error, "promotion.code"));
    CU_ASSERT(has_violation(error, "promotion.basis_points"));
    CU_ASSERT(has_violation(create(NULL, "", &created), "promotion"));
}

static void a_code_belongs_to_one_promotion(void)
{
    Promotion created;
    const Error *error;

    CU_ASSERT_PTR_NULL_FATAL(create(a_promotion(arena, "SPRING", 1000), "", &created));
    error = create(a_promotion(arena, "SPRING", 500), "", &created);

    CHECK_TEXT(error_reason(error), "CODE_TAKEN");
    CHECK_INT(error->code, ERROR_ALREADY_EXISTS);
}

static void creating_twice_with_one_request_id_is_creating_once(void)
{
    Promotion first;
    Promotion second;

    CU_ASSERT_PTR_NULL_FATAL(create(a_promotion(arena, "SPRING", 1000), "r-1", &first));
    CU_ASSERT_PTR_NULL_FATAL(create(a_promotion(arena, "SPRING", 1000), "r-1", &second));

    CU_ASSERT(message_equal(&first, &second));
    CHECK_TEXT(error_reason(create(a_promotion(arena, "SUMMER", 1000), "r-1", &second)),
        "REQUEST_ID_REUSED");
}

static void a_promotion_needs_the_right_to_publish(void)
{
    RpcOutgoing outgoing = fixture_outgoing(fixture);
    CreatePromotionRequest request = THROUGHLINE__CATALOG__V1__CREATE_PROMOTION_REQUEST__INIT;
    Promotion created = THROUGHLINE__CATALOG__V1__PROMOTION__INIT;

    request.promotion = a_promotion(arena, "SPRING", 1000);
    outgoing.token = fixture_token(fixture, "catalog.read catalog.write", "web");

    CHECK_TEXT(error_reason(fixture_call_with(
                   fixture, &outgoing, "PricingService/CreatePromotion", &request, &created)),
        "SCOPE_MISSING");
}

static void a_code_takes_its_share_off_a_quote(void)
{
    CreateQuoteRequest *request = a_request(arena, 1);
    Promotion created;

    CU_ASSERT_PTR_NULL_FATAL(create(a_promotion(arena, "SPRING", 1000), "", &created));
    add_code(request, "SPRING");
    CU_ASSERT_PTR_NULL_FATAL(quote(request));

    CHECK_INT(minor(answer.quote->total), 17910);
    CHECK_INT(minor(answer.quote->discount_total), 1990);
    CHECK_TEXT(answer.quote->lines[0]->adjustments[0]->promotion, created.name);
}

static void codes_that_do_not_apply_are_refused_with_their_reason(void)
{
    CreateQuoteRequest *request = a_request(arena, 1);
    Promotion *kitchen = a_promotion(arena, "COOK", 1000);
    Promotion created;
    const Error *error;

    kitchen->category = text(arena, "Kitchen");
    CU_ASSERT_PTR_NULL_FATAL(create(kitchen, "", &created));
    add_code(request, "COOK");
    error = quote(request);
    CHECK_TEXT(error_reason(error), "PROMOTION_NOT_APPLICABLE");
    CHECK_TEXT(error->facts[0].value, "COOK");

    request->codes[0] = text(arena, "unknown code");
    CHECK_TEXT(error_reason(quote(request)), "PROMOTION_NOT_APPLICABLE");
}

static void an_ended_promotion_applies_no_more_but_quotes_are_honoured(void)
{
    CreateQuoteRequest *request = a_request(arena, 1);
    SignedQuote *given;
    Promotion created;
    Promotion ended;
    Quote inside;

    CU_ASSERT_PTR_NULL_FATAL(create(a_promotion(arena, "SPRING", 1000), "", &created));
    add_code(request, "SPRING");
    CU_ASSERT_PTR_NULL_FATAL(quote(request));
    given = answer.signed_quote;
    CU_ASSERT_PTR_NULL_FATAL(end_it(created.name, created.etag, "e-1", &ended));

    CHECK_TEXT(ended.etag, "2");
    CU_ASSERT_PTR_NOT_NULL(ended.end_time);
    CHECK_TEXT(error_reason(quote(request)), "PROMOTION_NOT_APPLICABLE");
    CU_ASSERT_PTR_NULL(verify(given, &inside));
    CHECK_INT(minor(inside.total), 17910);
}

static void ending_again_changes_nothing(void)
{
    Promotion created;
    Promotion first;
    Promotion second;

    CU_ASSERT_PTR_NULL_FATAL(create(a_promotion(arena, "SPRING", 1000), "", &created));
    CU_ASSERT_PTR_NULL_FATAL(end_it(created.name, "", "e-1", &first));
    CU_ASSERT_PTR_NULL_FATAL(end_it(created.name, "", "e-1", &second));
    CU_ASSERT(message_equal(&first, &second));
    CU_ASSERT_PTR_NULL_FATAL(end_it(created.name, "", "e-2", &second));
    CU_ASSERT(message_equal(&first, &second));
    CHECK_TEXT(error_reason(end_it(created.name, "1", "e-3", &second)), "ETAG_STALE");
}

static void a_promotion_that_is_not_there_is_not_found(void)
{
    Promotion promotion;

    CHECK_TEXT(error_reason(get_one("promotions/none", &promotion)), "PROMOTION_NOT_FOUND");
    CHECK_TEXT(error_reason(end_it("promotions/none", "", "", &promotion)), "PROMOTION_NOT_FOUND");
    CU_ASSERT(has_violation(get_one("none", &promotion), "name"));
    CU_ASSERT(has_violation(end_it("none", "", "", &promotion), "name"));
}

static void promotions_are_listed_in_pages(void)
{
    ListPromotionsRequest request = THROUGHLINE__CATALOG__V1__LIST_PROMOTIONS_REQUEST__INIT;
    ListPromotionsResponse page;
    Promotion created;
    const char *before = "";
    int n_seen = 0;

    for (int i = 0; i < 7; i++)
        CU_ASSERT_PTR_NULL_FATAL(
            create(a_promotion(arena, arena_printf(arena, "CODE-%d", i), 100), "", &created));
    request.page_size = 3;
    do {
        throughline__catalog__v1__list_promotions_response__init(&page);
        CU_ASSERT_PTR_NULL_FATAL(
            fixture_call(fixture, "PricingService/ListPromotions", &request, &page));
        for (size_t i = 0; i < page.n_promotions; i++, n_seen++) {
            CU_ASSERT(strcmp(before, page.promotions[i]->name) < 0);
            before = page.promotions[i]->name;
        }
        request.page_token = page.next_page_token;
    } while (*request.page_token);

    CHECK_INT(n_seen, 7);
    request.page_size = -1;
    request.page_token = text(arena, "");
    CU_ASSERT(has_violation(
        fixture_call(fixture, "PricingService/ListPromotions", &request, &page), "page_size"));
}

static void each_change_of_a_promotion_is_a_release(void)
{
    Throughline__Catalog__V1__GetReleaseRequest request =
        THROUGHLINE__CATALOG__V1__GET_RELEASE_REQUEST__INIT;
    Throughline__Catalog__V1__Release release = THROUGHLINE__CATALOG__V1__RELEASE__INIT;
    Promotion created;
    Promotion ended;

    CU_ASSERT_PTR_NULL_FATAL(create(a_promotion(arena, "SPRING", 1000), "", &created));
    CU_ASSERT_PTR_NULL_FATAL(end_it(created.name, "", "", &ended));
    CU_ASSERT_PTR_NULL_FATAL(
        fixture_call(fixture, "GovernanceService/GetRelease", &request, &release));

    CHECK_INT(release.number, 2);
    CHECK_INT(release.kind, THROUGHLINE__CATALOG__V1__RELEASE__KIND__DIRECT);
    CHECK_TEXT(release.publication->actor, "agents/merchandiser");
    CU_ASSERT_PTR_NOT_NULL(fixture_event(fixture, "releases/2", 1));
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_promotion_is_made_and_shown", a_promotion_is_made_and_shown },
        { "a_bad_promotion_is_refused_with_all_its_fields",
            a_bad_promotion_is_refused_with_all_its_fields },
        { "a_code_belongs_to_one_promotion", a_code_belongs_to_one_promotion },
        { "creating_twice_with_one_request_id_is_creating_once",
            creating_twice_with_one_request_id_is_creating_once },
        { "a_promotion_needs_the_right_to_publish", a_promotion_needs_the_right_to_publish },
        { "a_code_takes_its_share_off_a_quote", a_code_takes_its_share_off_a_quote },
        { "codes_that_do_not_apply_are_refused_with_their_reason",
            codes_that_do_not_apply_are_refused_with_their_reason },
        { "an_ended_promotion_applies_no_more_but_quotes_are_honoured",
            an_ended_promotion_applies_no_more_but_quotes_are_honoured },
        { "ending_again_changes_nothing", ending_again_changes_nothing },
        { "a_promotion_that_is_not_there_is_not_found",
            a_promotion_that_is_not_there_is_not_found },
        { "promotions_are_listed_in_pages", promotions_are_listed_in_pages },
        { "each_change_of_a_promotion_is_a_release", each_change_of_a_promotion_is_a_release },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "promotion",
            .pSetUpFunc = start_with_tents,
            .pTearDownFunc = stop_catalog,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_promotion_service", suites, argc, argv);
}
