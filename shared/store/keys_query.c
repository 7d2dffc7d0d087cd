/* Queries as ranges of index entries. */
#include "shared/store/keys_encode.h"

#include "shared/store/path.h"

#include <string.h>

enum { MICROS = 1000000, NANOS_PER_MICRO = 1000 };

static const Error *query_invalid(Arena *arena, const StoreIndex *index)
{
    return error_new(arena, ERROR_INVALID_ARGUMENT, "QUERY_INVALID",
        "The query's values do not fit the fields of the index %s.",
        index ? index->name : "of names");
}

static Bytes key_bytes(Arena *arena, const KeyBuffer *key)
{
    return (Bytes){ (const uint8_t *)arena_text_of(arena, key->bytes, key->size), key->size };
}

static uint32_t code_point_at(const uint8_t *bytes, size_t size)
{
    uint32_t point = size == 1 ? bytes[0] : bytes[0] & (0x7Fu >> size);

    for (size_t i = 1; i < size; i++)
        point = point << 6 | (bytes[i] & 0x3Fu);
    return point;
}

static size_t write_code_point(uint8_t *bytes, uint32_t point)
{
    size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

    for (size_t i = size - 1; i > 0; i--, point >>= 6)
        bytes[i] = (uint8_t)(0x80 | (point & 0x3F));
    bytes[0] = (uint8_t)(size == 1 ? point : (0xF00u >> size & 0xF0u) | point);
    return size;
}

/* The smallest text behind all those that start with this one; by code points, so that it stays UTF-8. Nothing when there is
 * none. */
static Bytes successor(Arena *arena, Bytes key)
{
    size_t size = key.size;
    uint8_t *bytes = arena_alloc(arena, size + 4);

    if (size)
        memcpy(bytes, key.data, size);
    while (size) {
        size_t start = size - 1;
        uint32_t point;

        while (start && (bytes[start] & 0xC0) == 0x80)
            start--;
        point = code_point_at(bytes + start, size - start) + 1;
        if (point == 0xD800) /* surrogates are no code points of a text */
            point = 0xE000;
        size = start;
        if (point <= 0x10FFFF)
            return (Bytes){ bytes, start + write_code_point(bytes + start, point) };
    }
    return (Bytes){ 0 };
}

static int64_t floor_divide(int64_t value, int64_t divisor)
{
    return value / divisor - (value % divisor < 0);
}

static bool add_enum(KeyBuffer *key, const ProtobufCFieldDescriptor *field, const StoreValue *value)
{
    const ProtobufCEnumValue *known =
        value->kind == STORE_TEXT
            ? protobuf_c_enum_descriptor_get_value_by_name(field->descriptor, value->text)
            : NULL;

    if (value->kind == STORE_TEXT && !known)
        return false;
    key_add_number(key, known ? known->value : value->number, false);
    return value->kind == STORE_TEXT || value->kind == STORE_NUMBER;
}

/* False when a value of this kind cannot be in the field. */
static bool add_value(
    KeyBuffer *key, const ProtobufCFieldDescriptor *field, const StoreValue *value)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        if (value->kind != STORE_TEXT || !value->text)
            return false;
        key_add_text(key, value->text);
        return true;
    case PROTOBUF_C_TYPE_MESSAGE: {
        int64_t seconds = floor_divide(value->number, MICROS);
        int64_t nanos = (value->number - seconds * MICROS) * NANOS_PER_MICRO;

        if (value->kind != STORE_TIME)
            return false;
        key_add_time(key, seconds, (int32_t)nanos);
        return true;
    }
    case PROTOBUF_C_TYPE_ENUM:
        return add_enum(key, field, value);
    case PROTOBUF_C_TYPE_BOOL:
        if (value->kind != STORE_BOOL)
            return false;
        key_add_number(key, value->number != 0, false);
        return true;
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        return false;
    default:
        if (value->kind != STORE_NUMBER)
            return false;
        key_add_number(key, value->number, key_is_unsigned(field));
        return true;
    }
}

