/* Handles in social networks, in one form wherever they come from: "chirp:@jo". */
#ifndef THROUGHLINE_BASE_HANDLE_H
#define THROUGHLINE_BASE_HANDLE_H

#include "shared/base/arena.h"

enum { HANDLE_MAX = 254, HANDLE_MAX_NETWORK = 32 };

/* "Chirp: Jo", "chirp:@jo" → "chirp:@jo": network, colon, "@", name, in lower case without spaces
 * around. NULL when the text is no handle. */
const char *handle_normal(Arena *arena, const char *text);

/* What identity looks a normal handle up by: "social_handle:chirp:@jo". */
const char *handle_key(Arena *arena, const char *handle);

#endif
