/* Cases: what may be said in one, and where it stands after it. */
#ifndef THROUGHLINE_FEEDBACK_CASE_H
#define THROUGHLINE_FEEDBACK_CASE_H

#include "shared/base/arena.h"
#include "shared/base/error.h"

#include "throughline/feedback/v1/case.pb-c.h"

typedef Throughline__Feedback__V1__Case Case;
typedef Throughline__Feedback__V1__CaseMessage CaseMessage;
typedef Google__Protobuf__Timestamp Timestamp;

enum {
    CASE_MAX_MESSAGES = 500,
    CASE_MAX_BYTES = 1024 * 1024, /* of text in all: an event and an answer carry the whole case */
    CASE_MAX_TEXT = 10000,
    CASE_MAX_SUBJECT = 200,
    CASE_MAX_RESOLUTION = 1000,
};

bool case_is_resolved(const Case *record);

/* Begins a case with what was said first; the message lives on in it. The name and whose it is are
 * set by then. */
void case_open(Case *record, const char *subject, CaseMessage *first, Arena *arena);

/* The customer's words make it wait for us, ours make it answered. Errors: FAILED_PRECONDITION
 * CASE_RESOLVED, CASE_FULL. */
const Error *case_add_message(Case *record, CaseMessage *message, Arena *arena);

/* Done. Errors: FAILED_PRECONDITION CASE_RESOLVED. */
const Error *case_resolve(Case *record, const char *resolution, Timestamp *now, Arena *arena);

/* The first line of what was said, at most 200 characters. */
const char *case_subject_of(const char *text, Arena *arena);

#endif
