/* The two clocks. Rules never read them: time is an argument. */
#ifndef THROUGHLINE_BASE_CLOCK_H
#define THROUGHLINE_BASE_CLOCK_H

#include "shared/base/arena.h"

#include <stdbool.h>
#include <stdint.h>

/* Microseconds since 1970-01-01T00:00:00Z. */
int64_t clock_now(void);

/* Microseconds from an arbitrary start; never goes back: for deadlines and durations. */
int64_t clock_monotonic(void);

void clock_sleep_ms(int64_t milliseconds);

/* RFC 3339 in UTC: "2026-11-22T06:46:43.120Z" (0, 3 or 6 digits, as few as needed). Times outside
 * the years 1 to 9999 are shown as the nearest one inside. */
char *clock_format(Arena *arena, int64_t micros);

/* The same without an arena; returns out. */
enum { CLOCK_TEXT_SIZE = 32 };
char *clock_print(int64_t micros, char out[CLOCK_TEXT_SIZE]);

/* RFC 3339 with any offset, years 1 to 9999; digits beyond microseconds are cut off. False on
 * anything else. */
bool clock_parse(const char *text, int64_t *micros);

#endif
