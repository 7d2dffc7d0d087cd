/* Messages as JSON, by descriptor, as the protobuf JSON mapping says (protobuf.dev/programming-guides/json): camelCase names,
 * 64-bit integers as texts, enums as names, bytes in base64, Timestamp, Duration, FieldMask, wrappers, Any in their own
 * forms; NaN and infinities as texts. Texts come and go through libjansson. */
#ifndef THROUGHLINE_CODEC_JSON_H
#define THROUGHLINE_CODEC_JSON_H

#include "shared/base/arena.h"
#include "shared/base/error.h"
#include "shared/base/text.h"

#include <protobuf-c/protobuf-c.h>

typedef enum JsonStyle {
    JSON_COMPACT,
    JSON_PRETTY,        /* two spaces */
    JSON_WITH_DEFAULTS, /* compact, and fields with default values are printed too */
} JsonStyle;

char *json_from_message(Arena *arena, const void *message, JsonStyle style);

/* Camel case and proto names are taken, unknown names are violations. Errors: INVALID_ARGUMENT JSON_MALFORMED (with line and
 * column), JSON_INVALID with every bad field named. *message is a new message in the arena. */
const Error *json_to_message(
    Arena *arena, const ProtobufCMessageDescriptor *descriptor, Bytes text, void **message);

#endif
