/* Durable writes to the embedded store from many threads, each to its own document and waiting for
 * each; or, as their baseline, the same bytes as plain SQLite upserts with one row a transaction.
 * Prints what it did as one line of JSON. */
#include "shared/base/clock.h"
#include "shared/base/config.h"
#include "shared/store/store.h"

#include "throughline/echo/v1/record.pb-c.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef Throughline__Echo__V1__Record Record;

static const Setting settings[] = {
    { "folder", SETTING_TEXT, "", "where the store's file goes" },
    { "plain", SETTING_SWITCH, "false", "plain SQLite, one thread, one row a transaction" },
    { "threads", SETTING_NUMBER, "64", "callers of the store, rows of plain SQLite", 1, 1024 },
    { "writes", SETTING_NUMBER, "10000", "of all threads together", 1, 100000000 },
    { "bytes", SETTING_NUMBER, "600", "of a document, about", 0, 1000000 },
    { 0 },
};

static const Collection records = {
    .name = "records",
    .message = &throughline__echo__v1__record__descriptor,
};
static const Collection *const collections[] = { &records, NULL };

typedef struct Load {
    const char *folder;
    int threads;
    int64_t writes;
    size_t bytes;
    uint8_t *data;
    Store *store;
} Load;

typedef struct Writer {
    const Load *load;
    pthread_t thread;
    int number;
    char reason[64]; /* of the error that ended it */
} Writer;

typedef struct Result {
    int64_t writes, syncs;
} Result;

static int64_t share_of(const Load *load, int number)
{
    return load->writes / load->threads + (number < load->writes % load->threads);
}

static void *write_own(void *context)
{
    Writer *writer = context;
    const Load *load = writer->load;
    Arena *arena = arena_new();
    const Error *error = NULL;
    char name[64], etag[64] = "";

    snprintf(name, sizeof(name), "records/%d", writer->number);
    for (int64_t i = 0; i < share_of(load, writer->number) && !error; i++) {
        StoreView view = { .store = load->store, .arena = arena };
        Record record = THROUGHLINE__ECHO__V1__RECORD__INIT;

        record.name = name;
        record.etag = etag;
        record.count = i;
        record.data = (ProtobufCBinaryData){ load->bytes, load->data };
        error = i ? store_replace(&view, &records, &record, NULL)
                  : store_put(&view, &records, &record, NULL);
        snprintf(etag, sizeof(etag), "%s", record.etag);
        if (error)
            snprintf(writer->reason, sizeof(writer->reason), "%s", error->reason);
        arena_reset(arena);
    }
    arena_free(arena);
    return NULL;
}

static bool write_store(Arena *arena, Load *load, Result *result)
{
    StoreOptions options = { .uri = arena_printf(arena, "embedded:%s", load->folder),
        .service = "bench",
        .collections = collections };
    Writer *writers = arena_array(arena, (size_t)load->threads, sizeof(*writers));
    const Error *error = store_open(arena, &options, &load->store);
    bool is_good = true;
    StoreCounts before, after;

    if (error) {
        fprintf(stderr, "store_load: %s\n", error->message);
        return false;
    }
    before = store_counts(load->store);
    for (int i = 0; i < load->threads; i++) {
        writers[i] = (Writer){ .load = load, .number = i };
        if (pthread_create(&writers[i].thread, NULL, write_own, &writers[i]))
            abort();
    }
    for (int i = 0; i < load->threads; i++) {
        pthread_join(writers[i].thread, NULL);
        if (*writers[i].reason)
            fprintf(stderr, "store_load: %s\n", writers[i].reason);
        is_good = is_good && !*writers[i].reason;
    }
    after = store_counts(load->store);
    *result = (Result){ after.writes - before.writes, after.syncs - before.syncs };
    store_close(load->store);
    return is_good;
}

static bool upsert(sqlite3_stmt *statement, const Load *load, int64_t number)
{
    char name[64];

    snprintf(name, sizeof(name), "records/%d", (int)(number % load->threads));
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, number);
    sqlite3_bind_blob(statement, 3, load->data, (int)load->bytes, SQLITE_STATIC);
    return sqlite3_step(statement) == SQLITE_DONE && sqlite3_reset(statement) == SQLITE_OK;
}

static bool write_plain(Arena *arena, const Load *load, Result *result)
{
    const char *path = arena_printf(arena, "%s/plain.db", load->folder);
    sqlite3 *db;
    sqlite3_stmt *statement = NULL;
    bool is_good;

    is_good = sqlite3_open(path, &db) == SQLITE_OK &&
              sqlite3_exec(db,
                  "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                  "CREATE TABLE records (name TEXT PRIMARY KEY, version INTEGER, body BLOB)",
                  NULL, NULL, NULL) == SQLITE_OK &&
              sqlite3_prepare_v2(db,
                  "INSERT INTO records VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE "
                  "SET version = excluded.version, body = excluded.body",
                  -1, &statement, NULL) == SQLITE_OK;
    for (int64_t i = 0; i < load->writes && is_good; i++)
        is_good = upsert(statement, load, i);
    if (!is_good)
        fprintf(stderr, "store_load: %s\n", sqlite3_errmsg(db));
    sqlite3_finalize(statement);
    sqlite3_close(db);
    *result = (Result){ load->writes, load->writes };
    return is_good;
}

static double cpu_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static int run(Arena *arena, const Config *config)
{
    Load load = {
        .folder = config_text(config, "folder"),
        .threads = (int)config_number(config, "threads"),
        .writes = config_number(config, "writes"),
        .bytes = (size_t)config_number(config, "bytes"),
    };
    int64_t start = clock_monotonic();
    double cpu = cpu_seconds();
    Result result;
    bool is_good;

    load.data = arena_alloc(arena, load.bytes + 1);
    memset(load.data, 'x', load.bytes);
    is_good = config_switch(config, "plain") ? write_plain(arena, &load, &result)
                                             : write_store(arena, &load, &result);
    if (!is_good)
        return 1;
    printf("{\"writes\":%lld,\"syncs\":%lld,\"seconds\":%.6f,\"cpu_seconds\":%.6f}\n",
        (long long)result.writes, (long long)result.syncs,
        (double)(clock_monotonic() - start) / 1e6, cpu_seconds() - cpu);
    return 0;
}

int main(int argc, char **argv)
{
    const Setting *const tables[] = { settings, NULL };
    Arena *arena = arena_new();
    const Config *config = config_read(arena, tables, argc, argv, stderr);
    int code = config ? run(arena, config) : 2;

    arena_free(arena);
    return code;
}
