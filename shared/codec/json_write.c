/* Messages to JSON text, straight into one growing buffer of the arena. */
#include "shared/codec/json.h"

#include "google/protobuf/any.pb-c.h"
#include "shared/codec/field.h"
#include "shared/codec/json_name.h"
#include "shared/codec/message.h"
#include "shared/codec/scan.h"
#include "shared/codec/wellknown.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 256, INDENT = 2, ANY_MAX_DEPTH = 8, NUMBER_SIZE = 40 };

typedef struct Writer {
    Arena *arena;
    JsonStyle style;
    char *text;
    size_t size, capacity;
    int indent;
    int depth; /* messages around this one, the same count as the reader's */
    int any_depth; /* every Any inside an Any is unpacked once more: beyond the limit they stay packed */
    bool is_first; /* nothing was written yet since the last { or [ */
} Writer;

static void put(Writer *writer, const char *bytes, size_t size)
{
    if (size > writer->capacity - writer->size) {
        size_t capacity = 2 * writer->capacity + size;

        writer->text = arena_grow(writer->arena, writer->text, writer->capacity, capacity, 1);
        writer->capacity = capacity;
    }
    memcpy(writer->text + writer->size, bytes, size);
    writer->size += size;
}

static void put_text(Writer *writer, const char *text)
{
    put(writer, text, strlen(text));
}

static void put_line(Writer *writer)
{
    if (writer->style != JSON_PRETTY)
        return;
    put(writer, "\n", 1);
    for (int i = 0; i < writer->indent * INDENT; i++)
        put(writer, " ", 1);
}

/* Between two members or items. */
static void put_separator(Writer *writer)
{
    if (!writer->is_first)
        put(writer, ",", 1);
    writer->is_first = false;
    put_line(writer);
}

static void put_open(Writer *writer, const char *bracket)
{
    put(writer, bracket, 1);
    writer->indent++;
    writer->is_first = true;
}

static void put_close(Writer *writer, const char *bracket)
{
    writer->indent--;
    if (!writer->is_first)
        put_line(writer);
    writer->is_first = false;
    put(writer, bracket, 1);
}

static bool is_plain(char c)
{
    return (unsigned char)c >= ' ' && c != '"' && c != '\\' && c != '\x7f';
}

