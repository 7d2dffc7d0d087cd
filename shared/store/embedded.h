/* Inside the embedded engine: one SQLite file, one thread that writes (embedded_writer.c), a pool of connections that
 * read (embedded_read.c). */
#ifndef THROUGHLINE_STORE_EMBEDDED_H
#define THROUGHLINE_STORE_EMBEDDED_H

#include "shared/store/embedded_vfs.h"
#include "shared/store/engine.h"
#include "shared/store/log_tail.h"
#include "shared/store/row_cache.h"
#include "shared/store/seen_keys.h"

#include <semaphore.h>
#include <stdatomic.h>

enum {
    EMBEDDED_READERS = 8,          /* connections that read, opened when needed */
    EMBEDDED_QUEUE_DEFAULT = 4096, /* writes waiting */
    EMBEDDED_BATCH = 512,          /* writes in one transaction, about */
    EMBEDDED_LOG_PAGES = 4000, /* in the write-ahead log before they are moved into the database */
    EMBEDDED_LEAST_SPACE = 512 * 1024, /* bytes free before a store that was full is ready again */
    EMBEDDED_CLEAN_BATCH = 200,        /* documents, and answers, removed in one transaction */
};

/* The texts of all statements on one index. */
typedef struct IndexSql {
    char *put, *drop, *owner, *up, *down;
} IndexSql;

/* The texts of all statements on one collection. */
typedef struct CollectionSql {
    char *head, *body, *insert, *update, *remove, *expired, *up, *down;
    IndexSql indexes[STORE_MAX_INDEXES];
} CollectionSql;

/* One connection and the statements it has prepared, found by the address of their text. */
typedef struct Db {
    sqlite3 *handle;
    struct {
        const char *sql;
        sqlite3_stmt *statement;
    } * statements;
    size_t n_statements, n_slots;
} Db;

typedef enum JobKind {
    JOB_WRITE,
    JOB_REMOVE,
    JOB_INCREMENT,
    JOB_TRIM,
    JOB_CLEAN,
    JOB_PROBE, /* is there space again? */
} JobKind;

/* What a caller asks of the writer. Owns copies of everything, since a caller whose time is over leaves before the writer is
 * done. */
typedef struct Job {
    struct Job *next;
    JobKind kind;
    Arena *arena;
    EngineWrite *writes;
    size_t n_writes;
    EngineRemoval removal;
    EngineIncrement increment;
    StoreEntry *entries;
    size_t n_entries;
    int64_t now;
    EngineOutcome outcome; /* of everything but JOB_WRITE */
    const Error *error;    /* a constant; NULL when it is committed */
    bool is_relaxed;       /* see StoreView */
    atomic_bool is_abandoned;
    atomic_int holders;
    sem_t finished;          /* raised once */
    atomic_bool is_finished; /* what the writer did before is seen by whoever sees this */
    EngineWritten written;   /* called when a JOB_WRITE ends that nobody waits for; else NULL */
    void *context;
    int64_t deadline; /* of such a one: it is not begun later; 0: none */
} Job;

/* What the store keeps of a document beside its body; `id`: of its row. */
typedef struct Head {
    bool is_there;
    int64_t id, version, events;
    Bytes keys, marks;
} Head;

/* A document that the open transaction has changed. */
typedef struct Change {
    size_t collection;
    const char *name;
    Head head; /* not there: removed */
    Bytes body;
} Change;

/* Where answers are: see embedded_answer_keys.c. */
typedef struct AnswerKeys AnswerKeys;

/* One more record of the log; the body is the job's. */
typedef struct LogRecord {
    int partition;
    int64_t sequence;
    Bytes body;
} LogRecord;

typedef enum LogState {
    LOG_GROWS,
    LOG_MOVES,    /* into the database, by the thread for it */
    LOG_IS_MOVED, /* but for what came meanwhile */
} LogState;

