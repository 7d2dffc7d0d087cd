/* Files that fail under the embedded store: nothing is acknowledged that is not kept, and a failed sync ends all writing.
 *
 * In the long run every call fails in turn, in CI and the quick run some of them. */
#include "tests/store/faulty_files.h"
#include "tests/store/store_fixture.h"

#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/codec/message.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEPS = 5,        /* records of one run of the n-th call */
    MAX_CALLS = 2000, /* no run has so many */
    CI_STRIDE = 20,   /* calls passed over from one run to the next */
    QUICK_STRIDE = 50,
    LARGE = 100 * 1000,
    SLOW_MS = 400,
    QUEUE = 4,
    CALLERS = 32,
    MAX_OWN = 100, /* records of one caller */
};

static int stride;

static const Error *insert(const char *id)
{
    return store_insert(a_view(), &records, a_record_of(id, "ann"), a_record("event"));
}

static void start(void)
{
    fixture_start(EMBEDDED);
}

static void stop(void)
{
    faulty_files_disarm();
    fixture_stop();
}

static void check_stopped(void)
{
    CHECK_REASON(insert("after"), "STORE_UNAVAILABLE");
    CHECK_REASON(store_check(the_store()), "STORE_UNAVAILABLE");
    CHECK_TEXT(stored(&records, "records/before")->owner, "ann");
}

static void check_a_new_start_heals(void)
{
    faulty_files_disarm();
    CHECK_OK(fixture_reopen(NULL));
    CHECK_TEXT(stored(&records, "records/before")->owner, "ann");
    CHECK_OK(insert("again"));
    CHECK_OK(store_check(the_store()));
}

static void a_failed_sync_ends_all_writing(void)
{
    CHECK_OK(insert("before"));
    faulty_files_arm(FILE_SYNC_LOG, 1, false, SQLITE_IOERR_FSYNC);

    CHECK_REASON(insert("during"), "STORE_UNAVAILABLE");

    check_stopped();
    check_a_new_start_heals();
}

static void a_failed_write_ends_all_writing(void)
{
    CHECK_OK(insert("before"));
    faulty_files_arm(FILE_WRITE, 1, false, SQLITE_IOERR_WRITE);

    CHECK_REASON(insert("during"), "STORE_UNAVAILABLE");

    check_stopped();
    check_a_new_start_heals();
}

/* Enough to have the log moved into the database, whatever comes of a single write; or until that has failed. */
static void write_much(void)
{
    for (int i = 0; i < 250 && !faulty_files_have_failed(); i++) {
        Record *record = a_record(arena_printf(the_arena(), "large-%d", i));

        record->data = (ProtobufCBinaryData){ LARGE, arena_alloc(the_arena(), LARGE) };
        (void)store_insert(a_view(), &accounts, record, NULL);
    }
}

static void a_failed_sync_of_the_database_ends_all_writing(void)
{
    CHECK_OK(insert("before"));
    faulty_files_arm(FILE_SYNC_DATABASE, 1, false, SQLITE_IOERR_FSYNC);

    write_much();

    CU_ASSERT(faulty_files_have_failed());
    check_stopped();
    check_a_new_start_heals();
}

static void a_full_disk_ends_writing_only_as_long_as_it_is_full(void)
{
    faulty_files_arm(FILE_WRITE, 1, true, SQLITE_FULL);

    CHECK_REASON(insert("1"), "STORE_FULL");
    CHECK_REASON(store_check(the_store()), "STORE_FULL");
    faulty_files_disarm();

    CHECK_REASON(store_get(a_view(), &records, "records/1", a_record("x")), "RECORD_NOT_FOUND");
    CHECK_OK(insert("1"));
    CHECK_OK(store_check(the_store()));
}

static void what_could_not_be_written_is_not_read(void)
{
    Record *record = a_record_of("1", "ann"), *found = a_record("x");

    CHECK_OK(store_insert(a_view(), &records, record, NULL));
    record->owner = (char *)"bob";
    CHECK_OK(store_replace(a_view(), &records, record, NULL));
    faulty_files_arm(FILE_WRITE, 1, true, SQLITE_FULL);

    record->owner = (char *)"eve";
    CHECK_REASON(store_replace(a_view(), &records, record, NULL), "STORE_FULL");

    CHECK_OK(store_get(a_view(), &records, "records/1", found));
    CHECK_TEXT(found->owner, "bob");
    faulty_files_disarm();
    CHECK_OK(store_replace(a_view(), &records, found, NULL));
}

