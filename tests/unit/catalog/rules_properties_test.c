/* Properties of the pricing function over random rules and carts: price rows, promotions of every
 * kind, codes, limits, taxes. Every property is tried on every cart; a failure prints the seed.
 * 100,000 carts, in CI 400, quick a third of them. */
#include "tests/support/test_main.h"
#include "tests/unit/catalog/rules_properties.h"
#include "tests/unit/catalog/rounds.h"

#include <assert.h>
#include <stdio.h>

enum { CI_ROUNDS = 400, MAX_PROPERTIES = 64 };

typedef struct Claim {
    const Property *property;
    bool is_broken;
} Claim;

static Claim claims[MAX_PROPERTIES];
static size_t n_claims;

static void claim(const Property *properties)
{
    for (; properties->name; properties++) {
        assert(n_claims < MAX_PROPERTIES);
        claims[n_claims++].property = properties;
    }
}

static void try_all(Arena *arena, unsigned seed)
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
    for (size_t i = 0; i < n_claims; i++) {
        if (claims[i].is_broken || claims[i].property->holds(&trial))
            continue;
        printf("cart %u breaks %s\n", seed, claims[i].property->name);
        claims[i].is_broken = true;
    }
    rules_release(trial.rules);
}

static void every_property_holds_for_every_cart(void)
{
    unsigned rounds = rounds_or(CI_ROUNDS);
    Arena *arena = arena_new();

    claim(quote_properties);
    claim(promotion_properties);
    for (unsigned seed = 1; seed <= rounds; seed++) {
        try_all(arena, seed);
        arena_reset(arena);
    }
    arena_free(arena);

    printf("%zu properties of %u carts\n", n_claims, rounds);
    for (size_t i = 0; i < n_claims; i++)
        CU_ASSERT(!claims[i].is_broken);
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
