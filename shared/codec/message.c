/* Packing and, but for unusual messages, unpacking of our own; else protobuf-c with an arena for an allocator. */
#include "shared/codec/message.h"

#include "proto/descriptor_set.h"
#include "shared/codec/field.h"
#include "shared/codec/pack.h"
#include "shared/codec/scan.h"
#include "shared/codec/unpack.h"

#include <assert.h>
#include <string.h>

void message_init(const ProtobufCMessageDescriptor *descriptor, void *message)
{
    protobuf_c_message_init(descriptor, message);
}

void *message_new(Arena *arena, const ProtobufCMessageDescriptor *descriptor)
{
    void *message = arena_room(arena, descriptor->sizeof_message);

    message_init(descriptor, message);
    return message;
}

static void *allocate(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void keep(void *arena, void *memory)
{
    (void)arena, (void)memory;
}

void *message_unpack(Arena *arena, const ProtobufCMessageDescriptor *descriptor, Bytes bytes)
{
    ProtobufCAllocator allocator = { allocate, keep, arena };
    void *message = unpack_usual(arena, descriptor, bytes);

    if (message)
        return message;
    return protobuf_c_message_unpack(descriptor, &allocator, bytes.size, bytes.data);
}

/* The next varint of the bytes, which begin behind it then; false when it does not end in them. */
static bool take_varint(Bytes *bytes, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; bytes->size > 0 && shift < 64; shift += 7) {
        uint8_t byte = *bytes->data++;

        bytes->size--;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

/* The next field's value of the bytes, which begin behind it then; a number is no bytes. */
static bool take_field(Bytes *bytes, uint64_t *tag, Bytes *value)
{
    uint64_t size = 0;

    if (!take_varint(bytes, tag))
        return false;
    switch (*tag & 7) {
    case PROTOBUF_C_WIRE_TYPE_VARINT:
        *value = (Bytes){ 0 };
        return take_varint(bytes, &size);
    case PROTOBUF_C_WIRE_TYPE_64BIT:
        size = 8;
        break;
    case PROTOBUF_C_WIRE_TYPE_32BIT:
        size = 4;
        break;
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
        if (!take_varint(bytes, &size))
            return false;
        break;
    default:
        return false;
    }
    if (size > bytes->size)
        return false;
    *value = (Bytes){ bytes->data, (size_t)size };
    bytes->data += size;
    bytes->size -= (size_t)size;
    return true;
}

bool message_peek(
    const ProtobufCMessageDescriptor *descriptor, Bytes packed, const char *field, Bytes *value)
{
    const Field *known = protobuf_c_message_descriptor_get_field_by_name(descriptor, field);
    uint64_t wanted, tag;
    Bytes found;

    assert(known && "a field of the message");
    wanted = (uint64_t)known->id << 3 | PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    while (take_field(&packed, &tag, &found))
        if (tag == wanted) {
            *value = found;
            return true;
        }
    return false;
}

Bytes message_pack(Arena *arena, const void *message)
{
    return pack_backwards(arena, message);
}

Bytes message_pack_around(Arena *arena, const void *message, const void *part, Bytes packed_part)
{
    return pack_around(arena, message, part, packed_part);
}

bool message_pack_into(const void *message, uint8_t *room, size_t size, Bytes *packed)
{
    return pack_into(message, room, size, packed);
}

void *message_copy(Arena *arena, const void *message)
{
    const ProtobufCMessage *base = message;
    void *copy = message_unpack(arena, base->descriptor, message_pack(arena, message));

    assert(copy);
    return copy;
}

bool message_equal(const void *a, const void *b)
{
    const ProtobufCMessage *first = a, *second = b;
    Arena *arena;
    Bytes left, right;
    bool is_equal;

    if (first->descriptor != second->descriptor)
        return false;
    arena = arena_new();
    left = message_pack(arena, a);
    right = message_pack(arena, b);
    is_equal = left.size == right.size && !memcmp(left.data, right.data, left.size);
    arena_free(arena);
    return is_equal;
}

const ProtobufCMessageDescriptor *message_find(const char *full_name)
{
    for (size_t i = 0; i < throughline_n_messages; i++)
        if (text_equal(throughline_messages[i]->name, full_name))
            return throughline_messages[i];
    return NULL;
}

const ProtobufCMessageDescriptor *message_find_url(const char *type_url)
{
    const char *slash = type_url ? strrchr(type_url, '/') : NULL;

    return slash ? message_find(slash + 1) : NULL;
}

void *message_from_any(Arena *arena, const char *type_url, Bytes value)
{
    const ProtobufCMessageDescriptor *descriptor = message_find_url(type_url);

    if (!descriptor || scan_message(arena, descriptor, value))
        return NULL;
    return message_unpack(arena, descriptor, value);
}

void *message_field(const void *message, const char *name)
{
    const ProtobufCMessage *base = message;
    const Field *field = protobuf_c_message_descriptor_get_field_by_name(base->descriptor, name);

    return field ? (char *)message + field->offset : NULL;
}
