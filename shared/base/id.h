/* Identifiers: opaque, lower case, sortable by time of making. */
#ifndef THROUGHLINE_BASE_ID_H
#define THROUGHLINE_BASE_ID_H

#include "shared/base/arena.h"

#include <stdint.h>

enum { ID_SIZE = 27 }; /* 26 characters and a NUL */

/* 48 bits of milliseconds and 80 random bits in Crockford base 32, lower case (a ULID). Any
 * thread. */
void id_new(char id[ID_SIZE]);

/* The same 26 characters for the same seed text, from SHA-256: what a retried Create uses as its
 * id. */
void id_from(const char *seed, char id[ID_SIZE]);

/* "carts/01h…": a new resource name in the arena. */
char *id_name(Arena *arena, const char *collection);

/* Digits only, uniformly random, for codes that people type; at most 18. */
char *id_digits(Arena *arena, int digits);

/* Bytes from the kernel's random source; aborts when there is none. */
void id_random(void *bytes, size_t size);

/* BLAKE2b with 32 bytes (RFC 7693): tells contents apart, at a third of what SHA-256 costs. */
void id_digest(const void *bytes, size_t size, uint8_t digest[32]);

#endif
