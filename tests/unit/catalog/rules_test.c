/* Rules made ready: what is found, what is shared, what lives how long. */
#include "services/catalog/governance/rules_holder.h"

#include "services/catalog/domain/lookup.h"
#include "services/catalog/domain/selector.h"
#include "shared/codec/message.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"

#include <pthread.h>
#include <string.h>

enum { READERS = 4, SWAPS = 200, KEYS = 1000 };

static void a_lookup_keeps_kinds_texts_and_order_apart(void)
{
    Arena *arena = arena_new();
    LookupEntry entries[2 * KEYS + 1];
    const Lookup *lookup;
    LookupValues found;

    for (uint32_t i = 0; i < KEYS; i++) {
        char *key = arena_printf(arena, "key-%u", (unsigned)i);

        entries[2 * i] = (LookupEntry){ 1, key, i };
        entries[2 * i + 1] = (LookupEntry){ 2, key, i + KEYS };
    }
    entries[2 * KEYS] = (LookupEntry){ 1, "key-7", 3 };
    lookup = lookup_build(arena, entries, COUNT(entries));

    found = lookup_find(lookup, 1, "key-7", 5);
    CHECK_INT(found.n_values, 2);
    CHECK_INT(found.values[0], 7);
    CHECK_INT(found.values[1], 3);
    found = lookup_find(lookup, 2, "key-7 and more", 5);
    CHECK_INT(found.n_values, 1);
    CHECK_INT(found.values[0], 7 + KEYS);
    CHECK_INT(lookup_find(lookup, 3, "key-7", 5).n_values, 0);
    CHECK_INT(lookup_find(lookup, 1, "key-1000", 8).n_values, 0);
    CHECK_INT(lookup_find(lookup_build(arena, NULL, 0), 1, "", 0).n_values, 0);
    arena_free(arena);
}

static void a_selector_takes_any_of_its_names(void)
{
    Arena *arena = arena_new();
    const Product *tent = a_product(arena);
    Selector selector = THROUGHLINE__CATALOG__V1__SELECTOR__INIT;
    char *skus[] = { text(arena, "zebra"), text(arena, "tent-green") };
    char *brands[] = { text(arena, "Fernweh") };
    CompiledSelector compiled;

    selector.n_skus = COUNT(skus);
    selector.skus = skus;
    compiled = selector_compile(arena, &selector);
    CU_ASSERT(selector_matches(&compiled, tent, tent->variants[0]));
    CU_ASSERT(!selector_matches(&compiled, tent, tent->variants[1]));

    selector.n_brands = COUNT(brands);
    selector.brands = brands;
    compiled = selector_compile(arena, &selector);
    CU_ASSERT(selector_matches(&compiled, tent, tent->variants[1]));

    selector.n_excluded_skus = COUNT(skus);
    selector.excluded_skus = skus;
    compiled = selector_compile(arena, &selector);
    CU_ASSERT(!selector_matches(&compiled, tent, tent->variants[0]));
    arena_free(arena);
}

static void a_selector_takes_a_category_with_those_below_it(void)
{
    Arena *arena = arena_new();
    static const char *const inside[] = { "Outdoor", "Outdoor > Tents" };
    static const char *const outside[] = { "Out", "Outdoor > Tent", "Outdoor > Tents > Large",
        "Outdoors" };
    const Product *tent = a_product(arena);
    CompiledSelector compiled;

    for (size_t i = 0; i < COUNT(inside) + COUNT(outside); i++) {
        bool is_inside = i < COUNT(inside);
        Selector selector = THROUGHLINE__CATALOG__V1__SELECTOR__INIT;
        char *categories[] = { text(arena, "Kitchen"),
            text(arena, is_inside ? inside[i] : outside[i - COUNT(inside)]), text(arena, "Zoo") };

        selector.n_categories = COUNT(categories);
        selector.categories = categories;
        compiled = selector_compile(arena, &selector);
        CHECK_INT(selector_matches(&compiled, tent, tent->variants[0]), is_inside);
    }
    arena_free(arena);
}

