/* Drafts and their approval, over gRPC. */
#include "tests/service/catalog/governance_fixture.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"

typedef Throughline__Catalog__V1__CreateDraftRequest CreateDraftRequest;
typedef Throughline__Catalog__V1__ChangeDraftRequest ChangeDraftRequest;
typedef Throughline__Catalog__V1__ListDraftsRequest ListDraftsRequest;
typedef Throughline__Catalog__V1__ListDraftsResponse ListDraftsResponse;
typedef Throughline__Catalog__V1__ListDraftChangesRequest ListDraftChangesRequest;
typedef Throughline__Catalog__V1__ListDraftChangesResponse ListDraftChangesResponse;

static const RuleSetting one_change[] = { { "spring", 1000 }, { 0 } };

static Draft *a_reply(void)
{
    return message_new(arena, &throughline__catalog__v1__draft__descriptor);
}

static const Error *change(ChangeDraftRequest *request, Draft *reply)
{
    message_init(&throughline__catalog__v1__draft__descriptor, reply);
    return fixture_call(fixture, "GovernanceService/ChangeDraft", request, reply);
}

static ChangeDraftRequest *a_request(const Draft *draft, const char *name, int32_t basis_points)
{
    ChangeDraftRequest *request =
        message_new(arena, &throughline__catalog__v1__change_draft_request__descriptor);

    request->name = text(arena, draft->name);
    request->changes = arena_array(arena, 1, sizeof(*request->changes));
    request->changes[request->n_changes++] = a_change(arena, name, basis_points);
    return request;
}

static ListDraftChangesResponse *changes_of(
    const Draft *draft, int32_t page_size, const char *token)
{
    ListDraftChangesRequest request = THROUGHLINE__CATALOG__V1__LIST_DRAFT_CHANGES_REQUEST__INIT;
    ListDraftChangesResponse *reply =
        message_new(arena, &throughline__catalog__v1__list_draft_changes_response__descriptor);

    request.name = text(arena, draft->name);
    request.page_size = page_size;
    request.page_token = text(arena, token);
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "GovernanceService/ListDraftChanges", &request, reply)),
        "OK");
    return reply;
}

static void a_draft_is_made_with_its_changes(void)
{
    Draft *draft = make_draft((RuleSetting[]){ { "spring", 1000 }, { "autumn", 500 }, { 0 } });
    const Event *event = fixture_event(fixture, draft->name, 1);

    CHECK_INT(draft->state, DRAFT_OPEN);
    CHECK_INT(draft->change_count, 2);
    CHECK_TEXT(draft->title, "Spring sale");
    CHECK_TEXT(draft->authors[0]->actor, "agents/ann");
    CHECK_TEXT(draft->authors[0]->account, "accounts/merchandising");
    CHECK_TEXT(draft->authors[0]->channel, "merchandising");
    CU_ASSERT(message_equal(draft, get_draft_again(draft->name)));
    CU_ASSERT_PTR_NOT_NULL(
        event_payload(arena, event, &throughline__catalog__v1__draft_changed__descriptor));
}

static void every_bad_field_of_a_draft_is_named(void)
{
    CreateDraftRequest request = THROUGHLINE__CATALOG__V1__CREATE_DRAFT_REQUEST__INIT;
    Change *changes[] = { a_change(arena, "spring", 10001), a_change(arena, "spring", 1) };
    const Error *error;

    request.changes = changes;
    request.n_changes = COUNT(changes);
    request.request_id = text(arena, "not an id");
    error = fixture_call(fixture, "GovernanceService/CreateDraft", &request, a_reply());

    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    CU_ASSERT(has_violation(error, "title"));
    CU_ASSERT(has_violation(error, "reason"));
    CU_ASSERT(has_violation(error, "request_id"));
    CU_ASSERT(has_violation(error, "changes"));
    CU_ASSERT(has_violation(error, "changes[0].after.promotion.basis_points"));
}

static void a_repeated_creation_makes_one_draft(void)
{
    CreateDraftRequest request = THROUGHLINE__CATALOG__V1__CREATE_DRAFT_REQUEST__INIT;
    Change *changes[] = { a_change(arena, "spring", 1000) };
    Draft *first = a_reply(), *second = a_reply();

    request.title = text(arena, "Spring");
    request.reason = text(arena, "It is spring");
    request.changes = changes;
    request.n_changes = 1;
    request.request_id = text(arena, "once");
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "GovernanceService/CreateDraft", &request, first));
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "GovernanceService/CreateDraft", &request, second));
    CU_ASSERT(message_equal(first, second));

    request.title = text(arena, "Autumn");
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "GovernanceService/CreateDraft", &request, a_reply())),
        "REQUEST_ID_REUSED");
}

