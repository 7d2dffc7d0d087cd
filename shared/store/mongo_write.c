/* Inserting and replacing: read the head, decide, write if the version is still the same; from the start when it is not. */
#include "shared/store/mongo.h"

#include "shared/base/id.h"
#include "shared/store/marks.h"

#include <string.h>

enum {
    MAX_TRIES = 100,
    RUN_BYTES = 4 * 1024 * 1024 /* of one command, about: a server takes 16 MB */
};

/* What one try came to. */
typedef enum Try {
    TRY_DONE,
    TRY_LOST,    /* the document was changed meanwhile */
    TRY_TAKEN,   /* see the outcome */
    TRY_UNKNOWN, /* the connection broke */
    TRY_FAILED,
} Try;

/* What a write remembers from one try to the next. */
typedef struct WriteState {
    char write_id[ID_SIZE];
    MongoHead before; /* what the last try went out from */
    bool
        is_unknown; /* a connection broke, or others in the command failed: a try may have been done */
} WriteState;

static EngineResult check_head(
    const EngineWrite *write, const MongoHead *head, EngineOutcome *outcome)
{
    const MongoReply *reply =
        write->request_key ? mongo_head_reply(head, write->request_key) : NULL;

    if (reply && memcmp(reply->hash, write->request_hash, sizeof(reply->hash)))
        return ENGINE_REUSED;
    if (reply) {
        outcome->reply = reply->bytes;
        return ENGINE_REPLAYED;
    }
    if (write->mark_source && marks_find(head->marks, write->mark_source) >= write->mark_position)
        return ENGINE_APPLIED;
    if (write->kind == STORE_INSERT && head->is_there)
        return ENGINE_EXISTS;
    if (write->kind == STORE_REPLACE && !head->is_there)
        return ENGINE_MISSING;
    if (write->kind == STORE_REPLACE && head->version != write->version)
        return ENGINE_STALE;
    return ENGINE_DONE;
}

static MongoResult send_insert(MongoEngine *mongo, const StoreView *view, const EngineWrite *write,
    const MongoHead *head, const char *write_id)
{
    bson_t command = BSON_INITIALIZER, documents, document;
    MongoResult result;

    BSON_APPEND_UTF8(&command, "insert", write->collection->name);
    BSON_APPEND_ARRAY_BEGIN(&command, "documents", &documents);
    BSON_APPEND_DOCUMENT_BEGIN(&documents, "0", &document);
    mongo_append_insert(&document, write, head, write_id);
    bson_append_document_end(&documents, &document);
    bson_append_array_end(&command, &documents);
    result = mongo_write_command(mongo, view, &command, NULL);
    bson_destroy(&command);
    return result;
}

static MongoResult send_update(MongoEngine *mongo, const StoreView *view, const EngineWrite *write,
    const MongoHead *head, const char *write_id)
{
    bson_t command = BSON_INITIALIZER, updates, update, filter, changes;
    MongoResult result;

    BSON_APPEND_UTF8(&command, "update", write->collection->name);
    BSON_APPEND_ARRAY_BEGIN(&command, "updates", &updates);
    BSON_APPEND_DOCUMENT_BEGIN(&updates, "0", &update);
    BSON_APPEND_DOCUMENT_BEGIN(&update, "q", &filter);
    BSON_APPEND_UTF8(&filter, "_id", write->name);
    BSON_APPEND_INT64(&filter, "_store.version", head->version);
    bson_append_document_end(&update, &filter);
    BSON_APPEND_DOCUMENT_BEGIN(&update, "u", &changes);
    mongo_append_update(&changes, write, head, write_id);
    bson_append_document_end(&update, &changes);
    bson_append_document_end(&updates, &update);
    bson_append_array_end(&command, &updates);
    result = mongo_write_command(mongo, view, &command, NULL);
    bson_destroy(&command);
    return result;
}

static bool note_found(void *context, const bson_t *document)
{
    (void)document;
    *(bool *)context = true;
    return false;
}

static const Error *is_taken(MongoEngine *mongo, const StoreView *view, const EngineWrite *write,
    const IndexEntry *entry, bool *taken)
{
    const char *field =
        arena_printf(view->arena, "_store.keys.%s", write->collection->indexes[entry->index].name);
    bson_t *filter = BCON_NEW("_id", "{", "$ne", BCON_UTF8(write->name), "}");
    bson_t *options =
        BCON_NEW("projection", "{", "_id", BCON_INT32(1), "}", "limit", BCON_INT64(1));
    const Error *error;

    bson_append_utf8(filter, field, -1, (const char *)entry->key.data, (int)entry->key.size);
    error = mongo_find(mongo, view, write->collection->name, filter, options, note_found, taken);
    bson_destroy(filter);
    bson_destroy(options);
    return error;
}

