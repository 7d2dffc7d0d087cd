#include "shared/store/keys_encode.h"

#include "shared/store/path.h"

#include <google/protobuf/timestamp.pb-c.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    TEXT_END = 0x01,    /* sorts before every other byte of a text */
    TEXT_ESCAPE = 0x02, /* before 0x01 and 0x02 inside a text */
    PACK_HEAD = 3,      /* index and length of an entry */
};

typedef struct EntryList {
    IndexEntry *items;
    size_t count, room;
} EntryList;

static bool is_time(const ProtobufCFieldDescriptor *field)
{
    return field->type == PROTOBUF_C_TYPE_MESSAGE &&
           field->descriptor == &google__protobuf__timestamp__descriptor;
}

static bool is_text(const ProtobufCFieldDescriptor *field)
{
    return field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_BYTES;
}

bool key_is_unsigned(const ProtobufCFieldDescriptor *field)
{
    return field->type == PROTOBUF_C_TYPE_UINT64 || field->type == PROTOBUF_C_TYPE_FIXED64;
}

static void key_add(KeyBuffer *key, const void *bytes, size_t size)
{
    if (key->size + size > sizeof(key->bytes)) {
        key->is_too_long = true;
        return;
    }
    memcpy(key->bytes + key->size, bytes, size);
    key->size += size;
}

static void key_add_hex(KeyBuffer *key, uint64_t value, size_t digits)
{
    char text[16];

    for (size_t i = digits; i-- > 0; value >>= 4)
        text[i] = "0123456789abcdef"[value & 0xf];
    key_add(key, text, digits);
}

void key_add_number(KeyBuffer *key, int64_t value, bool is_unsigned)
{
    key_add_hex(key, is_unsigned ? (uint64_t)value : (uint64_t)value ^ (UINT64_C(1) << 63), 16);
}

void key_add_escaped(KeyBuffer *key, const char *text)
{
    for (; *text; text++) {
        if (*text == TEXT_END || *text == TEXT_ESCAPE)
            key_add(key, (const char[]){ TEXT_ESCAPE }, 1);
        key_add(key, text, 1);
    }
}

void key_add_text(KeyBuffer *key, const char *text)
{
    key_add_escaped(key, text);
    key_add(key, (const char[]){ TEXT_END }, 1);
}

void key_add_time(KeyBuffer *key, int64_t seconds, int32_t nanos)
{
    key_add_number(key, seconds, false);
    key_add_hex(key, (uint64_t)(uint32_t)nanos, 8);
}

static void key_add_double(KeyBuffer *key, double value)
{
    uint64_t bits;

    if (value == 0)
        value = 0; /* -0 and 0 are one value */
    memcpy(&bits, &value, sizeof(bits));
    key_add_hex(key, bits >> 63 ? ~bits : bits | (UINT64_C(1) << 63), 16);
}

static void key_add_bytes(KeyBuffer *key, const ProtobufCBinaryData *bytes)
{
    for (size_t i = 0; i < bytes->len; i++)
        key_add_hex(key, bytes->data[i], 2);
    key_add(key, (const char[]){ TEXT_END }, 1);
}

static int64_t integer_at(const ProtobufCFieldDescriptor *field, const void *value)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_ENUM:
        return *(const int32_t *)value;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return *(const uint32_t *)value;
    case PROTOBUF_C_TYPE_BOOL:
        return *(const protobuf_c_boolean *)value != 0;
    default:
        return *(const int64_t *)value;
    }
}

