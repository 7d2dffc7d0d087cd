/* A batch of an import's rows, each for itself: what it is to write, what became of that, and what the import's answer has to say of it.
 * It has memory and a call of its own, so that a thread can work on it while the next batch comes in. */
#ifndef THROUGHLINE_CATALOG_IMPORT_BATCH_H
#define THROUGHLINE_CATALOG_IMPORT_BATCH_H

#include "services/catalog/products/import_offers.h"

typedef Throughline__Catalog__V1__ProductChanged ProductChanged;

enum { IMPORT_BATCH_SLOTS = 2048 };

/* What became of a row. */
typedef enum RowState { ROW_WAITING, ROW_UNCHANGED, ROW_STORED, ROW_REFUSED } RowState;

typedef struct ImportRow {
    int64_t number;
    Product *asked;
    Product *product; /* as it is to be stored */
    ProductChanged event;
    const void *events[1];
    RowState state;
} ImportRow;

typedef struct ImportBatch {
    Arena *arena;
    RpcCall call; /* the import's, but for arena and store */
    StoreView view;
    ImportOffers offers;
    ImportProductsResponse tally; /* of these rows */
    int64_t last_row;             /* the last one that it tells of */
    size_t n_rows;
    size_t bytes;
    ImportRow rows[IMPORT_BATCH];
    uint16_t slots[IMPORT_BATCH_SLOTS]; /* the rows by name, at most a quarter full */
    size_t n_writes;
    StoreWrite *writes;
    ImportRow **written; /* the row of each */
} ImportBatch;

ImportBatch *import_batch_new(const RpcCall *call, const ImportOffers *offers);
void import_batch_free(ImportBatch *batch);

/* Says what is wrong with a row; texts are copied. */
void import_batch_fault(ImportBatch *batch, int64_t number, const char *product, const char *field,
    const char *description);

/* The row of this product; NULL: none. */
const ImportRow *import_batch_row(const ImportBatch *batch, const char *product);

/* Takes a good row that lives in the batch's arena; its product has none in the batch yet. */
void import_batch_add(ImportBatch *batch, Product *product, int64_t number);

/* Decides what to write, given what is stored. Errors are those of the store, of publications and drafts. */
const Error *import_batch_prepare(ImportBatch *batch);

/* Writes it, and again what lost a race; what is stored then is in the snapshot. */
const Error *import_batch_write(ImportBatch *batch);

/* What was stored is found from now on, whatever else may fail: nobody else would see to it, for it is in the snapshot. */
void import_batch_show(ImportBatch *batch);

/* Sets the counts of stock that came with the rows. */
const Error *import_batch_count(ImportBatch *batch);

#endif
