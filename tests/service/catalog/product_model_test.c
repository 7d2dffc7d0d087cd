/* What a product is besides title and price: states, languages, relations, stock; and how many go in and out. */
#include "tests/service/catalog/stock_fixture.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"

typedef Throughline__Catalog__V1__GetProductRequest GetProductRequest;
typedef Throughline__Catalog__V1__ListProductsRequest ListProductsRequest;
typedef Throughline__Catalog__V1__ListProductsResponse ListProductsResponse;
typedef Throughline__Catalog__V1__ExportProductsRequest ExportProductsRequest;
typedef Throughline__Catalog__V1__Import Import;

enum { WAIT_SECONDS = 30 };

static LocalText *a_text(const char *language, const char *title, const char *description)
{
    LocalText *local = message_new(arena, &throughline__catalog__v1__local_text__descriptor);

    local->language = text(arena, language);
    local->title = text(arena, title);
    local->description = text(arena, description);
    return local;
}

static Product *get_in(const char *name, const char *language)
{
    GetProductRequest request = THROUGHLINE__CATALOG__V1__GET_PRODUCT_REQUEST__INIT;
    Product *product = message_new(arena, &throughline__catalog__v1__product__descriptor);

    request.name = text(arena, name);
    request.language = text(arena, language);
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "ProductService/GetProduct", &request, product));
    return product;
}

static Relation *a_relation(
    Throughline__Catalog__V1__Relation__Kind kind, const char *slug, int32_t quantity)
{
    Relation *relation = message_new(arena, &throughline__catalog__v1__relation__descriptor);

    relation->kind = kind;
    relation->product = arena_printf(arena, "products/%s", slug);
    relation->sku = quantity ? text(arena, slug) : relation->sku;
    relation->quantity = quantity;
    return relation;
}

static Product *a_bundle(const char *slug, const char *part)
{
    Product *product = a_simple_product(arena, slug, "Bundles", "EUR", 100);

    product->relations = arena_array(arena, 1, sizeof(Relation *));
    product->relations[product->n_relations++] =
        a_relation(THROUGHLINE__CATALOG__V1__RELATION__KIND__BUNDLE_PART, part, 2);
    return product;
}

/* The first error of an import of one product. */
static const char *refusal_of(Product *product, const char *field)
{
    const ImportProductsResponse *answer = import(&product, 1);

    CHECK_INT(answer->refused, 1);
    for (size_t i = 0; i < answer->n_errors; i++)
        if (text_equal(answer->errors[i]->field, field))
            return answer->errors[i]->description;
    return NULL;
}

/* States. */

static RpcOutgoing as_reader(void)
{
    RpcOutgoing outgoing = fixture_outgoing(fixture);

    outgoing.token = fixture_token(fixture, "catalog.read", "web");
    return outgoing;
}

static void drafts_are_for_those_who_may_write(void)
{
    RpcOutgoing reader = as_reader();
    GetProductRequest request = THROUGHLINE__CATALOG__V1__GET_PRODUCT_REQUEST__INIT;
    ListProductsRequest listing = THROUGHLINE__CATALOG__V1__LIST_PRODUCTS_REQUEST__INIT;
    ListProductsResponse page = THROUGHLINE__CATALOG__V1__LIST_PRODUCTS_RESPONSE__INIT;
    Product product = THROUGHLINE__CATALOG__V1__PRODUCT__INIT;
    FindVariantResponse found;
    Product *draft = item(1);

    draft->state = PRODUCT_DRAFT;
    import_all(&draft, 1);
    request.name = draft->name;

    CHECK_INT(get("products/item-001")->state, PRODUCT_DRAFT);
    CHECK_TEXT(error_reason(fixture_call_with(
                   fixture, &reader, "ProductService/GetProduct", &request, &product)),
        "PRODUCT_NOT_FOUND");
    CHECK_TEXT(error_reason(find_sku("item-001", &found)), "VARIANT_NOT_FOUND");
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "ProductService/ListProducts", &listing, &page));
    CHECK_INT(page.n_products, 0);
    listing.with_drafts = true;
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "ProductService/ListProducts", &listing, &page));
    CHECK_INT(page.n_products, 1);
    CHECK_TEXT(error_reason(fixture_call_with(
                   fixture, &reader, "ProductService/ListProducts", &listing, &page)),
        "SCOPE_MISSING");
}

