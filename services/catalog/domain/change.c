#include "services/catalog/domain/change.h"

#include "shared/codec/message.h"

#include <stdlib.h>
#include <string.h>

enum { LIST_STEP = 64 };

static int by_text(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;

    return strcmp(*left, *right);
}

static void check_repeats(Change *const *changes, size_t n_changes, Findings *findings)
{
    const char **names = arena_array(findings->arena, n_changes, sizeof(*names));

    for (size_t i = 0; i < n_changes; i++)
        names[i] = changes[i]->rule;
    if (n_changes > 1)
        qsort(names, n_changes, sizeof(*names), by_text);
    for (size_t i = 1; i < n_changes; i++)
        if (text_equal(names[i - 1], names[i]))
            findings_add(findings, "changes", "the rule \"%s\" is given twice", names[i]);
}

static void check_change(const Change *change, const char *path, Findings *findings)
{
    Arena *arena = findings->arena;
    const char *field = arena_printf(arena, "%s.rule", path);

    if (!rule_name_is_valid(change->rule))
        findings_add(findings, field, "is not the name of a rule");
    else if (rule_name_is_reserved(change->rule))
        findings_add(findings, field, "is a rule that no draft can change");
    if (!change->after)
        return;
    rule_check(change->after, arena_printf(arena, "%s.after", path), findings);
    if (!text_equal(rule_name(change->after), change->rule))
        findings_add(findings, arena_printf(arena, "%s.after", path),
            "must be a rule with the name \"%s\"", change->rule);
}

void changes_check(Change *const *changes, size_t n_changes, Findings *findings)
{
    for (size_t i = 0; i < n_changes; i++)
        check_change(changes[i], arena_printf(findings->arena, "changes[%zu]", i), findings);
    check_repeats(changes, n_changes, findings);
}

/* What a part says of a rule; `change` NULL: leave it alone. The later part has the higher age. */
typedef struct Word {
    const char *rule;
    Change *change;
    size_t age;
} Word;

static int by_rule_newest_first(const void *a, const void *b)
{
    const Word *left = a;
    const Word *right = b;
    int order = strcmp(left->rule, right->rule);

    if (order)
        return order;
    return left->age == right->age ? 0 : left->age < right->age ? 1 : -1;
}

ChangeList changes_fold(DraftPart *const *parts, size_t n_parts, Arena *arena)
{
    ChangeList list = { 0 };
    size_t n_words = 0;
    Word *words;

    for (size_t i = 0; i < n_parts; i++)
        n_words += parts[i]->n_changes + parts[i]->n_dropped;
    words = arena_array(arena, n_words, sizeof(*words));
    list.items = arena_array(arena, n_words, sizeof(*list.items));
    n_words = 0;
    for (size_t i = 0; i < n_parts; i++) {
        for (size_t j = 0; j < parts[i]->n_dropped; j++)
            words[n_words++] = (Word){ parts[i]->dropped[j], NULL, i };
        for (size_t j = 0; j < parts[i]->n_changes; j++)
            words[n_words++] = (Word){ parts[i]->changes[j]->rule, parts[i]->changes[j], i };
    }
    if (n_words > 1)
        qsort(words, n_words, sizeof(*words), by_rule_newest_first);
    for (size_t i = 0; i < n_words; i++)
        if ((!i || !text_equal(words[i - 1].rule, words[i].rule)) && words[i].change)
            list.items[list.n_items++] = words[i].change;
    return list;
}

void changes_begin(Change *const *changes, size_t n_changes, const RuleBook *book, Arena *arena)
{
    for (size_t i = 0; i < n_changes; i++) {
        Change *change = changes[i];

        change->before = book_rule_unpack(rule_book_find(book, change->rule), arena);
        change->base_release = rule_book_number(book);
        change->conflict_release = 0;
        if (change->after)
            rule_normalize(change->after);
    }
}

static bool is_same(const Rule *a, const Rule *b)
{
    return a && b ? message_equal(a, b) : a == b;
}

void changes_compare(ChangeList changes, const RuleBook *book, Arena *arena)
{
    for (size_t i = 0; i < changes.n_items; i++) {
        Change *change = changes.items[i];
        const BookRule *rule = rule_book_find(book, change->rule);
        Rule *now = book_rule_unpack(rule, arena);

        change->conflict_release = 0;
        if (!is_same(now, change->before))
            change->conflict_release = rule ? rule->changed_in : CHANGE_TAKEN_OUT;
        change->before = now;
    }
}

Change *changes_conflict(ChangeList changes)
{
    for (size_t i = 0; i < changes.n_items; i++)
        if (changes.items[i]->conflict_release)
            return changes.items[i];
    return NULL;
}

ChangeList changes_effective(ChangeList changes, Arena *arena)
{
    ChangeList list = { .items = arena_array(arena, changes.n_items, sizeof(*list.items)) };

    for (size_t i = 0; i < changes.n_items; i++)
        if (!is_same(changes.items[i]->before, changes.items[i]->after))
            list.items[list.n_items++] = changes.items[i];
    return list;
}

static void add_change(
    ChangeList *list, const BookRule *before, const BookRule *after, Arena *arena)
{
    Change *change = message_new(arena, &throughline__catalog__v1__change__descriptor);

    change->rule = arena_text(arena, before ? before->name : after->name);
    change->before = book_rule_unpack(before, arena);
    change->after = book_rule_unpack(after, arena);
    if (list->n_items % LIST_STEP == 0)
        list->items = arena_grow(
            arena, list->items, list->n_items, list->n_items + LIST_STEP, sizeof(*list->items));
    list->items[list->n_items++] = change;
}

static bool holds_same(const BookRule *a, const BookRule *b)
{
    return a->packed.size == b->packed.size &&
           !memcmp(a->packed.data, b->packed.data, a->packed.size);
}

ChangeList changes_between(const RuleBook *from, const RuleBook *to, Arena *arena)
{
    size_t i = 0, j = 0;
    ChangeList list = { 0 };

    while (i < rule_book_count(from) || j < rule_book_count(to)) {
        const BookRule *old = i < rule_book_count(from) ? rule_book_at(from, i) : NULL;
        const BookRule *new = j < rule_book_count(to) ? rule_book_at(to, j) : NULL;
        int order = !old ? 1 : !new ? -1 : strcmp(old->name, new->name);

        if (order < 0)
            add_change(&list, old, NULL, arena);
        else if (order > 0)
            add_change(&list, NULL, new, arena);
        else if (!holds_same(old, new))
            add_change(&list, old, new, arena);
        i += order <= 0;
        j += order >= 0;
    }
    return list;
}

ChangeList changes_to_restore(const RuleBook *from, const RuleBook *to, Arena *arena)
{
    ChangeList all = changes_between(from, to, arena);
    ChangeList list = { .items = all.items };

    for (size_t i = 0; i < all.n_items; i++)
        if (!rule_name_is_reserved(all.items[i]->rule))
            list.items[list.n_items++] = all.items[i];
    return list;
}

RuleBook *changes_apply(ChangeList changes, const RuleBook *book, int64_t number, Arena *arena)
{
    BookChange *next = arena_array(arena, changes.n_items, sizeof(*next));

    for (size_t i = 0; i < changes.n_items; i++)
        next[i] = (BookChange){ changes.items[i]->rule, changes.items[i]->after, number };
    return rule_book_next(book, number, next, changes.n_items);
}
