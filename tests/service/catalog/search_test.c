/* Search and comparison, over gRPC. */
#include "tests/service/catalog/coupon_fixture.h"

#include "shared/base/clock.h"
#include "shared/codec/types.h"

#include <string.h>

typedef Throughline__Catalog__V1__SearchProductsRequest SearchProductsRequest;
typedef Throughline__Catalog__V1__SearchProductsResponse SearchProductsResponse;
typedef Throughline__Catalog__V1__CompareProductsRequest CompareProductsRequest;
typedef Throughline__Catalog__V1__CompareProductsResponse CompareProductsResponse;

static const Error *ask(const SearchProductsRequest *request, SearchProductsResponse *page)
{
    throughline__catalog__v1__search_products_response__init(page);
    return fixture_call(fixture, "ProductService/SearchProducts", request, page);
}

static const Error *search(
    const char *query, int32_t size, const char *token, SearchProductsResponse *page)
{
    SearchProductsRequest request = THROUGHLINE__CATALOG__V1__SEARCH_PRODUCTS_REQUEST__INIT;

    request.query = text(arena, query);
    request.page_size = size;
    request.page_token = text(arena, token);
    return ask(&request, page);
}

static SearchFilter *a_filter(const char *field, const char *value)
{
    SearchFilter *filter = arena_alloc(arena, sizeof(*filter));

    throughline__catalog__v1__search_filter__init(filter);
    filter->field = text(arena, field);
    filter->values = arena_array(arena, 1, sizeof(*filter->values));
    filter->values[0] = text(arena, value);
    filter->n_values = *value ? 1 : 0;
    return filter;
}

static FacetRequest *a_facet(const char *field)
{
    FacetRequest *facet = arena_alloc(arena, sizeof(*facet));

    throughline__catalog__v1__facet_request__init(facet);
    facet->field = text(arena, field);
    return facet;
}

/* Words and pages. */

static void the_best_match_comes_first(void)
{
    Product *rows[] = { item(1), item(2), item(3) };
    SearchProductsResponse page;

    rows[0]->description = text(arena, "With a lantern.");
    rows[1]->title = text(arena, "Lantern");
    rows[2]->brand = text(arena, "Lantern & Sons");
    import_all(rows, 3);

    CU_ASSERT_PTR_NULL(search("LANT", 0, "", &page));
    CHECK_INT(page.n_products, 3);
    CHECK_INT(page.total_size, 3);
    CHECK_TEXT(page.products[0]->name, "products/item-002");
    CHECK_TEXT(page.products[1]->name, "products/item-003");
    CHECK_TEXT(page.products[2]->name, "products/item-001");
}

static void searches_are_paged_without_gap_or_double(void)
{
    SearchProductsResponse page;
    bool seen[40] = { false };
    const char *token = "";
    int n_seen = 0;

    import_items(40);
    do {
        CU_ASSERT_PTR_NULL_FATAL(search("thing", 7, token, &page));
        CHECK_INT(page.total_size, 40);
        for (size_t i = 0; i < page.n_products; i++, n_seen++) {
            int64_t number = -1;

            CU_ASSERT(text_to_int64(page.products[i]->name + strlen("products/item-"), &number));
            CU_ASSERT(number >= 0 && number < 40 && !seen[number]);
            seen[number] = true;
        }
        token = page.next_page_token;
    } while (*token);

    CHECK_INT(n_seen, 40);
}

static void pages_of_large_products_end_early(void)
{
    SearchProductsResponse page;
    Product *rows[300];
    char *description = arena_alloc(arena, PRODUCT_MAX_DESCRIPTION + 1);
    int n_seen = 0;
    const char *token = "";

    memset(description, 'd', PRODUCT_MAX_DESCRIPTION);
    for (int i = 0; i < 300; i++) {
        rows[i] = item(i);
        rows[i]->description = description;
    }
    import_all(rows, 300);
    do {
        CU_ASSERT_PTR_NULL_FATAL(search("thing", 500, token, &page));
        CU_ASSERT(page.n_products < 300);
        n_seen += (int)page.n_products;
        token = page.next_page_token;
    } while (*token);

    CHECK_INT(n_seen, 300);
}

static void a_search_for_nothing_is_refused(void)
{
    SearchProductsResponse page;

    CU_ASSERT(has_violation(search("", 0, "", &page), "query"));
    CU_ASSERT(has_violation(search("!?", 0, "", &page), "query"));
    CU_ASSERT_PTR_NULL(search("unheard", 0, "", &page));
    CHECK_INT(page.n_products, 0);
    CHECK_INT(page.total_size, 0);
}

