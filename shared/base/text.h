/* Small helpers on texts and bytes: UTF-8, comparison, hex, base64url, hashes of a table. */
#ifndef THROUGHLINE_BASE_TEXT_H
#define THROUGHLINE_BASE_TEXT_H

#include "shared/base/arena.h"

#include <stdbool.h>
#include <stdint.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A run of bytes that belongs to somebody else. */
typedef struct Bytes {
    const uint8_t *data;
    size_t size;
} Bytes;

bool text_equal(const char *a, const char *b);
bool text_is_empty(const char *text); /* NULL or "" */
bool text_starts_with(const char *text, const char *prefix);
bool text_ends_with(const char *text, const char *suffix);

/* Whether the bytes are valid UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF)
 * without NUL. */
bool text_is_utf8(const uint8_t *bytes, size_t size);

/* Size (1-4) of the character at `bytes`, of which there is at least one; 0 for NUL or when it is
 * not valid. */
size_t text_utf8_step(const uint8_t *bytes, size_t left);

/* Number of code points in a valid UTF-8 text. */
size_t text_length(const char *text);

/* ASCII lower case copy; other bytes stay. */
char *text_lower(Arena *arena, const char *text);

/* Copy without white space at both ends. */
char *text_trim(Arena *arena, const char *text);

/* Whether `name` has the shape of `pattern`: "carts/<star>" needs "carts/" and then 1-63 characters
 * of [a-z0-9_.~-]; several segments are allowed ("carts/<star>/lines/<star>"), <star> standing for
 * "*". */
bool text_matches_name(const char *name, const char *pattern);

char *text_hex(Arena *arena, const uint8_t *bytes, size_t size);
char *text_base64url(Arena *arena, const uint8_t *bytes, size_t size);
/* False when the text is not base64url or base64 (padding optional). */
bool text_from_base64(Arena *arena, const char *text, Bytes *bytes);

/* FNV-1a, for hash tables and partitions; stable for ever, not for secrets. */
uint64_t text_hash(const void *bytes, size_t size);

/* Whole-text numbers; false on anything else, overflow included. */
bool text_to_int64(const char *text, int64_t *value);
bool text_to_double(const char *text, double *value);

#endif
