/* How far an import is, kept under its name: what was kept need not be sent again. */
#ifndef THROUGHLINE_CATALOG_IMPORT_RECORD_H
#define THROUGHLINE_CATALOG_IMPORT_RECORD_H

#include "services/catalog/products/product_import.h"

typedef Throughline__Catalog__V1__Import Import;

/* Begins under a name, or goes on: then the result so far is copied into `result`, whose `errors` has room for
 * IMPORT_MAX_ERRORS. */
const Error *import_record_open(
    RpcCall *call, const char *name, ImportProductsResponse *result, Import *record);

/* Everything up to `rows` is kept. Whoever imports under the same name at the same time only moves the mark about. */
const Error *import_record_keep(
    StoreView *view, Import *record, int64_t rows, ImportProductsResponse *result, bool is_done);

#endif
