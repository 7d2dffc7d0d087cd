/* What went wrong, for the caller: a canonical gRPC code, a stable reason, a sentence to act on.
 * NULL means success. Errors without values in the text are static constants. */
#ifndef THROUGHLINE_BASE_ERROR_H
#define THROUGHLINE_BASE_ERROR_H

#include "shared/base/arena.h"

#include <stdbool.h>
#include <stdint.h>

/* The canonical codes of gRPC, same numbers (google.rpc.Code). */
typedef enum ErrorCode {
    ERROR_CANCELLED = 1,
    ERROR_UNKNOWN = 2,
    ERROR_INVALID_ARGUMENT = 3,
    ERROR_DEADLINE_EXCEEDED = 4,
    ERROR_NOT_FOUND = 5,
    ERROR_ALREADY_EXISTS = 6,
    ERROR_PERMISSION_DENIED = 7,
    ERROR_RESOURCE_EXHAUSTED = 8,
    ERROR_FAILED_PRECONDITION = 9,
    ERROR_ABORTED = 10,
    ERROR_OUT_OF_RANGE = 11,
    ERROR_UNIMPLEMENTED = 12,
    ERROR_INTERNAL = 13,
    ERROR_UNAVAILABLE = 14,
    ERROR_DATA_LOSS = 15,
    ERROR_UNAUTHENTICATED = 16,
} ErrorCode;

/* One bad field of a request: its path as in the proto ("lines[2].quantity") and what is wrong with
 * it. */
typedef struct FieldViolation {
    const char *field;
    const char *description;
} FieldViolation;

/* A value that changes from case to case, kept out of the reason
 * (google.rpc.ErrorInfo.metadata). */
typedef struct ErrorFact {
    const char *key;
    const char *value;
} ErrorFact;

typedef struct Error {
    ErrorCode code;
    const char *reason;     /* UPPER_SNAKE_CASE, at most 63 characters, stable for ever */
    const char *message;    /* one sentence that a person can act on */
    int32_t retry_after_ms; /* > 0: google.rpc.RetryInfo */
    size_t n_violations;
    const FieldViolation *violations; /* google.rpc.BadRequest */
    size_t n_facts;
    const ErrorFact *facts;
    bool
        is_public; /* the message is for the caller even where its code says that the fault is ours */
} Error;

/* An error with values in its text. Lives as long as the arena. */
const Error *error_new(Arena *arena, ErrorCode code, const char *reason, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same error with texts of its own, for when the arena of the first goes. NULL for NULL. */
const Error *error_copy(Arena *arena, const Error *error);

/* The same error with one more fact; the input is not changed. */
const Error *error_with_fact(Arena *arena, const Error *error, const char *key, const char *value);

/* The same error with a hint when to try again. */
const Error *error_with_retry(Arena *arena, const Error *error, int32_t retry_after_ms);

/* "OK" for NULL: what tests and metrics compare. */
const char *error_reason(const Error *error);

/* "OK", "INVALID_ARGUMENT", …; "UNKNOWN" for a number outside the list. */
const char *error_code_name(int code);

#endif
