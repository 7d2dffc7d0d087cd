/* Reading: each call takes a connection from the pool; one statement, or the reading of many names, is one consistent look at the
 * last commit. */
#include "shared/store/embedded.h"

#include "shared/base/condition.h"
#include "shared/store/checksum.h"
#include "shared/store/marks.h"

#include <string.h>

enum { MANY_NAMES = 4 };

/* The columns of an outbox row. */
enum { OUT_ID, OUT_COLLECTION, OUT_AGGREGATE, OUT_NUMBER, OUT_PARTITION, OUT_CHECKSUM, OUT_BYTES };

static const Error *wait_for_reader(Embedded *embedded, const StoreView *view)
{
    while (!embedded->n_idle && embedded->n_open == EMBEDDED_READERS) {
        if (!view->deadline)
            pthread_cond_wait(&embedded->returned, &embedded->pool_lock);
        else if (!condition_wait_until(&embedded->returned, &embedded->pool_lock, view->deadline))
            return &store_too_late;
    }
    return NULL;
}

void reader_return(Embedded *embedded, Db *db)
{
    pthread_mutex_lock(&embedded->pool_lock);
    if (db)
        embedded->idle[embedded->n_idle++] = db;
    else
        embedded->n_open--;
    pthread_mutex_unlock(&embedded->pool_lock);
    pthread_cond_signal(&embedded->returned);
}

const Error *reader_take(Embedded *embedded, const StoreView *view, Db **db)
{
    const Error *error;

    *db = NULL;
    if (view->is_hasty)
        return &store_would_wait;
    pthread_mutex_lock(&embedded->pool_lock);
    if (!(error = wait_for_reader(embedded, view))) {
        if (embedded->n_idle)
            *db = embedded->idle[--embedded->n_idle];
        else
            embedded->n_open++;
    }
    pthread_mutex_unlock(&embedded->pool_lock);
    if (error || *db)
        return error;
    if ((error = db_open(embedded->path, embedded->vfs, false, db)))
        reader_return(embedded, NULL);
    return error;
}

static const Error *get_one(Db *db, const StoreView *view, const CollectionSql *sql,
    const char *name, EngineDocument *document)
{
    sqlite3_stmt *statement = db_statement(db, sql->body);
    const Error *error = NULL;
    Bytes keys;
    int rc;

    if (!statement)
        return db_error(db_failure(db));
    db_bind_text(statement, 1, name);
    rc = db_step(statement);
    if (rc == SQLITE_ROW) {
        if (!row_read(view->arena, statement, document, &keys))
            error = &store_corrupt;
        else if (view->mark_source)
            document->mark_position =
                marks_find(db_bytes(view->arena, statement, COL_MARKS), view->mark_source);
    } else if (rc != SQLITE_DONE) {
        error = db_error(rc);
    }
    sqlite3_reset(statement);
    return error;
}

static bool get_cached(Embedded *embedded, const StoreView *view, size_t collection,
    const char *name, EngineDocument *document)
{
    CachedRow row;

    if (!row_cache_get(embedded->rows, collection, name, true, view->arena, &row))
        return false;
    document->name = name;
    document->version = row.version;
    document->body = row.body;
    if (view->mark_source)
        document->mark_position = marks_find(row.marks, view->mark_source);
    return true;
}

/* Outside of a transaction each statement has one of its own, which costs as much as the look for a row. */
static const Error *begin_many(Db *db, size_t n_names)
{
    sqlite3_stmt *statement = n_names >= MANY_NAMES ? db_statement(db, "BEGIN") : NULL;

    return statement && db_run(statement) != SQLITE_OK ? db_error(db_failure(db)) : NULL;
}

