#include "services/feedback/domain/case.h"

#include "shared/base/text.h"
#include "tests/support/test_main.h"

#include <string.h>

#define AGENT THROUGHLINE__FEEDBACK__V1__CASE_MESSAGE__AUTHOR__AGENT
#define CUSTOMER THROUGHLINE__FEEDBACK__V1__CASE_MESSAGE__AUTHOR__CUSTOMER
#define OPEN THROUGHLINE__FEEDBACK__V1__CASE__STATE__OPEN
#define ANSWERED THROUGHLINE__FEEDBACK__V1__CASE__STATE__ANSWERED
#define RESOLVED THROUGHLINE__FEEDBACK__V1__CASE__STATE__RESOLVED

static Timestamp *a_time(Arena *arena, int64_t seconds)
{
    Timestamp *time = arena_alloc(arena, sizeof(*time));

    *time = (Timestamp)GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    time->seconds = seconds;
    return time;
}

static CaseMessage *a_message(Arena *arena, int author, const char *text, int64_t seconds)
{
    CaseMessage *message = arena_alloc(arena, sizeof(*message));

    *message = (CaseMessage)THROUGHLINE__FEEDBACK__V1__CASE_MESSAGE__INIT;
    message->author = (Throughline__Feedback__V1__CaseMessage__Author)author;
    message->text = arena_text(arena, text);
    message->channel = arena_text(arena, "social");
    message->time = a_time(arena, seconds);
    return message;
}

static Case *an_open_case(Arena *arena)
{
    Case *record = arena_alloc(arena, sizeof(*record));

    *record = (Case)THROUGHLINE__FEEDBACK__V1__CASE__INIT;
    record->name = arena_text(arena, "cases/a");
    record->open_key = arena_text(arena, "customers/jo");
    case_open(record, "A lamp", a_message(arena, CUSTOMER, "Where is it?", 5), arena);
    return record;
}

static void a_case_begins_with_what_was_said(void)
{
    Arena *arena = arena_new();
    Case *record = an_open_case(arena);

    CHECK_INT(record->state, OPEN);
    CHECK_TEXT(record->subject, "A lamp");
    CHECK_INT((int)record->n_messages, 1);
    CHECK_TEXT(record->open_channel, "social");
    CHECK_INT(record->create_time->seconds, 5);
    CHECK_INT(record->update_time->seconds, 5);
    arena_free(arena);
}

static void whoever_spoke_last_says_where_it_stands(void)
{
    Arena *arena = arena_new();
    Case *record = an_open_case(arena);

    CU_ASSERT_PTR_NULL(case_add_message(record, a_message(arena, AGENT, "On its way", 6), arena));
    CHECK_INT(record->state, ANSWERED);
    CHECK_INT(record->update_time->seconds, 6);
    CU_ASSERT_PTR_NULL(case_add_message(record, a_message(arena, CUSTOMER, "Still?", 7), arena));
    CHECK_INT(record->state, OPEN);
    CHECK_TEXT(record->messages[2]->text, "Still?");
    arena_free(arena);
}

static void a_resolved_case_is_done(void)
{
    Arena *arena = arena_new();
    Case *record = an_open_case(arena);

    CU_ASSERT_PTR_NULL(case_resolve(record, "Sent a new one", a_time(arena, 9), arena));

    CHECK_INT(record->state, RESOLVED);
    CHECK_TEXT(record->resolution, "Sent a new one");
    CHECK_INT(record->resolve_time->seconds, 9);
    CHECK_TEXT(record->open_key, "");
    CHECK_TEXT(
        error_reason(case_resolve(record, "Again", a_time(arena, 10), arena)), "CASE_RESOLVED");
    CHECK_TEXT(
        error_reason(case_add_message(record, a_message(arena, CUSTOMER, "Thanks", 11), arena)),
        "CASE_RESOLVED");
    CHECK_INT((int)record->n_messages, 1);
    arena_free(arena);
}

static void a_case_holds_so_many_messages(void)
{
    Arena *arena = arena_new();
    Case *record = an_open_case(arena);

    for (int i = 1; i < CASE_MAX_MESSAGES; i++)
        CU_ASSERT_PTR_NULL(case_add_message(record, a_message(arena, CUSTOMER, "And?", 6), arena));

    CHECK_TEXT(error_reason(case_add_message(record, a_message(arena, CUSTOMER, "And?", 6), arena)),
        "CASE_FULL");
    CHECK_INT((int)record->n_messages, CASE_MAX_MESSAGES);
    CU_ASSERT_PTR_NULL(case_resolve(record, "At last", a_time(arena, 9), arena));
    arena_free(arena);
}

static void a_case_of_long_messages_is_full_before(void)
{
    Arena *arena = arena_new();
    Case *record = an_open_case(arena);
    char *text = arena_alloc(arena, CASE_MAX_BYTES / 4 + 1);

    memset(text, 'x', CASE_MAX_BYTES / 4);
    for (int i = 0; i < 3; i++)
        CU_ASSERT_PTR_NULL(case_add_message(record, a_message(arena, CUSTOMER, text, 6), arena));

    CHECK_TEXT(error_reason(case_add_message(record, a_message(arena, CUSTOMER, text, 6), arena)),
        "CASE_FULL");
    CU_ASSERT_PTR_NULL(case_add_message(record, a_message(arena, CUSTOMER, "And?", 6), arena));
    arena_free(arena);
}

static void a_subject_is_the_first_line(void)
{
    Arena *arena = arena_new();
    char text[3 * CASE_MAX_SUBJECT + 1];

    CHECK_TEXT(case_subject_of("My lamp is broken", arena), "My lamp is broken");
    CHECK_TEXT(case_subject_of("\n  My lamp \r\nis broken", arena), "My lamp");
    CHECK_TEXT(case_subject_of(" \n ", arena), "(no words)");
    for (size_t i = 0; i < sizeof(text) - 1; i += 3)
        memcpy(text + i, "€", 3);
    text[sizeof(text) - 1] = 0;
    CHECK_INT((int)text_length(case_subject_of(text, arena)), CASE_MAX_SUBJECT);
    CHECK_INT((int)text_length(case_subject_of(arena_printf(arena, "%s€", text), arena)),
        CASE_MAX_SUBJECT);
    arena_free(arena);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_case_begins_with_what_was_said", a_case_begins_with_what_was_said },
        { "whoever_spoke_last_says_where_it_stands", whoever_spoke_last_says_where_it_stands },
        { "a_resolved_case_is_done", a_resolved_case_is_done },
        { "a_case_holds_so_many_messages", a_case_holds_so_many_messages },
        { "a_case_of_long_messages_is_full_before", a_case_of_long_messages_is_full_before },
        { "a_subject_is_the_first_line", a_subject_is_the_first_line },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "case", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("feedback_case", suites, argc, argv);
}
