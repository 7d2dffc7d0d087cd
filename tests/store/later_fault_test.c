/* Writes that nobody waits for, on files that fail or are slow: whoever is told that one is done finds it, and nothing of any other. */
#include "tests/store/faulty_files.h"
#include "tests/store/store_fixture.h"

#include "shared/base/clock.h"
#include "shared/base/log.h"

#include <semaphore.h>
#include <sqlite3.h>
#include <stdatomic.h>

enum { SLOW_MS = 400, QUEUE = 4, MANY = 32 };

static void start(void)
{
    fixture_start(EMBEDDED);
}

static void stop(void)
{
    faulty_files_disarm();
    fixture_stop();
}

/* Ann's; the one that replaces it would be Bob's. */
static Record *inserted(const char *id)
{
    Record *record = a_record_of(id, "ann");

    CHECK_OK(store_insert(a_view(), &records, record, NULL));
    record->owner = (char *)"bob";
    return record;
}

static const char *owner_of_record(const char *id)
{
    return stored(&records, arena_printf(the_arena(), "records/%s", id))->owner;
}

/* What was told of some writes. */
typedef struct Row {
    sem_t news;
    atomic_int done, not_done;
} Row;

static void count_told(void *context, bool is_done)
{
    Row *row = context;

    atomic_fetch_add(is_done ? &row->done : &row->not_done, 1);
    sem_post(&row->news);
}

static void wait_for(Row *row, int count)
{
    while (count-- > 0)
        while (sem_wait(&row->news))
            continue;
    sem_destroy(&row->news);
}

static void a_failed_sync_is_not_done(void)
{
    Record *record = inserted("1");

    faulty_files_arm(FILE_SYNC_LOG, 1, false, SQLITE_IOERR_FSYNC);
    CU_ASSERT_FALSE(replaced_later(a_view(), &records, record, NULL));

    CHECK_TEXT(owner_of_record("1"), "ann");
    CHECK_REASON(store_check(the_store()), "STORE_UNAVAILABLE");
}

static void a_stopped_store_does_nothing_later(void)
{
    Record *record = inserted("1"), *other = inserted("2");

    faulty_files_arm(FILE_WRITE, 1, false, SQLITE_IOERR_WRITE);
    CU_ASSERT_FALSE(replaced_later(a_view(), &records, other, NULL));

    CU_ASSERT_FALSE(replaced_later(a_view(), &records, record, NULL));
    CHECK_TEXT(owner_of_record("1"), "ann");
}

static void a_full_disk_does_nothing_as_long_as_it_is_full(void)
{
    Record *record = inserted("1");

    faulty_files_arm(FILE_WRITE, 1, true, SQLITE_FULL);
    CU_ASSERT_FALSE(replaced_later(a_view(), &records, record, NULL));
    CHECK_REASON(store_check(the_store()), "STORE_FULL");
    CHECK_TEXT(owner_of_record("1"), "ann");
    faulty_files_disarm();

    record->etag = stored(&records, "records/1")->etag;
    CU_ASSERT(replaced_later(a_view(), &records, record, NULL));
    CHECK_TEXT(owner_of_record("1"), "bob");
    CHECK_OK(store_check(the_store()));
}

static void a_write_is_not_begun_when_its_time_was_over_in_the_queue(void)
{
    Record *first = inserted("1"), *second = inserted("2");
    StoreView *view = a_view();
    Row row = { .done = 0 };

    sem_init(&row.news, 0, 0);
    faulty_files_slow(SLOW_MS);
    view->deadline = clock_monotonic() + SLOW_MS * 1000 / 2;
    store_replace_later(a_view(), &records, first, NULL, count_told, &row);
    while (!faulty_files_are_slow() && clock_monotonic() < view->deadline)
        clock_sleep_ms(1);

    CU_ASSERT_FALSE(replaced_later(view, &records, second, NULL));

    wait_for(&row, 1);
    CHECK_INT(row.done, 1);
    CHECK_TEXT(owner_of_record("1"), "bob");
    CHECK_TEXT(owner_of_record("2"), "ann");
}

