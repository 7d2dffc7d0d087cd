#include "tests/service/cart/failing_store.h"

#include "shared/rpc/call.h"
#include "shared/store/engine.h"

#include <stdatomic.h>
#include <stdlib.h>

/* The linker sends store_open here (--wrap=engine_embedded_open). */
const Error *__real_engine_embedded_open(
    Arena *arena, const StoreOptions *options, Engine **engine);
const Error *__wrap_engine_embedded_open(
    Arena *arena, const StoreOptions *options, Engine **engine);

typedef struct FailingEngine {
    Engine head;
    Engine *inner;
    const char *service;
} FailingEngine;

/* Not UNAVAILABLE: that the client would try again by itself, always with the same request. */
static const Error cut_off = { ERROR_DEADLINE_EXCEEDED, "CUT_OFF",
    "The test has cut this operation off." };

/* The program's one plan. Set while no call is under way. */
static struct {
    const char *_Atomic service;
    _Atomic Fault fault;
    atomic_int left;
} plan;

void failing_store_arm(const char *name, int n, Fault fault)
{
    plan.service = name;
    plan.fault = fault;
    atomic_store(&plan.left, n);
}

bool failing_store_disarm(void)
{
    return atomic_exchange(&plan.left, 0) < 0;
}

/* Of what the service does by itself from time to time. */
static bool is_of_job(const StoreView *view)
{
    const RpcCall *call = view->seal_context;

    return text_starts_with(call->method, "jobs/");
}

/* Whether this is the operation. Relays, hubs and cleaners, whose views seal nothing, are left
 * alone, and so are jobs. */
static bool is_due(const Engine *engine, const StoreView *view)
{
    const FailingEngine *failing = (const FailingEngine *)(const void *)engine;
    int left = atomic_load(&plan.left);

    if (!view->seal || left <= 0 || !text_equal(failing->service, plan.service) || is_of_job(view))
        return false;
    while (left > 0 && !atomic_compare_exchange_weak(&plan.left, &left, left == 1 ? -1 : left - 1))
        continue;
    return left == 1;
}

static Engine *inner(const Engine *engine)
{
    return ((const FailingEngine *)(const void *)engine)->inner;
}

static void close_engine(Engine *engine)
{
    Engine *real = inner(engine);

    real->ops->close(real);
    free(engine);
}

static const Error *check(Engine *engine, const StoreView *view)
{
    return inner(engine)->ops->check(inner(engine), view);
}

static const Error *get(Engine *engine, const StoreView *view, const Collection *collection,
    const char *const *names, size_t n_names, EngineDocument *documents, EngineAnswer *answer)
{
    if (is_due(engine, view))
        return &cut_off;
    return inner(engine)->ops->get(
        inner(engine), view, collection, names, n_names, documents, answer);
}

static const Error *find(Engine *engine, const StoreView *view, const EngineRange *range,
    EngineDocument **documents, size_t *n_documents)
{
    if (is_due(engine, view))
        return &cut_off;
    return inner(engine)->ops->find(inner(engine), view, range, documents, n_documents);
}

static const Error *find_answer(Engine *engine, const StoreView *view, EngineAnswer *answer)
{
    if (is_due(engine, view))
        return &cut_off;
    return inner(engine)->ops->find_answer(inner(engine), view, answer);
}

static void write_all(Engine *engine, const StoreView *view, EngineWrite *writes, size_t n_writes)
{
    bool fails = is_due(engine, view);

    if (!fails || plan.fault == FAULT_AFTER)
        inner(engine)->ops->write(inner(engine), view, writes, n_writes);
    for (size_t i = 0; fails && i < n_writes; i++)
        writes[i].outcome = (EngineOutcome){ ENGINE_FAILED, &cut_off };
}

static void remove_one(
    Engine *engine, const StoreView *view, const EngineRemoval *removal, EngineOutcome *outcome)
{
    bool fails = is_due(engine, view);

    if (!fails || plan.fault == FAULT_AFTER)
        inner(engine)->ops->remove(inner(engine), view, removal, outcome);
    if (fails)
        *outcome = (EngineOutcome){ ENGINE_FAILED, &cut_off };
}

static void increment(
    Engine *engine, const StoreView *view, const EngineIncrement *increase, EngineOutcome *outcome)
{
    bool fails = is_due(engine, view);

    if (!fails || plan.fault == FAULT_AFTER)
        inner(engine)->ops->increment(inner(engine), view, increase, outcome);
    if (fails)
        *outcome = (EngineOutcome){ ENGINE_FAILED, &cut_off };
}

static const Error *read_outbox(Engine *engine, const StoreView *view, unsigned partitions,
    size_t limit, StoreEntry **entries, size_t *n_entries)
{
    return inner(engine)->ops->read_outbox(
        inner(engine), view, partitions, limit, entries, n_entries);
}

static const Error *trim_outbox(
    Engine *engine, const StoreView *view, const StoreEntry *entries, size_t n_entries)
{
    return inner(engine)->ops->trim_outbox(inner(engine), view, entries, n_entries);
}

static void on_log(Engine *engine, StoreTell tell, void *context)
{
    inner(engine)->ops->on_log(inner(engine), tell, context);
}

static const Error *clean(Engine *engine, const StoreView *view, int64_t now)
{
    return inner(engine)->ops->clean(inner(engine), view, now);
}

static StoreCounts counts(const Engine *engine)
{
    return inner(engine)->ops->counts(inner(engine));
}

static const EngineOps ops = {
    .close = close_engine,
    .check = check,
    .get = get,
    .find = find,
    .find_answer = find_answer,
    .write = write_all,
    .remove = remove_one,
    .increment = increment,
    .read_outbox = read_outbox,
    .trim_outbox = trim_outbox,
    .on_log = on_log,
    .clean = clean,
    .counts = counts,
};

const Error *__wrap_engine_embedded_open(Arena *arena, const StoreOptions *options, Engine **engine)
{
    FailingEngine *failing = calloc(1, sizeof(*failing));
    const Error *error;

    if (!failing)
        abort();
    if ((error = __real_engine_embedded_open(arena, options, &failing->inner))) {
        free(failing);
        return error;
    }
    failing->head = *failing->inner;
    failing->head.ops = &ops;
    failing->service = options->service;
    *engine = &failing->head;
    return NULL;
}
