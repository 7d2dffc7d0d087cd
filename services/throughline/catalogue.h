/* Files of products on their way into the catalog service. */
#ifndef THROUGHLINE_SERVICES_THROUGHLINE_CATALOGUE_H
#define THROUGHLINE_SERVICES_THROUGHLINE_CATALOGUE_H

#include "services/throughline/shop.h"

#include "throughline/catalog/v1/product.pb-c.h"

typedef struct CatalogueResult {
    int64_t products;      /* sent */
    int64_t file_problems; /* rows of the file that are no product, or lose a part */
    Throughline__Catalog__V1__ImportProductsResponse *response;
} CatalogueResult;

/* Streams a file's products to the catalog service, with a progress bar when stderr is a terminal. Problems of rows are printed on
 * stderr, at most 20. */
const Error *catalogue_import(Arena *arena, const Shop *shop, const Channel *channel,
    const char *path, const char *currency, CatalogueResult *result);

/* What `up` does: imports `path`, or the demo's own catalogue when it is "", in the name of merchandising. */
const Error *catalogue_import_for_demo(
    Arena *arena, const char *data, const Shop *shop, const char *path);

#endif
