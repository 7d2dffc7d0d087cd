/* Fills by descriptor. Any holds a packed message of a type of proto/ or plain nonsense. */
#include "tests/unit/codec/random_message.h"

#include "proto/descriptor_set.h"
#include "shared/base/text.h"
#include "shared/codec/field.h"
#include "shared/codec/message.h"

#include <math.h>
#include <string.h>

enum { MAX_DEPTH = 4, MAX_ITEMS = 4, MAX_UNKNOWN = 3, FIRST_UNKNOWN_ID = 100000 };

uint64_t random_next(Random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15u; /* splitmix64 */

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint32_t random_below(Random *random, uint32_t below)
{
    return (uint32_t)(random_next(random) >> 33) % below;
}

static int64_t random_number(Random *random)
{
    static const int64_t extremes[] = { 0, 1, -1, INT32_MAX, INT32_MIN, UINT32_MAX, INT64_MAX,
        INT64_MIN, 253402300799, 253402300800, -62135596800, 315576000000, 999999999, 1000000000,
        9007199254740993 };

    if (random_below(random, 2))
        return extremes[random_below(random, COUNT(extremes))];
    return (int64_t)(random_next(random) >> random_below(random, 64));
}

static double random_double(Random *random)
{
    static const double extremes[] = { 0.0, -0.0, 0.1, 1.0 / 3, 1e300, 5e-324, 1e22, 1e21,
        123456789012345680.0, NAN, INFINITY, -INFINITY, 3.4028234663852886e38, 1.17549435e-38 };
    double value;
    uint64_t bits = random_next(random);

    if (random_below(random, 2))
        return extremes[random_below(random, COUNT(extremes))];
    memcpy(&value, &bits, sizeof(value));
    return isnan(value) ? NAN : value;
}

static char *random_text(Random *random, Arena *arena)
{
    static const char *const pieces[] = { "a", "Z", "9", "_", " ", ".", ",", "\"", "\\", "/", "\n",
        "\t", "\x01", "\x7f", "ü", "€", "𝄞", "\u2028", "</script>", "\ufeff", "null",
        "\xf4\x8f\xbf\xbf" };
    char *text = arena_text(arena, "");

    for (uint32_t n = random_below(random, 7); n > 0; n--)
        text = arena_printf(arena, "%s%s", text, pieces[random_below(random, COUNT(pieces))]);
    return text;
}

static void *fill(Random *random, Arena *arena, const MessageType *type, int depth);

static void fill_bytes(Random *random, Arena *arena, ProtobufCBinaryData *bytes)
{
    bytes->len = random_below(random, 20);
    bytes->data = bytes->len ? arena_alloc(arena, bytes->len) : NULL;
    for (size_t i = 0; i < bytes->len; i++)
        bytes->data[i] = (uint8_t)random_next(random);
}

static void fill_enum(Random *random, const ProtobufCEnumDescriptor *type, int *item)
{
    if (random_below(random, 4))
        *item = type->values[random_below(random, type->n_values)].value;
    else
        *item = (int)random_number(random);
}

static void fill_item(Random *random, Arena *arena, const Field *field, void *item, int depth)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        *(char **)item = random_text(random, arena);
        return;
    case PROTOBUF_C_TYPE_BYTES:
        fill_bytes(random, arena, item);
        return;
    case PROTOBUF_C_TYPE_MESSAGE:
        *(void **)item = fill(random, arena, field->descriptor, depth + 1);
        return;
    case PROTOBUF_C_TYPE_ENUM:
        fill_enum(random, field->descriptor, item);
        return;
    case PROTOBUF_C_TYPE_FLOAT:
        *(float *)item = (float)random_double(random);
        return;
    case PROTOBUF_C_TYPE_DOUBLE:
        *(double *)item = random_double(random);
        return;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)item = (int)random_below(random, 2);
        return;
    default:
        while (!field_put_number(field->type, item, random_number(random)))
            continue;
    }
}

/* A map's keys must differ, or JSON keeps only the last. */
static bool has_key(const Field *field, void *const *entries, size_t count, const void *entry)
{
    const Field *key = &((const MessageType *)field->descriptor)->fields[0];
    size_t size = field_item_size(key->type);

    for (size_t i = 0; i < count; i++) {
        const void *a = field_item(entries[i], key, 0);
        const void *b = field_item(entry, key, 0);

        if (key->type == PROTOBUF_C_TYPE_STRING ? text_equal(*(char *const *)a, *(char *const *)b)
                                                : !memcmp(a, b, size))
            return true;
    }
    return false;
}

