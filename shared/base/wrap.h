/* Texts in the width of a terminal. */
#ifndef THROUGHLINE_BASE_WRAP_H
#define THROUGHLINE_BASE_WRAP_H

#include "shared/base/arena.h"

/* Copy in lines of at most `width` characters, broken at spaces; those after the first begin with `indent` spaces, and the first stands
 * behind as many characters already. A word that is longer than a line stays whole. */
char *wrap_text(Arena *arena, const char *text, int indent, int width);

#endif
