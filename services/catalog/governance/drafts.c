/* Drafts as they are stored: a head, and its changes in parts that are never changed themselves. */
#include "services/catalog/domain/rule_set.h"
#include "services/catalog/governance/governance.h"
#include "shared/codec/message.h"
#include "shared/service/race.h"

const Error *draft_load(RpcCall *call, const char *name, const char *etag, Draft *draft)
{
    static const Error stale = { ERROR_ABORTED, "ETAG_STALE",
        "The draft was changed meanwhile: look at it again." };
    static const Error not_found = { ERROR_NOT_FOUND, "DRAFT_NOT_FOUND",
        "There is no such draft for the account's channel." };
    const Error *error;

    message_init(&throughline__catalog__v1__draft__descriptor, draft);
    if ((error = store_get(call->store, &drafts, name, draft)))
        return error;
    if (!sees_draft(call, draft))
        return &not_found;
    return *etag && !text_equal(etag, draft->etag) ? &stale : NULL;
}

const Error *draft_changes(RpcCall *call, const Draft *draft, ChangeList *changes)
{
    void **parts = arena_array(call->arena, draft->n_parts, sizeof(*parts));
    StoreView steps = store_steps(call->store);
    const Error *error = store_get_many(
        &steps, &draft_parts, (const char *const *)draft->parts, draft->n_parts, parts);

    if (error)
        return error;
    for (size_t i = 0; i < draft->n_parts; i++)
        if (!parts[i])
            return error_new(call->arena, ERROR_DATA_LOSS, "DRAFT_BROKEN",
                "A part of %s is not there.", draft->name);
    *changes = changes_fold((DraftPart **)parts, draft->n_parts, call->arena);
    return NULL;
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
    error = check_channel(call, changes, book, false);
    rule_book_release(book);
    return error;
}

const Error *draft_load_own(RpcCall *call, const char *name, const char *etag, Draft *draft)
{
    const Error *error = draft_load(call, name, etag, draft);

    return error ? error : check_draft_channel(call, draft);
}

/* Keeps what is put into a draft. */
static const Error *write_part(RpcCall *call, const DraftPut *put, DraftPart *part)
{
    StoreView steps = store_steps(call->store);
    RuleBook *book = rule_shelf_current(catalog_of(call)->shelf);
    const Error *error;

    changes_begin(put->changes, put->n_changes, book, call->arena);
    error = check_channel(call, (ChangeList){ put->changes, put->n_changes }, book, true);
    rule_book_release(book);
    if (error)
        return error;
    part->name = arena_text(call->arena, put->part);
    part->draft = arena_text(call->arena, put->draft);
    part->changes = put->changes;
    part->n_changes = put->n_changes;
    part->dropped = put->dropped;
    part->n_dropped = put->n_dropped;
    return store_put(&steps, &draft_parts, part, NULL);
}

/* Takes the part into the draft. */
static const Error *add_part(RpcCall *call, Draft *draft, DraftPart *part)
{
    ChangeList list = { 0 };
    DraftPart **parts;
    ChangeList more;
    RuleBook *book;
    DraftPart before = THROUGHLINE__CATALOG__V1__DRAFT_PART__INIT;
    const Error *error;

    if ((error = draft_check_open(draft, call->arena)) ||
        (error = draft_changes(call, draft, &list)))
        return error;
    before.changes = list.items;
    before.n_changes = list.n_items;
    parts = (DraftPart *[]){ &before, part };
    more = changes_fold(parts, 2, call->arena);
    book = rule_shelf_current(catalog_of(call)->shelf);
    draft->audience = changes_audience(more, book, call->arena);
    rule_book_release(book);
    return draft_change(draft, part->name, more.n_items, deed_of(call, ""), call->arena);
}

const Error *draft_fill(RpcCall *call, const DraftPut *put, Draft *draft)
{
    DraftPart part = THROUGHLINE__CATALOG__V1__DRAFT_PART__INIT;
    const Error *error = write_part(call, put, &part);

    return error ? error : add_part(call, draft, &part);
}

