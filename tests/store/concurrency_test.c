/* 32 threads on one document and on many: every change that was acknowledged counts exactly once. And how many
 * writes of 64 callers one sync carries. */
#include "tests/store/store_fixture.h"

#include "shared/base/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { THREADS = 32, CALLERS = 64, DOCUMENTS = 40, STOCK = 100, WRITES_PER_SYNC = 20 };

typedef struct Worker {
    pthread_t thread;
    int number, rounds;
    int64_t done;
    char reason[64]; /* of an error that nobody expects */
} Worker;

static Worker workers[CALLERS];

static int rounds_of(int embedded)
{
    return fixture_engine() == EMBEDDED ? embedded : 5;
}

static StoreView view_of(Arena *arena)
{
    return (StoreView){ .store = the_store(), .arena = arena };
}

static void fail(Worker *worker, const Error *error)
{
    snprintf(worker->reason, sizeof(worker->reason), "%s", error->reason);
}

/* Runs the workers to their end; fails the test when one met an error that nobody expects. */
static int64_t run_workers(int count, int rounds, void *(*work)(void *))
{
    int64_t done = 0;

    for (int i = 0; i < count; i++) {
        workers[i] = (Worker){ .number = i, .rounds = rounds };
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    }
    for (int i = 0; i < count; i++) {
        pthread_join(workers[i].thread, NULL);
        CHECK_TEXT(workers[i].reason, "");
        done += workers[i].done;
    }
    return done;
}

static void insert(const Collection *collection, Record *record)
{
    CHECK_OK(store_insert(a_view(), collection, record, NULL));
}

/* Adds one to the count by get and replace, from the start again whenever another was faster. */
static const Error *add_one(Arena *arena, const char *name)
{
    StoreView view = view_of(arena);
    Record record = THROUGHLINE__ECHO__V1__RECORD__INIT;
    const Error *error;

    do {
        if ((error = store_get(&view, &records, name, &record)))
            return error;
        record.count++;
        error = store_replace(&view, &records, &record, NULL);
    } while (error && !strcmp(error->reason, "ETAG_STALE"));
    return error;
}

static const Error *add_one_later(Arena *arena, const char *name)
{
    StoreView view = view_of(arena);
    Record record = THROUGHLINE__ECHO__V1__RECORD__INIT;
    const Error *error;

    do {
        if ((error = store_get(&view, &records, name, &record)))
            return error;
        record.count++;
    } while (!replaced_later(&view, &records, &record, NULL));
    return NULL;
}

static void *replace_one(void *argument)
{
    Worker *worker = argument;
    Arena *arena = arena_new();
    const Error *error = NULL;

    for (int i = 0; i < worker->rounds && !error; i++) {
        if (!(error = add_one(arena, "records/1")))
            worker->done++;
        else
            fail(worker, error);
        arena_reset(arena);
    }
    arena_free(arena);
    return NULL;
}

static void count_replaces(void *(*replace)(void *))
{
    int64_t done;

    insert(&records, a_record("1"));
    done = run_workers(THREADS, rounds_of(30), replace);

    CHECK_INT(done, THREADS * rounds_of(30));
    CHECK_INT(stored(&records, "records/1")->count, done);
}

static void replaces_of_one_document_all_count(void)
{
    count_replaces(replace_one);
}

/* The same, the writes waited for in turn by the store's caller and by whoever is told; where the engine cannot tell, by the caller. */
static void *replace_now_and_later(void *argument)
{
    Worker *worker = argument;
    Arena *arena = arena_new();

    for (int i = 0; i < worker->rounds && !*worker->reason; i++) {
        bool is_later = store_can_defer(the_store()) && (worker->number + i) % 2;
        const Error *error =
            is_later ? add_one_later(arena, "records/1") : add_one(arena, "records/1");

        if (error)
            fail(worker, error);
        worker->done += !error;
        arena_reset(arena);
    }
    arena_free(arena);
    return NULL;
}

static void replaces_now_and_later_all_count(void)
{
    count_replaces(replace_now_and_later);
}

static const char *document_name(Arena *arena, int number)
{
    return arena_printf(arena, "records/%d", number % DOCUMENTS);
}

static void *replace_many(void *argument)
{
    Worker *worker = argument;
    Arena *arena = arena_new();
    const Error *error = NULL;

    for (int i = 0; i < worker->rounds && !error; i++) {
        if (!(error = add_one(arena, document_name(arena, worker->number * 7 + i))))
            worker->done++;
        else
            fail(worker, error);
        arena_reset(arena);
    }
    arena_free(arena);
    return NULL;
}

static void insert_documents(void)
{
    for (int i = 0; i < DOCUMENTS; i++)
        insert(&records, a_record(arena_printf(the_arena(), "%d", i)));
}

static void replaces_of_many_documents_all_count(void)
{
    int64_t done, sum = 0;

    insert_documents();
    done = run_workers(THREADS, rounds_of(100), replace_many);
    for (int i = 0; i < DOCUMENTS; i++)
        sum += stored(&records, document_name(the_arena(), i))->count;

    CHECK_INT(done, THREADS * rounds_of(100));
    CHECK_INT(sum, done);
}