static void fill_map(Random *random, Arena *arena, void *message, const Field *field, int depth)
{
    size_t wanted = random_below(random, MAX_ITEMS);
    void **entries = field_make(arena, message, field, wanted);
    const Field *value = &((const MessageType *)field->descriptor)->fields[1];
    size_t count = 0;

    for (size_t i = 0; i < wanted; i++) {
        void *entry = fill(random, arena, field->descriptor, depth + 1);
        void **inner = message_field(entry, "value");

        if (value->type == PROTOBUF_C_TYPE_MESSAGE && !*inner)
            *inner = message_new(arena, value->descriptor);
        if (!has_key(field, entries, count, entry))
            entries[count++] = entry;
    }
    *(size_t *)((char *)message + field->quantifier_offset) = count;
}

static void fill_unknown(Random *random, Arena *arena, ProtobufCMessage *message)
{
    static const ProtobufCWireType kinds[] = { PROTOBUF_C_WIRE_TYPE_VARINT,
        PROTOBUF_C_WIRE_TYPE_32BIT, PROTOBUF_C_WIRE_TYPE_64BIT,
        PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED };
    static const uint8_t values[][9] = { { 0x96, 0x01 }, { 1, 2, 3, 4 }, { 1, 2, 3, 4, 5, 6, 7, 8 },
        { 3, 'x', 0, 0xff } };
    static const size_t sizes[] = { 2, 4, 8, 4 };

    message->n_unknown_fields = random_below(random, MAX_UNKNOWN);
    message->unknown_fields = arena_array(arena, MAX_UNKNOWN, sizeof(ProtobufCMessageUnknownField));
    for (unsigned i = 0; i < message->n_unknown_fields; i++) {
        uint32_t kind = random_below(random, COUNT(kinds));

        message->unknown_fields[i] = (ProtobufCMessageUnknownField){
            .tag = FIRST_UNKNOWN_ID + random_below(random, 1u << 28),
            .wire_type = kinds[kind],
            .len = sizes[kind],
            .data = arena_copy(arena, values[kind], sizes[kind]),
        };
    }
}

/* A real message inside, most of the time. */
static void fill_any(Random *random, Arena *arena, void *any, int depth)
{
    const MessageType *type =
        throughline_messages[random_below(random, (uint32_t)throughline_n_messages)];
    ProtobufCBinaryData *value = message_field(any, "value");
    Bytes bytes;

    if (depth >= MAX_DEPTH || random_below(random, 4) == 0)
        return;
    bytes = message_pack(arena, fill(random, arena, type, depth + 1));
    *(char **)message_field(any, "type_url") =
        arena_printf(arena, "type.googleapis.com/%s", type->name);
    value->len = bytes.size;
    value->data = bytes.size ? arena_copy(arena, bytes.data, bytes.size) : NULL;
}

static void *fill(Random *random, Arena *arena, const MessageType *type, int depth)
{
    void *message = message_new(arena, type);
    bool is_entry = text_ends_with(type->name, "Entry");

    for (unsigned i = 0; i < type->n_fields; i++) {
        const Field *field = &type->fields[i];
        bool is_message = field->type == PROTOBUF_C_TYPE_MESSAGE;
        bool is_needed = is_entry || field->label == PROTOBUF_C_LABEL_REQUIRED;
        size_t count = 1;
        char *item;

        if ((is_message && depth >= MAX_DEPTH) || (!is_needed && random_below(random, 3) == 0))
            continue;
        if (field_is_map(type, field)) {
            fill_map(random, arena, message, field, depth);
            continue;
        }
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
            count = random_below(random, MAX_ITEMS);
        item = field_make(arena, message, field, count);
        for (size_t n = 0; n < count; n++, item += field_item_size(field->type))
            fill_item(random, arena, field, item, depth);
    }
    if (text_equal(type->name, "google.protobuf.Any"))
        fill_any(random, arena, message, depth);
    if (random->with_unknown)
        fill_unknown(random, arena, message);
    return message;
}

void *random_message(Random *random, Arena *arena, const ProtobufCMessageDescriptor *type)
{
    return fill(random, arena, type, 0);
}
