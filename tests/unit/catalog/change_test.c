/* Rule books and the changes between them. */
#include "services/catalog/domain/change.h"

#include "services/catalog/domain/rule_set.h"
#include "shared/codec/message.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/rule_builders.h"

#include <stdlib.h>
#include <string.h>

enum { MANY_RULES = 40, MANY_ROUNDS = 300 };

static Arena *arena;
static RuleBook *empty;

static int open_books(void)
{
    arena = arena_new();
    empty = rule_book_new();
    return 0;
}

static int close_books(void)
{
    rule_book_release(empty);
    arena_free(arena);
    return 0;
}

/* The book after `book` with these promotions set; a NULL name ends the list. */
typedef struct Setting {
    const char *name;
    int32_t basis_points;
} Setting;

static ChangeList a_list(const Setting *settings)
{
    ChangeList list = { .items = arena_array(arena, MANY_RULES, sizeof(Change *)) };

    for (; settings->name; settings++)
        list.items[list.n_items++] = a_change(arena, settings->name, settings->basis_points);
    return list;
}

static RuleBook *a_book(const RuleBook *before, int64_t number, const Setting *settings)
{
    return changes_apply(a_list(settings), before, number, arena);
}

static DraftPart *a_part(const Setting *settings)
{
    DraftPart *part = message_new(arena, &throughline__catalog__v1__draft_part__descriptor);
    ChangeList list = a_list(settings);

    part->changes = list.items;
    part->n_changes = list.n_items;
    return part;
}

static int32_t points(const RuleBook *book, const char *name)
{
    const Rule *rule = book_rule_unpack(rule_book_find(book, name), arena);

    return rule ? rule->promotion->basis_points : -1;
}

static void a_book_has_what_was_put_in_the_order_of_names(void)
{
    RuleBook *one = a_book(empty, 1, (Setting[]){ { "b", 2 }, { "a", 1 }, { "d", 4 }, { 0 } });
    RuleBook *two = a_book(one, 2, (Setting[]){ { "d", 0 }, { "c", 3 }, { "a", 10 }, { 0 } });

    CHECK_INT(rule_book_count(one), 3);
    CHECK_INT(rule_book_count(two), 3);
    CHECK_TEXT(rule_book_at(two, 0)->name, "promotions/a");
    CHECK_TEXT(rule_book_at(two, 1)->name, "promotions/b");
    CHECK_TEXT(rule_book_at(two, 2)->name, "promotions/c");
    CHECK_INT(points(two, "promotions/a"), 10);
    CHECK_INT(points(one, "promotions/a"), 1);
    CHECK_INT(points(two, "promotions/d"), -1);
    CHECK_INT(points(one, "promotions/d"), 4);
    CHECK_INT(rule_book_find(two, "promotions/b")->changed_in, 1);
    CHECK_INT(rule_book_find(two, "promotions/c")->changed_in, 2);
    rule_book_release(one);
    CHECK_INT(points(two, "promotions/b"), 2);
    rule_book_release(two);
}

static void equal_rules_have_equal_digests_whatever_their_numbers(void)
{
    RuleBook *one = a_book(empty, 1, (Setting[]){ { "a", 1 }, { 0 } });
    RuleBook *two = a_book(one, 2, (Setting[]){ { "a", 5 }, { "b", 2 }, { 0 } });
    RuleBook *three = a_book(two, 3, (Setting[]){ { "a", 1 }, { "b", 0 }, { 0 } });

    CU_ASSERT(memcmp(rule_book_digest(one), rule_book_digest(three), RULE_BOOK_DIGEST) == 0);
    CU_ASSERT(memcmp(rule_book_digest(one), rule_book_digest(two), RULE_BOOK_DIGEST) != 0);
    CU_ASSERT(memcmp(rule_book_digest(one), rule_book_digest(empty), RULE_BOOK_DIGEST) != 0);
    rule_book_release(one);
    rule_book_release(two);
    rule_book_release(three);
}

