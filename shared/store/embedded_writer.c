/* The thread that writes: it takes all jobs that wait, does them in one transaction and answers when that is on the disk. While one
 * transaction is being synced the next one gathers. */
#include "shared/store/embedded.h"

#include "shared/base/clock.h"
#include "shared/base/condition.h"
#include "shared/base/log.h"

#include <errno.h>
#include <stdlib.h>

enum {
    MICROS = 1000000,
    GATHER_FROM = 8,      /* callers from which on waiting for more of them pays */
    GATHER_MICROS = 1000, /* at most, and no longer than the last transaction took */
};

Job *job_new(JobKind kind)
{
    Job *job = calloc(1, sizeof(*job));

    if (!job)
        abort();
    job->kind = kind;
    job->arena = arena_new();
    atomic_init(&job->is_abandoned, false);
    atomic_init(&job->holders, 1);
    atomic_init(&job->is_finished, false);
    sem_init(&job->finished, 0, 0);
    return job;
}

void job_release(Job *job)
{
    if (atomic_fetch_sub(&job->holders, 1) > 1)
        return;
    sem_destroy(&job->finished);
    arena_free(job->arena);
    free(job);
}

static int64_t job_writes(const Job *job)
{
    return job->kind == JOB_WRITE ? (int64_t)job->n_writes : 1;
}

static const Error *enqueue(Embedded *embedded, Job *job)
{
    const Error *error = NULL;
    bool is_awaited = false;

    pthread_mutex_lock(&embedded->lock);
    if (atomic_load(&embedded->is_stopped) || embedded->is_closing)
        error = &store_unavailable;
    else if (embedded->n_waiting && embedded->n_waiting + job_writes(job) > embedded->queue_limit)
        error = &store_busy;
    if (!error) {
        atomic_fetch_add(&job->holders, 1);
        if (embedded->last)
            embedded->last->next = job;
        else
            embedded->first = job;
        embedded->last = job;
        embedded->n_waiting += job_writes(job);
        embedded->n_jobs++;
        is_awaited = embedded->n_jobs >= embedded->n_wanted;
    }
    pthread_mutex_unlock(&embedded->lock);
    /* Here and below a signal goes out after the lock is free, or the one who wakes would have to
     * sleep again for it. */
    if (is_awaited)
        pthread_cond_signal(&embedded->submitted);
    return error;
}

const Error *writer_submit(Embedded *embedded, const StoreView *view, Job *job)
{
    struct timespec end = { view->deadline / MICROS, view->deadline % MICROS * 1000 };
    const Error *error;

    job->is_relaxed = view->is_relaxed;
    error = view->is_hasty ? &store_would_wait : enqueue(embedded, job);
    if (error)
        return error;
    /* A semaphore: the lock of a condition costs everyone who waited one more system call. */
    while (!atomic_load(&job->is_finished)) {
        if (!view->deadline)
            sem_wait(&job->finished);
        else if (sem_clockwait(&job->finished, CLOCK_MONOTONIC, &end) && errno == ETIMEDOUT &&
                 !atomic_load(&job->is_finished)) {
            atomic_store(&job->is_abandoned, true);
            return &store_too_late;
        }
    }
    return job->error;
}

void writer_submit_later(Embedded *embedded, Job *job)
{
    if (enqueue(embedded, job))
        job->written(job->context, NULL);
    job_release(job);
}

/* Whether it is too late to begin with it. */
static bool is_given_up(Job *job)
{
    if (job->deadline && clock_monotonic() >= job->deadline)
        atomic_store(&job->is_abandoned, true);
    return atomic_load(&job->is_abandoned);
}

/* Under load the callers that the last transaction woke are about to come back: a short wait for half of them makes one sync
 * serve them all. Called with the lock held. */
static void gather(Embedded *embedded, size_t n_callers)
{
    int64_t wait = embedded->last_micros < GATHER_MICROS ? embedded->last_micros : GATHER_MICROS;
    int64_t end = clock_monotonic() + wait;

    if (n_callers < GATHER_FROM)
        return;
    embedded->n_wanted = n_callers / 2;
    while (!embedded->is_closing && embedded->n_jobs < embedded->n_wanted &&
           condition_wait_until(&embedded->submitted, &embedded->lock, end))
        continue;
    embedded->n_wanted = 1;
}

/* The jobs of the next transaction as a list; NULL when the engine closes and nothing is left. */
static Job *take_batch(Embedded *embedded)
{
    int64_t n_writes = 0;
    size_t n_jobs = 0, n_callers;
    Job *batch, *last = NULL;

    pthread_mutex_lock(&embedded->lock);
    n_callers = embedded->n_last_batch + embedded->n_jobs;
    while (!embedded->first && !embedded->is_closing)
        pthread_cond_wait(&embedded->submitted, &embedded->lock);
    gather(embedded, n_callers);
    batch = embedded->first;
    for (Job *job = batch; job && n_writes < EMBEDDED_BATCH; job = job->next) {
        n_writes += job_writes(job);
        n_jobs++;
        last = job;
    }
    if (last) {
        embedded->first = last->next;
        last->next = NULL;
    }
    if (!embedded->first)
        embedded->last = NULL;
    embedded->n_waiting -= n_writes;
    embedded->n_jobs -= n_jobs;
    embedded->n_last_batch = n_jobs;
    pthread_mutex_unlock(&embedded->lock);
    return batch;
}

