/* Moves the write-ahead log into the database, so that it does not grow for ever. A thread of its own moves the bulk while writes go
 * on; then the writer itself moves the little that came meanwhile, which lets the log start anew. Ours and not SQLite's own way,
 * which would hide a failed sync. */
#include "shared/store/embedded.h"

#include "shared/base/log.h"

#include <stdlib.h>

/* After a failed sync nobody knows what is on the disk, and a second sync would claim success: only a new start, which reads
 * the file again, may write on. */
void writer_stop_for_good(Embedded *embedded, int rc)
{
    atomic_store(&embedded->is_stopped, true);
    log_write(LOG_ERROR, "store_stopped",
        (const LogField[]){ { "reason", sqlite3_errstr(rc) }, { "sqlite", .number = rc }, { 0 } });
}

/* Readers may hold some of it back: that is for the next time. */
static void move(Embedded *embedded, Db *db)
{
    int rc = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

    if (rc == SQLITE_OK || (rc & 0xFF) == SQLITE_BUSY || (rc & 0xFF) == SQLITE_LOCKED)
        return;
    rc = db_failure(db);
    if (db_is_fatal(rc))
        writer_stop_for_good(embedded, rc);
}

static void *run(void *argument)
{
    Embedded *embedded = argument;

    pthread_mutex_lock(&embedded->lock);
    for (;;) {
        while (embedded->log_state != LOG_MOVES && !embedded->is_closing)
            pthread_cond_wait(&embedded->log_asked, &embedded->lock);
        if (embedded->is_closing)
            break;
        pthread_mutex_unlock(&embedded->lock);
        move(embedded, embedded->mover);
        pthread_mutex_lock(&embedded->lock);
        embedded->log_state = LOG_IS_MOVED;
    }
    pthread_mutex_unlock(&embedded->lock);
    return NULL;
}

static int note_pages(void *context, sqlite3 *handle, const char *name, int pages)
{
    (void)handle, (void)name;
    ((Embedded *)context)->log_pages = pages;
    return SQLITE_OK;
}

/* Asks for the bulk to be moved when the log is long; true when that is done and the rest is for the writer. */
static bool ask_or_take(Embedded *embedded)
{
    bool is_rest_due;

    pthread_mutex_lock(&embedded->lock);
    is_rest_due = embedded->log_state == LOG_IS_MOVED;
    if (is_rest_due) {
        embedded->log_state = LOG_GROWS;
    } else if (embedded->log_state == LOG_GROWS && embedded->log_pages >= embedded->log_limit) {
        embedded->log_state = LOG_MOVES;
        pthread_cond_signal(&embedded->log_asked);
    }
    pthread_mutex_unlock(&embedded->lock);
    return is_rest_due;
}

void log_after_commit(Embedded *embedded)
{
    if (embedded->log_pages < EMBEDDED_LOG_PAGES)
        embedded->log_limit = EMBEDDED_LOG_PAGES;
    if (atomic_load(&embedded->is_stopped) || !ask_or_take(embedded))
        return;
    move(embedded, embedded->writer);
    embedded->log_limit = embedded->log_pages + EMBEDDED_LOG_PAGES;
}

void log_start(Embedded *embedded)
{
    embedded->log_limit = EMBEDDED_LOG_PAGES;
    sqlite3_wal_hook(embedded->writer->handle, note_pages, embedded);
    if (pthread_create(&embedded->log_thread, NULL, run, embedded))
        abort();
}

void log_stop(Embedded *embedded)
{
    pthread_mutex_lock(&embedded->lock);
    pthread_cond_signal(&embedded->log_asked);
    pthread_mutex_unlock(&embedded->lock);
    pthread_join(embedded->log_thread, NULL);
}
