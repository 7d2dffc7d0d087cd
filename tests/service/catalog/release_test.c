/* Publication, releases and the way back, over gRPC. */
#include "tests/service/catalog/governance_fixture.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <string.h>

typedef Throughline__Catalog__V1__PublishDraftRequest PublishDraftRequest;
typedef Throughline__Catalog__V1__RollBackRequest RollBackRequest;
typedef Throughline__Catalog__V1__ListReleasesRequest ListReleasesRequest;
typedef Throughline__Catalog__V1__ListReleasesResponse ListReleasesResponse;
typedef Throughline__Catalog__V1__DiffReleasesRequest DiffReleasesRequest;
typedef Throughline__Catalog__V1__DiffReleasesResponse DiffReleasesResponse;

enum { WAIT_TRIES = 400, WAIT_MS = 50 };

static const int64_t second_micros = 1000000;

static Draft *a_reply(void)
{
    return message_new(arena, &throughline__catalog__v1__draft__descriptor);
}

/* Waits until the job has brought the draft into the state. */
static Draft *wait_for(const char *name, DraftState state)
{
    Draft *draft = get_draft_again(name);

    for (int i = 0; i < WAIT_TRIES && draft->state != state; i++) {
        clock_sleep_ms(WAIT_MS);
        draft = get_draft_again(name);
    }
    CHECK_INT(draft->state, state);
    return draft;
}

static void a_published_draft_is_a_release_with_everybody_in_it(void)
{
    Draft *draft = approve(make_draft((RuleSetting[]){ { "b", 2 }, { "a", 1 }, { 0 } }));
    Draft *reply = a_reply();
    Release *release;
    const Event *event;

    CHECK_TEXT(error_reason(try_publish(draft->name, reply)), "OK");
    release = get_release_number(0);
    event = fixture_event(fixture, "releases/1", 1);

    CHECK_INT(reply->state, DRAFT_PUBLISHED);
    CHECK_INT(reply->release, 1);
    CHECK_TEXT(release->name, "releases/1");
    CHECK_INT(release->number, 1);
    CHECK_INT(release->kind, RELEASE_OF_DRAFT);
    CHECK_TEXT(release->draft, draft->name);
    CHECK_TEXT(release->title, "Spring sale");
    CHECK_TEXT(release->submission->actor, "agents/ann");
    CHECK_TEXT(release->approval->actor, "agents/bob");
    CHECK_TEXT(release->publication->actor, "agents/cleo");
    CHECK_INT(release->change_count, 2);
    CHECK_INT(release->rule_count, 2);
    CHECK_INT(release->digest.len, RULE_BOOK_DIGEST);
    CU_ASSERT_PTR_NOT_NULL(
        event_payload(arena, event, &throughline__catalog__v1__release_published__descriptor));
    CHECK_INT(points_in("a", 0), 1);
}

static void what_is_not_approved_is_not_published(void)
{
    Draft *draft = make_draft((RuleSetting[]){ { "a", 1 }, { 0 } });

    CHECK_TEXT(error_reason(try_publish(draft->name, a_reply())), "DRAFT_NOT_APPROVED");
    CU_ASSERT_PTR_NULL(get_release_number(1));
}

static void publishing_twice_is_publishing_once(void)
{
    Draft *draft = approve(make_draft((RuleSetting[]){ { "a", 1 }, { 0 } }));
    Draft *first = a_reply(), *second = a_reply();
    PublishDraftRequest request = THROUGHLINE__CATALOG__V1__PUBLISH_DRAFT_REQUEST__INIT;

    as_cleo();
    request.name = draft->name;
    request.etag = draft->etag;
    request.request_id = text(arena, "once");
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "GovernanceService/PublishDraft", &request, first));
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "GovernanceService/PublishDraft", &request, second));
    CU_ASSERT(message_equal(first, second));
    CHECK_TEXT(error_reason(try_publish(draft->name, second)), "OK");

    CHECK_INT(second->release, 1);
    CU_ASSERT_PTR_NULL(get_release_number(2));
}

