/* The tables: one of documents a collection, one of entries an index, outbox, answers, and the graves of documents that told
 * events, so that a name that comes back goes on counting. */
#include "shared/store/embedded.h"

#include "shared/codec/message.h"
#include "shared/store/record.h"

#include <string.h>

enum { SCHEMA_VERSION = 2 };

static const char create_tables[] =
    "CREATE TABLE IF NOT EXISTS \"store.meta\" ("
    "  key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS \"store.outbox\" ("
    "  partition INTEGER NOT NULL, id INTEGER NOT NULL, collection TEXT NOT NULL,"
    "  aggregate TEXT NOT NULL, number INTEGER NOT NULL, checksum INTEGER NOT NULL,"
    "  bytes BLOB NOT NULL, PRIMARY KEY (partition, id)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS \"store.answers\" ("
    "  id INTEGER PRIMARY KEY, key_hash INTEGER NOT NULL, key TEXT NOT NULL, hash BLOB NOT NULL,"
    "  time INTEGER NOT NULL, checksum INTEGER NOT NULL, reply BLOB NOT NULL);"
    "DROP INDEX IF EXISTS \"store.answers_by_key\";"
    "CREATE TABLE IF NOT EXISTS \"store.answer_keys\" ("
    "  key_hash INTEGER NOT NULL, answer INTEGER NOT NULL, PRIMARY KEY (key_hash, answer))"
    " WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS \"store.graves\" ("
    "  collection TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL,"
    "  events INTEGER NOT NULL, PRIMARY KEY (collection, name)) WITHOUT ROWID";

static const Error too_new = { ERROR_FAILED_PRECONDITION, "STORE_TOO_NEW",
    "The store was written by a newer version of this program." };

static const Error too_old = { ERROR_FAILED_PRECONDITION, "STORE_TOO_OLD",
    "The store was written before the first release, in a layout that is not read any more." };

static void index_sql(Arena *arena, const char *collection, const StoreIndex *index, IndexSql *sql)
{
    const char *table = arena_printf(arena, "\"%s/%s\"", collection, index->name);
    const char *join = arena_printf(arena,
        "SELECT e.key, d.name, d.version, d.events, d.checksum, d.keys, d.marks, d.body"
        " FROM %s AS e CROSS JOIN \"%s\" AS d ON d.id = e.document",
        table, collection);

    sql->put =
        arena_printf(arena, "INSERT INTO %s (key, name, document) VALUES (?1, ?2, ?3)", table);
    sql->drop = arena_printf(arena, "DELETE FROM %s WHERE key = ?1 AND name = ?2", table);
    sql->owner = arena_printf(arena, "SELECT name FROM %s WHERE key = ?1", table);
    sql->up = arena_printf(
        arena, "%s WHERE (e.key, e.name) > (?1, ?2) AND e.key < ?3 ORDER BY e.key, e.name", join);
    sql->down = arena_printf(arena,
        "%s WHERE (e.key, e.name) < (?3, ?2) AND e.key >= ?1 ORDER BY e.key DESC, e.name DESC",
        join);
}

