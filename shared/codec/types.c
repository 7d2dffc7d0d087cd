/* Timestamps and money between the wire and numbers. */
#include "shared/codec/types.h"

#include "shared/base/money.h"

enum { MICROS_PER_SECOND = 1000000, NANOS_PER_MICRO = 1000, MAX_NANOS = 999999999 };

static const int64_t first_second = -62135596800; /* 0001-01-01T00:00:00Z */
static const int64_t last_second = 253402300799;  /* 9999-12-31T23:59:59Z */

Google__Protobuf__Timestamp *timestamp_from_micros(Arena *arena, int64_t micros)
{
    Google__Protobuf__Timestamp *timestamp = arena_alloc(arena, sizeof(*timestamp));
    int64_t fraction = micros % MICROS_PER_SECOND;

    google__protobuf__timestamp__init(timestamp);
    timestamp->seconds = micros / MICROS_PER_SECOND;
    /* nanos count forward, before 1970 too. */
    if (fraction < 0) {
        fraction += MICROS_PER_SECOND;
        timestamp->seconds--;
    }
    timestamp->nanos = (int32_t)fraction * NANOS_PER_MICRO;
    return timestamp;
}

int64_t timestamp_to_micros(const Google__Protobuf__Timestamp *timestamp)
{
    int64_t nanos;

    if (!timestamp)
        return 0;
    if (timestamp->seconds < first_second)
        return first_second * MICROS_PER_SECOND;
    if (timestamp->seconds > last_second)
        return last_second * MICROS_PER_SECOND + MICROS_PER_SECOND - 1;
    nanos = timestamp->nanos < 0 ? 0 : timestamp->nanos > MAX_NANOS ? MAX_NANOS : timestamp->nanos;
    return timestamp->seconds * MICROS_PER_SECOND + nanos / NANOS_PER_MICRO;
}

bool timestamp_is_valid(const Google__Protobuf__Timestamp *timestamp)
{
    return timestamp && timestamp->seconds >= first_second && timestamp->seconds <= last_second &&
           timestamp->nanos >= 0 && timestamp->nanos <= MAX_NANOS;
}

Google__Type__Money *money_message(Arena *arena, const char *currency, int64_t minor)
{
    Google__Type__Money *money = arena_alloc(arena, sizeof(*money));

    google__type__money__init(money);
    money->currency_code = arena_text(arena, currency);
    money_to_units(currency, minor, &money->units, &money->nanos);
    return money;
}

bool money_minor(const Google__Type__Money *money, int64_t *minor)
{
    return money && money_from_units(money->currency_code, money->units, money->nanos, minor);
}
