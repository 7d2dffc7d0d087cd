/* Catalogue files of every format, good and nasty, written by hand. */
#include "services/catalog/import/catalog_file.h"

#include "services/catalog/import/builder.h"
#include "shared/codec/types.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Import {
    Arena *arena;
    CatalogFile *file;
    CatalogRow row;
} Import;

/* Opens a file with this content. */
static const Error *open_bytes(Import *import, const char *name, const char *bytes, size_t size)
{
    FILE *file;
    const char *path;

    *import = (Import){ .arena = arena_new() };
    path = arena_printf(import->arena, "%s/%s", test_folder(), name);
    file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fwrite(bytes, 1, size, file);
    fclose(file);
    return catalog_file_open(import->arena, path, NULL, &import->file);
}

static Import import_text(const char *name, const char *content)
{
    Import import;

    CU_ASSERT_PTR_NULL_FATAL(open_bytes(&import, name, content, strlen(content)));
    return import;
}

static bool next(Import *import)
{
    return catalog_file_next(import->file, import->arena, &import->row);
}

static void end(Import *import)
{
    CU_ASSERT(!next(import));
    CHECK_INT(catalog_file_progress(import->file), 1000);
    catalog_file_close(import->file);
    arena_free(import->arena);
}

static int64_t amount(const Import *import, size_t variant, const char *currency)
{
    const Price *price = variant_price(import->row.product->variants[variant], currency);
    int64_t minor = -1;

    if (price)
        money_minor(price->amount, &minor);
    return minor;
}

static bool is_good(const Import *import)
{
    Findings findings = { .arena = import->arena };

    if (!import->row.product || import->row.n_problems)
        return false;
    product_check(import->row.product, &findings);
    return findings.n_items == 0;
}

static void a_table_becomes_products(void)
{
    Import import = import_text("shop.csv",
        "name,sku,title,description,brand,category,price,list_price,currency,gtin,stock_berlin,"
        "Colour\n"
        "lamp,LAMP-1,Desk lamp,\"Bright, and\nsmall\",Helio,Home > Lamps,19.90,24.90,EUR,"
        "4006381333931,7,black\n");

    CU_ASSERT(next(&import));
    CU_ASSERT(is_good(&import));
    CHECK_INT(import.row.number, 2);
    CHECK_TEXT(import.row.product->name, "products/lamp");
    CHECK_TEXT(import.row.product->title, "Desk lamp");
    CHECK_TEXT(import.row.product->description, "Bright, and\nsmall");
    CHECK_TEXT(import.row.product->category, "Home > Lamps");
    CHECK_TEXT(import.row.product->variants[0]->sku, "LAMP-1");
    CHECK_INT(amount(&import, 0, "EUR"), 1990);
    CHECK_INT(import.row.product->variants[0]->prices[0]->list_amount->units, 24);
    CHECK_TEXT(import.row.product->variants[0]->stock[0]->location, "berlin");
    CHECK_INT(import.row.product->variants[0]->stock[0]->on_hand, 7);
    CHECK_TEXT(import.row.product->attributes[0]->key, "Colour");
    end(&import);
}

static void neighbouring_rows_of_a_product_are_its_variants(void)
{
    Import import = import_text("shop.csv", "product;title;variant;price_eur;price_usd\n"
                                            "shirt;Shirt;S;10;12\n"
                                            "shirt;;M;11.00;12\n"
                                            "cap;Cap;;5;\n");

    CU_ASSERT(next(&import));
    CU_ASSERT(is_good(&import));
    CHECK_INT(import.row.product->n_variants, 2);
    CHECK_TEXT(import.row.product->variants[1]->sku, "shirt-m");
    CHECK_TEXT(import.row.product->variants[1]->title, "M");
    CHECK_INT(amount(&import, 1, "EUR"), 1100);
    CHECK_INT(amount(&import, 1, "USD"), 1200);
    CU_ASSERT(next(&import));
    CHECK_TEXT(import.row.product->name, "products/cap");
    CHECK_INT(import.row.number, 4);
    CHECK_INT(import.row.product->variants[0]->n_prices, 1);
    end(&import);
}

static void a_bad_row_among_variants_is_reported_and_the_others_kept(void)
{
    Import import = import_text("shop.csv", "product,title,sku,price\n"
                                            "shirt,Shirt,A,10\n"
                                            "shirt,Shirt,B,ten\n"
                                            "shirt,Shirt\n"
                                            "shirt,Shirt,C,12\n");

    CU_ASSERT(next(&import));
    CHECK_INT(import.row.product->n_variants, 2);
    CHECK_TEXT(import.row.product->variants[1]->sku, "C");
    CHECK_INT(import.row.n_problems, 2);
    CHECK_INT(import.row.problems[0].row, 3);
    CHECK_TEXT(import.row.problems[0].field, "price");
    CHECK_TEXT(import.row.problems[0].description, "\"ten\" is not an amount in USD");
    CHECK_INT(import.row.problems[1].row, 4);
    CHECK_TEXT(import.row.problems[1].description, "has 2 fields, the header has 4");
    end(&import);
}

