#include "tests/service/feedback/calls.h"

#include "services/feedback/survey_handlers.h"
#include "shared/base/clock.h"

static const Error *answer_survey(Fixture *fixture, const char *subject, int kind, int32_t score,
    const char *request_id, SurveyAnswer *reply)
{
    RecordAnswerRequest request = THROUGHLINE__FEEDBACK__V1__RECORD_ANSWER_REQUEST__INIT;
    SurveyAnswer answer = THROUGHLINE__FEEDBACK__V1__SURVEY_ANSWER__INIT;

    throughline__feedback__v1__survey_answer__init(reply);
    answer.customer = "customers/jo";
    answer.kind = (Throughline__Feedback__V1__SurveyAnswer__Kind)kind;
    answer.value_case = THROUGHLINE__FEEDBACK__V1__SURVEY_ANSWER__VALUE_SCORE;
    answer.score = score;
    answer.comment = "Came late";
    answer.subject = (char *)subject;
    request.answer = &answer;
    request.request_id = (char *)request_id;
    return fixture_call(fixture, "CaseService/RecordAnswer", &request, reply);
}

static const Error *get_answer_of(Fixture *fixture, const char *name, SurveyAnswer *reply)
{
    Throughline__Feedback__V1__GetAnswerRequest request =
        THROUGHLINE__FEEDBACK__V1__GET_ANSWER_REQUEST__INIT;

    throughline__feedback__v1__survey_answer__init(reply);
    request.name = (char *)name;
    return fixture_call(fixture, "CaseService/GetAnswer", &request, reply);
}

