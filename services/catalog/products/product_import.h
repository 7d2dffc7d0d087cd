/* One import under way: rows are checked, gathered and written in batches, each row for itself. */
#ifndef THROUGHLINE_CATALOG_PRODUCT_IMPORT_H
#define THROUGHLINE_CATALOG_PRODUCT_IMPORT_H

#include "services/catalog/catalog.h"

typedef Throughline__Catalog__V1__ImportProductsRequest ImportProductsRequest;
typedef Throughline__Catalog__V1__ImportProductsResponse ImportProductsResponse;

enum { IMPORT_BATCH = 500, IMPORT_BATCH_BYTES = 4 * 1024 * 1024, IMPORT_MAX_ERRORS = 1000 };

typedef struct ProductImport ProductImport;

ProductImport *product_import_begin(RpcCall *call);

/* Takes in the first message what holds for all rows: the import's name, the draft. Errors: those of import_offers_open, and
 * INVALID_ARGUMENT for a bad name. */
const Error *product_import_open(ProductImport *import, const ImportProductsRequest *first);

/* Takes a row in, as a copy, and sends the batch on its way when it is full. `number` 0: counted from 1. Errors are those of the
 * store, of publications and drafts; bad rows are in the result. */
const Error *product_import_add(ProductImport *import, const Product *row, int64_t number);

/* Writes what was gathered, and that the import has come to its end. The result lives in the call's arena. */
const Error *product_import_finish(ProductImport *import, ImportProductsResponse *result);

void product_import_end(ProductImport *import);

#endif
