/* What products are sorted by, as JSON lines that `import` reads. */
#ifndef THROUGHLINE_SERVICES_THROUGHLINE_EXPORT_TAXONOMY_H
#define THROUGHLINE_SERVICES_THROUGHLINE_EXPORT_TAXONOMY_H

#include "services/throughline/shop.h"

#include <stdio.h>

/* Writes all categories, from the top down, types, brands and locations; *n_records counts them. */
const Error *export_taxonomy(
    Arena *arena, const Shop *shop, const Channel *channel, FILE *out, int64_t *n_records);

#endif