static void a_disk_stays_full_when_nothing_had_to_be_written(void)
{
    faulty_files_arm(FILE_WRITE, 1, true, SQLITE_FULL);
    CHECK_REASON(insert("1"), "STORE_FULL");

    CHECK_REASON(store_delete(a_view(), &records, "records/none", ""), "RECORD_NOT_FOUND");

    CHECK_REASON(store_check(the_store()), "STORE_FULL");
}

static void a_write_that_waits_ends_at_its_deadline(void)
{
    StoreView *view = a_view();
    int64_t start = clock_monotonic();

    faulty_files_slow(SLOW_MS);
    view->deadline = start + SLOW_MS * 1000 / 4;

    CHECK_REASON(store_insert(view, &records, a_record("1"), NULL), "DEADLINE_EXCEEDED");
    CU_ASSERT(clock_monotonic() - start < SLOW_MS * 1000 / 2);
}

static void a_write_given_up_may_still_happen_but_harms_nobody(void)
{
    StoreView *view = a_view();

    faulty_files_slow(SLOW_MS);
    view->deadline = clock_monotonic() + SLOW_MS * 1000 / 4;
    store_insert(view, &records, a_record_of("1", "ann"), NULL);
    faulty_files_disarm();

    CHECK_OK(insert("2"));
    CHECK_TEXT(stored(&records, "records/2")->owner, "ann");
}

typedef struct Caller {
    StoreView view;
    int number, done;
    const Error *error;
} Caller;

static atomic_bool is_busy;

/* Again and again, until the first of all callers is refused. */
static void *insert_own(void *argument)
{
    Caller *caller = argument;

    while (!caller->error && !atomic_load(&is_busy) && caller->done < MAX_OWN) {
        Record record = THROUGHLINE__ECHO__V1__RECORD__INIT;

        record.name =
            arena_printf(caller->view.arena, "records/caller-%d-%d", caller->number, caller->done);
        caller->error = store_insert(&caller->view, &records, &record, NULL);
        caller->done += !caller->error;
    }
    if (caller->error)
        atomic_store(&is_busy, true);
    return NULL;
}

static void a_full_queue_is_busy(void)
{
    const Collection *const collections[] = { &records, NULL };
    StoreOptions options = {
        .uri = fixture_uri(), .service = "busy", .collections = collections, .queue_limit = QUEUE
    };
    Caller callers[CALLERS];
    pthread_t threads[CALLERS];
    int done = 0, busy = 0;
    Store *store;

    CHECK_OK(store_open(the_arena(), &options, &store));
    atomic_store(&is_busy, false);
    faulty_files_slow(SLOW_MS);
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = (Caller){ .view = { .store = store, .arena = arena_new() }, .number = i };
        pthread_create(&threads[i], NULL, insert_own, &callers[i]);
    }
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(threads[i], NULL);
        done += callers[i].done;
        if (callers[i].error) {
            CHECK_REASON(callers[i].error, "STORE_BUSY");
            CU_ASSERT(callers[i].error->retry_after_ms > 0);
            busy++;
        }
        arena_free(callers[i].view.arena);
    }
    faulty_files_disarm();
    store_close(store);

    /* How many wait beside the store's own cleaning is not said. */
    CU_ASSERT(done > 0 && busy > 0);
}

/* What one run has been told is stored: how often each record was changed, 0 when it was not. */
typedef struct Told {
    int changes[STEPS];
} Told;

static bool is_typed(const Error *error)
{
    return !error || error->code == ERROR_UNAVAILABLE || error->code == ERROR_RESOURCE_EXHAUSTED;
}

static void run_steps(Told *told)
{
    for (int i = 0; i < STEPS; i++) {
        Record *record = a_record(arena_printf(the_arena(), "%d", i));
        const Error *error;

        record->count = 1;
        error = store_insert(a_view(), &records, record, a_record_of("event", "1"));
        CU_ASSERT(is_typed(error));
        if (error)
            continue;
        told->changes[i] = 1;
        record->count = 2;
        if (i % 2) {
            told->changes[i] +=
                replaced_later(a_view(), &records, record, a_record_of("event", "2"));
            continue;
        }
        error = store_replace(a_view(), &records, record, a_record_of("event", "2"));
        CU_ASSERT(is_typed(error));
        told->changes[i] += !error;
    }
}

