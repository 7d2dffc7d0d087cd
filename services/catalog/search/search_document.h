/* What search keeps of one product at one version: what it is sorted, filtered and counted by. */
#ifndef THROUGHLINE_CATALOG_SEARCH_DOCUMENT_H
#define THROUGHLINE_CATALOG_SEARCH_DOCUMENT_H

#include "services/catalog/domain/product.h"
#include "services/catalog/search/search_stock.h"
#include "services/catalog/search/search_values.h"

/* The least price in a currency. */
typedef struct DocumentPrice {
    int64_t minor;
    char currency[4];
    int32_t band; /* facet_band */
} DocumentPrice;

/* How many of its SKUs can be had at a location. */
typedef struct DocumentStock {
    uint32_t location; /* a value's number */
    uint32_t n_skus;
} DocumentStock;

typedef struct SearchDocument {
    int64_t version;
    int64_t release; /* by which its prices and state are */
    int64_t create_time;
    const char *name;
    const DocumentPrice *prices;
    const uint32_t *values; /* each once */
    DocumentStock *stock;
    uint32_t n_prices;
    uint32_t n_values;
    uint32_t n_stock;
    uint32_t n_paths;
    const uint32_t *paths; /* of its categories, the values' numbers */
} SearchDocument;

/* New values are added. The arena is for the work on it only. */
SearchDocument *search_document_new(const Product *product, int64_t release, SearchValues *values,
    const SearchStock *stock, Arena *arena);
void search_document_free(SearchDocument *document);

/* One SKU more (1) or less (-1) can be had there. */
void search_document_stock(SearchDocument *document, uint32_t location, int change);

/* NULL when it has none in this currency. */
const DocumentPrice *search_document_price(const SearchDocument *document, const char *currency);

#endif
