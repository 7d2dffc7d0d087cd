/* Finding things: what the catalogue has for this journey, words with a slip in them, two articles side by side. */
#include "services/throughline/journey_steps.h"

#include "shared/base/text.h"

#include <ctype.h>
#include <string.h>

typedef Throughline__Catalog__V1__Product Product;
typedef Throughline__Catalog__V1__Variant Variant;

/* Pieces of one article that the journey buys. */
enum { CATALOGUE_PAGE = 200, LONG_WORD = 5, MOST_OF_ONE = 2 };

#define stock_service (&throughline__catalog__v1__stock_service__descriptor)
#define product_service (&throughline__catalog__v1__product_service__descriptor)

static bool has_price(const Variant *variant, const char *currency)
{
    for (size_t i = 0; i < variant->n_prices; i++) {
        const Google__Type__Money *amount = variant->prices[i]->amount;

        if (text_equal(amount->currency_code, currency) && (amount->units > 0 || amount->nanos > 0))
            return true;
    }
    return false;
}

const Error *journey_shelf(Journey *j, char *sku, bool *is_counted, int64_t *available)
{
    Throughline__Catalog__V1__GetStockRequest request =
        THROUGHLINE__CATALOG__V1__GET_STOCK_REQUEST__INIT;
    Throughline__Catalog__V1__GetStockResponse stock =
        THROUGHLINE__CATALOG__V1__GET_STOCK_RESPONSE__INIT;
    const Error *error;

    request.sku = sku;
    if ((error = shop_call(j->shop, &j->web, stock_service, "GetStock", &request, &stock)))
        return error;
    *is_counted = stock.n_levels > 0;
    *available = stock.available;
    return NULL;
}

/* The first variant that can be bought; the first price of all sets the currency. */
static const Error *find_buyable(Journey *j, const Product *product, Variant **found)
{
    *found = NULL;
    for (size_t k = 0; k < product->n_variants && !*found; k++) {
        Variant *variant = product->variants[k];
        bool is_counted;
        int64_t available;
        const Error *error;

        if (!j->currency && variant->n_prices)
            j->currency = variant->prices[0]->amount->currency_code;
        if (!j->currency || !has_price(variant, j->currency))
            continue;
        if ((error = journey_shelf(j, variant->sku, &is_counted, &available)))
            return error;
        if (!is_counted || available >= MOST_OF_ONE)
            *found = variant;
    }
    return NULL;
}

const Error *journey_pick(Journey *j)
{
    Throughline__Catalog__V1__ListProductsRequest request =
        THROUGHLINE__CATALOG__V1__LIST_PRODUCTS_REQUEST__INIT;
    Throughline__Catalog__V1__ListProductsResponse response =
        THROUGHLINE__CATALOG__V1__LIST_PRODUCTS_RESPONSE__INIT;
    const Error *error;
    size_t n = 0;

    request.page_size = CATALOGUE_PAGE;
    if ((error = shop_call(j->shop, &j->web, product_service, "ListProducts", &request, &response)))
        return error;
    for (size_t i = 0; i < response.n_products && n < JOURNEY_PICKS; i++) {
        if ((error = find_buyable(j, response.products[i], &j->picks[n])))
            return error;
        if (!j->picks[n])
            continue;
        j->pick_products[n++] = response.products[i];
    }
    return n == JOURNEY_PICKS
               ? NULL
               : journey_broken(j,
                     "The catalogue has fewer than %d products with a price and in stock.",
                     JOURNEY_PICKS);
}

/* A title with two letters of its first long word swapped, as hasty fingers do; NULL when it has no such word. */
static char *with_slip(Journey *j, const char *title)
{
    char *words = arena_text(j->arena, title);
    size_t length = 0;

    for (char *c = words; *c; c++) {
        length = isalpha((unsigned char)*c) ? length + 1 : 0;
        if (length == LONG_WORD && c[0] != c[-1]) {
            char last = c[0];

            c[0] = c[-1];
            c[-1] = last;
            return words;
        }
    }
    return NULL;
}

static const Error *search(Journey *j)
{
    Throughline__Catalog__V1__SearchProductsRequest request =
        THROUGHLINE__CATALOG__V1__SEARCH_PRODUCTS_REQUEST__INIT;
    Throughline__Catalog__V1__SearchProductsResponse response =
        THROUGHLINE__CATALOG__V1__SEARCH_PRODUCTS_RESPONSE__INIT;
    const Product *wanted = j->pick_products[1];
    const Error *error;

    request.query = with_slip(j, wanted->title);
    if (!request.query || strlen(request.query) > JOURNEY_MAX_QUERY)
        return NULL;
    if ((error = shop_call(
             j->shop, &j->web, product_service, "SearchProducts", &request, &response)))
        return error;
    for (size_t i = 0; i < response.n_products; i++)
        if (text_equal(response.products[i]->name, wanted->name)) {
            journey_say(
                "web", "a visitor", "types \"%s\" and finds %s", request.query, wanted->title);
            return NULL;
        }
    return journey_broken(j, "\"%s\" does not find %s.", request.query, wanted->title);
}

static const Error *compare(Journey *j)
{
    Throughline__Catalog__V1__CompareProductsRequest request =
        THROUGHLINE__CATALOG__V1__COMPARE_PRODUCTS_REQUEST__INIT;
    Throughline__Catalog__V1__CompareProductsResponse response =
        THROUGHLINE__CATALOG__V1__COMPARE_PRODUCTS_RESPONSE__INIT;
    char *skus[] = { j->picks[0]->sku, j->picks[1]->sku };
    size_t n_different = 0;
    const Error *error;

    request.skus = skus;
    request.n_skus = COUNT(skus);
    request.currency = j->currency;
    if ((error = shop_call(
             j->shop, &j->web, product_service, "CompareProducts", &request, &response)))
        return error;
    for (size_t i = 0; i < response.n_rows; i++)
        if (response.rows[i]->is_different)
            n_different++;
    journey_say("web", "a visitor", "compares two articles: %zu of %zu things differ, %s or %s",
        n_different, response.n_rows, journey_money(j, response.items[0]->price),
        journey_money(j, response.items[1]->price));
    return NULL;
}

const Error *journey_find(Journey *j)
{
    const Error *error = search(j);

    return error ? error : compare(j);
}
