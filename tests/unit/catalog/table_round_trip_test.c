/* What is written as a table is read as it was: the shipped catalogue, those of real shops, and random products with hostile texts. */
#include "services/catalog/import/catalog_file.h"
#include "services/catalog/import/table_export.h"

#include "shared/codec/json.h"
#include "shared/codec/message.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"
#include "tests/unit/catalog/data_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 60, QUICK_ROUNDS = 15, MAX_RANDOM = 12, SHOWN = 5 };

typedef struct Shelf {
    size_t n_products;
    size_t capacity;
    Product **products;
} Shelf;

static Arena *arena;

static void begin(void)
{
    arena = arena_new();
}

static void end(void)
{
    arena_free(arena);
}

static void add(Shelf *shelf, Product *product)
{
    if (shelf->n_products == shelf->capacity) {
        size_t capacity = shelf->capacity ? 2 * shelf->capacity : 64;

        shelf->products = arena_grow(
            arena, shelf->products, shelf->n_products, capacity, sizeof(*shelf->products));
        shelf->capacity = capacity;
    }
    product_normalize(product);
    shelf->products[shelf->n_products++] = product;
}

/* Every row must be good. */
static Shelf read_shelf(const char *path)
{
    Shelf shelf = { 0 };
    CatalogFile *file;
    CatalogRow row;

    CU_ASSERT_PTR_NULL_FATAL(catalog_file_open(arena, path, NULL, &file));
    while (catalog_file_next(file, arena, &row)) {
        for (size_t i = 0; i < row.n_problems; i++)
            printf("row %lld: %s %s\n", (long long)row.problems[i].row, row.problems[i].field,
                row.problems[i].description);
        CHECK_INT(row.n_problems, 0);
        if (row.product)
            add(&shelf, row.product);
    }
    catalog_file_close(file);
    return shelf;
}

