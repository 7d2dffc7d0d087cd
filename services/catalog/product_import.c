#include "services/catalog/product_import.h"

#include "services/catalog/domain/bundle.h"
#include "services/catalog/import_offers.h"
#include "services/catalog/import_record.h"
#include "services/catalog/product_refs.h"
#include "services/catalog/stock_import.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <stdlib.h>
#include <string.h>

typedef Throughline__Catalog__V1__ImportProductsResponse__RowError RowError;
typedef Throughline__Catalog__V1__ProductChanged ProductChanged;

enum { MAX_ROUNDS = 4, BATCH_SLOTS = 2048 };

static const Error import_name_invalid = { ERROR_INVALID_ARGUMENT, "FIELD_INVALID",
    "The name of an import is \"imports/\" and 1 to 63 characters of [a-z0-9_.~-].",
    .n_violations = 1,
    .violations = &(const FieldViolation){
        "import", "must be \"imports/\" and 1 to 63 characters of [a-z0-9_.~-]" } };

/* What became of a row of the batch. */
typedef enum RowState { ROW_WAITING, ROW_KEPT, ROW_REFUSED } RowState;

typedef struct Row {
    int64_t number;
    Product *asked;
    Product *product; /* as it is to be stored */
    ProductChanged event;
    const void *events[1];
    RowState state;
} Row;

