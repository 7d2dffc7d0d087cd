#include "services/catalog/governance/rule_checkpoint.h"

#include "services/catalog/catalog.h"
#include "services/catalog/governance/rule_shelf.h"
#include "shared/codec/message.h"

#include "throughline/catalog/v1/governance_records.pb-c.h"

#include <string.h>

typedef Throughline__Catalog__V1__RuleCheckpoint RuleCheckpoint;
typedef Throughline__Catalog__V1__RuleCheckpointPart RuleCheckpointPart;
typedef Throughline__Catalog__V1__CheckpointRule CheckpointRule;

enum { MIN_RELEASES = 100, RULES_A_RELEASE = 10, PART_BYTES = 512 * 1024 };

bool rule_checkpoint_is_due(const RuleBook *book, int64_t newest)
{
    int64_t by_rules = (int64_t)rule_book_count(book) / RULES_A_RELEASE;

    return rule_book_number(book) - newest >= (by_rules > MIN_RELEASES ? by_rules : MIN_RELEASES);
}

static char *part_name(Arena *arena, int64_t release, int32_t part)
{
    return arena_printf(arena, "ruleCheckpointParts/%lld.%d", (long long)release, part);
}

/* Writing. */

static CheckpointRule *rule_of(Arena *arena, const BookRule *rule)
{
    CheckpointRule *kept =
        message_new(arena, &throughline__catalog__v1__checkpoint_rule__descriptor);

    kept->name = (char *)rule->name;
    kept->changed_in = rule->changed_in;
    kept->rule = book_rule_unpack(rule, arena);
    return kept;
}

/* Writes a part with the rules from *at on, and moves *at behind them. */
static const Error *write_part(StoreView *view, const RuleBook *book, int32_t number, size_t *at)
{
    RuleCheckpointPart part = THROUGHLINE__CATALOG__V1__RULE_CHECKPOINT_PART__INIT;
    size_t end = *at;

    for (size_t bytes = 0; end < rule_book_count(book) && bytes < PART_BYTES; end++)
        bytes += rule_book_at(book, end)->packed.size;
    part.name = part_name(view->arena, rule_book_number(book), number);
    part.rules = arena_array(view->arena, end - *at, sizeof(*part.rules));
    for (; *at < end; (*at)++)
        part.rules[part.n_rules++] = rule_of(view->arena, rule_book_at(book, *at));
    return store_put(view, &rule_checkpoint_parts, &part, NULL);
}

const Error *rule_checkpoint_write(StoreView *view, const RuleBook *book)
{
    RuleCheckpoint checkpoint = THROUGHLINE__CATALOG__V1__RULE_CHECKPOINT__INIT;
    Arena *arena = arena_new();
    StoreView writing = *view;
    size_t at = 0;
    const Error *error = NULL;

    writing.arena = arena;
    while (at < rule_book_count(book) && !error) {
        arena_reset(arena);
        error = write_part(&writing, book, checkpoint.part_count++, &at);
    }
    checkpoint.name =
        arena_printf(arena, "ruleCheckpoints/%lld", (long long)rule_book_number(book));
    checkpoint.release = rule_book_number(book);
    if (!error)
        error = store_put(&writing, &rule_checkpoints, &checkpoint, NULL);
    error = error_copy(view->arena, error);
    arena_free(arena);
    return error;
}

/* Reading. */

typedef struct Changes {
    BookChange *items;
    size_t n_items;
} Changes;

/* False when the rules are not in the order of their names. */
static bool add_part(const RuleCheckpointPart *part, Arena *arena, Changes *changes)
{
    size_t n_items = changes->n_items + part->n_rules;

    changes->items =
        arena_grow(arena, changes->items, changes->n_items, n_items, sizeof(*changes->items));
    for (size_t i = 0; i < part->n_rules; i++) {
        const CheckpointRule *rule = part->rules[i];
        const BookChange *last = changes->n_items ? &changes->items[changes->n_items - 1] : NULL;

        if (!rule->rule || (last && strcmp(last->rule, rule->name) >= 0))
            return false;
        changes->items[changes->n_items++] =
            (BookChange){ rule->name, rule->rule, rule->changed_in };
    }
    return true;
}

/* Whether all parts are there. */
static const Error *load_parts(
    StoreView *view, const RuleCheckpoint *checkpoint, Changes *changes, bool *is_whole)
{
    size_t n_parts = (size_t)checkpoint->part_count;
    const char **names = arena_array(view->arena, n_parts, sizeof(*names));
    void **parts = arena_array(view->arena, n_parts, sizeof(*parts));
    const Error *error;

    for (size_t i = 0; i < n_parts; i++)
        names[i] = part_name(view->arena, checkpoint->release, (int32_t)i);
    if ((error = store_get_many(view, &rule_checkpoint_parts, names, n_parts, parts)))
        return error;
    *is_whole = true;
    for (size_t i = 0; i < n_parts && *is_whole; i++)
        *is_whole = parts[i] && add_part(parts[i], view->arena, changes);
    return NULL;
}

/* The book of a checkpoint; NULL when it is not what its release is. */
static const Error *load(StoreView *view, const RuleCheckpoint *checkpoint, RuleBook **book)
{
    Release release = THROUGHLINE__CATALOG__V1__RELEASE__INIT;
    Changes changes = { 0 };
    bool is_whole;
    RuleBook *empty;
    const Error *error;

    *book = NULL;
    error = store_get(view, &releases, release_name(view->arena, checkpoint->release), &release);
    if (error)
        return error->code == ERROR_NOT_FOUND ? NULL : error;
    if ((error = load_parts(view, checkpoint, &changes, &is_whole)) || !is_whole)
        return error;
    empty = rule_book_new();
    *book = rule_book_next(empty, checkpoint->release, changes.items, changes.n_items);
    rule_book_release(empty);
    if (release.digest.len == RULE_BOOK_DIGEST &&
        !memcmp(release.digest.data, rule_book_digest(*book), RULE_BOOK_DIGEST))
        return NULL;
    rule_book_release(*book);
    *book = NULL;
    return NULL;
}

/* The first of the query that is sound. */
static const Error *find_sound(StoreView *view, StoreQuery *query, RuleBook **book)
{
    StoreView reading = *view;
    Arena *arena = reading.arena = arena_new();
    const Error *error;

    *book = NULL;
    do {
        StorePage page = { 0 };

        error = store_find(&reading, &rule_checkpoints, query, &page);
        if (!error && page.n_messages)
            error = load(&reading, page.messages[0], book);
        query->resume = page.resume;
    } while (!error && !*book && !text_is_empty(query->resume));
    error = error_copy(view->arena, error);
    arena_free(arena);
    return error;
}

const Error *rule_checkpoint_newest(StoreView *view, int64_t *number)
{
    StoreQuery query = { .index = "release", .is_descending = true, .limit = 1 };
    StorePage page = { 0 };
    const Error *error = store_find(view, &rule_checkpoints, &query, &page);

    *number = !error && page.n_messages ? ((const RuleCheckpoint *)page.messages[0])->release : 0;
    return error;
}

const Error *rule_checkpoint_last(StoreView *view, RuleBook **book)
{
    return find_sound(
        view, &(StoreQuery){ .index = "release", .is_descending = true, .limit = 1 }, book);
}

const Error *rule_checkpoint_after(StoreView *view, int64_t number, RuleBook **book)
{
    return find_sound(view,
        &(StoreQuery){
            .index = "release", .from = { .kind = STORE_NUMBER, .number = number }, .limit = 1 },
        book);
}
