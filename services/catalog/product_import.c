#include "services/catalog/product_import.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <stdlib.h>
#include <string.h>

typedef Throughline__Catalog__V1__ImportProductsResponse__RowError RowError;
typedef Throughline__Catalog__V1__ProductChanged ProductChanged;

enum { MAX_ROUNDS = 4 };

typedef struct Row {
    int64_t number;
    Product *product;
    ProductChanged event;
    const void *events[1];
    bool is_lost; /* another import was faster: look again */
} Row;

struct ProductImport {
    RpcCall *call;
    Catalog *catalog;
    ImportProductsResponse *result;
    Arena *arena; /* the batch's */
    int64_t n_read;
    size_t n_rows;
    size_t bytes;
    Row rows[IMPORT_BATCH];
};

ProductImport *product_import_begin(RpcCall *call, ImportProductsResponse *result)
{
    ProductImport *import = calloc(1, sizeof(*import));

    if (!import)
        abort();
    import->call = call;
    import->catalog = catalog_of(call);
    import->result = result;
    import->arena = arena_new();
    result->errors = arena_array(call->arena, IMPORT_MAX_ERRORS, sizeof(*result->errors));
    return import;
}

void product_import_end(ProductImport *import)
{
    arena_free(import->arena);
    free(import);
}

static void add_error(ProductImport *import, int64_t number, const char *product, const char *field,
    const char *description)
{
    ImportProductsResponse *result = import->result;
    Arena *arena = import->call->arena;
    RowError *error;

    if (result->n_errors == IMPORT_MAX_ERRORS)
        return;
    error = arena_alloc(arena, sizeof(*error));
    throughline__catalog__v1__import_products_response__row_error__init(error);
    error->row = number;
    error->product = arena_text(arena, product);
    error->field = arena_text(arena, field);
    error->description = arena_text(arena, description);
    result->errors[result->n_errors++] = error;
}

static bool is_in_batch(const ProductImport *import, const char *name)
{
    for (size_t i = 0; i < import->n_rows; i++)
        if (text_equal(import->rows[i].product->name, name))
            return true;
    return false;
}

/* Whether the row can be stored; what is wrong with it is in the result. */
static bool check_row(ProductImport *import, const ImportProductsRequest *row, int64_t number)
{
    Arena *arena = arena_new();
    Findings findings = { .arena = arena };

    if (row->product)
        product_check(row->product, &findings);
    else
        findings_add(&findings, "product", "is missing");
    for (size_t i = 0; i < findings.n_items; i++)
        add_error(import, number, row->product ? row->product->name : "", findings.items[i].field,
            findings.items[i].description);
    arena_free(arena);
    return findings.n_items == 0;
}

const Error *product_import_add(ProductImport *import, const ImportProductsRequest *row)
{
    int64_t number = row->row > 0 ? row->row : import->n_read + 1;
    const Error *error;
    Product *product;

    import->n_read++;
    if (!check_row(import, row, number)) {
        import->result->refused++;
        return NULL;
    }
    /* The later row of one product comes after the earlier one. */
    if (is_in_batch(import, row->product->name) && (error = product_import_write(import)))
        return error;
    product = message_copy(import->arena, row->product);
    product_normalize(product);
    import->rows[import->n_rows++] = (Row){ .number = number, .product = product };
    import->bytes += protobuf_c_message_get_packed_size(&product->base);
    if (import->n_rows < IMPORT_BATCH && import->bytes < IMPORT_BATCH_BYTES)
        return NULL;
    return product_import_write(import);
}

/* Whether the stored product is the row's but for what only the service sets. */
static bool is_unchanged(const Product *stored, const Product *row)
{
    Product same = *stored;

    same.etag = row->etag;
    same.create_time = row->create_time;
    same.update_time = row->update_time;
    return message_equal(&same, row);
}

/* Makes the write of a row, given what is stored. False when nothing is to be written. */
static bool prepare(ProductImport *import, Row *row, const Product *stored, StoreWrite *write)
{
    Google__Protobuf__Timestamp *now =
        timestamp_from_micros(import->arena, import->call->arrived_at);
    Product *product = row->product;

    product_normalize(product);
    if (stored && is_unchanged(stored, product)) {
        import->result->unchanged++;
        return false;
    }
    product->etag = stored ? stored->etag : product->etag;
    product->create_time = stored ? stored->create_time : now;
    product->update_time = now;
    throughline__catalog__v1__product_changed__init(&row->event);
    row->event.product = product;
    row->event.is_new = !stored;
    row->events[0] = &row->event;
    *write = (StoreWrite){
        .kind = stored ? STORE_REPLACE : STORE_INSERT,
        .collection = &products,
        .message = product,
        .events = row->events,
        .n_events = 1,
    };
    return true;
}