struct ProductImport {
    RpcCall *call;
    Catalog *catalog;
    ImportProductsResponse *result;
    Import *record; /* NULL when the import has no name */
    ImportOffers offers;
    Arena *arena; /* the batch's */
    int64_t n_read;
    int64_t last_row;
    size_t n_rows;
    size_t bytes;
    Row rows[IMPORT_BATCH];
    uint16_t slots[BATCH_SLOTS]; /* a table of the rows by name, at most a quarter full */
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

/* Where the number of a name's row in the batch stands, from 1; 0 when the name is not there yet. */
static uint16_t *find_slot(ProductImport *import, const char *name)
{
    size_t at = text_hash(name, strlen(name)) % BATCH_SLOTS;

    while (
        import->slots[at] && !text_equal(import->rows[import->slots[at] - 1].product->name, name))
        at = (at + 1) % BATCH_SLOTS;
    return &import->slots[at];
}

/* Whether the row can be stored; what is wrong with it is in the result. */
static bool check_row(ProductImport *import, const Product *row, int64_t number)
{
    Arena *arena = arena_new();
    Findings findings = { .arena = arena };

    if (row)
        product_check(row, &findings);
    else
        findings_add(&findings, "product", "is missing");
    for (size_t i = 0; i < findings.n_items; i++)
        add_error(import, number, row ? row->name : "", findings.items[i].field,
            findings.items[i].description);
    arena_free(arena);
    return findings.n_items == 0;
}

static void refuse(ProductImport *import, Row *row, const char *field, const char *why)
{
    import->result->refused++;
    row->state = ROW_REFUSED;
    add_error(import, row->number, row->product->name, field, why);
}

/* Whether the stored product is the row's but for what only the service sets. */
static bool is_unchanged(const Product *stored, const Product *row)
{
    Product same = *stored;

    /* What its categories are called is not its own. */
    if (row->n_categories > 0)
        same.category = row->category;
    same.etag = row->etag;
    same.create_time = row->create_time;
    same.update_time = row->update_time;
    return message_equal(&same, row);
}

/* Decides about prices and state of a row. False when it is refused. */
static bool decide(ProductImport *import, Row *row, const Product *stored, RowDecision *decision)
{
    *decision = import_offers_take(&import->offers, row->asked, stored, import->arena);
    if (decision->refusal)
        refuse(import, row, decision->field, decision->refusal);
    else
        row->product = decision->product;
    return !decision->refusal;
}

/* Makes the write of a row, given what is stored. False when nothing is to be written. */
static bool prepare(ProductImport *import, Row *row, const Product *stored, StoreWrite *write)
{
    Google__Protobuf__Timestamp *now =
        timestamp_from_micros(import->arena, import->call->arrived_at);
    RowDecision decision;
    Product *product;

    if (!decide(import, row, stored, &decision))
        return false;
    product = row->product;
    product_normalize(product);
    if (stored && is_unchanged(stored, product)) {
        import->result->unchanged++;
        row->state = ROW_KEPT;
        return false;
    }
    product->etag = stored ? stored->etag : product->etag;
    product->create_time = stored ? stored->create_time : now;
    product->update_time = now;
    throughline__catalog__v1__product_changed__init(&row->event);
    row->event.product = product;
    row->event.is_new = !stored;
    row->event.revaluation = decision.revaluation;
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
static bool is_taken(ProductImport *import, SnapshotKey key, const char *code, const Row *row)
{
    const char *owner = snapshot_owner(import->catalog->snapshot, key, code, import->arena);
    uint16_t number;

    if (!owner || text_equal(owner, row->product->name))
        return false;
    /* An earlier row of this batch may be about to give the code up: the store will tell. */
    number = *find_slot(import, owner);
    return !number || &import->rows[number - 1] >= row;
}

/* Names every code of the row that belongs to another product; false when there is none. */
static bool refuse_taken(ProductImport *import, Row *row)
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
    if (is_refused) {
        import->result->refused++;
        row->state = ROW_REFUSED;
    }
    return is_refused;
}

/* Sorts out what became of a row's write: kept, refused, or, when another import was faster, still waiting. An error that is not the
 * row's own is returned. The store may have found a code taken that the snapshot did not know of, or that an earlier row of the
 * batch has. */
static const Error *settle(ProductImport *import, Row *row, const StoreWrite *write)
{
    const Error *error = write->error;

    if (!error) {
        catalog_put(import->catalog, row->product);
        row->state = ROW_KEPT;
        if (write->kind == STORE_INSERT)
            import->result->created++;
        else
            import->result->updated++;
    } else if (text_equal(error->reason, "SKU_TAKEN")) {
        refuse(import, row, "variants", "has a SKU that belongs to another product");
    } else if (text_equal(error->reason, "GTIN_TAKEN")) {
        refuse(import, row, "variants", "has a GTIN that belongs to another product");
    } else if (text_equal(error->reason, "DOCUMENT_TOO_LARGE")) {
        refuse(import, row, "", error->message);
    } else if (error->code != ERROR_ABORTED && error->code != ERROR_ALREADY_EXISTS) {
        return error;
    }
    return NULL;
}

/* One try at all rows of the batch that are waiting. */
static const Error *write_round(
    ProductImport *import, StoreView *view, Row **waiting, size_t n_rows)
{
    const char **names = arena_array(import->arena, n_rows, sizeof(*names));
    void **stored = arena_array(import->arena, n_rows, sizeof(*stored));
    StoreWrite *writes = arena_array(import->arena, n_rows, sizeof(*writes));
    Row **written = arena_array(import->arena, n_rows, sizeof(*written));
    size_t n_writes = 0;
    const Error *error;

    for (size_t i = 0; i < n_rows; i++)
        names[i] = waiting[i]->product->name;
    if ((error = store_get_many(view, &products, names, n_rows, stored)))
        return error;
    for (size_t i = 0; i < n_rows; i++)
        if (!refuse_taken(import, waiting[i]) &&
            prepare(import, waiting[i], stored[i], &writes[n_writes]))
            written[n_writes++] = waiting[i];
    if ((error = import_offers_settle(&import->offers, import->result, import->arena)))
        return error;
    /* Its own error is that of some write: each is looked at below. */
    error = store_write(view, writes, n_writes);
    for (size_t i = 0; i < n_writes; i++)
        if (writes[i].error == error)
            error = NULL;
    for (size_t i = 0; i < n_writes && !error; i++)
        error = settle(import, written[i], &writes[i]);
    return error;
}

/* The counts of stock that came with the rows that are kept. */
static const Error *import_stock(ProductImport *import, StoreView *view)
{
    Product **kept = arena_array(import->arena, import->n_rows, sizeof(*kept));
    Row **rows = arena_array(import->arena, import->n_rows, sizeof(*rows));
    size_t n_kept = 0;
    StockProblem *problems;
    size_t n_problems;
    const Error *error;

    for (size_t i = 0; i < import->n_rows; i++)
        if (import->rows[i].state == ROW_KEPT) {
            rows[n_kept] = &import->rows[i];
            kept[n_kept++] = import->rows[i].product;
        }
    if ((error = stock_import(import->call, view, kept, n_kept, &problems, &n_problems)))
        return error;
    for (size_t i = 0; i < n_problems; i++)
        add_error(import, rows[problems[i].product]->number, kept[problems[i].product]->name,
            problems[i].field, problems[i].description);
    return NULL;
}

static const Error *write_rows(ProductImport *import, StoreView *view)
{
    Row **waiting = arena_array(import->arena, import->n_rows, sizeof(*waiting));
    const Error *error = NULL;
    size_t n_waiting;

    for (int round = 0; round <= MAX_ROUNDS && !error; round++) {
        n_waiting = 0;
        for (size_t i = 0; i < import->n_rows; i++)
            if (import->rows[i].state == ROW_WAITING)
                waiting[n_waiting++] = &import->rows[i];
        if (n_waiting == 0)
            break;
        if (round < MAX_ROUNDS)
            error = write_round(import, view, waiting, n_waiting);
        else
            for (size_t i = 0; i < n_waiting; i++)
                refuse(import, waiting[i], "",
                    "was changed by somebody else all the time; send it again");
    }
    return error ? error : import_stock(import, view);
}

static const Error *write_batch(ProductImport *import)
{
    StoreView view = store_steps(import->call->store);
    const Error *error;

    view.arena = import->arena;
    error = write_rows(import, &view);
    if (!error && import->record)
        error = import_record_keep(&view, import->record, import->last_row, import->result, false);
    error = error_copy(import->call->arena, error);
    import->n_rows = 0;
    import->bytes = 0;
    memset(import->slots, 0, sizeof(import->slots));
    arena_reset(import->arena);
    return error;
}

/* A product of the batch, as it will be, else of the snapshot. */
static const Product *find_product(void *context, const char *name)
{
    ProductImport *import = context;
    uint16_t number = *find_slot(import, name);

    if (number)
        return import->rows[number - 1].product;
    return snapshot_product(import->catalog->snapshot, name, import->arena);
}

static bool check_bundle(ProductImport *import, const Product *product, int64_t number)
{
    const char *problem = bundle_is_one(product)
                              ? bundle_problem(product, find_product, import, import->arena)
                              : NULL;

    if (problem)
        add_error(import, number, product->name, "relations", problem);
    return !problem;
}

/* The category path that it may get lives in the batch's arena. */
static const Error *check_refs(
    ProductImport *import, Product *product, int64_t number, bool *is_good)
{
    Findings findings = { .arena = import->arena };
    const Error *error = product_check_refs(import->call, product, &findings);

    for (size_t i = 0; i < findings.n_items; i++)
        add_error(
            import, number, product->name, findings.items[i].field, findings.items[i].description);
    *is_good = findings.n_items == 0;
    return error ? error_copy(import->call->arena, error) : NULL;
}

static const Error *open_record(ProductImport *import, const char *name)
{
    if (!text_matches_name(name, "imports/*"))
        return &import_name_invalid;
    import->record =
        message_new(import->call->arena, &throughline__catalog__v1__import__descriptor);
    return import_record_open(import->call, name, import->result, import->record);
}

/* Takes a good row into the batch; *is_good is false when it names what is not there. */
static const Error *gather(ProductImport *import, const Product *row, int64_t number, bool *is_good)
{
    Product *product = message_copy(import->arena, row);
    const Error *error = check_refs(import, product, number, is_good);

    if (error || !*is_good)
        return error;
    product_normalize(product);
    *find_slot(import, product->name) = (uint16_t)(import->n_rows + 1);
    import->rows[import->n_rows++] =
        (Row){ .number = number, .asked = product, .product = product };
    import->bytes += protobuf_c_message_get_packed_size(&product->base);
    return NULL;
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
    if (row && *find_slot(import, row->name) && (error = write_batch(import)))
        return error;
    import->last_row = number;
    is_good = check_row(import, row, number) && check_bundle(import, row, number);
    if (is_good && (error = gather(import, row, number, &is_good)))
        return error;
    import->result->refused += !is_good;
    if (import->n_rows < IMPORT_BATCH && import->bytes < IMPORT_BATCH_BYTES)
        return NULL;
    return write_batch(import);
}

const Error *product_import_finish(ProductImport *import)
{
    const Error *error = write_batch(import);

    if (error || !import->record)
        return error;
    return import_record_keep(
        import->call->store, import->record, import->last_row, import->result, true);
}
