#include "shared/codec/unpack.h"

#include "shared/codec/field.h"
#include "shared/codec/message.h"

#include <string.h>

enum { WIRE_BITS = 3, VARINT_BITS = 7, VARINT_MORE = 1 << VARINT_BITS, LAST_SHIFT = 63 };

/* All that is read through it is false when it is unusual. */
typedef struct Reader {
    Arena *arena;
    const uint8_t *at, *end;
} Reader;

static void *read_message(Reader *reader, const MessageType *type);

static bool read_long_varint(Reader *reader, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift <= LAST_SHIFT && reader->at < reader->end;
         shift += VARINT_BITS) {
        uint8_t byte = *reader->at++;

        *value |= (uint64_t)(byte & (VARINT_MORE - 1)) << shift;
        if (byte < VARINT_MORE)
            return shift < LAST_SHIFT || byte <= 1;
    }
    return false;
}

static bool read_varint(Reader *reader, uint64_t *value)
{
    if (reader->at < reader->end && *reader->at < VARINT_MORE) {
        *value = *reader->at++;
        return true;
    }
    return read_long_varint(reader, value);
}

static bool read_raw(Reader *reader, void *item, size_t size)
{
    if ((size_t)(reader->end - reader->at) < size)
        return false;
    memcpy(item, reader->at, size);
    reader->at += size;
    return true;
}

/* What stands behind a length; it is stepped over. */
static bool read_bytes(Reader *reader, Bytes *bytes)
{
    uint64_t size;

    if (!read_varint(reader, &size) || size > (size_t)(reader->end - reader->at))
        return false;
    *bytes = (Bytes){ reader->at, (size_t)size };
    reader->at += size;
    return true;
}

static bool read_text(Reader *reader, char **text)
{
    Bytes bytes;

    if (!read_bytes(reader, &bytes))
        return false;
    *text = arena_text_of(reader->arena, (const char *)bytes.data, bytes.size);
    return true;
}

static bool read_binary(Reader *reader, ProtobufCBinaryData *binary)
{
    Bytes bytes;

    if (!read_bytes(reader, &bytes))
        return false;
    *binary = (ProtobufCBinaryData){ bytes.size, NULL };
    if (bytes.size)
        binary->data = arena_copy(reader->arena, bytes.data, bytes.size);
    return true;
}

static bool read_nested(Reader *reader, const MessageType *type, void **message)
{
    Reader inside = { .arena = reader->arena };
    Bytes bytes;

    if (!read_bytes(reader, &bytes))
        return false;
    inside.at = bytes.data;
    inside.end = bytes.data + bytes.size;
    *message = read_message(&inside, type);
    return *message != NULL;
}

static bool read_number(Reader *reader, ProtobufCType type, void *item)
{
    uint64_t value;

    if (!read_varint(reader, &value))
        return false;
    switch (type) {
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)item = value != 0;
        break;
    case PROTOBUF_C_TYPE_SINT32:
        *(uint32_t *)item = (uint32_t)value >> 1 ^ -((uint32_t)value & 1);
        break;
    case PROTOBUF_C_TYPE_SINT64:
        *(uint64_t *)item = value >> 1 ^ -(value & 1);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        *(uint64_t *)item = value;
        break;
    default:
        *(uint32_t *)item = (uint32_t)value;
    }
    return true;
}

static bool read_item(Reader *reader, const Field *field, void *item)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return read_text(reader, item);
    case PROTOBUF_C_TYPE_BYTES:
        return read_binary(reader, item);
    case PROTOBUF_C_TYPE_MESSAGE:
        return read_nested(reader, field->descriptor, item);
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return read_raw(reader, item, sizeof(uint32_t));
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return read_raw(reader, item, sizeof(uint64_t));
    default:
        return read_number(reader, field->type, item);
    }
}

/* Repeated fields. */

static bool skip(Reader *reader, unsigned wire_type)
{
    uint64_t value;
    Bytes bytes;

    switch (wire_type) {
    case PROTOBUF_C_WIRE_TYPE_VARINT:
        return read_varint(reader, &value);
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
        return read_bytes(reader, &bytes);
    case PROTOBUF_C_WIRE_TYPE_32BIT:
        return read_raw(reader, &value, sizeof(uint32_t));
    default:
        return read_raw(reader, &value, sizeof(uint64_t));
    }
}

