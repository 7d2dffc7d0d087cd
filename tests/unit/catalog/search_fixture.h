/* A search index with a few products in it, and what is found there as one text. */
#ifndef THROUGHLINE_TESTS_UNIT_CATALOG_SEARCH_FIXTURE_H
#define THROUGHLINE_TESTS_UNIT_CATALOG_SEARCH_FIXTURE_H

#include "services/catalog/search/search_index.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"

extern Arena *arena;
extern SearchIndex *products;

void search_set_up(void);
void search_tear_down(void);

/* Puts in a product of one variant; returns it, to be changed and put in again. */
Product *put(const char *name, const char *title, const char *category, int64_t price);
void put_again(Product *product, int64_t version);

SearchQuery query_of(const char *words);
SearchResult find(const SearchQuery *query);

/* The names of what is found, without "products/", with spaces between. */
const char *names(const SearchResult *result);
const char *found(const char *words);

#endif
