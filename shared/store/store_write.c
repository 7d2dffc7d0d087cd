/* Writing: message, index entries, sealed events, answer and mark go to the engine as one write. */
#include "shared/store/engine.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/store/record.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const Error etag_stale = { ERROR_ABORTED, "ETAG_STALE",
    "The resource was changed meanwhile: load it again." };
static const Error write_skipped = { ERROR_ABORTED, "WRITE_SKIPPED",
    "A write that this one depends on did not succeed." };
static const Error outbox_not_empty = { ERROR_FAILED_PRECONDITION, "OUTBOX_NOT_EMPTY",
    "Events of the resource are still on their way: try again." };
static const Error guard_refused = { ERROR_FAILED_PRECONDITION, "GUARD_REFUSED",
    "The sum would be out of bounds." };
static const Error payload_too_large = { ERROR_RESOURCE_EXHAUSTED, "DOCUMENT_TOO_LARGE",
    "The events and the answer of a write have at most 4 MiB together." };
static const Error name_invalid = { ERROR_INVALID_ARGUMENT, "NAME_INVALID",
    "A name has 1 to 512 bytes of UTF-8." };

static const Error *outcome_error(
    StoreView *view, const Collection *collection, const char *name, const EngineOutcome *outcome)
{
    switch (outcome->result) {
    case ENGINE_DONE:
        return NULL;
    case ENGINE_MISSING:
        return record_missing(view->arena, collection, name);
    case ENGINE_EXISTS:
        return record_exists(view->arena, collection, name);
    case ENGINE_TAKEN:
        return record_taken(view->arena, collection, outcome->index);
    case ENGINE_STALE:
        return &etag_stale;
    case ENGINE_REPLAYED:
        view->replayed = outcome->reply;
        return &store_replayed;
    case ENGINE_REUSED:
        return &store_request_reused;
    case ENGINE_APPLIED:
        return &store_applied;
    case ENGINE_PENDING:
        return &outbox_not_empty;
    case ENGINE_REFUSED:
        return &guard_refused;
    case ENGINE_SKIPPED:
        return &write_skipped;
    case ENGINE_FAILED:
        break;
    }
    assert(outcome->error);
    return outcome->error;
}

static bool name_is_valid(const char *name)
{
    size_t size = strlen(name);

    return size >= 1 && size <= STORE_MAX_NAME && text_is_utf8((const uint8_t *)name, size);
}

static const Error *seal_events(StoreView *view, const StoreWrite *write, EngineWrite *out)
{
    EngineEvent *events = arena_array(view->arena, write->n_events, sizeof(*events));
    const Error *error;

    assert(!write->n_events || !view->is_relaxed);
    for (size_t i = 0; i < write->n_events; i++) {
        assert(view->seal && "a view without seal writes no events");
        if ((error = view->seal(view->seal_context, view->arena, out->name, write->events[i],
                 &events[i].bytes, &events[i].partition)))
            return error;
        assert(events[i].partition >= 0 && events[i].partition < STORE_PARTITIONS);
    }
    out->events = events;
    out->n_events = write->n_events;
    return NULL;
}

/* The answer rides with the last write. The others keep the mark under another name: when a batch was cut short and
 * comes again, they are passed over, but a get does not take the whole batch for done. */
static void add_companions(const StoreView *view, bool is_last, EngineWrite *out)
{
    if (view->mark_source) {
        out->mark_source =
            is_last ? view->mark_source : arena_printf(view->arena, "~%s", view->mark_source);
        out->mark_position = view->mark_position;
    }
    if (!is_last || !view->request_key)
        return;
    assert(!view->is_relaxed);
    out->request_key = view->request_key;
    out->request_hash = view->request_hash;
    out->reply = view->packed_reply;
}

static const Error *check_payload(const EngineWrite *write)
{
    size_t size = write->reply.size;

    for (size_t i = 0; i < write->n_events; i++)
        size += write->events[i].bytes.size;
    return size > STORE_MAX_PAYLOAD ? &payload_too_large : NULL;
}

/* Events and the answer that is kept show the etag that the document will have. (After a removal the
 * name goes on counting: then the first etag is not foretold, and whoever uses it loads again.) */
static const Error *add_riders(
    StoreView *view, const StoreWrite *write, bool is_last, EngineWrite *out)
{
    const char *etag = record_etag(write->message);
    const Error *error;

    if (write->kind != STORE_PUT)
        record_set_version(view->arena, write->message, out->version + 1);
    if (is_last && view->request_key && view->reply)
        view->packed_reply = message_pack(view->arena, view->reply);
    error = seal_events(view, write, out);
    if (!error)
        add_companions(view, is_last, out);
    view->packed_reply = (Bytes){ 0 };
    record_set_etag(write->message, etag);
    return error;
}

