/* Catalogue files of real shops: everything in them becomes products that the service takes. */
#include "services/catalog/import/catalog_file.h"

#include "shared/base/money.h"
#include "shared/codec/types.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"
#include "tests/unit/catalog/data_file.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What came out of a file. */
typedef struct Tally {
    int64_t products;
    int64_t variants;
    int64_t prices;
    int64_t stock;
    int64_t unpriced;   /* variants */
    int64_t discounted; /* prices with a list amount */
    int64_t problems;
    int64_t findings; /* of the service's own check */
    int64_t doubles;  /* names and SKUs that were there before */
} Tally;

enum { MAX_CODES = 60000 };

typedef struct Codes {
    size_t n_codes;
    char *codes[MAX_CODES];
} Codes;

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int64_t count_doubles(Codes *codes)
{
    int64_t doubles = 0;

    qsort(codes->codes, codes->n_codes, sizeof(*codes->codes), by_text);
    for (size_t i = 0; i < codes->n_codes; i++) {
        if (i > 0)
            doubles += text_equal(codes->codes[i - 1], codes->codes[i]);
    }
    for (size_t i = 0; i < codes->n_codes; i++)
        free(codes->codes[i]);
    return doubles;
}

static void count_product(Arena *arena, const Product *product, Tally *tally, Codes *codes)
{
    Findings findings = { .arena = arena };

    product_check(product, &findings);
    for (size_t i = 0; i < findings.n_items; i++)
        printf(
            "%s: %s %s\n", product->name, findings.items[i].field, findings.items[i].description);
    tally->findings += (int64_t)findings.n_items;
    tally->products++;
    codes->codes[codes->n_codes++] = strdup(product->name);
    for (size_t i = 0; i < product->n_variants; i++) {
        const Variant *variant = product->variants[i];

        tally->variants++;
        tally->prices += (int64_t)variant->n_prices;
        tally->stock += (int64_t)variant->n_stock;
        tally->unpriced += variant->n_prices == 0;
        for (size_t j = 0; j < variant->n_prices; j++)
            tally->discounted += variant->prices[j]->list_amount != NULL;
        codes->codes[codes->n_codes++] = strdup(variant->sku);
    }
}

/* Reads a whole data set; false when it is not there. */
static bool tally_file(const char *name, Tally *tally)
{
    Arena *arena = arena_new();
    Arena *row_arena = arena_new();
    const char *path = data_file(arena, name);
    static Codes codes;
    CatalogFile *file;
    CatalogRow row;

    *tally = (Tally){ 0 };
    codes.n_codes = 0;
    if (path) {
        CU_ASSERT_PTR_NULL_FATAL(catalog_file_open(arena, path, NULL, &file));
        while (catalog_file_next(file, row_arena, &row)) {
            tally->problems += (int64_t)row.n_problems;
            if (row.product)
                count_product(row_arena, row.product, tally, &codes);
            arena_reset(row_arena);
        }
        catalog_file_close(file);
        tally->doubles = count_doubles(&codes);
    }
    arena_free(row_arena);
    arena_free(arena);
    return path != NULL;
}

static void check_clean(const Tally *tally)
{
    CHECK_INT(tally->problems, 0);
    CHECK_INT(tally->findings, 0);
    CHECK_INT(tally->doubles, 0);
}

/* Lines of a file but the header's. */
static int64_t count_lines(const char *name)
{
    Arena *arena = arena_new();
    FILE *file = fopen(data_file(arena, name), "rb");
    int64_t lines = 0;
    int byte;

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    while ((byte = getc(file)) != EOF)
        lines += byte == '\n';
    fclose(file);
    arena_free(arena);
    return lines - 1;
}

static void walmart_is_read_whole(void)
{
    Tally tally;

    if (!tally_file("walmart-amazon-products/walmart.csv", &tally))
        return;

    check_clean(&tally);
    CHECK_INT(tally.products, count_lines("walmart-amazon-products/walmart.csv"));
    CHECK_INT(tally.prices, tally.products);
}

static void amazon_is_read_whole(void)
{
    Tally tally;

    if (!tally_file("walmart-amazon-products/amazon.csv", &tally))
        return;

    check_clean(&tally);
    CHECK_INT(tally.products, count_lines("walmart-amazon-products/amazon.csv"));
    /* Many have no price: they are kept and not for sale yet. */
    CU_ASSERT(tally.unpriced > 0 && tally.unpriced < tally.products / 5);
    CHECK_INT(tally.prices + tally.unpriced, tally.products);
}

static void flipkart_is_read_whole(void)
{
    Tally tally;

    if (!tally_file("catalog-flipkart-1050/flipkart_com-ecommerce_sample_1050.csv", &tally))
        return;

    check_clean(&tally);
    CU_ASSERT(tally.products >= 700);
    CU_ASSERT(tally.unpriced <= 1);
    CU_ASSERT(tally.discounted > tally.products / 2);
}

