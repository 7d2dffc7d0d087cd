/* Full-text search over products, one product at a time: its text in a form that is quick to look
 * through, a query's words, and how well they fit. Letters are compared without case (ASCII and
 * Latin-1). */
#ifndef THROUGHLINE_CATALOG_SEARCH_H
#define THROUGHLINE_CATALOG_SEARCH_H

#include "services/catalog/domain/product.h"

enum { SEARCH_MAX_QUERY = 200, SEARCH_MAX_WORDS = 16 };

/* A query's words. All must be there; the last may be a beginning unless something that is no
 * letter or digit follows it. */
typedef struct SearchWords {
    size_t n_words;
    const char *words[SEARCH_MAX_WORDS]; /* each as " word ", a beginning as " wor" */
} SearchWords;

/* What search_score looks through: the words of each field, in lower case, each between single
 * spaces. */
Bytes search_text(const Product *product, Arena *arena);

/* False when the query has no word or more than SEARCH_MAX_WORDS. */
bool search_read(const char *query, Arena *arena, SearchWords *words);

/* 0 when a word is missing; else higher for better: each word counts by the best field it is found
 * in (SKU and GTIN, title, brand, category, variant titles, description). */
int search_score(const char *text, const SearchWords *words);

#endif
