/* The heads of documents, from memory where they are, and what the open transaction has done to them: a document is dropped from
 * memory before it changes and comes back with the commit. */
#include "shared/store/embedded.h"

#include <stdlib.h>

enum { MIN_CHANGES = 64 };

static int look_up(Db *db, Arena *arena, const char *sql, const char *name, Head *head)
{
    sqlite3_stmt *statement = db_statement(db, sql);
    int rc;

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

int head_read(Embedded *embedded, Arena *arena, size_t collection, const char *name, Head *head)
{
    CachedRow row;

    *head = (Head){ 0 };
    if (!row_cache_get(embedded->rows, collection, name, false, arena, &row))
        return look_up(embedded->writer, arena, embedded->sql[collection].head, name, head);
    *head = (Head){ true, row.id, row.version, row.events, row.keys, row.marks };
    return SQLITE_OK;
}

int head_exhume(Embedded *embedded, size_t collection, const char *name, Head *head)
{
    Db *db = embedded->writer;
    sqlite3_stmt *statement;
    int rc;

    if (!embedded->has_graves)
        return SQLITE_OK;
    statement = db_statement(
        db, "SELECT version, events FROM \"store.graves\" WHERE collection = ?1 AND name = ?2");
    if (!statement)
        return db_failure(db);
    db_bind_text(statement, 1, embedded->engine.collections[collection]->name);
    db_bind_text(statement, 2, name);
    rc = db_step(statement);
    if (rc == SQLITE_ROW) {
        head->version = sqlite3_column_int64(statement, 0);
        head->events = sqlite3_column_int64(statement, 1);
    }
    sqlite3_reset(statement);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int head_bury(Embedded *embedded, size_t collection, const char *name, const Head *head)
{
    Db *db = embedded->writer;
    sqlite3_stmt *statement =
        db_statement(db, "INSERT OR REPLACE INTO \"store.graves\" VALUES (?1, ?2, ?3, ?4)");

    if (!statement)
        return db_failure(db);
    embedded->has_graves = true;
    db_bind_text(statement, 1, embedded->engine.collections[collection]->name);
    db_bind_text(statement, 2, name);
    sqlite3_bind_int64(statement, 3, head->version);
    sqlite3_bind_int64(statement, 4, head->events);
    return db_run(statement);
}

void head_changed(
    Embedded *embedded, size_t collection, const char *name, const Head *head, Bytes body)
{
    row_cache_drop(embedded->rows, collection, name);
    if (embedded->n_changes == embedded->max_changes) {
        embedded->max_changes = embedded->max_changes ? 2 * embedded->max_changes : MIN_CHANGES;
        embedded->changes =
            realloc(embedded->changes, embedded->max_changes * sizeof(*embedded->changes));
        if (!embedded->changes)
            abort();
    }
    embedded->changes[embedded->n_changes++] = (Change){ collection, name, *head, body };
}

void heads_settle(Embedded *embedded, bool is_committed)
{
    for (size_t i = 0; i < embedded->n_changes && is_committed; i++) {
        const Change *change = &embedded->changes[i];
        const Head *head = &change->head;

        if (head->is_there)
            row_cache_put(embedded->rows, change->collection, change->name,
                &(CachedRow){
                    head->id, head->version, head->events, head->keys, head->marks, change->body });
        else
            row_cache_drop(embedded->rows, change->collection, change->name);
    }
    embedded->n_changes = 0;
}