static void releases_only_go_forward(void)
{
    RulesHolder *holder = rules_holder_new();
    RuleSet set = THROUGHLINE__CATALOG__V1__RULE_SET__INIT;
    Rules *held;

    set.release = 2;
    rules_holder_swap(holder, rules_compile(&set));
    set.release = 1;
    rules_holder_swap(holder, rules_compile(&set));
    held = rules_holder_current(holder);

    CHECK_INT(rules_set(held)->release, 2);
    rules_release(held);
    rules_holder_free(holder);
}

static void a_reader_is_never_the_last_to_let_go(void)
{
    RulesHolder *holder = rules_holder_new();
    RuleSet set = THROUGHLINE__CATALOG__V1__RULE_SET__INIT;
    Rules *held = rules_holder_current(holder);

    set.release = 1;
    rules_holder_swap(holder, rules_compile(&set));
    rules_holder_sweep(holder);

    CU_ASSERT(rules_are_shared(held));
    CHECK_INT(rules_set(held)->release, 0);
    rules_release(held);
    rules_holder_sweep(holder);
    rules_holder_free(holder);
}

static void promotions_are_found_by_name_and_code(void)
{
    Arena *arena = arena_new();
    RuleSet set = THROUGHLINE__CATALOG__V1__RULE_SET__INIT;
    Promotion *promotions[] = { a_promotion(arena, "SPRING", 1000), a_promotion(arena, "FALL", 1) };
    Rules *rules;

    set.n_promotions = COUNT(promotions);
    set.promotions = promotions;
    rules = rules_compile(&set);

    CHECK_TEXT(rules_promotion(rules, "promotions/fall")->code, "FALL");
    CHECK_TEXT(rules_promotion_by_code(rules, "SPRING")->name, "promotions/spring");
    CU_ASSERT_PTR_NULL(rules_promotion(rules, "SPRING"));
    CU_ASSERT_PTR_NULL(rules_promotion_by_code(rules, "WINTER"));
    rules_release(rules);
    arena_free(arena);
}

static void *read_rules(void *context)
{
    RulesHolder *holder = context;
    int64_t last = 0;

    while (last < SWAPS) {
        Rules *rules = rules_holder_current(holder);
        const RuleSet *set = rules_set(rules);

        /* Each release has as many promotions as its number says: never a mixture. */
        if (set->release < last || (int64_t)set->n_promotions != set->release % 5)
            return holder;
        last = set->release;
        rules_release(rules);
    }
    return NULL;
}

static void readers_see_whole_releases_while_they_are_swapped(void)
{
    Arena *arena = arena_new();
    RulesHolder *holder = rules_holder_new();
    Promotion *promotions[5];
    pthread_t readers[READERS];

    for (size_t i = 0; i < COUNT(promotions); i++)
        promotions[i] = a_promotion(arena, arena_printf(arena, "CODE-%zu", i), 100);
    for (int i = 0; i < READERS; i++)
        CU_ASSERT_FATAL(!pthread_create(&readers[i], NULL, read_rules, holder));
    for (int64_t release = 1; release <= SWAPS; release++) {
        RuleSet set = THROUGHLINE__CATALOG__V1__RULE_SET__INIT;

        set.release = release;
        set.n_promotions = (size_t)(release % 5);
        set.promotions = promotions;
        rules_holder_swap(holder, rules_compile(&set));
    }
    for (int i = 0; i < READERS; i++) {
        void *wrong;

        pthread_join(readers[i], &wrong);
        CU_ASSERT_PTR_NULL(wrong);
    }
    rules_holder_free(holder);
    arena_free(arena);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_lookup_keeps_kinds_texts_and_order_apart",
            a_lookup_keeps_kinds_texts_and_order_apart },
        { "a_selector_takes_any_of_its_names", a_selector_takes_any_of_its_names },
        { "a_selector_takes_a_category_with_those_below_it",
            a_selector_takes_a_category_with_those_below_it },
        { "releases_only_go_forward", releases_only_go_forward },
        { "a_reader_is_never_the_last_to_let_go", a_reader_is_never_the_last_to_let_go },
        { "promotions_are_found_by_name_and_code", promotions_are_found_by_name_and_code },
        { "readers_see_whole_releases_while_they_are_swapped",
            readers_see_whole_releases_while_they_are_swapped },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "rules", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_rules", suites, argc, argv);
}
