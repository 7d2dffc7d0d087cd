/* Which lines a rule is about: a Selector made ready for fast answers. */
#ifndef THROUGHLINE_CATALOG_SELECTOR_H
#define THROUGHLINE_CATALOG_SELECTOR_H

#include "services/catalog/domain/product.h"

#include "throughline/catalog/v1/rules.pb-c.h"

typedef Throughline__Catalog__V1__Selector Selector;
typedef Throughline__Catalog__V1__AttributePredicate AttributePredicate;

/* Sorted texts that belong to the rule. */
typedef struct TextSet {
    size_t n_texts;
    const char **texts;
} TextSet;

TextSet text_set(Arena *arena, char *const *texts, size_t n_texts);
bool text_set_has(const TextSet *set, const char *text);

/* Whether the set has a category of the product, or one above it. */
bool text_set_has_category(const TextSet *set, const Product *product);

typedef struct CompiledSelector {
    const Selector *selector; /* NULL: every line */
    bool is_open;             /* names no SKU, product, category or brand */
    TextSet skus;
    TextSet products;
    TextSet categories;
    TextSet brands;
    TextSet excluded_skus;
    TextSet excluded_categories;
} CompiledSelector;

/* NULL means every line. The selector must live as long as what is made of it. */
CompiledSelector selector_compile(Arena *arena, const Selector *selector);

bool selector_matches(
    const CompiledSelector *selector, const Product *product, const Variant *variant);

#endif
