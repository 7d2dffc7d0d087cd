/* Where each SKU can be had now, as far as stock levels were told; SKUs without any are not here.
 * Its owner keeps writers and readers apart. */
#ifndef THROUGHLINE_CATALOG_SEARCH_STOCK_H
#define THROUGHLINE_CATALOG_SEARCH_STOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct SearchStock SearchStock;

/* A SKU's level at one location. */
typedef struct StockPlace {
    int64_t version;
    uint32_t location; /* a number of search_values.h */
    bool is_available;
} StockPlace;

SearchStock *search_stock_new(void);
void search_stock_free(SearchStock *stock);

/* Takes a level unless it is older than what is there. Whether that made pieces available where there
 * were none (1), or took away the last (-1); 0 otherwise. */
int search_stock_put(SearchStock *stock, const char *sku, const StockPlace *place);

/* The places of a SKU; returns how many. */
size_t search_stock_places(const SearchStock *stock, const char *sku, const StockPlace **places);

#endif
