/* The lowest price of the days before, over gRPC. */
#include "tests/service/catalog/governance_fixture.h"
#include "tests/service/catalog/pricing_fixture.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

typedef Throughline__Catalog__V1__GetLowestPriceRequest GetLowestPriceRequest;
typedef Throughline__Catalog__V1__GetLowestPriceResponse GetLowestPriceResponse;

static GetLowestPriceResponse lowest;

static GetLowestPriceRequest *a_question(const char *sku)
{
    GetLowestPriceRequest *request =
        message_new(arena, &throughline__catalog__v1__get_lowest_price_request__descriptor);

    request->sku = text(arena, sku);
    request->currency = text(arena, "EUR");
    return request;
}

static const Error *ask(const GetLowestPriceRequest *request)
{
    throughline__catalog__v1__get_lowest_price_response__init(&lowest);
    CU_ASSERT(fixture_settle(fixture));
    return fixture_call(fixture, "GovernanceService/GetLowestPrice", request, &lowest);
}

static void import_tent_at(int64_t amount)
{
    Product *tent = a_product(arena);

    set_price(arena, tent->variants[0], "EUR", amount);
    fixture_act_as(fixture, "web", "agents/merchandiser");
    import_all(&tent, 1);
}

/* A price row of the green tent; 0: it is taken out. */
static void publish_row(int64_t amount)
{
    Change *change = message_new(arena, &throughline__catalog__v1__change__descriptor);
    PriceRow *row = message_new(arena, &throughline__catalog__v1__price_row__descriptor);

    change->rule = text(arena, "priceRows/tent");
    row->name = change->rule;
    row->sku = text(arena, "tent-green");
    row->amount = money_message(arena, "EUR", amount);
    if (amount) {
        change->after = message_new(arena, &throughline__catalog__v1__rule__descriptor);
        change->after->kind_case = THROUGHLINE__CATALOG__V1__RULE__KIND_PRICE_ROW;
        change->after->price_row = row;
    }
    publish_changes(&change, 1);
}

static void a_price_of_a_release_that_is_gone_counts(void)
{
    int64_t before = clock_now();

    publish_row(15000);
    publish_row(18000);
    publish_row(0);
    CHECK_TEXT(error_reason(ask(a_question("tent-green"))), "OK");

    CHECK_INT(minor(lowest.lowest), 15000);
    CHECK_INT(lowest.release, 1);
    CU_ASSERT(timestamp_to_micros(lowest.time) >= before);
}

static void a_price_of_the_product_that_is_gone_counts(void)
{
    import_tent_at(12000);
    import_tent_at(17000);
    CHECK_TEXT(error_reason(ask(a_question("tent-green"))), "OK");

    CHECK_INT(minor(lowest.lowest), 12000);
    CHECK_INT(lowest.release, 0);
}

static void what_came_after_does_not_count(void)
{
    GetLowestPriceRequest *request = a_question("tent-green");

    publish_row(18000);
    request->before = timestamp_from_micros(arena, clock_now());
    publish_row(100);
    CHECK_TEXT(error_reason(ask(request)), "OK");

    CHECK_INT(minor(lowest.lowest), 18000);
}

static void a_promotion_that_applies_by_itself_counts_and_a_code_does_not(void)
{
    Change *change = a_change(arena, "spring", 1000);

    publish_settings((RuleSetting[]){ { "code", 5000 }, { 0 } });
    CHECK_TEXT(error_reason(ask(a_question("tent-green"))), "OK");
    CHECK_INT(minor(lowest.lowest), 19900);

    change->after->promotion->code = text(arena, "");
    publish_changes(&change, 1);
    CHECK_TEXT(error_reason(ask(a_question("tent-green"))), "OK");
    CHECK_INT(minor(lowest.lowest), 17910);
    CHECK_INT(lowest.release, 2);
}

static void a_price_that_began_within_a_release_counts(void)
{
    Change *change = message_new(arena, &throughline__catalog__v1__change__descriptor);
    PriceRow *row = message_new(arena, &throughline__catalog__v1__price_row__descriptor);
    int64_t start = clock_now() + INT64_C(1500000);

    change->rule = text(arena, "priceRows/tent");
    row->name = change->rule;
    row->sku = text(arena, "tent-green");
    row->amount = money_message(arena, "EUR", 9900);
    row->start_time = timestamp_from_micros(arena, start);
    row->end_time = timestamp_from_micros(arena, start + 1);
    change->after = message_new(arena, &throughline__catalog__v1__rule__descriptor);
    change->after->kind_case = THROUGHLINE__CATALOG__V1__RULE__KIND_PRICE_ROW;
    change->after->price_row = row;
    publish_changes(&change, 1);
    while (clock_now() <= start)
        clock_sleep_ms(20);
    CHECK_TEXT(error_reason(ask(a_question("tent-green"))), "OK");

    CHECK_INT(minor(lowest.lowest),
        timestamp_to_micros(get_release_number(1)->create_time) <= start ? 9900 : 19900);
}

