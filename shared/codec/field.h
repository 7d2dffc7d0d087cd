/* One field of a message, by its descriptor: is it there, where, how many items, how is it set. For shared/codec itself. */
#ifndef THROUGHLINE_CODEC_FIELD_H
#define THROUGHLINE_CODEC_FIELD_H

#include "shared/base/arena.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

typedef ProtobufCFieldDescriptor Field;
typedef ProtobufCMessageDescriptor MessageType;

/* The field of that number, NULL when the type has none. */
const Field *field_by_id(const MessageType *type, uint64_t id);

/* Bytes of one item in memory. */
size_t field_item_size(ProtobufCType type);

/* How values of the type are written, one by one. */
ProtobufCWireType field_wire_type(ProtobufCType type);

/* Whether the field is in the message's wire form: a repeated field with items, a oneof's chosen member, a field with
 * presence that is set, a field without presence that is not its default. */
bool field_is_present(const void *message, const Field *field);

/* Items of a repeated field; of any other field 1. */
size_t field_count(const void *message, const Field *field);

/* The address of an item: index 0 for fields that are not repeated. */
const void *field_item(const void *message, const Field *field, size_t index);

/* Makes the field present, with `count` zeroed items if it is repeated, and returns where its first item is written. A
 * oneof's other member is gone then. */
void *field_make(Arena *arena, void *message, const Field *field, size_t count);

/* Back to the default. A oneof is touched only if this is its chosen member. */
void field_clear(void *message, const Field *field);

/* Whether the repeated field of `type` is a map: protobuf-c keeps no mark, but the entry's name and fields are fixed. */
bool field_is_map(const MessageType *type, const Field *field);

/* The value of an integer, enum or bool; uint64 as the int64 of the same bits. */
int64_t field_number(ProtobufCType type, const void *item);

/* Writes it; false when it is out of the type's range. uint64 takes the int64 of the same bits. */
bool field_put_number(ProtobufCType type, void *item, int64_t number);

#endif
