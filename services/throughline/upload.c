#include "services/throughline/upload.h"

#include "shared/codec/message.h"

#include "throughline/catalog/v1/location.pb-c.h"
#include "throughline/catalog/v1/product.pb-c.h"
#include "throughline/catalog/v1/taxonomy.pb-c.h"

#include <stdio.h>

typedef Throughline__Catalog__V1__ImportProductsRequest ImportProductsRequest;
typedef Throughline__Catalog__V1__ImportRow ImportRow;
typedef Throughline__Catalog__V1__ImportProductsResponse ImportProductsResponse;
typedef Throughline__Catalog__V1__ImportCategoriesRequest ImportCategoriesRequest;
typedef Throughline__Catalog__V1__ImportProductTypesRequest ImportProductTypesRequest;
typedef Throughline__Catalog__V1__ImportBrandsRequest ImportBrandsRequest;
typedef Throughline__Catalog__V1__ImportLocationsRequest ImportLocationsRequest;
typedef Throughline__Catalog__V1__ImportRecordsResponse ImportRecordsResponse;
typedef Throughline__Catalog__V1__Import Import;

typedef enum UploadKind {
    UPLOAD_NOTHING,
    UPLOAD_PRODUCTS,
    UPLOAD_CATEGORIES,
    UPLOAD_PRODUCT_TYPES,
    UPLOAD_BRANDS,
    UPLOAD_LOCATIONS
} UploadKind;

enum { SHOWN_REFUSALS = 20, BATCH = 50, BATCH_BYTES = 256 * 1024 };

static const struct {
    const ProtobufCServiceDescriptor *service;
    const char *method;
} methods[] = {
    [UPLOAD_PRODUCTS] = { &throughline__catalog__v1__product_service__descriptor,
        "ImportProducts" },
    [UPLOAD_CATEGORIES] = { &throughline__catalog__v1__taxonomy_service__descriptor,
        "ImportCategories" },
    [UPLOAD_PRODUCT_TYPES] = { &throughline__catalog__v1__taxonomy_service__descriptor,
        "ImportProductTypes" },
    [UPLOAD_BRANDS] = { &throughline__catalog__v1__taxonomy_service__descriptor, "ImportBrands" },
    [UPLOAD_LOCATIONS] = { &throughline__catalog__v1__location_service__descriptor,
        "ImportLocations" },
};

struct Upload {
    Arena *arena;
    const Shop *shop;
    const Channel *channel;
    const char *name;
    const CatalogueTerms *terms;
    CatalogueResult *result;
    UploadKind kind;
    RpcClientStream *stream; /* NULL: none is open */
    Arena *batch;            /* the gathered rows' */
    size_t n_rows;
    ImportRow *rows[BATCH]; /* products to go in one message */
};

Upload *upload_begin(Arena *arena, const Shop *shop, const Channel *channel, const char *name,
    const CatalogueTerms *terms, CatalogueResult *result)
{
    Upload *upload = arena_alloc(arena, sizeof(*upload));

    *upload = (Upload){
        .arena = arena,
        .shop = shop,
        .channel = channel,
        .name = name,
        .terms = terms,
        .result = result,
        .batch = arena_new(),
    };
    return upload;
}

const Error *upload_find_start(Upload *upload, int64_t *row)
{
    Throughline__Catalog__V1__GetImportRequest request =
        THROUGHLINE__CATALOG__V1__GET_IMPORT_REQUEST__INIT;
    Import import = THROUGHLINE__CATALOG__V1__IMPORT__INIT;
    const Error *error;

    *row = 0;
    request.name = arena_text(upload->arena, upload->name);
    error = shop_call(upload->shop, upload->channel, methods[UPLOAD_PRODUCTS].service, "GetImport",
        &request, &import);
    if (error)
        return error->code == ERROR_NOT_FOUND ? NULL : error;
    if (!import.is_done)
        *row = import.rows;
    return NULL;
}

static UploadKind kind_of(const CatalogRow *row)
{
    if (row->product)
        return UPLOAD_PRODUCTS;
    if (row->category)
        return UPLOAD_CATEGORIES;
    if (row->product_type)
        return UPLOAD_PRODUCT_TYPES;
    if (row->brand)
        return UPLOAD_BRANDS;
    return row->location ? UPLOAD_LOCATIONS : UPLOAD_NOTHING;
}

static const Error *open_stream(Upload *upload, UploadKind kind)
{
    RpcOutgoing outgoing = shop_outgoing(upload->shop, upload->channel, 0);

    outgoing.deadline = INT64_MAX;
    upload->kind = kind;
    return rpc_client_open_stream(shop_client(upload->shop, methods[kind].service->package),
        &outgoing, methods[kind].service, methods[kind].method, &upload->stream);
}

static void print_refusal(
    size_t index, int64_t row, const char *name, const char *field, const char *description)
{
    if (index < SHOWN_REFUSALS)
        fprintf(stderr, "  row %lld: %s: %s: %s\n", (long long)row, name, field, description);
    else if (index == SHOWN_REFUSALS)
        fprintf(stderr, "  … and more\n");
}

