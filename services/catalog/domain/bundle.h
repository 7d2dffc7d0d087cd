/* Bundles: products made of others. */
#ifndef THROUGHLINE_CATALOG_BUNDLE_H
#define THROUGHLINE_CATALOG_BUNDLE_H

#include "services/catalog/domain/product.h"

/* The product of this name, NULL when there is none (yet). */
typedef const Product *(*BundleLookup)(void *context, const char *name);

bool bundle_is_one(const Product *product);

/* What is wrong with a bundle's parts: that one of them, however deep, is the bundle itself, or that they are nested too deep or
 * too many. NULL when nothing is. */
const char *bundle_problem(
    const Product *product, BundleLookup lookup, void *context, Arena *arena);

#endif
