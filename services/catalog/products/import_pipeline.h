/* The batches of one import that are under way: while one comes in, the one before it is written, and the one before that is taken into
 * the search index and counted. Each has a thread for it; what they come to is added up in their order. */
#ifndef THROUGHLINE_CATALOG_IMPORT_PIPELINE_H
#define THROUGHLINE_CATALOG_IMPORT_PIPELINE_H

#include "services/catalog/products/import_batch.h"

typedef Throughline__Catalog__V1__Import Import;

typedef struct ImportPipeline ImportPipeline;

ImportPipeline *import_pipeline_new(void);
/* Waits for what is under way. */
void import_pipeline_free(ImportPipeline *pipeline);

/* What all batches came to. The pipeline's own while one is under way. */
ImportProductsResponse *import_pipeline_total(ImportPipeline *pipeline);

/* After each batch it is kept how far the import is: in this record, which is the pipeline's own while one is under way. */
void import_pipeline_keep(ImportPipeline *pipeline, Import *record);

/* Takes a batch over; returns when the next one may be gathered. Errors are those of this batch, up to its write, or of one before
 * it. */
const Error *import_pipeline_put(ImportPipeline *pipeline, ImportBatch *batch);

/* Returns when all that was put is stored and in the snapshot. */
void import_pipeline_wait(ImportPipeline *pipeline);

/* The same as put, but all is done when it returns. */
const Error *import_pipeline_finish(ImportPipeline *pipeline, ImportBatch *batch);

#endif
