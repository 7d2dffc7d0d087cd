#include "services/catalog/governance/rule_shelf.h"

#include "services/catalog/catalog.h"
#include "services/catalog/domain/rule_set.h"
#include "services/catalog/governance/rule_checkpoint.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct RuleShelf {
    RulesHolder *rules;
    pthread_mutex_t lock; /* held for a few instructions: to read the pointer and count */
    RuleBook *current;
    pthread_mutex_t following; /* whoever brings it forward */
    bool has_started;          /* from the newest checkpoint; with `following` */
    atomic_llong checkpoint;   /* the newest that this replica knows of */
};

enum { NEAR = 10 }; /* releases: so many are gone back without looking for a checkpoint */

static const Error release_not_found = { ERROR_NOT_FOUND, "RELEASE_NOT_FOUND",
    "There is no release with this number." };

RuleShelf *rule_shelf_new(RulesHolder *rules)
{
    RuleShelf *shelf = calloc(1, sizeof(*shelf));

    if (!shelf)
        abort();
    shelf->rules = rules;
    shelf->current = rule_book_new();
    pthread_mutex_init(&shelf->lock, NULL);
    pthread_mutex_init(&shelf->following, NULL);
    return shelf;
}

void rule_shelf_free(RuleShelf *shelf)
{
    if (!shelf)
        return;
    rule_book_release(shelf->current);
    pthread_mutex_destroy(&shelf->lock);
    pthread_mutex_destroy(&shelf->following);
    free(shelf);
}

RuleBook *rule_shelf_current(RuleShelf *shelf)
{
    RuleBook *book;

    pthread_mutex_lock(&shelf->lock);
    book = rule_book_hold(shelf->current);
    pthread_mutex_unlock(&shelf->lock);
    return book;
}

/* Takes over the caller's reference. */
static void put_current(RuleShelf *shelf, RuleBook *book)
{
    RuleBook *gone;

    pthread_mutex_lock(&shelf->lock);
    gone = shelf->current;
    shelf->current = book;
    pthread_mutex_unlock(&shelf->lock);
    rule_book_release(gone);
}

static const Error *broken(Arena *arena, const Release *release)
{
    return error_new(arena, ERROR_DATA_LOSS, "RELEASE_BROKEN",
        "The changes of %s are not those that were published.", release->name);
}

const Error *release_changes_load(StoreView *view, const Release *release, ReleaseChange ***changes)
{
    size_t count = (size_t)release->change_count, n = 0;
    StoreQuery query = {
        .index = "change_set",
        .equal = { { .kind = STORE_TEXT, .text = release->change_set } },
        .limit = STORE_MAX_PAGE,
    };
    StorePage page = { 0 };

    *changes = arena_array(view->arena, count, sizeof(**changes));
    do {
        const Error *error = store_find(view, &release_changes, &query, &page);

        if (error)
            return error;
        if (n + page.n_messages > count)
            return broken(view->arena, release);
        memcpy(*changes + n, page.messages, page.n_messages * sizeof(**changes));
        n += page.n_messages;
        query.resume = page.resume;
    } while (!text_is_empty(page.resume));
    return n == count ? NULL : broken(view->arena, release);
}

static const Error *apply_release(
    StoreView *view, const RuleBook *book, const Release *release, RuleBook **next)
{
    size_t n = (size_t)release->change_count;
    ReleaseChange **changes;
    BookChange *list;
    const Error *error = release_changes_load(view, release, &changes);

    if (error)
        return error;
    list = arena_array(view->arena, n, sizeof(*list));
    for (size_t i = 0; i < n; i++)
        list[i] = (BookChange){ changes[i]->rule, changes[i]->after, release->number };
    *next = rule_book_next(book, release->number, list, n);
    if (release->digest.len == RULE_BOOK_DIGEST &&
        !memcmp(release->digest.data, rule_book_digest(*next), RULE_BOOK_DIGEST))
        return NULL;
    rule_book_release(*next);
    return broken(view->arena, release);
}

/* The release after this book's, if there is one. */
static const Error *next_release(
    StoreView *view, const RuleBook *book, Release *release, bool *is_there)
{
    const Error *error =
        store_get(view, &releases, release_name(view->arena, rule_book_number(book) + 1), release);

    *is_there = !error;
    return error && error->code == ERROR_NOT_FOUND ? NULL : error;
}

static void put_in_force(RuleShelf *shelf, Arena *arena)
{
    arena_reset(arena);
    rules_holder_swap(shelf->rules, rules_compile(rule_set_of(shelf->current, arena)));
}

/* A reader's view of the same store, with memory of its own. */
static StoreView reading_view(const StoreView *view, Arena *arena)
{
    return (StoreView){ .store = view->store, .arena = arena, .deadline = view->deadline };
}