static const char *write_shelf(const Shelf *shelf, const char *name)
{
    const char *path = arena_printf(arena, "%s/%s", test_folder(), name);
    TableExport *table = table_export_new(arena);
    FILE *file = fopen(path, "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    for (size_t i = 0; i < shelf->n_products; i++)
        table_export_note(table, shelf->products[i]);
    table_export_header(table, file);
    for (size_t i = 0; i < shelf->n_products; i++)
        table_export_rows(table, shelf->products[i], file);
    CU_ASSERT_FATAL(fclose(file) == 0);
    return path;
}

static Bytes read_bytes(const char *path)
{
    FILE *file = fopen(path, "r");
    uint8_t *bytes;
    long size;

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    rewind(file);
    bytes = arena_alloc(arena, (size_t)size + 1);
    CU_ASSERT(fread(bytes, 1, (size_t)size, file) == (size_t)size);
    fclose(file);
    return (Bytes){ bytes, (size_t)size };
}

static void check_round_trip(const Shelf *shelf)
{
    const char *first = write_shelf(shelf, "first.csv");
    Shelf again = read_shelf(first);
    Bytes one = read_bytes(first);
    Bytes other = read_bytes(write_shelf(&again, "again.csv"));
    int n_shown = 0;

    CHECK_INT(again.n_products, shelf->n_products);
    for (size_t i = 0; i < again.n_products && i < shelf->n_products && n_shown < SHOWN; i++)
        if (!message_equal(again.products[i], shelf->products[i])) {
            n_shown++;
            CHECK_TEXT(json_from_message(arena, again.products[i], JSON_COMPACT),
                json_from_message(arena, shelf->products[i], JSON_COMPACT));
        }
    CHECK_INT(other.size, one.size);
    CU_ASSERT(other.size == one.size && !memcmp(other.data, one.data, one.size));
}

static void the_shipped_catalogue_comes_back(void)
{
    Shelf shelf = read_shelf(SOURCE_ROOT "/services/throughline/demo/catalogue.jsonl");

    CU_ASSERT(shelf.n_products >= 64);
    check_round_trip(&shelf);
}

static void catalogues_of_real_shops_come_back(void)
{
    static const char *const names[] = { "walmart-amazon-products/walmart.csv",
        "walmart-amazon-products/amazon.csv",
        "catalog-flipkart-1050/flipkart_com-ecommerce_sample_1050.csv",
        "catalog-gcp-boutique/products.json", "northwind/products.csv",
        "catalog-saleor/populatedb_data.json" };

    for (size_t i = 0; i < COUNT(names); i++) {
        const char *path = data_file(arena, names[i]);
        Shelf shelf;

        if (!path)
            return;
        shelf = read_shelf(path);
        CU_ASSERT(shelf.n_products > 0);
        check_round_trip(&shelf);
        arena_reset(arena);
    }
}

/* Random products. */

static unsigned state;

static unsigned pick(unsigned below)
{
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % below;
}

/* At least `least` pieces. */
static char *hostile(unsigned least)
{
    static const char *const pieces[] = { ",", "\"", "\n", "\r\n", " ", ";", "|", "\t", "NULL",
        "N/A", "é", "日本", "a", "B", "0", "=1+1", " > ", "/", "@", "attribute:", "{\"x\":1}", "…",
        "'", "\r" };
    const char *made = "";

    for (unsigned n = least + pick(4); n > 0; n--)
        made = arena_printf(arena, "%s%s", made, pieces[pick(COUNT(pieces))]);
    return arena_text(arena, made);
}

static LocalText **random_texts(size_t *n_texts)
{
    static const char *const languages[] = { "de", "de-CH", "fr", "pt-BR", "ja" };
    LocalText **texts = arena_array(arena, COUNT(languages), sizeof(*texts));

    *n_texts = 0;
    for (size_t i = 0; i < COUNT(languages); i++) {
        LocalText *one;

        if (pick(3))
            continue;
        one = message_new(arena, &throughline__catalog__v1__local_text__descriptor);
        one->language = text(arena, languages[i]);
        one->title = hostile(0);
        one->description = hostile(0);
        texts[(*n_texts)++] = one;
    }
    return texts;
}

static Relation **random_relations(size_t *n_relations)
{
    Relation **relations = arena_array(arena, 3, sizeof(*relations));

    *n_relations = pick(4);
    for (size_t i = 0; i < *n_relations; i++) {
        Relation *relation = message_new(arena, &throughline__catalog__v1__relation__descriptor);

        relation->kind = (Throughline__Catalog__V1__Relation__Kind)(1 + pick(3));
        relation->product = arena_printf(arena, "products/other-%zu", i);
        if (pick(2) || relation->kind == THROUGHLINE__CATALOG__V1__RELATION__KIND__BUNDLE_PART)
            relation->sku = arena_printf(arena, "x%u", pick(9));
        if (relation->kind == THROUGHLINE__CATALOG__V1__RELATION__KIND__BUNDLE_PART)
            relation->quantity = 1 + (int32_t)pick(1000);
        relations[i] = relation;
    }
    return relations;
}

static void add_random_variant(Product *product, int number)
{
    static const char *const currencies[] = { "EUR", "JPY", "KWD" };
    static const char *const places[] = { "berlin", "new-york", "a--b", "-x-" };
    Variant *variant = message_new(arena, &throughline__catalog__v1__variant__descriptor);

    variant->sku = arena_printf(arena, "%s~%d", product->name + strlen("products/"), number);
    variant->title = hostile(0);
    variant->texts = random_texts(&variant->n_texts);
    variant->prices = arena_array(arena, COUNT(currencies), sizeof(*variant->prices));
    variant->stock = arena_array(arena, COUNT(places), sizeof(*variant->stock));
    for (size_t i = 0; i < COUNT(currencies); i++)
        if (pick(2)) {
            Price *price = a_price(arena, currencies[i], pick(100000));

            if (pick(2))
                price->list_amount = a_price(arena, currencies[i], 0)->amount;
            if (price->list_amount)
                *price->list_amount = *price->amount;
            if (price->list_amount && pick(2))
                price->list_amount->units++;
            variant->prices[variant->n_prices++] = price;
        }
    for (size_t i = 0; i < COUNT(places); i++)
        if (pick(2))
            variant->stock[variant->n_stock++] = a_stock(arena, places[i], pick(50));
    product->variants[product->n_variants++] = variant;
}

static void add_random_attributes(Product *product)
{
    product->attributes = arena_array(arena, 40, sizeof(*product->attributes));
    for (unsigned i = 0, n = pick(40); i < n; i++) {
        Throughline__Catalog__V1__Product__AttributesEntry *entry =
            message_new(arena, &throughline__catalog__v1__product__attributes_entry__descriptor);

        entry->key = arena_printf(arena, "%s%u", hostile(1), pick(1000));
        entry->value = hostile(0);
        product->attributes[product->n_attributes++] = entry;
    }
}

static Product *random_product(int number)
{
    Product *product = message_new(arena, &throughline__catalog__v1__product__descriptor);
    MediaItem *item = message_new(arena, &throughline__catalog__v1__media_item__descriptor);

    product->name = arena_printf(arena, "products/p-%d", number);
    product->title = hostile(1);
    product->description = hostile(0);
    product->brand = hostile(0);
    product->category = text(arena, pick(2) ? "A > B/C > NULL" : "");
    product->type = text(arena, pick(2) ? "productTypes/tent" : "");
    product->state = (Throughline__Catalog__V1__Product__State)(1 + pick(3));
    product->texts = random_texts(&product->n_texts);
    product->relations = random_relations(&product->n_relations);
    product->media = arena_array(arena, 3, sizeof(char *));
    for (size_t n = pick(4); product->n_media < n;)
        product->media[product->n_media++] = arena_printf(arena, "/größe,%u;a.jpg?x='", pick(99));
    item->uri = hostile(1);
    item->alt_text = hostile(0);
    product->media_items = arena_copy(arena, &item, sizeof(MediaItem *));
    product->n_media_items = pick(2);
    product->categories = arena_array(arena, 2, sizeof(char *));
    for (size_t n = pick(3); product->n_categories < n; product->n_categories++)
        product->categories[product->n_categories] =
            arena_printf(arena, "categories/c.%zu~", product->n_categories);
    product->variants = arena_array(arena, 3, sizeof(*product->variants));
    for (int i = 0, n = 1 + (int)pick(3); i < n; i++)
        add_random_variant(product, i);
    add_random_attributes(product);
    return product;
}

static void any_product_comes_back(void)
{
    unsigned rounds = (unsigned)test_size(QUICK_ROUNDS, ROUNDS, ROUNDS);

    for (unsigned round = 1; round <= rounds; round++) {
        Shelf shelf = { 0 };

        state = round;
        for (int i = 0, n = 1 + (int)pick(MAX_RANDOM); i < n; i++)
            add(&shelf, random_product(i));
        check_round_trip(&shelf);
        arena_reset(arena);
    }
}

static void tables_of_others_say_what_they_can(void)
{
    static const char table[] = "sku,title,title@de,state,type,categories,relations,more\n"
                                "t-1,Tent,Zelt,DRAFT,productTypes/tent,categories/a categories/b,"
                                "ACCESSORY products/lamp,\n"
                                "t-2,Lamp,,Texas,LED,warm,none,or less\n";
    const char *path = arena_printf(arena, "%s/others.csv", test_folder());
    FILE *file = fopen(path, "w");
    Shelf shelf;

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(table, file);
    fclose(file);
    shelf = read_shelf(path);
    CHECK_INT(shelf.n_products, 2);
    CHECK_TEXT(shelf.products[0]->texts[0]->title, "Zelt");
    CHECK_INT(shelf.products[0]->state, PRODUCT_DRAFT);
    CHECK_TEXT(shelf.products[0]->type, "productTypes/tent");
    CHECK_INT(shelf.products[0]->n_categories, 2);
    CHECK_TEXT(shelf.products[0]->relations[0]->product, "products/lamp");
    /* What these columns cannot have is an attribute, as it was before. */
    CHECK_INT(shelf.products[1]->n_attributes, 5);
    CHECK_INT(shelf.products[1]->state, PRODUCT_ACTIVE);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "the_shipped_catalogue_comes_back", the_shipped_catalogue_comes_back },
        { "catalogues_of_real_shops_come_back", catalogues_of_real_shops_come_back },
        { "any_product_comes_back", any_product_comes_back },
        { "tables_of_others_say_what_they_can", tables_of_others_say_what_they_can },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "table", .pSetUpFunc = begin, .pTearDownFunc = end, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_table_round_trip", suites, argc, argv);
}
