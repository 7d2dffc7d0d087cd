/* A service as a whole, through its port: requests, replays, readiness. */
#include "shared/base/id.h"
#include "tests/service/event/note_service.h"
#include "tests/support/fixture.h"
#include "tests/support/test_main.h"

#include <stdlib.h>

static WriteNoteRequest a_request(const char *name, const char *text, const char *request_id)
{
    WriteNoteRequest request = THROUGHLINE__ECHO__V1__WRITE_NOTE_REQUEST__INIT;

    request.name = (char *)name;
    request.text = (char *)text;
    request.request_id = (char *)request_id;
    return request;
}

static Fixture *fixture;

static void start(void)
{
    fixture = fixture_start(&note_service);
}

static void stop(void)
{
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_call_reaches_its_handler_and_the_store(void)
{
    WriteNoteRequest request = a_request("notes/a", "one", "");
    GetNoteRequest get = THROUGHLINE__ECHO__V1__GET_NOTE_REQUEST__INIT;
    Note note = THROUGHLINE__ECHO__V1__NOTE__INIT;

    CHECK_TEXT(error_reason(fixture_call(fixture, "NoteService/WriteNote", &request, &note)), "OK");
    CHECK_INT(note.writings, 1);

    get.name = "notes/a";
    CHECK_TEXT(error_reason(fixture_call(fixture, "NoteService/GetNote", &get, &note)), "OK");
    CHECK_TEXT(note.text, "one");
}

static void an_event_comes_with_its_context(void)
{
    WriteNoteRequest request = a_request("notes/a", "one", "");
    Note note = THROUGHLINE__ECHO__V1__NOTE__INIT;
    RpcOutgoing outgoing = fixture_outgoing(fixture);
    const Event *event;

    request.customer = "customers/ann";
    outgoing.context.on_behalf_of = "customers/ann";
    outgoing.context.journey = "journeys/7";
    outgoing.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    CHECK_TEXT(error_reason(
                   fixture_call_with(fixture, &outgoing, "NoteService/WriteNote", &request, &note)),
        "OK");

    event = fixture_event(fixture, "notes/a", 1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(event);
    CHECK_TEXT(event->source, "notes");
    CHECK_TEXT(event->customer, "customers/ann");
    CHECK_TEXT(event->channel, "web");
    CHECK_TEXT(event->actor, "customers/test");
    CHECK_TEXT(event->on_behalf_of, "customers/ann");
    CHECK_TEXT(event->journey, "journeys/7");
    CU_ASSERT_TRUE(text_starts_with(event->traceparent, "00-0af7651916cd43dd8448eb211c80319c-"));
    CHECK_INT(event->sequence, 1);
    CHECK_INT(event->aggregate_sequence, 1);
}

static void a_repeated_request_gets_its_first_answer(void)
{
    WriteNoteRequest request = a_request("notes/a", "one", "r-1");
    Note first = THROUGHLINE__ECHO__V1__NOTE__INIT;
    Note again = THROUGHLINE__ECHO__V1__NOTE__INIT;

    CHECK_TEXT(
        error_reason(fixture_call(fixture, "NoteService/WriteNote", &request, &first)), "OK");
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "NoteService/WriteNote", &request, &again)), "OK");

    CHECK_INT(first.writings, 1);
    CHECK_INT(again.writings, 1);
    CHECK_TEXT(again.etag, first.etag);
}

static void a_request_id_with_other_content_is_refused(void)
{
    WriteNoteRequest request = a_request("notes/a", "one", "r-1");
    Note note = THROUGHLINE__ECHO__V1__NOTE__INIT;
    const Error *error;

    CHECK_TEXT(error_reason(fixture_call(fixture, "NoteService/WriteNote", &request, &note)), "OK");
    request.text = "two";
    error = fixture_call(fixture, "NoteService/WriteNote", &request, &note);

    CHECK_TEXT(error_reason(error), "REQUEST_ID_REUSED");
    CHECK_INT(error->code, ERROR_ALREADY_EXISTS);
}

static void another_account_may_use_the_same_request_id(void)
{
    WriteNoteRequest request = a_request("notes/a", "one", "r-1");
    Note note = THROUGHLINE__ECHO__V1__NOTE__INIT;

    CHECK_TEXT(error_reason(fixture_call(fixture, "NoteService/WriteNote", &request, &note)), "OK");
    fixture_act_as(fixture, "app", "customers/test");
    CHECK_TEXT(error_reason(fixture_call(fixture, "NoteService/WriteNote", &request, &note)), "OK");

    CHECK_INT(note.writings, 2);
}

static void a_refused_request_may_be_tried_again(void)
{
    WriteNoteRequest request = a_request("notes/a", "fail", "r-1");
    Note note = THROUGHLINE__ECHO__V1__NOTE__INIT;

    CHECK_TEXT(
        error_reason(fixture_call(fixture, "NoteService/WriteNote", &request, &note)), "AS_ASKED");
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "NoteService/WriteNote", &request, &note)), "AS_ASKED");
}

/* What two twins write, and in which request. */
static const char *twins_note, *twins_request;

static void write_once(void)
{
    WriteNoteRequest request = a_request(twins_note, "once", twins_request);
    Note note = THROUGHLINE__ECHO__V1__NOTE__INIT;

    CHECK_TEXT(error_reason(fixture_call(fixture, "NoteService/WriteNote", &request, &note)), "OK");
    CHECK_INT(note.writings, 1);
}

