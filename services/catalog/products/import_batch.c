#include "services/catalog/products/import_batch.h"

#include "services/catalog/stock/stock_import.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <stdlib.h>
#include <string.h>

typedef Throughline__Catalog__V1__ImportProductsResponse__RowError RowError;

enum { MAX_ROUNDS = 4 };

ImportBatch *import_batch_new(const RpcCall *call, const ImportOffers *offers)
{
    ImportBatch *batch = calloc(1, sizeof(*batch));

    if (!batch)
        abort();
    batch->arena = arena_new();
    batch->view = store_steps(call->store);
    batch->view.arena = batch->arena;
    batch->call = *call;
    batch->call.arena = batch->arena;
    batch->call.store = &batch->view;
    batch->offers = *offers;
    batch->offers.call = &batch->call;
    throughline__catalog__v1__import_products_response__init(&batch->tally);
    return batch;
}

void import_batch_free(ImportBatch *batch)
{
    if (!batch)
        return;
    arena_free(batch->arena);
    free(batch);
}

void import_batch_fault(ImportBatch *batch, int64_t number, const char *product, const char *field,
    const char *description)
{
    ImportProductsResponse *tally = &batch->tally;
    RowError *error;

    if (tally->n_errors == IMPORT_MAX_ERRORS)
        return;
    if (!tally->errors)
        tally->errors = arena_array(batch->arena, IMPORT_MAX_ERRORS, sizeof(*tally->errors));
    error = message_new(
        batch->arena, &throughline__catalog__v1__import_products_response__row_error__descriptor);
    error->row = number;
    error->product = arena_text(batch->arena, product);
    error->field = arena_text(batch->arena, field);
    error->description = arena_text(batch->arena, description);
    tally->errors[tally->n_errors++] = error;
}

/* Where the number of a name's row stands or would stand, from 1. */
static size_t find_slot(const ImportBatch *batch, const char *name)
{
    size_t at = text_hash(name, strlen(name)) % IMPORT_BATCH_SLOTS;

    while (batch->slots[at] && !text_equal(batch->rows[batch->slots[at] - 1].product->name, name))
        at = (at + 1) % IMPORT_BATCH_SLOTS;
    return at;
}

const ImportRow *import_batch_row(const ImportBatch *batch, const char *product)
{
    uint16_t number = batch->slots[find_slot(batch, product)];

    return number ? &batch->rows[number - 1] : NULL;
}

void import_batch_add(ImportBatch *batch, Product *product, int64_t number)
{
    batch->slots[find_slot(batch, product->name)] = (uint16_t)(batch->n_rows + 1);
    batch->rows[batch->n_rows++] =
        (ImportRow){ .number = number, .asked = product, .product = product };
    batch->bytes += protobuf_c_message_get_packed_size(&product->base);
}