static void mistakes_are_corrected_and_said(void)
{
    Product *product = item(1);
    SearchProductsResponse page;

    product->title = text(arena, "Storm lantern");
    import_all(&product, 1);

    CU_ASSERT_PTR_NULL(search("strom lantren", 0, "", &page));
    CHECK_INT(page.n_products, 1);
    CU_ASSERT_FATAL(page.n_corrections == 2);
    CHECK_TEXT(page.corrections[0]->word, "strom");
    CHECK_TEXT(page.corrections[0]->read_as[0], "storm");
}

static void what_is_imported_is_found_at_once_and_after_a_restart(void)
{
    Product *product = item(1);
    SearchProductsResponse page;

    import_all(&product, 1);
    product->title = text(arena, "Renamed");
    import_all(&product, 1);

    CU_ASSERT_PTR_NULL(search("thing", 0, "", &page));
    CHECK_INT(page.n_products, 0);
    CU_ASSERT_PTR_NULL(search("renamed", 0, "", &page));
    CHECK_TEXT(page.products[0]->title, "Renamed");
    fixture_restart(fixture);
    CU_ASSERT_PTR_NULL(search("renamed", 0, "", &page));
    CHECK_INT(page.n_products, 1);
}

static void every_language_is_searched_and_one_is_shown(void)
{
    SearchProductsRequest request = THROUGHLINE__CATALOG__V1__SEARCH_PRODUCTS_REQUEST__INIT;
    Throughline__Catalog__V1__LocalText german = THROUGHLINE__CATALOG__V1__LOCAL_TEXT__INIT;
    Throughline__Catalog__V1__LocalText *texts[] = { &german };
    Product *product = item(1);
    SearchProductsResponse page;

    german.language = text(arena, "de");
    german.title = text(arena, "Sturmlaterne");
    product->texts = texts;
    product->n_texts = 1;
    import_all(&product, 1);
    request.query = text(arena, "sturmlaterne");

    CU_ASSERT_PTR_NULL(ask(&request, &page));
    CHECK_TEXT(page.products[0]->title, "Thing number 1");
    request.language = text(arena, "de-CH");
    CU_ASSERT_PTR_NULL(ask(&request, &page));
    CHECK_TEXT(page.products[0]->title, "Sturmlaterne");
    request.language = text(arena, "no language");
    CU_ASSERT(has_violation(ask(&request, &page), "language"));
}

static void drafts_are_not_found_until_they_are_for_sale(void)
{
    Product *product = item(1);
    SearchProductsResponse page;

    product->state = PRODUCT_DRAFT;
    import_all(&product, 1);
    CU_ASSERT_PTR_NULL(search("thing", 0, "", &page));
    CHECK_INT(page.total_size, 0);
    product->state = PRODUCT_ACTIVE;
    import_all(&product, 1);
    CU_ASSERT_PTR_NULL(search("thing", 0, "", &page));
    CHECK_INT(page.n_products, 1);
}

/* Filters, facets, sort. */

/* Levels come by the log; false after 10 s. */
static bool wait_for_stock(const char *location, int64_t n_products)
{
    SearchProductsRequest request = THROUGHLINE__CATALOG__V1__SEARCH_PRODUCTS_REQUEST__INIT;
    SearchFilter *filter = a_filter("stock", location);
    SearchProductsResponse page;

    request.filters = &filter;
    request.n_filters = 1;
    for (int i = 0; i < 2000; i++) {
        CU_ASSERT_PTR_NULL(ask(&request, &page));
        if (page.total_size == n_products)
            return true;
        clock_sleep_ms(5);
    }
    return false;
}

static void what_is_in_stock_is_found_there(void)
{
    Product *rows[] = { item(1), item(2) };

    rows[0]->variants[0]->stock[0]->on_hand = 0;
    import_all(rows, 2);

    CU_ASSERT(wait_for_stock("berlin", 1));
    fixture_restart(fixture);
    CU_ASSERT(wait_for_stock("berlin", 1));
}