static void bad_rows_name_their_field_and_do_not_end_the_file(void)
{
    static const char content[] = "sku,title,price,currency,stock,gtin\n"
                                  "A,,1,USD,1,\n"
                                  "B,Bad euro,1,EURO,1,\n"
                                  "C,Too fine,1.005,USD,1,\n"
                                  "D,Negative,-1,USD,1,\n"
                                  "E,Stock,1,USD,many,\n"
                                  "F,Code,1,USD,1,123\n"
                                  "G,\xff\xfe,1,USD,1,\n"
                                  "H,\"Open\"x,1,USD,1,\n"
                                  "I,Good,1,USD,1,\n";
    static const char *const fields[] = { "title", "currency", "price", "price", "stock", "gtin",
        "title", "" };
    Import import = import_text("shop.csv", content);

    for (size_t i = 0; i < COUNT(fields); i++) {
        CU_ASSERT(next(&import));
        CU_ASSERT_PTR_NULL(import.row.product);
        CHECK_INT(import.row.number, i + 2);
        CHECK_INT(import.row.n_problems, 1);
        if (i != 1)
            CHECK_TEXT(import.row.problems[0].field, fields[i]);
    }
    CU_ASSERT(next(&import));
    CU_ASSERT(is_good(&import));
    CHECK_TEXT(import.row.product->name, "products/i");
    end(&import);
}

static void amounts_may_have_zeros_that_the_currency_has_not(void)
{
    Import import = import_text("shop.csv", "sku,title,price,currency\n"
                                            "A,a,1899.0,INR\n"
                                            "B,b,12.5000,EUR\n"
                                            "C,c,1005.00,JPY\n"
                                            "D,d,0,EUR\n"
                                            "E,e,NULL,EUR\n");

    CU_ASSERT(next(&import));
    CHECK_INT(amount(&import, 0, "INR"), 189900);
    CU_ASSERT(next(&import));
    CHECK_INT(amount(&import, 0, "EUR"), 1250);
    CU_ASSERT(next(&import));
    CHECK_INT(amount(&import, 0, "JPY"), 1005);
    CU_ASSERT(next(&import));
    CHECK_INT(amount(&import, 0, "EUR"), 0);
    CU_ASSERT(next(&import));
    CHECK_INT(import.row.product->variants[0]->n_prices, 0);
    end(&import);
}

static void discounts_show_the_price_before(void)
{
    Import import = import_text("shop.csv", "sku,title,retail_price,discounted_price\n"
                                            "A,a,20,15\n"
                                            "B,b,15,15\n"
                                            "C,c,20,\n"
                                            "D,d,10,15\n");

    CU_ASSERT(next(&import));
    CHECK_INT(amount(&import, 0, "USD"), 1500);
    CHECK_INT(import.row.product->variants[0]->prices[0]->list_amount->units, 20);
    CU_ASSERT(next(&import));
    CU_ASSERT_PTR_NULL(import.row.product->variants[0]->prices[0]->list_amount);
    CU_ASSERT(next(&import));
    CHECK_INT(amount(&import, 0, "USD"), 2000);
    CU_ASSERT(next(&import));
    CHECK_INT(amount(&import, 0, "USD"), 1500);
    CU_ASSERT_PTR_NULL(import.row.product->variants[0]->prices[0]->list_amount);
    end(&import);
}

static void a_row_number_as_id_is_told_apart_by_the_file(void)
{
    Import import = import_text("walmart.csv", "id|title|price\n0|Radio|58.45\n");

    CU_ASSERT(next(&import));
    CU_ASSERT(is_good(&import));
    CHECK_TEXT(import.row.product->name, "products/walmart-0");
    CHECK_TEXT(import.row.product->variants[0]->sku, "walmart-0");
    end(&import);
}

