/* Messages as no encoder writes them: the wire form of one field deep inside a message type, with any value. */
#ifndef THROUGHLINE_TESTS_FAULT_WIRE_H
#define THROUGHLINE_TESTS_FAULT_WIRE_H

#include "shared/base/arena.h"
#include "shared/base/text.h"

#include <protobuf-c/protobuf-c.h>

enum { WIRE_MAX_DEPTH = 5 };

/* A field that holds no message, and the way down to it. */
typedef struct WireLeaf {
    const char *path; /* as errors name it: "product.variants[0].sku" */
    const ProtobufCFieldDescriptor *way[WIRE_MAX_DEPTH]; /* the leaf itself last */
    int depth;
} WireLeaf;

/* All leaves of a type at most WIRE_MAX_DEPTH deep; types are not entered twice on one way. */
size_t wire_leaves(Arena *arena, const ProtobufCMessageDescriptor *type, WireLeaf **leaves);

const ProtobufCFieldDescriptor *wire_field(const WireLeaf *leaf);

/* A message with this one field in it: a text or bytes, */
Bytes wire_bytes(Arena *arena, const WireLeaf *leaf, Bytes value);
/* an integer, enum or bool, whatever its size on the wire, */
Bytes wire_number(Arena *arena, const WireLeaf *leaf, int64_t value);
/* so many empty items of a repeated field; the leaf's outermost one is meant. */
Bytes wire_items(Arena *arena, const WireLeaf *leaf, size_t count);

#endif
