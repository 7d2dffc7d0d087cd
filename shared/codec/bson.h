/* Messages as BSON, by descriptor: fields under their proto names, nested messages as documents, repeated fields and maps as
 * arrays (a map is an array of { key, value }), enums as names (as int32 when the number has no name), uint64 as the
 * int64 of the same bits, bytes as binary. Fields that have their default value are left out; unknown fields are kept
 * under "_unknown" in wire form. */
#ifndef THROUGHLINE_CODEC_BSON_H
#define THROUGHLINE_CODEC_BSON_H

#include "shared/base/arena.h"
#include "shared/base/error.h"

#include <bson/bson.h>
#include <protobuf-c/protobuf-c.h>

/* Appends the message's fields to an initialised document. */
void bson_append_message(bson_t *document, const ProtobufCMessage *message);

/* Fills an initialised message; fields of the document that are not in the message are passed over (a store's own
 * fields live beside). Errors: DATA_LOSS RECORD_MALFORMED when a value has the wrong type or nests too deep. */
const Error *bson_read_message(Arena *arena, const bson_t *document, ProtobufCMessage *message);

#endif
