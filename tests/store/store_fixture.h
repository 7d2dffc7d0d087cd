/* What every store test stands on: a store of records on one engine, views of it, and builders. */
#ifndef THROUGHLINE_TESTS_STORE_FIXTURE_H
#define THROUGHLINE_TESTS_STORE_FIXTURE_H

#include "shared/store/store.h"
#include "tests/support/test_main.h"

#include "throughline/echo/v1/record.pb-c.h"

typedef Throughline__Echo__V1__Record Record;
typedef Throughline__Echo__V1__RecordKey RecordKey;
typedef Throughline__Echo__V1__RecordPart RecordPart;

typedef Throughline__Echo__V1__Record__State RecordState;

static const RecordState STATE_OPEN = THROUGHLINE__ECHO__V1__RECORD__STATE__OPEN;
static const RecordState STATE_CLOSED = THROUGHLINE__ECHO__V1__RECORD__STATE__CLOSED;

typedef enum EngineKind { EMBEDDED, MONGO } EngineKind;

/* records: plain indexes of every kind and a unique one; accounts: unique indexes over repeated and numeric fields. */
extern const Collection records, accounts;

/* Why an engine cannot be tested here; NULL: it can. */
const char *engine_missing(EngineKind kind);

/* A test program: the cases of all tables (NULL-ended), each on each engine under the name ENGINE/CASE, skipped by that name
 * where the engine is missing. Each has an empty store of its own. */
int fixture_main(const char *name, const CU_TestInfo *const *tables, int argc, char **argv);

/* An empty store of its own for each test, and its end. */
void fixture_start(EngineKind kind);
void fixture_stop(void);

/* Closes the store and opens it again, with these collections (NULL-ended; NULL: the same as before). */
const Error *fixture_reopen(const Collection *const *collections);

/* The same, with a log for events. */
const Error *fixture_reopen_with_log(const Collection *const *collections, const StoreLog *log);

/* Closes the store; fixture_reopen opens it again. */
void fixture_close(void);

EngineKind fixture_engine(void);
/* Whether the server is FerretDB, which lacks some of MongoDB. */
bool fixture_is_ferretdb(void);
/* The folder of an embedded store. */
const char *fixture_folder(void);
const char *fixture_uri(void);
const char *fixture_service(void);

Store *the_store(void);
/* Lives until the test ends. */
Arena *the_arena(void);

/* A fresh view: no limit of time, no request, no mark; events go to partition 0. */
StoreView *a_view(void);
/* With a request of this key; its reply is a record of this owner, its hash is of the key. */
StoreView *a_request(const char *key, const char *reply_owner);
/* With the mark of an event. */
StoreView *an_effect(const char *source, int64_t position);
/* Whose events go to this partition. */
StoreView *a_partition(int partition);

/* "records/ID" with nothing else set. */
Record *a_record(const char *id);
Record *a_record_of(const char *id, const char *owner);
void set_time(Google__Protobuf__Timestamp **field, int64_t seconds, int32_t nanos);
void add_key(Record *record, const char *kind, const char *value);
void add_tag(Record *record, const char *tag);

/* The owner in the bytes of a sealed event or a reply; "" when they are no record. */
const char *owner_of(Bytes bytes);

/* The stored record; fails the test when it cannot be read. */
Record *stored(const Collection *collection, const char *name);

/* store_replace_later, and whether it was done, when that is known. */
bool replaced_later(
    StoreView *view, const Collection *collection, Record *record, const void *event);

/* Checks the reason, and prints the message when it is another. */
void check_reason(const Error *error, const char *reason, const char *file, int line);
#define CHECK_OK(error) check_reason((error), "OK", __FILE__, __LINE__)
#define CHECK_REASON(error, reason) check_reason((error), (reason), __FILE__, __LINE__)

#endif
