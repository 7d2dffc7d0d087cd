/* A store with notes in it, on each engine that there is: for tests of the relay without a
 * service. */
#ifndef THROUGHLINE_TESTS_SERVICE_EVENT_LOG_FIXTURE_H
#define THROUGHLINE_TESTS_SERVICE_EVENT_LOG_FIXTURE_H

#include "shared/event/relay.h"

#include <stdbool.h>

typedef struct LogFixture {
    Arena *arena;
    const char *uri;
    const char *service; /* the name of the database */
    Store *store;
    Metrics *metrics;
} LogFixture;

/* Over a new embedded store, or a new database of THROUGHLINE_TEST_MONGO_URI; false when that is
 * not set. */
bool log_fixture_open(LogFixture *fixture, bool is_mongo);
/* Over the store of somebody else; false when it cannot be opened. */
bool log_fixture_open_at(LogFixture *fixture, const char *uri);
void log_fixture_close(LogFixture *fixture);

/* Another handle of the same store, where the engine allows it: NULL else. */
Store *log_fixture_reopen(const LogFixture *fixture);

/* Writes the note once more, with its event. Aborts when it cannot. */
void log_fixture_write(LogFixture *fixture, const char *name, const char *customer);
/* The same by hand, for threads and processes of their own: the error, if any. */
const Error *log_fixture_write_to(Store *store, const char *name, const char *customer);

/* Entries in all outboxes. */
size_t log_fixture_waiting(LogFixture *fixture);
/* Reads a partition's outbox and moves it, as a round of the relay does. */
const Error *log_fixture_move(StoreView *view, RelayPartition *partition, size_t *n_moved);
/* Waits for the outboxes to be empty. */
bool log_fixture_wait(LogFixture *fixture, int milliseconds);

/* How many events are in the log; -1 (and a line about what) when a partition has a gap, a
 * record is not what its name says, or an aggregate's numbers are not 1, 2, 3 … in the order of
 * the log. */
int64_t log_fixture_check(LogFixture *fixture);

#endif
