/* Calls to feedback as tests make them: valid requests, of which a test says only what it is
 * about. */
#ifndef THROUGHLINE_TESTS_SERVICE_FEEDBACK_CALLS_H
#define THROUGHLINE_TESTS_SERVICE_FEEDBACK_CALLS_H

#include "services/feedback/feedback_service.h"
#include "tests/support/fixture.h"
#include "tests/support/test_main.h"

typedef Throughline__Feedback__V1__RecordMentionRequest RecordMentionRequest;
typedef Throughline__Feedback__V1__RecordMentionResponse RecordMentionResponse;
typedef Throughline__Feedback__V1__RecordNoteRequest RecordNoteRequest;
typedef Throughline__Feedback__V1__OpenCaseRequest OpenCaseRequest;
typedef Throughline__Feedback__V1__AnswerCaseRequest AnswerCaseRequest;
typedef Throughline__Feedback__V1__ResolveCaseRequest ResolveCaseRequest;
typedef Throughline__Feedback__V1__ListCasesRequest ListCasesRequest;
typedef Throughline__Feedback__V1__ListCasesResponse ListCasesResponse;
typedef Throughline__Feedback__V1__RecordAnswerRequest RecordAnswerRequest;
typedef Throughline__Feedback__V1__CaseView CaseView;

#define OPEN THROUGHLINE__FEEDBACK__V1__CASE__STATE__OPEN
#define ANSWERED THROUGHLINE__FEEDBACK__V1__CASE__STATE__ANSWERED
#define RESOLVED THROUGHLINE__FEEDBACK__V1__CASE__STATE__RESOLVED
#define AGENT THROUGHLINE__FEEDBACK__V1__CASE_MESSAGE__AUTHOR__AGENT
#define CUSTOMER THROUGHLINE__FEEDBACK__V1__CASE_MESSAGE__AUTHOR__CUSTOMER
#define NPS THROUGHLINE__FEEDBACK__V1__SURVEY_ANSWER__KIND__NPS

/* A running feedback without peers, that an agent of the care desk talks to. */
Fixture *start_feedback(void);

/* A complaint of the customer or handle ("" for none): the case it is in. */
const char *complain(Fixture *fixture, const char *customer, const char *handle, const char *text);
const Error *mention(Fixture *fixture, const RecordMentionRequest *request, const char **case_name);

const Error *get_case(Fixture *fixture, const char *name, CaseView *view);
/* The case itself, which must be there. */
Case *the_case(Fixture *fixture, const char *name);
ListCasesResponse cases_of(Fixture *fixture, const char *customer);

const Error *answer_case(
    Fixture *fixture, const char *name, const char *text, const char *etag, Case *reply);
const Error *resolve_case(Fixture *fixture, const char *name, const char *etag, Case *reply);
void note(Fixture *fixture, const char *customer, const char *text);

/* Whether the error names the field among its violations. */
bool blames(const Error *error, const char *field);

#endif
