/* One job in the writer's open transaction. Everything is checked before anything is changed, so that a write that fails leaves
 * the others of the transaction alone. */
#include "shared/store/embedded.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/store/checksum.h"
#include "shared/store/marks.h"
#include "shared/store/record.h"

#include <string.h>

/* What the store keeps beside a body. */
typedef struct Head {
    bool is_there;
    int64_t id, version, events;
    Bytes keys, marks;
} Head;

static int read_head(Db *db, Arena *arena, const CollectionSql *sql, const char *name, Head *head)
{
    sqlite3_stmt *statement = db_statement(db, sql->head);
    int rc;

    *head = (Head){ 0 };
    if (!statement)
        return db_failure(db);
    db_bind_text(statement, 1, name);
    rc = db_step(statement);
    if (rc == SQLITE_ROW)
        *head = (Head){ true, sqlite3_column_int64(statement, 0),
            sqlite3_column_int64(statement, 1), sqlite3_column_int64(statement, 2),
            db_bytes(arena, statement, 3), db_bytes(arena, statement, 4) };
    sqlite3_reset(statement);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* A name that was removed goes on counting versions and events. */
static int read_grave(Db *db, const char *collection, const char *name, Head *head)
{
    sqlite3_stmt *statement = db_statement(
        db, "SELECT version, events FROM \"store.graves\" WHERE collection = ?1 AND name = ?2");
    int rc;

    if (!statement)
        return db_failure(db);
    db_bind_text(statement, 1, collection);
    db_bind_text(statement, 2, name);
    rc = db_step(statement);
    if (rc == SQLITE_ROW) {
        head->version = sqlite3_column_int64(statement, 0);
        head->events = sqlite3_column_int64(statement, 1);
    }
    sqlite3_reset(statement);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Whether another document holds one of the unique entries: its index, else -1. */
static int find_taken(
    Db *db, Arena *arena, const CollectionSql *sql, const EngineWrite *write, int *taken)
{
    *taken = -1;
    for (size_t i = 0; i < write->n_entries; i++) {
        const IndexEntry *entry = &write->entries[i];
        sqlite3_stmt *statement;
        int rc;

        if (!write->collection->indexes[entry->index].is_unique)
            continue;
        if (!(statement = db_statement(db, sql->indexes[entry->index].owner)))
            return db_failure(db);
        db_bind_bytes(statement, 1, entry->key);
        rc = db_step(statement);
        if (rc == SQLITE_ROW && !text_equal(db_text(arena, statement, 0), write->name))
            *taken = entry->index;
        sqlite3_reset(statement);
        if (rc != SQLITE_ROW && rc != SQLITE_DONE)
            return rc;
        if (*taken >= 0)
            return SQLITE_OK;
    }
    return SQLITE_OK;
}

static EngineResult check_head(const EngineWrite *write, const Head *head)
{
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

static int change_entry(Db *db, const char *sql, Bytes key, const char *name, int64_t id)
{
    sqlite3_stmt *statement = db_statement(db, sql);

    if (!statement)
        return db_failure(db);
    db_bind_bytes(statement, 1, key);
    db_bind_text(statement, 2, name);
    if (id)
        sqlite3_bind_int64(statement, 3, id);
    return db_run(statement);
}

static int compare_entries(const IndexEntry *a, const IndexEntry *b)
{
    return a->index != b->index ? a->index - b->index : keys_compare(a->key, b->key);
}

/* Drops the entries that are only old and puts those that are only new; both lists are sorted. */
static int change_entries(Db *db, Arena *arena, const CollectionSql *sql, const char *name,
    int64_t id, Bytes old_keys, const IndexEntry *entries, size_t n_entries)
{
    IndexEntry *old;
    size_t n_old, i = 0, j = 0;
    int rc = SQLITE_OK;

    if (!keys_unpack(arena, old_keys, &old, &n_old))
        return SQLITE_CORRUPT;
    while ((i < n_old || j < n_entries) && rc == SQLITE_OK) {
        int order = i == n_old ? 1 : j == n_entries ? -1 : compare_entries(&old[i], &entries[j]);

        if (order < 0)
            rc = change_entry(db, sql->indexes[old[i].index].drop, old[i].key, name, 0);
        else if (order > 0)
            rc = change_entry(db, sql->indexes[entries[j].index].put, entries[j].key, name, id);
        i += order <= 0;
        j += order >= 0;
    }
    return rc;
}

static int put_row(Db *db, const char *sql, const EngineWrite *write, const Head *head)
{
    sqlite3_stmt *statement = db_statement(db, sql);

    if (!statement)
        return db_failure(db);
    db_bind_text(statement, 1, write->name);
    sqlite3_bind_int64(statement, 2, head->version);
    sqlite3_bind_int64(statement, 3, head->events);
    if (write->expire)
        sqlite3_bind_int64(statement, 4, write->expire);
    sqlite3_bind_int64(statement, 5,
        row_checksum(
            write->name, head->version, head->events, head->keys, head->marks, write->body));
    db_bind_bytes(statement, 6, head->keys);
    db_bind_bytes(statement, 7, head->marks);
    db_bind_bytes(statement, 8, write->body);
    return db_run(statement);
}

static int put_events(Db *db, const EngineWrite *write, int64_t first_number)
{
    int rc = SQLITE_OK;

    for (size_t i = 0; i < write->n_events && rc == SQLITE_OK; i++) {
        Bytes bytes = write->events[i].bytes;
        sqlite3_stmt *statement = db_statement(db,
            "INSERT INTO \"store.outbox\" (collection, aggregate, number, partition, checksum,"
            " bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");

        if (!statement)
            return db_failure(db);
        db_bind_text(statement, 1, write->collection->name);
        db_bind_text(statement, 2, write->name);
        sqlite3_bind_int64(statement, 3, first_number + (int64_t)i);
        sqlite3_bind_int(statement, 4, write->events[i].partition);
        sqlite3_bind_int64(statement, 5, (int64_t)checksum(0, bytes.data, bytes.size));
        db_bind_bytes(statement, 6, bytes);
        rc = db_run(statement);
    }
    return rc;
}

static int put_answer(Db *db, const char *key, const uint8_t *hash, Bytes reply)
{
    sqlite3_stmt *statement =
        db_statement(db, "INSERT INTO \"store.answers\" (key, hash, time, checksum, reply)"
                         " VALUES (?1, ?2, ?3, ?4, ?5)");

    if (!statement)
        return db_failure(db);
    db_bind_text(statement, 1, key);
    db_bind_bytes(statement, 2, (Bytes){ hash, sizeof(((EngineAnswer *)0)->hash) });
    sqlite3_bind_int64(statement, 3, clock_now());
    sqlite3_bind_int64(statement, 4, (int64_t)checksum(0, reply.data, reply.size));
    db_bind_bytes(statement, 5, reply);
    return db_run(statement);
}

/* ENGINE_DONE when the key is free. */
static int check_request(
    Db *db, Arena *arena, const char *key, const uint8_t *hash, EngineOutcome *outcome)
{
    EngineAnswer answer = { 0 };
    int rc = SQLITE_OK;

    *outcome = (EngineOutcome){ .result = ENGINE_DONE };
    if (key)
        rc = answer_find(db, arena, key, &answer);
    if (!answer.is_found)
        return rc;
    if (memcmp(answer.hash, hash, sizeof(answer.hash)))
        outcome->result = ENGINE_REUSED;
    else
        *outcome = (EngineOutcome){ .result = ENGINE_REPLAYED, .reply = answer.reply };
    return rc;
}

/* The document, its entries, events and answer. `head` is what was there before. */
static int put_document(
    Db *db, Arena *arena, const CollectionSql *sql, const EngineWrite *write, Head *head)
{
    Bytes old_keys = head->keys;
    int64_t first_number = head->events + 1;
    int rc;

    head->version++;
    head->events += (int64_t)write->n_events;
    head->keys = keys_pack(arena, write->entries, write->n_entries);
    if (write->mark_source)
        head->marks = marks_set(arena, head->marks, write->mark_source, write->mark_position);
    if ((rc = put_row(db, head->is_there ? sql->update : sql->insert, write, head)))
        return rc;
    if (!head->is_there)
        head->id = sqlite3_last_insert_rowid(db->handle);
    if ((rc = change_entries(
             db, arena, sql, write->name, head->id, old_keys, write->entries, write->n_entries)) ||
        (rc = put_events(db, write, first_number)))
        return rc;
    return write->request_key
               ? put_answer(db, write->request_key, write->request_hash, write->reply)
               : SQLITE_OK;
}

static int apply_write(Embedded *embedded, Arena *arena, EngineWrite *write)
{
    const CollectionSql *sql =
        &embedded->sql[engine_collection(&embedded->engine, write->collection)];
    EngineOutcome *outcome = &write->outcome;
    Db *db = embedded->writer;
    Head head;
    int rc, taken;

    if ((rc = read_head(db, arena, sql, write->name, &head)))
        return rc;
    if (!head.is_there && (rc = read_grave(db, write->collection->name, write->name, &head)))
        return rc;
    *outcome = (EngineOutcome){ .result = check_head(write, &head) };
    if (outcome->result != ENGINE_DONE)
        return SQLITE_OK;
    if ((rc = find_taken(db, arena, sql, write, &taken)))
        return rc;
    if (taken >= 0) {
        *outcome = (EngineOutcome){ .result = ENGINE_TAKEN, .index = taken };
        return SQLITE_OK;
    }
    rc = put_document(db, arena, sql, write, &head);
    outcome->version = head.version;
    return rc;
}

static bool is_done(const EngineWrite *write)
{
    return write->outcome.result == ENGINE_DONE || write->outcome.result == ENGINE_APPLIED;
}

static int apply_writes(Embedded *embedded, Job *job)
{
    EngineWrite *last = &job->writes[job->n_writes - 1];
    EngineOutcome request;
    int rc = check_request(
        embedded->writer, job->arena, last->request_key, last->request_hash, &request);

    for (size_t i = 0; i < job->n_writes && rc == SQLITE_OK; i++) {
        EngineWrite *write = &job->writes[i];

        if (write->outcome.error)
            continue;
        if (request.result != ENGINE_DONE)
            write->outcome = request;
        else if (write->is_chained && i && !is_done(&job->writes[i - 1]))
            write->outcome = (EngineOutcome){ .result = ENGINE_SKIPPED };
        else
            rc = apply_write(embedded, job->arena, write);
    }
    return rc;
}

static int has_outbox(Db *db, const char *collection, const char *name, bool *is_there)
{
    sqlite3_stmt *statement = db_statement(
        db, "SELECT 1 FROM \"store.outbox\" WHERE collection = ?1 AND aggregate = ?2 LIMIT 1");
    int rc;

    if (!statement)
        return db_failure(db);
    db_bind_text(statement, 1, collection);
    db_bind_text(statement, 2, name);
    rc = db_step(statement);
    *is_there = rc == SQLITE_ROW;
    sqlite3_reset(statement);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int bury(Db *db, const char *collection, const char *name, const Head *head)
{
    sqlite3_stmt *statement =
        db_statement(db, "INSERT OR REPLACE INTO \"store.graves\" VALUES (?1, ?2, ?3, ?4)");

    if (!statement)
        return db_failure(db);
    db_bind_text(statement, 1, collection);
    db_bind_text(statement, 2, name);
    sqlite3_bind_int64(statement, 3, head->version);
    sqlite3_bind_int64(statement, 4, head->events);
    return db_run(statement);
}

static int remove_document(Db *db, Arena *arena, const CollectionSql *sql, const char *collection,
    const char *name, const Head *head)
{
    sqlite3_stmt *statement;
    int rc = change_entries(db, arena, sql, name, head->id, head->keys, NULL, 0);

    if (rc)
        return rc;
    if (!(statement = db_statement(db, sql->remove)))
        return db_failure(db);
    db_bind_text(statement, 1, name);
    if ((rc = db_run(statement)))
        return rc;
    return head->events ? bury(db, collection, name, head) : SQLITE_OK;
}

int apply_removal(
    Embedded *embedded, Arena *arena, const EngineRemoval *removal, EngineOutcome *outcome)
{
    const char *collection = removal->collection->name;
    const CollectionSql *sql =
        &embedded->sql[engine_collection(&embedded->engine, removal->collection)];
    Db *db = embedded->writer;
    bool is_pending = false;
    Head head;
    int rc;

    if ((rc = check_request(db, arena, removal->request_key, removal->request_hash, outcome)) ||
        outcome->result != ENGINE_DONE || (rc = read_head(db, arena, sql, removal->name, &head)) ||
        (rc = has_outbox(db, collection, removal->name, &is_pending)))
        return rc;
    if (!head.is_there)
        outcome->result = ENGINE_MISSING;
    else if (removal->version && removal->version != head.version)
        outcome->result = ENGINE_STALE;
    else if (is_pending)
        outcome->result = ENGINE_PENDING;
    if (outcome->result != ENGINE_DONE)
        return SQLITE_OK;
    if ((rc = remove_document(db, arena, sql, collection, removal->name, &head)))
        return rc;
    return removal->request_key
               ? put_answer(db, removal->request_key, removal->request_hash, removal->reply)
               : SQLITE_OK;
}

/* The whole document as a message; `message` stays NULL when there is none. */
static int read_message(Db *db, Arena *arena, const CollectionSql *sql,
    const Collection *collection, const char *name, Head *head, void **message)
{
    sqlite3_stmt *statement = db_statement(db, sql->body);
    EngineDocument document;
    Bytes keys;
    int rc;

    *message = NULL;
    if (!statement)
        return db_failure(db);
    db_bind_text(statement, 1, name);
    rc = db_step(statement);
    if (rc == SQLITE_ROW && row_read(arena, statement, &document, &keys)) {
        *message = message_new(arena, collection->message);
        if (record_decode(arena, collection, &document, *message))
            rc = SQLITE_CORRUPT;
    } else if (rc == SQLITE_ROW) {
        rc = SQLITE_CORRUPT;
    }
    sqlite3_reset(statement);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? read_head(db, arena, sql, name, head) : rc;
}

static int apply_increment(
    Embedded *embedded, Arena *arena, const EngineIncrement *increment, EngineOutcome *outcome)
{
    const Collection *collection = increment->collection;
    const CollectionSql *sql = &embedded->sql[engine_collection(&embedded->engine, collection)];
    EngineWrite write = { .collection = collection, .name = increment->name };
    int64_t *value, sum;
    void *message;
    Head head;
    int rc;

    *outcome = (EngineOutcome){ .result = ENGINE_MISSING };
    rc = read_message(embedded->writer, arena, sql, collection, increment->name, &head, &message);
    if (rc || !message)
        return rc;
    value = message_field(message, increment->field);
    outcome->result = ENGINE_REFUSED;
    if (__builtin_add_overflow(*value, increment->delta, &sum) || sum < increment->min ||
        sum > increment->max)
        return SQLITE_OK;
    *value = sum;
    outcome->result = ENGINE_FAILED;
    if ((outcome->error = record_encode(arena, collection, message, &write.body)))
        return SQLITE_OK;
    write.expire = record_expire(collection, message);
    head.version++;
    *outcome = (EngineOutcome){ .result = ENGINE_DONE, .version = head.version, .value = sum };
    return put_row(embedded->writer, sql->update, &write, &head);
}

int job_apply(Embedded *embedded, Job *job)
{
    switch (job->kind) {
    case JOB_WRITE:
        return apply_writes(embedded, job);
    case JOB_REMOVE:
        return apply_removal(embedded, job->arena, &job->removal, &job->outcome);
    case JOB_INCREMENT:
        return apply_increment(embedded, job->arena, &job->increment, &job->outcome);
    case JOB_TRIM:
        return apply_trim(embedded, job);
    case JOB_CLEAN:
        return apply_clean(embedded, job);
    case JOB_PROBE:
        return apply_probe(embedded);
    }
    return SQLITE_MISUSE;
}
