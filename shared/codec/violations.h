/* The bad fields of one input, collected until all are known. For shared/codec itself. */
#ifndef THROUGHLINE_CODEC_VIOLATIONS_H
#define THROUGHLINE_CODEC_VIOLATIONS_H

#include "shared/base/error.h"

/* A step of a field's path, linked upwards: it costs nothing until a violation needs the text. */
typedef struct Path {
    const struct Path *parent; /* NULL: a field of the input itself */
    const char *name;
    bool is_item; /* name[index] */
    size_t index;
    const char *key; /* name["key"]; NULL: none */
} Path;

enum { VIOLATIONS_MAX = 100 }; /* further ones are not named */

typedef struct Violations {
    Arena *arena;
    size_t count;
    FieldViolation *items;
} Violations;

/* `path` NULL stands for the input itself. */
void violations_add(Violations *violations, const Path *path, const char *description);

/* INVALID_ARGUMENT with all violations; NULL when there are none. */
const Error *violations_error(const Violations *violations, const char *reason);

#endif