static const Error *prepare(
    StoreView *view, const StoreWrite *write, bool is_last, EngineWrite *out)
{
    const Collection *collection = write->collection;
    IndexEntry *entries;
    const Error *error;

    *out = (EngineWrite){ .kind = write->kind,
        .collection = collection,
        .name = record_name(write->message),
        .is_chained = write->is_chained };
    if (!name_is_valid(out->name))
        return &name_invalid;
    if (write->kind == STORE_REPLACE)
        out->version = record_version(record_etag(write->message));
    if ((error = record_encode(
             view->arena, collection, view->store->engine->body, write->message, &out->body)) ||
        (error = keys_of_message(
             view->arena, collection, write->message, &entries, &out->n_entries)) ||
        (error = add_riders(view, write, is_last, out)))
        return error;
    out->entries = entries;
    out->expire = record_expire(collection, write->message);
    return check_payload(out);
}

static void prepare_all(StoreView *view, StoreWrite *writes, size_t n_writes, EngineWrite *out)
{
    for (size_t i = 0; i < n_writes; i++) {
        const Error *error = prepare(view, &writes[i], i == n_writes - 1, &out[i]);

        /* A write that cannot be prepared keeps its place, so that what is chained to it is skipped. */
        if (error)
            out[i].outcome = (EngineOutcome){ ENGINE_FAILED, error };
    }
}

/* A real failure counts before the news that a write had been done already. */
static const Error *first_error(const StoreWrite *writes, size_t n_writes)
{
    const Error *first = NULL;

    for (size_t i = 0; i < n_writes; i++) {
        const Error *error = writes[i].error;
        bool is_news = error == &store_applied || error == &store_replayed;

        if (error && !is_news)
            return error;
        if (!first)
            first = error;
    }
    return first;
}

/* Partitions whose relay has something to do. */
static unsigned partitions_told(const EngineWrite *write)
{
    unsigned told = 0;

    for (size_t i = 0; !write->outcome.is_logged && i < write->n_events; i++)
        told |= 1u << write->events[i].partition;
    return told;
}

const Error *store_write(StoreView *view, StoreWrite *writes, size_t n_writes)
{
    Store *store = view->store;
    EngineWrite *out = arena_array(view->arena, n_writes, sizeof(*out));
    int64_t start = clock_monotonic();
    unsigned told = 0;
    const Error *error;

    if (!n_writes)
        return NULL;
    if ((error = store_refusal(view)))
        return error;
    prepare_all(view, writes, n_writes, out);
    store->engine->ops->write(store->engine, view, out, n_writes);
    for (size_t i = 0; i < n_writes; i++) {
        EngineOutcome *outcome = &out[i].outcome;

        if (outcome->result == ENGINE_APPLIED && i < n_writes - 1)
            outcome->result = ENGINE_DONE;
        writes[i].error = outcome_error(view, writes[i].collection, out[i].name, outcome);
        if (!writes[i].error && outcome->version)
            record_set_version(view->arena, writes[i].message, outcome->version);
        if (!writes[i].error)
            told |= partitions_told(&out[i]);
    }
    if (told)
        store_tell_outbox(store, told);
    return store_measure(store, STORE_OP_WRITE, start, first_error(writes, n_writes));
}

bool store_can_defer(const Store *store)
{
    return store->engine->ops->write_later != NULL;
}

/* A write that nobody waits for. */
typedef struct LaterWrite {
    Store *store;
    int64_t start;
    StoreEnded ended;
    void *context;
} LaterWrite;

static void later_written(void *context, const EngineWrite *write)
{
    LaterWrite *later = context;
    bool is_done = write && write->outcome.result == ENGINE_DONE;
    unsigned told = is_done ? partitions_told(write) : 0;

    if (told)
        store_tell_outbox(later->store, told);
    store_measure(later->store, STORE_OP_WRITE, later->start, NULL);
    later->ended(later->context, is_done);
    free(later);
}

void store_replace_later(StoreView *view, const Collection *collection, void *message,
    const void *event, StoreEnded ended, void *context)
{
    Engine *engine = view->store->engine;
    StoreWrite write = { .kind = STORE_REPLACE,
        .collection = collection,
        .message = message,
        .events = &event,
        .n_events = event ? 1 : 0 };
    LaterWrite *later = malloc(sizeof(*later));
    EngineWrite out;

    if (!later)
        abort();
    *later = (LaterWrite){ view->store, clock_monotonic(), ended, context };
    if (store_is_late(view) || prepare(view, &write, true, &out)) {
        later_written(later, NULL);
        return;
    }
    record_set_version(view->arena, message, out.version + 1);
    view->packed_reply = out.reply;
    engine->ops->write_later(engine, view, &out, later_written, later);
}

