/* What holds for every quote, whatever the rules and the cart. */
#ifndef THROUGHLINE_TESTS_CATALOG_RULES_PROPERTIES_H
#define THROUGHLINE_TESTS_CATALOG_RULES_PROPERTIES_H

#include "tests/unit/catalog/random_rules.h"

/* A cart with its rules and what they come to. */
typedef struct Trial {
    World world;
    Rules *rules;
    const Quote *quote;
    const QuoteExplanation *explanation;
} Trial;

typedef struct Property {
    const char *name;
    bool (*holds)(const Trial *trial);
} Property;

extern const Property properties[];
extern const size_t n_properties;

/* A quote that must not fail. */
Quote *property_price(const PricingInput *input, Arena *arena);

#endif