static void put_escaped(Writer *writer, char c)
{
    static const char escaped[] = "\b\t\n\f\r\"\\";
    static const char letters[] = "btnfr\"\\";
    static const char hex[] = "0123456789abcdef";
    const char *found = strchr(escaped, c);

    if (found)
        put(writer, (char[]){ '\\', letters[found - escaped] }, 2);
    else
        put(writer, (char[]){ '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] }, 6);
}

static void put_quoted(Writer *writer, const char *text)
{
    put(writer, "\"", 1);
    while (*text) {
        size_t plain = 0;

        while (is_plain(text[plain]))
            plain++;
        put(writer, text, plain);
        text += plain;
        if (*text)
            put_escaped(writer, *text++);
    }
    put(writer, "\"", 1);
}

static void put_key(Writer *writer, const char *key)
{
    put_separator(writer);
    put_quoted(writer, key);
    put_text(writer, writer->style == JSON_PRETTY ? ": " : ":");
}

/* The shortest digits that read back as the same number. */
static void put_double(Writer *writer, double value, bool is_float)
{
    bool is_subnormal = fabs(value) < (is_float ? (double)FLT_MIN : DBL_MIN);
    int digits = is_subnormal ? 1 : is_float ? FLT_DIG : DBL_DIG;
    char text[NUMBER_SIZE];

    if (isnan(value)) {
        put_text(writer, "\"NaN\"");
        return;
    }
    if (isinf(value)) {
        put_text(writer, value < 0 ? "\"-Infinity\"" : "\"Infinity\"");
        return;
    }
    for (;; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (is_float ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value)
            break;
    }
    put_text(writer, text);
    if (!strpbrk(text, ".e")) /* or "-0" would come back as the integer 0 */
        put_text(writer, ".0");
}

/* 64-bit numbers are texts: a double of JavaScript does not hold them. */
static void put_number(Writer *writer, ProtobufCType type, const void *item)
{
    int64_t number = field_number(type, item);
    char text[NUMBER_SIZE];

    if (type == PROTOBUF_C_TYPE_UINT64 || type == PROTOBUF_C_TYPE_FIXED64)
        snprintf(text, sizeof(text), "\"%llu\"", (unsigned long long)number);
    else if (field_item_size(type) == sizeof(int64_t))
        snprintf(text, sizeof(text), "\"%lld\"", (long long)number);
    else
        snprintf(text, sizeof(text), "%lld", (long long)number);
    put_text(writer, text);
}

static void put_enum(Writer *writer, const Field *field, const void *item)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(field->descriptor, *(const int *)item);

    if (value)
        put_quoted(writer, value->name);
    else
        put_number(writer, PROTOBUF_C_TYPE_ENUM, item);
}

/* The standard alphabet, padded. */
static void put_bytes(Writer *writer, const ProtobufCBinaryData *bytes)
{
    char *text = text_base64url(writer->arena, bytes->data, bytes->len);

    for (char *c = text; *c; c++)
        *c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
    put(writer, "\"", 1);
    put_text(writer, text);
    put(writer, "==", (3 - bytes->len % 3) % 3);
    put(writer, "\"", 1);
}

static void put_message(Writer *writer, const ProtobufCMessage *message);

/* A sub-message that is absent where one must be (a map's value) is an empty one. */
static void put_sub_message(Writer *writer, const Field *field, const ProtobufCMessage *message)
{
    if (!message)
        message = message_new(writer->arena, field->descriptor);
    writer->depth++;
    put_message(writer, message);
    writer->depth--;
}

static void put_item(Writer *writer, const Field *field, const void *item)
{
    const char *text;

    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        text = *(const char *const *)item;
        put_quoted(writer, text ? text : "");
        return;
    case PROTOBUF_C_TYPE_BYTES:
        put_bytes(writer, item);
        return;
    case PROTOBUF_C_TYPE_MESSAGE:
        put_sub_message(writer, field, *(const ProtobufCMessage *const *)item);
        return;
    case PROTOBUF_C_TYPE_ENUM:
        put_enum(writer, field, item);
        return;
    case PROTOBUF_C_TYPE_FLOAT:
        put_double(writer, (double)*(const float *)item, true);
        return;
    case PROTOBUF_C_TYPE_DOUBLE:
        put_double(writer, *(const double *)item, false);
        return;
    case PROTOBUF_C_TYPE_BOOL:
        put_text(writer, *(const protobuf_c_boolean *)item ? "true" : "false");
        return;
    default:
        put_number(writer, field->type, item);
    }
}

typedef struct MapKey {
    const char *text;
    size_t index;
} MapKey;

static int compare_keys(const void *a, const void *b)
{
    const MapKey *first = a, *second = b;
    int order = strcmp(first->text, second->text);

    return order ? order : (first->index > second->index) - (first->index < second->index);
}

static const char *key_text(Arena *arena, const Field *key, const void *entry)
{
    const void *item = field_item(entry, key, 0);
    int64_t number;

    if (key->type == PROTOBUF_C_TYPE_STRING) {
        const char *text = *(const char *const *)item;

        return text ? text : "";
    }
    number = field_number(key->type, item);
    if (key->type == PROTOBUF_C_TYPE_BOOL)
        return number ? "true" : "false";
    if (key->type == PROTOBUF_C_TYPE_UINT64 || key->type == PROTOBUF_C_TYPE_FIXED64)
        return arena_printf(arena, "%llu", (unsigned long long)number);
    return arena_printf(arena, "%lld", (long long)number);
}

