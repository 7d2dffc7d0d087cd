/* A recursive walk over the wire, as deep as SCAN_MAX_DEPTH at most. It is stricter than protobuf-c's unpack in every point, so
 * that what passes here can't fail there. */
#include "shared/codec/scan.h"

#include "shared/codec/field.h"
#include "shared/codec/violations.h"

#include <assert.h>
#include <string.h>

enum {
    TAG_BYTES = 5, /* a field number has 29 bits, the wire type 3 */
    LENGTH_BYTES = 5,
    VARINT_BYTES = 10,
    WIRE_TYPE_BITS = 3,
};

typedef struct Scan {
    const MessageType *root;
    const uint8_t *start; /* of the whole input */
    uint32_t items;
    uint32_t unknown;
    Violations violations;
} Scan;

/* One message on the way down. */
typedef struct Frame {
    const MessageType *type;
    const uint8_t *at, *end;
    const Path *path; /* NULL for the outermost */
    int depth;
    uint16_t counts[SCAN_MAX_FIELDS]; /* how often each field was there, packed items one by one */
} Frame;

static const Error too_many_items = { ERROR_INVALID_ARGUMENT, "MESSAGE_TOO_MANY_ITEMS",
    "A message holds at most 20000 items of repeated fields and 1000 unknown fields." };
static const Error too_deep = { ERROR_INVALID_ARGUMENT, "MESSAGE_TOO_DEEP",
    "Messages nest at most 64 deep." };

_Static_assert(SCAN_MAX_ITEMS == 20000 && SCAN_MAX_UNKNOWN == 1000 && SCAN_MAX_DEPTH == 64,
    "the texts above say so");
_Static_assert(SCAN_MAX_ITEMS < UINT16_MAX, "Frame.counts");

static const Error *malformed(Scan *scan, const uint8_t *at, const char *what)
{
    return error_new(scan->violations.arena, ERROR_INVALID_ARGUMENT, "MESSAGE_MALFORMED",
        "The bytes are not a %s: %s at byte %td.", scan->root->name, what, at - scan->start);
}

/* Bytes of the varint at `at`, 0 when it does not end in time. */
static size_t varint_size(const uint8_t *at, const uint8_t *end, size_t max)
{
    size_t left = (size_t)(end - at);

    for (size_t i = 0; i < left && i < max; i++)
        if (at[i] < 0x80)
            return i + 1;
    return 0;
}

/* A varint of at most five bytes; false when it is longer or above 32 bits. */
static bool read_small(Frame *frame, size_t max, uint32_t *value)
{
    size_t size = varint_size(frame->at, frame->end, max);
    uint64_t wide = 0;

    for (size_t i = 0; i < size; i++)
        wide |= (uint64_t)(frame->at[i] & 0x7f) << (7 * i);
    if (size == 0 || wide > UINT32_MAX)
        return false;
    frame->at += size;
    *value = (uint32_t)wide;
    return true;
}

static const Error *count_items(Scan *scan, uint16_t *count, size_t more)
{
    if (more > SCAN_MAX_ITEMS || scan->items + more > SCAN_MAX_ITEMS)
        return &too_many_items;
    scan->items += (uint32_t)more;
    *count = (uint16_t)(*count + more);
    return NULL;
}

/* Everything that one occurrence of a field may be: its value runs from frame->at to `end`. */
static const Error *scan_packed(
    Scan *scan, Frame *frame, const Field *field, const uint8_t *end, uint16_t *count)
{
    const uint8_t *at = frame->at;
    size_t size = (size_t)(end - at);
    size_t item = field_item_size(field->type);
    size_t items = 0;

    if (field_wire_type(field->type) != PROTOBUF_C_WIRE_TYPE_VARINT) {
        if (size % item)
            return malformed(scan, at, "a packed field of broken length");
        return count_items(scan, count, size / item);
    }
    for (; at < end; items++) {
        size_t step = varint_size(at, end, VARINT_BYTES);

        if (step == 0)
            return malformed(scan, at, "a number that does not end");
        /* protobuf-c takes one byte a packed bool, 0 or 1. */
        if (field->type == PROTOBUF_C_TYPE_BOOL && (step > 1 || *at > 1))
            return malformed(scan, at, "a bool that is neither true nor false");
        at += step;
    }
    return count_items(scan, count, items);
}

static void scan_text(Scan *scan, const Path *path, const uint8_t *text, size_t size)
{
    if (text_is_utf8(text, size))
        return;
    violations_add(&scan->violations, path,
        memchr(text, '\0', size) ? "must not contain a NUL character" : "must be valid UTF-8");
}

static const Error *scan_body(Scan *scan, Frame *frame);

