/* A path is walked from message to message; what it ends at is copied whole. */
#include "shared/codec/mask.h"

#include "shared/base/text.h"
#include "shared/codec/field.h"
#include "shared/codec/message.h"
#include "shared/codec/violations.h"

#include <string.h>

static const char every_field[] = "*";

/* The field called by the first segment of the path; `rest` is what follows it, "" at the end. */
static const Field *first_field(const MessageType *type, const char *path, const char **rest)
{
    size_t length = strcspn(path, ".");
    const char *behind = path + length;

    *rest = *behind ? behind + 1 : behind;
    if (*behind && !**rest)
        return NULL;
    for (unsigned i = 0; i < type->n_fields; i++)
        if (strlen(type->fields[i].name) == length && !memcmp(type->fields[i].name, path, length))
            return &type->fields[i];
    return NULL;
}

static bool is_fixed(const Field *field, const char *const *fixed)
{
    for (; fixed && *fixed; fixed++)
        if (text_equal(field->name, *fixed))
            return true;
    return false;
}

/* Only a sub-message can be entered: an item of a repeated field has no name. */
static const MessageType *inside_of(const Field *field)
{
    bool is_message = field->type == PROTOBUF_C_TYPE_MESSAGE;

    return is_message && field->label != PROTOBUF_C_LABEL_REPEATED ? field->descriptor : NULL;
}

static const char *check_path(
    const ProtobufCMessageDescriptor *type, const char *path, const char *const *fixed)
{
    const char *rest;
    const Field *field = first_field(type, path, &rest);

    if (field && is_fixed(field, fixed))
        return "cannot be changed";
    while (field && *rest) {
        type = inside_of(field);
        field = type ? first_field(type, rest, &rest) : NULL;
    }
    return field ? NULL : "is no field of this message";
}

const Error *mask_check(Arena *arena, const ProtobufCMessageDescriptor *descriptor,
    const char *const *paths, size_t n_paths, const char *const *fixed)
{
    Violations violations = { .arena = arena };

    if (n_paths == 1 && text_equal(paths[0], every_field))
        return NULL;
    for (size_t i = 0; i < n_paths; i++) {
        Path path = { NULL, paths[i], false, 0, NULL };
        const char *wrong = text_equal(paths[i], every_field)
                                ? "must be the only path"
                                : check_path(descriptor, paths[i], fixed);

        if (wrong)
            violations_add(&violations, &path, wrong);
    }
    return violations_error(&violations, "FIELD_INVALID");
}

static void copy_item(Arena *arena, const Field *field, const void *source, void *target)
{
    const ProtobufCBinaryData *bytes = source;

    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        *(char **)target = arena_text(arena, *(const char *const *)source);
        return;
    case PROTOBUF_C_TYPE_BYTES:
        *(ProtobufCBinaryData *)target = (ProtobufCBinaryData){ bytes->len,
            bytes->len ? arena_copy(arena, bytes->data, bytes->len) : NULL };
        return;
    case PROTOBUF_C_TYPE_MESSAGE:
        *(void **)target = message_copy(arena, *(const void *const *)source);
        return;
    default:
        memcpy(target, source, field_item_size(field->type));
    }
}

static void copy_field(Arena *arena, const Field *field, const void *source, void *target)
{
    size_t count = field_count(source, field);
    char *item;

    if (!field_is_present(source, field)) {
        field_clear(target, field);
        return;
    }
    item = field_make(arena, target, field, count);
    for (size_t i = 0; i < count; i++, item += field_item_size(field->type))
        copy_item(arena, field, field_item(source, field, i), item);
}

/* The sub-messages on the way are made in the target; one that is absent in the source counts as empty, but does not
 * bring one to life. */
static void merge_path(Arena *arena, const char *path, const void *source, void *target)
{
    const MessageType *type = ((const ProtobufCMessage *)target)->descriptor;
    const char *rest;
    const Field *field = first_field(type, path, &rest);

    while (field && *rest && inside_of(field)) {
        bool is_given = field_is_present(source, field);

        type = field->descriptor;
        if (!is_given && !field_is_present(target, field))
            return;
        if (!field_is_present(target, field))
            *(void **)field_make(arena, target, field, 1) = message_new(arena, type);
        source = is_given ? *(void *const *)field_item(source, field, 0) : message_new(arena, type);
        target = *(void *const *)field_item(target, field, 0);
        field = first_field(type, rest, &rest);
    }
    if (field && !*rest)
        copy_field(arena, field, source, target);
}

/* The first segment alone decides whether a path is fixed. */
static bool is_path_fixed(const MessageType *type, const char *path, const char *const *fixed)
{
    const char *rest;
    const Field *field = first_field(type, path, &rest);

    return field && is_fixed(field, fixed);
}

void mask_merge(Arena *arena, const void *source, void *target, const char *const *paths,
    size_t n_paths, const char *const *fixed)
{
    const MessageType *type = ((const ProtobufCMessage *)target)->descriptor;
    bool is_every = n_paths == 1 && text_equal(paths[0], every_field);

    for (unsigned i = 0; (is_every || n_paths == 0) && i < type->n_fields; i++) {
        const Field *field = &type->fields[i];

        if (!is_fixed(field, fixed) && (is_every || field_is_present(source, field)))
            copy_field(arena, field, source, target);
    }
    for (size_t i = 0; !is_every && i < n_paths; i++)
        if (!is_path_fixed(type, paths[i], fixed))
            merge_path(arena, paths[i], source, target);
}