static void what_was_for_sale_is_never_a_draft_again(void)
{
    Product *product = item(1);

    product->state = PRODUCT_DRAFT;
    import_all(&product, 1);
    product->state = PRODUCT_ACTIVE;
    import_all(&product, 1);
    product->state = PRODUCT_RETIRED;
    import_all(&product, 1);
    product->state = PRODUCT_DRAFT;

    CHECK_CONTAINS(refusal_of(product, "state"), "cannot be a DRAFT again");
    CHECK_INT(get("products/item-001")->state, PRODUCT_RETIRED);
    product->state = PRODUCT_ACTIVE;
    import_all(&product, 1);
}

/* Languages. */

static void a_product_speaks_the_language_it_is_asked_in(void)
{
    Product *product = item(1);
    LocalText *texts[] = { a_text("de-CH", "Zelt (CH)", ""), a_text("de", "Zelt", "Für zwei"),
        a_text("fr", "Tente", "") };
    LocalText *variant_texts[] = { a_text("de", "blau", "") };
    Product *shown;

    product->description = text(arena, "For two");
    product->texts = texts;
    product->n_texts = 3;
    product->variants[0]->title = text(arena, "blue");
    product->variants[0]->texts = variant_texts;
    product->variants[0]->n_texts = 1;
    import_all(&product, 1);

    shown = get_in(product->name, "de-ch-1996");
    CHECK_TEXT(shown->title, "Zelt (CH)");
    CHECK_TEXT(shown->description, "Für zwei");
    CHECK_TEXT(shown->variants[0]->title, "blau");
    CHECK_INT(shown->n_texts, 0);
    CHECK_TEXT(get_in(product->name, "fr-FR")->title, "Tente");
    CHECK_TEXT(get_in(product->name, "fr-FR")->description, "For two");
    CHECK_TEXT(get_in(product->name, "it")->title, "Thing number 1");
    CHECK_INT(get_in(product->name, "")->n_texts, 3);
}

static void languages_are_known_to_every_read(void)
{
    FindVariantRequest find = THROUGHLINE__CATALOG__V1__FIND_VARIANT_REQUEST__INIT;
    FindVariantResponse found = THROUGHLINE__CATALOG__V1__FIND_VARIANT_RESPONSE__INIT;
    ListProductsRequest listing = THROUGHLINE__CATALOG__V1__LIST_PRODUCTS_REQUEST__INIT;
    ListProductsResponse page = THROUGHLINE__CATALOG__V1__LIST_PRODUCTS_RESPONSE__INIT;
    Product *product = item(1);
    LocalText *texts[] = { a_text("de", "Zelt", "") };

    product->texts = texts;
    product->n_texts = 1;
    import_all(&product, 1);
    find.code_case = THROUGHLINE__CATALOG__V1__FIND_VARIANT_REQUEST__CODE_SKU;
    find.sku = text(arena, "item-001");
    find.language = listing.language = text(arena, "de");

    CU_ASSERT_PTR_NULL(fixture_call(fixture, "ProductService/FindVariant", &find, &found));
    CHECK_TEXT(found.product->title, "Zelt");
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "ProductService/ListProducts", &listing, &page));
    CHECK_TEXT(page.products[0]->title, "Zelt");
    find.language = listing.language = text(arena, "no language");
    CU_ASSERT(has_violation(
        fixture_call(fixture, "ProductService/FindVariant", &find, &found), "language"));
    CU_ASSERT(has_violation(
        fixture_call(fixture, "ProductService/ListProducts", &listing, &page), "language"));
}

/* Relations. */

static void bundles_do_not_contain_themselves(void)
{
    Product *rows[] = { a_bundle("a", "b"), a_bundle("b", "c"), a_bundle("c", "a") };
    Product *last = a_bundle("d", "a");
    const ImportProductsResponse *answer = import(rows, 3);

    CHECK_INT(answer->created, 2);
    CHECK_INT(answer->refused, 1);
    CHECK_INT(answer->errors[0]->row, 3);
    CHECK_TEXT(answer->errors[0]->field, "relations");
    CHECK_TEXT(answer->errors[0]->description, "contains itself, through products/b");
    import_all(&last, 1);
    /* The same one import later. */
    CHECK_CONTAINS(refusal_of(a_bundle("b", "d"), "relations"), "contains itself");
}

