/* The embedded engine: FOLDER/<service>.db and, beside it, a lock so that two processes cannot write it by mistake. */
#include "shared/store/embedded.h"

#include "shared/base/condition.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static IndexEntry *copy_entries(Arena *arena, const IndexEntry *entries, size_t n_entries)
{
    IndexEntry *copy = arena_array(arena, n_entries, sizeof(*copy));

    for (size_t i = 0; i < n_entries; i++) {
        copy[i].index = entries[i].index;
        copy[i].key = bytes_copy(arena, entries[i].key);
    }
    return copy;
}

static const char *copy_text(Arena *arena, const char *text)
{
    return text ? arena_text(arena, text) : NULL;
}

static const uint8_t *copy_hash(Arena *arena, const char *key, const uint8_t *hash)
{
    return key ? arena_copy(arena, hash, sizeof(((EngineAnswer *)0)->hash)) : NULL;
}

static EngineWrite copy_write(
    const StoreLog *log, const StoreView *view, Arena *arena, const EngineWrite *write)
{
    EngineWrite copy = *write;
    const Error *error;

    copy.name = copy_text(arena, write->name);
    copy.body = bytes_copy(arena, write->body);
    copy.entries = copy_entries(arena, write->entries, write->n_entries);
    if ((error = events_make(log, view, arena, &copy)) && !copy.outcome.error)
        copy.outcome = (EngineOutcome){ ENGINE_FAILED, error };
    copy.request_key = copy_text(arena, write->request_key);
    copy.request_hash = copy_hash(arena, write->request_key, write->request_hash);
    copy.reply = bytes_copy(arena, write->reply);
    copy.mark_source = copy_text(arena, write->mark_source);
    return copy;
}

/* What the job says of one write, in the caller's memory. A job that was given up may still be at work: hands off it. */
static EngineOutcome outcome_of(
    const StoreView *view, const Error *error, const EngineOutcome *outcome)
{
    EngineOutcome result;

    if (error)
        return (EngineOutcome){ .result = ENGINE_FAILED, .error = error };
    result = *outcome;
    result.reply = bytes_copy(view->arena, outcome->reply);
    return result;
}

static void embedded_write(
    Engine *engine, const StoreView *view, EngineWrite *writes, size_t n_writes)
{
    Embedded *embedded = (Embedded *)engine;
    Job *job = job_new(JOB_WRITE);
    const Error *error;

    job->writes = arena_array(job->arena, n_writes, sizeof(*job->writes));
    job->n_writes = n_writes;
    for (size_t i = 0; i < n_writes; i++)
        job->writes[i] = copy_write(embedded->log, view, job->arena, &writes[i]);
    error = writer_submit(embedded, view, job);
    for (size_t i = 0; i < n_writes; i++)
        if (!writes[i].outcome.error)
            writes[i].outcome = outcome_of(view, error, &job->writes[i].outcome);
    job_release(job);
}

static void embedded_write_later(Engine *engine, const StoreView *view, const EngineWrite *write,
    EngineWritten written, void *context)
{
    Embedded *embedded = (Embedded *)engine;
    Job *job = job_new(JOB_WRITE);

    job->writes = arena_alloc(job->arena, sizeof(*job->writes));
    job->n_writes = 1;
    job->writes[0] = copy_write(embedded->log, view, job->arena, write);
    job->written = written;
    job->context = context;
    job->deadline = view->deadline;
    writer_submit_later(embedded, job);
}

static void embedded_remove(
    Engine *engine, const StoreView *view, const EngineRemoval *removal, EngineOutcome *outcome)
{
    Job *job = job_new(JOB_REMOVE);
    const Error *error;

    job->removal = *removal;
    job->removal.name = copy_text(job->arena, removal->name);
    job->removal.request_key = copy_text(job->arena, removal->request_key);
    job->removal.request_hash = copy_hash(job->arena, removal->request_key, removal->request_hash);
    job->removal.reply = bytes_copy(job->arena, removal->reply);
    error = writer_submit((Embedded *)engine, view, job);
    *outcome = outcome_of(view, error, &job->outcome);
    job_release(job);
}