static void a_later_part_stands_for_an_earlier_one(void)
{
    DraftPart *parts[] = { a_part((Setting[]){ { "b", 1 }, { "a", 1 }, { "c", 1 }, { 0 } }),
        a_part((Setting[]){ { "b", 2 }, { 0 } }), a_part((Setting[]){ { "c", 0 }, { 0 } }) };
    char *dropped[] = { text(arena, "promotions/a"), text(arena, "promotions/none") };
    ChangeList list;

    parts[1]->dropped = dropped;
    parts[1]->n_dropped = COUNT(dropped);
    list = changes_fold(parts, COUNT(parts), arena);

    CHECK_INT(list.n_items, 2);
    CHECK_TEXT(list.items[0]->rule, "promotions/b");
    CHECK_INT(list.items[0]->after->promotion->basis_points, 2);
    CHECK_TEXT(list.items[1]->rule, "promotions/c");
    CU_ASSERT_PTR_NULL(list.items[1]->after);
}

static void what_was_dropped_can_be_put_again(void)
{
    DraftPart *parts[] = { a_part((Setting[]){ { "a", 1 }, { 0 } }), a_part((Setting[]){ { 0 } }),
        a_part((Setting[]){ { "a", 3 }, { 0 } }) };
    char *dropped[] = { text(arena, "promotions/a") };

    parts[1]->dropped = dropped;
    parts[1]->n_dropped = 1;

    CHECK_INT(changes_fold(parts, 2, arena).n_items, 0);
    CHECK_INT(changes_fold(parts, 3, arena).n_items, 1);
}

static void a_change_of_what_was_seen_conflicts_with_nothing(void)
{
    RuleBook *one = a_book(empty, 1, (Setting[]){ { "a", 1 }, { 0 } });
    ChangeList list = a_list((Setting[]){ { "a", 2 }, { "b", 2 }, { 0 } });

    changes_begin(list.items, list.n_items, one, arena);
    changes_compare(list, one, arena);

    CU_ASSERT_PTR_NULL(changes_conflict(list));
    CHECK_INT(list.items[0]->before->promotion->basis_points, 1);
    CU_ASSERT_PTR_NULL(list.items[1]->before);
    CHECK_INT(list.items[0]->base_release, 1);
    rule_book_release(one);
}

static void a_rule_that_changed_meanwhile_is_a_conflict(void)
{
    RuleBook *one = a_book(empty, 1, (Setting[]){ { "a", 1 }, { "c", 1 }, { 0 } });
    RuleBook *two = a_book(one, 2, (Setting[]){ { "b", 9 }, { "c", 0 }, { 0 } });
    ChangeList list = a_list((Setting[]){ { "a", 2 }, { "b", 2 }, { "c", 2 }, { 0 } });

    changes_begin(list.items, list.n_items, one, arena);
    changes_compare(list, two, arena);

    CHECK_INT(list.items[0]->conflict_release, 0);
    CHECK_INT(list.items[1]->conflict_release, 2);
    CHECK_INT(list.items[2]->conflict_release, CHANGE_TAKEN_OUT);
    CHECK_TEXT(changes_conflict(list)->rule, "promotions/b");
    rule_book_release(one);
    rule_book_release(two);
}

static void the_same_change_made_twice_is_a_conflict_too(void)
{
    RuleBook *one = a_book(empty, 1, (Setting[]){ { "a", 1 }, { 0 } });
    RuleBook *two = a_book(one, 2, (Setting[]){ { "a", 2 }, { 0 } });
    ChangeList list = a_list((Setting[]){ { "a", 2 }, { 0 } });

    changes_begin(list.items, list.n_items, one, arena);
    changes_compare(list, two, arena);

    CU_ASSERT_PTR_NOT_NULL(changes_conflict(list));
    CHECK_INT(changes_effective(list, arena).n_items, 0);
    rule_book_release(one);
    rule_book_release(two);
}

