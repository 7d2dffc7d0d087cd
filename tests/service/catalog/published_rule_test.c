/* Rules as any release has them, and their history, over gRPC. */
#include "tests/service/catalog/governance_fixture.h"

#include "shared/codec/message.h"

typedef Throughline__Catalog__V1__GetRuleRequest GetRuleRequest;
typedef Throughline__Catalog__V1__PublishedRule PublishedRule;
typedef Throughline__Catalog__V1__ListRulesRequest ListRulesRequest;
typedef Throughline__Catalog__V1__ListRulesResponse ListRulesResponse;
typedef Throughline__Catalog__V1__ListRuleHistoryRequest ListRuleHistoryRequest;
typedef Throughline__Catalog__V1__ListRuleHistoryResponse ListRuleHistoryResponse;

enum { MANY_CHANGES = 700 };

static ListRulesResponse *rules(
    const char *prefix, int64_t release, int32_t size, const char *token)
{
    ListRulesRequest request = THROUGHLINE__CATALOG__V1__LIST_RULES_REQUEST__INIT;
    ListRulesResponse *reply =
        message_new(arena, &throughline__catalog__v1__list_rules_response__descriptor);

    request.prefix = text(arena, prefix);
    request.release = release;
    request.page_size = size;
    request.page_token = text(arena, token);
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "GovernanceService/ListRules", &request, reply)), "OK");
    return reply;
}

static void rules_are_listed_as_any_release_has_them(void)
{
    ListRulesResponse *page;

    publish_three();
    page = rules("promotions/", 0, 1, "");
    CHECK_INT(page->n_rules, 1);
    CHECK_TEXT(page->rules[0]->name, "promotions/a");
    CHECK_INT(page->rules[0]->changed_in, 3);
    page = rules("promotions/", 0, 1, page->next_page_token);
    CHECK_TEXT(page->rules[0]->name, "promotions/c");
    CHECK_INT(page->rules[0]->changed_in, 2);
    CHECK_TEXT(page->next_page_token, "");
    page = rules("", 1, 0, "");
    CHECK_INT(page->n_rules, 2);
    CHECK_TEXT(page->rules[1]->name, "promotions/b");
    CHECK_INT(page->rules[1]->changed_in, 1);
    CHECK_INT(rules("priceRows/", 0, 0, "")->n_rules, 0);
    CHECK_INT(rules("promotions/b", 2, 0, "")->n_rules, 0);
}

static void a_rule_that_is_not_there_is_not_found(void)
{
    GetRuleRequest request = THROUGHLINE__CATALOG__V1__GET_RULE_REQUEST__INIT;
    PublishedRule reply = THROUGHLINE__CATALOG__V1__PUBLISHED_RULE__INIT;
    const Error *error;

    request.name = text(arena, "promotions/a");
    error = fixture_call(fixture, "GovernanceService/GetRule", &request, &reply);
    CHECK_TEXT(error_reason(error), "RULE_NOT_FOUND");
    request.release = 1;
    error = fixture_call(fixture, "GovernanceService/GetRule", &request, &reply);
    CHECK_TEXT(error_reason(error), "RELEASE_NOT_FOUND");
    request.name = text(arena, "spring");
    request.release = -1;
    error = fixture_call(fixture, "GovernanceService/GetRule", &request, &reply);
    CU_ASSERT(has_violation(error, "name"));
    CU_ASSERT(has_violation(error, "release"));
}

static ListRuleHistoryResponse *history(const char *rule, int32_t page_size, const char *token)
{
    ListRuleHistoryRequest request = THROUGHLINE__CATALOG__V1__LIST_RULE_HISTORY_REQUEST__INIT;
    ListRuleHistoryResponse *reply =
        message_new(arena, &throughline__catalog__v1__list_rule_history_response__descriptor);

    request.rule = text(arena, rule);
    request.page_size = page_size;
    request.page_token = text(arena, token);
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "GovernanceService/ListRuleHistory", &request, reply)),
        "OK");
    return reply;
}

static void a_rule_has_a_history_with_who_and_why(void)
{
    ListRuleHistoryResponse *page;

    publish_three();
    page = history("promotions/a", 2, "");
    CHECK_INT(page->n_entries, 2);
    CHECK_INT(page->entries[0]->release->number, 3);
    CHECK_INT(page->entries[0]->change->before->promotion->basis_points, 2);
    CHECK_INT(page->entries[0]->change->after->promotion->basis_points, 3);
    CHECK_TEXT(page->entries[0]->release->reason, "It is spring");
    CHECK_TEXT(page->entries[0]->release->approval->actor, "agents/bob");
    page = history("promotions/a", 2, page->next_page_token);
    CHECK_INT(page->n_entries, 1);
    CU_ASSERT_PTR_NULL(page->entries[0]->change->before);
    CHECK_INT(history("promotions/none", 0, "")->n_entries, 0);
}

/* Changes under a number that another publisher has taken. */
static void changes_that_no_release_names_are_not_history(void)
{
    StoreView view = fixture_view(fixture);
    ReleaseChange change = THROUGHLINE__CATALOG__V1__RELEASE_CHANGE__INIT;

    publish_three();
    change.name = text(arena, "releaseChanges/2-lost.0");
    change.change_set = text(arena, "2-lost");
    change.release = 2;
    change.rule = text(arena, "promotions/a");
    change.after = a_rule(arena, "a", 77);
    CU_ASSERT_PTR_NULL(store_insert(&view, &release_changes, &change, NULL));
    fixture_restart(fixture);

    CHECK_INT(history("promotions/a", 0, "")->n_entries, 3);
    CHECK_INT(points_in("a", 0), 3);
    CHECK_INT(points_in("a", 2), 2);
}

static void a_release_of_many_changes_is_whole(void)
{
    RuleSetting settings[MANY_CHANGES + 1] = { 0 };
    ListRulesResponse *page;

    for (int i = 0; i < MANY_CHANGES; i++)
        settings[i] = (RuleSetting){ arena_printf(arena, "rule-%04d", i), i + 1 };
    publish_settings(settings);
    page = rules("promotions/", 0, 500, "");
    CHECK_INT(page->n_rules, 500);
    page = rules("promotions/", 0, 500, page->next_page_token);
    CHECK_INT(page->n_rules, MANY_CHANGES - 500);
    CHECK_TEXT(page->rules[page->n_rules - 1]->name, "promotions/rule-0699");
    fixture_restart(fixture);
    CHECK_INT(points_in("rule-0699", 0), MANY_CHANGES);
    CHECK_INT(get_release_number(0)->rule_count, MANY_CHANGES);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "rules_are_listed_as_any_release_has_them", rules_are_listed_as_any_release_has_them },
        { "a_rule_that_is_not_there_is_not_found", a_rule_that_is_not_there_is_not_found },
        { "a_rule_has_a_history_with_who_and_why", a_rule_has_a_history_with_who_and_why },
        { "changes_that_no_release_names_are_not_history",
            changes_that_no_release_names_are_not_history },
        { "a_release_of_many_changes_is_whole", a_release_of_many_changes_is_whole },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "published rules",
            .pSetUpFunc = start_catalog,
            .pTearDownFunc = stop_catalog,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_published_rule_service", suites, argc, argv);
}