static void refuse(ImportBatch *batch, ImportRow *row, const char *field, const char *why)
{
    batch->tally.refused++;
    row->state = ROW_REFUSED;
    import_batch_fault(batch, row->number, row->product->name, field, why);
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
static bool decide(ImportBatch *batch, ImportRow *row, const Product *stored, RowDecision *decision)
{
    *decision = import_offers_take(&batch->offers, row->asked, stored, batch->arena);
    if (decision->refusal)
        refuse(batch, row, decision->field, decision->refusal);
    else
        row->product = decision->product;
    return !decision->refusal;
}

/* Makes the write of a row, given what is stored. False when nothing is to be written. */
static bool prepare(ImportBatch *batch, ImportRow *row, const Product *stored, StoreWrite *write)
{
    Google__Protobuf__Timestamp *now = timestamp_from_micros(batch->arena, batch->call.arrived_at);
    RowDecision decision;
    Product *product;

    if (!decide(batch, row, stored, &decision))
        return false;
    product = row->product;
    product_normalize(product);
    if (stored && is_unchanged(stored, product)) {
        batch->tally.unchanged++;
        row->state = ROW_UNCHANGED;
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
static bool is_taken(ImportBatch *batch, SnapshotKey key, const char *code, const ImportRow *row)
{
    const char *owner = snapshot_owner(catalog_of(&batch->call)->snapshot, key, code, batch->arena);
    const ImportRow *owned;

    if (!owner || text_equal(owner, row->product->name))
        return false;
    /* An earlier row of this batch may be about to give the code up: the store will tell. */
    owned = import_batch_row(batch, owner);
    return !owned || owned >= row;
}

/* Names every code of the row that belongs to another product; false when there is none. */
static bool refuse_taken(ImportBatch *batch, ImportRow *row)
{
    static const char belongs[] = "belongs to another product";
    const Product *product = row->product;
    bool is_refused = false;

    for (size_t i = 0; i < product->n_variants; i++) {
        const Variant *variant = product->variants[i];
        char padded[GTIN_PADDED];

        if (is_taken(batch, SNAPSHOT_SKU, variant->sku, row)) {
            import_batch_fault(batch, row->number, product->name,
                arena_printf(batch->arena, "variants[%zu].sku", i), belongs);
            is_refused = true;
        }
        if (*variant->gtin &&
            is_taken(batch, SNAPSHOT_GTIN, gtin_pad(variant->gtin, padded), row)) {
            import_batch_fault(batch, row->number, product->name,
                arena_printf(batch->arena, "variants[%zu].gtin", i), belongs);
            is_refused = true;
        }
    }
    if (is_refused) {
        batch->tally.refused++;
        row->state = ROW_REFUSED;
    }
    return is_refused;
}

/* Sorts out what became of a row's write: kept, refused, or, when another import was faster, still waiting. An error that is not the
 * row's own is returned. The store may have found a code taken that the snapshot did not know of, or that an earlier row of the
 * batch has. */
static const Error *sort_out(ImportBatch *batch, ImportRow *row, const StoreWrite *write)
{
    const Error *error = write->error;

    if (!error) {
        catalog_enter(catalog_of(&batch->call), row->product);
        row->state = ROW_STORED;
        if (write->kind == STORE_INSERT)
            batch->tally.created++;
        else
            batch->tally.updated++;
    } else if (text_equal(error->reason, "SKU_TAKEN")) {
        refuse(batch, row, "variants", "has a SKU that belongs to another product");
    } else if (text_equal(error->reason, "GTIN_TAKEN")) {
        refuse(batch, row, "variants", "has a GTIN that belongs to another product");
    } else if (text_equal(error->reason, "DOCUMENT_TOO_LARGE")) {
        refuse(batch, row, "", error->message);
    } else if (error->code != ERROR_ABORTED && error->code != ERROR_ALREADY_EXISTS) {
        return error;
    }
    return NULL;
}

/* Decides about all rows that are waiting. */
const Error *import_batch_prepare(ImportBatch *batch)
{
    ImportRow **waiting = arena_array(batch->arena, batch->n_rows, sizeof(*waiting));
    const char **names = arena_array(batch->arena, batch->n_rows, sizeof(*names));
    void **stored = arena_array(batch->arena, batch->n_rows, sizeof(*stored));
    size_t n_waiting = 0;
    const Error *error;

    batch->writes = arena_array(batch->arena, batch->n_rows, sizeof(*batch->writes));
    batch->written = arena_array(batch->arena, batch->n_rows, sizeof(*batch->written));
    batch->n_writes = 0;
    for (size_t i = 0; i < batch->n_rows; i++)
        if (batch->rows[i].state == ROW_WAITING)
            waiting[n_waiting++] = &batch->rows[i];
    for (size_t i = 0; i < n_waiting; i++)
        names[i] = waiting[i]->product->name;
    if ((error = store_get_many(&batch->view, &products, names, n_waiting, stored)))
        return error;
    for (size_t i = 0; i < n_waiting; i++)
        if (!refuse_taken(batch, waiting[i]) &&
            prepare(batch, waiting[i], stored[i], &batch->writes[batch->n_writes]))
            batch->written[batch->n_writes++] = waiting[i];
    return import_offers_settle(&batch->offers, &batch->tally);
}

/* One try at all that was prepared. */
static const Error *write_once(ImportBatch *batch)
{
    /* Its own error is that of some write: each is looked at below. */
    const Error *error = store_write(&batch->view, batch->writes, batch->n_writes);

    for (size_t i = 0; i < batch->n_writes; i++)
        if (batch->writes[i].error == error)
            error = NULL;
    for (size_t i = 0; i < batch->n_writes && !error; i++)
        error = sort_out(batch, batch->written[i], &batch->writes[i]);
    return error;
}

static bool is_waiting(const ImportBatch *batch)
{
    for (size_t i = 0; i < batch->n_rows; i++)
        if (batch->rows[i].state == ROW_WAITING)
            return true;
    return false;
}

const Error *import_batch_write(ImportBatch *batch)
{
    const Error *error = write_once(batch);

    for (int round = 1; round < MAX_ROUNDS && !error && is_waiting(batch); round++)
        if (!(error = import_batch_prepare(batch)))
            error = write_once(batch);
    for (size_t i = 0; i < batch->n_rows && !error; i++)
        if (batch->rows[i].state == ROW_WAITING)
            refuse(batch, &batch->rows[i], "",
                "was changed by somebody else all the time; send it again");
    return error;
}

void import_batch_show(ImportBatch *batch)
{
    for (size_t i = 0; i < batch->n_rows; i++)
        if (batch->rows[i].state == ROW_STORED)
            catalog_put(catalog_of(&batch->call), batch->rows[i].product);
}

const Error *import_batch_count(ImportBatch *batch)
{
    Product **kept = arena_array(batch->arena, batch->n_rows, sizeof(*kept));
    ImportRow **rows = arena_array(batch->arena, batch->n_rows, sizeof(*rows));
    size_t n_kept = 0;
    StockProblem *problems;
    size_t n_problems;
    const Error *error;

    for (size_t i = 0; i < batch->n_rows; i++)
        if (batch->rows[i].state != ROW_REFUSED) {
            rows[n_kept] = &batch->rows[i];
            kept[n_kept++] = batch->rows[i].product;
        }
    if ((error = stock_import(&batch->call, &batch->view, kept, n_kept, &problems, &n_problems)))
        return error;
    for (size_t i = 0; i < n_problems; i++)
        import_batch_fault(batch, rows[problems[i].product]->number,
            kept[problems[i].product]->name, problems[i].field, problems[i].description);
    return NULL;
}