static void what_was_rolled_back_meanwhile_conflicts_no_more(void)
{
    RuleBook *one = a_book(empty, 1, (Setting[]){ { "a", 1 }, { 0 } });
    RuleBook *two = a_book(one, 2, (Setting[]){ { "a", 2 }, { 0 } });
    RuleBook *three = a_book(two, 3, (Setting[]){ { "a", 1 }, { 0 } });
    ChangeList list = a_list((Setting[]){ { "a", 7 }, { 0 } });

    changes_begin(list.items, list.n_items, one, arena);
    changes_compare(list, three, arena);

    CU_ASSERT_PTR_NULL(changes_conflict(list));
    rule_book_release(one);
    rule_book_release(two);
    rule_book_release(three);
}

static void an_etag_makes_no_difference(void)
{
    RuleBook *one = a_book(empty, 1, (Setting[]){ { "a", 1 }, { 0 } });
    ChangeList list = a_list((Setting[]){ { "a", 1 }, { 0 } });

    list.items[0]->after->promotion->etag = text(arena, "77");
    changes_begin(list.items, list.n_items, one, arena);
    changes_compare(list, one, arena);

    CHECK_INT(changes_effective(list, arena).n_items, 0);
    rule_book_release(one);
}

static void bad_changes_are_all_named(void)
{
    ChangeList list = a_list(
        (Setting[]){ { "a", 1 }, { "b", 10001 }, { "c", 1 }, { "d", 0 }, { "a", 2 }, { 0 } });
    Findings findings = { .arena = arena };

    list.items[2]->rule = text(arena, "promotions/other");
    list.items[3]->rule = text(arena, "nothings/d");
    changes_check(list.items, list.n_items, &findings);

    CHECK_INT(findings.n_items, 4);
    CU_ASSERT(has_finding(&findings, "changes"));
    CU_ASSERT(has_finding(&findings, "changes[1].after.promotion.basis_points"));
    CU_ASSERT(has_finding(&findings, "changes[2].after"));
    CU_ASSERT(has_finding(&findings, "changes[3].rule"));
}

static void a_rule_without_a_kind_and_a_stop_are_refused(void)
{
    Change *changes[] = { a_change(arena, "a", 1), a_change(arena, "b", 0) };
    Findings findings = { .arena = arena };

    changes[0]->after->kind_case = THROUGHLINE__CATALOG__V1__RULE__KIND__NOT_SET;
    changes[1]->rule = text(arena, "priceStops/b");
    changes_check(changes, COUNT(changes), &findings);

    CU_ASSERT(has_finding(&findings, "changes[0].after"));
    CU_ASSERT(has_finding(&findings, "changes[1].rule"));
}

static const char *stop_name = "priceStops/s";

static RuleBook *a_stop(const RuleBook *book, int64_t number)
{
    Rule *rule = message_new(arena, &throughline__catalog__v1__rule__descriptor);
    BookChange change = { stop_name, rule, number };

    rule->kind_case = THROUGHLINE__CATALOG__V1__RULE__KIND_PRICE_STOP;
    rule->price_stop = message_new(arena, &throughline__catalog__v1__price_stop__descriptor);
    rule->price_stop->name = text(arena, stop_name);
    return rule_book_next(book, number, &change, 1);
}

static void a_rollback_restores_all_but_stops(void)
{
    RuleBook *one = a_book(empty, 1, (Setting[]){ { "a", 1 }, { "b", 1 }, { 0 } });
    RuleBook *two = a_book(one, 2, (Setting[]){ { "a", 2 }, { "b", 0 }, { "c", 2 }, { 0 } });
    RuleBook *three = a_stop(two, 3);
    ChangeList list = changes_to_restore(three, one, arena);
    RuleBook *four = changes_apply(list, three, 4, arena);

    CHECK_INT(list.n_items, 3);
    CHECK_INT(points(four, "promotions/a"), 1);
    CHECK_INT(points(four, "promotions/b"), 1);
    CHECK_INT(points(four, "promotions/c"), -1);
    CU_ASSERT_PTR_NOT_NULL(rule_book_find(four, stop_name));
    rule_book_release(one);
    rule_book_release(two);
    rule_book_release(three);
    rule_book_release(four);
}

