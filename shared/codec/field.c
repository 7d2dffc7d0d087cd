/* Fields by descriptor, after the layout that protobuf-c generates. */
#include "shared/codec/field.h"

#include "shared/base/text.h"

#include <assert.h>
#include <string.h>

/* Most types number their fields without gaps. */
const Field *field_by_id(const MessageType *type, uint64_t id)
{
    if (id - 1 < type->n_fields && type->fields[id - 1].id == id)
        return &type->fields[id - 1];
    return id <= UINT32_MAX ? protobuf_c_message_descriptor_get_field(type, (unsigned)id) : NULL;
}

size_t field_item_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return sizeof(int64_t);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return sizeof(int32_t);
    }
}

ProtobufCWireType field_wire_type(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return PROTOBUF_C_WIRE_TYPE_32BIT;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return PROTOBUF_C_WIRE_TYPE_64BIT;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    default:
        return PROTOBUF_C_WIRE_TYPE_VARINT;
    }
}

static const void *member_of(const void *message, size_t offset)
{
    return (const char *)message + offset;
}

static bool is_oneof(const Field *field)
{
    return field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
}

static bool is_chosen(const void *message, const Field *field)
{
    return *(const uint32_t *)member_of(message, field->quantifier_offset) == field->id;
}

static bool is_pointer(const Field *field)
{
    return field->type == PROTOBUF_C_TYPE_MESSAGE || field->type == PROTOBUF_C_TYPE_STRING;
}

static bool is_default(const Field *field, const void *item)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return text_is_empty(*(const char *const *)item);
    case PROTOBUF_C_TYPE_BYTES:
        return ((const ProtobufCBinaryData *)item)->len == 0;
    case PROTOBUF_C_TYPE_FLOAT:
        return *(const float *)item == 0;
    case PROTOBUF_C_TYPE_DOUBLE:
        return *(const double *)item == 0;
    case PROTOBUF_C_TYPE_MESSAGE:
        return !*(const void *const *)item;
    default:
        return field_item_size(field->type) == sizeof(int64_t) ? *(const int64_t *)item == 0
                                                               : *(const int32_t *)item == 0;
    }
}

bool field_is_present(const void *message, const Field *field)
{
    const void *item = member_of(message, field->offset);
    const void *quantifier = member_of(message, field->quantifier_offset);

    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return *(const size_t *)quantifier > 0;
    if (is_oneof(field) && !is_chosen(message, field))
        return false;
    if (field->label == PROTOBUF_C_LABEL_REQUIRED)
        return field->type != PROTOBUF_C_TYPE_MESSAGE || *(const void *const *)item;
    if (is_pointer(field) && (is_oneof(field) || field->label == PROTOBUF_C_LABEL_OPTIONAL))
        return *(const void *const *)item && *(const void *const *)item != field->default_value;
    if (is_oneof(field))
        return true;
    if (field->label == PROTOBUF_C_LABEL_OPTIONAL)
        return *(const protobuf_c_boolean *)quantifier;
    return !is_default(field, item);
}

size_t field_count(const void *message, const Field *field)
{
    if (field->label != PROTOBUF_C_LABEL_REPEATED)
        return 1;
    return *(const size_t *)member_of(message, field->quantifier_offset);
}

const void *field_item(const void *message, const Field *field, size_t index)
{
    const void *member = member_of(message, field->offset);

    if (field->label != PROTOBUF_C_LABEL_REPEATED)
        return member;
    return *(const char *const *)member + index * field_item_size(field->type);
}

void *field_make(Arena *arena, void *message, const Field *field, size_t count)
{
    char *member = (char *)message + field->offset;
    char *quantifier = (char *)message + field->quantifier_offset;

    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        void *items = arena_array(arena, count, field_item_size(field->type));

        *(size_t *)quantifier = count;
        *(void **)member = items;
        return items;
    }
    if (is_oneof(field)) {
        *(uint32_t *)quantifier = field->id;
        memset(member, 0, field_item_size(field->type));
    } else if (field->label == PROTOBUF_C_LABEL_OPTIONAL && field->quantifier_offset) {
        *(protobuf_c_boolean *)quantifier = true;
    }
    return member;
}

void field_clear(void *message, const Field *field)
{
    char *member = (char *)message + field->offset;
    char *quantifier = (char *)message + field->quantifier_offset;
    size_t size = field_item_size(field->type);

    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        *(size_t *)quantifier = 0;
        *(void **)member = NULL;
        return;
    }
    if (is_oneof(field)) {
        if (!is_chosen(message, field))
            return;
        *(uint32_t *)quantifier = 0;
    } else if (field->label == PROTOBUF_C_LABEL_OPTIONAL && field->quantifier_offset) {
        *(protobuf_c_boolean *)quantifier = false;
    }
    if (is_pointer(field))
        *(const void **)member = field->default_value;
    else if (field->default_value)
        memcpy(member, field->default_value, size);
    else
        memset(member, 0, size);
}

/* "line_items" names its entry "LineItemsEntry". */
static bool is_entry_name(const char *field_name, const char *entry)
{
    bool is_upper = true;

    for (; *field_name; field_name++) {
        char c = *field_name;

        if (c == '_') {
            is_upper = true;
            continue;
        }
        if (is_upper && c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        is_upper = false;
        if (*entry++ != c)
            return false;
    }
    return text_equal(entry, "Entry");
}

bool field_is_map(const MessageType *type, const Field *field)
{
    const MessageType *entry = field->descriptor;
    size_t parent = strlen(type->name);

    return field->label == PROTOBUF_C_LABEL_REPEATED && field->type == PROTOBUF_C_TYPE_MESSAGE &&
           entry->n_fields == 2 && text_equal(entry->fields[0].name, "key") &&
           entry->fields[0].id == 1 && text_equal(entry->fields[1].name, "value") &&
           entry->fields[1].id == 2 && !strncmp(entry->name, type->name, parent) &&
           entry->name[parent] == '.' && is_entry_name(field->name, entry->name + parent + 1);
}

int64_t field_number(ProtobufCType type, const void *item)
{
    switch (type) {
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return *(const uint32_t *)item;
    case PROTOBUF_C_TYPE_BOOL:
        return *(const protobuf_c_boolean *)item != 0;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_ENUM:
        return *(const int32_t *)item;
    default:
        assert(field_item_size(type) == sizeof(int64_t));
        return *(const int64_t *)item;
    }
}

bool field_put_number(ProtobufCType type, void *item, int64_t number)
{
    switch (type) {
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        if (number < 0 || number > UINT32_MAX)
            return false;
        *(uint32_t *)item = (uint32_t)number;
        return true;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)item = number != 0;
        return number == 0 || number == 1;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_ENUM:
        if (number < INT32_MIN || number > INT32_MAX)
            return false;
        *(int32_t *)item = (int32_t)number;
        return true;
    default:
        assert(field_item_size(type) == sizeof(int64_t));
        *(int64_t *)item = number;
        return true;
    }
}
