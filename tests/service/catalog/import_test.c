/* Imports of products, over gRPC. */
#include "tests/service/catalog/catalog_fixture.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

static void what_is_imported_is_shown(void)
{
    Product *sent = a_product(arena);
    Product *shown;

    import_all(&sent, 1);
    shown = get("products/tent");

    CU_ASSERT_PTR_NOT_NULL_FATAL(shown);
    CHECK_TEXT(shown->title, "Two-person tent");
    CHECK_TEXT(shown->etag, "1");
    CHECK_INT(shown->state, PRODUCT_ACTIVE);
    CHECK_INT(shown->n_variants, 2);
    CHECK_TEXT(shown->variants[1]->sku, "tent-red");
    CHECK_INT(shown->variants[1]->prices[1]->amount->units, 219);
    CU_ASSERT(timestamp_to_micros(shown->create_time) > some_noon);
    CHECK_INT(shown->base.n_unknown_fields, 0);
}

static void importing_again_changes_nothing(void)
{
    Product *sent = a_product(arena);
    const ImportProductsResponse *answer;
    Product *before;

    import_all(&sent, 1);
    before = get("products/tent");
    answer = import(&sent, 1);

    CHECK_INT(answer->unchanged, 1);
    CHECK_INT(answer->created + answer->updated + answer->refused, 0);
    CU_ASSERT(message_equal(before, get("products/tent")));
}

static void another_order_of_prices_and_attributes_is_no_change(void)
{
    Product *sent = a_product(arena);
    Price *euro = sent->variants[0]->prices[0];

    import_all(&sent, 1);
    sent->variants[0]->prices[0] = sent->variants[0]->prices[1];
    sent->variants[0]->prices[1] = euro;

    CHECK_INT(import(&sent, 1)->unchanged, 1);
}

static void a_changed_product_is_replaced(void)
{
    Product *sent = a_product(arena);
    const ImportProductsResponse *answer;
    Product *before;
    Product *after;

    import_all(&sent, 1);
    before = get("products/tent");
    sent->title = text(arena, "Three-person tent");
    sent->n_variants = 1;
    answer = import(&sent, 1);
    after = get("products/tent");

    CHECK_INT(answer->updated, 1);
    CHECK_TEXT(after->title, "Three-person tent");
    CHECK_TEXT(after->etag, "2");
    CHECK_INT(after->n_variants, 1);
    CU_ASSERT(message_equal(before->create_time, after->create_time));
    CU_ASSERT(timestamp_to_micros(after->update_time) > timestamp_to_micros(before->update_time));
}

static void bad_rows_are_named_and_good_ones_kept(void)
{
    Product *rows[] = { item(1), item(2), item(3) };
    const ImportProductsResponse *answer;

    rows[1]->title = text(arena, "");
    rows[1]->variants[0]->prices[0]->amount->units = -1;
    answer = import(rows, 3);

    CHECK_INT(answer->created, 2);
    CHECK_INT(answer->refused, 1);
    CHECK_INT(answer->n_errors, 2);
    CHECK_INT(answer->errors[0]->row, 2);
    CHECK_TEXT(answer->errors[0]->product, "products/item-002");
    CHECK_TEXT(answer->errors[0]->field, "title");
    CHECK_TEXT(answer->errors[1]->field, "variants[0].prices[0].amount");
    CU_ASSERT_PTR_NULL(get("products/item-002"));
    CU_ASSERT_PTR_NOT_NULL(get("products/item-003"));
}

static void many_rows_may_come_in_one_message(void)
{
    ImportProductsRequest message = THROUGHLINE__CATALOG__V1__IMPORT_PRODUCTS_REQUEST__INIT;
    Throughline__Catalog__V1__ImportRow rows[3];
    Throughline__Catalog__V1__ImportRow *list[] = { &rows[0], &rows[1], &rows[2] };
    RpcClientStream *stream = open_import();
    const ImportProductsResponse *answer;
    void *reply = NULL;

    for (int i = 0; i < 3; i++) {
        throughline__catalog__v1__import_row__init(&rows[i]);
        rows[i].product = item(i + 1);
        rows[i].row = 10 * (i + 1);
    }
    rows[1].product->title = text(arena, "");
    message.product = item(7);
    message.rows = list;
    message.n_rows = 3;
    CU_ASSERT_PTR_NULL_FATAL(rpc_client_send(stream, &message));
    rpc_client_finish_sending(stream);
    CU_ASSERT_PTR_NULL_FATAL(rpc_client_receive(stream, arena, &reply));
    rpc_client_close_stream(stream);
    answer = reply;

    CHECK_INT(answer->created, 3);
    CHECK_INT(answer->refused, 1);
    CHECK_INT(answer->errors[0]->row, 20);
    CU_ASSERT_PTR_NOT_NULL(get("products/item-007"));
    CU_ASSERT_PTR_NOT_NULL(get("products/item-003"));
}