static void *take_stock(void *argument)
{
    Worker *worker = argument;
    Arena *arena = arena_new();

    for (int i = 0; i < worker->rounds; i++) {
        StoreView view = view_of(arena);
        const Error *error =
            store_increment(&view, &records, "records/1", "stock", -1, 0, STOCK, NULL);

        worker->done += !error;
        if (error && strcmp(error->reason, "GUARD_REFUSED"))
            fail(worker, error);
        arena_reset(arena);
    }
    arena_free(arena);
    return NULL;
}

static void no_more_is_taken_than_there_is(void)
{
    Record *record = a_record("1");

    record->stock = STOCK;
    insert(&records, record);

    CHECK_INT(run_workers(THREADS, rounds_of(20), take_stock), STOCK);
    CHECK_INT(stored(&records, "records/1")->stock, 0);
}

static void *move_stock(void *argument)
{
    Worker *worker = argument;
    Arena *arena = arena_new();

    for (int i = 0; i < worker->rounds; i++) {
        StoreView view = view_of(arena);
        int64_t delta = i % 2 ? -1 : 2;
        const Error *error = store_increment(&view, &records,
            document_name(arena, worker->number * 7 + i), "stock", delta, -1000000, 1000000, NULL);

        if (error)
            fail(worker, error);
        else
            worker->done += delta;
        arena_reset(arena);
    }
    arena_free(arena);
    return NULL;
}

static void increments_of_many_documents_all_count(void)
{
    int64_t moved, sum = 0;

    insert_documents();
    moved = run_workers(THREADS, rounds_of(100), move_stock);
    for (int i = 0; i < DOCUMENTS; i++)
        sum += stored(&records, document_name(the_arena(), i))->stock;

    CHECK_INT(sum, moved);
}

/* Inserts with one and the same unique value: one thread wins each. */
static void *claim(void *argument)
{
    Worker *worker = argument;
    Arena *arena = arena_new();

    for (int i = 0; i < worker->rounds; i++) {
        StoreView view = view_of(arena);
        Record record = THROUGHLINE__ECHO__V1__RECORD__INIT;
        const Error *error;

        record.name = arena_printf(arena, "records/%d-%d", worker->number, i);
        record.email = arena_printf(arena, "%d@x", i);
        error = store_insert(&view, &records, &record, NULL);
        worker->done += !error;
        if (error && strcmp(error->reason, "BY_EMAIL_TAKEN"))
            fail(worker, error);
        arena_reset(arena);
    }
    arena_free(arena);
    return NULL;
}

static void a_unique_value_has_one_winner(void)
{
    CHECK_INT(run_workers(THREADS, rounds_of(30), claim), rounds_of(30));
}

static void *insert_own(void *argument)
{
    Worker *worker = argument;
    Arena *arena = arena_new();

    for (int i = 0; i < worker->rounds; i++) {
        StoreView view = view_of(arena);
        Record record = THROUGHLINE__ECHO__V1__RECORD__INIT;
        const Error *error;

        record.name = arena_printf(arena, "records/%d-%d", worker->number, i);
        record.owner = record.name;
        if ((error = store_insert(&view, &records, &record, NULL)))
            fail(worker, error);
        worker->done += !error;
        arena_reset(arena);
    }
    arena_free(arena);
    return NULL;
}

static void one_sync_carries_the_writes_of_many_callers(void)
{
    StoreCounts before = store_counts(the_store()), after;
    int64_t start = clock_monotonic(), writes, syncs;

    if (fixture_engine() != EMBEDDED) {
        test_skip("the server syncs by itself");
        return;
    }
    run_workers(CALLERS, 200, insert_own);
    after = store_counts(the_store());
    writes = after.writes - before.writes;
    syncs = after.syncs - before.syncs;
    printf("  %lld writes in %lld syncs: %.1f a sync, %.0f a second\n", (long long)writes,
        (long long)syncs, (double)writes / (double)syncs,
        (double)writes * 1e6 / (double)(clock_monotonic() - start));

    CHECK_INT(writes, CALLERS * 200);
    CU_ASSERT(writes >= syncs * WRITES_PER_SYNC);
}

static const CU_TestInfo cases[] = {
    { "replaces_of_one_document_all_count", replaces_of_one_document_all_count },
    { "replaces_now_and_later_all_count", replaces_now_and_later_all_count },
    { "replaces_of_many_documents_all_count", replaces_of_many_documents_all_count },
    { "no_more_is_taken_than_there_is", no_more_is_taken_than_there_is },
    { "increments_of_many_documents_all_count", increments_of_many_documents_all_count },
    { "a_unique_value_has_one_winner", a_unique_value_has_one_winner },
    { "one_sync_carries_the_writes_of_many_callers", one_sync_carries_the_writes_of_many_callers },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    const CU_TestInfo *const tables[] = { cases, NULL };

    return fixture_main("concurrency_test", tables, argc, argv);
}