/* A bound of the field behind the prefix; false when it does not fit. */
static bool bound(Arena *arena, const KeyBuffer *prefix, const ProtobufCFieldDescriptor *field,
    const StoreValue *value, Bytes *key)
{
    KeyBuffer buffer = *prefix;

    if (!value->kind)
        return true;
    if (!field || !add_value(&buffer, field, value) || buffer.is_too_long)
        return false;
    *key = key_bytes(arena, &buffer);
    return true;
}

static bool add_prefix(Arena *arena, KeyBuffer *key, const ProtobufCFieldDescriptor *field,
    const StoreQuery *query, KeyRange *range)
{
    if (!field || field->type != PROTOBUF_C_TYPE_STRING || query->from.kind || query->below.kind)
        return false;
    key_add_escaped(key, query->prefix);
    range->from = key_bytes(arena, key);
    range->below = successor(arena, range->from);
    return true;
}

static const Error *range_of_names(Arena *arena, const StoreQuery *query, KeyRange *range)
{
    const StoreValue *from = &query->from, *below = &query->below;

    *range = (KeyRange){ 0 };
    if (query->equal[0].kind || (from->kind && from->kind != STORE_TEXT) ||
        (below->kind && below->kind != STORE_TEXT) ||
        (query->prefix && (from->kind || below->kind)))
        return query_invalid(arena, NULL);
    if (from->kind)
        range->from = (Bytes){ (const uint8_t *)from->text, strlen(from->text) };
    if (below->kind)
        range->below = (Bytes){ (const uint8_t *)below->text, strlen(below->text) };
    if (query->prefix) {
        range->from = (Bytes){ (const uint8_t *)query->prefix, strlen(query->prefix) };
        range->below = successor(arena, range->from);
    }
    return NULL;
}

static const Error *range_of_index(Arena *arena, const Collection *collection,
    const StoreIndex *index, const StoreQuery *query, KeyRange *range, bool *is_exact)
{
    const ProtobufCFieldDescriptor *field = NULL;
    KeyBuffer key = { .size = 0 };
    int i;

    for (i = 0; i < STORE_MAX_INDEX_FIELDS && query->equal[i].kind; i++) {
        if (!index->fields[i])
            return query_invalid(arena, index);
        field = path_field(collection->message, index->fields[i]);
        if (!add_value(&key, field, &query->equal[i]) || key.is_too_long)
            return query_invalid(arena, index);
    }
    field = i < STORE_MAX_INDEX_FIELDS && index->fields[i]
                ? path_field(collection->message, index->fields[i])
                : NULL;
    *is_exact = i > 0 && !field;
    range->from = key_bytes(arena, &key);
    range->below = successor(arena, range->from);
    if (query->prefix && query->prefix[0])
        return add_prefix(arena, &key, field, query, range) && !key.is_too_long
                   ? NULL
                   : query_invalid(arena, index);
    if (!bound(arena, &key, field, &query->from, &range->from) ||
        !bound(arena, &key, field, &query->below, &range->below))
        return query_invalid(arena, index);
    return NULL;
}

const Error *keys_of_query(Arena *arena, const Collection *collection, const StoreQuery *query,
    int *index, KeyRange *range, bool *is_exact)
{
    *index = KEYS_BY_NAME;
    *is_exact = false;
    if (!query->index)
        return range_of_names(arena, query, range);
    for (size_t i = 0; i < keys_count_indexes(collection); i++)
        if (text_equal(collection->indexes[i].name, query->index)) {
            *index = (int)i;
            return range_of_index(
                arena, collection, &collection->indexes[i], query, range, is_exact);
        }
    return error_new(arena, ERROR_INVALID_ARGUMENT, "QUERY_UNINDEXED",
        "The collection %s has no index %s.", collection->name, query->index);
}