static Store *open_with_short_queue(void)
{
    static const Collection *const collections[] = { &records, NULL };
    StoreOptions options = {
        .uri = fixture_uri(), .service = "later", .collections = collections, .queue_limit = QUEUE
    };
    Store *store = NULL;

    CHECK_OK(store_open(the_arena(), &options, &store));
    CU_ASSERT_FATAL(store != NULL);
    return store;
}

static void a_full_queue_takes_nothing_for_later(void)
{
    StoreView view = { .store = open_with_short_queue(), .arena = the_arena() };
    Record *all[MANY];
    Row row = { .done = 0 };
    int n_bobs = 0;

    sem_init(&row.news, 0, 0);
    for (int i = 0; i < MANY; i++) {
        all[i] = a_record_of(arena_printf(the_arena(), "%d", i), "ann");
        CHECK_OK(store_insert(&view, &records, all[i], NULL));
        all[i]->owner = (char *)"bob";
    }
    faulty_files_slow(SLOW_MS);
    for (int i = 0; i < MANY; i++)
        store_replace_later(&view, &records, all[i], NULL, count_told, &row);
    wait_for(&row, MANY);
    faulty_files_disarm();

    /* How many are refused depends on how fast they come one after the other. */
    CHECK_INT(row.done + row.not_done, MANY);
    CU_ASSERT(row.done >= QUEUE && row.not_done > 0);
    for (int i = 0; i < MANY; i++) {
        CHECK_OK(store_get(&view, &records, all[i]->name, all[i]));
        n_bobs += text_equal(all[i]->owner, "bob");
    }
    CHECK_INT(n_bobs, row.done);
    store_close(view.store);
}

/* The second and the third write are of one transaction, which meets a full disk; then each is tried alone. */
typedef struct Retried {
    Row row;
    Record *second, *third;
    atomic_bool is_third_done;
} Retried;

static void note_third(void *context, bool is_done)
{
    Retried *retried = context;

    atomic_store(&retried->is_third_done, is_done);
    sem_post(&retried->row.news);
}

/* Told of the first, by the thread that writes: it takes both at once. */
static void begin_both(void *context, bool is_done)
{
    Retried *retried = context;
    StoreView *late = a_view();

    faulty_files_arm(FILE_WRITE, 1, false, SQLITE_FULL);
    store_replace_later(a_view(), &records, retried->second, NULL, count_told, &retried->row);
    late->deadline = clock_monotonic() + SLOW_MS * 1000 / 2;
    store_replace_later(late, &records, retried->third, NULL, note_third, retried);
    count_told(&retried->row, is_done);
}

/* By the time the third is tried alone its time is over. */
static void what_was_undone_is_not_told_to_be_done(void)
{
    Record *first = inserted("1");
    Retried retried = { .second = inserted("2"), .third = inserted("3") };

    sem_init(&retried.row.news, 0, 0);
    faulty_files_slow(SLOW_MS);
    store_replace_later(a_view(), &records, first, NULL, begin_both, &retried);
    wait_for(&retried.row, 3);

    CU_ASSERT(faulty_files_have_failed());
    CHECK_INT(retried.row.done, 2);
    CHECK_TEXT(owner_of_record("2"), "bob");
    CHECK_TEXT(owner_of_record("3"), retried.is_third_done ? "bob" : "ann");
}

int main(int argc, char **argv)
{
    CU_TestInfo cases[] = {
        { "a_failed_sync_is_not_done", a_failed_sync_is_not_done },
        { "a_stopped_store_does_nothing_later", a_stopped_store_does_nothing_later },
        { "a_full_disk_does_nothing_as_long_as_it_is_full",
            a_full_disk_does_nothing_as_long_as_it_is_full },
        { "a_write_is_not_begun_when_its_time_was_over_in_the_queue",
            a_write_is_not_begun_when_its_time_was_over_in_the_queue },
        { "a_full_queue_takes_nothing_for_later", a_full_queue_takes_nothing_for_later },
        { "what_was_undone_is_not_told_to_be_done", what_was_undone_is_not_told_to_be_done },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "later", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = cases },
        CU_SUITE_INFO_NULL,
    };

    log_setup("test", LOG_OFF);
    faulty_files_install();
    return test_main("store_later_fault_test", suites, argc, argv);
}
