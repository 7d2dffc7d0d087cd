/* JSON text to messages: libjansson parses, the descriptor says what each value must be. */
#include "shared/codec/json.h"

#include "google/protobuf/any.pb-c.h"
#include "shared/codec/field.h"
#include "shared/codec/json_name.h"
#include "shared/codec/message.h"
#include "shared/codec/scan.h"
#include "shared/codec/violations.h"
#include "shared/codec/wellknown.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char type_key[] = "@type";
static const char value_key[] = "value";

typedef struct Reader {
    Arena *arena;
    bool is_lossy; /* integers beyond 64 bits were in the text: all were read as doubles */
    Violations violations;
} Reader;

/* NULL when it is no text, or a NUL cuts it. */
static const char *whole_text(const json_t *json)
{
    const char *text = json_string_value(json);

    return text && strlen(text) == json_string_length(json) ? text : NULL;
}

static void refuse(Reader *reader, const Path *path, const char *description)
{
    violations_add(&reader->violations, path, description);
}

/* A number without a fraction that a double holds exactly. */
static bool real_to_number(const Reader *reader, double real, bool is_unsigned, int64_t *number)
{
    const double exact = 9007199254740992;      /* 2^53 */
    const double limit = 9223372036854775808.0; /* 2^63 */

    if (real != trunc(real) || (reader->is_lossy && fabs(real) > exact))
        return false;
    if (real >= -limit && real < limit) {
        *number = (int64_t)real;
        return !is_unsigned || real >= 0;
    }
    if (!is_unsigned || real < limit || real >= 2 * limit)
        return false;
    *number = (int64_t)(uint64_t)real;
    return true;
}

static bool text_to_number(const char *text, bool is_unsigned, int64_t *number)
{
    const uint64_t tenth = UINT64_MAX / 10;
    uint64_t value = 0;

    if (text_is_empty(text))
        return false;
    if (!is_unsigned)
        return text_to_int64(text, number);
    for (const char *c = text; *c; c++) {
        uint64_t digit = (uint64_t)(*c - '0');

        if (digit > 9 || value > tenth || (value == tenth && digit > UINT64_MAX % 10))
            return false;
        value = value * 10 + digit;
    }
    *number = (int64_t)value;
    return true;
}

static const char *read_number(
    const Reader *reader, const json_t *json, ProtobufCType type, void *item)
{
    bool is_unsigned = type == PROTOBUF_C_TYPE_UINT64 || type == PROTOBUF_C_TYPE_FIXED64;
    bool is_number = false;
    int64_t number = 0;

    if (json_is_integer(json)) {
        number = json_integer_value(json);
        is_number = !is_unsigned || number >= 0;
    } else if (json_is_real(json)) {
        is_number = real_to_number(reader, json_real_value(json), is_unsigned, &number);
    } else {
        is_number = text_to_number(whole_text(json), is_unsigned, &number);
    }
    if (is_number && field_put_number(type, item, number))
        return NULL;
    return reader->is_lossy ? "must be a whole number in range, in quotes if it is large"
                            : "must be a whole number in range";
}

static bool json_to_double(const json_t *json, double *value)
{
    const char *text = whole_text(json);

    if (json_is_number(json))
        *value = json_number_value(json);
    else if (text_equal(text, "NaN"))
        *value = (double)NAN;
    else if (text_equal(text, "Infinity"))
        *value = (double)INFINITY;
    else if (text_equal(text, "-Infinity"))
        *value = (double)-INFINITY;
    else
        return text_to_double(text, value);
    return true;
}

static const char *read_double(const json_t *json, ProtobufCType type, void *item)
{
    double value;

    if (!json_to_double(json, &value))
        return "must be a number, \"NaN\", \"Infinity\" or \"-Infinity\"";
    if (type == PROTOBUF_C_TYPE_DOUBLE) {
        *(double *)item = value;
        return NULL;
    }
    *(float *)item = (float)value;
    return isfinite(value) && isinf(*(float *)item) ? "is out of the range of a float" : NULL;
}