static void add_products(CatalogueResult *result, const ImportProductsResponse *response)
{
    result->drafted += response->drafted;
    result->created += response->created;
    result->updated += response->updated;
    result->unchanged += response->unchanged;
    result->refused += response->refused;
    for (size_t i = 0; i < response->n_errors; i++)
        print_refusal(i, response->errors[i]->row, response->errors[i]->product,
            response->errors[i]->field, response->errors[i]->description);
}

static void add_records(CatalogueResult *result, const ImportRecordsResponse *response)
{
    result->created += response->created;
    result->updated += response->updated;
    result->unchanged += response->unchanged;
    result->refused += response->refused;
    for (size_t i = 0; i < response->n_errors; i++)
        print_refusal(i, response->errors[i]->row, response->errors[i]->name,
            response->errors[i]->field, response->errors[i]->description);
}

/* Sends the products that were gathered. */
static const Error *send_products(Upload *upload)
{
    ImportProductsRequest request = THROUGHLINE__CATALOG__V1__IMPORT_PRODUCTS_REQUEST__INIT;
    const Error *error;

    if (upload->n_rows == 0)
        return NULL;
    request.import = (char *)upload->name;
    request.draft = (char *)upload->terms->draft;
    request.reason = (char *)upload->terms->reason;
    request.rows = upload->rows;
    request.n_rows = upload->n_rows;
    error = rpc_client_send(upload->stream, &request);
    upload->n_rows = 0;
    arena_reset(upload->batch);
    return error;
}

static const Error *gather_product(Upload *upload, const CatalogRow *row)
{
    ImportRow *gathered =
        message_new(upload->batch, &throughline__catalog__v1__import_row__descriptor);

    gathered->row = row->number;
    gathered->product = message_copy(upload->batch, row->product);
    upload->rows[upload->n_rows++] = gathered;
    return upload->n_rows < BATCH && arena_used(upload->batch) < BATCH_BYTES
               ? NULL
               : send_products(upload);
}

/* Ends the stream that is open and takes its answer in. */
static const Error *close_stream(Upload *upload)
{
    void *response = NULL;
    const Error *error;

    if (!upload->stream)
        return NULL;
    /* A send that failed has its reason in the status, which the answer tells. */
    (void)send_products(upload);
    rpc_client_finish_sending(upload->stream);
    error = rpc_client_receive(upload->stream, upload->arena, &response);
    if (!error && !response)
        error = error_new(
            upload->arena, ERROR_INTERNAL, "ANSWER_MISSING", "The import was not answered.");
    rpc_client_close_stream(upload->stream);
    upload->stream = NULL;
    if (error)
        return error;
    if (upload->kind == UPLOAD_PRODUCTS)
        add_products(upload->result, response);
    else
        add_records(upload->result, response);
    return NULL;
}

static const Error *send_row(Upload *upload, const CatalogRow *row)
{
    ImportCategoriesRequest category = THROUGHLINE__CATALOG__V1__IMPORT_CATEGORIES_REQUEST__INIT;
    ImportProductTypesRequest type = THROUGHLINE__CATALOG__V1__IMPORT_PRODUCT_TYPES_REQUEST__INIT;
    ImportBrandsRequest brand = THROUGHLINE__CATALOG__V1__IMPORT_BRANDS_REQUEST__INIT;
    ImportLocationsRequest location = THROUGHLINE__CATALOG__V1__IMPORT_LOCATIONS_REQUEST__INIT;

    category.row = type.row = brand.row = location.row = row->number;
    category.category = row->category;
    type.product_type = row->product_type;
    brand.brand = row->brand;
    location.location = row->location;
    switch (upload->kind) {
    case UPLOAD_CATEGORIES:
        return rpc_client_send(upload->stream, &category);
    case UPLOAD_PRODUCT_TYPES:
        return rpc_client_send(upload->stream, &type);
    case UPLOAD_BRANDS:
        return rpc_client_send(upload->stream, &brand);
    case UPLOAD_LOCATIONS:
        return rpc_client_send(upload->stream, &location);
    default:
        return gather_product(upload, row);
    }
}

const Error *upload_row(Upload *upload, const CatalogRow *row)
{
    UploadKind kind = kind_of(row);
    const Error *error;

    if (kind == UPLOAD_NOTHING)
        return NULL;
    if (shop_is_stopped(upload->shop))
        return &shop_interrupted;
    if ((!upload->stream || kind != upload->kind) &&
        ((error = close_stream(upload)) || (error = open_stream(upload, kind))))
        return error;
    upload->result->sent++;
    return send_row(upload, row);
}

const Error *upload_end(Upload *upload, const Error *error)
{
    const Error *answer;

    /* Cut off, and not said to be complete: the same file goes on where this ends. */
    if (error == &shop_interrupted && upload->stream) {
        rpc_client_close_stream(upload->stream);
        upload->stream = NULL;
    }
    answer = close_stream(upload);
    arena_free(upload->batch);
    return answer ? answer : error;
}
