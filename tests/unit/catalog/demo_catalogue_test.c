/* The catalogue that the project ships: what the demo and the journey rely on. */
#include "services/catalog/import/catalog_file.h"

#include "shared/codec/types.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"

#include <stdio.h>
#include <string.h>

enum { MAX_PRODUCTS = 500, MAX_VARIANTS = 2000 };

static const char *const currencies[] = { "EUR", "GBP", "USD" };
static const char *const places[] = { "austin", "berlin", "london" };

static Arena *arena;
static size_t n_products;
static Product *shipped[MAX_PRODUCTS];
static size_t n_variants;
static const Variant *variants[MAX_VARIANTS];

static void read_catalogue(void)
{
    CatalogFile *file;
    CatalogRow row;

    arena = arena_new();
    n_products = 0;
    n_variants = 0;
    CU_ASSERT_PTR_NULL_FATAL(catalog_file_open(
        arena, SOURCE_ROOT "/services/throughline/demo/catalogue.jsonl", NULL, &file));
    while (catalog_file_next(file, arena, &row)) {
        CHECK_INT(row.n_problems, 0);
        CU_ASSERT_PTR_NOT_NULL_FATAL(row.product);
        CU_ASSERT_FATAL(n_products < MAX_PRODUCTS);
        shipped[n_products++] = row.product;
        for (size_t i = 0; i < row.product->n_variants; i++) {
            CU_ASSERT_FATAL(n_variants < MAX_VARIANTS);
            variants[n_variants++] = row.product->variants[i];
        }
    }
    catalog_file_close(file);
}

static void free_catalogue(void)
{
    arena_free(arena);
}

static void every_product_is_one_that_the_service_takes(void)
{
    CU_ASSERT(n_products >= 64);
    for (size_t i = 0; i < n_products; i++) {
        Findings findings = { .arena = arena };

        product_check(shipped[i], &findings);
        for (size_t j = 0; j < findings.n_items; j++)
            CHECK_TEXT(findings.items[j].description, shipped[i]->name);
        CHECK_INT(shipped[i]->state, PRODUCT_ACTIVE);
        CU_ASSERT(shipped[i]->n_variants >= 1 && shipped[i]->n_variants <= 6);
        CU_ASSERT(text_length(shipped[i]->description) >= 30);
        CU_ASSERT_PTR_NOT_NULL(strstr(shipped[i]->category, " > "));
        CU_ASSERT(*shipped[i]->brand != '\0');
    }
}

static void names_titles_and_codes_are_unique(void)
{
    for (size_t i = 0; i < n_products; i++)
        for (size_t j = 0; j < i; j++) {
            CU_ASSERT(!text_equal(shipped[i]->name, shipped[j]->name));
            CU_ASSERT(!text_equal(shipped[i]->title, shipped[j]->title));
        }
    for (size_t i = 0; i < n_variants; i++)
        for (size_t j = 0; j < i; j++) {
            CU_ASSERT(!text_equal(variants[i]->sku, variants[j]->sku));
            CU_ASSERT(!text_equal(variants[i]->gtin, variants[j]->gtin));
        }
}

static void every_variant_has_an_in_store_gtin(void)
{
    for (size_t i = 0; i < n_variants; i++) {
        CHECK_INT(strlen(variants[i]->gtin), 13);
        CU_ASSERT(text_starts_with(variants[i]->gtin, "2"));
        CU_ASSERT(gtin_is_valid(variants[i]->gtin));
    }
}

static void every_variant_costs_something_in_three_currencies(void)
{
    for (size_t i = 0; i < n_variants; i++) {
        CHECK_INT(variants[i]->n_prices, COUNT(currencies));
        for (size_t j = 0; j < COUNT(currencies); j++) {
            const Price *price = variant_price(variants[i], currencies[j]);
            int64_t minor = 0;

            CU_ASSERT_PTR_NOT_NULL_FATAL(price);
            CU_ASSERT(money_minor(price->amount, &minor) && minor >= 500);
        }
    }
}

static void some_prices_were_higher(void)
{
    int reduced = 0;

    for (size_t i = 0; i < n_variants; i++)
        reduced += variant_price(variants[i], "EUR")->list_amount != NULL;
    CU_ASSERT(reduced >= 10 && reduced < (int)n_variants / 2);
}

static void every_variant_is_kept_at_three_places(void)
{
    int sold_out = 0;

    for (size_t i = 0; i < n_variants; i++) {
        CHECK_INT(variants[i]->n_stock, COUNT(places));
        for (size_t j = 0; j < COUNT(places); j++) {
            CHECK_TEXT(variants[i]->stock[j]->location, places[j]);
            sold_out += variants[i]->stock[j]->on_hand == 0;
        }
    }
    /* A shop where everything is everywhere shows nothing. */
    CU_ASSERT(sold_out > 0);
}

static void several_departments_are_there(void)
{
    static const char *const departments[] = { "Outdoor", "Home", "Kitchen", "Office" };

    for (size_t i = 0; i < COUNT(departments); i++) {
        int count = 0;

        for (size_t j = 0; j < n_products; j++)
            count += category_contains(departments[i], shipped[j]->category);
        CU_ASSERT(count >= 10);
    }
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "every_product_is_one_that_the_service_takes",
            every_product_is_one_that_the_service_takes },
        { "names_titles_and_codes_are_unique", names_titles_and_codes_are_unique },
        { "every_variant_has_an_in_store_gtin", every_variant_has_an_in_store_gtin },
        { "every_variant_costs_something_in_three_currencies",
            every_variant_costs_something_in_three_currencies },
        { "some_prices_were_higher", some_prices_were_higher },
        { "every_variant_is_kept_at_three_places", every_variant_is_kept_at_three_places },
        { "several_departments_are_there", several_departments_are_there },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "demo_catalogue",
            .pSetUpFunc = read_catalogue,
            .pTearDownFunc = free_catalogue,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_demo_catalogue", suites, argc, argv);
}