const Error *draft_put(RpcCall *call, const DraftPut *put, Draft *draft)
{
    Race race __attribute__((cleanup(race_end))) = race_start(call, put->draft);
    DraftPart part = THROUGHLINE__CATALOG__V1__DRAFT_PART__INIT;
    DraftChanged event = THROUGHLINE__CATALOG__V1__DRAFT_CHANGED__INIT;
    const Error *error;

    if ((error = draft_load_own(call, put->draft, put->etag, draft)) ||
        (error = draft_check_open(draft, call->arena)) || (error = write_part(call, put, &part)))
        return error;
    event.draft = draft;
    event.action = AUDIT_DRAFT_CHANGED;
    event.deed = deed_of(call, "");
    do {
        if ((error = draft_load_own(call, put->draft, put->etag, draft)) ||
            (error = add_part(call, draft, &part)))
            return error;
        error = store_replace(put->view, &drafts, draft, &event);
    } while (race_lost(&race, error, put->etag));
    return error;
}

/* Which release took the rule out: the last in its history that was published. */
static const Error *find_removal(RpcCall *call, const char *rule, int64_t *number)
{
    StoreView steps = store_steps(call->store);
    StoreQuery query = {
        .index = "rule",
        .equal = { { .kind = STORE_TEXT, .text = rule } },
        .is_descending = true,
        .limit = STORE_MAX_PAGE,
    };
    StorePage page = { 0 };
    const Error *error = store_find(&steps, &release_changes, &query, &page);

    *number = 0;
    for (size_t i = 0; i < page.n_messages && !error && !*number; i++) {
        const ReleaseChange *change = page.messages[i];
        Release release = THROUGHLINE__CATALOG__V1__RELEASE__INIT;

        error = store_get(&steps, &releases, release_name(call->arena, change->release), &release);
        if (!error && text_equal(release.change_set, change->change_set))
            *number = change->release;
        if (error && error->code == ERROR_NOT_FOUND)
            error = NULL;
    }
    return error;
}

const Error *check_conflicts(RpcCall *call, ChangeList changes)
{
    Change *change = changes_conflict(changes);
    StoreView steps = store_steps(call->store);
    Release other = THROUGHLINE__CATALOG__V1__RELEASE__INIT;
    const Error *error;

    if (!change)
        return NULL;
    if (change->conflict_release == CHANGE_TAKEN_OUT &&
        (error = find_removal(call, change->rule, &change->conflict_release)))
        return error;
    if ((error = store_get(
             &steps, &releases, release_name(call->arena, change->conflict_release), &other)))
        return error;
    error = error_new(call->arena, ERROR_FAILED_PRECONDITION, "CHANGE_CONFLICT",
        "%s was changed by %s (%s%s\"%s\") after this draft's change of it was made: look at it, "
        "then put the change into the "
        "draft again.",
        change->rule, other.name, other.draft, *other.draft ? ", " : "", other.title);
    error = error_with_fact(call->arena, error, "rule", change->rule);
    error = error_with_fact(call->arena, error, "release", other.name);
    return error_with_fact(call->arena, error, "draft", other.draft);
}

const Error *draft_changes_now(RpcCall *call, const Draft *draft, ChangeList *changes)
{
    RuleBook *book;
    const Error *error;

    if ((error = draft_changes(call, draft, changes)))
        return error;
    book = rule_shelf_current(catalog_of(call)->shelf);
    changes_compare(*changes, book, call->arena);
    rule_book_release(book);
    for (size_t i = 0; i < changes->n_items && !error; i++)
        if (changes->items[i]->conflict_release == CHANGE_TAKEN_OUT)
            error =
                find_removal(call, changes->items[i]->rule, &changes->items[i]->conflict_release);
    return error;
}

const Error *draft_rules(RpcCall *call, const char *name, Rules **rules)
{
    Draft *draft = message_new(call->arena, &throughline__catalog__v1__draft__descriptor);
    RuleBook *book, *next;
    ChangeList changes = { 0 };
    const Error *error;

    if ((error = draft_load(call, name, "", draft)) ||
        (error = draft_changes(call, draft, &changes)))
        return error;
    book = rule_shelf_current(catalog_of(call)->shelf);
    next = changes_apply(changes, book, rule_book_number(book) + 1, call->arena);
    *rules = rules_compile(rule_set_of(next, call->arena));
    rule_book_release(book);
    rule_book_release(next);
    return NULL;
}
