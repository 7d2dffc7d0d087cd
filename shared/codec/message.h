/* protobuf-c messages in arenas: unpack, pack, copy, and finding a message type by its name. */
#ifndef THROUGHLINE_CODEC_MESSAGE_H
#define THROUGHLINE_CODEC_MESSAGE_H

#include "shared/base/arena.h"
#include "shared/base/error.h"
#include "shared/base/text.h"

#include <protobuf-c/protobuf-c.h>

/* Sets every field to its default; `message` has descriptor->sizeof_message bytes. */
void message_init(const ProtobufCMessageDescriptor *descriptor, void *message);

/* A new, initialised message in the arena. */
void *message_new(Arena *arena, const ProtobufCMessageDescriptor *descriptor);

/* Unpacks bytes that scan_message() (scan.h) has accepted, or that we wrote ourselves. NULL when they are not such a
 * message. Everything lives in the arena. */
void *message_unpack(Arena *arena, const ProtobufCMessageDescriptor *descriptor, Bytes bytes);

/* A text, bytes or message field of a packed message, as its bytes there, without unpacking the rest. False when it is absent or the
 * bytes are malformed. */
bool message_peek(
    const ProtobufCMessageDescriptor *descriptor, Bytes packed, const char *field, Bytes *value);

/* The wire form, in the arena. */
Bytes message_pack(Arena *arena, const void *message);

/* The same where a message inside it, `part`, is packed already; NULL: none. */
Bytes message_pack_around(Arena *arena, const void *message, const void *part, Bytes packed_part);

/* The wire form at the end of a room of `size` bytes, at least 32. False when it does not fit in with a few bytes to spare: nothing of
 * use is in the room then. */
bool message_pack_into(const void *message, uint8_t *room, size_t size, Bytes *packed);

/* A deep copy. */
void *message_copy(Arena *arena, const void *message);

/* Deep equality by wire form. */
bool message_equal(const void *a, const void *b);

/* The type called "throughline.cart.v1.Cart", NULL when none in proto/ is called so. */
const ProtobufCMessageDescriptor *message_find(const char *full_name);

/* The type that an Any's type URL names: "type.googleapis.com/throughline.cart.v1.Cart". NULL when there is none. */
const ProtobufCMessageDescriptor *message_find_url(const char *type_url);

/* A google.protobuf.Any's inside: the message if its type is in proto/ and its bytes are good, else NULL. */
void *message_from_any(Arena *arena, const char *type_url, Bytes value);

/* The named field's address inside a message: NULL when it has no such field. */
void *message_field(const void *message, const char *name);

#endif
