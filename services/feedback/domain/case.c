#include "services/feedback/domain/case.h"

#include "shared/base/text.h"

#include <string.h>

static const Error case_resolved = { ERROR_FAILED_PRECONDITION, "CASE_RESOLVED",
    "The case is resolved: open a new one." };
static const Error case_full = { ERROR_FAILED_PRECONDITION, "CASE_FULL",
    "A case holds at most 500 messages and 1 MiB of text: resolve it and open a new one." };

bool case_is_resolved(const Case *record)
{
    return record->state == THROUGHLINE__FEEDBACK__V1__CASE__STATE__RESOLVED;
}

void case_open(Case *record, const char *subject, CaseMessage *first, Arena *arena)
{
    record->state = THROUGHLINE__FEEDBACK__V1__CASE__STATE__OPEN;
    record->subject = arena_text(arena, subject);
    record->messages = arena_array(arena, 1, sizeof(*record->messages));
    record->messages[0] = first;
    record->n_messages = 1;
    record->open_channel = first->channel;
    record->create_time = record->update_time = first->time;
}

static size_t text_size(const Case *record)
{
    size_t size = 0;

    for (size_t i = 0; i < record->n_messages; i++)
        size += strlen(record->messages[i]->text);
    return size;
}

const Error *case_add_message(Case *record, CaseMessage *message, Arena *arena)
{
    size_t n = record->n_messages;

    if (case_is_resolved(record))
        return &case_resolved;
    if (n >= CASE_MAX_MESSAGES || text_size(record) + strlen(message->text) > CASE_MAX_BYTES)
        return &case_full;
    record->messages = arena_grow(arena, record->messages, n, n + 1, sizeof(*record->messages));
    record->messages[record->n_messages++] = message;
    record->state = message->author == THROUGHLINE__FEEDBACK__V1__CASE_MESSAGE__AUTHOR__AGENT
                        ? THROUGHLINE__FEEDBACK__V1__CASE__STATE__ANSWERED
                        : THROUGHLINE__FEEDBACK__V1__CASE__STATE__OPEN;
    record->update_time = message->time;
    return NULL;
}

const Error *case_resolve(Case *record, const char *resolution, Timestamp *now, Arena *arena)
{
    if (case_is_resolved(record))
        return &case_resolved;
    record->state = THROUGHLINE__FEEDBACK__V1__CASE__STATE__RESOLVED;
    record->resolution = arena_text(arena, resolution);
    record->update_time = record->resolve_time = now;
    record->open_key = arena_text(arena, "");
    return NULL;
}

const char *case_subject_of(const char *text, Arena *arena)
{
    const char *start = text + strspn(text, " \t\r\n");
    size_t line = strcspn(start, "\r\n"), size = 0;

    for (int i = 0; i < CASE_MAX_SUBJECT && size < line; i++)
        size += text_utf8_step((const uint8_t *)start + size, line - size);
    return size ? text_trim(arena, arena_text_of(arena, start, size)) : "(no words)";
}