static void changes_are_put_replaced_and_dropped(void)
{
    Draft *draft = make_draft((RuleSetting[]){ { "autumn", 500 }, { "spring", 1000 }, { 0 } });
    ChangeDraftRequest *request = a_request(draft, "spring", 2000);
    ListDraftChangesResponse *list;
    char *dropped[] = { text(arena, "promotions/autumn") };

    request->dropped = dropped;
    request->n_dropped = 1;
    CHECK_TEXT(error_reason(change(request, draft)), "OK");
    list = changes_of(draft, 0, "");

    CHECK_INT(draft->change_count, 1);
    CHECK_INT(list->n_changes, 1);
    CHECK_TEXT(list->changes[0]->rule, "promotions/spring");
    CHECK_INT(list->changes[0]->after->promotion->basis_points, 2000);
    CU_ASSERT_PTR_NULL(list->changes[0]->before);
}

static void the_changes_of_a_draft_come_in_pages(void)
{
    Draft *draft = make_draft((RuleSetting[]){ { "a", 1 }, { "b", 2 }, { "c", 3 }, { 0 } });
    ListDraftChangesResponse *first = changes_of(draft, 2, "");
    ListDraftChangesResponse *second = changes_of(draft, 2, first->next_page_token);

    CHECK_INT(first->n_changes, 2);
    CHECK_INT(second->n_changes, 1);
    CHECK_TEXT(second->changes[0]->rule, "promotions/c");
    CHECK_TEXT(second->next_page_token, "");
}

static void a_change_shows_the_rule_as_it_is_now(void)
{
    Draft *draft;
    ListDraftChangesResponse *list;

    publish_settings((RuleSetting[]){ { "spring", 500 }, { 0 } });
    draft = make_draft(one_change);
    list = changes_of(draft, 0, "");

    CHECK_INT(list->changes[0]->before->promotion->basis_points, 500);
    CHECK_INT(list->changes[0]->base_release, 1);
    CHECK_INT(list->changes[0]->conflict_release, 0);
}

static void a_change_with_an_old_etag_is_refused(void)
{
    Draft *draft = make_draft(one_change), *reply = a_reply();
    ChangeDraftRequest *request = a_request(draft, "spring", 2000);
    const char *old = text(arena, draft->etag);

    request->etag = draft->etag;
    CHECK_TEXT(error_reason(change(request, reply)), "OK");
    CHECK_TEXT(error_reason(change(request, reply)), "ETAG_STALE");
    CHECK_TEXT(error_reason(draft_call("SubmitDraft", draft->name, old, reply)), "ETAG_STALE");
    CHECK_TEXT(error_reason(draft_call("WithdrawDraft", draft->name, old, reply)), "ETAG_STALE");
}

static void a_change_that_is_none_is_refused(void)
{
    Draft *draft = make_draft(one_change);
    ChangeDraftRequest *request = a_request(draft, "spring", 1);
    char *dropped[] = { text(arena, "spring") };
    const Error *error;

    request->n_changes = 0;
    error = change(request, a_reply());
    CU_ASSERT(has_violation(error, "changes"));

    request->name = text(arena, "nothing");
    request->dropped = dropped;
    request->n_dropped = 1;
    error = change(request, a_reply());
    CU_ASSERT(has_violation(error, "name"));
    CU_ASSERT(has_violation(error, "dropped[0]"));
}

static void a_repeated_change_counts_once(void)
{
    Draft *draft = make_draft(one_change), *first = a_reply(), *second = a_reply();
    ChangeDraftRequest *request = a_request(draft, "autumn", 500);

    request->request_id = text(arena, "once");
    CHECK_TEXT(error_reason(change(request, first)), "OK");
    CHECK_TEXT(error_reason(change(request, second)), "OK");

    CU_ASSERT(message_equal(first, second));
    CHECK_INT(get_draft_again(draft->name)->n_parts, 2);
}

