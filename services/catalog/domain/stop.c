#include "services/catalog/domain/stop.h"

#include "shared/codec/message.h"

static const Error four_eyes = { ERROR_PERMISSION_DENIED, "FOUR_EYES",
    "Whoever stopped a price cannot confirm it, whatever account they use: ask somebody else with "
    "an account of their own." };
static const Error confirmed = { ERROR_FAILED_PRECONDITION, "STOP_CONFIRMED",
    "Somebody else has confirmed the stop before." };

Rule *stop_rule(PriceStop *stop, Arena *arena)
{
    Rule *rule = message_new(arena, &throughline__catalog__v1__rule__descriptor);

    rule->kind_case = THROUGHLINE__CATALOG__V1__RULE__KIND_PRICE_STOP;
    rule->price_stop = stop;
    return rule;
}

void stop_begin(PriceStop *stop, const Deed *deed)
{
    stop->actor = deed->actor;
    stop->account = deed->account;
    stop->create_time = deed->time;
}

const Error *stop_confirm(PriceStop *stop, const Deed *deed, bool *is_new)
{
    *is_new = !*stop->confirmer;
    if (!*is_new)
        return text_equal(stop->confirmer, deed->actor) ? NULL : &confirmed;
    if (text_equal(stop->actor, deed->actor) || text_equal(stop->account, deed->account))
        return &four_eyes;
    stop->confirmer = deed->actor;
    stop->confirm_time = deed->time;
    return NULL;
}