static void a_happy_answer_is_kept(void)
{
    Fixture *fixture = start_feedback();
    SurveyAnswer made, found;

    CHECK_TEXT(error_reason(answer_survey(fixture, "orders/a", NPS, 9, "", &made)), "OK");

    CHECK_TEXT(made.opened_case, "");
    CHECK_TEXT(made.channel, "care");
    CU_ASSERT_PTR_NULL(get_answer_of(fixture, made.name, &found));
    CHECK_INT(found.score, 9);
    CHECK_TEXT(found.comment, "Came late");
    CHECK_INT((int)cases_of(fixture, "customers/jo").n_cases, 0);
    CHECK_TEXT(error_reason(get_answer_of(fixture, "surveyAnswers/none", &found)),
        "SURVEY_ANSWER_NOT_FOUND");
    CU_ASSERT_TRUE(blames(get_answer_of(fixture, "", &found), "name"));
    fixture_act_as(fixture, "web", "customers/bo");
    CHECK_TEXT(error_reason(get_answer_of(fixture, made.name, &found)), "SURVEY_ANSWER_NOT_FOUND");
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void an_unhappy_answer_opens_a_case(void)
{
    Fixture *fixture = start_feedback();
    SurveyAnswer made;
    Case *record;

    CHECK_TEXT(error_reason(answer_survey(fixture, "orders/a", NPS, 3, "", &made)), "OK");
    record = the_case(fixture, made.opened_case);

    CHECK_TEXT(record->customer, "customers/jo");
    CHECK_TEXT(record->subject, "Unhappy: NPS 3 about orders/a");
    CHECK_TEXT(record->messages[0]->text, "Came late");
    CHECK_TEXT(complain(fixture, "customers/jo", "", "And broken"), made.opened_case);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void an_unhappy_answer_has_a_case_of_its_own(void)
{
    Fixture *fixture = start_feedback();
    const char *other = complain(fixture, "customers/jo", "", "Broken");
    SurveyAnswer made;

    CU_ASSERT_PTR_NULL(answer_survey(fixture, "orders/a", NPS, 3, "", &made));
    CU_ASSERT_FALSE(text_equal(made.opened_case, other));
    CHECK_INT((int)cases_of(fixture, "customers/jo").n_cases, 2);
    CHECK_TEXT(complain(fixture, "customers/jo", "", "Still broken"), other);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_survey_is_answered_once(void)
{
    Fixture *fixture = start_feedback();
    SurveyAnswer first, again;

    CU_ASSERT_PTR_NULL(answer_survey(fixture, "orders/a", NPS, 9, "answer-1", &first));
    CU_ASSERT_PTR_NULL(answer_survey(fixture, "orders/a", NPS, 9, "answer-1", &again));
    CHECK_TEXT(again.name, first.name);
    CHECK_TEXT(error_reason(answer_survey(fixture, "orders/a", NPS, 2, "answer-2", &again)),
        "SURVEY_ANSWERED");
    CHECK_INT((int)cases_of(fixture, "customers/jo").n_cases, 0);
    CHECK_TEXT(error_reason(answer_survey(fixture, "orders/a", NPS, 2, "answer-1", &again)),
        "REQUEST_ID_REUSED");
    CU_ASSERT_PTR_NULL(answer_survey(fixture, "orders/b", NPS, 9, "", &again));
    CU_ASSERT_PTR_NULL(answer_survey(
        fixture, "orders/a", THROUGHLINE__FEEDBACK__V1__SURVEY_ANSWER__KIND__CSAT, 5, "", &again));
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

/* The call ended between the answer and its case. */
static void the_case_comes_by_the_event_where_the_call_was_cut_off(void)
{
    Fixture *fixture = start_feedback();
    StoreView view = fixture_view(fixture);
    SurveyAnswer answer = THROUGHLINE__FEEDBACK__V1__SURVEY_ANSWER__INIT;
    Throughline__Feedback__V1__SurveyAnswered event =
        THROUGHLINE__FEEDBACK__V1__SURVEY_ANSWERED__INIT;
    CaseView found;
    const Error *error = NULL;

    fixture_act_as(fixture, "care", "agents/kim");
    answer.name = "surveyAnswers/a";
    answer.customer = "customers/jo";
    answer.kind = NPS;
    answer.value_case = THROUGHLINE__FEEDBACK__V1__SURVEY_ANSWER__VALUE_SCORE;
    answer.score = 1;
    answer.opened_case = "cases/a";
    event.answer = &answer;
    CU_ASSERT_PTR_NULL(store_insert(&view, &survey_answers, &answer, &event));

    for (int i = 0; i < 200 && (error = get_case(fixture, "cases/a", &found)); i++)
        clock_sleep_ms(10);
    CHECK_TEXT(error_reason(error), "OK");
    CHECK_TEXT(found.case_record->subject, "Unhappy: NPS 1");
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_nought_is_an_answer_and_nothing_is_none(void)
{
    Fixture *fixture = start_feedback();
    RecordAnswerRequest request = THROUGHLINE__FEEDBACK__V1__RECORD_ANSWER_REQUEST__INIT;
    SurveyAnswer silent = THROUGHLINE__FEEDBACK__V1__SURVEY_ANSWER__INIT;
    SurveyAnswer made, found;

    CHECK_TEXT(error_reason(answer_survey(fixture, "", NPS, 0, "", &made)), "OK");
    CU_ASSERT_PTR_NULL(get_answer_of(fixture, made.name, &found));
    CHECK_INT(found.value_case, THROUGHLINE__FEEDBACK__V1__SURVEY_ANSWER__VALUE_SCORE);
    CHECK_INT(found.score, 0);

    silent.customer = "customers/bo";
    silent.kind = NPS;
    request.answer = &silent;
    CU_ASSERT_TRUE(
        blames(fixture_call(fixture, "CaseService/RecordAnswer", &request, &made), "answer.score"));
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_customer_answers_for_nobody_else(void)
{
    Fixture *fixture = start_feedback();
    SurveyAnswer made;

    fixture_act_as(fixture, "web", "customers/bo");

    CHECK_TEXT(error_reason(answer_survey(fixture, "", NPS, 9, "", &made)), "CUSTOMER_NOT_FOUND");
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void answers_out_of_range_are_refused(void)
{
    Fixture *fixture = start_feedback();
    RecordAnswerRequest empty = THROUGHLINE__FEEDBACK__V1__RECORD_ANSWER_REQUEST__INIT;
    SurveyAnswer reply;

    CU_ASSERT_TRUE(blames(answer_survey(fixture, "", NPS, 11, "", &reply), "answer.score"));
    CU_ASSERT_TRUE(blames(answer_survey(fixture, "", NPS, -1, "", &reply), "answer.score"));
    CU_ASSERT_TRUE(blames(answer_survey(fixture, "", 0, 5, "", &reply), "answer.kind"));
    CU_ASSERT_TRUE(blames(answer_survey(fixture, "", 77, 5, "", &reply), "answer.kind"));
    CU_ASSERT_TRUE(blames(answer_survey(fixture, "carts/a", NPS, 5, "", &reply), "answer.subject"));
    CU_ASSERT_TRUE(blames(answer_survey(fixture, "", NPS, 5, "no id", &reply), "request_id"));
    CU_ASSERT_TRUE(
        blames(fixture_call(fixture, "CaseService/RecordAnswer", &empty, &reply), "answer"));
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_happy_answer_is_kept", a_happy_answer_is_kept },
        { "an_unhappy_answer_opens_a_case", an_unhappy_answer_opens_a_case },
        { "an_unhappy_answer_has_a_case_of_its_own", an_unhappy_answer_has_a_case_of_its_own },
        { "a_survey_is_answered_once", a_survey_is_answered_once },
        { "the_case_comes_by_the_event_where_the_call_was_cut_off",
            the_case_comes_by_the_event_where_the_call_was_cut_off },
        { "a_nought_is_an_answer_and_nothing_is_none", a_nought_is_an_answer_and_nothing_is_none },
        { "a_customer_answers_for_nobody_else", a_customer_answers_for_nobody_else },
        { "answers_out_of_range_are_refused", answers_out_of_range_are_refused },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "survey", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("feedback_survey_service", suites, argc, argv);
}
