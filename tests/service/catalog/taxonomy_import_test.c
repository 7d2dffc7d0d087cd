/* Categories, types and brands in streams, over gRPC. */
#include "tests/service/catalog/catalog_fixture.h"

typedef Throughline__Catalog__V1__ImportRecordsResponse ImportRecordsResponse;

/* Sends the rows, each the record of a request in JSON, to "ImportBrands" …; a NULL is a request without its record. */
static ImportRecordsResponse *import_rows(
    const char *verb, const char *field, const char *const *rows, size_t n_rows)
{
    RpcOutgoing outgoing = fixture_outgoing(fixture);
    RpcClientStream *stream;
    void *reply = NULL;

    CU_ASSERT_PTR_NULL_FATAL(rpc_client_open_stream(fixture_client(fixture), &outgoing,
        &throughline__catalog__v1__taxonomy_service__descriptor, verb, &stream));
    for (size_t i = 0; i < n_rows; i++) {
        const char *type = arena_printf(arena, "%sRequest", verb);
        void *message =
            rows[i] ? message_of(type, "{\"%s\":%s}", field, rows[i]) : message_of(type, "{}");

        CU_ASSERT_PTR_NULL(rpc_client_send(stream, message));
    }
    CU_ASSERT_PTR_NULL(rpc_client_finish_sending(stream));
    CHECK_TEXT(error_reason(rpc_client_receive(stream, arena, &reply)), "OK");
    CU_ASSERT_PTR_NOT_NULL_FATAL(reply);
    rpc_client_close_stream(stream);
    return reply;
}

static void many_categories_come_in_any_order(void)
{
    static const char *const rows[] = {
        "{\"name\":\"categories/two\",\"title\":\"Two\",\"parent\":\"categories/tents\"}",
        "{\"name\":\"categories/x\",\"title\":\"X\",\"parent\":\"categories/y\"}",
        "{\"name\":\"categories/tents\",\"title\":\"Tents\",\"parent\":\"categories/outdoor\"}",
        "{\"name\":\"categories/y\",\"title\":\"Y\",\"parent\":\"categories/x\"}",
        "{\"name\":\"categories/outdoor\",\"title\":\"\"}",
        "{\"name\":\"categories/outdoor\",\"title\":\"Outdoor\",\"path\":\"not mine\"}", NULL
    };
    const char *const good[] = { rows[0], rows[2], rows[5] };
    Throughline__Catalog__V1__Category two = THROUGHLINE__CATALOG__V1__CATEGORY__INIT;
    const ImportRecordsResponse *answer =
        import_rows("ImportCategories", "category", rows, COUNT(rows));

    CHECK_INT(answer->created, 3);
    CHECK_INT(answer->refused, 4);
    CHECK_INT(answer->n_errors, 4);
    CHECK_TEXT(answer->errors[0]->field, "title");
    CHECK_INT(answer->errors[0]->row, 5);
    CU_ASSERT_PTR_NULL(
        ask_json("TaxonomyService/GetCategory", &two, "{\"name\":\"categories/two\"}"));
    CHECK_TEXT(two.path, "Outdoor > Tents > Two");
    CHECK_INT(import_rows("ImportCategories", "category", good, COUNT(good))->unchanged, 3);
}

/* One import renames a category and what is below it. */
static void a_stream_renames_too(void)
{
    static const char *const before[] = { "{\"name\":\"categories/a\",\"title\":\"A\"}",
        "{\"name\":\"categories/b\",\"title\":\"B\",\"parent\":\"categories/a\"}" };
    static const char *const after[] = {
        "{\"name\":\"categories/b\",\"title\":\"B2\",\"parent\":\"categories/a\"}",
        "{\"name\":\"categories/a\",\"title\":\"A2\"}"
    };
    Throughline__Catalog__V1__Category b = THROUGHLINE__CATALOG__V1__CATEGORY__INIT;
    Product *product =
        product_of("{\"name\":\"products/p\",\"title\":\"P\",\"categories\":[\"categories/b\"],"
                   "\"variants\":[{\"sku\":\"p\"}]}");

    import_rows("ImportCategories", "category", before, COUNT(before));
    import_all(&product, 1);
    CHECK_INT(import_rows("ImportCategories", "category", after, COUNT(after))->updated, 2);
    CHECK_TEXT(get("products/p")->category, "A2 > B2");
    CU_ASSERT_PTR_NULL(ask_json("TaxonomyService/GetCategory", &b, "{\"name\":\"categories/b\"}"));
    CHECK_INT(b.n_former_paths, 1);
    CHECK_TEXT(b.n_former_paths ? b.former_paths[0] : "", "A > B");
    CHECK_INT(import_rows("ImportCategories", "category", after, COUNT(after))->unchanged, 2);
}

static void types_and_brands_come_in_streams(void)
{
    static const char *const types[] = {
        "{\"name\":\"productTypes/lamp\",\"title\":\"Lamp\",\"attributes\":"
        "[{\"key\":\"glow\",\"kind\":\"TEXT\"}]}",
        "{\"name\":\"productTypes/bad\",\"title\":\"\"}", NULL
    };
    static const char *const hills[] = { "{\"name\":\"brands/hill\",\"title\":\"Hill\"}",
        "{\"name\":\"brands/other\",\"title\":\"Hill\"}" };
    const ImportRecordsResponse *answer =
        import_rows("ImportProductTypes", "productType", types, COUNT(types));

    CHECK_INT(answer->created, 1);
    CHECK_INT(answer->refused, 2);
    CHECK_TEXT(answer->errors[0]->field, "title");
    CHECK_TEXT(answer->errors[1]->field, "product_type");
    CHECK_INT(import_rows("ImportProductTypes", "productType", types, 1)->unchanged, 1);

    answer = import_rows("ImportBrands", "brand", hills, COUNT(hills));
    CHECK_INT(answer->created, 1);
    CHECK_INT(answer->refused, 1);
    CHECK_INT(answer->errors[0]->row, 2);
    CHECK_INT(import_rows("ImportBrands", "brand", hills, 1)->unchanged, 1);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "many_categories_come_in_any_order", many_categories_come_in_any_order },
        { "a_stream_renames_too", a_stream_renames_too },
        { "types_and_brands_come_in_streams", types_and_brands_come_in_streams },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "streams",
            .pSetUpFunc = start_catalog,
            .pTearDownFunc = stop_catalog,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_taxonomy_import_service", suites, argc, argv);
}