/* Which unique entry another document holds: servers do not all say it in the error. */
static const Error *find_taken(
    MongoEngine *mongo, const StoreView *view, const EngineWrite *write, int *index)
{
    const Error *error = NULL;
    bool taken = false;

    *index = -1;
    for (size_t i = 0; i < write->n_entries && !error && !taken; i++)
        if (write->collection->indexes[write->entries[i].index].is_unique) {
            *index = write->entries[i].index;
            error = is_taken(mongo, view, write, &write->entries[i], &taken);
        }
    if (!taken)
        *index = -1;
    return error;
}

static Try try_write(MongoEngine *mongo, const StoreView *view, const EngineWrite *write,
    const MongoHead *head, const char *write_id, EngineOutcome *outcome)
{
    MongoResult result = head->is_there ? send_update(mongo, view, write, head, write_id)
                                        : send_insert(mongo, view, write, head, write_id);

    outcome->version = head->version + 1;
    if (!result.error)
        return result.count ? TRY_DONE : TRY_LOST;
    outcome->error = result.error;
    if (result.is_unknown)
        return TRY_UNKNOWN;
    if (!result.code)
        return TRY_FAILED;
    if ((outcome->error = find_taken(mongo, view, write, &outcome->index)))
        return TRY_FAILED;
    if (outcome->index >= 0)
        return TRY_TAKEN;
    outcome->error = result.error;
    return result.code == MONGO_DUPLICATE_KEY ? TRY_LOST : TRY_FAILED;
}

static const Error *read_state(
    MongoEngine *mongo, const StoreView *view, const EngineWrite *write, MongoHead *head)
{
    const char *collection = write->collection->name;
    const Error *error = mongo_read_head(mongo, view, collection, write->name, head);

    if (error || head->is_there)
        return error;
    return mongo_read_grave(mongo, view, collection, write->name, head);
}

static void move_replies(
    MongoEngine *mongo, const StoreView *view, const EngineWrite *write, const MongoHead *head)
{
    size_t size = 0;

    for (size_t i = 0; i < head->n_replies; i++)
        size += head->replies[i].bytes.size;
    if (head->n_replies >= MONGO_REPLIES || size > STORE_MAX_PAYLOAD / 4)
        mongo_move_replies(mongo, view, write->collection->name, write->name, head);
}

/* After a broken connection the document itself tells what became of the write: done, not done (ENGINE_STALE), or, where another
 * write came in between, nobody knows. */
static EngineResult resolve(const MongoHead *before, const MongoHead *now, const char *write_id)
{
    if (now->is_there && !strcmp(now->write_id, write_id))
        return ENGINE_DONE;
    return now->is_there == before->is_there && now->version == before->version ? ENGINE_STALE
                                                                                : ENGINE_FAILED;
}

/* One round: true when the outcome stands. */
static bool write_round(MongoEngine *mongo, const StoreView *view, const EngineWrite *write,
    WriteState *state, EngineOutcome *outcome)
{
    MongoHead head;
    Try tried;

    *outcome = (EngineOutcome){ 0 };
    if ((outcome->error = read_state(mongo, view, write, &head)))
        return true;
    if (state->is_unknown) {
        outcome->result = resolve(&state->before, &head, state->write_id);
        outcome->error = outcome->result == ENGINE_FAILED ? &store_unavailable : NULL;
        outcome->version = head.version;
        if (outcome->result != ENGINE_STALE)
            return true;
    }
    if ((outcome->result = check_head(write, &head, outcome)) != ENGINE_DONE)
        return true;
    outcome->result = ENGINE_FAILED;
    tried = try_write(mongo, view, write, &head, state->write_id, outcome);
    state->before = head;
    state->is_unknown |= tried == TRY_UNKNOWN;
    if (tried == TRY_DONE) {
        *outcome = (EngineOutcome){ .result = ENGINE_DONE, .version = outcome->version };
        move_replies(mongo, view, write, &head);
    }
    if (tried == TRY_TAKEN)
        outcome->result = ENGINE_TAKEN;
    return tried == TRY_DONE || tried == TRY_TAKEN || tried == TRY_FAILED || store_is_late(view);
}

static void write_one(MongoEngine *mongo, const StoreView *view, const EngineWrite *write,
    WriteState *state, EngineOutcome *outcome)
{
    for (int i = 0; i < MAX_TRIES; i++)
        if (write_round(mongo, view, write, state, outcome))
            break;
    if (outcome->result == ENGINE_FAILED && !outcome->error)
        outcome->error = store_is_late(view) ? &store_too_late : &store_busy;
}

static bool is_done(const EngineWrite *write)
{
    return write->outcome.result == ENGINE_DONE || write->outcome.result == ENGINE_APPLIED;
}

/* How many writes, from the first on, can be one command: inserts into one collection, each chained to the one before, that bring
 * nothing along. */
static size_t count_run(const EngineWrite *writes, size_t n_writes)
{
    size_t count = 0, size = 0;

    for (; count < n_writes; count++) {
        const EngineWrite *write = &writes[count];

        size += write->body.size;
        if (write->kind != STORE_INSERT || write->outcome.error || write->request_key ||
            write->mark_source || write->n_events || write->collection != writes->collection ||
            (count && (!write->is_chained || size > RUN_BYTES)))
            break;
    }
    return count;
}