static const Error *scan_nested_body(
    Scan *scan, const Frame *parent, const Field *field, const Path *path, const uint8_t *end)
{
    Frame frame;

    if (parent->depth == SCAN_MAX_DEPTH)
        return &too_deep;
    frame.type = field->descriptor;
    frame.at = parent->at;
    frame.end = end;
    frame.path = path;
    frame.depth = parent->depth + 1;
    return scan_body(scan, &frame);
}

/* A field of the message's own type: counts it, then looks inside. */
static const Error *scan_field(
    Scan *scan, Frame *frame, const Field *field, unsigned wire_type, const uint8_t *end)
{
    uint16_t *count = &frame->counts[field - frame->type->fields];
    bool is_repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
    bool is_message = field->type == PROTOBUF_C_TYPE_MESSAGE;
    Path path = { frame->path, field->name, is_repeated, *count, NULL };
    const Error *error;

    if (wire_type != field_wire_type(field->type)) {
        if (is_repeated && wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
            return scan_packed(scan, frame, field, end, count);
        return malformed(scan, frame->at, "a field of another type");
    }
    if (is_message && !is_repeated && *count)
        return malformed(scan, frame->at, "a sub-message that was there before");
    if (!is_repeated && !*count)
        *count = 1;
    else if ((error = count_items(scan, count, 1)))
        return error;
    if (is_message)
        return scan_nested_body(scan, frame, field, &path, end);
    if (field->type == PROTOBUF_C_TYPE_STRING)
        scan_text(scan, &path, frame->at, (size_t)(end - frame->at));
    return NULL;
}

/* Where the value at frame->at ends; a length is stepped over. NULL when it does not end inside the message. */
static const uint8_t *value_end(Frame *frame, unsigned wire_type)
{
    size_t left;
    size_t size;
    uint32_t length;

    switch (wire_type) {
    case PROTOBUF_C_WIRE_TYPE_VARINT:
        size = varint_size(frame->at, frame->end, VARINT_BYTES);
        if (size == 0)
            return NULL;
        break;
    case PROTOBUF_C_WIRE_TYPE_64BIT:
        size = 8;
        break;
    case PROTOBUF_C_WIRE_TYPE_32BIT:
        size = 4;
        break;
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
        if (!read_small(frame, LENGTH_BYTES, &length))
            return NULL;
        size = length;
        break;
    default:
        return NULL;
    }
    left = (size_t)(frame->end - frame->at);
    return size <= left ? frame->at + size : NULL;
}

static void scan_required(Scan *scan, const Frame *frame)
{
    for (unsigned i = 0; i < frame->type->n_fields; i++) {
        const Field *field = &frame->type->fields[i];
        Path path = { frame->path, field->name, false, 0, NULL };

        if (field->label == PROTOBUF_C_LABEL_REQUIRED && !frame->counts[i])
            violations_add(&scan->violations, &path, "is missing");
    }
}

static const Error *scan_body(Scan *scan, Frame *frame)
{
    assert(frame->type->n_fields <= SCAN_MAX_FIELDS);
    memset(frame->counts, 0, frame->type->n_fields * sizeof(*frame->counts));
    while (frame->at < frame->end) {
        const uint8_t *start = frame->at;
        const Field *field;
        const uint8_t *end;
        const Error *error;
        unsigned wire_type;
        uint32_t tag;

        if (!read_small(frame, TAG_BYTES, &tag) || tag >> WIRE_TYPE_BITS == 0)
            return malformed(scan, start, "a broken tag");
        wire_type = tag & ((1u << WIRE_TYPE_BITS) - 1);
        end = value_end(frame, wire_type);
        if (!end)
            return malformed(scan, start, "a field that does not end");
        field = field_by_id(frame->type, tag >> WIRE_TYPE_BITS);
        if (!field && ++scan->unknown > SCAN_MAX_UNKNOWN)
            return &too_many_items;
        if (field && (error = scan_field(scan, frame, field, wire_type, end)))
            return error;
        frame->at = end;
    }
    scan_required(scan, frame);
    return NULL;
}

const Error *scan_nested(
    Arena *arena, const ProtobufCMessageDescriptor *descriptor, Bytes bytes, int depth)
{
    Scan scan = { .root = descriptor, .start = bytes.data, .violations = { .arena = arena } };
    Frame frame = { .type = descriptor, .at = bytes.data, .end = bytes.data, .depth = depth };
    const Error *error;

    if (bytes.size) /* nothing may be added to NULL, not even 0 */
        frame.end += bytes.size;
    if (depth > SCAN_MAX_DEPTH)
        return &too_deep;
    error = scan_body(&scan, &frame);
    return error ? error : violations_error(&scan.violations, "FIELD_INVALID");
}

const Error *scan_message(Arena *arena, const ProtobufCMessageDescriptor *descriptor, Bytes bytes)
{
    return scan_nested(arena, descriptor, bytes, 0);
}