static const char *read_bool(const json_t *json, void *item)
{
    *(protobuf_c_boolean *)item = json_is_true(json);
    return json_is_boolean(json) ? NULL : "must be true or false";
}

static const char *read_enum(
    const Reader *reader, const json_t *json, const ProtobufCEnumDescriptor *type, void *item)
{
    const ProtobufCEnumValue *value;

    if (!json_is_string(json))
        return read_number(reader, json, PROTOBUF_C_TYPE_ENUM, item) ? "must be the name of a value"
                                                                     : NULL;
    value = whole_text(json) ? protobuf_c_enum_descriptor_get_value_by_name(type, whole_text(json))
                             : NULL;
    if (!value)
        return "is no value of this enum";
    *(int *)item = value->value;
    return NULL;
}

static const char *read_text(const Reader *reader, const json_t *json, void *item)
{
    if (!json_is_string(json))
        return "must be a text";
    if (!whole_text(json))
        return "must not contain a NUL character";
    *(char **)item = arena_text(reader->arena, json_string_value(json));
    return NULL;
}

static const char *read_bytes(const Reader *reader, const json_t *json, void *item)
{
    ProtobufCBinaryData *data = item;
    Bytes bytes;

    if (!text_from_base64(reader->arena, whole_text(json), &bytes))
        return "must be base64";
    *data = (ProtobufCBinaryData){ bytes.size, (uint8_t *)bytes.data };
    return NULL;
}

static void read_message(
    Reader *reader, json_t *json, ProtobufCMessage *message, const Path *path, int depth);

static void read_sub_message(
    Reader *reader, json_t *json, const Field *field, void *item, const Path *path, int depth)
{
    ProtobufCMessage *message = message_new(reader->arena, field->descriptor);

    *(void **)item = message;
    if (depth == SCAN_MAX_DEPTH)
        refuse(reader, path, "nests too deep");
    else
        read_message(reader, json, message, path, depth + 1);
}

static void read_item(
    Reader *reader, json_t *json, const Field *field, void *item, const Path *path, int depth)
{
    const char *wrong;

    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        read_sub_message(reader, json, field, item, path, depth);
        return;
    case PROTOBUF_C_TYPE_STRING:
        wrong = read_text(reader, json, item);
        break;
    case PROTOBUF_C_TYPE_BYTES:
        wrong = read_bytes(reader, json, item);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        wrong = read_double(json, field->type, item);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        wrong = read_bool(json, item);
        break;
    case PROTOBUF_C_TYPE_ENUM:
        wrong = read_enum(reader, json, field->descriptor, item);
        break;
    default:
        wrong = read_number(reader, json, field->type, item);
    }
    if (wrong)
        refuse(reader, path, wrong);
}

static const char *read_key(Reader *reader, const char *text, const Field *key, void *item)
{
    int64_t number;
    bool is_unsigned = key->type == PROTOBUF_C_TYPE_UINT64 || key->type == PROTOBUF_C_TYPE_FIXED64;

    if (key->type == PROTOBUF_C_TYPE_STRING) {
        *(char **)item = arena_text(reader->arena, text);
        return NULL;
    }
    if (key->type == PROTOBUF_C_TYPE_BOOL) {
        *(protobuf_c_boolean *)item = text_equal(text, "true");
        return text_equal(text, "true") || text_equal(text, "false")
                   ? NULL
                   : "its key is no true or false";
    }
    if (!text_to_number(text, is_unsigned, &number) || !field_put_number(key->type, item, number))
        return "its key is no whole number in range";
    return NULL;
}