static const Error *write_one(StoreView *view, StoreWriteKind kind, const Collection *collection,
    void *message, const void *event)
{
    StoreWrite write = { .kind = kind,
        .collection = collection,
        .message = message,
        .events = &event,
        .n_events = event ? 1 : 0 };

    return store_write(view, &write, 1);
}

const Error *store_insert(
    StoreView *view, const Collection *collection, void *message, const void *event)
{
    return write_one(view, STORE_INSERT, collection, message, event);
}

const Error *store_replace(
    StoreView *view, const Collection *collection, void *message, const void *event)
{
    return write_one(view, STORE_REPLACE, collection, message, event);
}

const Error *store_put(
    StoreView *view, const Collection *collection, void *message, const void *event)
{
    return write_one(view, STORE_PUT, collection, message, event);
}

const Error *store_delete(
    StoreView *view, const Collection *collection, const char *name, const char *etag)
{
    Engine *engine = view->store->engine;
    EngineRemoval removal = { .collection = collection,
        .name = name,
        .version = record_version(etag),
        .request_key = view->request_key,
        .request_hash = view->request_hash };
    EngineOutcome outcome = { 0 };
    int64_t start = clock_monotonic();
    const Error *error;

    if ((error = store_refusal(view)))
        return error;
    if (view->request_key && view->reply)
        removal.reply = message_pack(view->arena, view->reply);
    if (removal.reply.size > STORE_MAX_PAYLOAD)
        return &payload_too_large;
    engine->ops->remove(engine, view, &removal, &outcome);
    return store_measure(
        view->store, STORE_OP_DELETE, start, outcome_error(view, collection, name, &outcome));
}

const Error *store_increment(StoreView *view, const Collection *collection, const char *name,
    const char *field, int64_t delta, int64_t min, int64_t max, int64_t *result)
{
    Engine *engine = view->store->engine;
    const ProtobufCFieldDescriptor *known =
        protobuf_c_message_descriptor_get_field_by_name(collection->message, field);
    EngineIncrement increment = { collection, name, field, delta, min, max };
    EngineOutcome outcome = { 0 };
    int64_t start = clock_monotonic();
    const Error *error;

    assert(known && known->label != PROTOBUF_C_LABEL_REPEATED &&
           (known->type == PROTOBUF_C_TYPE_INT64 || known->type == PROTOBUF_C_TYPE_SINT64 ||
               known->type == PROTOBUF_C_TYPE_SFIXED64));
    assert(!keys_uses_field(collection, field) && "a counter is not part of an index");
    if ((error = store_refusal(view)))
        return error;
    engine->ops->increment(engine, view, &increment, &outcome);
    error = outcome_error(view, collection, name, &outcome);
    if (!error && result)
        *result = outcome.value;
    return store_measure(view->store, STORE_OP_INCREMENT, start, error);
}

const Error *store_outbox_read(
    StoreView *view, unsigned partitions, size_t limit, StoreEntry **entries, size_t *n_entries)
{
    Engine *engine = view->store->engine;
    int64_t start = clock_monotonic();

    assert(partitions <= STORE_ALL_PARTITIONS);
    *n_entries = 0;
    if (store_is_late(view))
        return &store_too_late;
    return store_measure(view->store, STORE_OP_OUTBOX_READ, start,
        engine->ops->read_outbox(engine, view, partitions, limit, entries, n_entries));
}

const Error *store_outbox_trim(StoreView *view, const StoreEntry *entries, size_t n_entries)
{
    Engine *engine = view->store->engine;
    int64_t start = clock_monotonic();

    if (!n_entries)
        return NULL;
    if (store_is_late(view))
        return &store_too_late;
    return store_measure(view->store, STORE_OP_OUTBOX_TRIM, start,
        engine->ops->trim_outbox(engine, view, entries, n_entries));
}

const Error *store_outbox_ring(StoreView *view)
{
    Engine *engine = view->store->engine;
    int64_t start = clock_monotonic();
    int64_t rings;

    if (!engine->ops->ring)
        return NULL;
    if (store_is_late(view))
        return &store_too_late;
    return store_measure(
        view->store, STORE_OP_OUTBOX_RING, start, engine->ops->ring(engine, view, true, &rings));
}

const Error *store_outbox_heard(StoreView *view, bool *is_heard)
{
    Store *store = view->store;
    Engine *engine = store->engine;
    int64_t rings = store->heard;
    const Error *error = NULL;

    *is_heard = false;
    if (store_is_late(view))
        return &store_too_late;
    if (engine->ops->ring && (error = engine->ops->ring(engine, view, false, &rings)))
        return error;
    *is_heard = store->heard >= 0 && rings != store->heard;
    store->heard = rings;
    return NULL;
}
