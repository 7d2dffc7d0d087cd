/* Clocks of the kernel, and times as text. */
#include "shared/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MICROS_PER_SECOND = 1000000, SECONDS_PER_MINUTE = 60, SECONDS_PER_HOUR = 3600 };

static const int64_t first_second = -62135596800; /* 0001-01-01T00:00:00Z */
static const int64_t last_second = 253402300799;  /* 9999-12-31T23:59:59Z */

static int64_t micros_of(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * MICROS_PER_SECOND + now.tv_nsec / 1000;
}

int64_t clock_now(void)
{
    return micros_of(CLOCK_REALTIME);
}

int64_t clock_monotonic(void)
{
    return micros_of(CLOCK_MONOTONIC);
}

void clock_sleep_ms(int64_t milliseconds)
{
    struct timespec left = { milliseconds / 1000, milliseconds % 1000 * 1000000 };

    while (milliseconds > 0 && nanosleep(&left, &left) && errno == EINTR)
        continue;
}

char *clock_print(int64_t micros, char out[CLOCK_TEXT_SIZE])
{
    int64_t fraction = micros % MICROS_PER_SECOND;
    int64_t second = micros / MICROS_PER_SECOND;
    struct tm tm;
    size_t length;

    if (fraction < 0) {
        fraction += MICROS_PER_SECOND;
        second--;
    }
    if (second < first_second || second > last_second) {
        fraction = 0;
        second = second < first_second ? first_second : last_second;
    }
    gmtime_r(&(time_t){ second }, &tm);
    length = (size_t)snprintf(out, CLOCK_TEXT_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u",
        (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
        (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
        (unsigned)tm.tm_sec % 100);
    if (fraction == 0)
        snprintf(out + length, CLOCK_TEXT_SIZE - length, "Z");
    else if (fraction % 1000 == 0)
        snprintf(out + length, CLOCK_TEXT_SIZE - length, ".%03dZ", (int)(fraction / 1000));
    else
        snprintf(out + length, CLOCK_TEXT_SIZE - length, ".%06dZ", (int)fraction);
    return out;
}

char *clock_format(Arena *arena, int64_t micros)
{
    char text[CLOCK_TEXT_SIZE];

    return arena_text(arena, clock_print(micros, text));
}

/* Reads exactly `digits` digits that make a number in low..high, and moves on. */
static bool take_number(const char **text, int digits, int low, int high, int *number)
{
    int value = 0;

    for (int i = 0; i < digits; i++) {
        char c = (*text)[i];

        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *text += digits;
    *number = value;
    return value >= low && value <= high;
}

static bool take_character(const char **text, char upper, char lower)
{
    if (**text != upper && **text != lower)
        return false;
    (*text)++;
    return true;
}

static bool take_fraction(const char **text, int64_t *micros)
{
    int digits = 0;

    *micros = 0;
    if (**text != '.')
        return true;
    for ((*text)++; **text >= '0' && **text <= '9'; (*text)++, digits++)
        if (digits < 6)
            *micros = *micros * 10 + (**text - '0');
    for (int i = digits; i < 6; i++)
        *micros *= 10;
    return digits > 0;
}

static bool take_offset(const char **text, int64_t *seconds)
{
    bool is_behind = **text == '-';
    int hours;
    int minutes;

    *seconds = 0;
    if (take_character(text, 'Z', 'z'))
        return true;
    if (!take_character(text, '+', '-') || !take_number(text, 2, 0, 23, &hours) ||
        !take_character(text, ':', ':') || !take_number(text, 2, 0, 59, &minutes))
        return false;
    *seconds = (int64_t)hours * SECONDS_PER_HOUR + minutes * SECONDS_PER_MINUTE;
    if (is_behind)
        *seconds = -*seconds;
    return true;
}

bool clock_parse(const char *text, int64_t *micros)
{
    struct tm tm = { 0 };
    int64_t fraction;
    int64_t offset;
    int64_t second;
    int day;

    if (!text || !take_number(&text, 4, 1, 9999, &tm.tm_year) || !take_character(&text, '-', '-') ||
        !take_number(&text, 2, 1, 12, &tm.tm_mon) || !take_character(&text, '-', '-') ||
        !take_number(&text, 2, 1, 31, &day) || !take_character(&text, 'T', 't') ||
        !take_number(&text, 2, 0, 23, &tm.tm_hour) || !take_character(&text, ':', ':') ||
        !take_number(&text, 2, 0, 59, &tm.tm_min) || !take_character(&text, ':', ':') ||
        !take_number(&text, 2, 0, 59, &tm.tm_sec) || !take_fraction(&text, &fraction) ||
        !take_offset(&text, &offset) || *text)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    tm.tm_mday = day;
    second = timegm(&tm) - offset;
    /* timegm turns the 30th of February into a day in March. */
    if (tm.tm_mday != day || second < first_second || second > last_second)
        return false;
    *micros = second * MICROS_PER_SECOND + fraction;
    return true;
}
