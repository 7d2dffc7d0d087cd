/* The audit trail, over gRPC: who did what when and why. */
#include "tests/service/catalog/governance_fixture.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

typedef Throughline__Catalog__V1__ListAuditEntriesRequest ListAuditEntriesRequest;
typedef Throughline__Catalog__V1__ListAuditEntriesResponse ListAuditEntriesResponse;

enum { WAIT_TRIES = 400, WAIT_MS = 50, ENTRIES_OF_A_RELEASE = 4 };

static ListAuditEntriesRequest *a_request(const char *subject, const char *actor)
{
    ListAuditEntriesRequest *request =
        message_new(arena, &throughline__catalog__v1__list_audit_entries_request__descriptor);

    request->subject = text(arena, subject);
    request->actor = text(arena, actor);
    return request;
}

static const Error *list(const ListAuditEntriesRequest *request, ListAuditEntriesResponse *reply)
{
    throughline__catalog__v1__list_audit_entries_response__init(reply);
    return fixture_call(fixture, "GovernanceService/ListAuditEntries", request, reply);
}

/* Waits until there are so many. */
static ListAuditEntriesResponse *wait_for(const ListAuditEntriesRequest *request, size_t n_entries)
{
    ListAuditEntriesResponse *reply = arena_alloc(arena, sizeof(*reply));

    CHECK_TEXT(error_reason(list(request, reply)), "OK");
    for (int i = 0; i < WAIT_TRIES && reply->n_entries < n_entries; i++) {
        clock_sleep_ms(WAIT_MS);
        CHECK_TEXT(error_reason(list(request, reply)), "OK");
    }
    CHECK_INT(reply->n_entries, n_entries);
    return reply;
}

static void check_entry(
    const AuditEntry *entry, const char *action, const char *actor, const char *account)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(
        &throughline__catalog__v1__audit_entry__action__descriptor, (int)entry->action);

    CHECK_TEXT(value ? value->name : "unknown", action);
    CHECK_TEXT(entry->deed->actor, actor);
    CHECK_TEXT(entry->deed->account, account);
}

static void every_step_to_a_release_is_in_the_trail(void)
{
    int64_t before = clock_now();
    int64_t number = publish_settings((RuleSetting[]){ { "spring", 1000 }, { 0 } });
    ListAuditEntriesResponse *all = wait_for(a_request("", ""), ENTRIES_OF_A_RELEASE);
    const char *draft = get_release_number(number)->draft;

    check_entry(all->entries[0], "DRAFT_PUBLISHED", "agents/cleo", "accounts/operations");
    check_entry(all->entries[1], "DRAFT_APPROVED", "agents/bob", "accounts/pricing");
    check_entry(all->entries[2], "DRAFT_SUBMITTED", "agents/ann", "accounts/merchandising");
    check_entry(all->entries[3], "DRAFT_CREATED", "agents/ann", "accounts/merchandising");
    CHECK_TEXT(all->entries[0]->subject, "releases/1");
    CHECK_TEXT(all->entries[0]->draft, draft);
    CHECK_INT(all->entries[0]->release, 1);
    CHECK_TEXT(all->entries[1]->deed->note, "noted");
    CHECK_TEXT(all->entries[3]->subject, draft);
    CHECK_TEXT(all->entries[3]->title, "Spring sale");
    CHECK_TEXT(all->entries[3]->deed->note, "It is spring");
    CU_ASSERT(timestamp_to_micros(all->entries[3]->deed->time) >= before);
    CHECK_INT(wait_for(a_request(draft, ""), 3)->n_entries, 3);
    CHECK_INT(wait_for(a_request("", "agents/ann"), 2)->n_entries, 2);
}

static void withdrawals_rejections_and_times_are_in_the_trail(void)
{
    Draft *draft = make_draft((RuleSetting[]){ { "spring", 1000 }, { 0 } });
    Draft reply;
    Throughline__Catalog__V1__PublishDraftRequest request =
        THROUGHLINE__CATALOG__V1__PUBLISH_DRAFT_REQUEST__INIT;
    ListAuditEntriesResponse *all;

    CHECK_TEXT(error_reason(draft_call("SubmitDraft", draft->name, "", &reply)), "OK");
    as_bob();
    CHECK_TEXT(error_reason(draft_call("RejectDraft", draft->name, "", &reply)), "OK");
    as_ann();
    CHECK_TEXT(error_reason(draft_call("WithdrawDraft", draft->name, "", &reply)), "OK");
    approve(draft);
    as_cleo();
    request.name = draft->name;
    request.publish_time = timestamp_from_micros(arena, clock_now() + INT64_C(600) * 1000000);
    throughline__catalog__v1__draft__init(&reply);
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "GovernanceService/PublishDraft", &request, &reply)),
        "OK");
    all = wait_for(a_request(draft->name, ""), 7);

    check_entry(all->entries[0], "DRAFT_SCHEDULED", "agents/cleo", "accounts/operations");
    check_entry(all->entries[3], "DRAFT_WITHDRAWN", "agents/ann", "accounts/merchandising");
    check_entry(all->entries[4], "DRAFT_REJECTED", "agents/bob", "accounts/pricing");
}

