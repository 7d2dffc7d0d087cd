/* What a command reads: a file, or whatever is written to it. */
#ifndef THROUGHLINE_SERVICES_THROUGHLINE_INPUT_H
#define THROUGHLINE_SERVICES_THROUGHLINE_INPUT_H

#include "shared/base/arena.h"
#include "shared/base/error.h"

/* A path that can be read more than once, good until the process ends: `path` itself, or a copy of what comes out of a pipe or, for
 * "-", of standard input. Errors: NOT_FOUND FILE_NOT_FOUND, INVALID_ARGUMENT FILE_UNREADABLE, UNAVAILABLE FILE_UNWRITABLE. */
const Error *input_path(Arena *arena, const char *path, const char **readable);

/* All of standard input as a text. */
const char *input_text(Arena *arena);

#endif
