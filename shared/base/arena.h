/* Memory that is freed all at once: one arena per call, per event, per batch. Out of memory
 * aborts. */
#ifndef THROUGHLINE_BASE_ARENA_H
#define THROUGHLINE_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

typedef struct Arena Arena;

/* A new empty arena. One thread at a time may use it. */
Arena *arena_new(void);

/* Gives back everything that was allocated; the arena is ready for the next use and keeps its first
 * block. */
void arena_reset(Arena *arena);

/* Frees the arena and everything in it. NULL is allowed. */
void arena_free(Arena *arena);

/* Zeroed memory, aligned for any type; never NULL. A size of 0 gives a unique pointer. */
void *arena_alloc(Arena *arena, size_t size);

/* The same, but not zeroed: for what is written whole at once. */
void *arena_room(Arena *arena, size_t size);

/* Zeroed memory for `count` items of `size` bytes; aborts when the product overflows. */
void *arena_array(Arena *arena, size_t count, size_t size);

/* A larger copy of an array made in this arena; the old one stays valid until reset. The tail is
 * zeroed. */
void *arena_grow(Arena *arena, const void *old, size_t old_count, size_t new_count, size_t size);

void *arena_copy(Arena *arena, const void *bytes, size_t size);

/* A copy of a text; NULL gives "". */
char *arena_text(Arena *arena, const char *text);

/* The first `size` bytes as a text with a NUL behind it. */
char *arena_text_of(Arena *arena, const char *bytes, size_t size);

char *arena_printf(Arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(Arena *arena, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Bytes handed out since the last reset. */
size_t arena_used(const Arena *arena);

#endif