static void what_is_submitted_cannot_be_changed(void)
{
    Draft *draft = make_draft(one_change), *reply = a_reply();

    CHECK_TEXT(error_reason(draft_call("SubmitDraft", draft->name, draft->etag, reply)), "OK");
    CHECK_INT(reply->state, DRAFT_SUBMITTED);
    CHECK_TEXT(reply->submission->note, "noted");
    CHECK_TEXT(error_reason(change(a_request(draft, "spring", 1), a_reply())), "DRAFT_NOT_OPEN");
    CHECK_TEXT(
        error_reason(draft_call("SubmitDraft", draft->name, "", a_reply())), "DRAFT_NOT_OPEN");

    CHECK_TEXT(error_reason(draft_call("WithdrawDraft", draft->name, "", reply)), "OK");
    CHECK_INT(reply->state, DRAFT_OPEN);
    CHECK_TEXT(error_reason(change(a_request(draft, "spring", 1), a_reply())), "OK");
}

static void an_empty_draft_is_not_submitted(void)
{
    Draft *draft = make_draft((RuleSetting[]){ { 0 } });

    CHECK_TEXT(error_reason(draft_call("SubmitDraft", draft->name, "", a_reply())), "DRAFT_EMPTY");
}

static void rules_that_do_not_go_together_are_not_submitted(void)
{
    Draft *draft = make_draft((RuleSetting[]){ { "autumn", 1000 }, { "spring", 1000 }, { 0 } });
    ChangeDraftRequest *request = a_request(draft, "autumn", 500);
    const Error *error;

    request->changes[0]->after->promotion->code = text(arena, "CODE-spring");
    for (char *at = request->changes[0]->after->promotion->code; *at; at++)
        *at = (char)(*at >= 'a' ? *at - 'a' + 'A' : *at);
    CHECK_TEXT(error_reason(change(request, draft)), "OK");
    error = draft_call("SubmitDraft", draft->name, "", a_reply());

    CHECK_TEXT(error_reason(error), "RULES_INVALID");
    CU_ASSERT(has_violation(error, "rules[\"promotions/spring\"]"));
}

static void a_rule_that_changed_meanwhile_is_a_conflict_that_names_the_other(void)
{
    Draft *draft = make_draft(one_change);
    Draft *reply = a_reply();
    int64_t number = publish_settings((RuleSetting[]){ { "spring", 500 }, { 0 } });
    const Error *error;

    as_ann();
    error = draft_call("SubmitDraft", draft->name, "", reply);
    CHECK_TEXT(error_reason(error), "CHANGE_CONFLICT");
    CHECK_TEXT(error_fact(error, "rule"), "promotions/spring");
    CHECK_TEXT(error_fact(error, "release"), release_name(arena, number));
    CHECK_TEXT(error_fact(error, "draft"), get_release_number(number)->draft);
    CHECK_INT(changes_of(draft, 0, "")->changes[0]->conflict_release, number);

    CHECK_TEXT(error_reason(change(a_request(draft, "spring", 1000), reply)), "OK");
    CHECK_TEXT(error_reason(draft_call("SubmitDraft", draft->name, "", reply)), "OK");
}

static void a_rule_that_was_taken_out_meanwhile_is_a_conflict_too(void)
{
    Draft *draft;
    int64_t number;
    const Error *error;

    publish_settings((RuleSetting[]){ { "spring", 500 }, { 0 } });
    draft = make_draft(one_change);
    number = publish_settings((RuleSetting[]){ { "spring", 0 }, { 0 } });
    as_ann();
    error = draft_call("SubmitDraft", draft->name, "", a_reply());

    CHECK_TEXT(error_reason(error), "CHANGE_CONFLICT");
    CHECK_TEXT(error_fact(error, "release"), release_name(arena, number));
    CHECK_INT(changes_of(draft, 0, "")->changes[0]->conflict_release, number);
}

static const Error *approve_as(const char *channel, const char *actor, const char *draft)
{
    fixture_act_as(fixture, channel, actor);
    return draft_call("ApproveDraft", draft, "", a_reply());
}

static void four_eyes_are_two_people_with_two_accounts(void)
{
    Draft *draft = make_draft(one_change);

    CHECK_TEXT(error_reason(draft_call("SubmitDraft", draft->name, "", a_reply())), "OK");
    CHECK_TEXT(error_reason(approve_as("merchandising", "agents/ann", draft->name)), "FOUR_EYES");
    CHECK_TEXT(error_reason(approve_as("pricing", "agents/ann", draft->name)), "FOUR_EYES");
    CHECK_TEXT(error_reason(approve_as("merchandising", "agents/bob", draft->name)), "FOUR_EYES");
    CHECK_INT(get_draft_again(draft->name)->state, DRAFT_SUBMITTED);
    CHECK_TEXT(error_reason(approve_as("pricing", "agents/bob", draft->name)), "OK");
    CHECK_INT(get_draft_again(draft->name)->state, DRAFT_APPROVED);
    CHECK_TEXT(
        error_reason(approve_as("pricing", "agents/bob", draft->name)), "DRAFT_NOT_SUBMITTED");
}