static void the_second_of_two_drafts_that_change_one_rule_is_refused_naming_the_first(void)
{
    Draft *first = approve(make_draft((RuleSetting[]){ { "a", 1 }, { "b", 1 }, { 0 } }));
    Draft *second = approve(make_draft((RuleSetting[]){ { "b", 2 }, { "c", 2 }, { 0 } }));
    const Error *error;

    CHECK_TEXT(error_reason(try_publish(first->name, a_reply())), "OK");
    error = try_publish(second->name, a_reply());

    CHECK_TEXT(error_reason(error), "CHANGE_CONFLICT");
    CHECK_TEXT(error_fact(error, "rule"), "promotions/b");
    CHECK_TEXT(error_fact(error, "draft"), first->name);
    CHECK_TEXT(error_fact(error, "release"), "releases/1");
    CHECK_INT(get_draft_again(second->name)->state, DRAFT_APPROVED);
    CHECK_INT(points_in("c", 0), 0);
    CU_ASSERT_PTR_NULL(get_release_number(2));
}

static void rules_that_go_together_no_more_are_not_published(void)
{
    Draft *first = make_draft((RuleSetting[]){ { "a", 1 }, { 0 } });
    Draft *second = make_draft((RuleSetting[]){ { "b", 1 }, { 0 } });
    Throughline__Catalog__V1__ChangeDraftRequest request =
        THROUGHLINE__CATALOG__V1__CHANGE_DRAFT_REQUEST__INIT;
    Change *changes[] = { a_change(arena, "b", 2) };
    const Error *error;

    changes[0]->after->promotion->code = text(arena, "CODE-A");
    request.name = second->name;
    request.changes = changes;
    request.n_changes = 1;
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "GovernanceService/ChangeDraft", &request, a_reply()));
    approve(second);
    CHECK_TEXT(error_reason(try_publish(approve(first)->name, a_reply())), "OK");
    error = try_publish(second->name, a_reply());

    CHECK_TEXT(error_reason(error), "RULES_INVALID");
    CHECK_INT(error->n_violations, 1);
    CHECK_INT(get_draft_again(second->name)->state, DRAFT_APPROVED);
}

static const Error *schedule(const char *draft, int64_t time, Draft *reply)
{
    PublishDraftRequest request = THROUGHLINE__CATALOG__V1__PUBLISH_DRAFT_REQUEST__INIT;

    as_cleo();
    request.name = text(arena, draft);
    request.publish_time = timestamp_from_micros(arena, time);
    return fixture_call(fixture, "GovernanceService/PublishDraft", &request, reply);
}

static void a_draft_is_published_at_its_time(void)
{
    Draft *draft = approve(make_draft((RuleSetting[]){ { "a", 1 }, { 0 } }));
    int64_t time = clock_now() + second_micros;
    Draft *reply = a_reply();

    CHECK_TEXT(error_reason(schedule(draft->name, time, reply)), "OK");
    CHECK_INT(reply->state, DRAFT_SCHEDULED);
    reply = wait_for(draft->name, DRAFT_PUBLISHED);

    CHECK_INT(reply->release, 1);
    CU_ASSERT(timestamp_to_micros(get_release_number(1)->create_time) >= time);
    CHECK_TEXT(get_release_number(1)->publication->actor, "agents/cleo");
}

static void what_is_scheduled_can_be_withdrawn(void)
{
    Draft *draft = approve(make_draft((RuleSetting[]){ { "a", 1 }, { 0 } }));
    Draft *reply = a_reply();

    CHECK_TEXT(error_reason(schedule(draft->name, clock_now() + 600 * second_micros, reply)), "OK");
    as_ann();
    CHECK_TEXT(error_reason(draft_call("WithdrawDraft", draft->name, "", reply)), "OK");

    CHECK_INT(reply->state, DRAFT_OPEN);
    CHECK_TEXT(error_reason(try_publish(draft->name, reply)), "DRAFT_NOT_APPROVED");
}

static void what_cannot_be_published_at_its_time_says_why(void)
{
    Draft *draft = approve(make_draft((RuleSetting[]){ { "a", 1 }, { 0 } }));
    Draft *reply = a_reply();

    publish_settings((RuleSetting[]){ { "a", 2 }, { 0 } });
    CHECK_TEXT(error_reason(schedule(draft->name, clock_now() + second_micros, reply)), "OK");
    reply = wait_for(draft->name, DRAFT_REFUSED);

    CHECK_CONTAINS(reply->refusal, "promotions/a");
    CHECK_CONTAINS(reply->refusal, "releases/1");
    CHECK_INT(points_in("a", 0), 2);
}

