/* The life of a draft, and who may do what in it. */
#include "services/catalog/domain/draft.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/rule_builders.h"

static Arena *arena;

static int open_arena(void)
{
    arena = arena_new();
    return 0;
}

static int close_arena(void)
{
    arena_free(arena);
    return 0;
}

/* By Ann of merchandising, with one part of one change. */
static Draft *a_draft(void)
{
    Draft *draft = message_new(arena, &throughline__catalog__v1__draft__descriptor);
    Deed *ann = a_deed(arena, "ann", "merchandising");

    draft_open(draft, "drafts/spring", "Spring sale", "It is spring", ann, arena);
    CU_ASSERT_PTR_NULL(draft_change(draft, "draftParts/1", 1, ann, arena));
    return draft;
}

static Draft *a_submitted_draft(void)
{
    Draft *draft = a_draft();

    CU_ASSERT_PTR_NULL(draft_submit(draft, a_deed(arena, "ann", "merchandising"), arena));
    return draft;
}

static Draft *an_approved_draft(void)
{
    Draft *draft = a_submitted_draft();

    CU_ASSERT_PTR_NULL(draft_approve(draft, a_deed(arena, "bob", "pricing"), arena));
    return draft;
}

static Draft *a_draft_in(DraftState state)
{
    Draft *draft = a_draft();

    draft->state = state;
    return draft;
}

static void a_new_draft_is_open_and_knows_its_author(void)
{
    Draft *draft = a_draft();

    CHECK_INT(draft->state, DRAFT_OPEN);
    CHECK_INT(draft->n_authors, 1);
    CHECK_TEXT(draft->authors[0]->actor, "agents/ann");
    CHECK_INT(timestamp_to_micros(draft->create_time), some_noon);
}

static void an_author_is_listed_once(void)
{
    Draft *draft = a_draft();

    CU_ASSERT_PTR_NULL(
        draft_change(draft, "draftParts/2", 2, a_deed(arena, "ann", "merchandising"), arena));
    CU_ASSERT_PTR_NULL(
        draft_change(draft, "draftParts/3", 3, a_deed(arena, "carl", "merchandising"), arena));

    CHECK_INT(draft->n_authors, 2);
    CHECK_INT(draft->n_parts, 3);
    CHECK_INT(draft->change_count, 3);
}

static void an_empty_draft_cannot_be_submitted(void)
{
    Draft *draft = a_draft();
    Deed *ann = a_deed(arena, "ann", "merchandising");

    CU_ASSERT_PTR_NULL(draft_change(draft, "draftParts/2", 0, ann, arena));
    CHECK_TEXT(error_reason(draft_submit(draft, ann, arena)), "DRAFT_EMPTY");
    CHECK_INT(draft->state, DRAFT_OPEN);
}

static void too_much_is_refused(void)
{
    Deed *ann = a_deed(arena, "ann", "merchandising");
    Draft *draft = a_draft();
    Draft *parts = a_draft();
    Draft *people = a_draft();
    const Error *error = NULL;

    CHECK_TEXT(error_reason(draft_change(draft, "draftParts/x", DRAFT_MAX_CHANGES + 1, ann, arena)),
        "DRAFT_FULL");
    CU_ASSERT_PTR_NULL(draft_change(draft, "draftParts/x", DRAFT_MAX_CHANGES, ann, arena));
    for (int i = 1; i < DRAFT_MAX_PARTS; i++)
        CU_ASSERT_PTR_NULL(draft_change(parts, "draftParts/x", 1, ann, arena));
    CHECK_TEXT(error_reason(draft_change(parts, "draftParts/x", 1, ann, arena)), "DRAFT_FULL");
    for (int i = 1; i < DRAFT_MAX_AUTHORS; i++)
        CU_ASSERT_PTR_NULL(draft_change(people, "draftParts/x", 1,
            a_deed(arena, arena_printf(arena, "p%d", i), "merchandising"), arena));
    error = draft_change(people, "draftParts/x", 1, a_deed(arena, "more", "merchandising"), arena);
    CHECK_TEXT(error_reason(error), "DRAFT_FULL");
}

