#include "shared/rpc/descriptors.h"

#include "shared/codec/message.h"

#include "descriptor_set.h"
#include "google/protobuf/descriptor.pb-c.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

typedef Google__Protobuf__FileDescriptorProto File;
typedef Google__Protobuf__DescriptorProto Message;
typedef Google__Protobuf__EnumDescriptorProto Enum;
typedef Google__Protobuf__FieldDescriptorProto Field;
typedef Google__Protobuf__ServiceDescriptorProto ServiceProto;

/* Constant once it is read: made of the compiled-in set and nothing else. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct {
    Arena *arena;
    const Google__Protobuf__FileDescriptorSet *set;
    Bytes *raw; /* each file as it is in the set, where it lies */
} index_;

static size_t read_varint(const uint8_t *at, size_t *value)
{
    size_t n = 0;

    *value = 0;
    do
        *value |= (size_t)(at[n] & 0x7f) << (7 * n);
    while (at[n++] & 0x80);
    return n;
}

/* The set is nothing but its files: tag 1, length, bytes. */
static void find_raw(void)
{
    const uint8_t *at = throughline_descriptor_set;

    for (size_t i = 0; i < index_.set->n_file; i++) {
        size_t size;

        assert(*at == (1 << 3 | PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED));
        at += 1 + read_varint(at + 1, &size);
        index_.raw[i] = (Bytes){ at, size };
        at += size;
    }
    assert(at == throughline_descriptor_set_end);
}

static void read_set(void)
{
    size_t size = (size_t)(throughline_descriptor_set_end - throughline_descriptor_set);

    index_.arena = arena_new();
    index_.set = message_unpack(index_.arena, &google__protobuf__file_descriptor_set__descriptor,
        (Bytes){ throughline_descriptor_set, size });
    assert(index_.set);
    index_.raw = arena_array(index_.arena, index_.set->n_file, sizeof(Bytes));
    find_raw();
}

static int n_files(void)
{
    pthread_once(&once, read_set);
    return (int)index_.set->n_file;
}

int descriptors_file_named(const char *name)
{
    for (int i = 0; i < n_files(); i++)
        if (text_equal(index_.set->file[i]->name, name))
            return i;
    return -1;
}

/* What follows `name` and a dot in `path`; "" when that is all; NULL when it begins with
 * something else. */
static const char *behind(const char *path, const char *name)
{
    size_t length = strlen(name);

    if (length == 0)
        return path;
    if (!text_starts_with(path, name))
        return NULL;
    if (path[length] == '\0')
        return path + length;
    return path[length] == '.' && path[length + 1] ? path + length + 1 : NULL;
}

static bool has_field(Field *const *fields, size_t count, const char *path)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal(fields[i]->name, path))
            return true;
    return false;
}

/* Values of an enum are named beside it, not inside. */
static bool has_enum(Enum *const *enums, size_t count, const char *path)
{
    for (size_t i = 0; i < count; i++) {
        if (text_equal(enums[i]->name, path))
            return true;
        for (size_t v = 0; v < enums[i]->n_value; v++)
            if (text_equal(enums[i]->value[v]->name, path))
                return true;
    }
    return false;
}

static bool has_oneof(const Message *message, const char *path)
{
    for (size_t i = 0; i < message->n_oneof_decl; i++)
        if (text_equal(message->oneof_decl[i]->name, path))
            return true;
    return false;
}

/* Down the dotted path, one message a step; a path that ends at a message is found too. */
static const Message *descend(Message *const *messages, size_t count, const char **path)
{
    const Message *inside = NULL;

    for (size_t i = 0; i < count; i++) {
        const char *rest = behind(*path, messages[i]->name);

        if (!rest)
            continue;
        inside = messages[i];
        *path = rest;
        count = inside->n_nested_type;
        messages = inside->nested_type;
        i = (size_t)-1;
        if (!*rest)
            break;
    }
    return inside;
}

static bool message_has(const Message *message, const char *path)
{
    return !*path || has_field(message->field, message->n_field, path) ||
           has_field(message->extension, message->n_extension, path) ||
           has_enum(message->enum_type, message->n_enum_type, path) || has_oneof(message, path);
}

static bool service_has(const ServiceProto *service, const char *path)
{
    const char *rest = behind(path, service->name);

    if (!rest)
        return false;
    for (size_t i = 0; i < service->n_method; i++)
        if (text_equal(service->method[i]->name, rest))
            return true;
    return !*rest;
}

static bool file_has(const File *file, const char *symbol)
{
    const char *path = behind(symbol, file->package ? file->package : "");
    const char *inside = path;
    const Message *message;

    if (!path || !*path)
        return false;
    message = descend(file->message_type, file->n_message_type, &inside);
    if (message && message_has(message, inside))
        return true;
    for (size_t i = 0; i < file->n_service; i++)
        if (service_has(file->service[i], path))
            return true;
    return has_enum(file->enum_type, file->n_enum_type, path) ||
           has_field(file->extension, file->n_extension, path);
}

int descriptors_file_of_symbol(const char *symbol)
{
    for (int i = 0; i < n_files(); i++)
        if (file_has(index_.set->file[i], symbol))
            return i;
    return -1;
}

bool descriptors_has_message(const char *type)
{
    for (int i = 0; i < n_files(); i++) {
        const File *file = index_.set->file[i];
        const char *path = behind(type, file->package ? file->package : "");

        if (path && *path && descend(file->message_type, file->n_message_type, &path) && !*path)
            return true;
    }
    return false;
}

/* Extensions are declared in files only: a lint of the protos keeps them out of messages. */
static bool extends(const Field *field, const char *type)
{
    return field->extendee && text_equal(field->extendee + 1, type); /* behind the leading dot */
}

int descriptors_file_of_extension(const char *type, int32_t number)
{
    for (int i = 0; i < n_files(); i++) {
        const File *file = index_.set->file[i];

        for (size_t e = 0; e < file->n_extension; e++)
            if (file->extension[e]->number == number && extends(file->extension[e], type))
                return i;
    }
    return -1;
}

size_t descriptors_extensions(Arena *arena, const char *type, int32_t **numbers)
{
    size_t count = 0;

    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1)
            *numbers = arena_array(arena, count, sizeof(**numbers));
        count = 0;
        for (int i = 0; i < n_files(); i++) {
            const File *file = index_.set->file[i];

            for (size_t e = 0; e < file->n_extension; e++) {
                if (!extends(file->extension[e], type))
                    continue;
                if (pass == 1)
                    (*numbers)[count] = file->extension[e]->number;
                count++;
            }
        }
    }
    return count;
}

/* In the order of discovery: the list is its own queue. */
size_t descriptors_with_imports(Arena *arena, int file, const Bytes **files)
{
    size_t total = (size_t)n_files();
    bool *is_listed = arena_array(arena, total, sizeof(bool));
    int *order = arena_array(arena, total, sizeof(int));
    Bytes *list = arena_array(arena, total, sizeof(Bytes));
    size_t count = 0;

    order[count++] = file;
    is_listed[file] = true;
    for (size_t at = 0; at < count; at++) {
        const File *one = index_.set->file[order[at]];

        list[at] = index_.raw[order[at]];
        for (size_t d = 0; d < one->n_dependency; d++) {
            int import = descriptors_file_named(one->dependency[d]);

            if (import < 0 || is_listed[import])
                continue;
            is_listed[import] = true;
            order[count++] = import;
        }
    }
    *files = list;
    return count;
}
