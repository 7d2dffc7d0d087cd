/* What every engine has in common: opening, cleaning, the hint for relays, reading. Writing is store_write.c. */
#include "shared/store/engine.h"

#include "shared/base/clock.h"
#include "shared/base/condition.h"
#include "shared/base/log.h"
#include "shared/codec/message.h"
#include "shared/store/record.h"
#include "shared/store/resume.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHECK_MICROS = 1000000,
    CLEAN_EVERY_SECONDS = 60,
    CLEAN_MICROS = 10 * 1000000,
};

const Error store_replayed = { ERROR_ALREADY_EXISTS, "REQUEST_REPLAYED",
    "This request was answered before." };
const Error store_applied = { ERROR_ALREADY_EXISTS, "EVENT_APPLIED",
    "This event had its effect before." };
const Error store_too_late = { ERROR_DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED",
    "The time of the call was over before the store had answered." };
const Error store_would_wait = { ERROR_INTERNAL, "STORE_WOULD_WAIT",
    "A thread that may not wait asked for what is not in memory." };
const Error store_corrupt = { ERROR_DATA_LOSS, "STORE_CORRUPT",
    "A stored record is damaged: restore the store from a backup." };
const Error store_unavailable = { ERROR_UNAVAILABLE, "STORE_UNAVAILABLE",
    "The store cannot be reached now: try again later.", .retry_after_ms = 1000 };
const Error store_busy = { ERROR_RESOURCE_EXHAUSTED, "STORE_BUSY",
    "Too many writes are waiting for the store: try again later.", .retry_after_ms = 200 };
const Error store_full = { ERROR_RESOURCE_EXHAUSTED, "STORE_FULL",
    "The store has no space left for writes.", .retry_after_ms = 5000 };

const Error store_request_reused = { ERROR_ALREADY_EXISTS, "REQUEST_ID_REUSED",
    "This request id came before with another request: use a new one." };

static const char *const operation_labels[STORE_N_OPERATIONS] = {
    [STORE_OP_GET] = "operation=\"get\"",
    [STORE_OP_GET_MANY] = "operation=\"get_many\"",
    [STORE_OP_FIND] = "operation=\"find\"",
    [STORE_OP_FIND_REPLY] = "operation=\"find_reply\"",
    [STORE_OP_WRITE] = "operation=\"write\"",
    [STORE_OP_DELETE] = "operation=\"delete\"",
    [STORE_OP_INCREMENT] = "operation=\"increment\"",
    [STORE_OP_OUTBOX_READ] = "operation=\"outbox_read\"",
    [STORE_OP_OUTBOX_TRIM] = "operation=\"outbox_trim\"",
    [STORE_OP_OUTBOX_RING] = "operation=\"outbox_ring\"",
    [STORE_OP_CLEAN] = "operation=\"clean\"",
};

const Error *store_measure(
    Store *store, StoreOperation operation, int64_t start, const Error *error)
{
    int64_t now = clock_monotonic();

    if (store->durations[operation])
        histogram_record(store->durations[operation], now - start);
    if (!error)
        atomic_store_explicit(&store->answered_at, now, memory_order_relaxed);
    return error;
}

bool store_is_late(const StoreView *view)
{
    return view->deadline && clock_monotonic() >= view->deadline;
}

const Error *store_refusal(const StoreView *view)
{
    if (store_is_late(view))
        return &store_too_late;
    return view->is_hasty && !store_can_defer(view->store) ? &store_would_wait : NULL;
}

Bytes bytes_copy(Arena *arena, Bytes bytes)
{
    return (Bytes){ bytes.size ? arena_copy(arena, bytes.data, bytes.size) : NULL, bytes.size };
}

size_t engine_collection(const Engine *engine, const Collection *collection)
{
    size_t i = 0;

    while (i < engine->n_collections && engine->collections[i] != collection)
        i++;
    assert(i < engine->n_collections && "the collection was not given to store_open");
    return i;
}