static void a_shelf_is_filtered_counted_and_sorted(void)
{
    SearchProductsRequest request = THROUGHLINE__CATALOG__V1__SEARCH_PRODUCTS_REQUEST__INIT;
    SearchFilter *filters[] = { a_filter("category", "Row > Odd"), a_filter("price", "") };
    FacetRequest *facets[] = { a_facet("category"), a_facet("price"), a_facet("stock") };
    SearchSort sort = THROUGHLINE__CATALOG__V1__SEARCH_SORT__INIT;
    SearchProductsResponse page;

    import_items(20);
    CU_ASSERT(wait_for_stock("berlin", 20));
    filters[1]->min_price = money_message(arena, "EUR", 105);
    filters[1]->max_price = money_message(arena, "EUR", 111);
    sort.key = THROUGHLINE__CATALOG__V1__SEARCH_SORT__KEY__PRICE;
    sort.is_descending = true;
    request.filters = filters;
    request.n_filters = COUNT(filters);
    request.facets = facets;
    request.n_facets = COUNT(facets);
    request.sort = &sort;
    request.currency = text(arena, "EUR");
    request.page_size = 3;

    CU_ASSERT_PTR_NULL(ask(&request, &page));
    CHECK_INT(page.total_size, 4);
    CHECK_INT(page.n_products, 3);
    CHECK_TEXT(page.products[0]->name, "products/item-011");
    CHECK_TEXT(page.products[2]->name, "products/item-007");
    CU_ASSERT_FATAL(page.n_facets == 3);
    CHECK_TEXT(page.facets[0]->values[0]->value, "Row");
    CHECK_INT(page.facets[0]->values[0]->count, 7);
    CHECK_INT(page.facets[1]->values[0]->count, 10);
    CHECK_TEXT(page.facets[2]->values[0]->value, "berlin");
    CHECK_INT(page.facets[2]->values[0]->count, 4);
    request.page_token = page.next_page_token;
    request.n_facets = 0;
    CU_ASSERT_PTR_NULL(ask(&request, &page));
    CHECK_INT(page.n_products, 1);
    CHECK_TEXT(page.products[0]->name, "products/item-005");
    CHECK_TEXT(page.next_page_token, "");
}

static void a_token_is_for_its_own_search(void)
{
    SearchProductsRequest request = THROUGHLINE__CATALOG__V1__SEARCH_PRODUCTS_REQUEST__INIT;
    SearchFilter *filter = a_filter("category", "Row");
    SearchProductsResponse page;

    import_items(9);
    CU_ASSERT_PTR_NULL(search("thing", 2, "", &page));
    request.query = text(arena, "thing");
    request.page_token = page.next_page_token;
    request.filters = &filter;
    request.n_filters = 1;

    CU_ASSERT(has_violation(ask(&request, &page), "page_token"));
}

static void every_bad_argument_is_named(void)
{
    SearchProductsRequest request = THROUGHLINE__CATALOG__V1__SEARCH_PRODUCTS_REQUEST__INIT;
    SearchFilter *filters[] = { a_filter("colour", "red"), a_filter("brand", "x"),
        a_filter("brand", ""), a_filter("price", "3"), a_filter("attributes.size", "") };
    FacetRequest *facets[] = { a_facet("everything"), a_facet("brand"), a_facet("brand") };
    SearchSort sort = THROUGHLINE__CATALOG__V1__SEARCH_SORT__INIT;
    SearchProductsResponse page;
    const Error *error;

    filters[2]->min_number = text(arena, "1");
    filters[3]->min_price = money_message(arena, "USD", 1);
    filters[4]->max_number = text(arena, "large");
    facets[1]->limit = -1;
    sort.key = 99;
    request.filters = filters;
    request.n_filters = COUNT(filters);
    request.facets = facets;
    request.n_facets = COUNT(facets);
    request.sort = &sort;
    request.page_size = -1;
    error = ask(&request, &page);

    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    CU_ASSERT(has_violation(error, "filters[0].field"));
    CU_ASSERT(has_violation(error, "filters[2].field"));
    CU_ASSERT(has_violation(error, "filters[2]"));
    CU_ASSERT(has_violation(error, "filters[3].values"));
    CU_ASSERT(has_violation(error, "filters[3].min_price"));
    CU_ASSERT(has_violation(error, "filters[4].max_number"));
    CU_ASSERT(has_violation(error, "facets[0].field"));
    CU_ASSERT(has_violation(error, "facets[1].limit"));
    CU_ASSERT(has_violation(error, "facets[2].field"));
    CU_ASSERT(has_violation(error, "sort.key"));
    CU_ASSERT(has_violation(error, "currency"));
    CU_ASSERT(has_violation(error, "page_size"));
}

static void too_many_filters_and_facets_are_refused(void)
{
    SearchProductsRequest request = THROUGHLINE__CATALOG__V1__SEARCH_PRODUCTS_REQUEST__INIT;
    SearchFilter *filters[SEARCH_MAX_FILTERS + 1];
    FacetRequest *facets[SEARCH_MAX_FACETS + 1];
    SearchProductsResponse page;
    const Error *error;

    for (size_t i = 0; i < COUNT(filters); i++)
        filters[i] = a_filter(arena_printf(arena, "attributes.%zu", i), "x");
    for (size_t i = 0; i < COUNT(facets); i++)
        facets[i] = a_facet(arena_printf(arena, "attributes.%zu", i));
    request.filters = filters;
    request.facets = facets;
    request.n_filters = SEARCH_MAX_FILTERS;
    request.n_facets = SEARCH_MAX_FACETS;
    CU_ASSERT_PTR_NULL(ask(&request, &page));
    CHECK_INT(page.n_facets, SEARCH_MAX_FACETS);
    request.n_filters++;
    request.n_facets++;
    error = ask(&request, &page);

    CU_ASSERT(has_violation(error, "filters"));
    CU_ASSERT(has_violation(error, "facets"));
}