static void embedded_increment(
    Engine *engine, const StoreView *view, const EngineIncrement *increment, EngineOutcome *outcome)
{
    Job *job = job_new(JOB_INCREMENT);
    const Error *error;

    job->increment = *increment;
    job->increment.name = copy_text(job->arena, increment->name);
    job->increment.field = copy_text(job->arena, increment->field);
    error = writer_submit((Embedded *)engine, view, job);
    *outcome = outcome_of(view, error, &job->outcome);
    job_release(job);
}

static const Error *embedded_trim_outbox(
    Engine *engine, const StoreView *view, const StoreEntry *entries, size_t n_entries)
{
    Job *job = job_new(JOB_TRIM);
    const Error *error;

    job->entries = arena_array(job->arena, n_entries, sizeof(*job->entries));
    job->n_entries = n_entries;
    for (size_t i = 0; i < n_entries; i++) {
        job->entries[i].collection = copy_text(job->arena, entries[i].collection);
        job->entries[i].aggregate = copy_text(job->arena, entries[i].aggregate);
        job->entries[i].number = entries[i].number;
        job->entries[i].partition = entries[i].partition;
        job->entries[i].place = entries[i].place;
    }
    error = writer_submit((Embedded *)engine, view, job);
    job_release(job);
    return error;
}

/* In small transactions, so that nobody waits long behind one. */
static const Error *embedded_clean(Engine *engine, const StoreView *view, int64_t now)
{
    bool is_due = false;
    const Error *error = answers_expect((Embedded *)engine, view, &is_due);
    int64_t removed = 1;

    while (!error && removed) {
        Job *job = job_new(JOB_CLEAN);

        job->now = now;
        error = writer_submit((Embedded *)engine, view, job);
        if (!error)
            removed = job->outcome.value;
        job_release(job);
    }
    if (!error && is_due)
        error = answers_learn((Embedded *)engine, view);
    return error;
}

static bool has_space(const Embedded *embedded)
{
    struct statvfs disk;

    return statvfs(embedded->path, &disk) ||
           (uint64_t)disk.f_bavail * disk.f_frsize >= EMBEDDED_LEAST_SPACE;
}

/* Once the disk was full it is probed, so that the store is ready again as soon as there is space. */
static const Error *probe(Embedded *embedded, const StoreView *view)
{
    const Error *error;
    Job *job;

    if (!has_space(embedded))
        return &store_full;
    job = job_new(JOB_PROBE);
    error = writer_submit(embedded, view, job);
    job_release(job);
    return error;
}

static const Error *embedded_check(Engine *engine, const StoreView *view)
{
    Embedded *embedded = (Embedded *)engine;
    const Error *error;

    if (atomic_load(&embedded->is_stopped))
        return &store_unavailable;
    if (atomic_load(&embedded->is_full) && (error = probe(embedded, view)))
        return error;
    return embedded_touch(embedded, view);
}

static StoreCounts embedded_counts(const Engine *engine)
{
    const Embedded *embedded = (const Embedded *)engine;

    return (StoreCounts){ atomic_load(&embedded->n_writes), vfs_syncs(embedded->vfs) };
}