/* Adds one value, or the default when there is none; false when it is the default. */
static bool key_add_value(KeyBuffer *key, const ProtobufCFieldDescriptor *field, const void *value)
{
    static const ProtobufCBinaryData no_bytes;

    if (is_time(field)) {
        const Google__Protobuf__Timestamp *time = value ? *(void *const *)value : NULL;
        key_add_time(key, time ? time->seconds : 0, time ? time->nanos : 0);
        return time;
    }
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        const char *text = value ? *(char *const *)value : NULL;
        key_add_text(key, text ? text : "");
        return !text_is_empty(text);
    }
    if (field->type == PROTOBUF_C_TYPE_BYTES) {
        const ProtobufCBinaryData *bytes = value ? value : &no_bytes;
        key_add_bytes(key, bytes);
        return bytes->len > 0;
    }
    if (field->type == PROTOBUF_C_TYPE_DOUBLE || field->type == PROTOBUF_C_TYPE_FLOAT) {
        double number = 0;
        if (value)
            number = field->type == PROTOBUF_C_TYPE_DOUBLE ? *(const double *)value
                                                           : (double)*(const float *)value;
        key_add_double(key, number);
        return number != 0;
    }
    assert(field->type != PROTOBUF_C_TYPE_MESSAGE && "an index ends at a value or a Timestamp");
    key_add_number(key, value ? integer_at(field, value) : 0, key_is_unsigned(field));
    return value && integer_at(field, value) != 0;
}

static const Error *key_too_long(Arena *arena, const StoreIndex *index)
{
    return error_new(arena, ERROR_INVALID_ARGUMENT, "INDEX_KEY_TOO_LONG",
        "The fields of the index %s are longer than %d bytes together.", index->name,
        KEYS_MAX_BYTES);
}

static int n_fields(const StoreIndex *index)
{
    int n = 0;

    while (n < STORE_MAX_INDEX_FIELDS && index->fields[n])
        n++;
    return n;
}

static const Error *add_entry(Arena *arena, EntryList *list, int index, const KeyBuffer *key)
{
    static const Error too_many = { ERROR_INVALID_ARGUMENT, "INDEX_TOO_MANY_ENTRIES",
        "A document has at most 4096 values in its indexes." };

    if (list->count == KEYS_MAX_ENTRIES)
        return &too_many;
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 16;
        list->items = arena_grow(arena, list->items, list->count, room, sizeof(IndexEntry));
        list->room = room;
    }
    list->items[list->count++] = (IndexEntry){ index,
        { (const uint8_t *)arena_text_of(arena, key->bytes, key->size), key->size } };
    return NULL;
}

/* An empty text in a unique index means "has none", and so does an entry of nothing but defaults. */
static const Error *add_entries(
    Arena *arena, const Collection *collection, int number, const void *message, EntryList *list)
{
    const StoreIndex *index = &collection->indexes[number];
    Path paths[STORE_MAX_INDEX_FIELDS];
    size_t n_items = 1;
    int n = n_fields(index);

    for (int i = 0; i < n; i++)
        paths[i] = path_resolve(collection->message, index->fields[i]);
    if (paths[0].repeated >= 0)
        n_items = path_count(&paths[0], message);
    for (size_t item = 0; item < (n_items ? n_items : 1); item++) {
        KeyBuffer key = { .size = 0 };
        bool has_value = false, lacks_text = false;
        const Error *error;

        for (int i = 0; i < n; i++) {
            const ProtobufCFieldDescriptor *end = path_end(&paths[i]);
            bool is_set = key_add_value(&key, end, path_value(&paths[i], message, item));

            has_value |= is_set;
            lacks_text |= !is_set && (is_text(end) || is_time(end));
        }
        if (key.is_too_long)
            return key_too_long(arena, index);
        if (index->is_unique && (lacks_text || !has_value))
            continue;
        if ((error = add_entry(arena, list, number, &key)))
            return error;
    }
    return NULL;
}

int keys_compare(Bytes a, Bytes b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size ? memcmp(a.data, b.data, size) : 0;

    if (order)
        return order < 0 ? -1 : 1;
    return a.size < b.size ? -1 : a.size > b.size;
}

static int compare_entries(const void *a, const void *b)
{
    const IndexEntry *one = a, *other = b;

    return one->index != other->index ? one->index - other->index
                                      : keys_compare(one->key, other->key);
}

