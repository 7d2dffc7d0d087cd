#include "services/catalog/domain/users.h"

#include "shared/codec/message.h"

#include <assert.h>
#include <inttypes.h>

void users_add(Users *users, const char *what, const char *name)
{
    UserKind *kind = users->kinds;

    while (kind < users->kinds + users->n_kinds && !text_equal(kind->what, what))
        kind++;
    assert(kind < users->kinds + USERS_KINDS && "there are so many kinds of users");
    if (kind == users->kinds + users->n_kinds)
        users->kinds[users->n_kinds++].what = what;
    if (kind->count < USERS_NAMED)
        kind->names[kind->count] = arena_text(users->arena, name);
    kind->count++;
}

static bool is_one_of(const char *const *fields, const char *name)
{
    while (*fields && !text_equal(*fields, name))
        fields++;
    return *fields != NULL;
}

/* What field i of a message holds: `items` of them, texts or messages. */
static size_t items_of(const ProtobufCMessage *message, unsigned i, char *const **items)
{
    const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
    const char *base = (const char *)message;

    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        *items = *(char *const *const *)(const void *)(base + field->offset);
        return *(const size_t *)(const void *)(base + field->quantifier_offset);
    }
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
        *(const uint32_t *)(const void *)(base + field->quantifier_offset) != field->id)
        return 0;
    *items = (char *const *)(const void *)(base + field->offset);
    return **items != NULL;
}

/* Rules are nested a few deep: promotions, their effects, the selectors of these. */
static bool has_value(const ProtobufCMessage *message, const char *const *fields, const char *value)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        bool is_message = field->type == PROTOBUF_C_TYPE_MESSAGE;
        char *const *items = NULL;
        size_t n_items;

        if (!is_message &&
            (field->type != PROTOBUF_C_TYPE_STRING || !is_one_of(fields, field->name)))
            continue;
        n_items = items_of(message, i, &items);
        for (size_t j = 0; j < n_items; j++)
            if (is_message ? has_value((const ProtobufCMessage *)(void *)items[j], fields, value)
                           : text_equal(items[j], value))
                return true;
    }
    return false;
}

void users_add_rules(Users *users, const RuleSet *set, const char *const *fields, const char *value)
{
    const ProtobufCMessageDescriptor *type = set->base.descriptor;

    for (unsigned i = 0; i < type->n_fields; i++) {
        char *const *rules = NULL;
        size_t n_rules;

        if (type->fields[i].label != PROTOBUF_C_LABEL_REPEATED ||
            type->fields[i].type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        n_rules = items_of(&set->base, i, &rules);
        for (size_t j = 0; j < n_rules; j++)
            if (has_value((const ProtobufCMessage *)(void *)rules[j], fields, value))
                users_add(users, "rules", *(char *const *)message_field(rules[j], "name"));
    }
}

const Error *users_refusal(const Users *users, const char *reason)
{
    Arena *arena = users->arena;
    const char *list = "";
    const Error *error;

    if (users->n_kinds == 0)
        return NULL;
    for (size_t i = 0; i < users->n_kinds; i++) {
        const UserKind *kind = &users->kinds[i];
        const char *named = kind->names[0];

        for (int64_t j = 1; j < kind->count && j < USERS_NAMED; j++)
            named = arena_printf(arena, "%s, %s", named, kind->names[j]);
        list = users->is_discreet
                   ? arena_printf(arena, "%s%s%s", list, i ? ", " : "", kind->what)
                   : arena_printf(arena, "%s%s%s: %" PRId64 " (%s%s)", list, i ? "; " : "",
                         kind->what, kind->count, named, kind->count > USERS_NAMED ? ", …" : "");
    }
    error = error_new(arena, ERROR_FAILED_PRECONDITION, reason, "It is still used by %s.", list);
    for (size_t i = 0; i < users->n_kinds && !users->is_discreet; i++)
        error = error_with_fact(arena, error, users->kinds[i].what,
            arena_printf(arena, "%" PRId64, users->kinds[i].count));
    return error;
}