static void what_is_approved_is_what_was_looked_at(void)
{
    Draft *draft = make_draft(one_change), *seen = a_reply(), *reply = a_reply();

    CHECK_TEXT(error_reason(draft_call("SubmitDraft", draft->name, "", seen)), "OK");
    CHECK_TEXT(error_reason(draft_call("WithdrawDraft", draft->name, "", reply)), "OK");
    CHECK_TEXT(error_reason(draft_call("SubmitDraft", draft->name, "", reply)), "OK");
    as_bob();

    CHECK_TEXT(
        error_reason(draft_call("ApproveDraft", draft->name, seen->etag, a_reply())), "ETAG_STALE");
    CHECK_TEXT(error_reason(draft_call("ApproveDraft", draft->name, reply->etag, a_reply())), "OK");
}

static void a_draft_is_sent_back_with_a_reason(void)
{
    Draft *draft = make_draft(one_change), *reply = a_reply();
    Throughline__Catalog__V1__RejectDraftRequest request =
        THROUGHLINE__CATALOG__V1__REJECT_DRAFT_REQUEST__INIT;
    const Error *error;

    as_bob();
    CHECK_TEXT(
        error_reason(draft_call("RejectDraft", draft->name, "", reply)), "DRAFT_NOT_SUBMITTED");
    as_ann();
    CHECK_TEXT(error_reason(draft_call("SubmitDraft", draft->name, "", reply)), "OK");
    as_bob();
    request.name = text(arena, draft->name);
    error = fixture_call(fixture, "GovernanceService/RejectDraft", &request, reply);
    CU_ASSERT(has_violation(error, "note"));
    CHECK_TEXT(error_reason(draft_call("RejectDraft", draft->name, "", reply)), "OK");

    CHECK_INT(reply->state, DRAFT_REJECTED);
    CHECK_TEXT(reply->rejection->note, "noted");
    CHECK_TEXT(reply->rejection->actor, "agents/bob");
}

static ListDraftsResponse *list(int state, int32_t page_size, const char *token)
{
    ListDraftsRequest request = THROUGHLINE__CATALOG__V1__LIST_DRAFTS_REQUEST__INIT;
    ListDraftsResponse *reply =
        message_new(arena, &throughline__catalog__v1__list_drafts_response__descriptor);

    request.state = (DraftState)state;
    request.page_size = page_size;
    request.page_token = text(arena, token);
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "GovernanceService/ListDrafts", &request, reply)), "OK");
    return reply;
}

static void drafts_are_listed_by_state_newest_first(void)
{
    Draft *first = make_draft(one_change), *second = make_draft(one_change), *reply = a_reply();
    ListDraftsResponse *page;

    CHECK_TEXT(error_reason(draft_call("SubmitDraft", first->name, "", reply)), "OK");
    page = list(0, 1, "");
    CHECK_INT(page->n_drafts, 1);
    CHECK_TEXT(page->drafts[0]->name, second->name);
    page = list(0, 1, page->next_page_token);
    CHECK_TEXT(page->drafts[0]->name, first->name);
    page = list((int)DRAFT_SUBMITTED, 0, "");
    CHECK_INT(page->n_drafts, 1);
    CHECK_TEXT(page->drafts[0]->name, first->name);
    CHECK_INT(list((int)DRAFT_PUBLISHED, 0, "")->n_drafts, 0);
}

static void what_is_not_there_is_not_found(void)
{
    static const char *const steps[] = { "SubmitDraft", "WithdrawDraft", "ApproveDraft",
        "RejectDraft", "PublishDraft" };
    ListDraftChangesRequest request = THROUGHLINE__CATALOG__V1__LIST_DRAFT_CHANGES_REQUEST__INIT;
    ListDraftChangesResponse reply = THROUGHLINE__CATALOG__V1__LIST_DRAFT_CHANGES_RESPONSE__INIT;
    Draft *nothing = a_reply();

    nothing->name = text(arena, "drafts/nothing");
    for (size_t i = 0; i < COUNT(steps); i++) {
        CHECK_TEXT(
            error_reason(draft_call(steps[i], nothing->name, "", a_reply())), "DRAFT_NOT_FOUND");
        CU_ASSERT(has_violation(draft_call(steps[i], "nothing", "", a_reply()), "name"));
    }
    CHECK_TEXT(error_reason(change(a_request(nothing, "spring", 1), a_reply())), "DRAFT_NOT_FOUND");
    request.name = nothing->name;
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "GovernanceService/ListDraftChanges", &request, &reply)),
        "DRAFT_NOT_FOUND");
}