typedef struct Embedded {
    Engine engine;
    char *path;
    Arena *arena; /* texts that live as long as the engine */
    CheckedVfs *vfs;
    int lock_file;
    CollectionSql *sql; /* one a collection */
    RowCache *rows;
    SeenKeys *seen;
    AnswerKeys *answer_keys;

    Db *writer;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t submitted;
    Job *first, *last;
    int64_t n_waiting, queue_limit; /* writes */
    size_t n_jobs;                  /* waiting */
    size_t n_last_batch;            /* jobs */
    size_t n_wanted;                /* jobs from which on the writer is woken */
    int64_t last_micros;            /* that the last transaction took; writer only */
    Change *changes;                /* of the open transaction; writer only, as the next */
    size_t n_changes, max_changes;
    bool has_graves;
    int64_t last_entry;  /* of the outbox: its number */
    int64_t n_outbox;    /* entries in it */
    const StoreLog *log; /* NULL: none */
    bool knows_log;      /* log_heads are what the file says, with the open transaction */
    int64_t log_heads[STORE_PARTITIONS];
    LogTail *tail;
    LogRecord *logged; /* what the open transaction has put into the log */
    size_t n_logged, max_logged;
    pthread_mutex_t tell_lock;
    StoreTell tell; /* NULL: nobody listens */
    void *tell_context;
    bool is_closing;
    atomic_bool is_stopped; /* a sync or a write failed: nothing is written any more */
    atomic_bool is_full;
    atomic_llong n_writes;

    Db *mover; /* the connection of the thread that moves the log */
    pthread_t log_thread;
    pthread_cond_t log_asked;
    LogState log_state; /* under `lock` */
    int log_pages,
        log_limit; /* writer only: after the last commit, and from when on to move them */

    pthread_mutex_t pool_lock;
    pthread_cond_t returned;
    Db *idle[EMBEDDED_READERS];
    int n_idle, n_open;
} Embedded;

/* embedded_db.c */

/* Opens a connection. Errors are constants. */
const Error *db_open(const char *path, CheckedVfs *vfs, bool is_writer, Db **db);
void db_close(Db *db);

/* The prepared statement of a text that lives as long as the connection, reset and unbound; NULL when SQLite refuses. */
sqlite3_stmt *db_statement(Db *db, const char *sql);

/* Why the last call on the connection failed: an extended error code. */
int db_failure(const Db *db);

/* Runs a statement that gives no rows. SQLITE_OK or an extended error code. */
int db_run(sqlite3_stmt *statement);
int db_exec(Db *db, const char *sql);

/* The one number that a query gives. */
int db_number(Db *db, const char *sql, int64_t *number);

/* SQLITE_ROW, SQLITE_DONE or an extended error code. */
int db_step(sqlite3_stmt *statement);

int db_bind_bytes(sqlite3_stmt *statement, int column, Bytes bytes);
int db_bind_text(sqlite3_stmt *statement, int column, const char *text);
Bytes db_bytes(Arena *arena, sqlite3_stmt *statement, int column);
char *db_text(Arena *arena, sqlite3_stmt *statement, int column);

/* The constant error of a result code. */
const Error *db_error(int rc);

/* Whether nothing may be written after this result: what is on the disk is not known any more. */
bool db_is_fatal(int rc);

/* embedded_schema.c */

/* Creates what is not there, and makes the indexes of a collection anew when they are declared otherwise than before. */
const Error *schema_prepare(Embedded *embedded, Arena *arena);
CollectionSql *schema_sql(Arena *arena, const Collection *const *collections, size_t n_collections);

/* embedded_apply.c */

/* Does a job inside the open transaction. A write that breaks the contract changes nothing and says so in its outcome; the result
 * is an error of SQLite itself. */
int job_apply(Embedded *embedded, Job *job);

int apply_removal(
    Embedded *embedded, Arena *arena, const EngineRemoval *removal, EngineOutcome *outcome);

/* The document, its entries, events and answer. `head` is what was there before. */
int put_document(
    Embedded *embedded, Arena *arena, size_t collection, const EngineWrite *write, Head *head);

/* embedded_events.c */

/* Copies the events of a write that is on its way to the writer and makes their records: by the caller's thread, the writer has
 * enough to do. An error, in the view's arena: the log cannot take
 * them. */
const Error *events_make(
    const StoreLog *log, const StoreView *view, Arena *arena, EngineWrite *write);

/* Puts the events into the log, or into the outbox while there is something older. */
int put_events(Embedded *embedded, Arena *arena, const EngineWrite *write, int64_t first_number);
/* Whether that is the log now. */
bool events_are_logged(const Embedded *embedded);
void embedded_on_log(Engine *engine, StoreTell tell, void *context);
size_t embedded_read_tail(Engine *engine, Arena *arena, int partition, int64_t after, size_t limit,
    EngineDocument *documents);
/* Counts what waits in the outbox. */
int events_count(Embedded *embedded);
/* By the writer, after the transaction. */
void events_settle(Embedded *embedded, bool is_committed);

/* embedded_head.c: what the writer knows of documents */

int head_read(Embedded *embedded, Arena *arena, size_t collection, const char *name, Head *head);

/* A removed document's numbers, which go on when its name comes back. */
int head_bury(Embedded *embedded, size_t collection, const char *name, const Head *head);
int head_exhume(Embedded *embedded, size_t collection, const char *name, Head *head);