static void our_own_json_lines_are_read(void)
{
    Import import = import_text("own.jsonl",
        "\xef\xbb\xbf"
        "{\"name\":\"products/mug\",\"title\":\"Mug\",\"variants\":[{\"sku\":\"mug\",\"prices\":["
        "{\"amount\":{\"currencyCode\":\"EUR\",\"units\":\"9\",\"nanos\":500000000}}]}]}\n"
        "\n"
        "{\"name\":\"products/cup\",\"titel\":\"Cup\"}\n"
        "not json\n"
        "{\"name\":\"products/jug\",\"title\":\"Jug\"}");

    CHECK_TEXT(catalog_file_format(import.file), "JSON lines");
    CU_ASSERT(next(&import));
    CU_ASSERT(is_good(&import));
    CHECK_INT(amount(&import, 0, "EUR"), 950);
    CU_ASSERT(next(&import));
    CHECK_INT(import.row.number, 3);
    CU_ASSERT_PTR_NULL(import.row.product);
    CHECK_TEXT(import.row.problems[0].field, "titel");
    CU_ASSERT(next(&import));
    CU_ASSERT_PTR_NULL(import.row.product);
    CHECK_INT(import.row.n_problems, 1);
    CU_ASSERT(next(&import));
    CHECK_TEXT(import.row.product->name, "products/jug");
    end(&import);
}

static void a_json_array_is_read(void)
{
    Import import = import_text("own.json", "[{\"name\":\"products/mug\",\"title\":\"Mug\"},\n"
                                            " 17, {\"id\":\"X1\",\"name\":\"Boots\",\"priceUsd\":"
                                            "{\"currencyCode\":\"USD\",\"units\":5}},\n"
                                            "{\"priceUsd\":{\"units\":-5}}]");

    CU_ASSERT(next(&import));
    CHECK_TEXT(import.row.product->name, "products/mug");
    CU_ASSERT(next(&import));
    CU_ASSERT_PTR_NULL(import.row.product);
    CU_ASSERT(next(&import));
    CU_ASSERT(is_good(&import));
    CHECK_TEXT(import.row.product->name, "products/x1");
    CHECK_INT(amount(&import, 0, "USD"), 500);
    CU_ASSERT(next(&import));
    CU_ASSERT_PTR_NULL(import.row.product);
    CHECK_INT(import.row.n_problems, 3);
    end(&import);
}

static void a_fixture_with_holes_is_read(void)
{
    Import import = import_text("fixture.json",
        "[{\"model\":\"product.category\",\"pk\":1,\"fields\":{\"name\":\"Loop\",\"parent\":1}},"
        "{\"model\":\"product.product\",\"pk\":5,\"fields\":{\"name\":\"A & B\",\"category\":1}},"
        "{\"model\":\"product.productvariant\",\"pk\":6,\"fields\":{\"product\":5,\"sku\":null}},"
        "{\"model\":\"product.product\",\"pk\":7,\"fields\":{}},"
        "{\"model\":\"product.productvariantchannellisting\",\"pk\":1,\"fields\":{\"variant\":6,"
        "\"currency\":\"EUR\",\"price_amount\":\"10.000\",\"discounted_price_amount\":\"8.500\"}}, "
        "3]");

    CHECK_TEXT(catalog_file_format(import.file), "Saleor fixture");
    CU_ASSERT(next(&import));
    CHECK_TEXT(import.row.product->name, "products/a-b");
    CHECK_TEXT(import.row.product->variants[0]->sku, "a-b-6");
    CHECK_INT(amount(&import, 0, "EUR"), 850);
    CHECK_INT(import.row.product->variants[0]->prices[0]->list_amount->units, 10);
    CHECK_INT(import.row.product->state, PRODUCT_RETIRED);
    CU_ASSERT(next(&import));
    CU_ASSERT_PTR_NULL(import.row.product);
    CHECK_TEXT(import.row.problems[0].field, "name");
    end(&import);
}

static void what_is_no_catalogue_is_refused(void)
{
    static const char *const contents[] = { "", "  \n\n", "{\"products\":", "[1, 2", "{}\x01 {",
        "a,b,c\n1,2,3\n", "\"title", "\xff\xfe\x00" };

    for (size_t i = 0; i < COUNT(contents); i++) {
        Import import;
        const Error *error = open_bytes(&import, "bad", contents[i], strlen(contents[i]));

        CHECK_TEXT(error_reason(error), "FILE_UNREADABLE");
        arena_free(import.arena);
    }
}

static void a_file_that_is_not_there_is_named(void)
{
    Arena *arena = arena_new();
    CatalogFile *file;
    const Error *error = catalog_file_open(arena, "/nowhere/shop.csv", NULL, &file);

    CHECK_TEXT(error_reason(error), "FILE_NOT_FOUND");
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "/nowhere/shop.csv"));
    arena_free(arena);
}

