#include "services/catalog/search/search_document.h"

#include "services/catalog/domain/facet.h"
#include "shared/codec/types.h"

#include <stdlib.h>
#include <string.h>

typedef struct Prices {
    size_t n_prices;
    DocumentPrice *prices;
} Prices;

static bool has_currency(const Prices *prices, const char *currency)
{
    for (size_t i = 0; i < prices->n_prices; i++)
        if (text_equal(prices->prices[i].currency, currency))
            return true;
    return false;
}

static void add_prices(const Product *product, const Variant *variant, Prices *prices)
{
    for (size_t i = 0; i < variant->n_prices; i++) {
        const char *currency = variant->prices[i]->amount->currency_code;
        DocumentPrice price = { 0 };

        if (has_currency(prices, currency) || !facet_price(product, currency, &price.minor))
            continue;
        memcpy(price.currency, currency, strnlen(currency, sizeof(price.currency) - 1));
        price.band = facet_band(price.minor);
        prices->prices[prices->n_prices++] = price;
    }
}

static Prices read_prices(const Product *product, Arena *arena)
{
    Prices prices = { 0 };
    size_t most = 0;

    for (size_t i = 0; i < product->n_variants; i++)
        most += product->variants[i]->n_prices;
    prices.prices = arena_array(arena, most, sizeof(*prices.prices));
    for (size_t i = 0; i < product->n_variants; i++)
        add_prices(product, product->variants[i], &prices);
    return prices;
}

static int by_number(const void *a, const void *b)
{
    const uint32_t *left = a;
    const uint32_t *right = b;

    return (*left > *right) - (*left < *right);
}

static uint32_t read_values(
    const Product *product, SearchValues *values, Arena *arena, uint32_t **numbers)
{
    FacetValue *pairs;
    size_t n_pairs = facet_values(product, arena, &pairs);
    uint32_t n_numbers = 0;

    *numbers = arena_array(arena, n_pairs, sizeof(**numbers));
    for (size_t i = 0; i < n_pairs; i++)
        (*numbers)[i] = search_values_add(
            values, search_values_add(values, VALUE_NONE, pairs[i].field), pairs[i].value);
    if (n_pairs > 1)
        qsort(*numbers, n_pairs, sizeof(**numbers), by_number);
    for (size_t i = 0; i < n_pairs; i++)
        if (i == 0 || (*numbers)[i] != (*numbers)[i - 1])
            (*numbers)[n_numbers++] = (*numbers)[i];
    return n_numbers;
}

/* Paths that it had before are values too, but not its own: nothing is counted under them. */
static uint32_t read_paths(
    const Product *product, SearchValues *values, Arena *arena, uint32_t **numbers)
{
    ProductPaths paths = product_paths(product, arena);
    uint32_t field = search_values_add(values, VALUE_NONE, "category");

    *numbers = arena_array(arena, paths.n_paths, sizeof(**numbers));
    for (size_t i = 0; i < paths.n_paths; i++)
        (*numbers)[i] = search_values_add(values, field, paths.paths[i]);
    return (uint32_t)paths.n_paths;
}

void search_document_stock(SearchDocument *document, uint32_t location, int change)
{
    uint32_t at = 0;

    while (at < document->n_stock && document->stock[at].location != location)
        at++;
    if (at == document->n_stock) {
        document->stock = reallocarray(document->stock, at + 1, sizeof(*document->stock));
        if (!document->stock)
            abort();
        document->stock[document->n_stock++] = (DocumentStock){ .location = location };
    }
    /* The news of a SKU that moves from one product to another may come in either order. */
    if (change > 0)
        document->stock[at].n_skus++;
    else if (document->stock[at].n_skus > 0)
        document->stock[at].n_skus--;
}

static void take_stock(SearchDocument *document, const Product *product, const SearchStock *stock)
{
    for (size_t i = 0; i < product->n_variants; i++) {
        const StockPlace *places;
        size_t n_places = search_stock_places(stock, product->variants[i]->sku, &places);

        for (size_t j = 0; j < n_places; j++)
            if (places[j].is_available)
                search_document_stock(document, places[j].location, 1);
    }
}

void search_document_free(SearchDocument *document)
{
    if (!document)
        return;
    free(document->stock);
    free(document);
}

SearchDocument *search_document_new(const Product *product, int64_t release, SearchValues *values,
    const SearchStock *stock, Arena *arena)
{
    Prices prices = read_prices(product, arena);
    uint32_t *numbers, *paths;
    uint32_t n_values = read_values(product, values, arena, &numbers);
    uint32_t n_paths = read_paths(product, values, arena, &paths);
    size_t prices_size = prices.n_prices * sizeof(DocumentPrice);
    size_t values_size = n_values * sizeof(*numbers);
    size_t paths_size = n_paths * sizeof(*paths);
    size_t name_size = strlen(product->name) + 1;
    SearchDocument *document =
        malloc(sizeof(*document) + prices_size + values_size + paths_size + name_size);
    char *at = (char *)(document + 1);

    if (!document)
        abort();
    *document = (SearchDocument){
        .release = release,
        .create_time = timestamp_to_micros(product->create_time),
        .prices = memcpy(at, prices.prices, prices_size),
        .values = memcpy(at + prices_size, numbers, values_size),
        .paths = memcpy(at + prices_size + values_size, paths, paths_size),
        .name = memcpy(at + prices_size + values_size + paths_size, product->name, name_size),
        .n_prices = (uint32_t)prices.n_prices,
        .n_values = n_values,
        .n_paths = n_paths,
    };
    take_stock(document, product, stock);
    text_to_int64(product->etag, &document->version);
    return document;
}

const DocumentPrice *search_document_price(const SearchDocument *document, const char *currency)
{
    for (uint32_t i = 0; i < document->n_prices; i++)
        if (text_equal(document->prices[i].currency, currency))
            return &document->prices[i];
    return NULL;
}
