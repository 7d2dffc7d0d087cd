/* The codec under hostile bytes. Two bytes choose the type (0 is the one with every kind of field), the third says what the rest is:
 * wire form, JSON or BSON. What a reader accepts must survive every writer and be read again as the same. */
#include "everything.pb-c.h"
#include "proto/descriptor_set.h"
#include "shared/codec/bson.h"
#include "shared/codec/field.h"
#include "shared/codec/json.h"
#include "shared/codec/message.h"
#include "shared/codec/scan.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_SIZE = 3 };

typedef enum Form { FORM_WIRE, FORM_JSON, FORM_BSON, FORM_COUNT } Form;

/* A float's signalling NaN comes back from a double as a quiet one. */
static void quiet_nans(void *message)
{
    const MessageType *type = ((ProtobufCMessage *)message)->descriptor;

    for (unsigned i = 0; i < type->n_fields; i++) {
        const Field *field = &type->fields[i];
        size_t count = field_is_present(message, field) ? field_count(message, field) : 0;

        for (size_t n = 0; n < count; n++) {
            void *item = (void *)field_item(message, field, n);

            if (field->type == PROTOBUF_C_TYPE_MESSAGE)
                quiet_nans(*(void **)item);
            else if (field->type == PROTOBUF_C_TYPE_FLOAT && isnan(*(float *)item))
                *(float *)item = NAN;
        }
    }
}

static void check_wire(Arena *arena, const ProtobufCMessage *message)
{
    Bytes bytes = message_pack(arena, message);
    void *back;

    must(!scan_message(arena, message->descriptor, bytes));
    back = message_unpack(arena, message->descriptor, bytes);
    must(back && message_equal(back, message));
}

static void check_bson(Arena *arena, const ProtobufCMessage *message)
{
    ProtobufCMessage *back = message_new(arena, message->descriptor);
    bson_t document = BSON_INITIALIZER;

    bson_append_message(&document, message);
    must(!bson_read_message(arena, &document, back));
    must(message_equal(back, message));
    bson_destroy(&document);
}

/* JSON leaves out unknown fields and repeated keys, so it is the text that must not change any more. */
static void check_json(Arena *arena, const ProtobufCMessage *message)
{
    char *first = json_from_message(arena, message, JSON_COMPACT);
    Bytes text = { (const uint8_t *)first, strlen(first) };
    void *back;

    must(!json_to_message(arena, message->descriptor, text, &back));
    must(!strcmp(first, json_from_message(arena, back, JSON_COMPACT)));
    json_from_message(arena, message, JSON_PRETTY);
    json_from_message(arena, message, JSON_WITH_DEFAULTS);
}

static void *read_form(Arena *arena, Form form, const MessageType *type, Bytes bytes)
{
    void *message = NULL;
    bson_t document;

    switch (form) {
    case FORM_WIRE:
        if (scan_message(arena, type, bytes))
            return NULL;
        message = message_unpack(arena, type, bytes);
        must(message);
        return message;
    case FORM_JSON:
        return json_to_message(arena, type, bytes, &message) ? NULL : message;
    default:
        message = message_new(arena, type);
        if (!bson_init_static(&document, bytes.data, bytes.size) ||
            bson_read_message(arena, &document, message))
            return NULL;
        /* The store reads only what it wrote: that proto2's required fields are there is not asked of it. */
        return scan_message(arena, type, message_pack(arena, message)) ? NULL : message;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const MessageType *type = &throughline__test__v1__everything__descriptor;
    Arena *arena;
    size_t choice;
    void *message;

    if (size < HEADER_SIZE)
        return 0;
    choice = (data[0] | (size_t)data[1] << 8) % (throughline_n_messages + 1);
    if (choice)
        type = throughline_messages[choice - 1];
    arena = arena_new();
    message = read_form(arena, (Form)(data[2] % FORM_COUNT), type,
        (Bytes){ data + HEADER_SIZE, size - HEADER_SIZE });
    if (message) {
        quiet_nans(message);
        check_wire(arena, message);
        check_bson(arena, message);
        check_json(arena, message);
    }
    arena_free(arena);
    return 0;
}
