/* Connections to the SQLite file. */
#include "shared/store/embedded.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 64, BUSY_MS = 1000 };

const Error *db_error(int rc)
{
    switch (rc & 0xFF) {
    case SQLITE_FULL:
        return &store_full;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return &store_corrupt;
    case SQLITE_NOMEM:
        abort();
    default:
        return rc == SQLITE_IOERR_DATA || rc == SQLITE_IOERR_CORRUPTFS ? &store_corrupt
                                                                       : &store_unavailable;
    }
}

bool db_is_fatal(int rc)
{
    return (rc & 0xFF) != SQLITE_FULL && db_error(rc) != &store_corrupt;
}

/* SQLite says IOERR for some calls that ran out of space; a failed sync stays what it is. */
int db_failure(const Db *db)
{
    sqlite3 *handle = db->handle;
    int rc = sqlite3_extended_errcode(handle);

    if ((rc & 0xFF) == SQLITE_IOERR && rc != SQLITE_IOERR_FSYNC && rc != SQLITE_IOERR_DIR_FSYNC &&
        rc != SQLITE_IOERR_DATA && sqlite3_system_errno(handle) == ENOSPC)
        return SQLITE_FULL;
    return rc;
}

const Error *db_open(const char *path, CheckedVfs *vfs, bool is_writer, Db **db)
{
    Db *opened = calloc(1, sizeof(*opened));
    int reserve = VFS_RESERVED_BYTES, rc;

    if (!opened)
        abort();
    opened->n_slots = FIRST_SLOTS;
    if (!(opened->statements = calloc(FIRST_SLOTS, sizeof(*opened->statements))))
        abort();
    rc = sqlite3_open_v2(path, &opened->handle,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (is_writer ? SQLITE_OPEN_CREATE : 0),
        vfs_name(vfs));
    if (rc == SQLITE_OK) {
        sqlite3_extended_result_codes(opened->handle, 1);
        sqlite3_busy_timeout(opened->handle, BUSY_MS);
        sqlite3_file_control(opened->handle, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve);
        rc = db_exec(opened,
            is_writer
                ? "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                  "PRAGMA wal_autocheckpoint = 0; PRAGMA mmap_size = 0;"
                  "PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY"
                /* Every commit empties a reader's cache: a large one holds memory, not pages. */
                : "PRAGMA query_only = 1; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;"
                  "PRAGMA cache_size = -128");
    }
    if (rc != SQLITE_OK) {
        db_close(opened);
        return db_error(rc);
    }
    *db = opened;
    return NULL;
}

void db_close(Db *db)
{
    if (!db)
        return;
    for (size_t i = 0; i < db->n_slots; i++)
        sqlite3_finalize(db->statements[i].statement);
    sqlite3_close(db->handle);
    free(db->statements);
    free(db);
}

static size_t slot_of(const Db *db, const char *sql)
{
    size_t slot = ((uintptr_t)sql >> 4) * 0x9E3779B1u & (db->n_slots - 1);

    while (db->statements[slot].sql && db->statements[slot].sql != sql)
        slot = (slot + 1) & (db->n_slots - 1);
    return slot;
}

static void grow(Db *db)
{
    Db larger = *db;

    larger.n_slots *= 2;
    larger.statements = calloc(larger.n_slots, sizeof(*larger.statements));
    if (!larger.statements)
        abort();
    for (size_t i = 0; i < db->n_slots; i++)
        if (db->statements[i].sql)
            larger.statements[slot_of(&larger, db->statements[i].sql)] = db->statements[i];
    free(db->statements);
    *db = larger;
}

sqlite3_stmt *db_statement(Db *db, const char *sql)
{
    size_t slot = slot_of(db, sql);
    sqlite3_stmt *statement = db->statements[slot].statement;

    if (statement) {
        sqlite3_reset(statement);
        sqlite3_clear_bindings(statement);
        return statement;
    }
    if (sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) !=
        SQLITE_OK)
        return NULL;
    db->statements[slot].sql = sql;
    db->statements[slot].statement = statement;
    if (++db->n_statements * 2 > db->n_slots)
        grow(db);
    return statement;
}

int db_step(sqlite3_stmt *statement)
{
    int rc = sqlite3_step(statement);

    if (rc == SQLITE_ROW || rc == SQLITE_DONE)
        return rc;
    rc = db_failure(&(Db){ .handle = sqlite3_db_handle(statement) });
    sqlite3_reset(statement);
    return rc;
}

int db_run(sqlite3_stmt *statement)
{
    int rc = db_step(statement);

    sqlite3_reset(statement);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

int db_number(Db *db, const char *sql, int64_t *number)
{
    sqlite3_stmt *statement = db_statement(db, sql);
    int rc = statement ? db_step(statement) : db_failure(db);

    if (rc != SQLITE_ROW)
        return rc;
    *number = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return SQLITE_OK;
}

int db_exec(Db *db, const char *sql)
{
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? SQLITE_OK
                                                                        : db_failure(db);
}

/* The bytes live until the statement has run: every caller runs it before it returns. */
int db_bind_bytes(sqlite3_stmt *statement, int column, Bytes bytes)
{
    return sqlite3_bind_blob64(
        statement, column, bytes.size ? (const void *)bytes.data : "", bytes.size, SQLITE_STATIC);
}

int db_bind_text(sqlite3_stmt *statement, int column, const char *text)
{
    return sqlite3_bind_text(statement, column, text, -1, SQLITE_STATIC);
}

Bytes db_bytes(Arena *arena, sqlite3_stmt *statement, int column)
{
    const void *bytes = sqlite3_column_blob(statement, column);
    size_t size = (size_t)sqlite3_column_bytes(statement, column);

    return (Bytes){ size ? arena_copy(arena, bytes, size) : NULL, size };
}

char *db_text(Arena *arena, sqlite3_stmt *statement, int column)
{
    return arena_text(arena, (const char *)sqlite3_column_text(statement, column));
}
