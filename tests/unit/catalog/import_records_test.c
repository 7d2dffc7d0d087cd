/* Files that hold categories, stores or pairs of products, packed or not. */
#include "services/catalog/import/catalog_file.h"

#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROWS = 20 };

/* All rows of a file with this content; `arena` keeps them. */
static size_t read_all(
    Arena *arena, const char *name, const void *content, size_t size, CatalogRow rows[MAX_ROWS])
{
    const char *path = arena_printf(arena, "%s/%s", test_folder(), name);
    FILE *out = fopen(path, "wb");
    CatalogFile *file;
    size_t n = 0;

    CU_ASSERT_FATAL(out && fwrite(content, 1, size, out) == size && !fclose(out));
    CU_ASSERT_PTR_NULL_FATAL(catalog_file_open(arena, path, NULL, &file));
    while (n < MAX_ROWS && catalog_file_next(file, arena, &rows[n]))
        n++;
    CHECK_INT(catalog_file_progress(file), 1000);
    catalog_file_close(file);
    return n;
}

static size_t read_text(Arena *arena, const char *name, const char *text, CatalogRow *rows)
{
    return read_all(arena, name, text, strlen(text), rows);
}

static void paths_make_a_tree_of_categories(void)
{
    static const char text[] =
        "[{\"id\":\"B1\",\"name\":\"Tents\",\"path\":[{\"id\":\"a\",\"name\":\"Outdoor\"},"
        "{\"id\":\"B1\",\"name\":\"Tents\"}],\"subCategories\":[]},"
        "{\"id\":\"c\",\"name\":null,\"path\":[{\"id\":\"a\",\"name\":\"Outdoor\"},"
        "{\"id\":\"c\",\"name\":null}],\"subCategories\":[]}]";
    Arena *arena = arena_new();
    CatalogRow rows[MAX_ROWS];

    CHECK_INT(read_text(arena, "categories.json", text, rows), 3);
    CHECK_TEXT(rows[0].category->name, "categories/a");
    CHECK_TEXT(rows[0].category->parent, "");
    CHECK_TEXT(rows[1].category->name, "categories/b1");
    CHECK_TEXT(rows[1].category->title, "Tents");
    CHECK_TEXT(rows[1].category->parent, "categories/a");
    CU_ASSERT_PTR_NULL(rows[2].category);
    CHECK_INT(rows[2].number, 2);
    CHECK_TEXT(rows[2].problems[0].field, "name");
    arena_free(arena);
}

static void stores_become_locations(void)
{
    static const char text[] =
        "[{\"id\":7,\"name\":\"Mall\",\"address\":\"1 Road\",\"address2\":\"\",\"city\":\"Town\","
        "\"state\":\"MN\",\"zip\":\"55425\",\"location\":{\"lat\":44.5,\"lon\":-93},"
        "\"hours\":\"Mon: 10-9\",\"services\":[\"Repairs\",\" \",7]},"
        "{\"id\":8,\"name\":\"\",\"address\":\"\",\"hours\":\"\"}]";
    Arena *arena = arena_new();
    CatalogRow rows[MAX_ROWS];
    const Location *location;

    CHECK_INT(read_text(arena, "stores.json", text, rows), 2);
    location = rows[0].location;
    CU_ASSERT_PTR_NOT_NULL_FATAL(location);
    CHECK_TEXT(location->name, "locations/store-7");
    CU_ASSERT(location->is_pickup && location->is_ship_from);
    CHECK_INT(location->n_address_lines, 1);
    CHECK_TEXT(location->region, "MN");
    CU_ASSERT(location->latitude == 44.5 && location->longitude == -93);
    CHECK_INT(location->n_services, 1);
    CHECK_INT(rows[1].n_problems, 1);
    arena_free(arena);
}

