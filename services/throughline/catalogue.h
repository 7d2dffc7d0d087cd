/* Files of products on their way into the catalog service. */
#ifndef THROUGHLINE_SERVICES_THROUGHLINE_CATALOGUE_H
#define THROUGHLINE_SERVICES_THROUGHLINE_CATALOGUE_H

#include "services/throughline/shop.h"

/* What holds for all records of a file. */
typedef struct CatalogueTerms {
    const char *currency; /* of prices that name none; "": USD, but what a format knows better */
    const char
        *draft; /* "drafts/…" that prices and states go into; "": they are in force at once */
    const char *reason; /* why prices change, for the audit trail */
} CatalogueTerms;

typedef struct CatalogueResult {
    int64_t sent;          /* products, categories and locations */
    int64_t file_problems; /* rows of the file that are no record, or lose a part */
    int64_t start_row;     /* where an import that was cut off goes on; 0: at the start */
    int64_t created;
    int64_t updated;
    int64_t unchanged;
    int64_t refused;
    int64_t drafted; /* products whose prices or state went into the draft */
} CatalogueResult;

/* Streams a file's records to the catalog service, with a progress bar when stderr is a terminal. Problems of rows are printed on
 * stderr, at most 20. An import of the same file that was cut off goes on where it was. */
const Error *catalogue_import(Arena *arena, const Shop *shop, const Channel *channel,
    const char *path, const CatalogueTerms *terms, CatalogueResult *result);

/* What `up` does: imports `path`, or the demo's own catalogue when it is "", in the name of merchandising. */
const Error *catalogue_import_for_demo(
    Arena *arena, const char *data, const Shop *shop, const char *path);

#endif
