/* What a write tells. Outbox and log are in one file, so the writer, who alone gives places, puts an event into the log with the
 * write that tells it. Only what an outbox holds already goes first: then events wait there until the relay has moved them all. */
#include "shared/store/embedded.h"

#include "shared/store/checksum.h"
#include "shared/store/record.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_LOGGED = 64 };

const Error *events_make(
    const StoreLog *log, const StoreView *view, Arena *arena, EngineWrite *write)
{
    EngineEvent *events = arena_array(arena, write->n_events, sizeof(*events));
    const Error *error = NULL;
    IndexEntry *entries;
    size_t n_entries;

    for (size_t i = 0; i < write->n_events && !error; i++) {
        StoreEntry entry = { .collection = write->collection->name,
            .aggregate = write->name,
            .partition = write->events[i].partition,
            .bytes = bytes_copy(arena, write->events[i].bytes) };

        events[i] = (EngineEvent){ .partition = entry.partition, .bytes = entry.bytes };
        if (!log)
            continue;
        events[i].record = log->make(log, arena, &entry);
        assert(events[i].record && "what was sealed can be read");
        error =
            keys_of_message(view->arena, log->collection, events[i].record, &entries, &n_entries);
    }
    write->events = events;
    return error;
}

static int put_entry(Embedded *embedded, const EngineWrite *write, size_t i, int64_t number)
{
    Bytes bytes = write->events[i].bytes;
    sqlite3_stmt *statement = db_statement(embedded->writer,
        "INSERT INTO \"store.outbox\" (collection, aggregate, number, partition, checksum,"
        " bytes, id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");

    if (!statement)
        return db_failure(embedded->writer);
    db_bind_text(statement, 1, write->collection->name);
    db_bind_text(statement, 2, write->name);
    sqlite3_bind_int64(statement, 3, number);
    sqlite3_bind_int(statement, 4, write->events[i].partition);
    sqlite3_bind_int64(statement, 5, (int64_t)checksum(0, bytes.data, bytes.size));
    db_bind_bytes(statement, 6, bytes);
    sqlite3_bind_int64(statement, 7, ++embedded->last_entry);
    embedded->n_outbox++;
    return db_run(statement);
}

/* The last sequence of a partition. */
static int read_head(Embedded *embedded, Arena *arena, int partition, int64_t *sequence)
{
    size_t collection = engine_collection(&embedded->engine, embedded->log->collection);
    sqlite3_stmt *statement = db_statement(embedded->writer, embedded->sql[collection].down);
    int rc;

    *sequence = 0;
    if (!statement)
        return db_failure(embedded->writer);
    db_bind_text(statement, 1, embedded->log->name(arena, partition, 0));
    db_bind_text(statement, 3, embedded->log->name(arena, partition, INT64_MAX));
    rc = db_step(statement);
    if (rc == SQLITE_ROW)
        *sequence = strtoll(strrchr(db_text(arena, statement, COL_NAME), '/') + 1, NULL, 10);
    sqlite3_reset(statement);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int read_heads(Embedded *embedded, Arena *arena)
{
    int rc = SQLITE_OK;

    for (int i = 0; i < STORE_PARTITIONS && rc == SQLITE_OK; i++)
        rc = read_head(embedded, arena, i, &embedded->log_heads[i]);
    embedded->knows_log = rc == SQLITE_OK;
    return rc;
}

static void note_record(Embedded *embedded, const LogRecord *record)
{
    if (embedded->n_logged == embedded->max_logged) {
        embedded->max_logged = embedded->max_logged ? 2 * embedded->max_logged : MIN_LOGGED;
        embedded->logged =
            realloc(embedded->logged, embedded->max_logged * sizeof(*embedded->logged));
        if (!embedded->logged)
            abort();
    }
    embedded->logged[embedded->n_logged++] = *record;
}

static int put_record(Embedded *embedded, Arena *arena, const EngineEvent *event, int64_t number)
{
    const Collection *collection = embedded->log->collection;
    EngineWrite write = { .kind = STORE_INSERT, .collection = collection };
    IndexEntry *entries;
    Head head = { 0 };
    const Error *error;

    embedded->log->place(event->record, arena, number, ++embedded->log_heads[event->partition]);
    error = record_encode(arena, collection, &body_wire, event->record, &write.body);
    if (!error)
        error = keys_of_message(arena, collection, event->record, &entries, &write.n_entries);
    assert(!error && "events_make has tried it");
    write.name = record_name(event->record);
    write.entries = entries;
    note_record(embedded,
        &(LogRecord){ event->partition, embedded->log_heads[event->partition], write.body });
    return put_document(
        embedded, arena, engine_collection(&embedded->engine, collection), &write, &head);
}

bool events_are_logged(const Embedded *embedded)
{
    return embedded->log && embedded->n_outbox == 0;
}

int put_events(Embedded *embedded, Arena *arena, const EngineWrite *write, int64_t first_number)
{
    bool is_logged = events_are_logged(embedded);
    int rc = is_logged && !embedded->knows_log ? read_heads(embedded, arena) : SQLITE_OK;

    for (size_t i = 0; i < write->n_events && rc == SQLITE_OK; i++) {
        int64_t number = first_number + (int64_t)i;

        rc = is_logged ? put_record(embedded, arena, &write->events[i], number)
                       : put_entry(embedded, write, i, number);
    }
    return rc;
}

void embedded_on_log(Engine *engine, StoreTell tell, void *context)
{
    Embedded *embedded = (Embedded *)engine;

    pthread_mutex_lock(&embedded->tell_lock);
    embedded->tell = tell;
    embedded->tell_context = context;
    pthread_mutex_unlock(&embedded->tell_lock);
}

int events_count(Embedded *embedded)
{
    sqlite3_stmt *statement =
        db_statement(embedded->writer, "SELECT count(*) FROM \"store.outbox\"");
    int rc = statement ? db_step(statement) : db_failure(embedded->writer);

    if (rc != SQLITE_ROW)
        return rc;
    embedded->n_outbox = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return SQLITE_OK;
}

static void tell_logged(Embedded *embedded)
{
    unsigned partitions = 0;

    for (size_t i = 0; i < embedded->n_logged; i++) {
        const LogRecord *record = &embedded->logged[i];

        partitions |= 1u << record->partition;
        log_tail_put(embedded->tail, record->partition, record->sequence, record->body);
    }
    pthread_mutex_lock(&embedded->tell_lock);
    if (embedded->tell)
        embedded->tell(embedded->tell_context, partitions);
    pthread_mutex_unlock(&embedded->tell_lock);
}

/* A transaction that was taken back is forgotten: what it had counted is read again. Where that fails, events wait for the relay. */
void events_settle(Embedded *embedded, bool is_committed)
{
    if (!is_committed || !events_are_logged(embedded))
        embedded->knows_log = false;
    if (!is_committed && events_count(embedded))
        embedded->n_outbox = INT64_MAX;
    if (is_committed && embedded->n_logged)
        tell_logged(embedded);
    embedded->n_logged = 0;
}

size_t embedded_read_tail(Engine *engine, Arena *arena, int partition, int64_t after, size_t limit,
    EngineDocument *documents)
{
    Embedded *embedded = (Embedded *)engine;
    Bytes *bodies = arena_array(arena, limit, sizeof(*bodies));
    size_t n = log_tail_get(embedded->tail, partition, after, limit, arena, bodies);

    for (size_t i = 0; i < n; i++)
        documents[i] = (EngineDocument){
            .name = embedded->log->name(arena, partition, after + 1 + (int64_t)i),
            .version = 1, /* records never change */
            .body = bodies[i],
        };
    return n;
}
