/* Searches of two words with facets over many products in memory, one after the other. The words of
 * the products are distributed as in real texts (the k-th most frequent word 1/k as often as the
 * first), and each query has two words of one product's title, the last as a beginning. Or, as their
 * baseline, the same words in the same texts with SQLite's FTS5 in memory and its bm25, without
 * facets. Prints what it did as one line of JSON. */
#include "services/catalog/search/search_index.h"
#include "shared/base/clock.h"
#include "shared/base/config.h"
#include "shared/codec/types.h"

#include <malloc.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    VOCABULARY = 30000,
    TITLE_WORDS = 6,
    DESCRIPTION_WORDS = 40,
    BRANDS = 800,
    CATEGORIES = 120,
    COLOURS = 24,
    SIZES = 40,
    WEIGHTS = 400,
    LOCATIONS = 12,
};

static const Setting settings[] = {
    { "products", SETTING_NUMBER, "100000", "how many there are", 1, 10000000 },
    { "searches", SETTING_NUMBER, "2000", "how many are made", 1, 10000000 },
    { "plain", SETTING_SWITCH, "false", "SQLite's FTS5" },
    { 0 },
};

typedef Throughline__Catalog__V1__Variant__AttributesEntry Attribute;

/* A sequence that is the same in every run. */
static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

enum { WORD_SIZE = 8 };

/* Writes word k of the vocabulary. */
static void write_word(char *at, uint32_t k)
{
    static const char parts[] = "bakolimunerasotivuwexayozidufego";

    for (int i = 0; i < WORD_SIZE / 2; i++, k /= 16)
        memcpy(at + 2 * i, parts + 2 * (k % 16), 2);
}

