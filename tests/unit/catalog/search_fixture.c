#include "tests/unit/catalog/search_fixture.h"

#include <string.h>

Arena *arena;
SearchIndex *products;

void search_set_up(void)
{
    arena = arena_new();
    products = search_index_new();
}

void search_tear_down(void)
{
    search_index_free(products);
    arena_free(arena);
}

Product *put(const char *name, const char *title, const char *category, int64_t price)
{
    Product *product = a_simple_product(arena, name, category, "EUR", price);

    product->title = text(arena, title);
    product->description = text(arena, "");
    product->etag = text(arena, "1");
    search_index_put(products, product, 0);
    return product;
}

void put_again(Product *product, int64_t version)
{
    product->etag = arena_printf(arena, "%lld", (long long)version);
    search_index_put(products, product, 0);
}

SearchQuery query_of(const char *words)
{
    SearchQuery query = { .limit = 10, .resume = "", .currency = "EUR" };

    if (*words)
        CU_ASSERT(search_read(words, arena, &query.words));
    return query;
}

SearchResult find(const SearchQuery *query)
{
    SearchResult result;

    CHECK_TEXT(error_reason(search_index_find(products, query, arena, &result)), "OK");
    return result;
}

const char *names(const SearchResult *result)
{
    const char *all = "";

    for (size_t i = 0; i < result->n_hits; i++)
        all = arena_printf(
            arena, "%s%s%s", all, i > 0 ? " " : "", result->hits[i].name + strlen("products/"));
    return all;
}

const char *found(const char *words)
{
    SearchQuery query = query_of(words);
    SearchResult result = find(&query);

    return names(&result);
}
