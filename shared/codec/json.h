/* Messages as JSON, by descriptor, as the protobuf JSON mapping says (protobuf.dev/programming-guides/json): camelCase names,
 * 64-bit integers as texts, enums as names, bytes in base64, Timestamp, Duration, FieldMask, wrappers, Any in their own
 * forms; NaN and infinities as texts. A value that its own form cannot show (a time past the year 9999, an Any of an
 * unknown type) is written as a plain message, and read back so. Unknown fields are left out. */
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

/* The text, in the arena; the message's texts are valid UTF-8, as scan.h makes sure. */
char *json_from_message(Arena *arena, const void *message, JsonStyle style);

/* Camel case and proto names are taken, unknown names are violations, null is the default, messages nest at most as deep as
 * scan.h says. Errors: INVALID_ARGUMENT JSON_MALFORMED (with line and column), JSON_INVALID with the bad fields (at most
 * 100) named. *message is a new message in the arena. */
const Error *json_to_message(
    Arena *arena, const ProtobufCMessageDescriptor *descriptor, Bytes text, void **message);

#endif
