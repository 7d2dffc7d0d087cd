/* One job in the writer's open transaction. Everything is checked before anything is changed, so that a write that fails leaves
 * the others of the transaction alone. */
#include "shared/store/embedded.h"

#include "shared/codec/message.h"
#include "shared/store/marks.h"
#include "shared/store/record.h"

#include <string.h>

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

/* A row that is there is found by its number: its name has not changed. */
static int put_row(
    Db *db, const CollectionSql *sql, bool is_change, const EngineWrite *write, const Head *head)
{
    sqlite3_stmt *statement = db_statement(db, is_change ? sql->update : sql->insert);

    if (!statement)
        return db_failure(db);
    if (is_change)
        sqlite3_bind_int64(statement, 1, head->id);
    else
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

/* ENGINE_DONE when the key is free. */
static int check_request(
    Embedded *embedded, Arena *arena, const char *key, const uint8_t *hash, EngineOutcome *outcome)
{
    EngineAnswer answer = { 0 };
    int rc = SQLITE_OK;

    *outcome = (EngineOutcome){ .result = ENGINE_DONE };
    if (key && answer_is_possible(embedded, key))
        rc = answer_find(embedded, embedded->writer, arena, key, &answer);
    if (!answer.is_found)
        return rc;
    if (memcmp(answer.hash, hash, sizeof(answer.hash)))
        outcome->result = ENGINE_REUSED;
    else
        *outcome = (EngineOutcome){ .result = ENGINE_REPLAYED, .reply = answer.reply };
    return rc;
}

int put_document(
    Embedded *embedded, Arena *arena, size_t collection, const EngineWrite *write, Head *head)
{
    const CollectionSql *sql = &embedded->sql[collection];
    Db *db = embedded->writer;
    bool is_change = head->is_there;
    Bytes old_keys = head->keys;
    int64_t first_number = head->events + 1;
    int rc;

    head->version++;
    head->events += (int64_t)write->n_events;
    head->keys = keys_pack(arena, write->entries, write->n_entries);
    if (write->mark_source)
        head->marks = marks_set(arena, head->marks, write->mark_source, write->mark_position);
    if ((rc = put_row(db, sql, is_change, write, head)))
        return rc;
    if (!is_change)
        head->id = sqlite3_last_insert_rowid(db->handle);
    head->is_there = true;
    if (is_change || write->request_key) /* what somebody has just made is looked at next */
        head_changed(embedded, collection, write->name, head, write->body);
    if ((rc = change_entries(
             db, arena, sql, write->name, head->id, old_keys, write->entries, write->n_entries)) ||
        (write->n_events && (rc = put_events(embedded, arena, write, first_number))))
        return rc;
    return write->request_key
               ? answer_put(embedded, write->request_key, write->request_hash, write->reply)
               : SQLITE_OK;
}

static int apply_write(Embedded *embedded, Arena *arena, EngineWrite *write)
{
    size_t collection = engine_collection(&embedded->engine, write->collection);
    EngineOutcome *outcome = &write->outcome;
    Head head;
    int rc, taken;

    if ((rc = head_read(embedded, arena, collection, write->name, &head)) ||
        (!head.is_there && (rc = head_exhume(embedded, collection, write->name, &head))))
        return rc;
    *outcome = (EngineOutcome){ .result = check_head(write, &head) };
    if (outcome->result != ENGINE_DONE)
        return SQLITE_OK;
    if ((rc = find_taken(embedded->writer, arena, &embedded->sql[collection], write, &taken)))
        return rc;
    if (taken >= 0) {
        *outcome = (EngineOutcome){ .result = ENGINE_TAKEN, .index = taken };
        return SQLITE_OK;
    }
    rc = put_document(embedded, arena, collection, write, &head);
    outcome->version = head.version;
    outcome->is_logged = write->n_events && events_are_logged(embedded);
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
    int rc = check_request(embedded, job->arena, last->request_key, last->request_hash, &request);

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

/* Asked seldom, and the outbox is short: no index is kept for it. */
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

static int remove_document(
    Embedded *embedded, Arena *arena, size_t collection, const char *name, const Head *head)
{
    const CollectionSql *sql = &embedded->sql[collection];
    Db *db = embedded->writer;
    sqlite3_stmt *statement;
    int rc = change_entries(db, arena, sql, name, head->id, head->keys, NULL, 0);

    if (rc)
        return rc;
    if (!(statement = db_statement(db, sql->remove)))
        return db_failure(db);
    db_bind_text(statement, 1, name);
    if ((rc = db_run(statement)))
        return rc;
    head_changed(embedded, collection, name, &(Head){ 0 }, (Bytes){ 0 });
    return head->events ? head_bury(embedded, collection, name, head) : SQLITE_OK;
}

int apply_removal(
    Embedded *embedded, Arena *arena, const EngineRemoval *removal, EngineOutcome *outcome)
{
    size_t collection = engine_collection(&embedded->engine, removal->collection);
    bool is_pending = false;
    Head head;
    int rc;

    if ((rc = check_request(
             embedded, arena, removal->request_key, removal->request_hash, outcome)) ||
        outcome->result != ENGINE_DONE ||
        (rc = head_read(embedded, arena, collection, removal->name, &head)) ||
        (head.events && embedded->n_outbox &&
            (rc = has_outbox(
                 embedded->writer, removal->collection->name, removal->name, &is_pending))))
        return rc;
    if (!head.is_there)
        outcome->result = ENGINE_MISSING;
    else if (removal->version && removal->version != head.version)
        outcome->result = ENGINE_STALE;
    else if (is_pending)
        outcome->result = ENGINE_PENDING;
    if (outcome->result != ENGINE_DONE)
        return SQLITE_OK;
    if ((rc = remove_document(embedded, arena, collection, removal->name, &head)))
        return rc;
    return removal->request_key
               ? answer_put(embedded, removal->request_key, removal->request_hash, removal->reply)
               : SQLITE_OK;
}

/* The whole document as a message; `message` stays NULL when there is none. */
static int read_message(
    Embedded *embedded, Arena *arena, size_t number, const char *name, Head *head, void **message)
{
    const Collection *collection = embedded->engine.collections[number];
    Db *db = embedded->writer;
    sqlite3_stmt *statement = db_statement(db, embedded->sql[number].body);
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
        if (record_decode(arena, collection, &body_wire, &document, *message))
            rc = SQLITE_CORRUPT;
    } else if (rc == SQLITE_ROW) {
        rc = SQLITE_CORRUPT;
    }
    sqlite3_reset(statement);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? head_read(embedded, arena, number, name, head)
                                                 : rc;
}

static int apply_increment(
    Embedded *embedded, Arena *arena, const EngineIncrement *increment, EngineOutcome *outcome)
{
    const Collection *collection = increment->collection;
    size_t number = engine_collection(&embedded->engine, collection);
    EngineWrite write = { .collection = collection, .name = increment->name };
    int64_t *value, sum;
    void *message;
    Head head;
    int rc;

    *outcome = (EngineOutcome){ .result = ENGINE_MISSING };
    rc = read_message(embedded, arena, number, increment->name, &head, &message);
    if (rc || !message)
        return rc;
    value = message_field(message, increment->field);
    outcome->result = ENGINE_REFUSED;
    if (__builtin_add_overflow(*value, increment->delta, &sum) || sum < increment->min ||
        sum > increment->max)
        return SQLITE_OK;
    *value = sum;
    outcome->result = ENGINE_FAILED;
    if ((outcome->error = record_encode(arena, collection, &body_wire, message, &write.body)))
        return SQLITE_OK;
    write.expire = record_expire(collection, message);
    head.version++;
    *outcome = (EngineOutcome){ .result = ENGINE_DONE, .version = head.version, .value = sum };
    head_changed(embedded, number, write.name, &head, write.body);
    return put_row(embedded->writer, &embedded->sql[number], true, &write, &head);
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
