/* Prices set by hand, within the published limits and in the audit trail, over gRPC. */
#include "tests/service/catalog/governance_fixture.h"
#include "tests/service/catalog/pricing_fixture.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"

typedef Throughline__Catalog__V1__PriceOverride PriceOverride;
typedef Throughline__Catalog__V1__ListAuditEntriesRequest ListAuditEntriesRequest;
typedef Throughline__Catalog__V1__ListAuditEntriesResponse ListAuditEntriesResponse;

static CreateQuoteRequest *a_wish(int64_t amount, const char *limit)
{
    CreateQuoteRequest *request = a_request(arena, 2);
    PriceOverride *override =
        message_new(arena, &throughline__catalog__v1__price_override__descriptor);

    override->sku = text(arena, "tent-green");
    override->unit_price = money_message(arena, "EUR", amount);
    override->reason = text(arena, "A torn bag");
    override->limit = text(arena, limit);
    request->overrides = arena_array(arena, 1, sizeof(*request->overrides));
    request->overrides[request->n_overrides++] = override;
    return request;
}

static const Error *ask_as(const char *channel, int64_t amount, const char *limit)
{
    fixture_act_as(fixture, channel, "agents/kim");
    return quote(a_wish(amount, limit));
}

static ListAuditEntriesResponse *trail_of_kim(void)
{
    ListAuditEntriesRequest request = THROUGHLINE__CATALOG__V1__LIST_AUDIT_ENTRIES_REQUEST__INIT;
    ListAuditEntriesResponse *reply =
        message_new(arena, &throughline__catalog__v1__list_audit_entries_response__descriptor);

    request.actor = text(arena, "agents/kim");
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "GovernanceService/ListAuditEntries", &request, reply)),
        "OK");
    return reply;
}

static void a_price_within_the_limit_is_on_the_quote_and_in_the_trail(void)
{
    ListAuditEntriesResponse *trail;
    const PricedLine *line;

    publish_limit(1000, 5000);
    CHECK_TEXT(error_reason(ask_as("care", 18000, "overrideLimits/goodwill")), "OK");
    line = answer.quote->lines[0];
    trail = trail_of_kim();

    CHECK_INT(minor(line->unit_price), 18000);
    CHECK_INT(minor(answer.quote->total), 36000);
    CHECK_TEXT(line->override->limit, "overrideLimits/goodwill");
    CHECK_TEXT(line->override->actor, "agents/kim");
    CHECK_INT(minor(line->override->rule_price), 19900);
    CHECK_INT(trail->n_entries, 1);
    CHECK_INT(
        trail->entries[0]->action, THROUGHLINE__CATALOG__V1__AUDIT_ENTRY__ACTION__PRICE_OVERRIDDEN);
    CHECK_TEXT(trail->entries[0]->subject, answer.quote->name);
    CHECK_TEXT(trail->entries[0]->deed->account, "accounts/care");
    CHECK_TEXT(trail->entries[0]->deed->note, "A torn bag");
    CHECK_TEXT(trail->entries[0]->title,
        "tent-green: 180.00 EUR instead of 199.00 EUR, by overrideLimits/goodwill");
}

static void the_signed_quote_says_which_limit_let_it(void)
{
    Quote inside = THROUGHLINE__CATALOG__V1__QUOTE__INIT;

    publish_limit(1000, 5000);
    CHECK_TEXT(error_reason(ask_as("care", 18000, "overrideLimits/goodwill")), "OK");
    CU_ASSERT_PTR_NULL_FATAL(verify(answer.signed_quote, &inside));

    CHECK_TEXT(inside.lines[0]->override->limit, "overrideLimits/goodwill");
}

static void beyond_the_limit_the_lowest_price_is_named(void)
{
    const Error *error;

    publish_limit(1000, 5000);
    error = ask_as("care", 17909, "overrideLimits/goodwill");

    CHECK_TEXT(error_reason(error), "OVERRIDE_NOT_ALLOWED");
    CHECK_TEXT(error_fact(error, "lowest"), "179.10 EUR");
    CHECK_TEXT(error_fact(error, "sku"), "tent-green");
    CHECK_INT(trail_of_kim()->n_entries, 0);
}

static void other_channels_and_limits_that_are_not_there_let_nothing(void)
{
    publish_limit(1000, 5000);

    CHECK_TEXT(
        error_reason(ask_as("store", 19000, "overrideLimits/goodwill")), "OVERRIDE_NOT_ALLOWED");
    CHECK_TEXT(error_reason(ask_as("care", 19000, "overrideLimits/other")), "OVERRIDE_NOT_ALLOWED");
    CU_ASSERT(has_violation(ask_as("care", 19000, ""), "overrides[0].limit"));
}

static void a_limit_is_in_force_after_its_publication_only(void)
{
    CHECK_TEXT(
        error_reason(ask_as("care", 18000, "overrideLimits/goodwill")), "OVERRIDE_NOT_ALLOWED");
    publish_limit(1000, 5000);
    CHECK_TEXT(error_reason(ask_as("care", 18000, "overrideLimits/goodwill")), "OK");
    publish_limit(100, 5000);
    CHECK_TEXT(
        error_reason(ask_as("care", 18000, "overrideLimits/goodwill")), "OVERRIDE_NOT_ALLOWED");
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_price_within_the_limit_is_on_the_quote_and_in_the_trail",
            a_price_within_the_limit_is_on_the_quote_and_in_the_trail },
        { "the_signed_quote_says_which_limit_let_it", the_signed_quote_says_which_limit_let_it },
        { "beyond_the_limit_the_lowest_price_is_named",
            beyond_the_limit_the_lowest_price_is_named },
        { "other_channels_and_limits_that_are_not_there_let_nothing",
            other_channels_and_limits_that_are_not_there_let_nothing },
        { "a_limit_is_in_force_after_its_publication_only",
            a_limit_is_in_force_after_its_publication_only },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "override",
            .pSetUpFunc = start_with_tents,
            .pTearDownFunc = stop_catalog,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_override_service", suites, argc, argv);
}