/* One round of cleaning; what goes wrong is tried again in the next one. */
static void clean_once(Store *store)
{
    Arena *arena = arena_new();
    int64_t start = clock_monotonic();
    /* What a power failure takes back of it is cleaned again. */
    StoreView view = {
        .store = store, .arena = arena, .deadline = start + CLEAN_MICROS, .is_relaxed = true
    };
    const Error *error = store_measure(store, STORE_OP_CLEAN, start,
        store->cleaned->ops->clean(store->cleaned, &view, clock_now()));

    if (error)
        log_write(LOG_WARN, "store_clean_failed",
            (const LogField[]){ { "reason", error->reason }, { 0 } });
    arena_free(arena);
}

static void *run_cleaner(void *argument)
{
    Store *store = argument;

    pthread_mutex_lock(&store->lock);
    while (!store->is_closing) {
        int64_t next;

        pthread_mutex_unlock(&store->lock);
        clean_once(store);
        next = clock_monotonic() + (int64_t)CLEAN_EVERY_SECONDS * 1000000;
        pthread_mutex_lock(&store->lock);
        while (!store->is_closing && condition_wait_until(&store->closing, &store->lock, next))
            continue;
    }
    pthread_mutex_unlock(&store->lock);
    return NULL;
}

static const Error *open_engine(Arena *arena, const StoreOptions *options, Engine **engine)
{
    if (text_starts_with(options->uri, "embedded:"))
        return engine_embedded_open(arena, options, engine);
    if (text_starts_with(options->uri, "mongodb://") ||
        text_starts_with(options->uri, "mongodb+srv://"))
        return engine_mongo_open(arena, options, engine);
    return error_new(arena, ERROR_INVALID_ARGUMENT, "STORE_URI_INVALID",
        "A store is \"embedded:FOLDER\" or \"mongodb://…\".");
}

static const Collection **copy_collections(const Collection *const *collections)
{
    const Collection **copy;
    size_t count = 0;

    while (collections[count])
        count++;
    assert(count <= STORE_MAX_COLLECTIONS);
    if (!(copy = calloc(count + 1, sizeof(*copy))))
        abort();
    memcpy(copy, collections, count * sizeof(*copy));
    return copy;
}

const Error *store_open(Arena *arena, const StoreOptions *options, Store **store)
{
    Store *opened = calloc(1, sizeof(*opened));
    StoreOptions kept = *options;
    const Error *error;

    if (!opened)
        abort();
    kept.collections = opened->collections = copy_collections(options->collections);
    if ((error = open_engine(arena, &kept, &opened->engine))) {
        free(opened->collections);
        free(opened);
        return error;
    }
    opened->cleaned = opened->engine;
    for (int i = 0; options->metrics && i < STORE_N_OPERATIONS; i++)
        opened->durations[i] = metrics_histogram(options->metrics, "store_operation_seconds",
            operation_labels[i], "Time that an operation of the store took.");
    pthread_mutex_init(&opened->lock, NULL);
    condition_init(&opened->changed);
    condition_init(&opened->closing);
    opened->told = STORE_ALL_PARTITIONS; /* what an earlier process left */
    opened->heard = -1;
    if (pthread_create(&opened->cleaner, NULL, run_cleaner, opened))
        abort();
    *store = opened;
    return NULL;
}

void store_close(Store *store)
{
    if (!store)
        return;
    pthread_mutex_lock(&store->lock);
    store->is_closing = true;
    pthread_cond_broadcast(&store->closing);
    pthread_mutex_unlock(&store->lock);
    pthread_join(store->cleaner, NULL);
    store->engine->ops->close(store->engine);
    pthread_cond_destroy(&store->changed);
    pthread_cond_destroy(&store->closing);
    pthread_mutex_destroy(&store->lock);
    free(store->collections);
    free(store);
}

