#include "tests/service/feedback/calls.h"

Fixture *start_feedback(void)
{
    Fixture *fixture = fixture_start(&feedback_service);

    fixture_act_as(fixture, "care", "agents/kim");
    return fixture;
}

const Error *mention(Fixture *fixture, const RecordMentionRequest *request, const char **case_name)
{
    RecordMentionResponse reply = THROUGHLINE__FEEDBACK__V1__RECORD_MENTION_RESPONSE__INIT;
    const Error *error = fixture_call(fixture, "CaseService/RecordMention", request, &reply);

    *case_name = arena_text(fixture_arena(fixture), reply.case_name);
    return error;
}

const char *complain(Fixture *fixture, const char *customer, const char *handle, const char *text)
{
    RecordMentionRequest request = THROUGHLINE__FEEDBACK__V1__RECORD_MENTION_REQUEST__INIT;
    const char *case_name;

    request.customer = (char *)customer;
    request.handle = (char *)handle;
    request.text = (char *)text;
    request.is_complaint = true;
    CHECK_TEXT(error_reason(mention(fixture, &request, &case_name)), "OK");
    CU_ASSERT_FALSE(text_is_empty(case_name));
    return case_name;
}

const Error *get_case(Fixture *fixture, const char *name, CaseView *view)
{
    Throughline__Feedback__V1__GetCaseRequest request =
        THROUGHLINE__FEEDBACK__V1__GET_CASE_REQUEST__INIT;

    throughline__feedback__v1__case_view__init(view);
    request.name = (char *)name;
    return fixture_call(fixture, "CaseService/GetCase", &request, view);
}

Case *the_case(Fixture *fixture, const char *name)
{
    CaseView view;

    CHECK_TEXT(error_reason(get_case(fixture, name, &view)), "OK");
    CU_ASSERT_PTR_NOT_NULL_FATAL(view.case_record);
    return view.case_record;
}

ListCasesResponse cases_of(Fixture *fixture, const char *customer)
{
    ListCasesRequest request = THROUGHLINE__FEEDBACK__V1__LIST_CASES_REQUEST__INIT;
    ListCasesResponse reply = THROUGHLINE__FEEDBACK__V1__LIST_CASES_RESPONSE__INIT;

    request.customer = (char *)customer;
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "CaseService/ListCases", &request, &reply)), "OK");
    return reply;
}

const Error *answer_case(
    Fixture *fixture, const char *name, const char *text, const char *etag, Case *reply)
{
    AnswerCaseRequest request = THROUGHLINE__FEEDBACK__V1__ANSWER_CASE_REQUEST__INIT;

    throughline__feedback__v1__case__init(reply);
    request.name = (char *)name;
    request.text = (char *)text;
    request.etag = (char *)etag;
    return fixture_call(fixture, "CaseService/AnswerCase", &request, reply);
}

const Error *resolve_case(Fixture *fixture, const char *name, const char *etag, Case *reply)
{
    ResolveCaseRequest request = THROUGHLINE__FEEDBACK__V1__RESOLVE_CASE_REQUEST__INIT;

    throughline__feedback__v1__case__init(reply);
    request.name = (char *)name;
    request.resolution = "Sent a new one";
    request.etag = (char *)etag;
    return fixture_call(fixture, "CaseService/ResolveCase", &request, reply);
}

void note(Fixture *fixture, const char *customer, const char *text)
{
    RecordNoteRequest request = THROUGHLINE__FEEDBACK__V1__RECORD_NOTE_REQUEST__INIT;
    Note reply = THROUGHLINE__FEEDBACK__V1__NOTE__INIT;

    request.customer = (char *)customer;
    request.text = (char *)text;
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "CaseService/RecordNote", &request, &reply)), "OK");
    CHECK_TEXT(reply.text, text);
    CU_ASSERT_TRUE(text_starts_with(reply.name, "notes/"));
}

bool blames(const Error *error, const char *field)
{
    for (size_t i = 0; error && i < error->n_violations; i++)
        if (text_equal(error->violations[i].field, field))
            return true;
    return false;
}
