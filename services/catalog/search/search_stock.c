#include "services/catalog/search/search_stock.h"

#include "shared/base/text.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 256 };

typedef struct SkuStock {
    uint32_t n_places;
    StockPlace *places;
    char sku[];
} SkuStock;

struct SearchStock {
    size_t n_skus;
    size_t n_slots; /* a power of two, at most three quarters full */
    SkuStock **slots;
};

static void *check(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

SearchStock *search_stock_new(void)
{
    SearchStock *stock = check(calloc(1, sizeof(*stock)));

    stock->n_slots = FIRST_SLOTS;
    stock->slots = check(calloc(FIRST_SLOTS, sizeof(SkuStock *)));
    return stock;
}

void search_stock_free(SearchStock *stock)
{
    if (!stock)
        return;
    for (size_t i = 0; i < stock->n_slots; i++)
        if (stock->slots[i]) {
            free(stock->slots[i]->places);
            free(stock->slots[i]);
        }
    free(stock->slots);
    free(stock);
}

static SkuStock **find_slot(const SearchStock *stock, const char *sku)
{
    size_t at = text_hash(sku, strlen(sku)) & (stock->n_slots - 1);

    while (stock->slots[at] && !text_equal(stock->slots[at]->sku, sku))
        at = (at + 1) & (stock->n_slots - 1);
    return &stock->slots[at];
}

static void grow_slots(SearchStock *stock)
{
    SkuStock **old = stock->slots;
    size_t n_old = stock->n_slots;

    stock->n_slots *= 2;
    stock->slots = check(calloc(stock->n_slots, sizeof(SkuStock *)));
    for (size_t i = 0; i < n_old; i++)
        if (old[i])
            *find_slot(stock, old[i]->sku) = old[i];
    free(old);
}

static SkuStock *find_or_add(SearchStock *stock, const char *sku)
{
    SkuStock **slot = find_slot(stock, sku);
    size_t size = strlen(sku) + 1;

    if (*slot)
        return *slot;
    if (stock->n_skus + 1 > stock->n_slots / 4 * 3) {
        grow_slots(stock);
        slot = find_slot(stock, sku);
    }
    *slot = check(calloc(1, sizeof(**slot) + size));
    memcpy((*slot)->sku, sku, size);
    stock->n_skus++;
    return *slot;
}

int search_stock_put(SearchStock *stock, const char *sku, const StockPlace *place)
{
    SkuStock *known = find_or_add(stock, sku);
    bool was_available = false;
    uint32_t at = 0;

    while (at < known->n_places && known->places[at].location != place->location)
        at++;
    if (at == known->n_places) {
        known->places =
            check(reallocarray(known->places, known->n_places + 1, sizeof(*known->places)));
        known->n_places++;
    } else if (known->places[at].version >= place->version) {
        return 0;
    } else {
        was_available = known->places[at].is_available;
    }
    known->places[at] = *place;
    return place->is_available - was_available;
}

size_t search_stock_places(const SearchStock *stock, const char *sku, const StockPlace **places)
{
    const SkuStock *known = *find_slot(stock, sku);

    if (!known)
        return 0;
    *places = known->places;
    return known->n_places;
}
