/* The wire form of a message, written from its end to its start: a nested message's length is known when it is due, so nothing is
 * sized beforehand or moved afterwards. The bytes are those of protobuf_c_message_pack. For shared/codec itself. */
#ifndef THROUGHLINE_CODEC_PACK_H
#define THROUGHLINE_CODEC_PACK_H

#include "shared/base/arena.h"
#include "shared/base/text.h"

#include <protobuf-c/protobuf-c.h>

Bytes pack_backwards(Arena *arena, const ProtobufCMessage *message);

#endif
