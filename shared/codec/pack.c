#include "shared/codec/pack.h"

#include "shared/codec/field.h"

#include "google/type/money.pb-c.h"

#include <assert.h>
#include <string.h>

/* Above LARGEST_GUESS the message is measured after all: room is not doubled without end. */
enum {
    FIRST_ROOM = 4096,
    GROWTH = 4,
    LARGEST_GUESS = 64 * 1024,
    PREFIX_MAX_SIZE = 24,
    VARINT_BITS = 7,
    VARINT_MORE = 1 << VARINT_BITS,
    VARINT_MAX_SIZE = 10,
    WIRE_BITS = 3,
};

/* Fields of google.type.Money. */
enum { MONEY_CURRENCY = 1, MONEY_UNITS = 2, MONEY_NANOS = 3 };

typedef struct Writer {
    Arena *arena; /* NULL: there is no more room than what is given */
    bool is_full;
    const ProtobufCMessage *whole;
    const ProtobufCMessage *part; /* that is packed already; NULL: none */
    Bytes packed_part;
    uint8_t *start;
    uint8_t *at; /* of the first byte that is written */
    uint8_t *end;
} Writer;

static void write_message(Writer *writer, const ProtobufCMessage *message);

static size_t written(const Writer *writer)
{
    return (size_t)(writer->end - writer->at);
}

static void grow(Writer *writer, size_t size)
{
    size_t used = written(writer);
    size_t room = GROWTH * (used + size);
    uint8_t *grown;

    if (room > LARGEST_GUESS)
        room = protobuf_c_message_get_packed_size(writer->whole) + PREFIX_MAX_SIZE;
    assert(room >= used + size);
    grown = arena_room(writer->arena, room);
    if (used)
        memcpy(grown + room - used, writer->at, used);
    writer->start = grown;
    writer->end = grown + room;
    writer->at = writer->end - used;
}

/* Room for `size` bytes and what stands before them: a tag and a length. Where there is none, only
 * these have room, and whatever is written is good for nothing. */
static bool make_room(Writer *writer, size_t size)
{
    if ((size_t)(writer->at - writer->start) >= size + PREFIX_MAX_SIZE)
        return true;
    if (!writer->arena) {
        writer->is_full = true;
        writer->at = writer->end;
        return false;
    }
    grow(writer, size + PREFIX_MAX_SIZE);
    return true;
}

static void write_long_varint(Writer *writer, uint64_t value)
{
    uint8_t *at;

    writer->at -= ((size_t)(63 - __builtin_clzll(value)) / VARINT_BITS) + 1;
    for (at = writer->at; value >= VARINT_MORE; value >>= VARINT_BITS)
        *at++ = (uint8_t)(value | VARINT_MORE);
    *at = (uint8_t)value;
}

/* There is room: see make_room. */
static inline void write_varint(Writer *writer, uint64_t value)
{
    if (value < VARINT_MORE)
        *--writer->at = (uint8_t)value;
    else
        write_long_varint(writer, value);
}

static void write_raw(Writer *writer, const void *bytes, size_t size)
{
    if (!make_room(writer, size))
        return;
    writer->at -= size;
    if (size)
        memcpy(writer->at, bytes, size);
}

static void write_bytes(Writer *writer, const void *bytes, size_t size)
{
    write_raw(writer, bytes, size);
    write_varint(writer, size);
}

static void write_tag(Writer *writer, uint32_t id, uint32_t wire_type)
{
    write_varint(writer, (uint64_t)id << WIRE_BITS | wire_type);
}

/* Most of what a quote or an order is made of: not worth the way by the descriptor. */
static void write_money(Writer *writer, const Google__Type__Money *money)
{
    const char *currency = money->currency_code;

    if (!make_room(writer, VARINT_MAX_SIZE))
        return;
    if (money->nanos) {
        write_varint(writer, (uint64_t)(int64_t)money->nanos);
        write_tag(writer, MONEY_NANOS, PROTOBUF_C_WIRE_TYPE_VARINT);
    }
    if (money->units) {
        write_varint(writer, (uint64_t)money->units);
        write_tag(writer, MONEY_UNITS, PROTOBUF_C_WIRE_TYPE_VARINT);
    }
    if (currency && *currency) {
        write_bytes(writer, currency, strlen(currency));
        write_tag(writer, MONEY_CURRENCY, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED);
    }
}

static void write_nested(Writer *writer, const ProtobufCMessage *message)
{
    size_t before = written(writer);

    if (message && message == writer->part)
        write_raw(writer, writer->packed_part.data, writer->packed_part.size);
    else if (message && message->descriptor == &google__type__money__descriptor &&
             !message->n_unknown_fields)
        write_money(writer, (const Google__Type__Money *)message);
    else if (message)
        write_message(writer, message);
    make_room(writer, 0);
    write_varint(writer, written(writer) - before);
}

static void write_number(Writer *writer, uint64_t number)
{
    make_room(writer, 0);
    write_varint(writer, number);
}

static uint64_t zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