/* The number of a word: k with a probability proportional to 1/k. */
static uint32_t frequent(uint64_t *state, const double *cumulated)
{
    double point = (double)next_random(state) / 2147483648.0 * cumulated[VOCABULARY - 1];
    uint32_t low = 0, high = VOCABULARY - 1;

    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (cumulated[middle] < point)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const double *word_frequencies(Arena *arena)
{
    double *cumulated = arena_array(arena, VOCABULARY, sizeof(*cumulated));
    double sum = 0;

    for (int i = 0; i < VOCABULARY; i++)
        cumulated[i] = sum += 1.0 / (i + 1);
    return cumulated;
}

static char *some_words(Arena *arena, uint64_t *state, const double *cumulated, int n_words)
{
    char *words = arena_alloc(arena, (size_t)n_words * (WORD_SIZE + 1));

    for (int i = 0; i < n_words; i++) {
        char *at = words + i * (WORD_SIZE + 1);

        write_word(at, frequent(state, cumulated));
        at[WORD_SIZE] = i + 1 < n_words ? ' ' : '\0';
    }
    return words;
}

static Attribute *an_attribute(Arena *arena, const char *key, const char *value)
{
    Attribute *attribute = arena_alloc(arena, sizeof(*attribute));

    throughline__catalog__v1__variant__attributes_entry__init(attribute);
    attribute->key = arena_text(arena, key);
    attribute->value = arena_text(arena, value);
    return attribute;
}

static Variant *a_variant(Arena *arena, uint64_t *state, int number)
{
    Variant *variant = arena_alloc(arena, sizeof(*variant));
    Price *price = arena_alloc(arena, sizeof(*price));
    Stock *stock = arena_alloc(arena, sizeof(*stock));

    throughline__catalog__v1__variant__init(variant);
    throughline__catalog__v1__price__init(price);
    throughline__catalog__v1__stock__init(stock);
    variant->sku = arena_printf(arena, "SKU-%07d", number);
    variant->gtin = arena_printf(arena, "%013d", number);
    price->amount = money_message(arena, "EUR", 100 + next_random(state) % 50000);
    stock->location = arena_printf(arena, "store-%u", next_random(state) % LOCATIONS);
    stock->on_hand = next_random(state) % 5;
    variant->prices = arena_array(arena, 1, sizeof(price));
    variant->prices[variant->n_prices++] = price;
    variant->stock = arena_array(arena, 1, sizeof(stock));
    variant->stock[variant->n_stock++] = stock;
    variant->attributes = arena_array(arena, 3, sizeof(Attribute *));
    variant->attributes[variant->n_attributes++] = an_attribute(
        arena, "colour", arena_printf(arena, "colour %u", next_random(state) % COLOURS));
    variant->attributes[variant->n_attributes++] =
        an_attribute(arena, "size", arena_printf(arena, "%u", next_random(state) % SIZES));
    variant->attributes[variant->n_attributes++] =
        an_attribute(arena, "weight", arena_printf(arena, "%u.5", next_random(state) % WEIGHTS));
    return variant;
}

static Product *a_product(Arena *arena, uint64_t *state, const double *cumulated, int number)
{
    Product *product = arena_alloc(arena, sizeof(*product));
    uint32_t category = next_random(state) % CATEGORIES;

    throughline__catalog__v1__product__init(product);
    product->name = arena_printf(arena, "products/p%07d", number);
    product->etag = arena_text(arena, "1");
    product->state = PRODUCT_ACTIVE;
    product->title = some_words(arena, state, cumulated, TITLE_WORDS);
    product->description = some_words(arena, state, cumulated, DESCRIPTION_WORDS);
    product->brand = arena_printf(arena, "brand %u", next_random(state) % BRANDS);
    product->category = arena_printf(arena, "part %u > shelf %u", category / 10, category);
    product->variants = arena_array(arena, 1, sizeof(Variant *));
    product->variants[product->n_variants++] = a_variant(arena, state, number);
    return product;
}

/* Plain: SQLite's FTS5. */

typedef struct Plain {
    sqlite3 *database;
    sqlite3_stmt *insert;
    sqlite3_stmt *find;
} Plain;

static void must(int result)
{
    if (result != SQLITE_OK)
        abort();
}

static void plain_open(Plain *plain)
{
    must(sqlite3_open(":memory:", &plain->database));
    must(sqlite3_exec(plain->database,
        "CREATE VIRTUAL TABLE texts USING fts5(title, brand, category, sku, gtin, description, "
        "content='', detail=column, prefix='2 3 4', tokenize=\"unicode61 remove_diacritics 2\");"
        "BEGIN",
        NULL, NULL, NULL));
    must(sqlite3_prepare_v2(plain->database,
        "INSERT INTO texts (title, brand, category, sku, gtin, description) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        -1, &plain->insert, NULL));
    must(sqlite3_prepare_v2(plain->database,
        "SELECT rowid FROM texts WHERE texts MATCH ? ORDER BY bm25(texts, 8, 4, 3, 16, 16, 1) "
        "LIMIT 50",
        -1, &plain->find, NULL));
}

static void plain_put(Plain *plain, const Product *product)
{
    const char *texts[] = { product->title, product->brand, product->category,
        product->variants[0]->sku, product->variants[0]->gtin, product->description };

    for (int i = 0; i < (int)COUNT(texts); i++)
        must(sqlite3_bind_text(plain->insert, i + 1, texts[i], -1, SQLITE_STATIC));
    if (sqlite3_step(plain->insert) != SQLITE_DONE)
        abort();
    must(sqlite3_reset(plain->insert));
}

/* Microseconds that a search took; counts what it shows. */
static int64_t plain_search(Plain *plain, const char *words, int64_t *n_found)
{
    char *match = sqlite3_mprintf("%s*", words);
    int64_t start = clock_monotonic();

    must(sqlite3_bind_text(plain->find, 1, match, -1, SQLITE_STATIC));
    while (sqlite3_step(plain->find) == SQLITE_ROW)
        (*n_found)++;
    must(sqlite3_reset(plain->find));
    start = clock_monotonic() - start;
    sqlite3_free(match);
    return start;
}

static void plain_close(Plain *plain)
{
    sqlite3_finalize(plain->insert);
    sqlite3_finalize(plain->find);
    sqlite3_close(plain->database);
}

/* The catalogue's own. */

static const char *const facet_fields[] = { "category", "brand", "price", "stock",
    "attributes.colour", "attributes.size" };

/* Microseconds that a search took; counts what it found. */
static int64_t search(SearchIndex *index, const char *words, int64_t *n_found)
{
    Arena *arena = arena_new();
    FacetRequest requests[COUNT(facet_fields)];
    FacetRequest *facets[COUNT(facet_fields)];
    SearchQuery query = { .facets = facets,
        .n_facets = COUNT(facet_fields),
        .currency = "EUR",
        .limit = 50,
        .resume = "" };
    SearchResult result;
    int64_t start;

    for (size_t i = 0; i < COUNT(facet_fields); i++) {
        throughline__catalog__v1__facet_request__init(&requests[i]);
        requests[i].field = arena_text(arena, facet_fields[i]);
        facets[i] = &requests[i];
    }
    start = clock_monotonic();
    if (!search_read(words, arena, &query.words) ||
        search_index_find(index, &query, arena, &result) || result.total == 0)
        abort();
    start = clock_monotonic() - start;
    *n_found += result.total;
    arena_free(arena);
    return start;
}

static int by_size(const void *a, const void *b)
{
    const int64_t *left = a;
    const int64_t *right = b;

    return (*left > *right) - (*left < *right);
}

/* Both. */

typedef struct Load {
    SearchIndex *index; /* or */
    Plain *plain;
    int n_products;
    int n_searches;
    const char **queries;
    int64_t *times;
    int64_t put_micros;
    int64_t n_found;
} Load;

static void put(Load *load, const Product *product)
{
    int64_t start = clock_monotonic();

    if (load->plain)
        plain_put(load->plain, product);
    else
        search_index_put(load->index, product, 0);
    load->put_micros += clock_monotonic() - start;
}

/* Puts the products in and makes queries: the first and the last word of the title of some. */
static void fill(Load *load, Arena *arena)
{
    const double *cumulated = word_frequencies(arena);
    Arena *memory = arena_new();
    uint64_t state = 1;

    for (int i = 0; i < load->n_products; i++) {
        Product *product = a_product(memory, &state, cumulated, i);

        put(load, product);
        for (int j = i; j < load->n_searches; j += load->n_products)
            load->queries[j] = arena_printf(arena, "%.*s %s", WORD_SIZE, product->title,
                product->title + (TITLE_WORDS - 1) * (WORD_SIZE + 1));
        arena_reset(memory);
    }
    arena_free(memory);
    if (load->plain)
        must(sqlite3_exec(load->plain->database,
            "COMMIT; INSERT INTO texts (texts) VALUES ('optimize')", NULL, NULL, NULL));
}

static size_t memory_in_use(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

static void measure(Load *load, Arena *arena)
{
    size_t before = memory_in_use();
    size_t n_searches = (size_t)load->n_searches;
    double bytes;

    fill(load, arena);
    bytes = (double)(memory_in_use() - before) / load->n_products;
    for (size_t i = 0; i < n_searches; i++)
        load->times[i] = load->plain ? plain_search(load->plain, load->queries[i], &load->n_found)
                                     : search(load->index, load->queries[i], &load->n_found);
    qsort(load->times, n_searches, sizeof(*load->times), by_size);
    printf("{\"products\": %d, \"searches\": %d, \"found\": %lld, \"p50_ms\": %.3f, "
           "\"p99_ms\": %.3f, \"bytes_per_product\": %.0f, \"put_us\": %.2f}\n",
        load->n_products, load->n_searches, (long long)load->n_found,
        (double)load->times[n_searches / 2] / 1000,
        (double)load->times[n_searches * 99 / 100] / 1000, bytes,
        (double)load->put_micros / load->n_products);
}

static int run(Arena *arena, const Config *config)
{
    Plain plain = { 0 };
    Load load = {
        .n_products = (int)config_number(config, "products"),
        .n_searches = (int)config_number(config, "searches"),
    };

    load.times = arena_array(arena, (size_t)load.n_searches, sizeof(*load.times));
    load.queries = arena_array(arena, (size_t)load.n_searches, sizeof(*load.queries));
    if (config_switch(config, "plain")) {
        plain_open(&plain);
        load.plain = &plain;
        measure(&load, arena);
        plain_close(&plain);
    } else {
        load.index = search_index_new();
        measure(&load, arena);
        search_index_free(load.index);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const Setting *const tables[] = { settings, NULL };
    Arena *arena = arena_new();
    const Config *config = config_read(arena, tables, argc, argv, stderr);
    int code = config ? run(arena, config) : 2;

    arena_free(arena);
    return code;
}
