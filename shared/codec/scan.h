/* The look at hostile bytes before they are unpacked: protobuf-c itself has no depth limit and takes texts that are
 * not UTF-8 or contain NUL. One pass over the wire with the descriptor, no memory but the violations. */
#ifndef THROUGHLINE_CODEC_SCAN_H
#define THROUGHLINE_CODEC_SCAN_H

#include "shared/base/arena.h"
#include "shared/base/error.h"
#include "shared/base/text.h"

#include <protobuf-c/protobuf-c.h>

enum {
    SCAN_MAX_DEPTH = 64, /* messages inside messages */
    SCAN_MAX_ITEMS =
        20000, /* items of all repeated fields together, and scalars that are given again */
    SCAN_MAX_UNKNOWN = 1000, /* unknown fields together */
    SCAN_MAX_FIELDS = 256,   /* of one message type in proto/ */
};

/* NULL when the bytes can be unpacked safely; else INVALID_ARGUMENT: MESSAGE_MALFORMED (not wire format, wrong wire type, a
 * sub-message given twice: no encoder does that, and protobuf-c's merge reads out of bounds), MESSAGE_TOO_DEEP,
 * MESSAGE_TOO_MANY_ITEMS, or FIELD_INVALID with the bad fields (at most 100) named by their paths ("lines[2].note"):
 * text that is not UTF-8, text with NUL, a required field that is missing. */
const Error *scan_message(Arena *arena, const ProtobufCMessageDescriptor *descriptor, Bytes bytes);

/* The same for a message that is already `depth` messages deep: what an Any holds. */
const Error *scan_nested(
    Arena *arena, const ProtobufCMessageDescriptor *descriptor, Bytes bytes, int depth);

#endif
