#include "shared/store/engine_failing.h"

#include <stdatomic.h>
#include <stdlib.h>

/* Stands between the store and its engine. */
typedef struct Failing {
    Engine engine;
    Engine *inner;
    StoreFault fault;
    atomic_llong n_seen;
} Failing;

typedef enum Verdict { GOES_WELL, FAILS_BEFORE, FAILS_AFTER } Verdict;

static Engine *inner_of(Engine *engine)
{
    return ((Failing *)engine)->inner;
}

static Verdict judge(Engine *engine, StoreOperation operation)
{
    Failing *failing = (Failing *)engine;
    const StoreFault *fault = &failing->fault;
    int64_t number;

    if (!fault->error || (fault->operation != operation && fault->operation != STORE_N_OPERATIONS))
        return GOES_WELL;
    number = atomic_fetch_add(&failing->n_seen, 1) + 1;
    if (number != fault->nth && !(fault->is_lasting && number > fault->nth))
        return GOES_WELL;
    return fault->has_effect ? FAILS_AFTER : FAILS_BEFORE;
}

/* What the caller hears of an operation that ended with `error`. */
static const Error *hear(Engine *engine, Verdict verdict, const Error *error)
{
    return verdict == GOES_WELL ? error : ((Failing *)engine)->fault.error;
}

static void hear_outcome(Engine *engine, Verdict verdict, EngineOutcome *outcome)
{
    if (verdict != GOES_WELL)
        *outcome = (EngineOutcome){ .result = ENGINE_FAILED, .error = hear(engine, verdict, NULL) };
}

static void failing_close(Engine *engine)
{
    inner_of(engine)->ops->close(inner_of(engine));
    free(engine);
}

static const Error *failing_check(Engine *engine, const StoreView *view)
{
    return inner_of(engine)->ops->check(inner_of(engine), view);
}

static const Error *failing_get(Engine *engine, const StoreView *view, const Collection *collection,
    const char *const *names, size_t n_names, EngineDocument *documents, EngineAnswer *answer)
{
    Verdict verdict = judge(engine, STORE_OP_GET);
    const Error *error = verdict == FAILS_BEFORE
                             ? NULL
                             : inner_of(engine)->ops->get(inner_of(engine), view, collection, names,
                                   n_names, documents, answer);

    return hear(engine, verdict, error);
}

static const Error *failing_find(Engine *engine, const StoreView *view, const EngineRange *range,
    EngineDocument **documents, size_t *n_documents)
{
    Verdict verdict = judge(engine, STORE_OP_FIND);
    const Error *error = verdict == FAILS_BEFORE ? NULL
                                                 : inner_of(engine)->ops->find(inner_of(engine),
                                                       view, range, documents, n_documents);

    return hear(engine, verdict, error);
}

static const Error *failing_find_answer(Engine *engine, const StoreView *view, EngineAnswer *answer)
{
    Verdict verdict = judge(engine, STORE_OP_FIND_REPLY);
    const Error *error = verdict == FAILS_BEFORE
                             ? NULL
                             : inner_of(engine)->ops->find_answer(inner_of(engine), view, answer);

    return hear(engine, verdict, error);
}

static void failing_write(
    Engine *engine, const StoreView *view, EngineWrite *writes, size_t n_writes)
{
    Verdict verdict = judge(engine, STORE_OP_WRITE);

    if (verdict != FAILS_BEFORE)
        inner_of(engine)->ops->write(inner_of(engine), view, writes, n_writes);
    for (size_t i = 0; i < n_writes; i++)
        hear_outcome(engine, verdict, &writes[i].outcome);
}

static void failing_remove(
    Engine *engine, const StoreView *view, const EngineRemoval *removal, EngineOutcome *outcome)
{
    Verdict verdict = judge(engine, STORE_OP_DELETE);

    if (verdict != FAILS_BEFORE)
        inner_of(engine)->ops->remove(inner_of(engine), view, removal, outcome);
    hear_outcome(engine, verdict, outcome);
}

static void failing_increment(
    Engine *engine, const StoreView *view, const EngineIncrement *increment, EngineOutcome *outcome)
{
    Verdict verdict = judge(engine, STORE_OP_INCREMENT);

    if (verdict != FAILS_BEFORE)
        inner_of(engine)->ops->increment(inner_of(engine), view, increment, outcome);
    hear_outcome(engine, verdict, outcome);
}

static const Error *failing_read_outbox(Engine *engine, const StoreView *view, unsigned partitions,
    size_t limit, StoreEntry **entries, size_t *n_entries)
{
    Verdict verdict = judge(engine, STORE_OP_OUTBOX_READ);
    const Error *error = verdict == FAILS_BEFORE
                             ? NULL
                             : inner_of(engine)->ops->read_outbox(
                                   inner_of(engine), view, partitions, limit, entries, n_entries);

    return hear(engine, verdict, error);
}

static const Error *failing_trim_outbox(
    Engine *engine, const StoreView *view, const StoreEntry *entries, size_t n_entries)
{
    Verdict verdict = judge(engine, STORE_OP_OUTBOX_TRIM);
    const Error *error = verdict == FAILS_BEFORE ? NULL
                                                 : inner_of(engine)->ops->trim_outbox(
                                                       inner_of(engine), view, entries, n_entries);

    return hear(engine, verdict, error);
}

static const Error *failing_ring(
    Engine *engine, const StoreView *view, bool is_ours, int64_t *rings)
{
    Engine *inner = inner_of(engine);
    Verdict verdict = judge(engine, STORE_OP_OUTBOX_RING);
    const Error *error = verdict == FAILS_BEFORE || !inner->ops->ring
                             ? NULL
                             : inner->ops->ring(inner, view, is_ours, rings);

    return hear(engine, verdict, error);
}

static void failing_on_log(Engine *engine, StoreTell tell, void *context)
{
    if (inner_of(engine)->ops->on_log)
        inner_of(engine)->ops->on_log(inner_of(engine), tell, context);
}

static StoreCounts failing_counts(const Engine *engine)
{
    const Engine *inner = ((const Failing *)engine)->inner;

    return inner->ops->counts(inner);
}

static const EngineOps failing_ops = {
    .close = failing_close,
    .check = failing_check,
    .get = failing_get,
    .find = failing_find,
    .find_answer = failing_find_answer,
    .write = failing_write,
    .remove = failing_remove,
    .increment = failing_increment,
    .read_outbox = failing_read_outbox,
    .trim_outbox = failing_trim_outbox,
    .ring = failing_ring,
    .on_log = failing_on_log,
    .counts = failing_counts,
};

void store_fail(Store *store, const StoreFault *fault)
{
    Failing *failing = (Failing *)store->engine;

    if (store->engine->ops != &failing_ops) {
        if (!(failing = calloc(1, sizeof(*failing))))
            abort();
        failing->engine = *store->engine;
        failing->engine.ops = &failing_ops;
        failing->inner = store->engine;
        store->engine = &failing->engine;
    }
    failing->fault = fault ? *fault : (StoreFault){ 0 };
    atomic_store(&failing->n_seen, 0);
}
