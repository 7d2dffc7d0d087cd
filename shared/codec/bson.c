/* Both directions walk the descriptor's fields; a value is appended or read by its type. */
#include "shared/codec/bson.h"

#include "shared/base/text.h"
#include "shared/codec/field.h"
#include "shared/codec/message.h"
#include "shared/codec/scan.h"

#include <assert.h>
#include <string.h>

static const char unknown_key[] = "_unknown";

enum { TAG_MAX = 10, WIRE_TYPE_BITS = 3 };

/* Appending fails only beyond 2 GB, which no message limit lets through. */
static void must(bool is_appended)
{
    assert(is_appended);
}

static uint8_t *put_varint(uint8_t *at, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *at++ = (uint8_t)(value | 0x80);
    *at++ = (uint8_t)value;
    return at;
}

/* What this version does not know goes back to the wire as it came. */
static void append_unknown(bson_t *document, const ProtobufCMessage *message)
{
    const ProtobufCMessageUnknownField *unknown = message->unknown_fields;
    Arena *arena;
    uint8_t *bytes, *at;
    size_t size = 0;

    if (message->n_unknown_fields == 0)
        return;
    for (unsigned i = 0; i < message->n_unknown_fields; i++)
        size += TAG_MAX + unknown[i].len;
    arena = arena_new();
    at = bytes = arena_alloc(arena, size);
    for (unsigned i = 0; i < message->n_unknown_fields; i++) {
        at = put_varint(at, (uint64_t)unknown[i].tag << WIRE_TYPE_BITS | unknown[i].wire_type);
        memcpy(at, unknown[i].data, unknown[i].len);
        at += unknown[i].len;
    }
    must(bson_append_binary(document, unknown_key, sizeof(unknown_key) - 1, BSON_SUBTYPE_BINARY,
        bytes, (uint32_t)(at - bytes)));
    arena_free(arena);
}

static void append_enum(bson_t *document, const char *key, const Field *field, int number)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(field->descriptor, number);

    if (value)
        must(bson_append_utf8(document, key, -1, value->name, -1));
    else
        must(bson_append_int32(document, key, -1, number));
}

static void append_message(bson_t *document, const char *key, const ProtobufCMessage *message)
{
    bson_t inner;

    must(bson_append_document_begin(document, key, -1, &inner));
    if (message)
        bson_append_message(&inner, message);
    must(bson_append_document_end(document, &inner));
}

static void append_item(bson_t *document, const char *key, const Field *field, const void *item)
{
    const ProtobufCBinaryData *bytes = item;
    const char *text;

    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        must(bson_append_int32(document, key, -1, *(const int32_t *)item));
        return;
    case PROTOBUF_C_TYPE_FLOAT:
        must(bson_append_double(document, key, -1, (double)*(const float *)item));
        return;
    case PROTOBUF_C_TYPE_DOUBLE:
        must(bson_append_double(document, key, -1, *(const double *)item));
        return;
    case PROTOBUF_C_TYPE_BOOL:
        must(bson_append_bool(document, key, -1, *(const protobuf_c_boolean *)item));
        return;
    case PROTOBUF_C_TYPE_ENUM:
        append_enum(document, key, field, *(const int *)item);
        return;
    case PROTOBUF_C_TYPE_STRING:
        text = *(const char *const *)item;
        must(bson_append_utf8(document, key, -1, text ? text : "", -1));
        return;
    case PROTOBUF_C_TYPE_BYTES:
        must(bson_append_binary(document, key, -1, BSON_SUBTYPE_BINARY,
            bytes->len ? bytes->data : (const uint8_t *)"", (uint32_t)bytes->len));
        return;
    case PROTOBUF_C_TYPE_MESSAGE:
        append_message(document, key, *(const ProtobufCMessage *const *)item);
        return;
    default: /* 64-bit integers and uint32 */
        must(bson_append_int64(document, key, -1, field_number(field->type, item)));
    }
}

void bson_append_message(bson_t *document, const ProtobufCMessage *message)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const Field *field = &message->descriptor->fields[i];
        bson_t array;

        if (!field_is_present(message, field))
            continue;
        if (field->label != PROTOBUF_C_LABEL_REPEATED) {
            append_item(document, field->name, field, field_item(message, field, 0));
            continue;
        }
        must(bson_append_array_begin(document, field->name, -1, &array));
        for (size_t item = 0; item < field_count(message, field); item++) {
            char digits[16];
            const char *key;

            bson_uint32_to_string((uint32_t)item, &key, digits, sizeof(digits));
            append_item(&array, key, field, field_item(message, field, item));
        }
        must(bson_append_array_end(document, &array));
    }
    append_unknown(document, message);
}

static const Error *unreadable(Arena *arena, const MessageType *type, const char *key)
{
    return error_new(arena, ERROR_DATA_LOSS, "RECORD_MALFORMED",
        "The stored record cannot be read: field %s of %s has another type or nests too deep.", key,
        type->name);
}

static bool read_number(const bson_iter_t *value, const Field *field, void *item)
{
    if (BSON_ITER_HOLDS_BOOL(value))
        return field->type == PROTOBUF_C_TYPE_BOOL &&
               field_put_number(field->type, item, bson_iter_bool(value));
    return field->type != PROTOBUF_C_TYPE_BOOL &&
           (BSON_ITER_HOLDS_INT32(value) || BSON_ITER_HOLDS_INT64(value)) &&
           field_put_number(field->type, item, bson_iter_as_int64(value));
}

static bool read_enum(const bson_iter_t *value, const Field *field, void *item)
{
    const ProtobufCEnumValue *found;

    if (!BSON_ITER_HOLDS_UTF8(value))
        return read_number(value, field, item);
    found = protobuf_c_enum_descriptor_get_value_by_name(
        field->descriptor, bson_iter_utf8(value, NULL));
    return found && field_put_number(field->type, item, found->value);
}

