/* How changes become a release. First the changes are written, under a name that nobody reads yet; then the release, whose number
 * only one publisher can take and which names its changes: from then on it is there, whole, for every replica. */
#include "services/catalog/governance/governance.h"

#include "services/catalog/domain/rule_set.h"
#include "shared/base/id.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "shared/service/race.h"

#include <string.h>

enum { WRITES_AT_ONCE = 500 };

const Error *check_draft(RpcCall *call, const Draft *draft)
{
    ChangeList changes = { 0 };
    RuleBook *book, *next;
    const Error *error;

    if ((error = rule_shelf_follow(catalog_of(call)->shelf, call->store)) ||
        (error = draft_changes(call, draft, &changes)))
        return error;
    book = rule_shelf_current(catalog_of(call)->shelf);
    changes_compare(changes, book, call->arena);
    next = changes_apply(changes, book, rule_book_number(book) + 1, call->arena);
    if (!(error = check_conflicts(call, changes)) && !(error = check_references(call, changes)))
        error = check_rules(call, next);
    rule_book_release(book);
    rule_book_release(next);
    return error;
}

static char *name_record(Arena *arena, const Release *release, size_t index)
{
    return arena_printf(arena, "releaseChanges/%s.%zu", release->change_set, index);
}

static ReleaseChange *record_of(
    RpcCall *call, const Release *release, const Change *change, size_t index, const RuleBook *book)
{
    ReleaseChange *record =
        message_new(call->arena, &throughline__catalog__v1__release_change__descriptor);
    const BookRule *before = rule_book_find(book, change->rule);

    record->name = name_record(call->arena, release, index);
    record->change_set = release->change_set;
    record->release = release->number;
    record->rule = change->rule;
    record->before = change->before;
    record->after = change->after;
    record->before_release = before ? before->changed_in : 0;
    return record;
}

/* Whoever publishes the same draft under the same number writes the same. */
static const Error *write_changes(
    RpcCall *call, const Release *release, ChangeList changes, const RuleBook *book)
{
    StoreView steps = store_steps(call->store);
    const Error *error = NULL;

    for (size_t i = 0; i < changes.n_items && !error; i += WRITES_AT_ONCE) {
        StoreWrite writes[WRITES_AT_ONCE] = { 0 };
        size_t n = 0;

        for (; n < WRITES_AT_ONCE && i + n < changes.n_items; n++)
            writes[n] = (StoreWrite){ .kind = STORE_PUT,
                .collection = &release_changes,
                .message = record_of(call, release, changes.items[i + n], i + n, book) };
        error = store_write(&steps, writes, n);
    }
    return error;
}

/* Under which the changes are kept: a draft's own name for it, so that another try finds it. */
static char *name_change_set(Arena *arena, const Release *release)
{
    char id[ID_SIZE];

    if (*release->draft)
        return arena_printf(
            arena, "%lld-%s", (long long)release->number, strchr(release->draft, '/') + 1);
    id_new(id);
    return arena_printf(arena, "%lld-%s", (long long)release->number, id);
}

static void fill_release(RpcCall *call, Release *release, ChangeList changes, const RuleBook *next)
{
    release->audience = changes_audience(changes, next, call->arena);
    release->number = rule_book_number(next);
    release->name = release_name(call->arena, release->number);
    release->etag = arena_text(call->arena, "");
    release->change_count = (int32_t)changes.n_items;
    release->rule_count = (int64_t)rule_book_count(next);
    release->digest.data = arena_copy(call->arena, rule_book_digest(next), RULE_BOOK_DIGEST);
    release->digest.len = RULE_BOOK_DIGEST;
    release->change_set = name_change_set(call->arena, release);
    release->create_time = timestamp_from_micros(call->arena, call->arrived_at);
}

static const Error *publish_on(RpcCall *call, const Publication *publication, const RuleBook *book)
{
    ReleasePublished event = THROUGHLINE__CATALOG__V1__RELEASE_PUBLISHED__INIT;
    Release *release = publication->release;
    ChangeList changes = { 0 };
    RuleBook *next;
    const Error *error;

    if ((error = publication->plan(call, publication->context, book, &changes)))
        return error;
    next = changes_apply(changes, book, rule_book_number(book) + 1, call->arena);
    fill_release(call, release, changes, next);
    event.release = release;
    if (!(error = check_channel(call, changes, book, false)) &&
        !(error = check_references(call, changes)) && !(error = check_rules(call, next)) &&
        !(error = write_changes(call, release, changes, book)))
        error = store_insert(publication->view, &releases, release, &event);
    rule_book_release(next);
    return error;
}

/* Takes away what was written for a number that somebody else has got. Not where that number's release names it after all: others
 * may publish the same draft. What stays, because this fails, nobody reads. */
static void take_away(RpcCall *call, const Release *lost)
{
    StoreView steps = store_steps(call->store);
    Release winner = THROUGHLINE__CATALOG__V1__RELEASE__INIT;
    const Error *error = store_get(&steps, &releases, lost->name, &winner);

    if (error || text_equal(winner.change_set, lost->change_set))
        return;
    for (size_t i = 0; i < (size_t)lost->change_count && !error; i++)
        error = store_delete(&steps, &release_changes, name_record(call->arena, lost, i), "");
}

static bool has_lost(const Error *error)
{
    return error && text_equal(error->reason, "RELEASE_EXISTS");
}

const Error *publish(RpcCall *call, const Publication *publication)
{
    Race race __attribute__((cleanup(race_end))) = race_start(call, "releases");
    RuleShelf *shelf = catalog_of(call)->shelf;
    const Error *error;

    do {
        RuleBook *book;

        if ((error = rule_shelf_follow(shelf, call->store)))
            return error;
        book = rule_shelf_current(shelf);
        error = publish_on(call, publication, book);
        rule_book_release(book);
        if (has_lost(error))
            take_away(call, publication->release);
    } while (has_lost(error) && race_again(&race));
    /* It is out; this replica takes it up at once if it can, else with the others. */
    if (!error)
        (void)rule_shelf_follow(shelf, call->store);
    return error;
}

static const Error *plan_draft(
    RpcCall *call, void *context, const RuleBook *book, ChangeList *changes)
{
    const Error *error;

    if ((error = draft_changes(call, context, changes)))
        return error;
    changes_compare(*changes, book, call->arena);
    if ((error = check_conflicts(call, *changes)))
        return error;
    *changes = changes_effective(*changes, call->arena);
    return NULL;
}

/* The release that was made of the draft, if there is one. */
static const Error *find_release_of(RpcCall *call, Draft *draft)
{
    StoreView steps = store_steps(call->store);
    StoreQuery query = {
        .index = "draft", .equal = { { .kind = STORE_TEXT, .text = draft->name } }, .limit = 1
    };
    StorePage page = { 0 };
    const Error *error = store_find(&steps, &releases, &query, &page);

    if (!error && page.n_messages)
        draft->release = ((const Release *)page.messages[0])->number;
    return error;
}

const Error *publish_changes_of(RpcCall *call, Draft *draft)
{
    Release *release = message_new(call->arena, &throughline__catalog__v1__release__descriptor);
    StoreView steps = store_steps(call->store);
    Publication publication = { release, plan_draft, draft, &steps };
    const Error *error, *failure;

    if ((error = find_release_of(call, draft)) || draft->release)
        return error;
    draft_release(draft, release);
    if (!(error = publish(call, &publication))) {
        draft->release = release->number;
        return NULL;
    }
    /* Somebody else may have been at work on the same draft: then theirs counts. */
    if ((failure = find_release_of(call, draft)))
        return failure;
    return draft->release ? NULL : error;
}
