/* What the writer does beside the callers' writes: trimming the outbox, removing what has expired, probing for space. */
#include "shared/store/embedded.h"

#include "shared/base/clock.h"

static const int64_t HOUR_MICROS = 3600 * INT64_C(1000000);

int apply_trim(Embedded *embedded, Job *job)
{
    int rc = SQLITE_OK;

    job->outcome.result = ENGINE_DONE;
    for (size_t i = 0; i < job->n_entries && rc == SQLITE_OK; i++) {
        const StoreEntry *entry = &job->entries[i];
        sqlite3_stmt *statement =
            db_statement(embedded->writer, "DELETE FROM \"store.outbox\" WHERE partition = ?1 AND"
                                           " id = ?2 AND aggregate = ?3 AND number = ?4");

        if (!statement)
            return db_failure(embedded->writer);
        sqlite3_bind_int(statement, 1, entry->partition);
        sqlite3_bind_int64(statement, 2, entry->place);
        db_bind_text(statement, 3, entry->aggregate);
        sqlite3_bind_int64(statement, 4, entry->number);
        if (!(rc = db_run(statement)))
            embedded->n_outbox -= sqlite3_changes(embedded->writer->handle);
    }
    return rc;
}

/* The names of some documents whose time is over. */
static int expired_names(Embedded *embedded, Job *job, size_t number, char **names, size_t *n_names)
{
    sqlite3_stmt *statement = db_statement(embedded->writer, embedded->sql[number].expired);
    int rc;

    *n_names = 0;
    if (!statement)
        return db_failure(embedded->writer);
    sqlite3_bind_int64(statement, 1, job->now);
    db_bind_text(statement, 2, embedded->engine.collections[number]->name);
    sqlite3_bind_int(statement, 3, EMBEDDED_CLEAN_BATCH);
    while ((rc = db_step(statement)) == SQLITE_ROW)
        names[(*n_names)++] = db_text(job->arena, statement, 0);
    sqlite3_reset(statement);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int remove_expired(Embedded *embedded, Job *job, size_t number)
{
    char *names[EMBEDDED_CLEAN_BATCH];
    size_t n_names;
    int rc = expired_names(embedded, job, number, names, &n_names);

    for (size_t i = 0; i < n_names && rc == SQLITE_OK; i++) {
        EngineRemoval removal = { .collection = embedded->engine.collections[number],
            .name = names[i] };
        EngineOutcome outcome;

        rc = apply_removal(embedded, job->arena, &removal, &outcome);
        job->outcome.value++;
    }
    return rc;
}

int apply_clean(Embedded *embedded, Job *job)
{
    int rc = SQLITE_OK;

    job->outcome = (EngineOutcome){ .result = ENGINE_DONE };
    for (size_t i = 0; i < embedded->engine.n_collections && rc == SQLITE_OK; i++)
        if (embedded->engine.collections[i]->expire_field)
            rc = remove_expired(embedded, job, i);
    return rc ? rc
              : answers_clean(
                    embedded, job->now - STORE_REPLY_HOURS * HOUR_MICROS, &job->outcome.value);
}

int apply_probe(Embedded *embedded)
{
    sqlite3_stmt *statement = db_statement(
        embedded->writer, "INSERT OR REPLACE INTO \"store.meta\" VALUES ('probe', ?1)");

    if (!statement)
        return db_failure(embedded->writer);
    sqlite3_bind_int64(statement, 1, clock_now());
    return db_run(statement);
}