static int run_text(Db *db, const char *sql)
{
    sqlite3_stmt *statement = db_statement(db, sql);

    return statement ? db_run(statement) : db_failure(db);
}

/* Relaxed only if all of the batch may be, and only this: what the writer moves out of the log later is synced before. */
static int commit(Embedded *embedded, const Job *batch)
{
    bool is_relaxed = true;
    int rc;

    for (const Job *job = batch; job; job = job->next)
        is_relaxed = is_relaxed && job->is_relaxed;
    vfs_relax(embedded->vfs, embedded->writer->handle, is_relaxed);
    rc = run_text(embedded->writer, "COMMIT");
    vfs_relax(embedded->vfs, embedded->writer->handle, false);
    return rc;
}

/* A full disk stays full until something could be written: a transaction that changes nothing says nothing of it. */
static int transact(Embedded *embedded, Job *batch)
{
    Db *db = embedded->writer;
    sqlite3_int64 changes = sqlite3_total_changes64(db->handle);
    int rc = run_text(db, "BEGIN IMMEDIATE");

    if (rc == SQLITE_OK)
        rc = answer_keys_make_room(embedded);
    for (Job *job = batch; job && rc == SQLITE_OK; job = job->next)
        if (!is_given_up(job))
            rc = job_apply(embedded, job);
    if (rc == SQLITE_OK)
        rc = commit(embedded, batch);
    if (rc != SQLITE_OK && !sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    if (rc == SQLITE_OK && sqlite3_total_changes64(db->handle) != changes)
        atomic_store(&embedded->is_full, false);
    heads_settle(embedded, rc == SQLITE_OK);
    events_settle(embedded, rc == SQLITE_OK);
    answer_keys_settle(embedded, rc == SQLITE_OK);
    return rc;
}

static void note_result(Embedded *embedded, int rc)
{
    if ((rc & 0xFF) == SQLITE_FULL)
        atomic_store(&embedded->is_full, true);
    else if (rc != SQLITE_OK && db_is_fatal(rc))
        writer_stop_for_good(embedded, rc);
}

static void count_writes(Embedded *embedded, const Job *job)
{
    bool is_callers = job->kind == JOB_REMOVE || job->kind == JOB_INCREMENT;
    int64_t done = is_callers && job->outcome.result == ENGINE_DONE;

    for (size_t i = 0; i < job->n_writes; i++)
        done += job->writes[i].outcome.result == ENGINE_DONE;
    atomic_fetch_add(&embedded->n_writes, done);
}

/* The outcomes of one that was given up are those of a transaction that failed, if any. */
static void finish(Embedded *embedded, Job *job, int rc)
{
    bool is_committed = rc == SQLITE_OK && !atomic_load(&job->is_abandoned);

    if (is_committed)
        count_writes(embedded, job);
    job->error = rc == SQLITE_OK ? NULL : db_error(rc);
    if (job->written)
        job->written(job->context, is_committed ? &job->writes[0] : NULL);
    atomic_store(&job->is_finished, true);
    sem_post(&job->finished);
    job_release(job);
}

/* When the whole batch meets a full disk or a damaged page, each job is tried alone, so that one does not spoil the others. */
static void commit_batch(Embedded *embedded, Job *batch)
{
    int rc = atomic_load(&embedded->is_stopped) ? SQLITE_IOERR : transact(embedded, batch);
    bool one_by_one = rc != SQLITE_OK && !db_is_fatal(rc) && batch->next;

    if (!one_by_one && !atomic_load(&embedded->is_stopped))
        note_result(embedded, rc);
    while (batch) {
        Job *job = batch;

        batch = job->next;
        job->next = NULL;
        if (one_by_one)
            commit_batch(embedded, job);
        else
            finish(embedded, job, rc);
    }
}

static void *run(void *argument)
{
    Embedded *embedded = argument;
    Job *batch;

    while ((batch = take_batch(embedded))) {
        int64_t start = clock_monotonic();

        commit_batch(embedded, batch);
        embedded->last_micros = clock_monotonic() - start;
        log_after_commit(embedded);
    }
    return NULL;
}

void writer_start(Embedded *embedded)
{
    log_start(embedded);
    if (pthread_create(&embedded->thread, NULL, run, embedded))
        abort();
}

void writer_stop(Embedded *embedded)
{
    pthread_mutex_lock(&embedded->lock);
    embedded->is_closing = true;
    pthread_cond_signal(&embedded->submitted);
    pthread_mutex_unlock(&embedded->lock);
    pthread_join(embedded->thread, NULL);
    log_stop(embedded);
}
