#include "tests/service/catalog/catalog_fixture.h"

#include "shared/base/clock.h"
#include "shared/codec/json.h"
#include "shared/codec/message.h"

#include "google/protobuf/empty.pb-c.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { IMPORT_SECONDS = 120 };

Fixture *fixture;
Arena *arena;

void start_catalog(void)
{
    fixture = fixture_start(&catalog_service);
    arena = fixture_arena(fixture);
    fixture_act_as(fixture, "web", "agents/merchandiser");
}

bool start_catalog_over_mongo(void)
{
    const char *uri = getenv("THROUGHLINE_TEST_MONGO_URI");

    if (!uri) {
        test_skip("THROUGHLINE_TEST_MONGO_URI is not set");
        return false;
    }
    fixture =
        fixture_start_flags(&catalog_service, NULL, (const char *[]){ "--store-uri", uri, NULL });
    arena = fixture_arena(fixture);
    fixture_act_as(fixture, "web", "agents/merchandiser");
    return true;
}

void stop_catalog(void)
{
    CU_ASSERT(fixture_stop(fixture));
}

RpcOutgoing import_outgoing(void)
{
    RpcOutgoing outgoing = fixture_outgoing(fixture);

    outgoing.deadline = clock_monotonic() + IMPORT_SECONDS * INT64_C(1000000);
    return outgoing;
}

RpcClientStream *open_import(void)
{
    RpcOutgoing outgoing = import_outgoing();
    RpcClientStream *stream;

    CU_ASSERT_PTR_NULL_FATAL(rpc_client_open_stream(fixture_client(fixture), &outgoing,
        &throughline__catalog__v1__product_service__descriptor, "ImportProducts", &stream));
    return stream;
}

ImportProductsResponse *import(Product *const *list, size_t n_products)
{
    RpcClientStream *stream = open_import();
    void *reply = NULL;

    for (size_t i = 0; i < n_products; i++) {
        ImportProductsRequest row = THROUGHLINE__CATALOG__V1__IMPORT_PRODUCTS_REQUEST__INIT;

        row.product = list[i];
        CU_ASSERT_PTR_NULL_FATAL(rpc_client_send(stream, &row));
    }
    CU_ASSERT_PTR_NULL_FATAL(rpc_client_finish_sending(stream));
    CU_ASSERT_PTR_NULL_FATAL(rpc_client_receive(stream, arena, &reply));
    CU_ASSERT_PTR_NOT_NULL_FATAL(reply);
    rpc_client_close_stream(stream);
    return reply;
}

const Error *import_message(const RpcOutgoing *outgoing,
    const Throughline__Catalog__V1__ImportProductsRequest *message, ImportProductsResponse **reply)
{
    RpcClientStream *stream;
    const Error *error;
    void *received = NULL;

    CU_ASSERT_PTR_NULL_FATAL(rpc_client_open_stream(fixture_client(fixture), outgoing,
        &throughline__catalog__v1__product_service__descriptor, "ImportProducts", &stream));
    CU_ASSERT_PTR_NULL(rpc_client_send(stream, message));
    (void)rpc_client_finish_sending(stream);
    if (!(error = rpc_client_receive(stream, arena, &received)))
        *reply = received;
    error = error_copy(arena, error);
    rpc_client_close_stream(stream);
    return error;
}

void import_all(Product *const *list, size_t n_products)
{
    const ImportProductsResponse *answer = import(list, n_products);

    for (size_t i = 0; i < answer->n_errors; i++)
        printf("row %lld: %s %s\n", (long long)answer->errors[i]->row, answer->errors[i]->field,
            answer->errors[i]->description);
    CHECK_INT(answer->refused, 0);
}

Product *get(const char *name)
{
    Throughline__Catalog__V1__GetProductRequest request =
        THROUGHLINE__CATALOG__V1__GET_PRODUCT_REQUEST__INIT;
    Product *product = message_new(arena, &throughline__catalog__v1__product__descriptor);
    const Error *error;

    request.name = text(arena, name);
    error = fixture_call(fixture, "ProductService/GetProduct", &request, product);
    if (!error)
        return product;
    CHECK_TEXT(error_reason(error), "PRODUCT_NOT_FOUND");
    return NULL;
}

Product *item(int i)
{
    Product *product = a_simple_product(arena, arena_printf(arena, "item-%03d", i),
        i % 2 ? "Row > Odd" : "Row > Even", "EUR", 100 + i);

    product->title = arena_printf(arena, "Thing number %d", i);
    product->description = text(arena, "");
    product->brand = text(arena, "");
    return product;
}

void import_items(int n_items)
{
    Product **items = arena_array(arena, (size_t)n_items, sizeof(*items));

    for (int i = 0; i < n_items; i++)
        items[i] = item(n_items - 1 - i);
    import_all(items, (size_t)n_items);
}

const Error *find_sku(const char *sku, FindVariantResponse *found)
{
    FindVariantRequest request = THROUGHLINE__CATALOG__V1__FIND_VARIANT_REQUEST__INIT;

    throughline__catalog__v1__find_variant_response__init(found);
    request.code_case = THROUGHLINE__CATALOG__V1__FIND_VARIANT_REQUEST__CODE_SKU;
    request.sku = text(arena, sku);
    return fixture_call(fixture, "ProductService/FindVariant", &request, found);
}

bool has_violation(const Error *error, const char *field)
{
    for (size_t i = 0; error && i < error->n_violations; i++)
        if (text_equal(error->violations[i].field, field))
            return true;
    return false;
}

static void *read_json(const char *type, const char *format, va_list args)
{
    const ProtobufCMessageDescriptor *descriptor =
        message_find(arena_printf(arena, "throughline.catalog.v1.%s", type));
    const char *json = arena_vprintf(arena, format, args);
    void *message = NULL;

    CU_ASSERT_PTR_NOT_NULL_FATAL(descriptor);
    CHECK_TEXT(error_reason(json_to_message(
                   arena, descriptor, (Bytes){ (const uint8_t *)json, strlen(json) }, &message)),
        "OK");
    CU_ASSERT_PTR_NOT_NULL_FATAL(message);
    return message;
}

const Error *ask_json(const char *method, void *reply, const char *format, ...)
{
    const char *verb = strchr(method, '/') + 1;
    Google__Protobuf__Empty nothing = GOOGLE__PROTOBUF__EMPTY__INIT;
    va_list args;
    void *request;

    va_start(args, format);
    request = read_json(arena_printf(arena, "%sRequest", verb), format, args);
    va_end(args);
    return fixture_call(fixture, method, request, reply ? reply : &nothing);
}

void *message_of(const char *type, const char *format, ...)
{
    va_list args;
    void *message;

    va_start(args, format);
    message = read_json(type, format, args);
    va_end(args);
    return message;
}

Product *product_of(const char *format, ...)
{
    va_list args;
    Product *product;

    va_start(args, format);
    product = read_json("Product", format, args);
    va_end(args);
    return product;
}

const char *error_fact(const Error *error, const char *key)
{
    for (size_t i = 0; error && i < error->n_facts; i++)
        if (text_equal(error->facts[i].key, key))
            return error->facts[i].value;
    return "";
}