/* Notes a change; the texts and bytes live until the transaction is over. */
void head_changed(
    Embedded *embedded, size_t collection, const char *name, const Head *head, Bytes body);
/* After the transaction: readers see its changes, or they are forgotten. */
void heads_settle(Embedded *embedded, bool is_committed);

/* embedded_answers.c */

/* The answer under a key, by any connection that is not in the middle of reading. */
int answer_find(Embedded *embedded, Db *db, Arena *arena, const char *key, EngineAnswer *answer);
/* False: certainly none is kept under this key. */
bool answer_is_possible(Embedded *embedded, const char *key);
int answer_put(Embedded *embedded, const char *key, const uint8_t *hash, Bytes reply);
/* Removes some that are old; *n_removed counts on. */
int answers_clean(Embedded *embedded, int64_t before, int64_t *n_removed);
/* Whether the keys of the file are to be learned anew. If so, first a transaction has to end: what was under way before this is then
 * in the file, and what comes later is noted as it comes. */
const Error *answers_expect(Embedded *embedded, const StoreView *view, bool *is_due);
const Error *answers_learn(Embedded *embedded, const StoreView *view);

/* embedded_answer_keys.c: by the writer, where nothing else is said */

AnswerKeys *answer_keys_new(void);
void answer_keys_free(AnswerKeys *keys);
/* In the transaction that prepares the tables. */
int answer_keys_open(Embedded *embedded);
/* When a transaction has begun: for all that it may add. */
int answer_keys_make_room(Embedded *embedded);
/* The number of the answer to come. */
int64_t answer_keys_add(Embedded *embedded, uint64_t hash);
int answer_keys_remove(Embedded *embedded, uint64_t hash, int64_t answer);
/* The next answer behind `answer`, of those that wait; the others are in the table for everyone who looks there afterwards. Any thread,
 * as the next. */
bool answer_keys_next(AnswerKeys *keys, uint64_t hash, int64_t *answer);
void answer_keys_each(AnswerKeys *keys, void (*see)(void *context, uint64_t hash), void *context);
/* After the transaction. */
void answer_keys_settle(Embedded *embedded, bool is_committed);

/* embedded_upkeep.c */

int apply_trim(Embedded *embedded, Job *job);
/* outcome.value: how many documents and answers it removed. */
int apply_clean(Embedded *embedded, Job *job);
/* Writes a little. */
int apply_probe(Embedded *embedded);

/* embedded_row.c */

/* The columns of every statement that reads a document. */
enum { COL_KEY, COL_NAME, COL_VERSION, COL_EVENTS, COL_CHECKSUM, COL_KEYS, COL_MARKS, COL_BODY };

/* False when the row is damaged. */
bool row_read(Arena *arena, sqlite3_stmt *row, EngineDocument *document, Bytes *keys);

/* Over everything in a row that a flipped bit could make a wrong answer. */
int64_t row_checksum(
    const char *name, int64_t version, int64_t events, Bytes keys, Bytes marks, Bytes body);

/* embedded_writer.c */

Job *job_new(JobKind kind);
void job_release(Job *job);

/* Hands the job over and waits for it, at most until the view's deadline. */
const Error *writer_submit(Embedded *embedded, const StoreView *view, Job *job);
/* Hands over a job with `written`, which hears how it ends; the caller's hold on it, too. */
void writer_submit_later(Embedded *embedded, Job *job);
void writer_start(Embedded *embedded);
/* Ends when all jobs are done. */
void writer_stop(Embedded *embedded);

/* embedded_log.c */

void log_start(Embedded *embedded);
/* By the writer, between two transactions. */
void log_after_commit(Embedded *embedded);
/* After is_closing was set. */
void log_stop(Embedded *embedded);
void writer_stop_for_good(Embedded *embedded, int rc);

/* embedded_read.c */

/* A connection of the pool, to be given back soon. */
const Error *reader_take(Embedded *embedded, const StoreView *view, Db **db);
void reader_return(Embedded *embedded, Db *db);

const Error *embedded_get(Engine *engine, const StoreView *view, const Collection *collection,
    const char *const *names, size_t n_names, EngineDocument *documents, EngineAnswer *answer);
const Error *embedded_find(Engine *engine, const StoreView *view, const EngineRange *range,
    EngineDocument **documents, size_t *n_documents);
const Error *embedded_find_answer(Engine *engine, const StoreView *view, EngineAnswer *answer);
const Error *embedded_read_outbox(Engine *engine, const StoreView *view, unsigned partitions,
    size_t limit, StoreEntry **entries, size_t *n_entries);
/* Reads something. */
const Error *embedded_touch(Embedded *embedded, const StoreView *view);

#endif
