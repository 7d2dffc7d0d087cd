/* Where a page ended, as the opaque text that the next query brings back. */
#ifndef THROUGHLINE_STORE_RESUME_H
#define THROUGHLINE_STORE_RESUME_H

#include "shared/store/engine.h"

char *resume_write(Arena *arena, const EngineRange *range, const EngineDocument *last);

/* Sets where the range goes on; NULL and "" start it. Errors: INVALID_ARGUMENT PAGE_TOKEN_INVALID when the text was not made by a
 * query on this index in this direction, or lies outside the range. */
const Error *resume_read(Arena *arena, const char *resume, EngineRange *range);

#endif
