/* Where the answer to a key is: a table of hashes of keys. Hashes are anywhere in it, so that each would cost a page of the log: the
 * last ones wait in memory, and go into the table a part of all hashes at a time, which are near one another there. Whatever had not
 * gone when the store was closed, or a process died, waits again when it is opened: answers are numbered, and up to which number all
 * have gone is noted once a round. */
#include "shared/store/embedded.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_WAITING = 4096,
    N_PARTS = 64,
    PART_SHIFT = 58, /* the part is the hash's first bits */
};

typedef struct AnswerKey {
    uint64_t hash;
    int64_t answer;
    bool is_done; /* by the open transaction: it went, or the answer was removed */
} AnswerKey;

/* What a transaction that is taken back takes back. */
typedef struct Round {
    size_t n_keys;
    int next_part;
    int64_t until; /* the last answer when the round began */
} Round;

struct AnswerKeys {
    pthread_mutex_t lock; /* the writer changes what waits under it, others read */
    /* In the order of answers. Those that go make room when the transaction is over. */
    AnswerKey waiting[MAX_WAITING + 2 * EMBEDDED_BATCH];
    size_t n_done;
    Round now, committed;
    int64_t last_answer; /* writer only */
};

AnswerKeys *answer_keys_new(void)
{
    AnswerKeys *keys = calloc(1, sizeof(*keys));

    if (!keys)
        abort();
    pthread_mutex_init(&keys->lock, NULL);
    return keys;
}

void answer_keys_free(AnswerKeys *keys)
{
    pthread_mutex_destroy(&keys->lock);
    free(keys);
}

static int change_key(Db *db, const char *sql, uint64_t hash, int64_t answer)
{
    sqlite3_stmt *statement = db_statement(db, sql);

    if (!statement)
        return db_failure(db);
    sqlite3_bind_int64(statement, 1, (int64_t)hash);
    sqlite3_bind_int64(statement, 2, answer);
    return db_run(statement);
}

static int note_until(Db *db, int64_t answer)
{
    sqlite3_stmt *statement =
        db_statement(db, "INSERT OR REPLACE INTO \"store.meta\" VALUES ('answer_keys', ?1)");

    if (!statement)
        return db_failure(db);
    sqlite3_bind_int64(statement, 1, answer);
    return db_run(statement);
}