/* Each record has the changes that were told, or one more, and as many events. */
static void check_told(const Told *told)
{
    StoreEntry *entries;
    size_t n_entries;
    int n_events[STEPS] = { 0 };

    CHECK_OK(store_outbox_read(a_view(), 1, 1000, &entries, &n_entries));
    for (size_t i = 0; i < n_entries; i++)
        n_events[atoi(entries[i].aggregate + sizeof("records/") - 1)]++;
    for (int i = 0; i < STEPS; i++) {
        Record record = THROUGHLINE__ECHO__V1__RECORD__INIT;
        const Error *error =
            store_get(a_view(), &records, arena_printf(the_arena(), "records/%d", i), &record);
        int64_t changes = error ? 0 : record.count;

        CU_ASSERT(!error || error->code == ERROR_NOT_FOUND);
        CU_ASSERT(changes == told->changes[i] || changes == told->changes[i] + 1);
        CHECK_INT(n_events[i], changes);
    }
}

/* The nth call that changes a file fails, for n = 1, 2, 3 … until a run has no such call. */
static void fail_each_call(bool is_lasting, int result)
{
    int nth = 1;

    for (bool went_through = false; !went_through && !CU_get_number_of_failures(); nth += stride) {
        Told told = { 0 };
        const Error *error;

        fixture_start(EMBEDDED);
        fixture_close();
        faulty_files_arm(FILE_ANY_CHANGE, nth, is_lasting, result);
        error = fixture_reopen(NULL);
        CU_ASSERT(is_typed(error));
        if (!error)
            run_steps(&told);
        fixture_close();
        went_through = !faulty_files_have_failed();
        faulty_files_disarm();
        CHECK_OK(fixture_reopen(NULL));
        check_told(&told);
        fixture_stop();
    }
    printf("  of %d calls each %d. failed in turn\n", nth - 1 - stride, stride);
    CU_ASSERT(nth > STEPS * 5 && nth < MAX_CALLS);
}

static void each_call_may_fail_once(void)
{
    fail_each_call(false, SQLITE_IOERR_WRITE);
}

static void each_call_may_fail_and_all_after_it(void)
{
    fail_each_call(true, SQLITE_IOERR_WRITE);
}

static void each_call_may_meet_a_full_disk(void)
{
    fail_each_call(false, SQLITE_FULL);
}

int main(int argc, char **argv)
{
    CU_TestInfo single[] = {
        { "a_failed_sync_ends_all_writing", a_failed_sync_ends_all_writing },
        { "a_failed_write_ends_all_writing", a_failed_write_ends_all_writing },
        { "a_failed_sync_of_the_database_ends_all_writing",
            a_failed_sync_of_the_database_ends_all_writing },
        { "a_full_disk_ends_writing_only_as_long_as_it_is_full",
            a_full_disk_ends_writing_only_as_long_as_it_is_full },
        { "what_could_not_be_written_is_not_read", what_could_not_be_written_is_not_read },
        { "a_disk_stays_full_when_nothing_had_to_be_written",
            a_disk_stays_full_when_nothing_had_to_be_written },
        { "a_write_that_waits_ends_at_its_deadline", a_write_that_waits_ends_at_its_deadline },
        { "a_write_given_up_may_still_happen_but_harms_nobody",
            a_write_given_up_may_still_happen_but_harms_nobody },
        { "a_full_queue_is_busy", a_full_queue_is_busy },
        CU_TEST_INFO_NULL,
    };
    CU_TestInfo each[] = {
        { "each_call_may_fail_once", each_call_may_fail_once },
        { "each_call_may_fail_and_all_after_it", each_call_may_fail_and_all_after_it },
        { "each_call_may_meet_a_full_disk", each_call_may_meet_a_full_disk },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "single", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = single },
        { .pName = "each", .pTests = each },
        CU_SUITE_INFO_NULL,
    };

    stride = test_size(QUICK_STRIDE, CI_STRIDE, 1);
    log_setup("test", LOG_OFF);
    faulty_files_install();
    return test_main("fault_test", suites, argc, argv);
}
