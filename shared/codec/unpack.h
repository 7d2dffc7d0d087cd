/* Reading the wire form of nearly all messages: the fields of proto3 that the descriptor knows, each as its type is written, sub-messages
 * once. For shared/codec itself. */
#ifndef THROUGHLINE_CODEC_UNPACK_H
#define THROUGHLINE_CODEC_UNPACK_H

#include "shared/base/arena.h"
#include "shared/base/text.h"

#include <protobuf-c/protobuf-c.h>

/* The message that protobuf_c_message_unpack makes of these bytes. NULL when there is something unusual in them, which protobuf-c has to
 * look at: unknown fields, sub-messages to be merged, repeated fields in several pieces, fields of proto2, mistakes. */
void *unpack_usual(Arena *arena, const ProtobufCMessageDescriptor *type, Bytes bytes);

#endif
