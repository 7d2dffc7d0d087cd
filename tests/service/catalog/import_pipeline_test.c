/* Imports of several batches, of which one is gathered while another is written: what depends on what came before, and what is left
 * where the store fails in the middle. In CI at a third of the operations, in the quick run at a seventh. */
#include "services/catalog/products/product_import.h"
#include "shared/codec/message.h"
#include "shared/store/engine_failing.h"
#include "tests/service/catalog/bare_catalog.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"

#include <stdlib.h>
#include <string.h>

typedef Throughline__Catalog__V1__Import Import;

enum {
    BATCHES = 2,
    ROWS = BATCHES * IMPORT_BATCH + 30,
    BAD_EVERY = 100,
    MAX_OPERATIONS = 40,
    CI_STRIDE = 3,
    QUICK_STRIDE = 7, /* odd: operations fail before and after */
};

static const Error disk_full = { ERROR_RESOURCE_EXHAUSTED, "STORE_FULL", "Full, says the test." };

static BareCatalog bare;
static Arena *arena;
static ProductImport *import;
static ImportProductsResponse result;

static void set_up(void)
{
    bare_catalog_open(&bare);
    arena = bare.arena;
}

static void tear_down(void)
{
    bare_catalog_close(&bare);
}

static void begin(const char *name)
{
    ImportProductsRequest first = THROUGHLINE__CATALOG__V1__IMPORT_PRODUCTS_REQUEST__INIT;

    first.import = text(arena, name);
    import = product_import_begin(bare_catalog_call(&bare));
    CHECK_TEXT(error_reason(product_import_open(import, &first)), "OK");
}

static void add(const Product *product)
{
    CHECK_TEXT(error_reason(product_import_add(import, product, 0)), "OK");
}

static const char *finish(void)
{
    const Error *error = product_import_finish(import, &result);

    product_import_end(import);
    return error_reason(error);
}

static Product *item(int number)
{
    return a_simple_product(arena, arena_printf(arena, "item-%04d", number), "Row", "EUR", 100);
}

/* As many as one batch holds. */
static void add_a_batch(int first)
{
    for (int i = 0; i < IMPORT_BATCH; i++)
        add(item(first + i));
}

static Product *stored(const char *name)
{
    Product *product = message_new(arena, &throughline__catalog__v1__product__descriptor);

    CHECK_TEXT(
        error_reason(store_get(bare_catalog_call(&bare)->store, &products, name, product)), "OK");
    return product;
}

static void later_rows_of_a_product_come_after_earlier_ones(void)
{
    Product *product = item(0);

    begin("");
    for (int i = 0; i < BATCHES; i++) {
        product->title = arena_printf(arena, "Title %d", i);
        add(product);
        add_a_batch(1 + i * IMPORT_BATCH);
    }
    product->title = text(arena, "Last title");
    add(product);
    CHECK_TEXT(finish(), "OK");

    CHECK_INT(result.created, 1 + BATCHES * IMPORT_BATCH);
    CHECK_INT(result.updated, BATCHES);
    CHECK_TEXT(stored("products/item-0000")->title, "Last title");
    CHECK_TEXT(stored("products/item-0000")->etag, "3");
}

/* What a batch takes back is there for the next one, and nobody has it twice. */
static void a_code_moves_from_a_batch_to_the_next(void)
{
    Product *first = item(0);
    Product *heir = item(1);

    first->variants[0]->sku = text(arena, "moving");
    heir->variants[0]->sku = text(arena, "moving");
    begin("");
    add(first);
    add_a_batch(10);
    add(heir);
    first->variants[0]->sku = text(arena, "other");
    add(first);
    add_a_batch(10 + IMPORT_BATCH);
    add(heir);
    CHECK_TEXT(finish(), "OK");

    CHECK_INT(result.created, 2 + 2 * IMPORT_BATCH);
    CHECK_INT(result.updated, 1);
    CHECK_INT(result.refused, 1);
    CHECK_TEXT(result.errors[0]->product, "products/item-0001");
    CHECK_TEXT(stored("products/item-0001")->variants[0]->sku, "moving");
}

static void a_bundle_knows_the_batch_before_it(void)
{
    Product *inner = item(0);
    Product *outer = item(1);
    Relation *part = message_new(arena, &throughline__catalog__v1__relation__descriptor);
    Relation *back = message_new(arena, &throughline__catalog__v1__relation__descriptor);

    part->kind = back->kind = THROUGHLINE__CATALOG__V1__RELATION__KIND__BUNDLE_PART;
    part->quantity = back->quantity = 1;
    part->product = outer->name;
    part->sku = outer->variants[0]->sku;
    back->product = inner->name;
    back->sku = inner->variants[0]->sku;
    inner->relations = arena_copy(arena, &part, sizeof(Relation *));
    outer->relations = arena_copy(arena, &back, sizeof(Relation *));
    inner->n_relations = outer->n_relations = 1;
    begin("");
    add(inner);
    add_a_batch(10);
    add(outer);
    CHECK_TEXT(finish(), "OK");

    CHECK_INT(result.refused, 1);
    CHECK_TEXT(result.errors[0]->product, "products/item-0001");
    CHECK_TEXT(result.errors[0]->field, "relations");
}