/* Those behind `until` that are not in the table wait again: opening a store writes nothing, for there may be no room. */
static int wait_again(AnswerKeys *keys, sqlite3_stmt *statement, bool *are_too_many)
{
    int rc;

    while ((rc = db_step(statement)) == SQLITE_ROW) {
        *are_too_many = keys->now.n_keys == MAX_WAITING + EMBEDDED_BATCH;
        if (*are_too_many)
            return SQLITE_OK;
        keys->waiting[keys->now.n_keys++] =
            (AnswerKey){ .hash = (uint64_t)sqlite3_column_int64(statement, 0),
                .answer = sqlite3_column_int64(statement, 1) };
    }
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* A store from before this table. */
static int write_all(Db *db, int64_t until, int64_t last)
{
    sqlite3_stmt *statement = db_statement(db,
        "INSERT OR IGNORE INTO \"store.answer_keys\" (key_hash, answer)"
        " SELECT key_hash, id FROM \"store.answers\" WHERE id > ?1 ORDER BY key_hash");
    int rc;

    if (!statement)
        return db_failure(db);
    sqlite3_bind_int64(statement, 1, until);
    return (rc = db_run(statement)) ? rc : note_until(db, last);
}

int answer_keys_open(Embedded *embedded)
{
    AnswerKeys *keys = embedded->answer_keys;
    Db *db = embedded->writer;
    int64_t until = 0, last = 0;
    sqlite3_stmt *statement;
    bool are_too_many = false;
    int rc;

    keys->now = keys->committed = (Round){ 0 };
    if ((rc = db_number(db,
             "SELECT coalesce((SELECT CAST(value AS INTEGER) FROM \"store.meta\""
             " WHERE key = 'answer_keys'), 0)",
             &until)) ||
        (rc = db_number(db, "SELECT coalesce(max(id), 0) FROM \"store.answers\"", &last)))
        return rc;
    keys->last_answer = last > until ? last : until;
    statement = db_statement(db,
        "SELECT key_hash, id FROM \"store.answers\" AS a WHERE id > ?1 AND NOT EXISTS"
        " (SELECT 1 FROM \"store.answer_keys\" AS k WHERE k.key_hash = a.key_hash AND k.answer = "
        "a.id)"
        " ORDER BY id");
    if (!statement)
        return db_failure(db);
    sqlite3_bind_int64(statement, 1, until);
    rc = wait_again(keys, statement, &are_too_many);
    sqlite3_reset(statement);
    if (are_too_many)
        keys->now = (Round){ 0 };
    keys->committed = keys->now;
    return are_too_many ? write_all(db, until, last) : rc;
}

static int write_part(Embedded *embedded, int part)
{
    AnswerKeys *keys = embedded->answer_keys;
    int rc = SQLITE_OK;

    for (size_t i = 0; i < keys->now.n_keys && rc == SQLITE_OK; i++) {
        AnswerKey *key = &keys->waiting[i];

        if (key->is_done || (int)(key->hash >> PART_SHIFT) != part)
            continue;
        rc = change_key(embedded->writer,
            "INSERT INTO \"store.answer_keys\" (key_hash, answer) VALUES (?1, ?2)", key->hash,
            key->answer);
        key->is_done = true;
        keys->n_done++;
    }
    return rc;
}

int answer_keys_make_room(Embedded *embedded)
{
    AnswerKeys *keys = embedded->answer_keys;
    Round *now = &keys->now;
    int rc = SQLITE_OK;

    while (now->n_keys - keys->n_done >= MAX_WAITING && rc == SQLITE_OK) {
        if (now->next_part == 0)
            now->until = keys->last_answer;
        rc = write_part(embedded, now->next_part);
        now->next_part = (now->next_part + 1) % N_PARTS;
        if (rc == SQLITE_OK && now->next_part == 0)
            rc = note_until(embedded->writer, now->until);
    }
    return rc;
}

int64_t answer_keys_add(Embedded *embedded, uint64_t hash)
{
    AnswerKeys *keys = embedded->answer_keys;
    int64_t answer = ++keys->last_answer;

    pthread_mutex_lock(&keys->lock);
    assert(keys->now.n_keys < COUNT(keys->waiting) && "room was made");
    keys->waiting[keys->now.n_keys++] = (AnswerKey){ .hash = hash, .answer = answer };
    pthread_mutex_unlock(&keys->lock);
    return answer;
}

int answer_keys_remove(Embedded *embedded, uint64_t hash, int64_t answer)
{
    AnswerKeys *keys = embedded->answer_keys;

    for (size_t i = 0; i < keys->now.n_keys && keys->waiting[i].answer <= answer; i++)
        if (keys->waiting[i].answer == answer && !keys->waiting[i].is_done) {
            keys->waiting[i].is_done = true;
            keys->n_done++;
            return SQLITE_OK;
        }
    return change_key(embedded->writer,
        "DELETE FROM \"store.answer_keys\" WHERE key_hash = ?1 AND answer = ?2", hash, answer);
}

bool answer_keys_next(AnswerKeys *keys, uint64_t hash, int64_t *answer)
{
    bool is_found = false;

    pthread_mutex_lock(&keys->lock);
    for (size_t i = 0; i < keys->now.n_keys && !is_found; i++) {
        is_found = keys->waiting[i].hash == hash && keys->waiting[i].answer > *answer;
        if (is_found)
            *answer = keys->waiting[i].answer;
    }
    pthread_mutex_unlock(&keys->lock);
    return is_found;
}

void answer_keys_each(AnswerKeys *keys, void (*see)(void *context, uint64_t hash), void *context)
{
    pthread_mutex_lock(&keys->lock);
    for (size_t i = 0; i < keys->now.n_keys; i++)
        see(context, keys->waiting[i].hash);
    pthread_mutex_unlock(&keys->lock);
}

/* Lets those go that are done. */
static void compact(AnswerKeys *keys)
{
    size_t n_left = 0;

    for (size_t i = 0; i < keys->now.n_keys; i++)
        if (!keys->waiting[i].is_done)
            keys->waiting[n_left++] = keys->waiting[i];
    keys->now.n_keys = n_left;
}

void answer_keys_settle(Embedded *embedded, bool is_committed)
{
    AnswerKeys *keys = embedded->answer_keys;

    pthread_mutex_lock(&keys->lock);
    if (!is_committed)
        keys->now = keys->committed;
    for (size_t i = 0; i < keys->now.n_keys && keys->n_done && !is_committed; i++)
        keys->waiting[i].is_done = false;
    if (keys->n_done && is_committed)
        compact(keys);
    keys->n_done = 0;
    keys->committed = keys->now;
    pthread_mutex_unlock(&keys->lock);
}
