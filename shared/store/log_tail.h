/* The newest records of the log in memory, as the last commit has them: whoever follows the log needs no look into the file. Bounded;
 * the writer fills it, any thread reads it. */
#ifndef THROUGHLINE_STORE_LOG_TAIL_H
#define THROUGHLINE_STORE_LOG_TAIL_H

#include "shared/base/arena.h"
#include "shared/base/text.h"

enum {
    LOG_TAIL_RECORDS = 512,       /* of a partition, at most */
    LOG_TAIL_BYTES = 1024 * 1024, /* the same; a larger record is not kept */
};

typedef struct LogTail LogTail;

LogTail *log_tail_new(void);
void log_tail_free(LogTail *tail);

/* The body of a record that is committed. One that does not follow on the one before it in its partition makes that forgotten. */
void log_tail_put(LogTail *tail, int partition, int64_t sequence, Bytes body);

/* Copies the bodies of the records after `after` into the arena, `limit` at most; returns how many, 0 when the first of them is not
 * here. */
size_t log_tail_get(
    LogTail *tail, int partition, int64_t after, size_t limit, Arena *arena, Bytes *bodies);

#endif