static void relations_are_kept(void)
{
    Product *product = item(1);
    Relation *relations[] = { a_relation(
                                  THROUGHLINE__CATALOG__V1__RELATION__KIND__ACCESSORY, "rope", 0),
        a_relation(THROUGHLINE__CATALOG__V1__RELATION__KIND__ALTERNATIVE, "cord", 0) };

    product->relations = relations;
    product->n_relations = 2;
    import_all(&product, 1);

    CHECK_INT(get(product->name)->n_relations, 2);
    CHECK_TEXT(get(product->name)->relations[1]->product, "products/cord");
}

/* Stock. */

static void an_import_counts_stock(void)
{
    Product *product = item(1);
    Stock *counts[] = { a_stock(arena, "berlin", 7), a_stock(arena, "hamburg", 0) };

    product->variants[0]->stock = counts;
    product->variants[0]->n_stock = 2;
    import_all(&product, 1);

    CHECK_INT(stock_sum("item-001").n_levels, 2);
    CHECK_INT(stock_sum("item-001").available, 7);
}

static void an_import_that_repeats_itself_does_not_undo_sales(void)
{
    Product *product = item(1);
    Stock *counts[] = { a_stock(arena, "berlin", 7) };
    Reservation reservation;

    product->variants[0]->stock = counts;
    product->variants[0]->n_stock = 1;
    import_all(&product, 1);
    CU_ASSERT_PTR_NULL(stock_reserve_one("item-001", "", 3, "", &reservation));
    CU_ASSERT_PTR_NULL(stock_end("Confirm", reservation.name, &reservation));
    product->title = text(arena, "Renamed");
    import_all(&product, 1);
    CHECK_INT(stock_sum("item-001").on_hand, 4);

    counts[0]->on_hand = 6;
    import_all(&product, 1);
    CHECK_INT(stock_sum("item-001").on_hand, 6);
}

static void a_count_below_what_is_reserved_is_a_row_error(void)
{
    Product *product = item(1);
    Stock *counts[] = { a_stock(arena, "berlin", 7) };
    const ImportProductsResponse *answer;
    Reservation reservation;

    product->variants[0]->stock = counts;
    product->variants[0]->n_stock = 1;
    import_all(&product, 1);
    CU_ASSERT_PTR_NULL(stock_reserve_one("item-001", "", 3, "", &reservation));
    counts[0]->on_hand = 2;
    answer = import(&product, 1);

    CHECK_INT(answer->updated, 1);
    CHECK_INT(answer->n_errors, 1);
    CHECK_TEXT(answer->errors[0]->field, "variants[0].stock[0].on_hand");
    CHECK_INT(stock_sum("item-001").on_hand, 7);
}

/* In and out. */

static const Error *get_import(const char *name, Import *record)
{
    Throughline__Catalog__V1__GetImportRequest request =
        THROUGHLINE__CATALOG__V1__GET_IMPORT_REQUEST__INIT;

    throughline__catalog__v1__import__init(record);
    request.name = text(arena, name);
    return fixture_call(fixture, "ProductService/GetImport", &request, record);
}

/* Sends rows of a named import from `first` on and gives up without finishing, or finishes. */
static ImportProductsResponse *send_named(const char *name, int first, int n_rows, bool is_finished)
{
    RpcClientStream *stream = open_import();
    void *reply = NULL;

    for (int i = first; i <= n_rows; i++) {
        ImportProductsRequest row = THROUGHLINE__CATALOG__V1__IMPORT_PRODUCTS_REQUEST__INIT;

        row.product = item(i);
        row.row = i;
        row.import = text(arena, name);
        CU_ASSERT_PTR_NULL_FATAL(rpc_client_send(stream, &row));
    }
    if (is_finished) {
        CU_ASSERT_PTR_NULL_FATAL(rpc_client_finish_sending(stream));
        CHECK_TEXT(error_reason(rpc_client_receive(stream, arena, &reply)), "OK");
    } else {
        int64_t end = clock_monotonic() + WAIT_SECONDS * INT64_C(1000000);
        Import record;

        /* What has come in is kept in batches: one of them at least is there before the stream is cut. */
        while ((get_import(name, &record) || record.rows < IMPORT_BATCH) && clock_monotonic() < end)
            clock_sleep_ms(2);
    }
    rpc_client_close_stream(stream);
    return reply;
}

