/* Whether what is to be changed is for the caller's own channel: accounts that are bound to one change the rules of no other. */
#include "services/catalog/channel_view.h"
#include "services/catalog/governance/governance.h"

/* NULL when there are no findings. */
static const Error *not_yours(RpcCall *call, const Findings *findings)
{
    Error *error;

    if (!findings->n_items)
        return NULL;
    error = arena_alloc(call->arena, sizeof(*error));
    *error = (Error){ ERROR_PERMISSION_DENIED, "CHANNEL_NOT_YOURS",
        arena_printf(call->arena,
            "The account may change what is for the channel \"%s\" alone: see the violations.",
            bound_channel(call)),
        .n_violations = findings->n_items, .violations = findings->items };
    return error;
}

const Error *check_channel(
    RpcCall *call, ChangeList changes, const RuleBook *book, bool are_callers)
{
    const ChannelDesk *desk = caller_desk(call, book);
    Findings findings = { .arena = call->arena };

    if (desk)
        changes_check_channel(desk, changes, are_callers, &findings);
    return not_yours(call, &findings);
}

const Error *check_promotion_channel(RpcCall *call, const char *promotion)
{
    Findings findings = { .arena = call->arena };
    RuleBook *book;
    const char *refusal;
    const Error *error;

    if (!bound_channel(call))
        return NULL;
    if ((error = rule_shelf_follow(catalog_of(call)->shelf, call->store)))
        return error;
    book = rule_shelf_current(catalog_of(call)->shelf);
    refusal = promotion_channel_refusal(caller_desk(call, book), promotion);
    rule_book_release(book);
    if (refusal)
        findings_add(
            &findings, arena_printf(call->arena, "rules[\"%s\"]", promotion), "%s", refusal);
    return not_yours(call, &findings);
}

const Error *check_own_channel(RpcCall *call, const char *field, const char *channel)
{
    Findings findings = { .arena = call->arena };

    if (!sees_channel(call, channel))
        findings_add(&findings, field, "is for the channel \"%s\"", channel);
    return not_yours(call, &findings);
}
