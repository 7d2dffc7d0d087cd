#include "services/catalog/products/import_pipeline.h"

#include "services/catalog/products/import_record.h"
#include "shared/codec/message.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { MAX_UNDER_WAY = 2 }; /* one that is written, one that is counted */

/* A batch that was put. */
typedef struct Stage {
    ImportPipeline *pipeline;
    ImportBatch *batch;
    struct Stage *before; /* ended by this one */
    pthread_t thread;
    sem_t written; /* raised once, for the one who puts the next */
    bool is_written;
    const Error *error; /* of its write */
} Stage;

struct ImportPipeline {
    Arena *arena;
    ImportProductsResponse total;
    Import *record;
    const Error *error; /* the first one; nothing is added up any more */
    atomic_bool has_failed;
    sem_t room;
    Stage *last; /* NULL: nothing is under way */
};

ImportPipeline *import_pipeline_new(void)
{
    ImportPipeline *pipeline = calloc(1, sizeof(*pipeline));

    if (!pipeline)
        abort();
    pipeline->arena = arena_new();
    throughline__catalog__v1__import_products_response__init(&pipeline->total);
    pipeline->total.errors =
        arena_array(pipeline->arena, IMPORT_MAX_ERRORS, sizeof(*pipeline->total.errors));
    atomic_init(&pipeline->has_failed, false);
    sem_init(&pipeline->room, 0, MAX_UNDER_WAY);
    return pipeline;
}

ImportProductsResponse *import_pipeline_total(ImportPipeline *pipeline)
{
    return &pipeline->total;
}

void import_pipeline_keep(ImportPipeline *pipeline, Import *record)
{
    pipeline->record = record;
}

static Stage *new_stage(ImportPipeline *pipeline, ImportBatch *batch)
{
    Stage *stage = calloc(1, sizeof(*stage));

    if (!stage)
        abort();
    stage->pipeline = pipeline;
    stage->batch = batch;
    stage->before = pipeline->last;
    sem_init(&stage->written, 0, 0);
    return stage;
}

static void free_stage(Stage *stage)
{
    sem_destroy(&stage->written);
    import_batch_free(stage->batch);
    free(stage);
}

/* Waits for the thread of a stage, which has ended all before it. */
static void end(Stage *stage)
{
    if (!stage)
        return;
    pthread_join(stage->thread, NULL);
    free_stage(stage);
}

static void add_up(ImportPipeline *pipeline, const ImportProductsResponse *tally)
{
    ImportProductsResponse *total = &pipeline->total;

    total->created += tally->created;
    total->updated += tally->updated;
    total->unchanged += tally->unchanged;
    total->refused += tally->refused;
    total->drafted += tally->drafted;
    for (size_t i = 0; i < tally->n_errors && total->n_errors < IMPORT_MAX_ERRORS; i++)
        total->errors[total->n_errors++] = message_copy(pipeline->arena, tally->errors[i]);
}

static const Error *settle(ImportPipeline *pipeline, ImportBatch *batch)
{
    const Error *error = import_batch_count(batch);

    if (error)
        return error;
    add_up(pipeline, &batch->tally);
    if (!pipeline->record)
        return NULL;
    return import_record_keep(
        &batch->view, pipeline->record, batch->last_row, &pipeline->total, false);
}

/* All that is left to do for a prepared batch; from the middle on alone, as those before it have come to their end. */
static void go_on(Stage *stage)
{
    ImportPipeline *pipeline = stage->pipeline;

    stage->error = import_batch_write(stage->batch);
    sem_post(&stage->written);
    import_batch_show(stage->batch);
    end(stage->before);
    if (!pipeline->error) {
        const Error *error = stage->error ? stage->error : settle(pipeline, stage->batch);

        pipeline->error = error_copy(pipeline->arena, error);
        atomic_store(&pipeline->has_failed, error != NULL);
    }
    sem_post(&pipeline->room);
}

static void *run(void *context)
{
    go_on(context);
    return NULL;
}

void import_pipeline_wait(ImportPipeline *pipeline)
{
    Stage *last = pipeline->last;

    while (last && !last->is_written)
        last->is_written = sem_wait(&last->written) == 0;
}

/* What has failed, when all is over. */
static const Error *drain(ImportPipeline *pipeline)
{
    end(pipeline->last);
    pipeline->last = NULL;
    return pipeline->error;
}

/* What is decided about a batch depends on what the one before has stored. */
static const Error *prepare(ImportPipeline *pipeline, ImportBatch *batch)
{
    const Error *error;

    import_pipeline_wait(pipeline);
    if (atomic_load(&pipeline->has_failed) || (pipeline->last && pipeline->last->error))
        return drain(pipeline);
    if (!(error = import_batch_prepare(batch)))
        return NULL;
    /* What came before is still to be kept. */
    drain(pipeline);
    if (!pipeline->error)
        pipeline->error = error_copy(pipeline->arena, error);
    return pipeline->error;
}

const Error *import_pipeline_put(ImportPipeline *pipeline, ImportBatch *batch)
{
    const Error *error = prepare(pipeline, batch);
    Stage *stage;

    if (error) {
        import_batch_free(batch);
        return error;
    }
    while (sem_wait(&pipeline->room))
        continue;
    stage = new_stage(pipeline, batch);
    if (pthread_create(&stage->thread, NULL, run, stage))
        abort();
    pipeline->last = stage;
    return NULL;
}

const Error *import_pipeline_finish(ImportPipeline *pipeline, ImportBatch *batch)
{
    const Error *error = prepare(pipeline, batch);
    Stage *stage;

    if (error) {
        import_batch_free(batch);
        return error;
    }
    stage = new_stage(pipeline, batch);
    pipeline->last = NULL;
    go_on(stage);
    free_stage(stage);
    return pipeline->error;
}

void import_pipeline_free(ImportPipeline *pipeline)
{
    drain(pipeline);
    sem_destroy(&pipeline->room);
    arena_free(pipeline->arena);
    free(pipeline);
}