static void an_import_that_was_cut_off_goes_on(void)
{
    enum { ROWS = IMPORT_BATCH + 100 };
    const ImportProductsResponse *answer;
    Import record;

    send_named("imports/spring", 1, ROWS, false);
    CU_ASSERT_PTR_NULL(get_import("imports/spring", &record));
    CHECK_INT(record.rows, IMPORT_BATCH);
    CHECK_INT(record.is_done, false);
    answer = send_named("imports/spring", (int)record.rows + 1, ROWS, true);

    CHECK_INT(answer->created, ROWS);
    CU_ASSERT_PTR_NULL(get_import("imports/spring", &record));
    CHECK_INT(record.rows, ROWS);
    CHECK_INT(record.is_done, true);
    CHECK_INT(record.result->created, ROWS);
    /* Done is done: the name begins anew. */
    CHECK_INT(send_named("imports/spring", 1, 3, true)->unchanged, 3);
}

static void imports_have_names_that_can_be(void)
{
    ImportProductsRequest row = THROUGHLINE__CATALOG__V1__IMPORT_PRODUCTS_REQUEST__INIT;
    RpcClientStream *stream = open_import();
    Import record;
    void *reply;

    row.product = item(1);
    row.import = text(arena, "spring");
    CU_ASSERT_PTR_NULL(rpc_client_send(stream, &row));
    rpc_client_finish_sending(stream);
    CU_ASSERT(has_violation(rpc_client_receive(stream, arena, &reply), "import"));
    rpc_client_close_stream(stream);
    CHECK_TEXT(error_reason(get_import("imports/none", &record)), "IMPORT_NOT_FOUND");
    CU_ASSERT(has_violation(get_import("spring", &record), "name"));
}

static const Error *export(const ExportProductsRequest *request, int *n_products, char **last)
{
    RpcClientStream *stream;
    const Error *error;
    void *product = NULL;

    *n_products = 0;
    CU_ASSERT_PTR_NULL_FATAL(
        fixture_open(fixture, "ProductService/ExportProducts", request, &stream));
    while (!(error = rpc_client_receive(stream, arena, &product)) && product) {
        (*n_products)++;
        *last = ((Product *)product)->name;
    }
    rpc_client_close_stream(stream);
    return error;
}

static void everything_comes_out_again(void)
{
    ExportProductsRequest request = THROUGHLINE__CATALOG__V1__EXPORT_PRODUCTS_REQUEST__INIT;
    Product *draft = item(200);
    char *last = NULL;
    int n;

    import_items(150);
    draft->state = PRODUCT_DRAFT;
    import_all(&draft, 1);
    CU_ASSERT_PTR_NULL(export(&request, &n, &last));
    CHECK_INT(n, 150);
    CHECK_TEXT(last, "products/item-149");

    request.after = text(arena, "products/item-099");
    request.with_drafts = true;
    CU_ASSERT_PTR_NULL(export(&request, &n, &last));
    CHECK_INT(n, 51);
    CHECK_TEXT(last, "products/item-200");

    request.category = text(arena, "Row > Odd");
    CU_ASSERT_PTR_NULL(export(&request, &n, &last));
    CHECK_INT(n, 25);

    request.after = text(arena, "item");
    request.category = text(arena, " > ");
    CU_ASSERT(has_violation(export(&request, &n, &last), "after"));
    CU_ASSERT(has_violation(export(&request, &n, &last), "category"));
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "drafts_are_for_those_who_may_write", drafts_are_for_those_who_may_write },
        { "what_was_for_sale_is_never_a_draft_again", what_was_for_sale_is_never_a_draft_again },
        { "a_product_speaks_the_language_it_is_asked_in",
            a_product_speaks_the_language_it_is_asked_in },
        { "languages_are_known_to_every_read", languages_are_known_to_every_read },
        { "bundles_do_not_contain_themselves", bundles_do_not_contain_themselves },
        { "relations_are_kept", relations_are_kept },
        { "an_import_counts_stock", an_import_counts_stock },
        { "an_import_that_repeats_itself_does_not_undo_sales",
            an_import_that_repeats_itself_does_not_undo_sales },
        { "a_count_below_what_is_reserved_is_a_row_error",
            a_count_below_what_is_reserved_is_a_row_error },
        { "an_import_that_was_cut_off_goes_on", an_import_that_was_cut_off_goes_on },
        { "imports_have_names_that_can_be", imports_have_names_that_can_be },
        { "everything_comes_out_again", everything_comes_out_again },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "model",
            .pSetUpFunc = start_catalog,
            .pTearDownFunc = stop_catalog,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_product_model_service", suites, argc, argv);
}