static void times_of_publication_are_checked(void)
{
    Draft *draft = approve(make_draft((RuleSetting[]){ { "a", 1 }, { 0 } }));
    const Error *error =
        schedule(draft->name, clock_now() + 401 * 86400 * second_micros, a_reply());

    CU_ASSERT(has_violation(error, "publish_time"));
}

static void a_draft_that_was_left_publishing_is_finished(void)
{
    Draft *draft = approve(make_draft((RuleSetting[]){ { "a", 1 }, { 0 } }));
    StoreView view = fixture_view(fixture);

    draft->state = DRAFT_PUBLISHING;
    draft->publication = a_deed(arena, "cleo", "operations");
    CU_ASSERT_PTR_NULL(store_replace(&view, &drafts, draft, NULL));

    CHECK_INT(wait_for(draft->name, DRAFT_PUBLISHED)->release, 1);
    CHECK_INT(points_in("a", 0), 1);
}

static RollBackRequest *a_rollback(int64_t number)
{
    RollBackRequest *request =
        message_new(arena, &throughline__catalog__v1__roll_back_request__descriptor);

    request->number = number;
    request->reason = text(arena, "It was too cheap");
    as_cleo();
    return request;
}

static const Error *roll(RollBackRequest *request, Release *release)
{
    message_init(&throughline__catalog__v1__release__descriptor, release);
    return fixture_call(fixture, "GovernanceService/RollBack", request, release);
}

static void a_rollback_is_a_new_release_with_the_rules_of_an_old_one(void)
{
    Release release;

    publish_three();
    CHECK_TEXT(error_reason(roll(a_rollback(1), &release)), "OK");

    CHECK_INT(release.number, 4);
    CHECK_INT(release.kind, RELEASE_ROLLBACK);
    CHECK_INT(release.restored_release, 1);
    CHECK_TEXT(release.reason, "It was too cheap");
    CHECK_INT(release.change_count, 3);
    CU_ASSERT(
        memcmp(release.digest.data, get_release_number(1)->digest.data, RULE_BOOK_DIGEST) == 0);
    CHECK_INT(points_in("a", 0), 1);
    CHECK_INT(points_in("b", 0), 1);
    CHECK_INT(points_in("c", 0), 0);
    CHECK_INT(points_in("a", 3), 3);
}

static void a_repeated_rollback_makes_one_release(void)
{
    Release first, second;
    RollBackRequest *request;

    publish_three();
    request = a_rollback(2);
    request->request_id = text(arena, "once");
    CHECK_TEXT(error_reason(roll(request, &first)), "OK");
    CHECK_TEXT(error_reason(roll(request, &second)), "OK");

    CU_ASSERT(message_equal(&first, &second));
    CU_ASSERT_PTR_NULL(get_release_number(5));
}

static void a_rollback_to_nowhere_is_refused(void)
{
    Release release;
    RollBackRequest *request;
    const Error *error;

    publish_three();
    CHECK_TEXT(error_reason(roll(a_rollback(4), &release)), "RELEASE_NOT_FOUND");
    CHECK_TEXT(error_reason(roll(a_rollback(3), &release)), "RELEASE_CURRENT");
    request = a_rollback(0);
    request->reason = text(arena, "");
    error = roll(request, &release);
    CU_ASSERT(has_violation(error, "number"));
    CU_ASSERT(has_violation(error, "reason"));
}

static DiffReleasesResponse *diff(int64_t from, int64_t to)
{
    DiffReleasesRequest request = THROUGHLINE__CATALOG__V1__DIFF_RELEASES_REQUEST__INIT;
    DiffReleasesResponse *reply =
        message_new(arena, &throughline__catalog__v1__diff_releases_response__descriptor);

    request.from = from;
    request.to = to;
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "GovernanceService/DiffReleases", &request, reply)),
        "OK");
    return reply;
}

static void releases_are_compared_in_both_directions(void)
{
    DiffReleasesResponse *ahead, *back;

    publish_three();
    ahead = diff(1, 3);
    back = diff(3, 1);

    CHECK_INT(ahead->n_changes, 3);
    CHECK_TEXT(ahead->changes[0]->rule, "promotions/a");
    CHECK_INT(ahead->changes[0]->before->promotion->basis_points, 1);
    CHECK_INT(ahead->changes[0]->after->promotion->basis_points, 3);
    CU_ASSERT_PTR_NULL(ahead->changes[1]->after);
    CU_ASSERT_PTR_NULL(ahead->changes[2]->before);
    CHECK_INT(back->changes[0]->after->promotion->basis_points, 1);
    CHECK_INT(diff(0, 0)->n_changes, 2);
    CHECK_INT(diff(3, 3)->n_changes, 0);
}

