#include "services/catalog/products/product_import.h"

#include "services/catalog/domain/bundle.h"
#include "services/catalog/products/import_pipeline.h"
#include "services/catalog/products/import_record.h"
#include "services/catalog/products/product_refs.h"
#include "shared/codec/message.h"

#include <stdlib.h>

static const Error import_name_invalid = { ERROR_INVALID_ARGUMENT, "FIELD_INVALID",
    "The name of an import is \"imports/\" and 1 to 63 characters of [a-z0-9_.~-].",
    .n_violations = 1,
    .violations = &(const FieldViolation){
        "import", "must be \"imports/\" and 1 to 63 characters of [a-z0-9_.~-]" } };

struct ProductImport {
    RpcCall *call;
    Import *record; /* NULL when the import has no name */
    ImportOffers offers;
    ImportPipeline *pipeline;
    ImportBatch *batch; /* that comes in; NULL before its first row */
    int64_t n_read;
    int64_t last_row;
};

ProductImport *product_import_begin(RpcCall *call)
{
    ProductImport *import = calloc(1, sizeof(*import));

    if (!import)
        abort();
    import->call = call;
    import->pipeline = import_pipeline_new();
    return import;
}

void product_import_end(ProductImport *import)
{
    import_pipeline_free(import->pipeline);
    import_batch_free(import->batch);
    free(import);
}

static void add_findings(
    ImportBatch *batch, const Findings *findings, const char *name, int64_t number)
{
    for (size_t i = 0; i < findings->n_items; i++)
        import_batch_fault(
            batch, number, name, findings->items[i].field, findings->items[i].description);
}

/* Whether the row alone is good; what is wrong with it is told. */
static bool check_row(ImportBatch *batch, const Product *row, int64_t number)
{
    Arena *arena = arena_new();
    Findings findings = { .arena = arena };
    bool is_good;

    if (row)
        product_check(row, &findings);
    else
        findings_add(&findings, "product", "is missing");
    add_findings(batch, &findings, row ? row->name : "", number);
    is_good = findings.n_items == 0;
    arena_free(arena);
    return is_good;
}

/* A product of the batch, as it will be, else of the snapshot. */
static const Product *find_product(void *context, const char *name)
{
    ProductImport *import = context;
    const ImportRow *row = import_batch_row(import->batch, name);

    if (row)
        return row->product;
    return snapshot_product(catalog_of(import->call)->snapshot, name, import->batch->arena);
}

static bool check_bundle(ProductImport *import, const Product *product, int64_t number)
{
    const char *problem;

    if (!bundle_is_one(product))
        return true;
    import_pipeline_wait(import->pipeline);
    problem = bundle_problem(product, find_product, import, import->batch->arena);
    if (problem)
        import_batch_fault(import->batch, number, product->name, "relations", problem);
    return !problem;
}

/* The category path that it may get lives in the batch's arena. */
static const Error *check_refs(
    ProductImport *import, Product *product, int64_t number, bool *is_good)
{
    Findings findings = { .arena = import->batch->arena };
    const Error *error = product_check_refs(import->call, product, &findings);

    add_findings(import->batch, &findings, product->name, number);
    *is_good = findings.n_items == 0;
    return error ? error_copy(import->call->arena, error) : NULL;
}

/* Takes a good row into the batch; *is_good is false when it names what is not there. */
static const Error *gather(ProductImport *import, const Product *row, int64_t number, bool *is_good)
{
    Product *product = message_copy(import->batch->arena, row);
    const Error *error = check_refs(import, product, number, is_good);

    if (error || !*is_good)
        return error;
    product_normalize(product);
    import_batch_add(import->batch, product, number);
    return NULL;
}

static ImportBatch *take_batch(ProductImport *import)
{
    ImportBatch *batch =
        import->batch ? import->batch : import_batch_new(import->call, &import->offers);

    batch->last_row = import->last_row;
    import->batch = NULL;
    return batch;
}

static const Error *put_batch(ProductImport *import)
{
    return error_copy(
        import->call->arena, import_pipeline_put(import->pipeline, take_batch(import)));
}

static const Error *open_record(ProductImport *import, const char *name)
{
    if (!text_matches_name(name, "imports/*"))
        return &import_name_invalid;
    import->record =
        message_new(import->call->arena, &throughline__catalog__v1__import__descriptor);
    import_pipeline_keep(import->pipeline, import->record);
    return import_record_open(
        import->call, name, import_pipeline_total(import->pipeline), import->record);
}

const Error *product_import_open(ProductImport *import, const ImportProductsRequest *first)
{
    const Error *error = import_offers_open(import->call, first, &import->offers);

    return error || !*first->import ? error : open_record(import, first->import);
}

const Error *product_import_add(ProductImport *import, const Product *row, int64_t number)
{
    const Error *error;
    bool is_good;

    number = number > 0 ? number : import->n_read + 1;
    import->n_read++;
    /* The later row of one product comes after the earlier one. */
    if (row && import->batch && import_batch_row(import->batch, row->name) &&
        (error = put_batch(import)))
        return error;
    if (!import->batch)
        import->batch = import_batch_new(import->call, &import->offers);
    import->last_row = number;
    is_good = check_row(import->batch, row, number) && check_bundle(import, row, number);
    if (is_good && (error = gather(import, row, number, &is_good)))
        return error;
    import->batch->tally.refused += !is_good;
    if (import->batch->n_rows < IMPORT_BATCH && import->batch->bytes < IMPORT_BATCH_BYTES)
        return NULL;
    return put_batch(import);
}

const Error *product_import_finish(ProductImport *import, ImportProductsResponse *result)
{
    RpcCall *call = import->call;
    ImportProductsResponse *total = import_pipeline_total(import->pipeline);
    const Error *error = import_pipeline_finish(import->pipeline, take_batch(import));

    if (error)
        return error_copy(call->arena, error);
    *result = *(const ImportProductsResponse *)message_copy(call->arena, total);
    if (!import->record)
        return NULL;
    return import_record_keep(call->store, import->record, import->last_row, result, true);
}