/* Comparison. */

static const Error *compare_skus(
    char **skus, size_t n_skus, const char *currency, CompareProductsResponse *comparison)
{
    CompareProductsRequest request = THROUGHLINE__CATALOG__V1__COMPARE_PRODUCTS_REQUEST__INIT;

    throughline__catalog__v1__compare_products_response__init(comparison);
    request.skus = skus;
    request.n_skus = n_skus;
    request.currency = text(arena, currency);
    return fixture_call(fixture, "ProductService/CompareProducts", &request, comparison);
}

static void variants_are_compared_side_by_side(void)
{
    Product *rows[] = { a_product(arena), item(1) };
    char *skus[] = { rows[0]->variants[1]->sku, rows[1]->variants[0]->sku };
    CompareProductsResponse comparison;

    rows[1]->variants[0]->gtin = text(arena, "");
    import_all(rows, 2);

    CU_ASSERT_PTR_NULL(compare_skus(skus, 2, "USD", &comparison));
    CHECK_INT(comparison.n_items, 2);
    CHECK_TEXT(comparison.items[0]->product, "products/tent");
    CHECK_INT(comparison.items[0]->price->units, 219);
    CHECK_INT(comparison.items[0]->available, 7);
    CU_ASSERT_PTR_NULL(comparison.items[1]->price);
    CHECK_TEXT(comparison.rows[0]->values[0], "Fernweh");
    CU_ASSERT(comparison.rows[0]->is_different);
}

static void prices_are_compared_as_the_caller_pays_them(void)
{
    Product *tent = a_product(arena);
    char *skus[] = { text(arena, "tent-red"), text(arena, "tent-green") };
    CompareProductsResponse comparison;

    import_all(&tent, 1);
    publish_open_tents(0, 0, 0);

    CU_ASSERT_PTR_NULL(compare_skus(skus, 2, "EUR", &comparison));
    CHECK_INT(comparison.items[0]->price->units, 179);
    CHECK_INT(comparison.items[0]->price_before->units, 199);
    CHECK_TEXT(comparison.rows[2]->values[1], "179.10 EUR");
    CU_ASSERT_FALSE(comparison.rows[2]->is_different);
}

static void what_cannot_be_compared_is_refused(void)
{
    char *same[] = { text(arena, "a"), text(arena, "a"), text(arena, "no sku") };
    char *unknown[] = { text(arena, "tent-red"), text(arena, "unknown") };
    Product *product = a_product(arena);
    CompareProductsResponse comparison;
    const Error *error = compare_skus(same, 3, "euro", &comparison);

    CU_ASSERT(has_violation(error, "skus[1]"));
    CU_ASSERT(has_violation(error, "skus[2]"));
    CU_ASSERT(has_violation(error, "currency"));
    CU_ASSERT(has_violation(compare_skus(same, 1, "EUR", &comparison), "skus"));
    import_all(&product, 1);
    error = compare_skus(unknown, 2, "EUR", &comparison);
    CHECK_TEXT(error_reason(error), "VARIANT_NOT_FOUND");
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "the_best_match_comes_first", the_best_match_comes_first },
        { "searches_are_paged_without_gap_or_double", searches_are_paged_without_gap_or_double },
        { "pages_of_large_products_end_early", pages_of_large_products_end_early },
        { "a_search_for_nothing_is_refused", a_search_for_nothing_is_refused },
        { "mistakes_are_corrected_and_said", mistakes_are_corrected_and_said },
        { "what_is_imported_is_found_at_once_and_after_a_restart",
            what_is_imported_is_found_at_once_and_after_a_restart },
        { "every_language_is_searched_and_one_is_shown",
            every_language_is_searched_and_one_is_shown },
        { "drafts_are_not_found_until_they_are_for_sale",
            drafts_are_not_found_until_they_are_for_sale },
        { "what_is_in_stock_is_found_there", what_is_in_stock_is_found_there },
        { "a_shelf_is_filtered_counted_and_sorted", a_shelf_is_filtered_counted_and_sorted },
        { "a_token_is_for_its_own_search", a_token_is_for_its_own_search },
        { "every_bad_argument_is_named", every_bad_argument_is_named },
        { "too_many_filters_and_facets_are_refused", too_many_filters_and_facets_are_refused },
        { "variants_are_compared_side_by_side", variants_are_compared_side_by_side },
        { "prices_are_compared_as_the_caller_pays_them",
            prices_are_compared_as_the_caller_pays_them },
        { "what_cannot_be_compared_is_refused", what_cannot_be_compared_is_refused },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "search",
            .pSetUpFunc = start_catalog,
            .pTearDownFunc = stop_catalog,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_search_service", suites, argc, argv);
}