/* Where all releases before the newest checkpoint would have led. */
static const Error *start(RuleShelf *shelf, StoreView *view, bool *is_new)
{
    RuleBook *book;
    const Error *error = shelf->has_started ? NULL : rule_checkpoint_last(view, &book);

    if (error || shelf->has_started)
        return error;
    shelf->has_started = true;
    if (!book)
        return NULL;
    atomic_store(&shelf->checkpoint, rule_book_number(book));
    put_current(shelf, book);
    *is_new = true;
    return NULL;
}

const Error *rule_shelf_follow(RuleShelf *shelf, const StoreView *view)
{
    Arena *arena = arena_new();
    StoreView reading = reading_view(view, arena);
    bool is_there = true, is_new = false;
    const Error *error;

    pthread_mutex_lock(&shelf->following);
    error = start(shelf, &reading, &is_new);
    while (!error && is_there) {
        Release release = THROUGHLINE__CATALOG__V1__RELEASE__INIT;
        RuleBook *next;

        arena_reset(arena);
        error = next_release(&reading, shelf->current, &release, &is_there);
        if (error || !is_there)
            break;
        if (!(error = apply_release(&reading, shelf->current, &release, &next))) {
            put_current(shelf, next);
            is_new = true;
        }
    }
    error = error_copy(view->arena, error);
    if (is_new)
        put_in_force(shelf, arena);
    pthread_mutex_unlock(&shelf->following);
    arena_free(arena);
    return error;
}

const Error *rule_shelf_keep(RuleShelf *shelf, StoreView *view)
{
    RuleBook *book = rule_shelf_current(shelf);
    int64_t newest = atomic_load(&shelf->checkpoint);
    const Error *error = NULL;

    /* Another replica may have written one meanwhile. */
    if (rule_checkpoint_is_due(book, newest) && !(error = rule_checkpoint_newest(view, &newest)) &&
        rule_checkpoint_is_due(book, newest) && !(error = rule_checkpoint_write(view, book)))
        newest = rule_book_number(book);
    if (!error)
        atomic_store(&shelf->checkpoint, newest);
    rule_book_release(book);
    return error;
}

/* One step back: what a rule was before a release. */
typedef struct Step {
    int64_t release;
    const ReleaseChange *change;
} Step;

static int by_rule_oldest_first(const void *a, const void *b)
{
    const Step *left = a;
    const Step *right = b;
    int order = strcmp(left->change->rule, right->change->rule);

    if (order)
        return order;
    return left->release == right->release ? 0 : left->release > right->release ? 1 : -1;
}

typedef struct Steps {
    Step *items;
    size_t n_items;
} Steps;

static const Error *add_steps(StoreView *view, int64_t number, Steps *steps)
{
    Release release = THROUGHLINE__CATALOG__V1__RELEASE__INIT;
    ReleaseChange **changes;
    size_t n;
    const Error *error;

    if ((error = store_get(view, &releases, release_name(view->arena, number), &release)) ||
        (error = release_changes_load(view, &release, &changes)))
        return error;
    n = (size_t)release.change_count;
    steps->items = arena_grow(
        view->arena, steps->items, steps->n_items, steps->n_items + n, sizeof(*steps->items));
    for (size_t i = 0; i < n; i++)
        steps->items[steps->n_items++] = (Step){ number, changes[i] };
    return NULL;
}

/* Of the steps of one rule the oldest says what it was. */
static RuleBook *step_back(const RuleBook *book, int64_t number, Steps steps, Arena *arena)
{
    BookChange *list = arena_array(arena, steps.n_items, sizeof(*list));
    size_t n = 0;

    if (steps.n_items > 1)
        qsort(steps.items, steps.n_items, sizeof(*steps.items), by_rule_oldest_first);
    for (size_t i = 0; i < steps.n_items; i++) {
        const ReleaseChange *change = steps.items[i].change;

        if (!i || !text_equal(steps.items[i - 1].change->rule, change->rule))
            list[n++] = (BookChange){ change->rule, change->before, change->before_release };
    }
    return rule_book_next(book, number, list, n);
}

/* Goes back from a book, release by release. */
static const Error *go_back(
    const RuleBook *from, const StoreView *view, int64_t number, RuleBook **book)
{
    Arena *arena = arena_new();
    StoreView reading = reading_view(view, arena);
    Steps steps = { 0 };
    const Error *error = NULL;

    for (int64_t i = rule_book_number(from); i > number && !error; i--)
        error = add_steps(&reading, i, &steps);
    if (!error)
        *book = step_back(from, number, steps, arena);
    error = error_copy(view->arena, error);
    arena_free(arena);
    return error;
}

const Error *rule_shelf_at(RuleShelf *shelf, const StoreView *view, int64_t number, RuleBook **book)
{
    RuleBook *from = rule_shelf_current(shelf), *nearer = NULL;
    StoreView reading = *view;
    const Error *error = NULL;

    if (number < 0 || number > rule_book_number(from))
        error = &release_not_found;
    else if (rule_book_number(from) - number > NEAR)
        error = rule_checkpoint_after(&reading, number, &nearer);
    if (nearer) {
        rule_book_release(from);
        from = nearer;
    }
    if (!error)
        error = go_back(from, view, number, book);
    rule_book_release(from);
    return error;
}
