/* Errors are values in an arena or constants; nothing here keeps state. */
#include "shared/base/error.h"

#include "shared/base/text.h"

const Error *error_new(Arena *arena, ErrorCode code, const char *reason, const char *format, ...)
{
    Error *error = arena_alloc(arena, sizeof(*error));
    va_list args;

    error->code = code;
    error->reason = reason;
    va_start(args, format);
    error->message = arena_vprintf(arena, format, args);
    va_end(args);
    return error;
}

const Error *error_copy(Arena *arena, const Error *error)
{
    Error *copy;
    FieldViolation *violations;
    ErrorFact *facts;

    if (!error)
        return NULL;
    copy = arena_copy(arena, error, sizeof(*error));
    violations = arena_array(arena, error->n_violations, sizeof(*violations));
    facts = arena_array(arena, error->n_facts, sizeof(*facts));
    for (size_t i = 0; i < error->n_violations; i++)
        violations[i] = (FieldViolation){ arena_text(arena, error->violations[i].field),
            arena_text(arena, error->violations[i].description) };
    for (size_t i = 0; i < error->n_facts; i++)
        facts[i] = (ErrorFact){ arena_text(arena, error->facts[i].key),
            arena_text(arena, error->facts[i].value) };
    copy->reason = arena_text(arena, error->reason);
    copy->message = arena_text(arena, error->message);
    copy->violations = violations;
    copy->facts = facts;
    return copy;
}

const Error *error_with_fact(Arena *arena, const Error *error, const char *key, const char *value)
{
    Error *copy = arena_copy(arena, error, sizeof(*error));
    ErrorFact *facts =
        arena_grow(arena, error->facts, error->n_facts, error->n_facts + 1, sizeof(*facts));

    facts[error->n_facts].key = arena_text(arena, key);
    facts[error->n_facts].value = arena_text(arena, value);
    copy->facts = facts;
    copy->n_facts++;
    return copy;
}

const Error *error_with_retry(Arena *arena, const Error *error, int32_t retry_after_ms)
{
    Error *copy = arena_copy(arena, error, sizeof(*error));

    copy->retry_after_ms = retry_after_ms;
    return copy;
}

const char *error_reason(const Error *error)
{
    return error ? error->reason : "OK";
}

const char *error_code_name(int code)
{
    static const char *const names[] = { "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
        "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED" };

    return code >= 0 && code < (int)COUNT(names) ? names[code] : "UNKNOWN";
}
