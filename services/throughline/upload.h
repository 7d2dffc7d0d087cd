/* Records on their way into the catalog service: one stream for each run of records of one kind. */
#ifndef THROUGHLINE_SERVICES_THROUGHLINE_UPLOAD_H
#define THROUGHLINE_SERVICES_THROUGHLINE_UPLOAD_H

#include "services/catalog/import/catalog_file.h"
#include "services/throughline/catalogue.h"

typedef struct Upload Upload;

/* `name`: "imports/…", under which the service keeps how far products have come. Counts go to `result`; refusals are printed. */
Upload *upload_begin(Arena *arena, const Shop *shop, const Channel *channel, const char *name,
    const CatalogueTerms *terms, CatalogueResult *result);

/* The row from which on products are to be sent; those before are there. Errors: those of the call. */
const Error *upload_find_start(Upload *upload, int64_t *row);

/* Sends the row's record; a row without one is passed over. Errors end the upload: they are told by upload_end too. */
const Error *upload_row(Upload *upload, const CatalogRow *row);

/* Ends the last stream. Errors: those of the service; `error` first. */
const Error *upload_end(Upload *upload, const Error *error);

#endif