static void read_map(Reader *reader, json_t *json, ProtobufCMessage *message, const Field *field,
    const Path *parent, int depth)
{
    const MessageType *type = field->descriptor;
    const Field *key = &type->fields[0], *value = &type->fields[1];
    const char *text;
    json_t *inner;
    void **entry;

    if (!json_is_object(json)) {
        refuse(reader, &(Path){ parent, field->name, false, 0, NULL }, "must be an object");
        return;
    }
    entry = field_make(reader->arena, message, field, json_object_size(json));
    json_object_foreach(json, text, inner)
    {
        Path path = { parent, field->name, false, 0, text };
        const char *wrong;

        *entry = message_new(reader->arena, type);
        wrong = read_key(reader, text, key, field_make(reader->arena, *entry, key, 1));
        if (wrong)
            refuse(reader, &path, wrong);
        else if (json_is_null(inner))
            refuse(reader, &path, "must not be null");
        else if (depth == SCAN_MAX_DEPTH) /* an entry is a message, on the wire */
            refuse(reader, &path, "nests too deep");
        else
            read_item(reader, inner, value, field_make(reader->arena, *entry, value, 1), &path,
                depth + 1);
        entry++;
    }
}

static void read_array(Reader *reader, json_t *json, ProtobufCMessage *message, const Field *field,
    const Path *parent, int depth)
{
    size_t index;
    json_t *inner;
    char *item;

    if (!json_is_array(json)) {
        refuse(reader, &(Path){ parent, field->name, false, 0, NULL }, "must be an array");
        return;
    }
    item = field_make(reader->arena, message, field, json_array_size(json));
    json_array_foreach(json, index, inner)
    {
        Path path = { parent, field->name, true, index, NULL };

        if (json_is_null(inner))
            refuse(reader, &path, "must not be null");
        else
            read_item(reader, inner, field, item, &path, depth);
        item += field_item_size(field->type);
    }
}

/* Whether the field may be set now: once, and one member of a oneof. */
static const char *find_clash(const ProtobufCMessage *message, const Field *field, bool *is_seen)
{
    bool was_seen = *is_seen;

    *is_seen = true;
    if (was_seen)
        return "is given twice, in camel case and as in the proto";
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF &&
        *(const uint32_t *)((const char *)message + field->quantifier_offset))
        return "excludes another field that is given too";
    return NULL;
}

static void read_field(Reader *reader, json_t *json, ProtobufCMessage *message, const Field *field,
    const Path *parent, int depth)
{
    Path path = { parent, field->name, false, 0, NULL };

    if (field_is_map(message->descriptor, field))
        read_map(reader, json, message, field, parent, depth);
    else if (field->label == PROTOBUF_C_LABEL_REPEATED)
        read_array(reader, json, message, field, parent, depth);
    else
        read_item(reader, json, field, field_make(reader->arena, message, field, 1), &path, depth);
}

/* The members of an object; those called `skipped` are not the message's own. */
static void read_object(Reader *reader, json_t *json, ProtobufCMessage *message, const Path *parent,
    int depth, const char *skipped)
{
    const MessageType *type = message->descriptor;
    bool is_seen[SCAN_MAX_FIELDS] = { false };
    const char *key;
    json_t *inner;

    assert(type->n_fields <= SCAN_MAX_FIELDS);
    json_object_foreach(json, key, inner)
    {
        const Field *field = json_find_field(type, key);
        Path path = { parent, field ? field->name : key, false, 0, NULL };
        const char *clash;

        if (skipped && text_equal(key, skipped))
            continue;
        if (!field) {
            refuse(reader, &path, "is no field of this message");
            continue;
        }
        if (json_is_null(inner))
            continue;
        clash = find_clash(message, field, &is_seen[field - type->fields]);
        if (clash)
            refuse(reader, &path, clash);
        else
            read_field(reader, inner, message, field, parent, depth);
    }
    for (unsigned i = 0; i < type->n_fields; i++) {
        Path path = { parent, type->fields[i].name, false, 0, NULL };

        if (type->fields[i].label == PROTOBUF_C_LABEL_REQUIRED && !is_seen[i])
            refuse(reader, &path, "is missing");
    }
}