/* The readers go first: the last connection moves the log into the database, which a stopped store must not do. */
static void free_embedded(Embedded *embedded)
{
    for (int i = 0; i < embedded->n_idle; i++)
        db_close(embedded->idle[i]);
    db_close(embedded->mover);
    if (embedded->writer && atomic_load(&embedded->is_stopped))
        sqlite3_db_config(
            embedded->writer->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
    db_close(embedded->writer);
    if (embedded->vfs)
        vfs_free(embedded->vfs);
    if (embedded->lock_file >= 0)
        close(embedded->lock_file);
    row_cache_free(embedded->rows);
    log_tail_free(embedded->tail);
    seen_keys_free(embedded->seen);
    answer_keys_free(embedded->answer_keys);
    free(embedded->changes);
    free(embedded->logged);
    pthread_cond_destroy(&embedded->log_asked);
    pthread_cond_destroy(&embedded->returned);
    pthread_mutex_destroy(&embedded->pool_lock);
    pthread_cond_destroy(&embedded->submitted);
    pthread_mutex_destroy(&embedded->lock);
    pthread_mutex_destroy(&embedded->tell_lock);
    arena_free(embedded->arena);
    free(embedded);
}

static void embedded_close(Engine *engine)
{
    Embedded *embedded = (Embedded *)engine;

    writer_stop(embedded);
    free_embedded(embedded);
}

static const EngineOps embedded_ops = {
    .close = embedded_close,
    .check = embedded_check,
    .get = embedded_get,
    .find = embedded_find,
    .find_answer = embedded_find_answer,
    .write = embedded_write,
    .write_later = embedded_write_later,
    .remove = embedded_remove,
    .increment = embedded_increment,
    .read_outbox = embedded_read_outbox,
    .trim_outbox = embedded_trim_outbox,
    .on_log = embedded_on_log,
    .read_tail = embedded_read_tail,
    .clean = embedded_clean,
    .counts = embedded_counts,
};

static const Error *no_folder(Arena *arena, const char *path)
{
    return error_with_retry(arena,
        error_new(arena, ERROR_UNAVAILABLE, "STORE_UNAVAILABLE", "%s: %s.", path, strerror(errno)),
        store_unavailable.retry_after_ms);
}

/* Held for as long as the engine is open, whatever happens to the process. */
static const Error *lock_folder(
    Embedded *embedded, Arena *arena, const char *folder, const char *service)
{
    const char *path = arena_printf(arena, "%s/%s.lock", folder, service);

    if (mkdir(folder, 0700) && errno != EEXIST)
        return no_folder(arena, folder);
    embedded->lock_file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (embedded->lock_file < 0)
        return no_folder(arena, path);
    if (flock(embedded->lock_file, LOCK_EX | LOCK_NB))
        return error_with_retry(arena,
            error_new(arena, ERROR_UNAVAILABLE, "STORE_UNAVAILABLE",
                "Another process has the store %s/%s.db open.", folder, service),
            store_unavailable.retry_after_ms);
    return NULL;
}

static Embedded *new_embedded(const StoreOptions *options)
{
    Embedded *embedded = calloc(1, sizeof(*embedded));

    if (!embedded)
        abort();
    embedded->engine.ops = &embedded_ops;
    embedded->engine.body = &body_wire;
    embedded->engine.collections = options->collections;
    while (options->collections[embedded->engine.n_collections])
        embedded->engine.n_collections++;
    embedded->arena = arena_new();
    embedded->rows = row_cache_new();
    embedded->tail = log_tail_new();
    embedded->seen = seen_keys_new();
    embedded->answer_keys = answer_keys_new();
    embedded->lock_file = -1;
    embedded->queue_limit = options->queue_limit ? options->queue_limit : EMBEDDED_QUEUE_DEFAULT;
    embedded->n_wanted = 1;
    embedded->log = options->log;
    embedded->sql =
        schema_sql(embedded->arena, options->collections, embedded->engine.n_collections);
    pthread_mutex_init(&embedded->lock, NULL);
    pthread_mutex_init(&embedded->tell_lock, NULL);
    pthread_mutex_init(&embedded->pool_lock, NULL);
    condition_init(&embedded->submitted);
    condition_init(&embedded->returned);
    pthread_cond_init(&embedded->log_asked, NULL);
    return embedded;
}

const Error *engine_embedded_open(Arena *arena, const StoreOptions *options, Engine **engine)
{
    const char *folder = options->uri + strlen("embedded:");
    Embedded *embedded;
    const Error *error;

    if (text_is_empty(folder))
        return error_new(arena, ERROR_INVALID_ARGUMENT, "STORE_URI_INVALID",
            "The embedded store needs a folder: \"embedded:FOLDER\".");
    embedded = new_embedded(options);
    embedded->path = arena_printf(embedded->arena, "%s/%s.db", folder, options->service);
    if (!(error = lock_folder(embedded, arena, folder, options->service))) {
        embedded->vfs = vfs_new();
        error = db_open(embedded->path, embedded->vfs, true, &embedded->writer);
    }
    if (error || (error = schema_prepare(embedded, arena)) ||
        (error = db_open(embedded->path, embedded->vfs, true, &embedded->mover))) {
        free_embedded(embedded);
        return error;
    }
    writer_start(embedded);
    *engine = &embedded->engine;
    return NULL;
}