static void random_files_never_break_the_reader(void)
{
    static const char *const starts[] = { "title,price\n", "{\"name\":\"products/a\"}\n", "[",
        "[{\"model\":\"x\",\"fields\":{}},", "id|title|stock_x|price_eur\n" };
    static const char likely[] = "\"\",,|{}[]:\\\n\n 19.ax\xc3\xa4\xff";
    unsigned seed = 7;
    char bytes[300];

    for (int round = 0; round < 1500; round++) {
        const char *start = starts[(size_t)rand_r(&seed) % COUNT(starts)];
        size_t size = strlen(start);
        Import import;

        memcpy(bytes, start, size);
        while (size < sizeof(bytes))
            bytes[size++] = likely[(size_t)rand_r(&seed) % (sizeof(likely) - 1)];
        if (!open_bytes(&import, "random", bytes, sizeof(bytes))) {
            while (next(&import))
                CU_ASSERT(import.row.product || import.row.n_problems);
            catalog_file_close(import.file);
        }
        arena_free(import.arena);
    }
}

static void slugs_are_names_and_stay_apart(void)
{
    Arena *arena = arena_new();
    char long_a[200];
    char long_b[200];

    memset(long_a, 'a', sizeof(long_a));
    long_a[199] = '\0';
    memcpy(long_b, long_a, sizeof(long_a));
    long_b[198] = 'b';

    CHECK_TEXT(build_slug(arena, "  Rain Jacket (blue) "), "rain-jacket-blue");
    CHECK_TEXT(build_slug(arena, "Größe M"), "gr-e-m");
    CU_ASSERT(text_matches_name(build_slug(arena, "日本"), "*"));
    CU_ASSERT(!text_equal(build_slug(arena, "日本"), build_slug(arena, "中国")));
    CU_ASSERT(text_matches_name(build_slug(arena, long_a), "*"));
    CU_ASSERT(!text_equal(build_slug(arena, long_a), build_slug(arena, long_b)));
    arena_free(arena);
}

static void long_texts_are_cut_at_words(void)
{
    Arena *arena = arena_new();

    CHECK_TEXT(build_short(arena, "short", 10), "short");
    CHECK_TEXT(build_short(arena, "one two three", 10), "one two…");
    CHECK_TEXT(build_short(arena, "äöüäöüäöü", 4), "äöü…");
    arena_free(arena);
}

static void a_title_that_is_too_long_is_kept_whole(void)
{
    Arena *arena = arena_new();
    char title[400];
    Product *product;

    memset(title, 'x', sizeof(title));
    title[200] = ' ';
    title[399] = '\0';

    product = build_product(arena, "long", title, "More.");

    CHECK_INT(text_length(product->title), 201);
    CU_ASSERT(text_starts_with(product->description, title));
    CU_ASSERT(text_ends_with(product->description, "More."));
    arena_free(arena);
}

static void category_paths_have_one_form(void)
{
    Arena *arena = arena_new();

    CHECK_TEXT(build_category(arena, "[\"Home >> Curtains & more >> Blue curt...\"]"),
        "Home > Curtains & more");
    CHECK_TEXT(build_category(arena, "Home>Lamps > "), "Home > Lamps");
    CHECK_TEXT(build_category(arena, "Home/Lamps"), "Home > Lamps");
    CHECK_TEXT(build_category(arena, "[\"Only thi...\"]"), "Only thi...");
    CHECK_TEXT(build_category(arena, " "), "");
    arena_free(arena);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_table_becomes_products", a_table_becomes_products },
        { "neighbouring_rows_of_a_product_are_its_variants",
            neighbouring_rows_of_a_product_are_its_variants },
        { "a_bad_row_among_variants_is_reported_and_the_others_kept",
            a_bad_row_among_variants_is_reported_and_the_others_kept },
        { "bad_rows_name_their_field_and_do_not_end_the_file",
            bad_rows_name_their_field_and_do_not_end_the_file },
        { "amounts_may_have_zeros_that_the_currency_has_not",
            amounts_may_have_zeros_that_the_currency_has_not },
        { "discounts_show_the_price_before", discounts_show_the_price_before },
        { "a_row_number_as_id_is_told_apart_by_the_file",
            a_row_number_as_id_is_told_apart_by_the_file },
        { "our_own_json_lines_are_read", our_own_json_lines_are_read },
        { "a_json_array_is_read", a_json_array_is_read },
        { "a_fixture_with_holes_is_read", a_fixture_with_holes_is_read },
        { "what_is_no_catalogue_is_refused", what_is_no_catalogue_is_refused },
        { "a_file_that_is_not_there_is_named", a_file_that_is_not_there_is_named },
        { "random_files_never_break_the_reader", random_files_never_break_the_reader },
        { "slugs_are_names_and_stay_apart", slugs_are_names_and_stay_apart },
        { "long_texts_are_cut_at_words", long_texts_are_cut_at_words },
        { "a_title_that_is_too_long_is_kept_whole", a_title_that_is_too_long_is_kept_whole },
        { "category_paths_have_one_form", category_paths_have_one_form },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "import", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_import", suites, argc, argv);
}
