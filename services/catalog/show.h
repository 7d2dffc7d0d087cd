/* What is shown of products: as they are stored, with paths and brands as categories and brands are called now, and as releases have
 * them. Any thread. */
#ifndef THROUGHLINE_CATALOG_SHOW_H
#define THROUGHLINE_CATALOG_SHOW_H

#include "services/catalog/domain/taxonomy.h"

/* The taxonomy that is in force. */
typedef struct TaxonomyHolder TaxonomyHolder;

TaxonomyHolder *taxonomy_holder_new(void);
void taxonomy_holder_free(TaxonomyHolder *holder);

/* taxonomy_release it when done. */
Taxonomy *taxonomy_holder_current(TaxonomyHolder *holder);

/* Takes up what has changed in the registry since the last time, and lets all products that look different by it be shown and found so.
 * Costs a look when nothing has changed. */
struct Catalog;
void catalog_refresh(struct Catalog *catalog);

#endif