static bool read_double(const bson_iter_t *value, const Field *field, void *item)
{
    if (!BSON_ITER_HOLDS_DOUBLE(value))
        return false;
    if (field->type == PROTOBUF_C_TYPE_FLOAT)
        *(float *)item = (float)bson_iter_double(value);
    else
        *(double *)item = bson_iter_double(value);
    return true;
}

static bool read_text(Arena *arena, const bson_iter_t *value, void *item)
{
    uint32_t size;
    const char *text;

    if (!BSON_ITER_HOLDS_UTF8(value))
        return false;
    text = bson_iter_utf8(value, &size);
    if (!text_is_utf8((const uint8_t *)text, size))
        return false;
    *(char **)item = arena_text_of(arena, text, size);
    return true;
}

static bool read_bytes(Arena *arena, const bson_iter_t *value, void *item)
{
    ProtobufCBinaryData *bytes = item;
    const uint8_t *data = NULL;
    uint32_t size = 0;

    if (!BSON_ITER_HOLDS_BINARY(value))
        return false;
    bson_iter_binary(value, NULL, &size, &data);
    bytes->len = size;
    bytes->data = size ? arena_copy(arena, data, size) : NULL;
    return true;
}

static const Error *read_fields(
    Arena *arena, bson_iter_t *document, ProtobufCMessage *message, int depth);

static const Error *read_message(
    Arena *arena, const bson_iter_t *value, const Field *field, void *item, int depth)
{
    bson_iter_t inner;
    ProtobufCMessage *message;

    if (depth == SCAN_MAX_DEPTH || !BSON_ITER_HOLDS_DOCUMENT(value) ||
        !bson_iter_recurse(value, &inner))
        return unreadable(arena, field->descriptor, field->name);
    message = message_new(arena, field->descriptor);
    *(void **)item = message;
    return read_fields(arena, &inner, message, depth + 1);
}

static const Error *read_item(Arena *arena, const bson_iter_t *value,
    const ProtobufCMessage *message, const Field *field, void *item, int depth)
{
    bool is_read;

    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return read_message(arena, value, field, item, depth);
    case PROTOBUF_C_TYPE_STRING:
        is_read = read_text(arena, value, item);
        break;
    case PROTOBUF_C_TYPE_BYTES:
        is_read = read_bytes(arena, value, item);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        is_read = read_double(value, field, item);
        break;
    case PROTOBUF_C_TYPE_ENUM:
        is_read = read_enum(value, field, item);
        break;
    default:
        is_read = read_number(value, field, item);
    }
    return is_read ? NULL : unreadable(arena, message->descriptor, field->name);
}

static const Error *read_array(Arena *arena, const bson_iter_t *value, ProtobufCMessage *message,
    const Field *field, int depth)
{
    bson_iter_t items, counter;
    size_t count = 0;
    char *item;

    if (!BSON_ITER_HOLDS_ARRAY(value) || !bson_iter_recurse(value, &items))
        return unreadable(arena, message->descriptor, field->name);
    counter = items;
    while (bson_iter_next(&counter))
        count++;
    item = field_make(arena, message, field, count);
    while (bson_iter_next(&items)) {
        const Error *error = read_item(arena, &items, message, field, item, depth);

        if (error)
            return error;
        item += field_item_size(field->type);
    }
    return items.err_off ? unreadable(arena, message->descriptor, field->name) : NULL;
}

/* What an older version kept as unknown may be known by now: the wire forms of both parts are read as one. */
static const Error *read_unknown(
    Arena *arena, const bson_iter_t *value, ProtobufCMessage *message, int depth)
{
    const MessageType *type = message->descriptor;
    Bytes known = message_pack(arena, message);
    ProtobufCBinaryData unknown = { 0 };
    ProtobufCMessage *whole;
    uint8_t *bytes;
    Bytes both;

    if (!read_bytes(arena, value, &unknown))
        return unreadable(arena, type, unknown_key);
    bytes = arena_alloc(arena, known.size + unknown.len);
    memcpy(bytes, known.data, known.size);
    if (unknown.len)
        memcpy(bytes + known.size, unknown.data, unknown.len);
    both = (Bytes){ bytes, known.size + unknown.len };
    if (scan_nested(arena, type, both, depth) || !(whole = message_unpack(arena, type, both)))
        return unreadable(arena, type, unknown_key);
    memcpy(message, whole, type->sizeof_message);
    return NULL;
}

static const Error *read_fields(
    Arena *arena, bson_iter_t *document, ProtobufCMessage *message, int depth)
{
    bson_iter_t unknown;
    bool has_unknown = false;

    while (bson_iter_next(document)) {
        const char *key = bson_iter_key(document);
        const Field *field =
            protobuf_c_message_descriptor_get_field_by_name(message->descriptor, key);
        const Error *error;

        if (text_equal(key, unknown_key)) {
            unknown = *document;
            has_unknown = true;
        }
        if (!field || BSON_ITER_HOLDS_NULL(document))
            continue;
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
            error = read_array(arena, document, message, field, depth);
        else
            error = read_item(
                arena, document, message, field, field_make(arena, message, field, 1), depth);
        if (error)
            return error;
    }
    if (document->err_off)
        return unreadable(arena, message->descriptor, "(any)");
    return has_unknown ? read_unknown(arena, &unknown, message, depth) : NULL;
}

const Error *bson_read_message(Arena *arena, const bson_t *document, ProtobufCMessage *message)
{
    bson_iter_t fields;

    if (!bson_iter_init(&fields, document))
        return unreadable(arena, message->descriptor, "(any)");
    return read_fields(arena, &fields, message, 0);
}
