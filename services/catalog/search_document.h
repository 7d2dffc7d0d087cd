/* What search keeps of one product at one version: what it is sorted, filtered and counted by. */
#ifndef THROUGHLINE_CATALOG_SEARCH_DOCUMENT_H
#define THROUGHLINE_CATALOG_SEARCH_DOCUMENT_H

#include "services/catalog/domain/product.h"
#include "services/catalog/search_values.h"

/* The least price in a currency. */
typedef struct DocumentPrice {
    int64_t minor;
    char currency[4];
    int32_t band; /* facet_band */
} DocumentPrice;

typedef struct SearchDocument {
    int64_t version;
    int64_t create_time;
    const char *name;
    const DocumentPrice *prices;
    const uint32_t *values; /* each once */
    uint32_t n_prices;
    uint32_t n_values;
} SearchDocument;

/* One block of memory, for free(). New values are added. */
SearchDocument *search_document_new(const Product *product, SearchValues *values);

/* NULL when it has none in this currency. */
const DocumentPrice *search_document_price(const SearchDocument *document, const char *currency);

#endif
