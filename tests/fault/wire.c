#include "tests/fault/wire.h"

#include <string.h>

enum { VARINT_BYTES = 10, WIRE_TYPE_BITS = 3, MAX_HEAD = 2 * VARINT_BYTES, MAX_LEAVES = 1024 };

typedef struct Walk {
    Arena *arena;
    WireLeaf *leaves;
    size_t count;
} Walk;

static size_t put_varint(uint8_t *at, uint64_t value)
{
    size_t n = 0;

    for (; value > 0x7f; value >>= 7)
        at[n++] = (uint8_t)(value | 0x80);
    at[n++] = (uint8_t)value;
    return n;
}

static size_t put_tag(uint8_t *at, const ProtobufCFieldDescriptor *field, unsigned wire_type)
{
    return put_varint(at, (uint64_t)field->id << WIRE_TYPE_BITS | wire_type);
}

static void walk(Walk *state, const ProtobufCMessageDescriptor *type, const WireLeaf *above)
{
    for (int i = 0; i < above->depth; i++)
        if (i > 0 && above->way[i - 1]->descriptor == type)
            return;
    for (unsigned i = 0; i < type->n_fields && above->depth < WIRE_MAX_DEPTH; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        WireLeaf leaf = *above;

        leaf.path = arena_printf(state->arena, "%s%s%s%s", above->path, *above->path ? "." : "",
            field->name, field->label == PROTOBUF_C_LABEL_REPEATED ? "[0]" : "");
        leaf.way[leaf.depth++] = field;
        if (field->type == PROTOBUF_C_TYPE_MESSAGE)
            walk(state, field->descriptor, &leaf);
        else if (state->count < MAX_LEAVES)
            state->leaves[state->count++] = leaf;
    }
}

size_t wire_leaves(Arena *arena, const ProtobufCMessageDescriptor *type, WireLeaf **leaves)
{
    Walk state = { arena, arena_array(arena, MAX_LEAVES, sizeof(WireLeaf)), 0 };

    walk(&state, type, &(WireLeaf){ .path = "" });
    *leaves = state.leaves;
    return state.count;
}

const ProtobufCFieldDescriptor *wire_field(const WireLeaf *leaf)
{
    return leaf->way[leaf->depth - 1];
}

static Bytes with_length(Arena *arena, const ProtobufCFieldDescriptor *field, Bytes value)
{
    uint8_t *bytes = arena_alloc(arena, value.size + MAX_HEAD);
    size_t n = put_tag(bytes, field, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED);

    n += put_varint(bytes + n, value.size);
    if (value.size)
        memcpy(bytes + n, value.data, value.size);
    return (Bytes){ bytes, n + value.size };
}

/* Into the messages above it, from the inside out. */
static Bytes wrap(Arena *arena, const WireLeaf *leaf, Bytes bytes)
{
    for (int i = leaf->depth - 2; i >= 0; i--)
        bytes = with_length(arena, leaf->way[i], bytes);
    return bytes;
}

Bytes wire_bytes(Arena *arena, const WireLeaf *leaf, Bytes value)
{
    return wrap(arena, leaf, with_length(arena, wire_field(leaf), value));
}

static size_t put_number(uint8_t *at, const ProtobufCFieldDescriptor *field, int64_t value)
{
    size_t size = 0;
    size_t n;

    switch (field->type) {
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        n = put_tag(at, field, PROTOBUF_C_WIRE_TYPE_32BIT);
        size = 4;
        break;
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        n = put_tag(at, field, PROTOBUF_C_WIRE_TYPE_64BIT);
        size = 8;
        break;
    default:
        n = put_tag(at, field, PROTOBUF_C_WIRE_TYPE_VARINT);
        return n + put_varint(at + n, (uint64_t)value);
    }
    memcpy(at + n, &value, size);
    return n + size;
}

Bytes wire_number(Arena *arena, const WireLeaf *leaf, int64_t value)
{
    uint8_t *bytes = arena_alloc(arena, MAX_HEAD);
    size_t size = put_number(bytes, wire_field(leaf), value);

    return wrap(arena, leaf, (Bytes){ bytes, size });
}

Bytes wire_items(Arena *arena, const WireLeaf *leaf, size_t count)
{
    uint8_t *bytes = arena_array(arena, count, MAX_HEAD);
    Bytes item = with_length(arena, leaf->way[0], (Bytes){ 0 });

    for (size_t i = 0; i < count; i++)
        memcpy(bytes + i * item.size, item.data, item.size);
    return (Bytes){ bytes, count * item.size };
}
