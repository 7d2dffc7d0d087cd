/* Rows of documents and answers, with the checksums that show a flipped bit in any of their columns. */
#include "shared/store/embedded.h"

#include "shared/store/checksum.h"

#include <string.h>

int64_t row_checksum(
    const char *name, int64_t version, int64_t events, Bytes keys, Bytes marks, Bytes body)
{
    int64_t numbers[2] = { version, events };
    uint64_t sum = checksum(1, name, strlen(name));

    sum = checksum(sum, numbers, sizeof(numbers));
    sum = checksum(sum, keys.data, keys.size);
    sum = checksum(sum, marks.data, marks.size);
    return (int64_t)checksum(sum, body.data, body.size);
}

bool row_read(Arena *arena, sqlite3_stmt *row, EngineDocument *document, Bytes *keys)
{
    Bytes marks = db_bytes(arena, row, COL_MARKS);
    int64_t events = sqlite3_column_int64(row, COL_EVENTS);

    *keys = db_bytes(arena, row, COL_KEYS);
    document->name = db_text(arena, row, COL_NAME);
    document->version = sqlite3_column_int64(row, COL_VERSION);
    document->key = db_bytes(arena, row, COL_KEY);
    document->body = db_bytes(arena, row, COL_BODY);
    return sqlite3_column_int64(row, COL_CHECKSUM) ==
           row_checksum(document->name, document->version, events, *keys, marks, document->body);
}

int answer_find(Db *db, Arena *arena, const char *key, EngineAnswer *answer)
{
    sqlite3_stmt *statement =
        db_statement(db, "SELECT hash, reply, checksum FROM \"store.answers\" WHERE key = ?1");
    int rc;

    if (!statement)
        return db_failure(db);
    db_bind_text(statement, 1, key);
    rc = db_step(statement);
    if (rc == SQLITE_ROW) {
        Bytes hash = db_bytes(arena, statement, 0);

        answer->reply = db_bytes(arena, statement, 1);
        answer->is_found = true;
        rc = hash.size == sizeof(answer->hash) &&
                     sqlite3_column_int64(statement, 2) ==
                         (int64_t)checksum(0, answer->reply.data, answer->reply.size)
                 ? SQLITE_OK
                 : SQLITE_CORRUPT;
        if (rc == SQLITE_OK)
            memcpy(answer->hash, hash.data, sizeof(answer->hash));
    }
    sqlite3_reset(statement);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}