static void collection_sql(Arena *arena, const Collection *collection, CollectionSql *sql)
{
    const char *table = arena_printf(arena, "\"%s\"", collection->name);
    const char *row = "name, version, events, checksum, keys, marks, body";

    sql->head = arena_printf(
        arena, "SELECT id, version, events, keys, marks FROM %s WHERE name = ?1", table);
    sql->body = arena_printf(arena, "SELECT '', %s FROM %s WHERE name = ?1", row, table);
    sql->insert = arena_printf(arena,
        "INSERT INTO %s (name, version, events, expire, checksum, keys, marks, body)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        table);
    sql->update = arena_printf(arena,
        "UPDATE %s SET version = ?2, events = ?3, expire = ?4, checksum = ?5, keys = ?6,"
        " marks = ?7, body = ?8 WHERE id = ?1",
        table);
    sql->remove = arena_printf(arena, "DELETE FROM %s WHERE name = ?1", table);
    sql->expired = arena_printf(arena,
        "SELECT d.name FROM %s AS d WHERE d.expire IS NOT NULL AND d.expire < ?1"
        " AND (d.events = 0 OR NOT EXISTS (SELECT 1 FROM \"store.outbox\" AS o WHERE o.collection "
        "= ?2 AND o.aggregate = d.name))"
        " ORDER BY d.expire LIMIT ?3",
        table);
    sql->up = arena_printf(
        arena, "SELECT '', %s FROM %s WHERE name >= ?1 AND name < ?3 ORDER BY name", row, table);
    sql->down = arena_printf(arena,
        "SELECT '', %s FROM %s WHERE name >= ?1 AND name < ?3 ORDER BY name DESC", row, table);
    for (size_t i = 0; i < keys_count_indexes(collection); i++)
        index_sql(arena, collection->name, &collection->indexes[i], &sql->indexes[i]);
}

CollectionSql *schema_sql(Arena *arena, const Collection *const *collections, size_t n_collections)
{
    CollectionSql *sql = arena_array(arena, n_collections, sizeof(*sql));

    for (size_t i = 0; i < n_collections; i++)
        collection_sql(arena, collections[i], &sql[i]);
    return sql;
}

static const char *declared_indexes(Arena *arena, const Collection *collection)
{
    const char *text = "";

    for (size_t i = 0; i < keys_count_indexes(collection); i++)
        text = arena_printf(arena, "%s%s %s;", text, collection->indexes[i].name,
            keys_signature(arena, collection, (int)i));
    return text;
}

static int stored_indexes(Db *db, Arena *arena, const char *collection, const char **text)
{
    sqlite3_stmt *statement =
        db_statement(db, "SELECT value FROM \"store.meta\" WHERE key = 'indexes/' || ?1");
    int rc;

    *text = NULL;
    if (!statement)
        return db_failure(db);
    db_bind_text(statement, 1, collection);
    rc = db_step(statement);
    if (rc == SQLITE_ROW)
        *text = db_text(arena, statement, 0);
    sqlite3_reset(statement);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int drop_indexes(Db *db, Arena *arena, const char *collection)
{
    sqlite3_stmt *statement = db_statement(db, "SELECT name FROM sqlite_schema WHERE type = 'table'"
                                               " AND substr(name, 1, length(?1) + 1) = ?1 || '/'");
    const char *drops = "";
    int rc;

    if (!statement)
        return db_failure(db);
    db_bind_text(statement, 1, collection);
    while ((rc = db_step(statement)) == SQLITE_ROW)
        drops =
            arena_printf(arena, "%sDROP TABLE \"%s\";", drops, sqlite3_column_text(statement, 0));
    sqlite3_reset(statement);
    return rc == SQLITE_DONE ? db_exec(db, drops) : rc;
}

static int create_indexes(Db *db, Arena *arena, const Collection *collection)
{
    int rc = SQLITE_OK;

    for (size_t i = 0; i < keys_count_indexes(collection) && rc == SQLITE_OK; i++)
        rc = db_exec(db, arena_printf(arena,
                             "CREATE TABLE \"%s/%s\" (key BLOB NOT NULL, name TEXT NOT NULL,"
                             " document INTEGER NOT NULL, PRIMARY KEY (%s)) WITHOUT ROWID",
                             collection->name, collection->indexes[i].name,
                             collection->indexes[i].is_unique ? "key" : "key, name"));
    return rc;
}

static int store_row_keys(Db *db, const char *update, int64_t id, Bytes keys, int64_t sum)
{
    sqlite3_stmt *statement = db_statement(db, update);

    if (!statement)
        return db_failure(db);
    sqlite3_bind_int64(statement, 1, id);
    db_bind_bytes(statement, 2, keys);
    sqlite3_bind_int64(statement, 3, sum);
    return db_run(statement);
}

static int put_entries(Db *db, const CollectionSql *sql, const IndexEntry *entries,
    size_t n_entries, const char *name, int64_t id)
{
    int rc = SQLITE_OK;

    for (size_t i = 0; i < n_entries && rc == SQLITE_OK; i++) {
        sqlite3_stmt *statement = db_statement(db, sql->indexes[entries[i].index].put);

        if (!statement)
            return db_failure(db);
        db_bind_bytes(statement, 1, entries[i].key);
        db_bind_text(statement, 2, name);
        sqlite3_bind_int64(statement, 3, id);
        rc = db_run(statement);
    }
    return rc;
}

/* Makes the entries of one document anew. Errors live in the row's arena. */
static const Error *reindex_row(
    Embedded *embedded, Arena *arena, size_t number, sqlite3_stmt *row, const char *update)
{
    const Collection *collection = embedded->engine.collections[number];
    int64_t id = sqlite3_column_int64(row, 0);
    int64_t events = sqlite3_column_int64(row, 3);
    EngineDocument document = { .name = db_text(arena, row, 1),
        .version = sqlite3_column_int64(row, 2),
        .body = db_bytes(arena, row, 5) };
    Bytes marks = db_bytes(arena, row, 4), keys;
    void *message = message_new(arena, collection->message);
    IndexEntry *entries;
    size_t n_entries;
    const Error *error;
    int rc;

    if ((error = record_decode(arena, collection, &body_wire, &document, message)) ||
        (error = keys_of_message(arena, collection, message, &entries, &n_entries)))
        return error;
    keys = keys_pack(arena, entries, n_entries);
    rc = store_row_keys(embedded->writer, update, id, keys,
        row_checksum(document.name, document.version, events, keys, marks, document.body));
    if (rc == SQLITE_OK)
        rc = put_entries(
            embedded->writer, &embedded->sql[number], entries, n_entries, document.name, id);
    if ((rc & 0xFF) == SQLITE_CONSTRAINT)
        return error_new(arena, ERROR_FAILED_PRECONDITION, "STORE_INDEX_NOT_UNIQUE",
            "Documents of %s have values that a new unique index forbids.", collection->name);
    return rc == SQLITE_OK ? NULL : db_error(rc);
}

static const Error *reindex(Embedded *embedded, Arena *arena, size_t number)
{
    const char *table = embedded->engine.collections[number]->name;
    const char *rows = arena_printf(embedded->arena,
        "SELECT id, name, version, events, marks, body FROM \"%s\" ORDER BY id", table);
    const char *update = arena_printf(
        embedded->arena, "UPDATE \"%s\" SET keys = ?2, checksum = ?3 WHERE id = ?1", table);
    sqlite3_stmt *statement = db_statement(embedded->writer, rows);
    const Error *error = NULL;
    int rc = SQLITE_DONE;

    while (statement && !error && (rc = db_step(statement)) == SQLITE_ROW) {
        Arena *row_arena = arena_new();
        if ((error = reindex_row(embedded, row_arena, number, statement, update)))
            error = error_new(arena, error->code, error->reason, "%s", error->message);
        arena_free(row_arena);
    }
    if (statement)
        sqlite3_reset(statement);
    if (error)
        return error;
    return statement && rc == SQLITE_DONE ? NULL
                                          : db_error(statement ? rc : db_failure(embedded->writer));
}

static const Error *prepare_collection(Embedded *embedded, Arena *arena, size_t number)
{
    const Collection *collection = embedded->engine.collections[number];
    const char *declared = declared_indexes(arena, collection), *stored;
    Db *db = embedded->writer;
    const Error *error;
    sqlite3_stmt *remember;
    int rc;

    if ((rc = db_exec(db,
             arena_printf(arena,
                 "CREATE TABLE IF NOT EXISTS \"%s\" (id INTEGER PRIMARY KEY,"
                 " name TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, events INTEGER NOT NULL,"
                 " expire INTEGER, checksum INTEGER NOT NULL, keys BLOB NOT NULL,"
                 " marks BLOB NOT NULL, body BLOB NOT NULL);"
                 "CREATE INDEX IF NOT EXISTS \"%s.expire\" ON \"%s\" (expire)"
                 " WHERE expire IS NOT NULL",
                 collection->name, collection->name, collection->name))) ||
        (rc = stored_indexes(db, arena, collection->name, &stored)))
        return db_error(rc);
    if (text_equal(stored, declared))
        return NULL;
    if ((rc = drop_indexes(db, arena, collection->name)) ||
        (rc = create_indexes(db, arena, collection)))
        return db_error(rc);
    if ((error = reindex(embedded, arena, number)))
        return error;
    remember =
        db_statement(db, "INSERT OR REPLACE INTO \"store.meta\" VALUES ('indexes/' || ?1, ?2)");
    if (!remember)
        return db_error(db_failure(db));
    db_bind_text(remember, 1, collection->name);
    db_bind_text(remember, 2, declared);
    return (rc = db_run(remember)) ? db_error(rc) : NULL;
}

const Error *schema_prepare(Embedded *embedded, Arena *arena)
{
    Db *db = embedded->writer;
    const Error *error = NULL;
    int64_t version = 0, has_graves = 0;
    int rc;

    if ((rc = db_number(db, "PRAGMA user_version", &version)) || (rc = db_exec(db, "BEGIN")))
        return db_error(rc);
    if (version > SCHEMA_VERSION)
        error = &too_new;
    else if (version && version < SCHEMA_VERSION)
        error = &too_old;
    else if ((rc = db_exec(db, create_tables)) ||
             (version < SCHEMA_VERSION &&
                 (rc = db_exec(
                      db, arena_printf(arena, "PRAGMA user_version = %d", SCHEMA_VERSION)))))
        error = db_error(rc);
    for (size_t i = 0; i < embedded->engine.n_collections && !error; i++)
        error = prepare_collection(embedded, arena, i);
    if (!error &&
        ((rc = db_number(db, "SELECT EXISTS (SELECT 1 FROM \"store.graves\")", &has_graves)) ||
            (rc = db_number(
                 db, "SELECT coalesce(max(id), 0) FROM \"store.outbox\"", &embedded->last_entry)) ||
            (rc = events_count(embedded)) || (rc = answer_keys_open(embedded)) ||
            (rc = db_exec(db, "COMMIT"))))
        error = db_error(rc);
    if (error)
        db_exec(db, "ROLLBACK");
    /* A new store's tables have all gone through the cache, which the writer does not need soon. */
    sqlite3_db_release_memory(db->handle);
    embedded->has_graves = has_graves;
    return error;
}
