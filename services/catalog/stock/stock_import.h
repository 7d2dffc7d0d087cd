/* What a file of products says about stock. */
#ifndef THROUGHLINE_CATALOG_STOCK_IMPORT_H
#define THROUGHLINE_CATALOG_STOCK_IMPORT_H

#include "services/catalog/stock/stock_store.h"

/* A count that could not be set. */
typedef struct StockProblem {
    size_t product; /* index */
    const char *field;
    const char *description;
} StockProblem;

/* Sets the levels of these products to what is counted there and was not counted so by the import before. At most one problem a
 * count; `problems` and texts live in the view's arena. */
const Error *stock_import(RpcCall *call, StoreView *view, Product *const *products,
    size_t n_products, StockProblem **problems, size_t *n_problems);

#endif
