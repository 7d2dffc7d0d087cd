/* The values that products are filtered and counted by, each with a number: what a document holds
 * is a list of these. Values are only added; their owner keeps writers and readers apart. */
#ifndef THROUGHLINE_CATALOG_SEARCH_VALUES_H
#define THROUGHLINE_CATALOG_SEARCH_VALUES_H

#include <stddef.h>
#include <stdint.h>

typedef struct SearchValues SearchValues;

/* No value; also the field that all fields are values of. */
enum { VALUE_NONE = 0 };

SearchValues *search_values_new(void);
void search_values_free(SearchValues *values);

/* The number of a value of a field (itself a value of VALUE_NONE), added if it is new. */
uint32_t search_values_add(SearchValues *values, uint32_t field, const char *text);

/* VALUE_NONE when there is none. */
uint32_t search_values_find(const SearchValues *values, uint32_t field, const char *text);

const char *search_values_text(const SearchValues *values, uint32_t value);

/* All values of a field, one after the other: the first, then each one's next; VALUE_NONE at the
 * end. */
uint32_t search_values_first(const SearchValues *values, uint32_t field);
uint32_t search_values_next(const SearchValues *values, uint32_t value);

/* Numbers are below this. */
size_t search_values_count(const SearchValues *values);

#endif
