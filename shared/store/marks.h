/* The positions of the sources whose events a document has seen, as one run of bytes. */
#ifndef THROUGHLINE_STORE_MARKS_H
#define THROUGHLINE_STORE_MARKS_H

#include "shared/base/text.h"

/* INT64_MIN when the source was not seen. */
int64_t marks_find(Bytes marks, const char *source);

/* The marks with this one in. A source has at most 255 bytes. */
Bytes marks_set(Arena *arena, Bytes marks, const char *source, int64_t position);

#endif