static void a_release_that_is_not_there_is_not_compared(void)
{
    DiffReleasesRequest request = THROUGHLINE__CATALOG__V1__DIFF_RELEASES_REQUEST__INIT;
    DiffReleasesResponse reply = THROUGHLINE__CATALOG__V1__DIFF_RELEASES_RESPONSE__INIT;
    const Error *error;

    request.to = 7;
    error = fixture_call(fixture, "GovernanceService/DiffReleases", &request, &reply);
    CHECK_TEXT(error_reason(error), "RELEASE_NOT_FOUND");
    request.from = 7;
    request.to = 0;
    error = fixture_call(fixture, "GovernanceService/DiffReleases", &request, &reply);
    CHECK_TEXT(error_reason(error), "RELEASE_NOT_FOUND");
    request.from = -1;
    request.to = -1;
    error = fixture_call(fixture, "GovernanceService/DiffReleases", &request, &reply);
    CU_ASSERT(has_violation(error, "from"));
    CU_ASSERT(has_violation(error, "to"));
}

static void releases_are_listed_newest_first(void)
{
    ListReleasesRequest request = THROUGHLINE__CATALOG__V1__LIST_RELEASES_REQUEST__INIT;
    ListReleasesResponse reply = THROUGHLINE__CATALOG__V1__LIST_RELEASES_RESPONSE__INIT;

    publish_three();
    request.page_size = 2;
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "GovernanceService/ListReleases", &request, &reply));
    CHECK_INT(reply.n_releases, 2);
    CHECK_INT(reply.releases[0]->number, 3);
    request.page_token = reply.next_page_token;
    throughline__catalog__v1__list_releases_response__init(&reply);
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "GovernanceService/ListReleases", &request, &reply));
    CHECK_INT(reply.n_releases, 1);
    CHECK_INT(reply.releases[0]->number, 1);
}

static void releases_outlive_a_restart(void)
{
    publish_three();
    fixture_restart(fixture);

    CHECK_INT(get_release_number(0)->number, 3);
    CHECK_INT(points_in("a", 0), 3);
    CHECK_INT(points_in("a", 1), 1);
    CHECK_INT(points_in("b", 1), 1);
    CHECK_INT(publish_settings((RuleSetting[]){ { "a", 4 }, { 0 } }), 4);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_published_draft_is_a_release_with_everybody_in_it",
            a_published_draft_is_a_release_with_everybody_in_it },
        { "what_is_not_approved_is_not_published", what_is_not_approved_is_not_published },
        { "publishing_twice_is_publishing_once", publishing_twice_is_publishing_once },
        { "the_second_of_two_drafts_that_change_one_rule_is_refused_naming_the_first",
            the_second_of_two_drafts_that_change_one_rule_is_refused_naming_the_first },
        { "rules_that_go_together_no_more_are_not_published",
            rules_that_go_together_no_more_are_not_published },
        { "a_draft_is_published_at_its_time", a_draft_is_published_at_its_time },
        { "what_is_scheduled_can_be_withdrawn", what_is_scheduled_can_be_withdrawn },
        { "what_cannot_be_published_at_its_time_says_why",
            what_cannot_be_published_at_its_time_says_why },
        { "times_of_publication_are_checked", times_of_publication_are_checked },
        { "a_draft_that_was_left_publishing_is_finished",
            a_draft_that_was_left_publishing_is_finished },
        { "a_rollback_is_a_new_release_with_the_rules_of_an_old_one",
            a_rollback_is_a_new_release_with_the_rules_of_an_old_one },
        { "a_repeated_rollback_makes_one_release", a_repeated_rollback_makes_one_release },
        { "a_rollback_to_nowhere_is_refused", a_rollback_to_nowhere_is_refused },
        { "releases_are_compared_in_both_directions", releases_are_compared_in_both_directions },
        { "a_release_that_is_not_there_is_not_compared",
            a_release_that_is_not_there_is_not_compared },
        { "releases_are_listed_newest_first", releases_are_listed_newest_first },
        { "releases_outlive_a_restart", releases_outlive_a_restart },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "release",
            .pSetUpFunc = start_catalog,
            .pTearDownFunc = stop_catalog,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_release_service", suites, argc, argv);
}
