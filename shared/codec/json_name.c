/* The rule of protoc: an underscore goes, the letter behind it becomes upper case. */
#include "shared/codec/json_name.h"

#include "shared/base/text.h"

#include <string.h>

/* The next character of the JSON name; moves behind what it stands for. 0 at the end. */
static char next_character(const char **proto_name)
{
    bool is_upper = false;
    char c;

    for (; **proto_name == '_'; (*proto_name)++)
        is_upper = true;
    c = **proto_name;
    if (c)
        (*proto_name)++;
    return is_upper && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

char *json_name(Arena *arena, const Field *field)
{
    const char *from = field->name;
    char *name = arena_alloc(arena, strlen(from) + 1);

    for (char *to = name; (*to = next_character(&from)); to++)
        continue;
    return name;
}

static bool is_json_name(const char *proto_name, const char *name)
{
    for (; *name; name++)
        if (next_character(&proto_name) != *name)
            return false;
    return next_character(&proto_name) == '\0';
}

const Field *json_find_field(const MessageType *type, const char *name)
{
    const Field *field = protobuf_c_message_descriptor_get_field_by_name(type, name);

    for (unsigned i = 0; !field && i < type->n_fields; i++)
        if (is_json_name(type->fields[i].name, name))
            field = &type->fields[i];
    return field;
}
