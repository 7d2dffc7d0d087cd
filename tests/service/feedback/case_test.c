#include "tests/service/feedback/calls.h"

#include <pthread.h>

enum { SPEAKERS = 8, WORDS_EACH = 5 };

static void a_complaint_opens_a_case_and_more_words_join_it(void)
{
    Fixture *fixture = start_feedback();
    const char *name = complain(fixture, "", "Chirp:Jo", "My lamp is broken\nand I am angry");
    Case *record;

    CHECK_TEXT(complain(fixture, "", "chirp:@jo", "Hello?"), name);
    record = the_case(fixture, name);

    CHECK_INT(record->state, OPEN);
    CHECK_TEXT(record->subject, "My lamp is broken");
    CHECK_TEXT(record->identifier_key, "social_handle:chirp:@jo");
    CHECK_TEXT(record->customer, "");
    CHECK_INT((int)record->n_messages, 2);
    CHECK_TEXT(record->messages[1]->text, "Hello?");
    CHECK_INT(record->messages[1]->author, CUSTOMER);
    CHECK_TEXT(record->messages[1]->channel, "care");
    CU_ASSERT_PTR_NOT_NULL(fixture_event(fixture, name, 2));
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void other_people_have_other_cases(void)
{
    Fixture *fixture = start_feedback();
    const char *jo = complain(fixture, "customers/jo", "", "Broken"),
               *bo = complain(fixture, "customers/bo", "", "Broken"),
               *handle = complain(fixture, "", "chirp:@jo", "Broken");

    CU_ASSERT_FALSE(text_equal(jo, bo) || text_equal(jo, handle) || text_equal(bo, handle));
    CHECK_TEXT(complain(fixture, "customers/jo", "", "Still"), jo);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void words_that_complain_of_nothing_open_no_case(void)
{
    Fixture *fixture = start_feedback();
    RecordMentionRequest request = THROUGHLINE__FEEDBACK__V1__RECORD_MENTION_REQUEST__INIT;
    RecordMentionResponse kept = THROUGHLINE__FEEDBACK__V1__RECORD_MENTION_RESPONSE__INIT;
    const char *case_name, *opened;

    request.handle = "chirp:@jo";
    request.text = "Lovely lamps";
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "CaseService/RecordMention", &request, &kept));
    CHECK_TEXT(kept.case_name, "");
    CU_ASSERT_TRUE(text_starts_with(kept.mention, "mentions/"));
    opened = complain(fixture, "", "chirp:@jo", "But late");
    CU_ASSERT_PTR_NULL(mention(fixture, &request, &case_name));
    CHECK_TEXT(case_name, opened);
    CHECK_INT((int)the_case(fixture, opened)->n_messages, 2);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_repeated_mention_is_said_once(void)
{
    Fixture *fixture = start_feedback();
    RecordMentionRequest request = THROUGHLINE__FEEDBACK__V1__RECORD_MENTION_REQUEST__INIT;
    const char *first, *again;

    request.handle = "chirp:@jo";
    request.text = "Broken";
    request.is_complaint = true;
    request.request_id = "mention-1";
    CU_ASSERT_PTR_NULL(mention(fixture, &request, &first));
    CU_ASSERT_PTR_NULL(mention(fixture, &request, &again));
    CHECK_TEXT(again, first);
    request.request_id = "mention-2";
    CU_ASSERT_PTR_NULL(mention(fixture, &request, &again));
    CU_ASSERT_PTR_NULL(mention(fixture, &request, &again));
    CHECK_TEXT(again, first);
    CHECK_INT((int)the_case(fixture, first)->n_messages, 2);
    request.text = "Other words";
    CHECK_TEXT(error_reason(mention(fixture, &request, &again)), "REQUEST_ID_REUSED");
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_mention_of_nobody_is_refused(void)
{
    Fixture *fixture = start_feedback();
    RecordMentionRequest request = THROUGHLINE__FEEDBACK__V1__RECORD_MENTION_REQUEST__INIT;
    const char *case_name;
    const Error *error = mention(fixture, &request, &case_name);

    CU_ASSERT_TRUE(blames(error, "customer") && blames(error, "text"));
    request.customer = "jo";
    request.handle = "jo";
    request.text = "Broken";
    error = mention(fixture, &request, &case_name);
    CU_ASSERT_TRUE(blames(error, "customer") && blames(error, "handle"));
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void answers_and_words_take_turns_until_it_is_resolved(void)
{
    Fixture *fixture = start_feedback();
    const char *name = complain(fixture, "customers/jo", "", "Broken");
    Case reply, stale;

    CHECK_TEXT(
        error_reason(answer_case(fixture, name, "A new one is on its way", "", &reply)), "OK");
    CHECK_INT(reply.state, ANSWERED);
    CHECK_INT(reply.messages[1]->author, AGENT);
    CHECK_TEXT(reply.messages[1]->actor, "agents/kim");
    CHECK_TEXT(complain(fixture, "customers/jo", "", "Thank you"), name);
    CHECK_INT(the_case(fixture, name)->state, OPEN);
    CHECK_TEXT(error_reason(answer_case(fixture, name, "Late", reply.etag, &stale)), "ETAG_STALE");
    CHECK_TEXT(error_reason(resolve_case(fixture, name, reply.etag, &stale)), "ETAG_STALE");
    CU_ASSERT_PTR_NULL(resolve_case(fixture, name, the_case(fixture, name)->etag, &reply));
    CHECK_INT(reply.state, RESOLVED);
    CHECK_TEXT(reply.resolution, "Sent a new one");
    CHECK_TEXT(error_reason(resolve_case(fixture, name, "", &reply)), "CASE_RESOLVED");
    CHECK_TEXT(error_reason(answer_case(fixture, name, "More", "", &reply)), "CASE_RESOLVED");
    CU_ASSERT_FALSE(text_equal(complain(fixture, "customers/jo", "", "Broken again"), name));
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_repeated_answer_is_given_once(void)
{
    Fixture *fixture = start_feedback();
    const char *name = complain(fixture, "customers/jo", "", "Broken");
    AnswerCaseRequest request = THROUGHLINE__FEEDBACK__V1__ANSWER_CASE_REQUEST__INIT;
    ResolveCaseRequest end = THROUGHLINE__FEEDBACK__V1__RESOLVE_CASE_REQUEST__INIT;
    Case reply = THROUGHLINE__FEEDBACK__V1__CASE__INIT, again = reply;

    request.name = end.name = (char *)name;
    request.text = "On its way";
    request.request_id = "answer-1";
    end.resolution = "Done";
    end.request_id = "resolve-1";
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "CaseService/AnswerCase", &request, &reply));
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "CaseService/AnswerCase", &request, &again));
    CHECK_TEXT(again.etag, reply.etag);
    CHECK_INT((int)the_case(fixture, name)->n_messages, 2);
    throughline__feedback__v1__case__init(&reply);
    throughline__feedback__v1__case__init(&again);
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "CaseService/ResolveCase", &end, &reply));
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "CaseService/ResolveCase", &end, &again));
    CHECK_TEXT(again.etag, reply.etag);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void cases_that_are_not_there_are_not_found(void)
{
    Fixture *fixture = start_feedback();
    CaseView view;
    Case reply;

    CHECK_TEXT(error_reason(get_case(fixture, "cases/none", &view)), "CASE_NOT_FOUND");
    CHECK_TEXT(error_reason(answer_case(fixture, "cases/none", "?", "", &reply)), "CASE_NOT_FOUND");
    CHECK_TEXT(error_reason(resolve_case(fixture, "cases/none", "", &reply)), "CASE_NOT_FOUND");
    CU_ASSERT_TRUE(blames(get_case(fixture, "", &view), "name"));
    CU_ASSERT_TRUE(blames(answer_case(fixture, "x", "", "", &reply), "name"));
    CU_ASSERT_TRUE(blames(answer_case(fixture, "cases/none", "", "", &reply), "text"));
    CU_ASSERT_TRUE(blames(resolve_case(fixture, "x", "", &reply), "name"));
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_case_by_hand_stands_beside_others(void)
{
    Fixture *fixture = start_feedback();
    OpenCaseRequest request = THROUGHLINE__FEEDBACK__V1__OPEN_CASE_REQUEST__INIT;
    Case first = THROUGHLINE__FEEDBACK__V1__CASE__INIT, second = first, again = first;
    ListCasesResponse list;
    const Error *error = fixture_call(fixture, "CaseService/OpenCase", &request, &first);

    CU_ASSERT_TRUE(blames(error, "customer") && blames(error, "subject") && blames(error, "text"));
    request.customer = "customers/jo";
    request.subject = "Invoice";
    request.text = "I need a copy";
    request.request_id = "open-1";
    CHECK_TEXT(error_reason(fixture_call(fixture, "CaseService/OpenCase", &request, &first)), "OK");
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "CaseService/OpenCase", &request, &again));
    CHECK_TEXT(again.name, first.name);
    request.request_id = "open-2";
    request.subject = "Warranty";
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "CaseService/OpenCase", &request, &second)), "OK");

    CHECK_TEXT(complain(fixture, "customers/jo", "", "Hello?"), first.name);
    list = cases_of(fixture, "customers/jo");
    CU_ASSERT_EQUAL_FATAL(list.n_cases, 2);
    CHECK_TEXT(list.cases[0]->subject, "Warranty");
    CU_ASSERT_PTR_NULL(resolve_case(fixture, first.name, "", &again));
    CHECK_TEXT(complain(fixture, "customers/jo", "", "Hello?"), second.name);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void cases_come_in_pages(void)
{
    Fixture *fixture = start_feedback();
    ListCasesRequest request = THROUGHLINE__FEEDBACK__V1__LIST_CASES_REQUEST__INIT;
    ListCasesResponse page = THROUGHLINE__FEEDBACK__V1__LIST_CASES_RESPONSE__INIT;
    OpenCaseRequest open = THROUGHLINE__FEEDBACK__V1__OPEN_CASE_REQUEST__INIT;
    int seen = 0, pages = 0;

    open.customer = request.customer = "customers/jo";
    open.text = "Please";
    for (int i = 5; i > 0; i--) {
        Case reply = THROUGHLINE__FEEDBACK__V1__CASE__INIT;

        open.subject = arena_printf(fixture_arena(fixture), "%d", i);
        CU_ASSERT_PTR_NULL(fixture_call(fixture, "CaseService/OpenCase", &open, &reply));
    }
    request.page_size = 2;
    do {
        throughline__feedback__v1__list_cases_response__init(&page);
        CU_ASSERT_PTR_NULL(fixture_call(fixture, "CaseService/ListCases", &request, &page));
        for (size_t i = 0; i < page.n_cases; i++)
            CHECK_TEXT(page.cases[i]->subject, arena_printf(fixture_arena(fixture), "%d", ++seen));
        request.page_token = page.next_page_token;
    } while (++pages < 5 && *page.next_page_token);

    CHECK_INT(seen, 5);
    CHECK_INT(pages, 3);
    request.customer = "";
    CU_ASSERT_TRUE(
        blames(fixture_call(fixture, "CaseService/ListCases", &request, &page), "customer"));
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void notes_are_for_colleagues(void)
{
    Fixture *fixture = start_feedback();
    const char *name = complain(fixture, "customers/jo", "", "Broken");
    RecordNoteRequest empty = THROUGHLINE__FEEDBACK__V1__RECORD_NOTE_REQUEST__INIT;
    Note reply = THROUGHLINE__FEEDBACK__V1__NOTE__INIT;
    CaseView view;
    const Error *error = fixture_call(fixture, "CaseService/RecordNote", &empty, &reply);

    CU_ASSERT_TRUE(blames(error, "customer") && blames(error, "text"));
    note(fixture, "customers/jo", "Calls in the morning");
    note(fixture, "customers/jo", "Likes ropes");
    CU_ASSERT_PTR_NULL_FATAL(get_case(fixture, name, &view));
    CU_ASSERT_EQUAL_FATAL(view.n_notes, 2);
    CHECK_TEXT(view.notes[0]->text, "Likes ropes");
    CHECK_TEXT(view.notes[0]->actor, "agents/kim");
    fixture_act_as(fixture, "web", "customers/jo");
    CU_ASSERT_PTR_NULL_FATAL(get_case(fixture, name, &view));
    CHECK_INT((int)view.n_notes, 0);
    CHECK_TEXT(view.case_record->name, name);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_customer_sees_only_their_own_cases(void)
{
    Fixture *fixture = start_feedback();
    const char *name = complain(fixture, "customers/jo", "", "Broken");
    ListCasesRequest request = THROUGHLINE__FEEDBACK__V1__LIST_CASES_REQUEST__INIT;
    ListCasesResponse list = THROUGHLINE__FEEDBACK__V1__LIST_CASES_RESPONSE__INIT;
    CaseView view;
    Case reply;

    fixture_act_as(fixture, "web", "customers/bo");
    request.customer = "customers/jo";
    CHECK_TEXT(error_reason(get_case(fixture, name, &view)), "CASE_NOT_FOUND");
    CHECK_TEXT(error_reason(answer_case(fixture, name, "?", "", &reply)), "CASE_NOT_FOUND");
    CHECK_TEXT(error_reason(resolve_case(fixture, name, "", &reply)), "CASE_NOT_FOUND");
    CHECK_TEXT(error_reason(fixture_call(fixture, "CaseService/ListCases", &request, &list)),
        "CUSTOMER_NOT_FOUND");
    fixture_act_as(fixture, "web", "customers/jo");
    CU_ASSERT_PTR_NULL(answer_case(fixture, name, "Hello?", "", &reply));
    CHECK_INT(reply.messages[1]->author, CUSTOMER);
    CHECK_INT((int)cases_of(fixture, "customers/jo").n_cases, 1);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_customer_speaks_for_nobody_else(void)
{
    Fixture *fixture = start_feedback();
    RecordMentionRequest words = THROUGHLINE__FEEDBACK__V1__RECORD_MENTION_REQUEST__INIT;
    RecordNoteRequest remark = THROUGHLINE__FEEDBACK__V1__RECORD_NOTE_REQUEST__INIT;
    OpenCaseRequest opening = THROUGHLINE__FEEDBACK__V1__OPEN_CASE_REQUEST__INIT;
    Note noted = THROUGHLINE__FEEDBACK__V1__NOTE__INIT;
    Case opened = THROUGHLINE__FEEDBACK__V1__CASE__INIT;
    const char *case_name;

    fixture_act_as(fixture, "web", "customers/bo");
    words.customer = remark.customer = opening.customer = "customers/jo";
    words.text = remark.text = opening.text = opening.subject = "Cancel it all";
    CHECK_TEXT(error_reason(mention(fixture, &words, &case_name)), "CUSTOMER_NOT_FOUND");
    CHECK_TEXT(error_reason(fixture_call(fixture, "CaseService/OpenCase", &opening, &opened)),
        "CUSTOMER_NOT_FOUND");
    CHECK_TEXT(error_reason(fixture_call(fixture, "CaseService/RecordNote", &remark, &noted)),
        "NOT_A_COLLEAGUE");

    words.customer = opening.customer = "customers/bo";
    CHECK_TEXT(error_reason(mention(fixture, &words, &case_name)), "OK");
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "CaseService/OpenCase", &opening, &opened)), "OK");
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void what_is_hidden_looks_like_what_is_not_there(void)
{
    Fixture *fixture = start_feedback();
    const char *name = complain(fixture, "customers/jo", "", "Broken");
    const Error *hidden, *missing;
    CaseView view;

    fixture_act_as(fixture, "web", "customers/bo");
    hidden = get_case(fixture, name, &view);
    missing = get_case(fixture, "cases/none", &view);

    CHECK_TEXT(hidden->reason, missing->reason);
    CHECK_TEXT(hidden->message, missing->message);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_token_without_the_scope_is_refused(void)
{
    Fixture *fixture = start_feedback();
    RpcOutgoing outgoing = fixture_outgoing(fixture);
    RecordMentionRequest request = THROUGHLINE__FEEDBACK__V1__RECORD_MENTION_REQUEST__INIT;
    RecordMentionResponse reply = THROUGHLINE__FEEDBACK__V1__RECORD_MENTION_RESPONSE__INIT;
    const Error *error;

    outgoing.token = fixture_token(fixture, "feedback.read", "care");
    error = fixture_call_with(fixture, &outgoing, "CaseService/RecordMention", &request, &reply);
    CHECK_INT(error ? error->code : 0, ERROR_PERMISSION_DENIED);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

typedef struct Speaker {
    Fixture *fixture;
    RpcOutgoing outgoing;
    pthread_t thread;
    int failures;
} Speaker;

static void *speak(void *argument)
{
    Speaker *speaker = argument;

    for (int i = 0; i < WORDS_EACH; i++) {
        RecordMentionRequest request = THROUGHLINE__FEEDBACK__V1__RECORD_MENTION_REQUEST__INIT;
        RecordMentionResponse reply = THROUGHLINE__FEEDBACK__V1__RECORD_MENTION_RESPONSE__INIT;

        request.customer = "customers/jo";
        request.text = "Broken";
        request.is_complaint = true;
        speaker->outgoing.deadline = 0;
        speaker->failures += fixture_call_with(speaker->fixture, &speaker->outgoing,
                                 "CaseService/RecordMention", &request, &reply) != NULL;
    }
    return NULL;
}

static void many_words_at_once_are_one_case(void)
{
    Fixture *fixture = start_feedback();
    Speaker speakers[SPEAKERS];
    ListCasesResponse list;

    for (int i = 0; i < SPEAKERS; i++) {
        speakers[i] = (Speaker){ .fixture = fixture, .outgoing = fixture_outgoing(fixture) };
        speakers[i].outgoing.arena = arena_new();
        pthread_create(&speakers[i].thread, NULL, speak, &speakers[i]);
    }
    for (int i = 0; i < SPEAKERS; i++) {
        pthread_join(speakers[i].thread, NULL);
        CHECK_INT(speakers[i].failures, 0);
        arena_free(speakers[i].outgoing.arena);
    }
    list = cases_of(fixture, "customers/jo");

    CU_ASSERT_EQUAL_FATAL(list.n_cases, 1);
    CHECK_INT((int)list.cases[0]->n_messages, SPEAKERS * WORDS_EACH);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_complaint_opens_a_case_and_more_words_join_it",
            a_complaint_opens_a_case_and_more_words_join_it },
        { "other_people_have_other_cases", other_people_have_other_cases },
        { "words_that_complain_of_nothing_open_no_case",
            words_that_complain_of_nothing_open_no_case },
        { "a_repeated_mention_is_said_once", a_repeated_mention_is_said_once },
        { "a_mention_of_nobody_is_refused", a_mention_of_nobody_is_refused },
        { "answers_and_words_take_turns_until_it_is_resolved",
            answers_and_words_take_turns_until_it_is_resolved },
        { "a_repeated_answer_is_given_once", a_repeated_answer_is_given_once },
        { "cases_that_are_not_there_are_not_found", cases_that_are_not_there_are_not_found },
        { "a_case_by_hand_stands_beside_others", a_case_by_hand_stands_beside_others },
        { "cases_come_in_pages", cases_come_in_pages },
        { "notes_are_for_colleagues", notes_are_for_colleagues },
        { "a_customer_sees_only_their_own_cases", a_customer_sees_only_their_own_cases },
        { "a_customer_speaks_for_nobody_else", a_customer_speaks_for_nobody_else },
        { "what_is_hidden_looks_like_what_is_not_there",
            what_is_hidden_looks_like_what_is_not_there },
        { "a_token_without_the_scope_is_refused", a_token_without_the_scope_is_refused },
        { "many_words_at_once_are_one_case", many_words_at_once_are_one_case },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "case", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("feedback_case_service", suites, argc, argv);
}
