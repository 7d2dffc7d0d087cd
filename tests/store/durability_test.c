/* A process that writes is killed at random moments, again and again. What it was told is stored must be there, and nothing may be
 * half there: document, index entry, event and answer agree.
 *
 * 300 rounds, with THROUGHLINE_QUICK=1 30; THROUGHLINE_TEST_SEED=N repeats a run. */
#include "tests/store/store_fixture.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    ROUNDS = 300,
    QUICK_ROUNDS = 30,
    THREADS = 8,
    DOCUMENTS = 40, /* of all threads, per store */
    ROUNDS_A_STORE = 10,
    LONGEST_MS = 200,
    ROUNDS_AT_START = 5, /* every fifth is killed while it opens the store, perhaps */
    MAX_ENTRIES = 100000,
};

/* What a writer says once a change is acknowledged: the document and how often it has been changed. */
typedef struct Ack {
    int32_t document, count;
} Ack;

typedef struct Writer {
    Store *store;
    int thread, pipe;
} Writer;

static int n_rounds = ROUNDS;
static int lost; /* acknowledged writes that were not there any more */
static unsigned seed;
static int32_t acknowledged[DOCUMENTS]; /* changes of each document of the present store */
static int64_t trimmed[DOCUMENTS];

static char *name_of(Arena *arena, int document)
{
    return arena_printf(arena, "records/%d", document);
}

static char *owner_of_count(Arena *arena, int document, int count)
{
    return arena_printf(arena, "%d-%d", document, count);
}

static const Error *seal(void *context, Arena *arena, const char *aggregate,
    const ProtobufCMessage *payload, Bytes *sealed, int *partition)
{
    const char *owner = ((const Record *)payload)->owner;

    (void)context, (void)aggregate;
    *sealed = (Bytes){ (const uint8_t *)arena_text(arena, owner), strlen(owner) };
    *partition = 0;
    return NULL;
}

/* One more change of a document: its owner, its event and its answer all say which one it is. */
static bool change(const Writer *writer, Arena *arena, int document, int32_t *count)
{
    StoreView view = { .store = writer->store, .arena = arena, .seal = seal };
    Record record = THROUGHLINE__ECHO__V1__RECORD__INIT, reply = record;
    const Error *error = store_get(&view, &records, name_of(arena, document), &record);
    bool is_new = error && error->code == ERROR_NOT_FOUND;

    if (error && !is_new)
        return false;
    record.name = name_of(arena, document);
    *count = (int32_t)++record.count;
    record.owner = reply.owner = owner_of_count(arena, document, *count);
    view.request_key = record.owner;
    view.reply = &reply.base;
    error = is_new ? store_insert(&view, &records, &record, &record)
                   : store_replace(&view, &records, &record, &record);
    return !error;
}

static void *write_on(void *argument)
{
    const Writer *writer = argument;
    Arena *arena = arena_new();

    for (int i = 0;; i++) {
        int document = (writer->thread + i * THREADS) % DOCUMENTS;
        Ack ack = { .document = document };

        if (!change(writer, arena, document, &ack.count) ||
            write(writer->pipe, &ack, sizeof(ack)) != sizeof(ack))
            _exit(3);
        arena_reset(arena);
    }
    return NULL;
}

static const Error *open_store(Arena *arena, const char *uri, Store **store)
{
    static const Collection *const collections[] = { &records, NULL };

    return store_open(arena,
        &(StoreOptions){ .uri = uri, .service = "durable", .collections = collections }, store);
}

/* The process that is going to be killed. */
static void run_writer(const char *uri, int pipe_end)
{
    Arena *arena = arena_new();
    Writer writers[THREADS];
    pthread_t thread;
    Store *store;

    if (open_store(arena, uri, &store))
        _exit(2);
    for (int i = 0; i < THREADS; i++) {
        writers[i] = (Writer){ store, i, pipe_end };
        pthread_create(&thread, NULL, write_on, &writers[i]);
    }
    for (;;)
        pause();
}

static bool take_ack(int pipe_end)
{
    Ack ack;

    if (read(pipe_end, &ack, sizeof(ack)) != sizeof(ack))
        return false;
    if (ack.count > acknowledged[ack.document])
        acknowledged[ack.document] = ack.count;
    return true;
}

static int take_acks(int pipe_end, int64_t until)
{
    struct pollfd ready = { .fd = pipe_end, .events = POLLIN };
    int taken = 0;

    for (;;) {
        int64_t left = until ? (until - clock_monotonic()) / 1000 : -1;

        if (until && (left <= 0 || poll(&ready, 1, (int)left) <= 0))
            return taken;
        if (!take_ack(pipe_end))
            return taken;
        taken++;
    }
}

/* At any time after its start, or, mostly, after its first write. */
static int kill_one_writer(const char *uri, bool at_start)
{
    int ends[2], status = 0, taken;
    int64_t until;
    pid_t child;

    if (pipe(ends) || (child = fork()) < 0)
        abort();
    if (!child) {
        close(ends[0]);
        run_writer(uri, ends[1]);
    }
    close(ends[1]);
    taken = !at_start && take_ack(ends[0]);
    until = clock_monotonic() + 1000 * (int64_t)(1 + rand_r(&seed) % LONGEST_MS);
    taken += take_acks(ends[0], until);
    kill(child, SIGKILL);
    taken += take_acks(ends[0], 0);
    waitpid(child, &status, 0);
    close(ends[0]);
    CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return taken;
}

