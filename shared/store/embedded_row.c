/* Rows of documents, with the checksum that shows a flipped bit in any of their columns. */
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