static MongoResult send_run(MongoEngine *mongo, const StoreView *view, const EngineWrite *writes,
    size_t n_writes, const WriteState *states)
{
    bson_t command = BSON_INITIALIZER, documents, document;
    MongoResult result;

    BSON_APPEND_UTF8(&command, "insert", writes->collection->name);
    BSON_APPEND_ARRAY_BEGIN(&command, "documents", &documents);
    for (size_t i = 0; i < n_writes; i++) {
        char buffer[16];
        const char *number;

        bson_uint32_to_string((uint32_t)i, &number, buffer, sizeof(buffer));
        BSON_APPEND_DOCUMENT_BEGIN(&documents, number, &document);
        mongo_append_insert(&document, &writes[i], &states[i].before, states[i].write_id);
        bson_append_document_end(&documents, &document);
    }
    bson_append_array_end(&command, &documents);
    result = mongo_write_command(mongo, view, &command, NULL);
    bson_destroy(&command);
    return result;
}

/* False when a name of the run is taken already, or nobody knows. */
static bool read_run(MongoEngine *mongo, const StoreView *view, const EngineWrite *writes,
    size_t n_writes, MongoHead *heads)
{
    const char **names = arena_array(view->arena, n_writes, sizeof(*names));
    const char *collection = writes->collection->name;

    for (size_t i = 0; i < n_writes; i++)
        names[i] = writes[i].name;
    if (mongo_read_heads(mongo, view, collection, names, n_writes, heads))
        return false;
    for (size_t i = 0; i < n_writes; i++)
        if (heads[i].is_there)
            return false;
    return !mongo_read_graves(mongo, view, collection, names, n_writes, heads);
}

/* The server takes the documents one after the other and stops at the first that it refuses, so the chain is kept. What is not
 * known to be done afterwards is left to be written one by one. */
static void insert_run(MongoEngine *mongo, const StoreView *view, EngineWrite *writes,
    size_t n_writes, WriteState *states)
{
    MongoHead *heads = arena_array(view->arena, n_writes, sizeof(*heads));
    MongoResult result;

    if (!read_run(mongo, view, writes, n_writes, heads))
        return;
    for (size_t i = 0; i < n_writes; i++)
        states[i].before = heads[i];
    result = send_run(mongo, view, writes, n_writes, states);
    for (size_t i = 0; i < n_writes; i++) {
        if (!result.error)
            writes[i].outcome =
                (EngineOutcome){ .result = ENGINE_DONE, .version = heads[i].version + 1 };
        else
            states[i].is_unknown = result.is_unknown || (int64_t)i < result.count;
    }
}

static void write_in_order(
    MongoEngine *mongo, const StoreView *view, EngineWrite *writes, size_t n_writes)
{
    WriteState *states = arena_array(view->arena, n_writes, sizeof(*states));

    for (size_t i = 0; i < n_writes; i++)
        id_new(states[i].write_id);
    for (size_t i = 0, end_of_run = 0; i < n_writes; i++) {
        EngineWrite *write = &writes[i];

        if (write->outcome.error)
            continue;
        if (write->is_chained && i && !is_done(&writes[i - 1])) {
            write->outcome.result = ENGINE_SKIPPED;
            continue;
        }
        if (i >= end_of_run) {
            size_t run = count_run(write, n_writes - i);

            if (run > 1)
                insert_run(mongo, view, write, run, &states[i]);
            end_of_run = i + (run ? run : 1);
        }
        if (write->outcome.result != ENGINE_DONE)
            write_one(mongo, view, write, &states[i], &write->outcome);
        if (write->outcome.result == ENGINE_DONE)
            atomic_fetch_add(&mongo->n_writes, 1);
    }
}

void mongo_write(Engine *engine, const StoreView *view, EngineWrite *writes, size_t n_writes)
{
    MongoEngine *mongo = (MongoEngine *)engine;
    EngineWrite *last = &writes[n_writes - 1];
    char id[ID_SIZE];
    MongoClaim claim = { .key = last->request_key,
        .hash = last->request_hash,
        .collection = last->collection->name,
        .name = last->name,
        .id = id };
    EngineOutcome request = { .result = ENGINE_DONE };

    id_new(id);
    if (claim.key && !last->outcome.error)
        mongo_claim(mongo, view, &claim, &request);
    if (request.result != ENGINE_DONE) {
        for (size_t i = 0; i < n_writes; i++)
            if (!writes[i].outcome.error)
                writes[i].outcome = request;
        return;
    }
    write_in_order(mongo, view, writes, n_writes);
    if (claim.key && last->outcome.result != ENGINE_DONE &&
        last->outcome.result != ENGINE_REPLAYED && !last->outcome.error)
        mongo_release(mongo, view, &claim);
}