static void check_integrity(const char *folder)
{
    char path[4096];
    sqlite3_stmt *statement;
    sqlite3 *db;

    snprintf(path, sizeof(path), "%s/durable.db", folder);
    if (access(path, F_OK)) /* killed before it had made the file */
        return;
    CU_ASSERT_EQUAL_FATAL(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &statement, NULL);
    CHECK_INT(sqlite3_step(statement), SQLITE_ROW);
    CHECK_TEXT((const char *)sqlite3_column_text(statement, 0), "ok");
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

/* The document has the changes that were acknowledged, or one more; returns how many. */
static int32_t check_document(StoreView *view, int document)
{
    Record record = THROUGHLINE__ECHO__V1__RECORD__INIT;
    const Error *error = store_get(view, &records, name_of(view->arena, document), &record);
    int32_t count = error ? 0 : (int32_t)record.count;

    CU_ASSERT(!error || error->code == ERROR_NOT_FOUND);
    CU_ASSERT(count == acknowledged[document] || count == acknowledged[document] + 1);
    if (count < acknowledged[document])
        lost += acknowledged[document] - count;
    if (count)
        CHECK_TEXT(record.owner, owner_of_count(view->arena, document, count));
    return count;
}

static void check_index(StoreView *view, int document, int32_t count)
{
    StoreQuery query = { .index = "by_owner", .limit = 9 };
    StorePage page;

    query.prefix = arena_printf(view->arena, "%d-", document);
    CHECK_OK(store_find(view, &records, &query, &page));
    CHECK_INT(page.n_messages, count ? 1 : 0);
    if (page.n_messages)
        CHECK_INT(((Record *)page.messages[0])->count, count);
}

static void check_answers(StoreView *view, int document, int32_t count)
{
    StoreView request = *view;
    const Record *reply;

    request.request_key = owner_of_count(view->arena, document, count);
    if (count) {
        CHECK_REASON(store_find_reply(&request), "REQUEST_REPLAYED");
        reply = message_unpack(view->arena, records.message, request.replayed);
        CHECK_TEXT(reply ? reply->owner : NULL, request.request_key);
    }
    request.request_key = owner_of_count(view->arena, document, count + 1);
    CHECK_OK(store_find_reply(&request));
}

/* Each change told one event, and the numbers have no gap. */
static void check_outbox(StoreView *view, const int32_t *counts)
{
    int64_t next[DOCUMENTS];
    StoreEntry *entries;
    size_t n_entries;

    memcpy(next, trimmed, sizeof(next));
    CHECK_OK(store_outbox_read(view, 1, MAX_ENTRIES, &entries, &n_entries));
    for (size_t i = 0; i < n_entries; i++) {
        int document = atoi(entries[i].aggregate + sizeof("records/") - 1);

        CHECK_INT(entries[i].number, ++next[document]);
        CHECK_TEXT(
            arena_text_of(view->arena, (const char *)entries[i].bytes.data, entries[i].bytes.size),
            owner_of_count(view->arena, document, (int)entries[i].number));
    }
    for (int i = 0; i < DOCUMENTS; i++)
        CHECK_INT(next[i], counts[i]);
    CHECK_OK(store_outbox_trim(view, entries, n_entries));
    memcpy(trimmed, next, sizeof(next));
}

static void check_store(const char *uri)
{
    Arena *arena = arena_new();
    StoreView view = { .arena = arena };
    int32_t counts[DOCUMENTS];

    CHECK_OK(open_store(arena, uri, &view.store));
    CU_ASSERT_FATAL(view.store != NULL);
    for (int i = 0; i < DOCUMENTS; i++) {
        counts[i] = check_document(&view, i);
        check_index(&view, i, counts[i]);
        check_answers(&view, i, counts[i]);
        acknowledged[i] = counts[i];
    }
    check_outbox(&view, counts);
    store_close(view.store);
    arena_free(arena);
}

static void a_killed_writer_loses_nothing_and_leaves_nothing_half(void)
{
    const char *folder = NULL;
    char uri[4096];
    int acks = 0;

    for (int i = 0; i < n_rounds && !CU_get_number_of_failures(); i++) {
        if (i % ROUNDS_A_STORE == 0) {
            folder = test_folder();
            snprintf(uri, sizeof(uri), "embedded:%s", folder);
            memset(acknowledged, 0, sizeof(acknowledged));
            memset(trimmed, 0, sizeof(trimmed));
        }
        acks += kill_one_writer(uri, i % ROUNDS_AT_START == 0);
        check_integrity(folder);
        check_store(uri);
    }
    printf("  %d rounds, %d acknowledged writes, %d lost\n", n_rounds, acks, lost);
    CU_ASSERT(acks >= n_rounds - n_rounds / ROUNDS_AT_START);
}

int main(int argc, char **argv)
{
    const char *given = getenv("THROUGHLINE_TEST_SEED");
    CU_TestInfo cases[] = {
        { "a_killed_writer_loses_nothing_and_leaves_nothing_half",
            a_killed_writer_loses_nothing_and_leaves_nothing_half },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "durability", .pTests = cases },
        CU_SUITE_INFO_NULL,
    };

    if (text_equal(getenv("THROUGHLINE_QUICK"), "1"))
        n_rounds = QUICK_ROUNDS;
    seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)clock_now();
    printf("  seed %u\n", seed);
    return test_main("durability_test", suites, argc, argv);
}
