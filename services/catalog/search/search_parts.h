/* Inside the search index: its parts, and one search's way through them. */
#ifndef THROUGHLINE_CATALOG_SEARCH_PARTS_H
#define THROUGHLINE_CATALOG_SEARCH_PARTS_H

#include "services/catalog/domain/facet.h"
#include "services/catalog/products/vocabulary.h"
#include "services/catalog/search/search_document.h"
#include "services/catalog/search/search_index.h"

#include <pthread.h>

/* Working memory of a search, kept for the next one. What is sized by documents is zero between
 * two searches. */
typedef struct Scratch {
    struct Scratch *next;
    size_t n_documents;
    uint32_t *scores;  /* of all words so far */
    uint32_t *latest;  /* of the last word */
    uint8_t *n_words;  /* how many of the words it has, the first ones */
    uint32_t *touched; /* documents that have the first word */
    size_t n_values;
    uint16_t *accepted; /* by which filters a value is accepted, a bit each */
    uint8_t *facet;     /* of which facet a value is, counted from 1 */
    uint32_t *counts;   /* products found with a value */
} Scratch;

struct SearchIndex {
    pthread_rwlock_t lock;
    pthread_mutex_t writing; /* held by the one writer, also while it makes the vocabulary anew */
    Vocabulary *vocabulary;
    SearchValues *values;
    SearchStock *stock;
    size_t n_documents; /* with those that are gone */
    size_t n_gone;
    size_t capacity;
    SearchDocument **documents; /* NULL: gone */
    size_t n_slots;             /* of names; a power of two, at most three quarters full */
    uint32_t *slots;            /* document + 1 by hash of its name */
    pthread_mutex_t resting;
    Scratch *scratches;
};

/* search_match.c */

/* One search while it runs, under the read lock. */
typedef struct Search {
    const SearchIndex *index;
    const SearchQuery *query;
    Arena *arena;
    Scratch *scratch;
    SearchResult *result;
    bool is_resumed; /* the result has weights and corrections from the page before */
    SearchHit after;
    size_t n_touched;
    size_t n_paths;
    const char **paths;  /* room for a document's */
    size_t n_candidates; /* the first of scratch->touched have all words */
} Search;

/* Finds the documents that have all words, with their scores, and says in the result what they were
 * weighed by and which words were taken for others. On resuming these are given. */
void search_match(Search *search);

/* Gives scores and touched documents back as zeros. */
void search_forget(Search *search);

/* search_filter.c */

typedef struct FilterPlan {
    uint16_t all;       /* a bit a filter */
    uint16_t price_bit; /* of the one on the price, 0 when there is none */
    int64_t min_price;
    int64_t max_price;
    uint16_t price_facet;                      /* its number, counted from 1; 0: none */
    uint16_t other_filters[SEARCH_MAX_FACETS]; /* those that count for a facet: not its own */
    uint32_t bands[FACET_BANDS];
} FilterPlan;

/* Marks the values that filters and facets are about. */
void search_filter_plan(Search *search, FilterPlan *plan);

/* Whether all filters let the document through; counts it for the facets. */
bool search_filter_pass(Search *search, FilterPlan *plan, const SearchDocument *document);

/* The counts as the answer shows them. */
void search_facets(Search *search, const FilterPlan *plan);

#endif