const Error *keys_of_message(Arena *arena, const Collection *collection, const void *message,
    IndexEntry **entries, size_t *n_entries)
{
    EntryList list = { 0 };
    size_t kept = 0;
    const Error *error;

    for (size_t i = 0; i < keys_count_indexes(collection); i++)
        if ((error = add_entries(arena, collection, (int)i, message, &list)))
            return error;
    if (list.count)
        qsort(list.items, list.count, sizeof(*list.items), compare_entries);
    for (size_t i = 0; i < list.count; i++)
        if (!kept || compare_entries(&list.items[kept - 1], &list.items[i]))
            list.items[kept++] = list.items[i];
    *entries = list.items;
    *n_entries = kept;
    return NULL;
}

size_t keys_count_indexes(const Collection *collection)
{
    size_t n = 0;

    while (n < STORE_MAX_INDEXES && collection->indexes[n].name)
        n++;
    return n;
}

bool keys_is_repeated(const Collection *collection, int index)
{
    return index != KEYS_BY_NAME &&
           path_resolve(collection->message, collection->indexes[index].fields[0]).repeated >= 0;
}

bool keys_uses_field(const Collection *collection, const char *field)
{
    size_t length = strlen(field);

    for (size_t i = 0; i < keys_count_indexes(collection); i++)
        for (int j = 0; j < n_fields(&collection->indexes[i]); j++) {
            const char *path = collection->indexes[i].fields[j];

            if (!strncmp(path, field, length) && (!path[length] || path[length] == '.'))
                return true;
        }
    return false;
}

const char *keys_signature(Arena *arena, const Collection *collection, int index)
{
    const StoreIndex *it = &collection->indexes[index];
    const char *text = it->is_unique ? "unique" : "plain";

    for (int i = 0; i < n_fields(it); i++) {
        Path path = path_resolve(collection->message, it->fields[i]);
        text = arena_printf(arena, "%s %s:%d", text, it->fields[i], (int)path_end(&path)->type);
    }
    return text;
}

bool keys_in_range(Bytes key, const KeyRange *range)
{
    return keys_compare(key, range->from) >= 0 &&
           (!range->below.size || keys_compare(key, range->below) < 0);
}

Bytes keys_pack(Arena *arena, const IndexEntry *entries, size_t n_entries)
{
    size_t size = 0;
    uint8_t *packed, *at;

    for (size_t i = 0; i < n_entries; i++)
        size += PACK_HEAD + entries[i].key.size;
    at = packed = arena_alloc(arena, size);
    for (size_t i = 0; i < n_entries; i++) {
        size_t length = entries[i].key.size;

        *at++ = (uint8_t)entries[i].index;
        *at++ = (uint8_t)(length >> 8);
        *at++ = (uint8_t)length;
        memcpy(at, entries[i].key.data, length);
        at += length;
    }
    return (Bytes){ packed, size };
}

bool keys_unpack(Arena *arena, Bytes packed, IndexEntry **entries, size_t *n_entries)
{
    const uint8_t *at = packed.data, *end = packed.size ? at + packed.size : at;
    IndexEntry *items = NULL;
    size_t count = 0, room = 0;

    while (at < end) {
        size_t length;

        if (end - at < PACK_HEAD)
            return false;
        length = (size_t)at[1] << 8 | at[2];
        if ((size_t)(end - at) - PACK_HEAD < length || at[0] >= STORE_MAX_INDEXES)
            return false;
        if (count == room) {
            room = room ? room * 2 : 16;
            items = arena_grow(arena, items, count, room, sizeof(*items));
        }
        items[count++] = (IndexEntry){ at[0], { at + PACK_HEAD, length } };
        at += PACK_HEAD + length;
    }
    *entries = items;
    *n_entries = count;
    return true;
}

bool keys_meet_first(const IndexEntry *entries, size_t n_entries, int index, const KeyRange *range,
    bool is_descending, Bytes key)
{
    const IndexEntry *first = NULL;

    for (size_t i = 0; i < n_entries; i++) {
        if (entries[i].index != index || !keys_in_range(entries[i].key, range))
            continue;
        if (!first || is_descending)
            first = &entries[i];
    }
    return first && !keys_compare(first->key, key);
}