/* Promotions with codes and prices of others have no say. */
static void publish_others(int count)
{
    fixture_act_as(fixture, "web", "agents/merchandiser");
    for (int i = 0; i < count; i++) {
        Promotion created;

        CHECK_TEXT(error_reason(create(
                       a_promotion(arena, arena_printf(arena, "OTHER-%d", i), 9000), "", &created)),
            "OK");
    }
}

static void releases_that_say_nothing_of_it_are_passed_over(void)
{
    enum { OTHERS = 30 };
    GetLowestPriceRequest *request = a_question("tent-green");

    publish_row(15000);
    publish_others(OTHERS);
    publish_row(0);
    CHECK_TEXT(error_reason(ask(request)), "OK");

    CHECK_INT(minor(lowest.lowest), 15000);
    CHECK_INT(lowest.release, 1);
    request->sku = text(arena, "tent-red");
    CHECK_TEXT(error_reason(ask(request)), "OK");
    CHECK_INT(minor(lowest.lowest), 19900);
}

static void publish_offer(int64_t amount)
{
    Change *change = message_new(arena, &throughline__catalog__v1__change__descriptor);
    Product *tent = a_product(arena);

    set_price(arena, tent->variants[0], "EUR", amount);
    change->after = message_new(arena, &throughline__catalog__v1__rule__descriptor);
    change->after->kind_case = THROUGHLINE__CATALOG__V1__RULE__KIND_PRODUCT_OFFER;
    change->after->product_offer = offer_of(tent, arena);
    change->rule = change->after->product_offer->name;
    publish_changes(&change, 1);
}

static void an_offer_of_the_product_counts(void)
{
    publish_offer(14000);
    publish_offer(16000);
    CHECK_TEXT(error_reason(ask(a_question("tent-green"))), "OK");

    CHECK_INT(minor(lowest.lowest), 14000);
    CHECK_INT(lowest.release, 1);
}

static void what_is_only_a_draft_has_no_price(void)
{
    Product *stove = a_simple_product(arena, "stove", "Outdoor", "EUR", 100);

    stove->state = PRODUCT_DRAFT;
    import_all(&stove, 1);

    CHECK_TEXT(error_reason(ask(a_question("stove"))), "VARIANT_NOT_FOUND");
}

static void bad_questions_are_refused(void)
{
    GetLowestPriceRequest *request = a_question("not a sku");
    const Error *error;

    request->currency = text(arena, "XXQ");
    request->days = 367;
    request->before = timestamp_from_micros(arena, clock_now() + INT64_C(3600000000));
    error = ask(request);

    CHECK_INT(error->n_violations, 4);
    CU_ASSERT(has_violation(error, "sku"));
    CU_ASSERT(has_violation(error, "currency"));
    CU_ASSERT(has_violation(error, "days"));
    CU_ASSERT(has_violation(error, "before"));
    CHECK_TEXT(error_reason(ask(a_question("no-such"))), "VARIANT_NOT_FOUND");
    request = a_question("tent-green");
    request->currency = text(arena, "JPY");
    CHECK_TEXT(error_reason(ask(request)), "PRICE_MISSING");
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_price_of_a_release_that_is_gone_counts", a_price_of_a_release_that_is_gone_counts },
        { "a_price_of_the_product_that_is_gone_counts",
            a_price_of_the_product_that_is_gone_counts },
        { "what_came_after_does_not_count", what_came_after_does_not_count },
        { "a_promotion_that_applies_by_itself_counts_and_a_code_does_not",
            a_promotion_that_applies_by_itself_counts_and_a_code_does_not },
        { "a_price_that_began_within_a_release_counts",
            a_price_that_began_within_a_release_counts },
        { "releases_that_say_nothing_of_it_are_passed_over",
            releases_that_say_nothing_of_it_are_passed_over },
        { "an_offer_of_the_product_counts", an_offer_of_the_product_counts },
        { "what_is_only_a_draft_has_no_price", what_is_only_a_draft_has_no_price },
        { "bad_questions_are_refused", bad_questions_are_refused },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "lowest_price",
            .pSetUpFunc = start_with_tents,
            .pTearDownFunc = stop_catalog,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_lowest_price_service", suites, argc, argv);
}
