/* The wire form of a message, written from its end to its start: a nested message's length is known when it is due, so nothing is
 * sized beforehand or moved afterwards. The bytes are those of protobuf_c_message_pack. For shared/codec itself. */
#ifndef THROUGHLINE_CODEC_PACK_H
#define THROUGHLINE_CODEC_PACK_H

#include "shared/base/arena.h"
#include "shared/base/text.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

Bytes pack_backwards(Arena *arena, const ProtobufCMessage *message);

/* The same where a message inside it, `part`, is packed already; NULL: none. */
Bytes pack_around(
    Arena *arena, const ProtobufCMessage *message, const ProtobufCMessage *part, Bytes packed_part);

/* At the end of a room; false when it may not fit in. */
bool pack_into(const ProtobufCMessage *message, uint8_t *room, size_t size, Bytes *packed);

#endif