static void rows_without_product_are_refused(void)
{
    Product *nothing = NULL;
    const ImportProductsResponse *answer = import(&nothing, 1);

    CHECK_INT(answer->refused, 1);
    CHECK_TEXT(answer->errors[0]->field, "product");
}

static void a_code_of_another_product_is_refused(void)
{
    Product *first = a_product(arena);
    Product *thief = item(1);
    Product *scanned = item(2);
    Product *rows[] = { thief, scanned };
    const ImportProductsResponse *answer;

    import_all(&first, 1);
    thief->variants[0]->sku = text(arena, "tent-red");
    scanned->variants[0]->gtin = text(arena, "04006381333931");
    answer = import(rows, 2);

    CHECK_INT(answer->refused, 2);
    CU_ASSERT_FATAL(answer->n_errors == 2);
    CHECK_TEXT(answer->errors[0]->field, "variants[0].sku");
    CHECK_TEXT(answer->errors[1]->field, "variants[0].gtin");
}

static void the_second_row_with_a_code_is_refused(void)
{
    Product *rows[] = { item(1), item(2) };
    const ImportProductsResponse *answer;

    rows[1]->variants[0]->sku = rows[0]->variants[0]->sku;
    answer = import(rows, 2);

    CHECK_INT(answer->created, 1);
    CHECK_INT(answer->refused, 1);
    CHECK_INT(answer->n_errors, 1);
    CHECK_INT(answer->errors[0]->row, 2);
    CHECK_TEXT(answer->errors[0]->field, "variants");
}

static void a_code_may_move_from_one_product_to_another(void)
{
    Product *first = a_product(arena);
    Product *heir = item(1);
    Product *rows[] = { first, heir };
    FindVariantResponse found;

    import_all(&first, 1);
    first->n_variants = 1;
    heir->variants[0]->sku = text(arena, "tent-red");
    import_all(rows, 2);

    CU_ASSERT_PTR_NULL(find_sku("tent-red", &found));
    CHECK_TEXT(found.product->name, "products/item-001");
}

static void the_last_row_of_a_product_counts(void)
{
    Product *rows[] = { item(1), item(1), item(1) };
    const ImportProductsResponse *answer;

    rows[1]->title = text(arena, "Second");
    rows[2]->title = text(arena, "Third");
    answer = import(rows, 3);

    CHECK_INT(answer->created, 1);
    CHECK_INT(answer->updated, 2);
    CHECK_TEXT(get("products/item-001")->title, "Third");
}

static void errors_are_bounded_and_counted(void)
{
    enum { ROWS = IMPORT_MAX_ERRORS + 100 };
    Product **rows = arena_array(arena, ROWS, sizeof(*rows));
    const ImportProductsResponse *answer;
    Product *bad = item(1);

    bad->title = text(arena, "");
    for (size_t i = 0; i < ROWS; i++)
        rows[i] = bad;
    answer = import(rows, ROWS);

    CHECK_INT(answer->refused, ROWS);
    CHECK_INT(answer->n_errors, IMPORT_MAX_ERRORS);
}

static void a_large_import_and_its_repetition(void)
{
    enum { ROWS = 3 * IMPORT_BATCH + 17 };
    Product **rows = arena_array(arena, ROWS, sizeof(*rows));
    const ImportProductsResponse *first;
    const ImportProductsResponse *second;

    for (int i = 0; i < ROWS; i++)
        rows[i] = item(i * 7919 % ROWS);
    first = import(rows, ROWS);
    second = import(rows, ROWS);

    CHECK_INT(first->created, ROWS);
    CHECK_INT(second->unchanged, ROWS);
    CHECK_TEXT(get("products/item-1000")->title, "Thing number 1000");
}

