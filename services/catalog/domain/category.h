/* The tree of categories: what a good one is, where it stands. */
#ifndef THROUGHLINE_CATALOG_CATEGORY_H
#define THROUGHLINE_CATALOG_CATEGORY_H

#include "services/catalog/domain/product.h"

#include "throughline/catalog/v1/taxonomy.pb-c.h"

typedef Throughline__Catalog__V1__Category Category;

enum { CATEGORY_MAX_TITLE = 120, CATEGORY_MAX_DEPTH = 16 };

/* The category of this name, NULL when there is none (yet). */
typedef const Category *(*CategoryLookup)(void *context, const char *name);

/* Names every bad field of one that is to be stored. */
void category_check(const Category *category, Findings *findings);

/* Errors: FAILED_PRECONDITION CATEGORY_CYCLE, CATEGORY_TOO_DEEP: what its parents, as they are, make of it. */
const Error *category_check_parents(const Category *category, CategoryLookup lookup, void *context);

/* Titles from the top down to it. It ends after CATEGORY_MAX_DEPTH steps whatever the parents are. */
const char *category_path(
    const Category *category, CategoryLookup lookup, void *context, Arena *arena);

#endif