/* { "@type": …, the fields }, or { "@type": …, "value": … } for a type with a form of its own. */
static void read_any(
    Reader *reader, json_t *json, ProtobufCMessage *message, const Path *path, int depth)
{
    Google__Protobuf__Any *any = (Google__Protobuf__Any *)message;
    const char *url = json_string_value(json_object_get(json, type_key));
    const MessageType *type = message_find_url(url);
    ProtobufCMessage *inside;
    Bytes bytes;

    if (!type) {
        refuse(reader, &(Path){ path, type_key, false, 0, NULL }, "is no known type");
        return;
    }
    if (depth == SCAN_MAX_DEPTH) {
        refuse(reader, path, "nests too deep");
        return;
    }
    inside = message_new(reader->arena, type);
    if (wellknown_kind(type) == WELLKNOWN_NONE) {
        read_object(reader, json, inside, path, depth + 1, type_key);
    } else if (json_object_size(json) == 2 && json_object_get(json, value_key)) {
        Path value = { path, value_key, false, 0, NULL };

        read_message(reader, json_object_get(json, value_key), inside, &value, depth + 1);
    } else {
        refuse(reader, path, "must have \"@type\" and \"value\" and nothing else");
    }
    if (reader->violations.count) /* what could not be read has holes, and nobody asks for it */
        return;
    bytes = message_pack(reader->arena, inside);
    any->type_url = arena_text(reader->arena, url);
    any->value = (ProtobufCBinaryData){ bytes.size, (uint8_t *)bytes.data };
}

static void read_message(
    Reader *reader, json_t *json, ProtobufCMessage *message, const Path *path, int depth)
{
    const char *wrong = NULL;

    switch (wellknown_kind(message->descriptor)) {
    case WELLKNOWN_TEXT:
        if (json_is_object(json))
            break;
        wrong = "must be a text";
        if (whole_text(json))
            wrong = wellknown_parse(reader->arena, message, whole_text(json));
        if (wrong)
            refuse(reader, path, wrong);
        return;
    case WELLKNOWN_WRAPPER:
        read_item(reader, json, &message->descriptor->fields[0],
            field_make(reader->arena, message, &message->descriptor->fields[0], 1), path, depth);
        return;
    case WELLKNOWN_ANY:
        if (!json_object_get(json, type_key))
            break;
        read_any(reader, json, message, path, depth);
        return;
    case WELLKNOWN_NONE:
        break;
    }
    if (json_is_object(json))
        read_object(reader, json, message, path, depth, NULL);
    else
        refuse(reader, path, "must be an object");
}

/* Integers beyond int64 make jansson give up; as doubles they are good enough for fields that are doubles. */
static json_t *parse(Reader *reader, Bytes text, json_error_t *problem)
{
    const size_t flags = JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL;
    json_t *json = json_loadb((const char *)text.data, text.size, flags, problem);

    if (json || json_error_code(problem) != json_error_numeric_overflow)
        return json;
    reader->is_lossy = true;
    return json_loadb((const char *)text.data, text.size, flags | JSON_DECODE_INT_AS_REAL, problem);
}

const Error *json_to_message(
    Arena *arena, const ProtobufCMessageDescriptor *descriptor, Bytes text, void **message)
{
    Reader reader = { .arena = arena, .violations = { .arena = arena } };
    json_error_t problem;
    ProtobufCMessage *result;
    json_t *json = parse(&reader, text, &problem);

    if (!json)
        return error_new(arena, ERROR_INVALID_ARGUMENT, "JSON_MALFORMED",
            "The text is not JSON, line %d, column %d: %s.", problem.line, problem.column,
            text_is_utf8((const uint8_t *)problem.text, strlen(problem.text)) ? problem.text
                                                                              : "bad bytes");
    result = message_new(arena, descriptor);
    read_message(&reader, json, result, NULL, 0);
    json_decref(json);
    *message = result;
    return violations_error(&reader.violations, "JSON_INVALID");
}
