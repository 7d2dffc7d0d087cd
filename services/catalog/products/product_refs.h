/* What a product says about its type and its categories. */
#ifndef THROUGHLINE_CATALOG_PRODUCT_REFS_H
#define THROUGHLINE_CATALOG_PRODUCT_REFS_H

#include "services/catalog/catalog.h"

/* Checks a good product against its type, and that its categories are there; without a path of its own it gets that of the first.
 * Errors are those of the store: what is wrong is in the findings. */
const Error *product_check_refs(RpcCall *call, Product *product, Findings *findings);

#endif
