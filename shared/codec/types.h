/* The common Google types as plain numbers: timestamps as microseconds, money as minor units. */
#ifndef THROUGHLINE_CODEC_TYPES_H
#define THROUGHLINE_CODEC_TYPES_H

#include "shared/base/arena.h"

#include "google/protobuf/timestamp.pb-c.h"
#include "google/type/money.pb-c.h"

#include <stdbool.h>
#include <stdint.h>

/* A new message for microseconds since 1970-01-01T00:00:00Z. */
Google__Protobuf__Timestamp *timestamp_from_micros(Arena *arena, int64_t micros);

/* Microseconds since 1970, digits beyond them cut off; 0 when it is absent (NULL). Outside the
 * years 1 to 9999 it is the nearest time inside: compare and store without fear, ask
 * timestamp_is_valid where a caller gave it. */
int64_t timestamp_to_micros(const Google__Protobuf__Timestamp *timestamp);

/* Present, in the years 1 to 9999, 0 <= nanos <= 999,999,999. */
bool timestamp_is_valid(const Google__Protobuf__Timestamp *timestamp);

/* A new message; the currency must be known (money_digits >= 0). */
Google__Type__Money *money_message(Arena *arena, const char *currency, int64_t minor);

/* False when it is absent or money_from_units refuses it. */
bool money_minor(const Google__Type__Money *money, int64_t *minor);

#endif
