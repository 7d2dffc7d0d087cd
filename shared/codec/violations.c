/* Paths as in the proto: lines[2].note, metadata["source"]. */
#include "shared/codec/violations.h"

static const char *path_text(Arena *arena, const Path *path)
{
    const char *before = "";
    const char *dot = "";

    if (!path)
        return "";
    if (path->parent) {
        before = path_text(arena, path->parent);
        dot = ".";
    }
    if (path->key)
        return arena_printf(arena, "%s%s%s[\"%s\"]", before, dot, path->name, path->key);
    if (path->is_item)
        return arena_printf(arena, "%s%s%s[%zu]", before, dot, path->name, path->index);
    return arena_printf(arena, "%s%s%s", before, dot, path->name);
}

void violations_add(Violations *violations, const Path *path, const char *description)
{
    FieldViolation *violation;

    if (violations->count == VIOLATIONS_MAX)
        return;
    if (!violations->items)
        violations->items = arena_array(violations->arena, VIOLATIONS_MAX, sizeof(*violation));
    violation = &violations->items[violations->count++];
    violation->field = path_text(violations->arena, path);
    violation->description = description;
}

const Error *violations_error(const Violations *violations, const char *reason)
{
    const FieldViolation *first = violations->items;
    const Error *named;
    Error *error;

    if (violations->count == 0)
        return NULL;
    if (violations->count == 1)
        named = error_new(violations->arena, ERROR_INVALID_ARGUMENT, reason, "%s%s%s.",
            first->field, *first->field ? ": " : "The input ", first->description);
    else
        named = error_new(violations->arena, ERROR_INVALID_ARGUMENT, reason,
            "%zu fields are invalid, the first is %s: %s.", violations->count, first->field,
            first->description);
    error = arena_copy(violations->arena, named, sizeof(*named));
    error->n_violations = violations->count;
    error->violations = violations->items;
    return error;
}
