/* Random rules, products and carts: the same for the same seed. */
#ifndef THROUGHLINE_TESTS_CATALOG_RANDOM_RULES_H
#define THROUGHLINE_TESTS_CATALOG_RANDOM_RULES_H

#include "services/catalog/domain/pricing.h"

enum {
    WORLD_MAX_LINES = 6,
    WORLD_MAX_PROMOTIONS = 10,
    WORLD_MAX_ROWS = 12,
    WORLD_MAX_CODES = 3,
};

/* A cart and everything it is priced with. */
typedef struct World {
    Arena *arena;
    unsigned seed; /* of its making */
    RuleSet set;
    PricingInput input; /* rules are the caller's to compile and set */
    PricingItem items[WORLD_MAX_LINES];
    PricingCode codes[WORLD_MAX_CODES];
    PricingUsage usages[WORLD_MAX_PROMOTIONS];
    PricingOverride overrides[1];
    PricingShipping shipping;
    const char *segments[2];
} World;

void world_make(World *world, Arena *arena, unsigned seed);

/* Gives the codes their promotions of these rules. */
void world_find_codes(World *world, const Rules *rules);

#endif