static const Error *step_with(const char *scopes, const char *rpc, const char *draft)
{
    RpcOutgoing outgoing = fixture_outgoing(fixture);
    const ProtobufCMessageDescriptor *type =
        message_find(arena_printf(arena, "throughline.catalog.v1.%sRequest", rpc));
    void *request = message_new(arena, type);

    outgoing.token = fixture_token(fixture, scopes, "web");
    outgoing.context.channel = "web";
    *(char **)message_field(request, "name") = text(arena, draft);
    return fixture_call_with(
        fixture, &outgoing, arena_printf(arena, "GovernanceService/%s", rpc), request, a_reply());
}

static void each_step_needs_its_own_scope(void)
{
    const char *name = make_draft(one_change)->name;
    static const char *const writer = "catalog.read catalog.write";

    CHECK_TEXT(error_reason(step_with("catalog.read", "SubmitDraft", name)), "SCOPE_MISSING");
    CHECK_TEXT(error_reason(step_with("catalog.read", "WithdrawDraft", name)), "SCOPE_MISSING");
    CHECK_TEXT(error_reason(step_with(writer, "ApproveDraft", name)), "SCOPE_MISSING");
    CHECK_TEXT(error_reason(step_with(writer, "RejectDraft", name)), "SCOPE_MISSING");
    CHECK_TEXT(error_reason(step_with(writer, "PublishDraft", name)), "SCOPE_MISSING");
    CHECK_TEXT(error_reason(step_with("catalog.approve", "PublishDraft", name)), "SCOPE_MISSING");
    CHECK_TEXT(error_reason(step_with("catalog.write", "GetDraft", name)), "SCOPE_MISSING");
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_draft_is_made_with_its_changes", a_draft_is_made_with_its_changes },
        { "every_bad_field_of_a_draft_is_named", every_bad_field_of_a_draft_is_named },
        { "a_repeated_creation_makes_one_draft", a_repeated_creation_makes_one_draft },
        { "changes_are_put_replaced_and_dropped", changes_are_put_replaced_and_dropped },
        { "the_changes_of_a_draft_come_in_pages", the_changes_of_a_draft_come_in_pages },
        { "a_change_shows_the_rule_as_it_is_now", a_change_shows_the_rule_as_it_is_now },
        { "a_change_with_an_old_etag_is_refused", a_change_with_an_old_etag_is_refused },
        { "a_change_that_is_none_is_refused", a_change_that_is_none_is_refused },
        { "a_repeated_change_counts_once", a_repeated_change_counts_once },
        { "what_is_submitted_cannot_be_changed", what_is_submitted_cannot_be_changed },
        { "an_empty_draft_is_not_submitted", an_empty_draft_is_not_submitted },
        { "rules_that_do_not_go_together_are_not_submitted",
            rules_that_do_not_go_together_are_not_submitted },
        { "a_rule_that_changed_meanwhile_is_a_conflict_that_names_the_other",
            a_rule_that_changed_meanwhile_is_a_conflict_that_names_the_other },
        { "a_rule_that_was_taken_out_meanwhile_is_a_conflict_too",
            a_rule_that_was_taken_out_meanwhile_is_a_conflict_too },
        { "four_eyes_are_two_people_with_two_accounts",
            four_eyes_are_two_people_with_two_accounts },
        { "what_is_approved_is_what_was_looked_at", what_is_approved_is_what_was_looked_at },
        { "a_draft_is_sent_back_with_a_reason", a_draft_is_sent_back_with_a_reason },
        { "drafts_are_listed_by_state_newest_first", drafts_are_listed_by_state_newest_first },
        { "what_is_not_there_is_not_found", what_is_not_there_is_not_found },
        { "each_step_needs_its_own_scope", each_step_needs_its_own_scope },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "draft",
            .pSetUpFunc = start_catalog,
            .pTearDownFunc = stop_catalog,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_draft_service", suites, argc, argv);
}