/* Not one moment longer: the connection would see nothing new any more. */
static void end_many(Db *db)
{
    sqlite3_stmt *statement;

    if (sqlite3_get_autocommit(db->handle))
        return;
    statement = db_statement(db, "ROLLBACK");
    if (!statement || db_run(statement) != SQLITE_OK)
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

/* The answer is looked for behind the documents: where they show what a twin of this request did, its answer is there too. */
const Error *embedded_get(Engine *engine, const StoreView *view, const Collection *collection,
    const char *const *names, size_t n_names, EngineDocument *documents, EngineAnswer *answer)
{
    Embedded *embedded = (Embedded *)engine;
    size_t number = engine_collection(engine, collection);
    const Error *error = NULL;
    Db *db = NULL;

    for (size_t i = 0; i < n_names && !error; i++)
        if (!get_cached(embedded, view, number, names[i], &documents[i]) &&
            (db || (!(error = reader_take(embedded, view, &db)) &&
                       !(error = begin_many(db, n_names - i)))))
            error = get_one(db, view, &embedded->sql[number], names[i], &documents[i]);
    if (db)
        end_many(db);
    if (!error && view->request_key && answer_is_possible(embedded, view->request_key) &&
        (db || !(error = reader_take(embedded, view, &db)))) {
        int rc = answer_find(embedded, db, view->arena, view->request_key, answer);
        error = rc == SQLITE_OK ? NULL : db_error(rc);
    }
    if (db)
        reader_return(embedded, db);
    return error;
}

/* A text with no text between it and the one before: texts have no NUL. */
static const char *just_behind(Arena *arena, const char *text)
{
    return arena_printf(arena, "%s\x01", text);
}

/* Above every key and, being no text, above every name. */
static const Bytes top = { (const uint8_t *)"\xFF", 1 };

static void bind_upper(sqlite3_stmt *statement, Bytes below, bool is_text)
{
    if (!below.size)
        db_bind_bytes(statement, 3, top);
    else if (is_text)
        sqlite3_bind_text(statement, 3, (const char *)below.data, (int)below.size, SQLITE_STATIC);
    else
        db_bind_bytes(statement, 3, below);
}

static void bind_names(Arena *arena, sqlite3_stmt *statement, const EngineRange *range)
{
    Bytes from = range->keys.from, below = range->keys.below;

    if (range->after_name && range->is_descending) {
        below = range->after_key;
    } else if (range->after_name) {
        const char *next = just_behind(arena, range->after_name);
        from = (Bytes){ (const uint8_t *)next, strlen(next) };
    }
    sqlite3_bind_text(
        statement, 1, from.size ? (const char *)from.data : "", (int)from.size, SQLITE_STATIC);
    bind_upper(statement, below, true);
}

static void bind_entries(sqlite3_stmt *statement, const EngineRange *range)
{
    bool goes_on = range->after_name;
    bool down = range->is_descending;

    db_bind_bytes(statement, 1, goes_on && !down ? range->after_key : range->keys.from);
    db_bind_text(statement, 2, goes_on ? range->after_name : "");
    bind_upper(statement, goes_on && down ? range->after_key : range->keys.below, false);
}

static sqlite3_stmt *range_statement(
    Db *db, Arena *arena, const CollectionSql *sql, const EngineRange *range)
{
    bool by_name = range->index == KEYS_BY_NAME;
    const IndexSql *index = by_name ? NULL : &sql->indexes[range->index];
    const char *up = by_name ? sql->up : index->up;
    const char *down = by_name ? sql->down : index->down;
    sqlite3_stmt *statement = db_statement(db, range->is_descending ? down : up);

    if (!statement)
        return NULL;
    if (by_name)
        bind_names(arena, statement, range);
    else
        bind_entries(statement, range);
    return statement;
}

static const Error *collect(sqlite3_stmt *statement, const StoreView *view,
    const EngineRange *range, EngineDocument *documents, size_t *n_documents)
{
    bool is_repeated = keys_is_repeated(range->collection, range->index);
    size_t count = 0, bytes = 0;
    int rc = SQLITE_DONE;

    while (count < range->limit && (!range->max_bytes || bytes < range->max_bytes) &&
           (rc = db_step(statement)) == SQLITE_ROW) {
        IndexEntry *entries;
        size_t n_entries;
        Bytes packed;

        if (store_is_late(view))
            return &store_too_late;
        if (!row_read(view->arena, statement, &documents[count], &packed))
            return &store_corrupt;
        if (is_repeated && !keys_unpack(view->arena, packed, &entries, &n_entries))
            return &store_corrupt;
        if (!is_repeated || keys_meet_first(entries, n_entries, range->index, &range->keys,
                                range->is_descending, documents[count].key))
            bytes += documents[count++].body.size;
    }
    *n_documents = count;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? NULL : db_error(rc);
}

const Error *embedded_find(Engine *engine, const StoreView *view, const EngineRange *range,
    EngineDocument **documents, size_t *n_documents)
{
    Embedded *embedded = (Embedded *)engine;
    const CollectionSql *sql = &embedded->sql[engine_collection(engine, range->collection)];
    sqlite3_stmt *statement;
    const Error *error;
    Db *db;

    *documents = arena_array(view->arena, range->limit, sizeof(**documents));
    if ((error = reader_take(embedded, view, &db)))
        return error;
    statement = range_statement(db, view->arena, sql, range);
    error = statement ? collect(statement, view, range, *documents, n_documents)
                      : db_error(db_failure(db));
    sqlite3_reset(statement);
    reader_return(embedded, db);
    return error;
}

const Error *embedded_find_answer(Engine *engine, const StoreView *view, EngineAnswer *answer)
{
    Embedded *embedded = (Embedded *)engine;
    const Error *error;
    Db *db;
    int rc;

    if (!answer_is_possible(embedded, view->request_key))
        return NULL;
    if ((error = reader_take(embedded, view, &db)))
        return error;
    rc = answer_find(embedded, db, view->arena, view->request_key, answer);
    reader_return(embedded, db);
    return rc == SQLITE_OK ? NULL : db_error(rc);
}

static bool read_entry(Arena *arena, sqlite3_stmt *row, StoreEntry *entry)
{
    entry->place = sqlite3_column_int64(row, OUT_ID);
    entry->collection = db_text(arena, row, OUT_COLLECTION);
    entry->aggregate = db_text(arena, row, OUT_AGGREGATE);
    entry->number = sqlite3_column_int64(row, OUT_NUMBER);
    entry->partition = sqlite3_column_int(row, OUT_PARTITION);
    entry->bytes = db_bytes(arena, row, OUT_BYTES);
    return sqlite3_column_int64(row, OUT_CHECKSUM) ==
           (int64_t)checksum(0, entry->bytes.data, entry->bytes.size);
}

static int read_partition(
    Db *db, Arena *arena, int partition, size_t limit, StoreEntry *entries, size_t *count)
{
    sqlite3_stmt *statement =
        db_statement(db, "SELECT id, collection, aggregate, number, partition, checksum, bytes"
                         " FROM \"store.outbox\" WHERE partition = ?1 ORDER BY id LIMIT ?2");
    int rc;

    if (!statement)
        return db_failure(db);
    sqlite3_bind_int(statement, 1, partition);
    sqlite3_bind_int64(statement, 2, (int64_t)limit);
    while ((rc = db_step(statement)) == SQLITE_ROW)
        if (!read_entry(arena, statement, &entries[(*count)++])) {
            rc = SQLITE_CORRUPT;
            break;
        }
    sqlite3_reset(statement);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

const Error *embedded_read_outbox(Engine *engine, const StoreView *view, unsigned partitions,
    size_t limit, StoreEntry **entries, size_t *n_entries)
{
    Embedded *embedded = (Embedded *)engine;
    size_t n_partitions = (size_t)__builtin_popcount(partitions);
    const Error *error;
    int rc = SQLITE_OK;
    Db *db;

    *entries = arena_array(view->arena, n_partitions * limit, sizeof(**entries));
    if ((error = reader_take(embedded, view, &db)))
        return error;
    for (int i = 0; i < STORE_PARTITIONS && rc == SQLITE_OK; i++)
        if (partitions & 1u << i)
            rc = read_partition(db, view->arena, i, limit, *entries, n_entries);
    reader_return(embedded, db);
    return rc == SQLITE_OK ? NULL : db_error(rc);
}

const Error *embedded_touch(Embedded *embedded, const StoreView *view)
{
    const Error *error;
    sqlite3_stmt *statement;
    Db *db;
    int rc;

    if ((error = reader_take(embedded, view, &db)))
        return error;
    statement = db_statement(db, "SELECT value FROM \"store.meta\" LIMIT 1");
    rc = statement ? db_run(statement) : db_failure(db);
    reader_return(embedded, db);
    return rc == SQLITE_OK ? NULL : db_error(rc);
}
