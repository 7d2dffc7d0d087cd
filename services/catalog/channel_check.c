/* Whether what is to be changed is for the caller's own channel: accounts that are bound to one change the rules of no other. */
#include "services/catalog/governance.h"

#include "services/catalog/domain/rule_channel.h"

const char *bound_channel(const RpcCall *call)
{
    const Caller *caller = call->caller;

    if (!caller || text_is_empty(caller->channel) ||
        caller_has_scope(caller, "catalog.all_channels"))
        return NULL;
    return caller->channel;
}

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

const Error *check_channel(RpcCall *call, ChangeList changes, const RuleBook *book)
{
    Findings findings = { .arena = call->arena };

    if (bound_channel(call))
        changes_check_channel(changes, bound_channel(call), book, &findings);
    return not_yours(call, &findings);
}

const Error *check_draft_channel(RpcCall *call, const Draft *draft)
{
    ChangeList changes = { 0 };
    RuleBook *book;
    const Error *error;

    if (!bound_channel(call))
        return NULL;
    if ((error = rule_shelf_follow(catalog_of(call)->shelf, call->store)) ||
        (error = draft_changes(call, draft, &changes)))
        return error;
    book = rule_shelf_current(catalog_of(call)->shelf);
    changes_compare(changes, book, call->arena);
    error = check_channel(call, changes, book);
    rule_book_release(book);
    return error;
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
    refusal = promotion_channel_refusal(promotion, bound_channel(call), book, call->arena);
    rule_book_release(book);
    if (refusal)
        findings_add(
            &findings, arena_printf(call->arena, "rules[\"%s\"]", promotion), "%s", refusal);
    return not_yours(call, &findings);
}
