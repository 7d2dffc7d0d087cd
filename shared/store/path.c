#include "shared/store/path.h"

#include <assert.h>
#include <string.h>

Path path_resolve(const ProtobufCMessageDescriptor *message, const char *text)
{
    Path path = { .repeated = -1 };

    while (*text) {
        char name[64];
        size_t length = strcspn(text, ".");
        const ProtobufCFieldDescriptor *field;

        assert(message && length < sizeof(name) && path.n_steps < PATH_MAX_STEPS);
        memcpy(name, text, length);
        name[length] = 0;
        field = protobuf_c_message_descriptor_get_field_by_name(message, name);
        assert(field && "an index names a field that the message does not have");
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            assert(path.repeated < 0 && "a path crosses one repeated field at most");
            path.repeated = path.n_steps;
        }
        path.steps[path.n_steps++] = field;
        message = field->type == PROTOBUF_C_TYPE_MESSAGE ? field->descriptor : NULL;
        text += length + (text[length] == '.');
    }
    return path;
}

const ProtobufCFieldDescriptor *path_end(const Path *path)
{
    return path->steps[path->n_steps - 1];
}

const ProtobufCFieldDescriptor *path_field(
    const ProtobufCMessageDescriptor *message, const char *text)
{
    Path path = path_resolve(message, text);

    return path_end(&path);
}

/* The size of one item of a repeated field. */
static size_t item_size(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_ENUM:
        return 4;
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return 8;
    }
}

const void *path_value(const Path *path, const void *message, size_t item)
{
    const char *base = message;

    for (int i = 0; i < path->n_steps; i++) {
        const ProtobufCFieldDescriptor *field = path->steps[i];
        const char *at = base + field->offset;

        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            if (item >= *(const size_t *)(const void *)(base + field->quantifier_offset))
                return NULL;
            at = *(char *const *)(const void *)at + item * item_size(field);
        } else if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
                   *(const uint32_t *)(const void *)(base + field->quantifier_offset) !=
                       field->id) {
            return NULL;
        }
        if (i == path->n_steps - 1)
            return at;
        base = *(char *const *)(const void *)at;
        if (!base)
            return NULL;
    }
    return NULL;
}

size_t path_count(const Path *path, const void *message)
{
    const char *base = message;

    for (int i = 0; i < path->n_steps; i++) {
        const ProtobufCFieldDescriptor *field = path->steps[i];

        if (i == path->repeated)
            return *(const size_t *)(const void *)(base + field->quantifier_offset);
        if (i == path->n_steps - 1)
            return 0;
        base = *(char *const *)(const void *)(base + field->offset);
        if (!base)
            return 0;
    }
    return 0;
}