/* A random book of up to MANY_RULES promotions. */
static RuleBook *random_book(unsigned *seed, int64_t number)
{
    RuleBook *book = rule_book_hold(empty);

    for (int i = 0; i < MANY_RULES; i++) {
        Setting settings[] = { { arena_printf(arena, "r%d", i), 1 + rand_r(seed) % 3 }, { 0 } };
        RuleBook *next;

        if (rand_r(seed) % 3 == 0)
            continue;
        next = a_book(book, number, settings);
        rule_book_release(book);
        book = next;
    }
    return book;
}

static void the_difference_of_two_books_makes_one_of_the_other(void)
{
    unsigned seed = 7;

    for (int i = 0; i < MANY_ROUNDS; i++) {
        RuleBook *from = random_book(&seed, 1), *to = random_book(&seed, 2);
        ChangeList list = changes_between(from, to, arena);
        RuleBook *made = changes_apply(list, from, 3, arena);

        CU_ASSERT(memcmp(rule_book_digest(made), rule_book_digest(to), RULE_BOOK_DIGEST) == 0);
        CHECK_INT(changes_between(made, to, arena).n_items, 0);
        for (size_t j = 0; j < list.n_items; j++)
            CU_ASSERT(list.items[j]->before || list.items[j]->after);
        rule_book_release(from);
        rule_book_release(to);
        rule_book_release(made);
        arena_reset(arena);
    }
}

static void a_book_becomes_a_rule_set_by_kinds(void)
{
    RuleBook *one = a_book(empty, 1, (Setting[]){ { "b", 2 }, { "a", 1 }, { 0 } });
    RuleBook *two = a_stop(one, 2);
    const RuleSet *set = rule_set_of(two, arena);

    CHECK_INT(set->release, 2);
    CHECK_INT(set->n_promotions, 2);
    CHECK_TEXT(set->promotions[0]->name, "promotions/a");
    CHECK_TEXT(set->promotions[1]->name, "promotions/b");
    CHECK_INT(set->n_price_stops, 1);
    CHECK_TEXT(set->price_stops[0]->name, stop_name);
    CHECK_INT(set->n_price_rows + set->n_tax_rates + set->n_item_costs, 0);
    CU_ASSERT_PTR_NULL(set->settings);
    rule_book_release(one);
    rule_book_release(two);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_book_has_what_was_put_in_the_order_of_names",
            a_book_has_what_was_put_in_the_order_of_names },
        { "equal_rules_have_equal_digests_whatever_their_numbers",
            equal_rules_have_equal_digests_whatever_their_numbers },
        { "a_later_part_stands_for_an_earlier_one", a_later_part_stands_for_an_earlier_one },
        { "what_was_dropped_can_be_put_again", what_was_dropped_can_be_put_again },
        { "a_change_of_what_was_seen_conflicts_with_nothing",
            a_change_of_what_was_seen_conflicts_with_nothing },
        { "a_rule_that_changed_meanwhile_is_a_conflict",
            a_rule_that_changed_meanwhile_is_a_conflict },
        { "the_same_change_made_twice_is_a_conflict_too",
            the_same_change_made_twice_is_a_conflict_too },
        { "what_was_rolled_back_meanwhile_conflicts_no_more",
            what_was_rolled_back_meanwhile_conflicts_no_more },
        { "an_etag_makes_no_difference", an_etag_makes_no_difference },
        { "bad_changes_are_all_named", bad_changes_are_all_named },
        { "a_rule_without_a_kind_and_a_stop_are_refused",
            a_rule_without_a_kind_and_a_stop_are_refused },
        { "a_rollback_restores_all_but_stops", a_rollback_restores_all_but_stops },
        { "the_difference_of_two_books_makes_one_of_the_other",
            the_difference_of_two_books_makes_one_of_the_other },
        { "a_book_becomes_a_rule_set_by_kinds", a_book_becomes_a_rule_set_by_kinds },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "change",
            .pInitFunc = open_books,
            .pCleanupFunc = close_books,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_change", suites, argc, argv);
}
