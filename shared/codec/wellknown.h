/* The well-known types that have a JSON form of their own. For shared/codec itself. */
#ifndef THROUGHLINE_CODEC_WELLKNOWN_H
#define THROUGHLINE_CODEC_WELLKNOWN_H

#include "shared/base/arena.h"

#include <protobuf-c/protobuf-c.h>

typedef enum WellKnown {
    WELLKNOWN_NONE,    /* an object of its fields; Empty too */
    WELLKNOWN_TEXT,    /* Timestamp, Duration, FieldMask */
    WELLKNOWN_WRAPPER, /* its only field stands for it */
    WELLKNOWN_ANY,
} WellKnown;

WellKnown wellknown_kind(const ProtobufCMessageDescriptor *type);

/* The text of a WELLKNOWN_TEXT message; NULL when its values have none (a time past the year 9999, a mask with a path that
 * camel case would change): it is then written as a plain message. */
char *wellknown_text(Arena *arena, const ProtobufCMessage *message);

/* Fills it from its text: NULL, or what is wrong with the text. */
const char *wellknown_parse(Arena *arena, ProtobufCMessage *message, const char *text);

#endif
