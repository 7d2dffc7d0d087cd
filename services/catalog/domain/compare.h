/* Variants side by side. */
#ifndef THROUGHLINE_CATALOG_COMPARE_H
#define THROUGHLINE_CATALOG_COMPARE_H

#include "services/catalog/domain/product.h"

enum { COMPARE_MIN_ITEMS = 2, COMPARE_MAX_ITEMS = 10 };

typedef Throughline__Catalog__V1__CompareProductsResponse Comparison;

typedef struct CompareItem {
    const Product *product;
    const Variant *variant;
    bool has_price;
    int64_t price; /* minor units */
    int64_t available;
} CompareItem;

/* Fills an initialised answer. An attribute of a variant goes before its product's of the same
 * key. */
void compare(const CompareItem *items, size_t n_items, const char *currency, Arena *arena,
    Comparison *comparison);

#endif
