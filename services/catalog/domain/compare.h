/* Variants side by side. */
#ifndef THROUGHLINE_CATALOG_COMPARE_H
#define THROUGHLINE_CATALOG_COMPARE_H

#include "services/catalog/domain/product.h"

#include "throughline/catalog/v1/pricing.pb-c.h"

enum { COMPARE_MIN_ITEMS = 2, COMPARE_MAX_ITEMS = 10 };

typedef Throughline__Catalog__V1__CompareProductsResponse Comparison;
typedef Throughline__Catalog__V1__PricedLine PricedLine;

typedef struct CompareItem {
    const Product *product;
    const Variant *variant;
    const PricedLine *line; /* of one piece; NULL when it can't be bought */
    int64_t available;
} CompareItem;

/* Fills an initialised answer. An attribute of a variant goes before its product's of the same
 * key. */
void compare(const CompareItem *items, size_t n_items, Arena *arena, Comparison *comparison);

#endif