/* One value, without its tag; which kind of bytes it is. */
static uint32_t write_item(Writer *writer, ProtobufCType type, const void *item)
{
    const ProtobufCBinaryData *bytes = item;
    const char *text;

    switch (type) {
    case PROTOBUF_C_TYPE_STRING:
        text = *(const char *const *)item;
        write_bytes(writer, text, text ? strlen(text) : 0);
        return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    case PROTOBUF_C_TYPE_BYTES:
        write_bytes(writer, bytes->data, bytes->len);
        return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    case PROTOBUF_C_TYPE_MESSAGE:
        write_nested(writer, *(const ProtobufCMessage *const *)item);
        return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        write_raw(writer, item, sizeof(uint32_t));
        return PROTOBUF_C_WIRE_TYPE_32BIT;
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        write_raw(writer, item, sizeof(uint64_t));
        return PROTOBUF_C_WIRE_TYPE_64BIT;
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SINT64:
        write_number(writer, zigzag(field_number(type, item)));
        return PROTOBUF_C_WIRE_TYPE_VARINT;
    default:
        write_number(writer, (uint64_t)field_number(type, item));
        return PROTOBUF_C_WIRE_TYPE_VARINT;
    }
}

static void write_packed(Writer *writer, const ProtobufCMessage *message, const Field *field)
{
    size_t before = written(writer);

    for (size_t i = field_count(message, field); i-- > 0;)
        write_item(writer, field->type, field_item(message, field, i));
    make_room(writer, 0);
    write_varint(writer, written(writer) - before);
    write_tag(writer, field->id, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED);
}

static void write_field(Writer *writer, const ProtobufCMessage *message, const Field *field)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED && field->flags & PROTOBUF_C_FIELD_FLAG_PACKED) {
        write_packed(writer, message, field);
        return;
    }
    for (size_t i = field_count(message, field); i-- > 0;)
        write_tag(
            writer, field->id, write_item(writer, field->type, field_item(message, field, i)));
}

/* A field of proto3 by itself, where it is not its default; false when it is of another kind. */
static bool write_plain(Writer *writer, const Field *field, const void *item)
{
    const char *text;
    uint64_t number;

    if (field->label != PROTOBUF_C_LABEL_NONE || field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        return false;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        text = *(const char *const *)item;
        if (text && *text) {
            write_bytes(writer, text, strlen(text));
            write_tag(writer, field->id, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED);
        }
        return true;
    case PROTOBUF_C_TYPE_MESSAGE:
        if (*(const void *const *)item) {
            write_nested(writer, *(const ProtobufCMessage *const *)item);
            write_tag(writer, field->id, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED);
        }
        return true;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_ENUM:
        number = (uint64_t)(int64_t) * (const int32_t *)item;
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        number = *(const uint64_t *)item;
        break;
    case PROTOBUF_C_TYPE_BOOL:
        number = *(const protobuf_c_boolean *)item != 0;
        break;
    default:
        return false;
    }
    if (number) {
        write_number(writer, number);
        write_tag(writer, field->id, PROTOBUF_C_WIRE_TYPE_VARINT);
    }
    return true;
}

static void write_message(Writer *writer, const ProtobufCMessage *message)
{
    const MessageType *type = message->descriptor;

    for (size_t i = message->n_unknown_fields; i-- > 0;) {
        const ProtobufCMessageUnknownField *field = &message->unknown_fields[i];

        write_raw(writer, field->data, field->len);
        write_tag(writer, field->tag, field->wire_type);
    }
    for (size_t i = type->n_fields; i-- > 0;)
        if (!write_plain(
                writer, &type->fields[i], (const char *)message + type->fields[i].offset) &&
            field_is_present(message, &type->fields[i]))
            write_field(writer, message, &type->fields[i]);
}

Bytes pack_backwards(Arena *arena, const ProtobufCMessage *message)
{
    return pack_around(arena, message, NULL, (Bytes){ 0 });
}

/* Nearly all messages fit into room on the stack, so that the arena gets no more than their size. */
Bytes pack_around(
    Arena *arena, const ProtobufCMessage *message, const ProtobufCMessage *part, Bytes packed_part)
{
    uint8_t room[FIRST_ROOM];
    Writer writer = { .arena = arena,
        .whole = message,
        .part = part,
        .packed_part = packed_part,
        .start = room,
        .at = room + FIRST_ROOM,
        .end = room + FIRST_ROOM };
    Bytes packed;

    write_message(&writer, message);
    packed = (Bytes){ writer.at, written(&writer) };
    if (writer.start == room)
        packed.data = arena_copy(arena, packed.data, packed.size);
    return packed;
}

bool pack_into(const ProtobufCMessage *message, uint8_t *room, size_t size, Bytes *packed)
{
    Writer writer = { .whole = message, .start = room, .at = room + size, .end = room + size };

    assert(size >= PREFIX_MAX_SIZE);
    write_message(&writer, message);
    *packed = (Bytes){ writer.at, written(&writer) };
    return !writer.is_full;
}
