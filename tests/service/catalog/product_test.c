/* Reads of products, over gRPC. */
#include "tests/service/catalog/catalog_fixture.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <string.h>

typedef Throughline__Catalog__V1__ListProductsRequest ListProductsRequest;
typedef Throughline__Catalog__V1__ListProductsResponse ListProductsResponse;

static const Error *find_gtin(const char *gtin, FindVariantResponse *found)
{
    FindVariantRequest request = THROUGHLINE__CATALOG__V1__FIND_VARIANT_REQUEST__INIT;

    throughline__catalog__v1__find_variant_response__init(found);
    request.code_case = THROUGHLINE__CATALOG__V1__FIND_VARIANT_REQUEST__CODE_GTIN;
    request.gtin = text(arena, gtin);
    return fixture_call(fixture, "ProductService/FindVariant", &request, found);
}

static const Error *list(
    const char *category, int32_t size, const char *token, ListProductsResponse *page)
{
    ListProductsRequest request = THROUGHLINE__CATALOG__V1__LIST_PRODUCTS_REQUEST__INIT;

    throughline__catalog__v1__list_products_response__init(page);
    request.category = text(arena, category);
    request.page_size = size;
    request.page_token = text(arena, token);
    return fixture_call(fixture, "ProductService/ListProducts", &request, page);
}

/* Find. */

static void a_scanner_finds_variants_by_either_code(void)
{
    Product *sent = a_product(arena);
    FindVariantResponse found;

    import_all(&sent, 1);

    CU_ASSERT_PTR_NULL(find_sku("tent-red", &found));
    CHECK_TEXT(found.sku, "tent-red");
    CHECK_TEXT(found.product->name, "products/tent");
    CHECK_INT(found.product->n_variants, 2);
    CU_ASSERT_PTR_NULL(find_gtin("4006381333931", &found));
    CHECK_TEXT(found.sku, "tent-green");
    CU_ASSERT_PTR_NULL(find_gtin("04006381333931", &found));
    CHECK_TEXT(found.sku, "tent-green");
}

static void codes_that_nothing_has_are_not_found(void)
{
    FindVariantResponse found;

    CHECK_TEXT(error_reason(find_sku("nothing", &found)), "VARIANT_NOT_FOUND");
    CHECK_TEXT(error_reason(find_gtin("96385074", &found)), "VARIANT_NOT_FOUND");
}

static void codes_that_cannot_be_are_refused(void)
{
    FindVariantResponse found;
    FindVariantRequest nothing = THROUGHLINE__CATALOG__V1__FIND_VARIANT_REQUEST__INIT;

    CU_ASSERT(has_violation(find_sku("no such sku", &found), "sku"));
    CU_ASSERT(has_violation(find_gtin("4006381333930", &found), "gtin"));
    CU_ASSERT(has_violation(
        fixture_call(fixture, "ProductService/FindVariant", &nothing, &found), "sku"));
}

static void a_code_that_is_gone_is_not_found(void)
{
    Product *sent = a_product(arena);
    FindVariantResponse found;

    import_all(&sent, 1);
    sent->n_variants = 1;
    import_all(&sent, 1);

    CHECK_TEXT(error_reason(find_sku("tent-red", &found)), "VARIANT_NOT_FOUND");
    CU_ASSERT_PTR_NULL(find_sku("tent-green", &found));
}

/* List. */

static void lists_are_in_the_order_of_names(void)
{
    ListProductsResponse page;
    int n_seen = 0;
    const char *token = "";

    import_items(25);
    do {
        CU_ASSERT_PTR_NULL_FATAL(list("", 10, token, &page));
        for (size_t i = 0; i < page.n_products; i++, n_seen++)
            CHECK_TEXT(page.products[i]->name, arena_printf(arena, "products/item-%03d", n_seen));
        token = page.next_page_token;
    } while (*token);

    CHECK_INT(n_seen, 25);
    CHECK_INT(page.n_products, 5);
}

static void a_page_that_ends_the_list_has_no_token(void)
{
    ListProductsResponse page;

    import_items(10);

    CU_ASSERT_PTR_NULL(list("", 10, "", &page));
    CHECK_INT(page.n_products, 10);
    CHECK_TEXT(page.next_page_token, "");
}

static void lists_keep_to_their_category(void)
{
    ListProductsResponse page;

    import_items(9);

    CU_ASSERT_PTR_NULL(list("Row > Odd", 0, "", &page));
    CHECK_INT(page.n_products, 4);
    CHECK_TEXT(page.products[0]->name, "products/item-001");
    CU_ASSERT_PTR_NULL(list("Row", 0, "", &page));
    CHECK_INT(page.n_products, 9);
    CU_ASSERT_PTR_NULL(list("Ro", 0, "", &page));
    CHECK_INT(page.n_products, 0);
    CHECK_TEXT(page.next_page_token, "");
}

static void list_arguments_are_checked(void)
{
    ListProductsResponse page;
    const Error *error;

    import_items(9);
    error = list(" > ", -1, "nonsense", &page);

    CHECK_INT(error->n_violations, 3);
    CU_ASSERT(has_violation(error, "category"));
    CU_ASSERT(has_violation(error, "page_size"));
    CU_ASSERT(has_violation(error, "page_token"));
    CU_ASSERT_PTR_NULL(list("Row", 2, "", &page));
    CU_ASSERT(has_violation(list("Row > Odd", 2, page.next_page_token, &page), "page_token"));
}

static void pages_of_large_products_end_early(void)
{
    ListProductsResponse page;
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
        CU_ASSERT_PTR_NULL_FATAL(list("", 500, token, &page));
        n_seen += (int)page.n_products;
        token = page.next_page_token;
        CU_ASSERT(page.n_products < 300);
    } while (*token);

    CHECK_INT(n_seen, 300);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_scanner_finds_variants_by_either_code", a_scanner_finds_variants_by_either_code },
        { "codes_that_nothing_has_are_not_found", codes_that_nothing_has_are_not_found },
        { "codes_that_cannot_be_are_refused", codes_that_cannot_be_are_refused },
        { "a_code_that_is_gone_is_not_found", a_code_that_is_gone_is_not_found },
        { "lists_are_in_the_order_of_names", lists_are_in_the_order_of_names },
        { "a_page_that_ends_the_list_has_no_token", a_page_that_ends_the_list_has_no_token },
        { "lists_keep_to_their_category", lists_keep_to_their_category },
        { "list_arguments_are_checked", list_arguments_are_checked },
        { "pages_of_large_products_end_early", pages_of_large_products_end_early },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "read",
            .pSetUpFunc = start_catalog,
            .pTearDownFunc = stop_catalog,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_product_service", suites, argc, argv);
}
