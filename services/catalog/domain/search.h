/* What a product is found by, and what a query asks for: words, and how much each says about the
 * product it is in. Words are compared as fold.h folds them. */
#ifndef THROUGHLINE_CATALOG_SEARCH_H
#define THROUGHLINE_CATALOG_SEARCH_H

#include "services/catalog/domain/product.h"

enum {
    SEARCH_MAX_QUERY = 200,
    SEARCH_MAX_WORDS = 16,
    SEARCH_MAX_WORD = 60,    /* bytes; what is longer is cut, here and there alike */
    SEARCH_MAX_TERMS = 2000, /* different words of a product; what comes behind them is not found */
};

/* A word of a product. */
typedef struct SearchTerm {
    const char *text;
    uint8_t impact; /* 1 … 255: higher in better fields, for more mentions and in shorter texts */
    bool is_spelled; /* in some field that is written by people: no SKU, no GTIN */
} SearchTerm;

typedef struct SearchTerms {
    size_t n_terms;
    SearchTerm *terms; /* each word once, in the order of their bytes */
} SearchTerms;

/* The words of SKUs and GTINs, title, brand, category, variants, attributes and description: the
 * earlier ones weigh more. */
SearchTerms search_terms(const Product *product, Arena *arena);

/* A query's words. All must be there; the last may be a beginning unless something that is no
 * letter or digit follows it. */
typedef struct SearchWord {
    const char *text;
    bool is_beginning;
} SearchWord;

typedef struct SearchWords {
    size_t n_words;
    SearchWord words[SEARCH_MAX_WORDS];
} SearchWords;

/* False when the query has no word or more than SEARCH_MAX_WORDS. */
bool search_read(const char *query, Arena *arena, SearchWords *words);

#endif