static void write_other(void)
{
    WriteNoteRequest request = a_request("notes/a", "one", "r-2");
    Note note = THROUGHLINE__ECHO__V1__NOTE__INIT;

    CHECK_TEXT(error_reason(fixture_call(fixture, "NoteService/WriteNote", &request, &note)), "OK");
}

static void a_twin_that_comes_too_late_gets_the_first_answer(void)
{
    twins_note = "notes/a";
    twins_request = "r-1";
    atomic_store(&note_meanwhile, write_once);

    write_once();
}

static void a_twin_that_comes_too_late_over_mongo_gets_it_too(void)
{
    const char *uri = getenv("THROUGHLINE_TEST_MONGO_URI");
    const char *flags[] = { "--store-uri", uri, NULL };
    char id[ID_SIZE];

    if (!uri) {
        test_skip("THROUGHLINE_TEST_MONGO_URI names no server");
        return;
    }
    stop();
    fixture = fixture_start_flags(&note_service, NULL, flags);
    id_new(id);
    twins_note = arena_printf(fixture_arena(fixture), "notes/%s", id);
    twins_request = id;
    atomic_store(&note_meanwhile, write_once);

    write_once();
}

static void a_refusal_that_is_no_twins_doing_stays(void)
{
    WriteNoteRequest request = a_request("notes/a", "once", "r-1");
    Note note = THROUGHLINE__ECHO__V1__NOTE__INIT;

    atomic_store(&note_meanwhile, write_other);

    CHECK_TEXT(error_reason(fixture_call(fixture, "NoteService/WriteNote", &request, &note)),
        "WRITTEN_BEFORE");
}

static void a_twin_with_other_content_hears_of_it(void)
{
    WriteNoteRequest request = a_request("notes/a", "once", "r-2");
    Note note = THROUGHLINE__ECHO__V1__NOTE__INIT;

    atomic_store(&note_meanwhile, write_other);

    CHECK_TEXT(error_reason(fixture_call(fixture, "NoteService/WriteNote", &request, &note)),
        "REQUEST_ID_REUSED");
}

static void an_answer_survives_a_restart(void)
{
    WriteNoteRequest request = a_request("notes/a", "one", "r-1");
    Note note = THROUGHLINE__ECHO__V1__NOTE__INIT;

    CHECK_TEXT(error_reason(fixture_call(fixture, "NoteService/WriteNote", &request, &note)), "OK");
    fixture_restart(fixture);
    CHECK_TEXT(error_reason(fixture_call(fixture, "NoteService/WriteNote", &request, &note)), "OK");

    CHECK_INT(note.writings, 1);
}

static void a_call_without_token_or_scope_is_refused(void)
{
    WriteNoteRequest request = a_request("notes/a", "one", "");
    Note note = THROUGHLINE__ECHO__V1__NOTE__INIT;
    RpcOutgoing outgoing = fixture_outgoing(fixture);
    const Error *error;

    outgoing.token = "";
    error = fixture_call_with(fixture, &outgoing, "NoteService/WriteNote", &request, &note);
    CHECK_TEXT(error_reason(error), "TOKEN_MISSING");

    outgoing.token = fixture_token(fixture, "echo", "web");
    error = fixture_call_with(fixture, &outgoing, "NoteService/WriteNote", &request, &note);
    CHECK_TEXT(error_reason(error), "SCOPE_MISSING");
    CHECK_INT(error->n_facts, 1);
    CHECK_TEXT(error->facts[0].value, "echo.write");
}

static void every_bad_field_is_named(void)
{
    WriteNoteRequest request = a_request("carts/a", "one", "");
    Note note = THROUGHLINE__ECHO__V1__NOTE__INIT;
    const Error *error;

    request.delay_ms = -1;
    error = fixture_call(fixture, "NoteService/WriteNote", &request, &note);

    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    CHECK_INT(error->n_violations, 2);
    CHECK_TEXT(error->violations[0].field, "name");
    CHECK_TEXT(error->violations[1].field, "delay_ms");
}

static CU_TestInfo tests[] = {
    { "a_call_reaches_its_handler_and_the_store", a_call_reaches_its_handler_and_the_store },
    { "an_event_comes_with_its_context", an_event_comes_with_its_context },
    { "a_repeated_request_gets_its_first_answer", a_repeated_request_gets_its_first_answer },
    { "a_request_id_with_other_content_is_refused", a_request_id_with_other_content_is_refused },
    { "another_account_may_use_the_same_request_id", another_account_may_use_the_same_request_id },
    { "a_refused_request_may_be_tried_again", a_refused_request_may_be_tried_again },
    { "a_twin_that_comes_too_late_gets_the_first_answer",
        a_twin_that_comes_too_late_gets_the_first_answer },
    { "a_twin_that_comes_too_late_over_mongo_gets_it_too",
        a_twin_that_comes_too_late_over_mongo_gets_it_too },
    { "a_refusal_that_is_no_twins_doing_stays", a_refusal_that_is_no_twins_doing_stays },
    { "a_twin_with_other_content_hears_of_it", a_twin_with_other_content_hears_of_it },
    { "an_answer_survives_a_restart", an_answer_survives_a_restart },
    { "a_call_without_token_or_scope_is_refused", a_call_without_token_or_scope_is_refused },
    { "every_bad_field_is_named", every_bad_field_is_named },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {
        { .pName = "service", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("event_service_test", suites, argc, argv);
}
