/* Catalogues in files: products, categories and locations out of whatever a shop has. The format is told by what is in the
 * file, which may be packed by gzip:
 *
 *  - JSON lines: one Product a line, in the protobuf JSON form, or {"category": …}, {"productType": …}, {"brand": …}, {"location": …}
 *  - JSON: an array of such products, or of products with "priceUsd" (Online Boutique), or a Django
 * fixture of Saleor
 *  - separated values with a header (",", ";", tab or "|"): columns are known by their usual names
 * (columns.c), the others become attributes; neighbouring rows of one product are its variants
 *
 *  - tables of categories ("categoryName"), and pairs of products to tell apart ("left_title", "right_title")
 *  - JSON arrays of categories with their paths, and of stores
 *
 * A bad row is reported and the next one read. */
#ifndef THROUGHLINE_CATALOG_CATALOG_FILE_H
#define THROUGHLINE_CATALOG_CATALOG_FILE_H

#include "services/catalog/domain/category.h"
#include "services/catalog/domain/location.h"
#include "services/catalog/domain/product_type.h"

typedef struct CatalogFile CatalogFile;

/* Something wrong in one row. */
typedef struct CatalogProblem {
    int64_t row;
    const char *field; /* the source's own name for it; "" for the row itself */
    const char *description;
} CatalogProblem;

/* One step through a file: a product, problems, or both (a product without its bad variants). */
typedef struct CatalogRow {
    int64_t number; /* the product's first row, line or item, from 1; a header counts */
    /* At most one of them, not yet checked as the service does; none when the row is bad. */
    Product *product;
    Category *category;
    ProductType *product_type;
    Brand *brand;
    Location *location;
    size_t n_problems;
    CatalogProblem *problems;
} CatalogRow;

/* `currency` is that of prices that name none; NULL: the format's own (INR for Flipkart's columns,
 * else USD). Errors: NOT_FOUND FILE_NOT_FOUND, INVALID_ARGUMENT FILE_UNREADABLE (no format that we
 * know). */
const Error *catalog_file_open(
    Arena *arena, const char *path, const char *currency, CatalogFile **file);
void catalog_file_close(CatalogFile *file);

/* The next row, in the arena. False at the end. */
bool catalog_file_next(CatalogFile *file, Arena *arena, CatalogRow *row);

/* How much of the file has been read, in thousandths: for a progress bar. */
int catalog_file_progress(const CatalogFile *file);

/* "JSON lines", "Saleor fixture", … */
const char *catalog_file_format(const CatalogFile *file);

#endif