static void an_import_tells_what_changed(void)
{
    Product *sent = a_product(arena);
    const Event *event;
    const Throughline__Catalog__V1__ProductChanged *changed;

    import_all(&sent, 1);
    event = fixture_event(fixture, "products/tent", 1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(event);
    CHECK_TEXT(event->actor, "agents/merchandiser");
    CHECK_TEXT(event->channel, "web");
    changed = event_payload(arena, event, &throughline__catalog__v1__product_changed__descriptor);
    CU_ASSERT_PTR_NOT_NULL_FATAL(changed);
    CU_ASSERT(changed->is_new);
    CU_ASSERT(message_equal(changed->product, get("products/tent")));
}

static void products_are_there_after_a_restart(void)
{
    Product *before;

    import_items(5);
    before = get("products/item-003");
    fixture_restart(fixture);

    CU_ASSERT(message_equal(before, get("products/item-003")));
}

/* Another replica writes to the store: its event brings the change here. */
static void what_another_replica_imports_is_followed(void)
{
    StoreView view = fixture_view(fixture);
    Throughline__Catalog__V1__ProductChanged event =
        THROUGHLINE__CATALOG__V1__PRODUCT_CHANGED__INIT;
    Product *product = a_product(arena);
    Product *shown = NULL;

    event.product = product;
    CU_ASSERT_PTR_NULL(store_insert(&view, &products, product, &event));
    for (int i = 0; i < 100 && !shown; i++) {
        clock_sleep_ms(50);
        shown = get("products/tent");
    }

    CU_ASSERT_PTR_NOT_NULL_FATAL(shown);
    CHECK_TEXT(shown->etag, "1");
}

static void a_bad_name_is_no_name(void)
{
    Throughline__Catalog__V1__GetProductRequest request =
        THROUGHLINE__CATALOG__V1__GET_PRODUCT_REQUEST__INIT;
    Product product = THROUGHLINE__CATALOG__V1__PRODUCT__INIT;
    const Error *error;

    request.name = text(arena, "Tent!");
    error = fixture_call(fixture, "ProductService/GetProduct", &request, &product);

    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    CU_ASSERT(has_violation(error, "name"));
}

static void imports_need_the_right_to_write(void)
{
    RpcOutgoing outgoing = fixture_outgoing(fixture);
    Throughline__Catalog__V1__GetProductRequest request =
        THROUGHLINE__CATALOG__V1__GET_PRODUCT_REQUEST__INIT;
    Product product = THROUGHLINE__CATALOG__V1__PRODUCT__INIT;
    RpcClientStream *stream;
    void *reply;

    outgoing.token = fixture_token(fixture, "catalog.read", "web");
    CU_ASSERT_PTR_NULL(rpc_client_open_stream(fixture_client(fixture), &outgoing,
        &throughline__catalog__v1__product_service__descriptor, "ImportProducts", &stream));
    rpc_client_finish_sending(stream);

    CHECK_TEXT(error_reason(rpc_client_receive(stream, arena, &reply)), "SCOPE_MISSING");
    rpc_client_close_stream(stream);

    request.name = text(arena, "products/none");
    CHECK_TEXT(error_reason(fixture_call_with(
                   fixture, &outgoing, "ProductService/GetProduct", &request, &product)),
        "PRODUCT_NOT_FOUND");
    outgoing.token = fixture_token(fixture, "cart.read", "web");
    CHECK_TEXT(error_reason(fixture_call_with(
                   fixture, &outgoing, "ProductService/GetProduct", &request, &product)),
        "SCOPE_MISSING");
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "what_is_imported_is_shown", what_is_imported_is_shown },
        { "importing_again_changes_nothing", importing_again_changes_nothing },
        { "another_order_of_prices_and_attributes_is_no_change",
            another_order_of_prices_and_attributes_is_no_change },
        { "a_changed_product_is_replaced", a_changed_product_is_replaced },
        { "bad_rows_are_named_and_good_ones_kept", bad_rows_are_named_and_good_ones_kept },
        { "many_rows_may_come_in_one_message", many_rows_may_come_in_one_message },
        { "rows_without_product_are_refused", rows_without_product_are_refused },
        { "a_code_of_another_product_is_refused", a_code_of_another_product_is_refused },
        { "the_second_row_with_a_code_is_refused", the_second_row_with_a_code_is_refused },
        { "a_code_may_move_from_one_product_to_another",
            a_code_may_move_from_one_product_to_another },
        { "the_last_row_of_a_product_counts", the_last_row_of_a_product_counts },
        { "errors_are_bounded_and_counted", errors_are_bounded_and_counted },
        { "a_large_import_and_its_repetition", a_large_import_and_its_repetition },
        { "an_import_tells_what_changed", an_import_tells_what_changed },
        { "products_are_there_after_a_restart", products_are_there_after_a_restart },
        { "what_another_replica_imports_is_followed", what_another_replica_imports_is_followed },
        { "a_bad_name_is_no_name", a_bad_name_is_no_name },
        { "imports_need_the_right_to_write", imports_need_the_right_to_write },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "import",
            .pSetUpFunc = start_catalog,
            .pTearDownFunc = stop_catalog,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_import_service", suites, argc, argv);
}