static void somebody_else_with_an_account_of_their_own_approves(void)
{
    Draft *draft = an_approved_draft();

    CHECK_INT(draft->state, DRAFT_APPROVED);
    CHECK_TEXT(draft->approval->actor, "agents/bob");
    CHECK_TEXT(draft->submission->actor, "agents/ann");
}

static void check_four_eyes(Draft *draft, const char *person, const char *account)
{
    CHECK_TEXT(
        error_reason(draft_approve(draft, a_deed(arena, person, account), arena)), "FOUR_EYES");
    CHECK_INT(draft->state, DRAFT_SUBMITTED);
    CU_ASSERT_PTR_NULL(draft->approval);
}

static void nobody_approves_what_they_submitted_with_whatever_account(void)
{
    check_four_eyes(a_submitted_draft(), "ann", "merchandising");
    check_four_eyes(a_submitted_draft(), "ann", "pricing");
    check_four_eyes(a_submitted_draft(), "bob", "merchandising");
}

static void nobody_approves_what_they_worked_on(void)
{
    Draft *draft = a_draft();

    CU_ASSERT_PTR_NULL(
        draft_change(draft, "draftParts/2", 2, a_deed(arena, "bob", "planning"), arena));
    CU_ASSERT_PTR_NULL(draft_submit(draft, a_deed(arena, "ann", "merchandising"), arena));

    check_four_eyes(draft, "bob", "pricing");
    check_four_eyes(draft, "dora", "planning");
    CU_ASSERT_PTR_NULL(draft_approve(draft, a_deed(arena, "dora", "pricing"), arena));
}

static void each_step_needs_the_state_before_it(void)
{
    Deed *ann = a_deed(arena, "ann", "merchandising"), *bob = a_deed(arena, "bob", "pricing");

    for (DraftState state = DRAFT_OPEN; state <= DRAFT_REFUSED; state++) {
        bool is_approved = state == DRAFT_APPROVED || state == DRAFT_SCHEDULED;
        bool is_final = state == DRAFT_PUBLISHING || state == DRAFT_PUBLISHED;

        CHECK_TEXT(error_reason(draft_change(a_draft_in(state), "draftParts/2", 1, ann, arena)),
            state == DRAFT_OPEN ? "OK" : "DRAFT_NOT_OPEN");
        CHECK_TEXT(error_reason(draft_submit(a_draft_in(state), ann, arena)),
            state == DRAFT_OPEN ? "OK" : "DRAFT_NOT_OPEN");
        CHECK_TEXT(error_reason(draft_reject(a_draft_in(state), bob, arena)),
            state == DRAFT_SUBMITTED ? "OK" : "DRAFT_NOT_SUBMITTED");
        if (state != DRAFT_SUBMITTED)
            CHECK_TEXT(
                error_reason(draft_approve(a_draft_in(state), bob, arena)), "DRAFT_NOT_SUBMITTED");
        CHECK_TEXT(error_reason(draft_schedule(a_draft_in(state), some_noon, bob, arena)),
            is_approved ? "OK" : "DRAFT_NOT_APPROVED");
        CHECK_TEXT(error_reason(draft_begin(a_draft_in(state), bob, arena)),
            is_approved ? "OK" : "DRAFT_NOT_APPROVED");
        CHECK_TEXT(error_reason(draft_withdraw(a_draft_in(state), ann, arena)),
            is_final ? "DRAFT_FINAL" : "OK");
    }
}

static void what_is_withdrawn_must_be_approved_anew(void)
{
    Draft *draft = an_approved_draft();

    CU_ASSERT_PTR_NULL(draft_schedule(draft, some_noon, a_deed(arena, "bob", "pricing"), arena));
    CU_ASSERT_PTR_NULL(draft_withdraw(draft, a_deed(arena, "ann", "merchandising"), arena));

    CHECK_INT(draft->state, DRAFT_OPEN);
    CU_ASSERT_PTR_NULL(draft->approval);
    CU_ASSERT_PTR_NULL(draft->submission);
    CU_ASSERT_PTR_NULL(draft->publication);
    CU_ASSERT_PTR_NULL(draft->publish_time);
    CHECK_TEXT(error_reason(draft_begin(draft, a_deed(arena, "bob", "pricing"), arena)),
        "DRAFT_NOT_APPROVED");
}