static void stops_and_rollbacks_are_in_the_trail(void)
{
    Throughline__Catalog__V1__StopPriceRequest stop =
        THROUGHLINE__CATALOG__V1__STOP_PRICE_REQUEST__INIT;
    Throughline__Catalog__V1__PriceStop stopped = THROUGHLINE__CATALOG__V1__PRICE_STOP__INIT;
    Throughline__Catalog__V1__RollBackRequest back =
        THROUGHLINE__CATALOG__V1__ROLL_BACK_REQUEST__INIT;
    Release release = THROUGHLINE__CATALOG__V1__RELEASE__INIT;
    ListAuditEntriesResponse *reply;

    publish_settings((RuleSetting[]){ { "spring", 1000 }, { 0 } });
    publish_settings((RuleSetting[]){ { "spring", 2000 }, { 0 } });
    stop.what_case = THROUGHLINE__CATALOG__V1__STOP_PRICE_REQUEST__WHAT_SKU;
    stop.sku = text(arena, "tent");
    stop.reason = text(arena, "Wrong");
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "GovernanceService/StopPrice", &stop, &stopped));
    back.number = 1;
    back.reason = text(arena, "Too cheap");
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "GovernanceService/RollBack", &back, &release));

    reply = wait_for(a_request("releases/3", ""), 1);
    check_entry(reply->entries[0], "STOP_CHANGED", "agents/cleo", "accounts/operations");
    CHECK_CONTAINS(reply->entries[0]->title, stopped.name);
    reply = wait_for(a_request("releases/4", ""), 1);
    check_entry(reply->entries[0], "ROLLED_BACK", "agents/cleo", "accounts/operations");
    CHECK_TEXT(reply->entries[0]->deed->note, "Too cheap");
}

static void the_trail_is_read_in_pages_and_by_time(void)
{
    ListAuditEntriesRequest *request = a_request("", "");
    ListAuditEntriesResponse reply;
    int64_t time;

    publish_settings((RuleSetting[]){ { "spring", 1000 }, { 0 } });
    time = timestamp_to_micros(wait_for(request, ENTRIES_OF_A_RELEASE)->entries[1]->deed->time);
    request->page_size = 3;
    CHECK_TEXT(error_reason(list(request, &reply)), "OK");
    CHECK_INT(reply.n_entries, 3);
    request->page_token = reply.next_page_token;
    CHECK_TEXT(error_reason(list(request, &reply)), "OK");
    CHECK_INT(reply.n_entries, 1);
    CHECK_TEXT(reply.next_page_token, "");

    request = a_request("", "");
    request->start_time = timestamp_from_micros(arena, time);
    CHECK_TEXT(error_reason(list(request, &reply)), "OK");
    CHECK_INT(reply.n_entries, 2);
    request->end_time = request->start_time;
    request->start_time = NULL;
    CHECK_TEXT(error_reason(list(request, &reply)), "OK");
    CHECK_INT(reply.n_entries, 2);
}

static void nothing_is_missed_and_nothing_doubled_by_a_restart(void)
{
    for (int i = 1; i <= 3; i++) {
        publish_settings((RuleSetting[]){ { "spring", i }, { 0 } });
        fixture_restart(fixture);
    }
    wait_for(a_request("", ""), 3 * ENTRIES_OF_A_RELEASE);
    fixture_restart(fixture);

    CHECK_INT(
        wait_for(a_request("", ""), 3 * ENTRIES_OF_A_RELEASE)->n_entries, 3 * ENTRIES_OF_A_RELEASE);
}

static void bad_questions_are_refused(void)
{
    ListAuditEntriesRequest *request = a_request("drafts/x", "agents/ann");
    ListAuditEntriesResponse reply;
    const Error *error;

    request->start_time = timestamp_from_micros(arena, 0);
    request->start_time->nanos = -1;
    request->end_time = request->start_time;
    error = list(request, &reply);

    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    CU_ASSERT(has_violation(error, "actor"));
    CU_ASSERT(has_violation(error, "start_time"));
    CU_ASSERT(has_violation(error, "end_time"));
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "every_step_to_a_release_is_in_the_trail", every_step_to_a_release_is_in_the_trail },
        { "withdrawals_rejections_and_times_are_in_the_trail",
            withdrawals_rejections_and_times_are_in_the_trail },
        { "stops_and_rollbacks_are_in_the_trail", stops_and_rollbacks_are_in_the_trail },
        { "the_trail_is_read_in_pages_and_by_time", the_trail_is_read_in_pages_and_by_time },
        { "nothing_is_missed_and_nothing_doubled_by_a_restart",
            nothing_is_missed_and_nothing_doubled_by_a_restart },
        { "bad_questions_are_refused", bad_questions_are_refused },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "audit",
            .pSetUpFunc = start_catalog,
            .pTearDownFunc = stop_catalog,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_audit_service", suites, argc, argv);
}
