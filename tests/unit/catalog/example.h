/* Worked examples of prices, read from text files that a merchandiser can read:
 * tests/examples/pricing/README.md says how they are written. */
#ifndef THROUGHLINE_TESTS_CATALOG_EXAMPLE_H
#define THROUGHLINE_TESTS_CATALOG_EXAMPLE_H

#include "services/catalog/domain/pricing.h"

#include <stdio.h>

enum { EXAMPLE_MAX = 64, EXAMPLE_MAX_WORDS = 32 };

/* One line of an example: words, of which some are "key=value". */
typedef struct ExampleLine {
    int number;
    size_t n_words;
    const char *words[EXAMPLE_MAX_WORDS];
} ExampleLine;

/* Everything under one title, with what stands above the first title of its file. */
typedef struct Example {
    Arena *arena;
    const char *title;
    const char *problem; /* why it can't be read; NULL: it can */
    RuleSet set;
    PricingInput input;
    PricingItem items[EXAMPLE_MAX];
    PricingCode codes[EXAMPLE_MAX];
    PricingUsage usages[EXAMPLE_MAX];
    PricingOverride overrides[EXAMPLE_MAX];
    PricingShipping shipping;
    const char *segments[EXAMPLE_MAX];
    Product *products[EXAMPLE_MAX];
    size_t n_products;
    ExampleLine expected[EXAMPLE_MAX];
    size_t n_expected;
} Example;

/* Reads the lines of one example. What cannot be read is said in example->problem. */
void example_start(Example *example, Arena *arena, const char *title);
void example_line(Example *example, const char *text, int number);

/* The rest of a word that starts with "key="; NULL when no word does. */
const char *example_option(const ExampleLine *line, const char *key);
bool example_flag(const ExampleLine *line, const char *word);

/* The word at a place, "" beyond the end. */
const char *example_word(const ExampleLine *line, size_t at);

/* An amount of the example's currency. */
int64_t example_amount(Example *example, const char *text);

/* Reads the line if it is of a rule (example_rules.c); whether it is. */
bool example_rule(Example *example, const ExampleLine *line);

/* Parses one promotion (example_promotion.c). */
Promotion *example_promotion(Example *example, const ExampleLine *line);

/* "a,b,c" as texts. */
char **example_list(Example *example, const char *text, size_t *n_texts);
/* "" for NULL; "COLLECTION/NAME", "" where the name is NULL. */
char *example_text(Example *example, const char *text);
char *example_name(Example *example, const char *collection, const char *name);

/* A percentage with as many digits as that currency has, as a whole number. */
int64_t example_percentage(Example *example, const char *digits, const char *text);
int32_t example_share(Example *example, const char *text); /* "12.5%" in basis points */
Google__Protobuf__Timestamp *example_time(Example *example, const char *text);
Google__Type__Money *example_money(Example *example, const char *text);
void example_problem(Example *example, const ExampleLine *line, const char *what);

#endif