/* How many items of the tag stand here one after the other; 0: they are broken. */
static size_t count_run(Reader reader, uint64_t tag, unsigned wire_type)
{
    size_t count = 0;
    uint64_t next;

    do {
        if (!skip(&reader, wire_type))
            return 0;
        count++;
    } while (reader.at < reader.end && read_varint(&reader, &next) && next == tag);
    return count;
}

static size_t count_packed(Bytes bytes, unsigned wire_type)
{
    size_t count = 0;

    if (wire_type == PROTOBUF_C_WIRE_TYPE_32BIT)
        return bytes.size / sizeof(uint32_t);
    if (wire_type == PROTOBUF_C_WIRE_TYPE_64BIT)
        return bytes.size / sizeof(uint64_t);
    for (size_t i = 0; i < bytes.size; i++)
        count += bytes.data[i] < VARINT_MORE;
    return count;
}

/* Others are refused by protobuf-c where they are packed. */
static bool are_short_bools(Bytes bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        if (bytes.data[i] > 1)
            return false;
    return true;
}

/* Makes room for so many items, and returns where they are written. NULL when there are some already: to make more room again and again
 * would let a small message take any amount of memory. */
static char *add_items(
    const Reader *reader, ProtobufCMessage *message, const Field *field, size_t count)
{
    void **items = (void **)((char *)message + field->offset);
    size_t *n_items = (size_t *)((char *)message + field->quantifier_offset);

    if (*n_items)
        return NULL;
    *items = arena_array(reader->arena, count, field_item_size(field->type));
    *n_items = count;
    return *items;
}

static bool read_packed(Reader *reader, ProtobufCMessage *message, const Field *field)
{
    Reader inside = { .arena = reader->arena };
    size_t count;
    char *item;
    Bytes bytes;

    if (!read_bytes(reader, &bytes) ||
        (field->type == PROTOBUF_C_TYPE_BOOL && !are_short_bools(bytes)))
        return false;
    count = count_packed(bytes, field_wire_type(field->type));
    inside.at = bytes.data;
    inside.end = bytes.data + bytes.size;
    if (!count)
        return bytes.size == 0;
    if (!(item = add_items(reader, message, field, count)))
        return false;
    for (; count > 0; count--, item += field_item_size(field->type))
        if (!read_item(&inside, field, item))
            return false;
    return inside.at == inside.end;
}

static bool read_repeated(
    Reader *reader, ProtobufCMessage *message, const Field *field, uint64_t tag)
{
    unsigned wire_type = field_wire_type(field->type);
    unsigned written = tag & ((1 << WIRE_BITS) - 1);
    size_t count;
    char *item;

    if (written != wire_type)
        return written == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED &&
               read_packed(reader, message, field);
    if ((count = count_run(*reader, tag, wire_type)) == 0 ||
        !(item = add_items(reader, message, field, count)))
        return false;
    for (size_t i = 0; i < count; i++, item += field_item_size(field->type))
        if ((i > 0 && !read_varint(reader, &tag)) || !read_item(reader, field, item))
            return false;
    return true;
}

/* The others. */

static bool is_merged(const Field *field, const void *item)
{
    return field->type == PROTOBUF_C_TYPE_MESSAGE && *(const void *const *)item;
}

static bool read_single(Reader *reader, ProtobufCMessage *message, const Field *field, uint64_t tag)
{
    void *item = (char *)message + field->offset;
    uint32_t *chosen = (uint32_t *)((char *)message + field->quantifier_offset);

    if ((tag & ((1 << WIRE_BITS) - 1)) != field_wire_type(field->type))
        return false;
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        if (*chosen)
            return false;
        *chosen = field->id;
    } else if (is_merged(field, item)) {
        return false;
    }
    return read_item(reader, field, item);
}

static void *read_message(Reader *reader, const MessageType *type)
{
    ProtobufCMessage *message = message_new(reader->arena, type);

    while (reader->at < reader->end) {
        const Field *field;
        bool is_usual;
        uint64_t tag;

        if (!read_varint(reader, &tag) || !(field = field_by_id(type, tag >> WIRE_BITS)))
            return NULL;
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
            is_usual = read_repeated(reader, message, field, tag);
        else
            is_usual =
                field->label == PROTOBUF_C_LABEL_NONE && read_single(reader, message, field, tag);
        if (!is_usual)
            return NULL;
    }
    return message;
}

void *unpack_usual(Arena *arena, const ProtobufCMessageDescriptor *type, Bytes bytes)
{
    Reader reader = { arena, bytes.data, bytes.data };

    if (bytes.size) /* nothing may be added to NULL, not even 0 */
        reader.end += bytes.size;
    return read_message(&reader, type);
}
