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

/* Of amounts and of what changes nothing; of promotions. Each ends with a NULL name. */
extern const Property quote_properties[];
extern const Property promotion_properties[];

/* A quote that must not fail; that of the same cart with a changed set of rules. */
Quote *property_price(const PricingInput *input, Arena *arena);
Quote *property_price_with(const Trial *trial, const RuleSet *set);

/* 0 for NULL. */
int64_t property_minor(const Google__Type__Money *money);

#endif