/* Whether the code belongs to another product, as far as the snapshot knows. */
static bool is_taken(const ProductImport *import, SnapshotKey key, const char *code, const Row *row)
{
    const char *owner = snapshot_owner(import->catalog->snapshot, key, code, import->arena);

    if (!owner || text_equal(owner, row->product->name))
        return false;
    /* An earlier row of this batch may be about to give the code up: the store will tell. */
    for (const Row *earlier = import->rows; earlier < row; earlier++)
        if (text_equal(owner, earlier->product->name))
            return false;
    return true;
}

/* Names every code of the row that belongs to another product; false when there is none. */
static bool refuse_taken(ProductImport *import, const Row *row)
{
    static const char belongs[] = "belongs to another product";
    const Product *product = row->product;
    bool is_refused = false;

    for (size_t i = 0; i < product->n_variants; i++) {
        const Variant *variant = product->variants[i];
        char padded[GTIN_PADDED];

        if (is_taken(import, SNAPSHOT_SKU, variant->sku, row)) {
            add_error(import, row->number, product->name,
                arena_printf(import->arena, "variants[%zu].sku", i), belongs);
            is_refused = true;
        }
        if (*variant->gtin &&
            is_taken(import, SNAPSHOT_GTIN, gtin_pad(variant->gtin, padded), row)) {
            add_error(import, row->number, product->name,
                arena_printf(import->arena, "variants[%zu].gtin", i), belongs);
            is_refused = true;
        }
    }
    import->result->refused += is_refused;
    return is_refused;
}

/* The store found a code taken that the snapshot did not know of, or that an earlier row of the
 * batch has. */
static void refuse_by_store(ProductImport *import, const Row *row, const char *code)
{
    import->result->refused++;
    add_error(import, row->number, row->product->name, "variants",
        arena_printf(import->arena, "has a %s that belongs to another product", code));
}

/* Sorts out what became of a row's write. An error that is not the row's own is returned. */
static const Error *settle(ProductImport *import, Row *row, const StoreWrite *write)
{
    const Error *error = write->error;

    row->is_lost = false;
    if (!error) {
        catalog_put(import->catalog, row->product);
        if (write->kind == STORE_INSERT)
            import->result->created++;
        else
            import->result->updated++;
    } else if (text_equal(error->reason, "SKU_TAKEN")) {
        refuse_by_store(import, row, "SKU");
    } else if (text_equal(error->reason, "GTIN_TAKEN")) {
        refuse_by_store(import, row, "GTIN");
    } else if (error->code == ERROR_ABORTED || error->code == ERROR_ALREADY_EXISTS) {
        row->is_lost = true;
    } else if (text_equal(error->reason, "DOCUMENT_TOO_LARGE")) {
        import->result->refused++;
        add_error(import, row->number, row->product->name, "", error->message);
    } else {
        return error;
    }
    return NULL;
}

/* One try at all rows of the batch that are still to be written; those that lost a race stay. */
static const Error *write_round(ProductImport *import, StoreView *view)
{
    const char **names = arena_array(import->arena, import->n_rows, sizeof(*names));
    void **stored = arena_array(import->arena, import->n_rows, sizeof(*stored));
    StoreWrite *writes = arena_array(import->arena, import->n_rows, sizeof(*writes));
    Row **written = arena_array(import->arena, import->n_rows, sizeof(*written));
    size_t n_writes = 0;
    size_t n_left = 0;
    const Error *error;

    for (size_t i = 0; i < import->n_rows; i++)
        names[i] = import->rows[i].product->name;
    if ((error = store_get_many(view, &products, names, import->n_rows, stored)))
        return error;
    for (size_t i = 0; i < import->n_rows; i++)
        if (!refuse_taken(import, &import->rows[i]) &&
            prepare(import, &import->rows[i], stored[i], &writes[n_writes]))
            written[n_writes++] = &import->rows[i];
    /* Its own error is that of some write: each is looked at below. */
    error = store_write(view, writes, n_writes);
    for (size_t i = 0; i < n_writes; i++)
        if (writes[i].error == error)
            error = NULL;
    for (size_t i = 0; i < n_writes && !error; i++) {
        error = settle(import, written[i], &writes[i]);
        if (written[i]->is_lost)
            import->rows[n_left++] = *written[i];
    }
    import->n_rows = n_left;
    return error;
}

const Error *product_import_write(ProductImport *import)
{
    StoreView view = *import->call->store;
    const Error *error = NULL;

    view.arena = import->arena;
    for (int round = 0; round < MAX_ROUNDS && import->n_rows > 0 && !error; round++)
        error = write_round(import, &view);
    for (size_t i = 0; i < import->n_rows && !error; i++) {
        import->result->refused++;
        add_error(import, import->rows[i].number, import->rows[i].product->name, "",
            "was changed by somebody else all the time; send it again");
    }
    error = error_copy(import->call->arena, error);
    import->n_rows = 0;
    import->bytes = 0;
    arena_reset(import->arena);
    return error;
}