/* The question came late to the store, or its answer to us, while it answered others: it is busy, not away. */
static bool is_only_busy(Store *store, const Error *error, int64_t asked_at)
{
    return error == &store_too_late &&
           atomic_load_explicit(&store->answered_at, memory_order_relaxed) >= asked_at;
}

/* The engine's error lives in an arena that ends here: what stays is the constant of the same reason. */
const Error *store_check(Store *store)
{
    const Error *const kept[] = { &store_too_late, &store_corrupt, &store_busy, &store_full };
    Arena *arena = arena_new();
    int64_t start = clock_monotonic();
    StoreView view = { .store = store, .arena = arena, .deadline = start + CHECK_MICROS };
    const Error *error = store->engine->ops->check(store->engine, &view);
    const Error *constant = error ? &store_unavailable : NULL;

    for (size_t i = 0; error && i < COUNT(kept); i++)
        if (text_equal(error->reason, kept[i]->reason))
            constant = kept[i];
    arena_free(arena);
    return is_only_busy(store, constant, start) ? NULL : constant;
}

StoreCounts store_counts(const Store *store)
{
    return store->engine->ops->counts(store->engine);
}

void store_tell_outbox(Store *store, unsigned partitions)
{
    pthread_mutex_lock(&store->lock);
    store->told |= partitions;
    pthread_cond_broadcast(&store->changed);
    pthread_mutex_unlock(&store->lock);
}

unsigned store_outbox_wait(Store *store, int milliseconds)
{
    int64_t end = clock_monotonic() + (int64_t)milliseconds * 1000;
    unsigned told;

    pthread_mutex_lock(&store->lock);
    store->is_woken = false;
    while (!store->told && !store->is_woken &&
           condition_wait_until(&store->changed, &store->lock, end))
        continue;
    told = store->told;
    store->told = 0;
    pthread_mutex_unlock(&store->lock);
    return told;
}

void store_on_log(Store *store, StoreTell tell, void *context)
{
    if (store->engine->ops->on_log)
        store->engine->ops->on_log(store->engine, tell, context);
}

void store_outbox_wake(Store *store)
{
    pthread_mutex_lock(&store->lock);
    store->is_woken = true;
    pthread_cond_broadcast(&store->changed);
    pthread_mutex_unlock(&store->lock);
}

StoreView store_steps(const StoreView *view)
{
    StoreView steps = *view;

    steps.request_key = NULL;
    steps.reply = NULL;
    steps.replayed = (Bytes){ 0 };
    steps.mark_source = NULL;
    return steps;
}

const Error *store_answered(StoreView *view, const EngineAnswer *answer)
{
    if (!answer->is_found)
        return NULL;
    if (memcmp(answer->hash, view->request_hash, sizeof(answer->hash)))
        return &store_request_reused;
    view->replayed = answer->reply;
    return &store_replayed;
}

const Error *store_find_reply(StoreView *view)
{
    Engine *engine = view->store->engine;
    EngineAnswer answer = { 0 };
    int64_t start = clock_monotonic();
    const Error *error;

    if (!view->request_key)
        return NULL;
    if ((error = store_refusal(view)))
        return error;
    if ((error = store_measure(view->store, STORE_OP_FIND_REPLY, start,
             engine->ops->find_answer(engine, view, &answer))))
        return error;
    return store_answered(view, &answer);
}

const Error *store_get(
    StoreView *view, const Collection *collection, const char *name, void *message)
{
    Engine *engine = view->store->engine;
    EngineDocument document = { .mark_position = INT64_MIN };
    EngineAnswer answer = { 0 };
    int64_t start = clock_monotonic();
    const Error *error;

    if ((error = store_refusal(view)))
        return error;
    if ((error = store_measure(view->store, STORE_OP_GET, start,
             engine->ops->get(engine, view, collection, &name, 1, &document, &answer))) ||
        (error = store_answered(view, &answer)))
        return error;
    if (!document.body.size)
        return record_missing(view->arena, collection, name);
    if (view->mark_source && document.mark_position >= view->mark_position)
        return &store_applied;
    return record_decode(view->arena, collection, engine->body, &document, message);
}