/* The wire may give a key more than once: the last one counts, and JSON must not repeat it. */
static void put_map(Writer *writer, const void *message, const Field *field)
{
    const MessageType *entry_type = field->descriptor;
    size_t count = field_count(message, field);
    MapKey *keys = arena_array(writer->arena, count, sizeof(*keys));
    const char **names = arena_array(writer->arena, count, sizeof(*names));

    for (size_t i = 0; i < count; i++) {
        const void *entry = *(void *const *)field_item(message, field, i);

        keys[i] = (MapKey){ key_text(writer->arena, &entry_type->fields[0], entry), i };
    }
    qsort(keys, count, sizeof(*keys), compare_keys);
    for (size_t i = 0; i < count; i++)
        if (i + 1 == count || !text_equal(keys[i].text, keys[i + 1].text))
            names[keys[i].index] = keys[i].text;
    put_open(writer, "{");
    writer->depth++; /* an entry is a message, on the wire */
    for (size_t i = 0; i < count; i++) {
        const void *entry = *(void *const *)field_item(message, field, i);
        const Field *value = &entry_type->fields[1];

        if (!names[i])
            continue;
        put_key(writer, names[i]);
        put_item(writer, value, field_item(entry, value, 0));
    }
    writer->depth--;
    put_close(writer, "}");
}

static void put_field(Writer *writer, const ProtobufCMessage *message, const Field *field)
{
    put_key(writer, json_name(writer->arena, field));
    if (field_is_map(message->descriptor, field)) {
        put_map(writer, message, field);
        return;
    }
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        put_item(writer, field, field_item(message, field, 0));
        return;
    }
    put_open(writer, "[");
    for (size_t i = 0; i < field_count(message, field); i++) {
        put_separator(writer);
        put_item(writer, field, field_item(message, field, i));
    }
    put_close(writer, "]");
}

static void put_fields(Writer *writer, const ProtobufCMessage *message)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const Field *field = &message->descriptor->fields[i];
        bool has_default =
            !(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
            (field->type != PROTOBUF_C_TYPE_MESSAGE || field->label == PROTOBUF_C_LABEL_REPEATED);

        if (field_is_present(message, field) ||
            (has_default && writer->style == JSON_WITH_DEFAULTS))
            put_field(writer, message, field);
    }
}

static void put_object(Writer *writer, const ProtobufCMessage *message)
{
    put_open(writer, "{");
    put_fields(writer, message);
    put_close(writer, "}");
}

/* What an Any holds, NULL when it can only be shown packed. */
static ProtobufCMessage *open_any(Writer *writer, const Google__Protobuf__Any *any)
{
    const MessageType *type = message_find_url(any->type_url);
    Bytes value = { any->value.data, any->value.len };

    if (!type || writer->any_depth == ANY_MAX_DEPTH ||
        scan_nested(writer->arena, type, value, writer->depth + 1))
        return NULL;
    return message_unpack(writer->arena, type, value);
}

static void put_any(Writer *writer, const ProtobufCMessage *message)
{
    const Google__Protobuf__Any *any = (const Google__Protobuf__Any *)message;
    ProtobufCMessage *inside = open_any(writer, any);

    if (!inside) {
        put_object(writer, message);
        return;
    }
    writer->depth++;
    writer->any_depth++;
    put_open(writer, "{");
    put_key(writer, "@type");
    put_quoted(writer, any->type_url);
    if (wellknown_kind(inside->descriptor) == WELLKNOWN_NONE) {
        put_fields(writer, inside);
    } else {
        put_key(writer, "value");
        put_message(writer, inside);
    }
    put_close(writer, "}");
    writer->any_depth--;
    writer->depth--;
}

static void put_message(Writer *writer, const ProtobufCMessage *message)
{
    const Field *only;
    char *text;

    switch (wellknown_kind(message->descriptor)) {
    case WELLKNOWN_TEXT:
        text = wellknown_text(writer->arena, message);
        if (text)
            put_quoted(writer, text);
        else
            put_object(writer, message);
        return;
    case WELLKNOWN_WRAPPER:
        only = &message->descriptor->fields[0];
        put_item(writer, only, field_item(message, only, 0));
        return;
    case WELLKNOWN_ANY:
        put_any(writer, message);
        return;
    case WELLKNOWN_NONE:
        put_object(writer, message);
    }
}

char *json_from_message(Arena *arena, const void *message, JsonStyle style)
{
    Writer writer = { .arena = arena, .style = style, .capacity = FIRST_CAPACITY };

    writer.text = arena_alloc(arena, FIRST_CAPACITY);
    put_message(&writer, message);
    put(&writer, "", 1);
    return writer.text;
}
