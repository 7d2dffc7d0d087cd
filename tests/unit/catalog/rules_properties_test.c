/* Properties of the pricing function over random rules and carts: price rows, promotions of every
 * kind, codes, limits, taxes. Every property is tried on every cart; a failure prints the seed.
 * 100,000 carts, with THROUGHLINE_QUICK=1 400. */
#include "tests/support/test_main.h"
#include "tests/unit/catalog/rules_properties.h"
#include "tests/unit/catalog/rounds.h"

#include <stdlib.h>

enum { QUICK_ROUNDS = 400 };

static void try_all(Arena *arena, unsigned seed, bool *is_broken)
{
    Trial trial;
    QuoteExplanation explanation = THROUGHLINE__CATALOG__V1__EXPLAIN_QUOTE_RESPONSE__INIT;

    world_make(&trial.world, arena, seed);
    trial.rules = rules_compile(&trial.world.set);
    trial.world.input.rules = trial.rules;
    world_find_codes(&trial.world, trial.rules);
    trial.quote = property_price(&trial.world.input, arena);
    CU_ASSERT_PTR_NULL_FATAL(pricing_explain(&trial.world.input, arena, &explanation));
    trial.explanation = &explanation;
    for (size_t i = 0; i < n_properties; i++) {
        if (is_broken[i] || properties[i].holds(&trial))
            continue;
        printf("cart %u breaks %s\n", seed, properties[i].name);
        is_broken[i] = true;
    }
    rules_release(trial.rules);
}

static void every_property_holds_for_every_cart(void)
{
    unsigned rounds = rounds_or(QUICK_ROUNDS);
    bool *is_broken = calloc(n_properties, sizeof(*is_broken));
    Arena *arena = arena_new();

    for (unsigned seed = 1; seed <= rounds; seed++) {
        try_all(arena, seed, is_broken);
        arena_reset(arena);
    }
    arena_free(arena);

    printf("%zu properties of %u carts\n", n_properties, rounds);
    for (size_t i = 0; i < n_properties; i++)
        CU_ASSERT(!is_broken[i]);
    free(is_broken);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "every_property_holds_for_every_cart", every_property_holds_for_every_cart },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "rules_properties", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_rules_properties", suites, argc, argv);
}