static size_t n_found(void)
{
    return search_index_count(bare.catalog.search);
}

/* Every so many rows one is bad. */
static const Error *send_rows(int64_t first)
{
    const Error *error = NULL;

    for (int64_t i = first; i <= ROWS && !error; i++) {
        Product *product = item((int)i);

        if (i % BAD_EVERY == 0)
            product->title = text(arena, "");
        error = product_import_add(import, product, i);
    }
    return error;
}

static void an_import_is_found_as_a_whole(void)
{
    begin("");
    CHECK_TEXT(error_reason(send_rows(1)), "OK");
    CHECK_TEXT(finish(), "OK");

    CHECK_INT(result.created, ROWS - ROWS / BAD_EVERY);
    CHECK_INT(result.refused, ROWS / BAD_EVERY);
    CHECK_INT(result.n_errors, ROWS / BAD_EVERY);
    for (size_t i = 0; i < result.n_errors; i++)
        CHECK_INT(result.errors[i]->row, (int64_t)(i + 1) * BAD_EVERY);
    CHECK_INT(n_found(), ROWS - ROWS / BAD_EVERY);
}

/* What the record says it is: so many rows, each kept or refused, and no row is counted twice. Up to where there is nothing more to
 * send, which is nowhere when the import was done but could not say so. */
static int64_t check_record(void)
{
    Import record;
    const Error *error;

    throughline__catalog__v1__import__init(&record);
    error = store_get(bare_catalog_call(&bare)->store, &imports, "imports/spring", &record);
    if (error)
        return 0;
    CHECK_INT(
        record.result->created + record.result->unchanged + record.result->refused, record.rows);
    CHECK_INT(record.result->refused, record.rows / BAD_EVERY);
    CHECK_INT(record.result->n_errors, record.result->refused);
    return record.is_done ? 0 : record.rows;
}

/* At whatever operation the store fails, with or without effect: the import says so, and goes on where its record says. */
static bool is_cut(int64_t nth, bool has_effect)
{
    StoreFault fault = { STORE_N_OPERATIONS, nth, true, has_effect, &disk_full };
    const Error *error;
    bool was_cut;

    set_up();
    begin("imports/spring");
    store_fail(bare.store, &fault);
    error = send_rows(1);
    was_cut = error || strcmp(error_reason(product_import_finish(import, &result)), "OK") != 0;
    product_import_end(import);
    store_fail(bare.store, NULL);
    if (was_cut) {
        int64_t rows = check_record();

        CHECK_TEXT(error ? error->reason : "STORE_FULL", "STORE_FULL");
        CHECK_TEXT(error_reason(catalog_follow(bare_catalog_call(&bare))), "OK");
        begin("imports/spring");
        CHECK_TEXT(error_reason(send_rows(rows + 1)), "OK");
        CHECK_TEXT(finish(), "OK");
    }
    CHECK_INT(result.created + result.unchanged, ROWS - ROWS / BAD_EVERY);
    CHECK_INT(result.refused, ROWS / BAD_EVERY);
    CHECK_INT(n_found(), ROWS - ROWS / BAD_EVERY);
    tear_down();
    return was_cut;
}

static void an_import_that_the_store_cuts_goes_on(void)
{
    int stride = test_size(QUICK_STRIDE, CI_STRIDE, 1);
    int n_cuts = 0;

    tear_down();
    for (int i = 0; i < MAX_OPERATIONS; i += stride)
        n_cuts += is_cut(i / 2 + 1, i % 2) ? stride : 0;
    set_up();

    /* Each batch reads, writes and keeps its record. */
    CU_ASSERT(n_cuts >= 2 * 3 * (BATCHES + 1));
    CU_ASSERT(n_cuts < MAX_OPERATIONS);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "later_rows_of_a_product_come_after_earlier_ones",
            later_rows_of_a_product_come_after_earlier_ones },
        { "a_code_moves_from_a_batch_to_the_next", a_code_moves_from_a_batch_to_the_next },
        { "a_bundle_knows_the_batch_before_it", a_bundle_knows_the_batch_before_it },
        { "an_import_is_found_as_a_whole", an_import_is_found_as_a_whole },
        { "an_import_that_the_store_cuts_goes_on", an_import_that_the_store_cuts_goes_on },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "import pipeline",
            .pSetUpFunc = set_up,
            .pTearDownFunc = tear_down,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_import_pipeline", suites, argc, argv);
}
