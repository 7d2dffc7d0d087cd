#include "tests/unit/catalog/rule_builders.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <ctype.h>

Rule *a_rule(Arena *arena, const char *name, int32_t basis_points)
{
    Rule *rule = message_new(arena, &throughline__catalog__v1__rule__descriptor);
    char *code = arena_printf(arena, "CODE-%s", name);

    for (char *at = code; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    rule->kind_case = THROUGHLINE__CATALOG__V1__RULE__KIND_PROMOTION;
    rule->promotion = a_promotion(arena, code, basis_points);
    rule->promotion->name = arena_printf(arena, "promotions/%s", name);
    return rule;
}

Change *a_change(Arena *arena, const char *name, int32_t basis_points)
{
    Change *change = message_new(arena, &throughline__catalog__v1__change__descriptor);

    change->rule = arena_printf(arena, "promotions/%s", name);
    change->after = basis_points ? a_rule(arena, name, basis_points) : NULL;
    return change;
}

Deed *a_deed(Arena *arena, const char *person, const char *account)
{
    Deed *deed = message_new(arena, &throughline__catalog__v1__deed__descriptor);

    deed->actor = arena_printf(arena, "agents/%s", person);
    deed->account = arena_printf(arena, "accounts/%s", account);
    deed->channel = text(arena, "backoffice");
    deed->time = timestamp_from_micros(arena, some_noon);
    return deed;
}