static void every_product_of_a_pair_comes_once(void)
{
    static const char text[] =
        "id,label,left_id,left_title,left_manufacturer,left_price,right_id,right_title,"
        "right_manufacturer,right_price\n"
        "0,0,1,Kettle,Hill,12.0,9,Pot,,3.50\n"
        "1,1,1,Kettle,Hill,12.0,8,,,\n"
        "2,1,2,Lamp,,cheap,9,Pot,,3.50\n"
        "3,1,2\n";
    Arena *arena = arena_new();
    CatalogRow rows[MAX_ROWS];

    CHECK_INT(read_text(arena, "pairs.csv", text, rows), 5);
    CHECK_TEXT(rows[0].product->name, "products/left-1");
    CHECK_TEXT(rows[0].product->brand, "Hill");
    CHECK_INT(rows[0].product->variants[0]->prices[0]->amount->units, 12);
    CHECK_TEXT(rows[1].product->variants[0]->sku, "right-9");
    CHECK_TEXT(rows[2].problems[0].field, "right_title");
    CHECK_TEXT(rows[3].product->name, "products/left-2");
    CHECK_TEXT(rows[3].problems[0].field, "left_price");
    CHECK_INT(rows[3].product->variants[0]->n_prices, 0);
    CHECK_CONTAINS(rows[4].problems[0].description, "fields");
    arena_free(arena);
}

static void a_table_of_categories_is_known(void)
{
    static const char text[] =
        "categoryID,categoryName,description\n1,Beverages,\"Tea, coffee\"\n2,,Nothing\n";
    Arena *arena = arena_new();
    CatalogRow rows[MAX_ROWS];

    CHECK_INT(read_text(arena, "kinds.csv", text, rows), 2);
    CHECK_TEXT(rows[0].category->name, "categories/kinds-1");
    CHECK_TEXT(rows[0].category->title, "Beverages");
    CHECK_TEXT(rows[1].problems[0].field, "title");
    arena_free(arena);
}

static void packed_files_are_unpacked(void)
{
    /* gzip of "sku,name\nA-1,Lamp\n". */
    static const uint8_t packed[] = { 0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03,
        0x2b, 0xce, 0x2e, 0xd5, 0xc9, 0x4b, 0xcc, 0x4d, 0xe5, 0x72, 0xd4, 0x35, 0xd4, 0xf1, 0x49,
        0xcc, 0x2d, 0xe0, 0x02, 0x00, 0xfc, 0xc4, 0x76, 0xba, 0x12, 0x00, 0x00, 0x00 };
    Arena *arena = arena_new();
    CatalogRow rows[MAX_ROWS];

    CHECK_INT(read_all(arena, "lamps.csv.gz", packed, sizeof(packed), rows), 1);
    CHECK_TEXT(rows[0].product->title, "Lamp");
    arena_free(arena);
}

static void a_broken_packed_file_is_unreadable(void)
{
    static const uint8_t broken[] = { 0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03,
        0xff, 0xff, 0xff };
    Arena *arena = arena_new();
    const char *path = arena_printf(arena, "%s/broken.gz", test_folder());
    FILE *out = fopen(path, "wb");
    CatalogFile *file;

    CU_ASSERT_FATAL(out && fwrite(broken, 1, sizeof(broken), out) == sizeof(broken));
    fclose(out);
    CHECK_TEXT(error_reason(catalog_file_open(arena, path, NULL, &file)), "FILE_UNREADABLE");
    arena_free(arena);
}

static void attributes_of_an_export_go_where_they_were(void)
{
    static const char text[] = "id,sku,title,price_EUR,attribute:name,variant_attribute:size\n"
                               "products/tent,t-1,Tent,1.00,Hill,L\n";
    Arena *arena = arena_new();
    CatalogRow rows[MAX_ROWS];

    CHECK_INT(read_text(arena, "export.csv", text, rows), 1);
    CHECK_TEXT(rows[0].product->name, "products/tent");
    CHECK_TEXT(rows[0].product->title, "Tent");
    CHECK_TEXT(rows[0].product->attributes[0]->key, "name");
    CHECK_TEXT(rows[0].product->variants[0]->attributes[0]->key, "size");
    CHECK_TEXT(rows[0].product->variants[0]->attributes[0]->value, "L");
    arena_free(arena);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "paths_make_a_tree_of_categories", paths_make_a_tree_of_categories },
        { "stores_become_locations", stores_become_locations },
        { "every_product_of_a_pair_comes_once", every_product_of_a_pair_comes_once },
        { "a_table_of_categories_is_known", a_table_of_categories_is_known },
        { "packed_files_are_unpacked", packed_files_are_unpacked },
        { "a_broken_packed_file_is_unreadable", a_broken_packed_file_is_unreadable },
        { "attributes_of_an_export_go_where_they_were",
            attributes_of_an_export_go_where_they_were },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "records", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_import_records", suites, argc, argv);
}