static void whoever_withdraws_a_draft_has_worked_on_it(void)
{
    Draft *draft = a_submitted_draft();

    CU_ASSERT_PTR_NULL(draft_withdraw(draft, a_deed(arena, "bob", "pricing"), arena));
    CU_ASSERT_PTR_NULL(draft_submit(draft, a_deed(arena, "ann", "merchandising"), arena));

    check_four_eyes(draft, "bob", "pricing");
}

static void a_published_draft_names_its_release(void)
{
    Draft *draft = an_approved_draft();
    Release release = THROUGHLINE__CATALOG__V1__RELEASE__INIT;

    CU_ASSERT_PTR_NULL(draft_begin(draft, a_deed(arena, "cleo", "pricing"), arena));
    draft_release(draft, &release);
    draft_finish(draft, 7, some_noon + 5, arena);

    CHECK_INT(draft->state, DRAFT_PUBLISHED);
    CHECK_INT(draft->release, 7);
    CHECK_INT(release.kind, RELEASE_OF_DRAFT);
    CHECK_TEXT(release.draft, "drafts/spring");
    CHECK_TEXT(release.reason, "It is spring");
    CHECK_TEXT(release.submission->actor, "agents/ann");
    CHECK_TEXT(release.approval->actor, "agents/bob");
    CHECK_TEXT(release.publication->actor, "agents/cleo");
}

static void what_cannot_be_published_says_why_and_can_be_worked_on(void)
{
    Draft *draft = an_approved_draft();

    CU_ASSERT_PTR_NULL(draft_begin(draft, a_deed(arena, "bob", "pricing"), arena));
    draft_refuse(draft, "Another release came first.", some_noon + 5, arena);
    CHECK_INT(draft->state, DRAFT_REFUSED);
    CHECK_TEXT(draft->refusal, "Another release came first.");

    CU_ASSERT_PTR_NULL(draft_withdraw(draft, a_deed(arena, "ann", "merchandising"), arena));
    CHECK_TEXT(draft->refusal, "");
}

static void what_is_returned_is_still_approved(void)
{
    Draft *draft = an_approved_draft();

    CU_ASSERT_PTR_NULL(draft_begin(draft, a_deed(arena, "bob", "pricing"), arena));
    draft_return(draft, some_noon + 5, arena);

    CHECK_INT(draft->state, DRAFT_APPROVED);
    CU_ASSERT_PTR_NULL(draft->publication);
    CU_ASSERT_PTR_NOT_NULL(draft->approval);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_new_draft_is_open_and_knows_its_author", a_new_draft_is_open_and_knows_its_author },
        { "an_author_is_listed_once", an_author_is_listed_once },
        { "an_empty_draft_cannot_be_submitted", an_empty_draft_cannot_be_submitted },
        { "too_much_is_refused", too_much_is_refused },
        { "somebody_else_with_an_account_of_their_own_approves",
            somebody_else_with_an_account_of_their_own_approves },
        { "nobody_approves_what_they_submitted_with_whatever_account",
            nobody_approves_what_they_submitted_with_whatever_account },
        { "nobody_approves_what_they_worked_on", nobody_approves_what_they_worked_on },
        { "each_step_needs_the_state_before_it", each_step_needs_the_state_before_it },
        { "what_is_withdrawn_must_be_approved_anew", what_is_withdrawn_must_be_approved_anew },
        { "whoever_withdraws_a_draft_has_worked_on_it",
            whoever_withdraws_a_draft_has_worked_on_it },
        { "a_published_draft_names_its_release", a_published_draft_names_its_release },
        { "what_cannot_be_published_says_why_and_can_be_worked_on",
            what_cannot_be_published_says_why_and_can_be_worked_on },
        { "what_is_returned_is_still_approved", what_is_returned_is_still_approved },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "draft", .pInitFunc = open_arena, .pCleanupFunc = close_arena, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_draft", suites, argc, argv);
}
