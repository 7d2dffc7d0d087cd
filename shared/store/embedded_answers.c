/* The answers to request ids, in the order in which they came; found by a hash of the key (embedded_answer_keys.c). Most keys are new:
 * that is known without a look into the file. */
#include "shared/store/embedded.h"

#include "shared/base/clock.h"
#include "shared/base/id.h"
#include "shared/store/checksum.h"

#include <string.h>

enum { LOOK_AT_CLOCK_EVERY = 1024 };

/* Callers choose keys: nobody can choose them so that they meet. */
static int64_t key_hash(const char *key)
{
    uint8_t digest[32];
    int64_t hash;

    id_digest(key, strlen(key), digest);
    memcpy(&hash, digest, sizeof(hash));
    return hash;
}

static int64_t answer_checksum(const char *key, const uint8_t *hash, Bytes reply)
{
    uint64_t sum = checksum(1, key, strlen(key));

    sum = checksum(sum, hash, sizeof(((EngineAnswer *)0)->hash));
    return (int64_t)checksum(sum, reply.data, reply.size);
}

bool answer_is_possible(Embedded *embedded, const char *key)
{
    return seen_keys_may_have(embedded->seen, (uint64_t)key_hash(key));
}

static int read_answer(
    Db *db, Arena *arena, const char *sql, int64_t place, const char *key, EngineAnswer *answer)
{
    sqlite3_stmt *statement = db_statement(db, sql);
    int rc;

    if (!statement)
        return db_failure(db);
    sqlite3_bind_int64(statement, 1, place);
    db_bind_text(statement, 2, key);
    rc = db_step(statement);
    if (rc == SQLITE_ROW) {
        Bytes hash = db_bytes(arena, statement, 0);

        answer->reply = db_bytes(arena, statement, 1);
        answer->is_found = true;
        rc = hash.size == sizeof(answer->hash) && sqlite3_column_int64(statement, 2) ==
                                                      answer_checksum(key, hash.data, answer->reply)
                 ? SQLITE_OK
                 : SQLITE_CORRUPT;
        if (rc == SQLITE_OK)
            memcpy(answer->hash, hash.data, sizeof(answer->hash));
    }
    sqlite3_reset(statement);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Among those whose keys wait first: whatever is not there any more the table has by then. */
int answer_find(Embedded *embedded, Db *db, Arena *arena, const char *key, EngineAnswer *answer)
{
    int64_t hash = key_hash(key), place = 0;
    int rc = SQLITE_OK;

    while (rc == SQLITE_OK && !answer->is_found &&
           answer_keys_next(embedded->answer_keys, (uint64_t)hash, &place))
        rc = read_answer(db, arena,
            "SELECT hash, reply, checksum FROM \"store.answers\" WHERE id = ?1 AND key = ?2", place,
            key, answer);
    if (rc != SQLITE_OK || answer->is_found)
        return rc;
    return read_answer(db, arena,
        "SELECT a.hash, a.reply, a.checksum FROM \"store.answer_keys\" AS k"
        " CROSS JOIN \"store.answers\" AS a ON a.id = k.answer"
        " WHERE k.key_hash = ?1 AND a.key = ?2",
        hash, key, answer);
}

int answer_put(Embedded *embedded, const char *key, const uint8_t *hash, Bytes reply)
{
    Db *db = embedded->writer;
    sqlite3_stmt *statement = db_statement(db,
        "INSERT INTO \"store.answers\" (key_hash, key, hash, time, checksum, reply, id)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
    int64_t place = key_hash(key);

    if (!statement)
        return db_failure(db);
    seen_keys_add(embedded->seen, (uint64_t)place);
    sqlite3_bind_int64(statement, 1, place);
    db_bind_text(statement, 2, key);
    db_bind_bytes(statement, 3, (Bytes){ hash, sizeof(((EngineAnswer *)0)->hash) });
    sqlite3_bind_int64(statement, 4, clock_now());
    sqlite3_bind_int64(statement, 5, answer_checksum(key, hash, reply));
    db_bind_bytes(statement, 6, reply);
    sqlite3_bind_int64(statement, 7, answer_keys_add(embedded, (uint64_t)place));
    return db_run(statement);
}

typedef struct Removed {
    int64_t answers[EMBEDDED_CLEAN_BATCH], hashes[EMBEDDED_CLEAN_BATCH];
    int count;
} Removed;

/* They stand in the order of time, but for steps of the clock. */
static int remove_old(Db *db, int64_t before, Removed *removed)
{
    sqlite3_stmt *statement = db_statement(db,
        "DELETE FROM \"store.answers\" WHERE id IN (SELECT id FROM"
        " (SELECT id, time FROM \"store.answers\" ORDER BY id LIMIT ?2) WHERE time < ?1)"
        " RETURNING id, key_hash");
    int rc;

    if (!statement)
        return db_failure(db);
    sqlite3_bind_int64(statement, 1, before);
    sqlite3_bind_int(statement, 2, EMBEDDED_CLEAN_BATCH);
    while ((rc = db_step(statement)) == SQLITE_ROW) {
        removed->answers[removed->count] = sqlite3_column_int64(statement, 0);
        removed->hashes[removed->count++] = sqlite3_column_int64(statement, 1);
    }
    sqlite3_reset(statement);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int answers_clean(Embedded *embedded, int64_t before, int64_t *n_removed)
{
    Removed removed = { .count = 0 };
    int rc = remove_old(embedded->writer, before, &removed);

    for (int i = 0; i < removed.count && rc == SQLITE_OK; i++)
        rc = answer_keys_remove(embedded, (uint64_t)removed.hashes[i], removed.answers[i]);
    *n_removed += removed.count;
    return rc;
}

static void see_key(void *seen, uint64_t hash)
{
    seen_keys_fill(seen, hash);
}

/* Those that wait first: see answer_find. */
static int fill(Embedded *embedded, const StoreView *view, Db *db)
{
    sqlite3_stmt *statement = db_statement(db, "SELECT key_hash FROM \"store.answer_keys\"");
    int rc, count = 0;

    if (!statement)
        return db_failure(db);
    answer_keys_each(embedded->answer_keys, see_key, embedded->seen);
    while ((rc = db_step(statement)) == SQLITE_ROW) {
        seen_keys_fill(embedded->seen, (uint64_t)sqlite3_column_int64(statement, 0));
        if (++count % LOOK_AT_CLOCK_EVERY == 0 && store_is_late(view))
            break;
    }
    sqlite3_reset(statement);
    if (rc == SQLITE_DONE)
        seen_keys_finish(embedded->seen);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

const Error *answers_expect(Embedded *embedded, const StoreView *view, bool *is_due)
{
    int64_t count = 0;
    const Error *error;
    Db *db;
    int rc;

    if ((error = reader_take(embedded, view, &db)))
        return error;
    rc = db_number(db, "SELECT coalesce(max(id) - min(id) + 1, 0) FROM \"store.answers\"", &count);
    reader_return(embedded, db);
    *is_due = rc == SQLITE_OK && seen_keys_begin(embedded->seen, (uint64_t)count);
    return rc == SQLITE_OK ? NULL : db_error(rc);
}

const Error *answers_learn(Embedded *embedded, const StoreView *view)
{
    const Error *error;
    Db *db;
    int rc;

    if ((error = reader_take(embedded, view, &db)))
        return error;
    rc = fill(embedded, view, db);
    reader_return(embedded, db);
    return rc == SQLITE_OK ? NULL : db_error(rc);
}
