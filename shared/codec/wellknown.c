/* Texts of Timestamp (RFC 3339), Duration ("1.5s") and FieldMask ("name,homeAddress.city"). */
#include "shared/codec/wellknown.h"

#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/field_mask.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "shared/base/clock.h"
#include "shared/base/text.h"
#include "shared/codec/types.h"

#include <stdlib.h>
#include <string.h>

typedef Google__Protobuf__Timestamp Timestamp;
typedef Google__Protobuf__Duration Duration;
typedef Google__Protobuf__FieldMask FieldMask;

enum { MICROS_PER_SECOND = 1000000, NANOS_PER_SECOND = 1000000000, FRACTION_DIGITS = 9 };

static const int64_t longest_duration = 315576000000; /* seconds, about 10,000 years */

WellKnown wellknown_kind(const ProtobufCMessageDescriptor *type)
{
    static const ProtobufCMessageDescriptor *const texts[] = {
        &google__protobuf__timestamp__descriptor, &google__protobuf__duration__descriptor,
        &google__protobuf__field_mask__descriptor
    };
    static const ProtobufCMessageDescriptor *const wrappers[] = {
        &google__protobuf__double_value__descriptor, &google__protobuf__float_value__descriptor,
        &google__protobuf__int64_value__descriptor, &google__protobuf__uint64_value__descriptor,
        &google__protobuf__int32_value__descriptor, &google__protobuf__uint32_value__descriptor,
        &google__protobuf__bool_value__descriptor, &google__protobuf__string_value__descriptor,
        &google__protobuf__bytes_value__descriptor
    };

    for (size_t i = 0; i < COUNT(texts); i++)
        if (type == texts[i])
            return WELLKNOWN_TEXT;
    for (size_t i = 0; i < COUNT(wrappers); i++)
        if (type == wrappers[i])
            return WELLKNOWN_WRAPPER;
    return type == &google__protobuf__any__descriptor ? WELLKNOWN_ANY : WELLKNOWN_NONE;
}

/* ".5" as ".500": nothing, 3, 6 or 9 digits, as few as needed. */
static char *fraction_text(Arena *arena, int32_t nanos)
{
    if (nanos == 0)
        return arena_text(arena, "");
    if (nanos % 1000000 == 0)
        return arena_printf(arena, ".%03d", nanos / 1000000);
    if (nanos % 1000 == 0)
        return arena_printf(arena, ".%06d", nanos / 1000);
    return arena_printf(arena, ".%09d", nanos);
}

/* One to nine digits behind a point; `end` is where they end. */
static bool parse_fraction(const char *digits, const char **end, int32_t *nanos)
{
    size_t count = strspn(digits, "0123456789");

    *end = digits + count;
    *nanos = 0;
    for (size_t i = 0; i < FRACTION_DIGITS; i++)
        *nanos = *nanos * 10 + (i < count ? digits[i] - '0' : 0);
    return count >= 1 && count <= FRACTION_DIGITS;
}

static char *timestamp_text(Arena *arena, const Timestamp *time)
{
    char *text;

    if (!timestamp_is_valid(time))
        return NULL;
    text = clock_format(arena, time->seconds * MICROS_PER_SECOND);
    text[strlen(text) - 1] = '\0'; /* the Z goes behind the fraction */
    return arena_printf(arena, "%s%sZ", text, fraction_text(arena, time->nanos));
}

static const char *timestamp_parse(Timestamp *time, const char *text)
{
    static const char wrong[] = "must be a time like 2026-11-22T06:46:43.120Z, years 1 to 9999";
    const char *point = strchr(text, '.');
    const char *end;
    int64_t micros;

    if (!clock_parse(text, &micros) || (point && !parse_fraction(point + 1, &end, &time->nanos)))
        return wrong;
    time->seconds = micros / MICROS_PER_SECOND - (micros % MICROS_PER_SECOND < 0);
    return timestamp_is_valid(time) ? NULL : wrong;
}

