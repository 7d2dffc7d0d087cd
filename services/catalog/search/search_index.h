/* The search over the catalogue in memory: words with their places, and beside them the values
 * that products are filtered, counted and sorted by. Searches run beside each other under a read
 * lock; a product is put in within microseconds, between two searches. Any thread. */
#ifndef THROUGHLINE_CATALOG_SEARCH_INDEX_H
#define THROUGHLINE_CATALOG_SEARCH_INDEX_H

#include "services/catalog/domain/search.h"
#include "shared/base/error.h"

#include "throughline/catalog/v1/search.pb-c.h"

typedef Throughline__Catalog__V1__SearchFilter SearchFilter;
typedef Throughline__Catalog__V1__FacetRequest FacetRequest;
typedef Throughline__Catalog__V1__Facet Facet;
typedef Throughline__Catalog__V1__SearchSort SearchSort;
typedef Throughline__Catalog__V1__SearchCorrection SearchCorrection;

typedef struct SearchIndex SearchIndex;

enum { SEARCH_MAX_FILTERS = 15, SEARCH_MAX_FACETS = 20 };

SearchIndex *search_index_new(void);
void search_index_free(SearchIndex *index);

/* Takes a product of a version as a release has it. One that is older than what is there is passed over, and so is a draft that
 * was never anything else. */
void search_index_put(SearchIndex *index, const Product *product, int64_t release);

/* The same for a product that looks different at the version that is there: another version, or one of a later release, is passed over. */
void search_index_refresh(SearchIndex *index, const Product *product, int64_t release);

/* Takes how many pieces of a SKU of this product can be had at a location; older versions are passed
 * over. */
void search_index_put_stock(SearchIndex *index, const char *product, const char *sku,
    const char *location, int64_t version, int64_t available);

/* Products that can be found. */
size_t search_index_count(SearchIndex *index);

/* What is looked for: checked by who asks. */
typedef struct SearchQuery {
    SearchWords words; /* none: every product */
    bool is_exact;
    SearchFilter *const *filters;
    size_t n_filters;
    FacetRequest *const *facets;
    size_t n_facets;
    const SearchSort *sort; /* may be NULL */
    const char *currency;   /* "" when nothing is about prices */
    /* Whether a product may be shown at all; NULL: each. */
    bool (*shows)(const void *context, const char *name, ProductPaths paths);
    const void *context;
    size_t limit;       /* hits that are wanted */
    const char *resume; /* of the last hit before, "" at the start */
} SearchQuery;

typedef struct SearchHit {
    int64_t key; /* higher comes first */
    const char *name;
} SearchHit;

typedef struct SearchResult {
    size_t n_hits; /* up to one more than was wanted: then there is another page */
    SearchHit *hits;
    int64_t total;
    size_t n_facets;
    Facet **facets;
    size_t n_corrections;
    SearchCorrection **corrections;
    /* What the order depends on; every page is found with the same, given in the resume text. */
    uint32_t weights[SEARCH_MAX_WORDS];
    uint32_t corrected; /* a bit a word */
} SearchResult;

/* Errors: INVALID_ARGUMENT PAGE_TOKEN_INVALID. */
const Error *search_index_find(
    SearchIndex *index, const SearchQuery *query, Arena *arena, SearchResult *result);

/* To go on behind a hit. */
const char *search_resume(
    const SearchQuery *query, const SearchResult *result, const SearchHit *hit, Arena *arena);

#endif