static void boutique_is_read_whole(void)
{
    Tally tally;

    if (!tally_file("catalog-gcp-boutique/products.json", &tally))
        return;

    check_clean(&tally);
    CHECK_INT(tally.products, 9);
    CHECK_INT(tally.prices, 9);
}

static void northwind_is_read_whole(void)
{
    Tally tally;

    if (!tally_file("northwind/products.csv", &tally))
        return;

    check_clean(&tally);
    CHECK_INT(tally.products, count_lines("northwind/products.csv"));
    CHECK_INT(tally.prices, tally.products);
    CHECK_INT(tally.stock, tally.products);
}

static void saleor_is_read_whole(void)
{
    Tally tally;

    if (!tally_file("catalog-saleor/populatedb_data.json", &tally))
        return;

    check_clean(&tally);
    CHECK_INT(tally.products, 32);
    CHECK_INT(tally.variants, 73);
    CHECK_INT(tally.prices, 146);
    CHECK_INT(tally.stock, 56);
}

/* Every channel price as "title of the product/title of the variant/currency" → amount, from the
 * fixture itself. */
static json_t *saleor_prices(json_t *fixture)
{
    json_t *prices = json_object();
    json_t *names = json_object();
    size_t i;
    json_t *row;
    char key[512];

    json_array_foreach(fixture, i, row)
    {
        const char *model = json_string_value(json_object_get(row, "model"));
        json_t *fields = json_object_get(row, "fields");

        if (text_equal(model, "product.product") || text_equal(model, "product.productvariant")) {
            snprintf(
                key, sizeof(key), "%s/%lld", model, json_integer_value(json_object_get(row, "pk")));
            json_object_set(names, key, fields);
        }
    }
    json_array_foreach(fixture, i, row)
    {
        json_t *fields = json_object_get(row, "fields");
        json_t *variant;
        json_t *product;

        if (!text_equal(json_string_value(json_object_get(row, "model")),
                "product.productvariantchannellisting"))
            continue;
        snprintf(key, sizeof(key), "product.productvariant/%lld",
            json_integer_value(json_object_get(fields, "variant")));
        variant = json_object_get(names, key);
        snprintf(key, sizeof(key), "product.product/%lld",
            json_integer_value(json_object_get(variant, "product")));
        product = json_object_get(names, key);
        snprintf(key, sizeof(key), "%s/%s/%s", json_string_value(json_object_get(product, "name")),
            json_string_value(json_object_get(variant, "name")),
            json_string_value(json_object_get(fields, "currency")));
        json_object_set(prices, key, json_object_get(fields, "price_amount"));
    }
    json_decref(names);
    return prices;
}

static int64_t check_prices(Arena *arena, const Product *product, const json_t *prices)
{
    int64_t checked = 0;

    for (size_t i = 0; i < product->n_variants; i++)
        for (size_t j = 0; j < product->variants[i]->n_prices; j++) {
            const Google__Type__Money *amount = product->variants[i]->prices[j]->amount;
            const json_t *expected =
                json_object_get(prices, arena_printf(arena, "%s/%s/%s", product->title,
                                            product->variants[i]->title, amount->currency_code));

            CHECK_TEXT(
                arena_printf(arena, "%lld.%03d", (long long)amount->units, amount->nanos / 1000000),
                json_string_value(expected));
            checked++;
        }
    return checked;
}

static void every_channel_price_of_saleor_is_exact(void)
{
    Arena *arena = arena_new();
    const char *path = data_file(arena, "catalog-saleor/populatedb_data.json");
    json_t *fixture = path ? json_load_file(path, 0, NULL) : NULL;
    json_t *prices;
    CatalogFile *file;
    CatalogRow row;
    int64_t checked = 0;

    if (path) {
        prices = saleor_prices(fixture);
        CHECK_INT(json_object_size(prices), 146);
        CU_ASSERT_PTR_NULL_FATAL(catalog_file_open(arena, path, NULL, &file));
        while (catalog_file_next(file, arena, &row))
            checked += check_prices(arena, row.product, prices);
        CHECK_INT(checked, 146);
        catalog_file_close(file);
        json_decref(prices);
        json_decref(fixture);
    }
    arena_free(arena);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "walmart_is_read_whole", walmart_is_read_whole },
        { "amazon_is_read_whole", amazon_is_read_whole },
        { "flipkart_is_read_whole", flipkart_is_read_whole },
        { "boutique_is_read_whole", boutique_is_read_whole },
        { "northwind_is_read_whole", northwind_is_read_whole },
        { "saleor_is_read_whole", saleor_is_read_whole },
        { "every_channel_price_of_saleor_is_exact", every_channel_price_of_saleor_is_exact },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "import_data", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_import_data", suites, argc, argv);
}