static char *duration_text(Arena *arena, const Duration *duration)
{
    int64_t seconds = duration->seconds;
    int32_t nanos = duration->nanos;
    bool is_negative = seconds < 0 || nanos < 0;

    if (seconds < -longest_duration || seconds > longest_duration || nanos <= -NANOS_PER_SECOND ||
        nanos >= NANOS_PER_SECOND || (is_negative && (seconds > 0 || nanos > 0)))
        return NULL;
    return arena_printf(arena, "%s%lld%ss", is_negative ? "-" : "", llabs((long long)seconds),
        fraction_text(arena, abs(nanos)));
}

static const char *duration_parse(Arena *arena, Duration *duration, const char *text)
{
    static const char wrong[] = "must be seconds like 1.5s, at most 315576000000";
    bool is_negative = *text == '-';
    const char *digits = text + is_negative;
    const char *end = digits + strspn(digits, "0123456789");
    int64_t seconds;
    int32_t nanos = 0;

    if (!text_to_int64(arena_text_of(arena, digits, (size_t)(end - digits)), &seconds) ||
        (*end == '.' && !parse_fraction(end + 1, &end, &nanos)) || !text_equal(end, "s") ||
        seconds > longest_duration)
        return wrong;
    duration->seconds = is_negative ? -seconds : seconds;
    duration->nanos = is_negative ? -nanos : nanos;
    return NULL;
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* Writes "home_address.city" as "homeAddress.city" and returns its end; NULL when the way back would not end at the path. */
static char *path_to_camel(const char *path, char *camel)
{
    if (!*path)
        return NULL;
    for (; *path; path++) {
        if (is_upper(*path) || *path == ',')
            return NULL;
        if (*path != '_') {
            *camel++ = *path;
            continue;
        }
        if (!is_lower(*++path))
            return NULL;
        *camel++ = (char)(*path - 'a' + 'A');
    }
    return camel;
}

static char *mask_text(Arena *arena, const FieldMask *mask)
{
    size_t size = 1;
    char *text;
    char *end;

    for (size_t i = 0; i < mask->n_paths; i++)
        size += strlen(mask->paths[i]) + 1;
    end = text = arena_alloc(arena, size);
    for (size_t i = 0; i < mask->n_paths; i++) {
        if (i)
            *end++ = ',';
        end = path_to_camel(mask->paths[i], end);
        if (!end)
            return NULL;
    }
    return text;
}

static const char *mask_parse(Arena *arena, FieldMask *mask, const char *text)
{
    size_t count = 0;
    char *path;

    if (!*text)
        return NULL;
    for (const char *c = text; *c; c++)
        count += *c == ',';
    mask->paths = arena_array(arena, count + 1, sizeof(char *));
    path = mask->paths[mask->n_paths++] = arena_alloc(arena, 2 * strlen(text) + 1);
    for (; *text; text++) {
        if (*text == '_')
            return "must be paths in camel case, separated by commas";
        if (*text == ',') {
            path++; /* the NUL between two paths is there already */
            mask->paths[mask->n_paths++] = path;
        } else if (is_upper(*text)) {
            *path++ = '_';
            *path++ = (char)(*text - 'A' + 'a');
        } else {
            *path++ = *text;
        }
    }
    return NULL;
}

char *wellknown_text(Arena *arena, const ProtobufCMessage *message)
{
    if (message->descriptor == &google__protobuf__timestamp__descriptor)
        return timestamp_text(arena, (const Timestamp *)message);
    if (message->descriptor == &google__protobuf__duration__descriptor)
        return duration_text(arena, (const Duration *)message);
    return mask_text(arena, (const FieldMask *)message);
}

const char *wellknown_parse(Arena *arena, ProtobufCMessage *message, const char *text)
{
    if (message->descriptor == &google__protobuf__timestamp__descriptor)
        return timestamp_parse((Timestamp *)message, text);
    if (message->descriptor == &google__protobuf__duration__descriptor)
        return duration_parse(arena, (Duration *)message, text);
    return mask_parse(arena, (FieldMask *)message, text);
}