const Error *store_get_many(StoreView *view, const Collection *collection, const char *const *names,
    size_t n_names, void **messages)
{
    Engine *engine = view->store->engine;
    StoreView plain = store_steps(view);
    EngineDocument *documents = arena_array(view->arena, n_names, sizeof(*documents));
    EngineAnswer answer = { 0 };
    int64_t start = clock_monotonic();
    const Error *error;

    if ((error = store_refusal(view)))
        return error;
    if ((error = store_measure(view->store, STORE_OP_GET_MANY, start,
             engine->ops->get(engine, &plain, collection, names, n_names, documents, &answer))))
        return error;
    for (size_t i = 0; i < n_names; i++) {
        messages[i] = NULL;
        if (!documents[i].body.size)
            continue;
        messages[i] = message_new(view->arena, collection->message);
        if ((error = record_decode(
                 view->arena, collection, engine->body, &documents[i], messages[i])))
            return error;
    }
    return NULL;
}

/* Turns the documents into messages; one more than the limit was asked for, to know whether there is more. Behind as many bytes as a
 * page may have there may be. */
static const Error *fill_page(const StoreView *view, const EngineRange *range,
    const EngineDocument *documents, size_t n_documents, size_t limit, StorePage *page)
{
    size_t bytes = 0;
    const Error *error;

    page->n_messages = n_documents < limit ? n_documents : limit;
    page->messages = arena_array(view->arena, page->n_messages, sizeof(void *));
    page->resume = "";
    for (size_t i = 0; i < page->n_messages; i++) {
        page->messages[i] = message_new(view->arena, range->collection->message);
        if ((error = record_decode(view->arena, range->collection, view->store->engine->body,
                 &documents[i], page->messages[i])))
            return error;
        bytes += documents[i].body.size;
    }
    if (n_documents > limit || (range->max_bytes && bytes >= range->max_bytes))
        page->resume = resume_write(view->arena, range, &documents[page->n_messages - 1]);
    return NULL;
}

const Error *store_log_tail(StoreView *view, const Collection *collection, int partition,
    int64_t after, int32_t limit, StorePage *page)
{
    Engine *engine = view->store->engine;
    EngineRange range = { .collection = collection };
    EngineDocument *documents = arena_array(view->arena, (size_t)limit, sizeof(*documents));
    size_t n = 0;

    assert(limit >= 1 && limit <= STORE_MAX_PAGE);
    if (engine->ops->read_tail)
        n = engine->ops->read_tail(engine, view->arena, partition, after, (size_t)limit, documents);
    return fill_page(view, &range, documents, n, (size_t)limit, page);
}

const Error *store_find(
    StoreView *view, const Collection *collection, const StoreQuery *query, StorePage *page)
{
    Engine *engine = view->store->engine;
    EngineRange range = { .collection = collection,
        .is_descending = query->is_descending,
        .max_bytes = query->max_bytes };
    EngineDocument *documents = NULL;
    size_t n_documents = 0;
    int64_t start = clock_monotonic();
    const Error *error;

    assert(query->limit >= 1 && query->limit <= STORE_MAX_PAGE);
    if ((error = store_refusal(view)))
        return error;
    range.limit = (size_t)query->limit + 1;
    if ((error = keys_of_query(
             view->arena, collection, query, &range.index, &range.keys, &range.is_exact)) ||
        (error = resume_read(view->arena, query->resume, &range)) ||
        (error = store_measure(view->store, STORE_OP_FIND, start,
             engine->ops->find(engine, view, &range, &documents, &n_documents))))
        return error;
    return fill_page(view, &range, documents, n_documents, (size_t)query->limit, page);
}
