/* Answers of the embedded store are found by their keys, however many came behind them, whether the store was closed in between, and
 * until they are old. */
#include "tests/store/store_fixture.h"

#include "shared/base/clock.h"
#include "shared/store/embedded_vfs.h"

#include <pthread.h>
#include <sqlite3.h>
#include <string.h>

enum {
    N_THREADS = 32,
    N_KEYS = 6016, /* more than wait in memory */
    STRIDE = 13,   /* of those that are looked at */
    PATIENCE_MS = 60000,
};

static Arena *arena;
static int first_key, n_keys; /* that are put; N_THREADS share them */

static const char *key_of(int number)
{
    return arena_printf(the_arena(), "accounts/web/%d", number);
}

static StoreView *request_of(int number)
{
    return a_request(key_of(number), arena_printf(the_arena(), "owner %d", number));
}

static void *put_some(void *argument)
{
    int thread = (int)(intptr_t)argument;
    Arena *own = arena_new();

    for (int i = first_key + thread; i < first_key + n_keys; i += N_THREADS) {
        StoreView view = { .store = the_store(), .arena = own };
        Record record = THROUGHLINE__ECHO__V1__RECORD__INIT;
        Record reply = THROUGHLINE__ECHO__V1__RECORD__INIT;

        record.name = arena_printf(own, "records/%d", thread);
        reply.owner = arena_printf(own, "owner %d", i);
        view.request_key = arena_printf(own, "accounts/web/%d", i);
        view.request_hash[0] = (uint8_t)i;
        view.reply = &reply.base;
        CHECK_OK(store_put(&view, &records, &record, NULL));
        arena_reset(own);
    }
    arena_free(own);
    return NULL;
}

static void put_all(int first, int count)
{
    pthread_t threads[N_THREADS];

    first_key = first;
    n_keys = count;
    for (intptr_t i = 0; i < N_THREADS; i++)
        pthread_create(&threads[i], NULL, put_some, (void *)i);
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void check_answer(int number)
{
    StoreView *again = request_of(number), *other = request_of(number);

    memset(again->request_hash, 0, sizeof(again->request_hash));
    again->request_hash[0] = (uint8_t)number;
    CHECK_REASON(store_find_reply(again), "REQUEST_REPLAYED");
    CHECK_TEXT(owner_of(again->replayed), arena_printf(the_arena(), "owner %d", number));

    memset(other->request_hash, 0xFF, sizeof(other->request_hash));
    CHECK_REASON(
        store_put(other, &records, a_record_of("other", "nobody"), NULL), "REQUEST_ID_REUSED");
}

static void check_answers(int count)
{
    for (int i = 0; i < count; i += STRIDE)
        check_answer(i);
    check_answer(count - 1);
    CHECK_OK(store_find_reply(request_of(count)));
}

static sqlite3 *open_file(const CheckedVfs *vfs)
{
    const char *path = arena_printf(arena, "%s/%s.db", fixture_folder(), fixture_service());
    sqlite3 *db;

    CU_ASSERT_FATAL(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, vfs_name(vfs)) == SQLITE_OK);
    sqlite3_busy_timeout(db, PATIENCE_MS);
    return db;
}

static int64_t rows_of(const char *table)
{
    const char *sql = arena_printf(arena, "SELECT count(*) FROM \"%s\"", table);
    CheckedVfs *vfs = vfs_new();
    sqlite3 *db = open_file(vfs);
    sqlite3_stmt *statement;
    int64_t rows = -1;

    CU_ASSERT_FATAL(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK);
    if (sqlite3_step(statement) == SQLITE_ROW)
        rows = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    vfs_free(vfs);
    return rows;
}

/* In a store that is closed. */
static void run_sql(const char *sql)
{
    CheckedVfs *vfs = vfs_new();
    sqlite3 *db = open_file(vfs);

    CU_ASSERT_FATAL(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
    vfs_free(vfs);
}

static void make_old(int below)
{
    run_sql(arena_printf(arena, "UPDATE \"store.answers\" SET time = 0 WHERE id <= %d", below));
}

static void wait_for_rows(const char *table, int64_t rows)
{
    int64_t end = clock_monotonic() + PATIENCE_MS * INT64_C(1000);

    while (rows_of(table) != rows && clock_monotonic() < end)
        clock_sleep_ms(5);
    CHECK_INT(rows_of(table), rows);
}

static void answers_are_found_however_many_came_behind_them(void)
{
    put_all(0, N_KEYS);
    check_answers(N_KEYS);
    CU_ASSERT(rows_of("store.answer_keys") > 0);
    CU_ASSERT(rows_of("store.answer_keys") < N_KEYS);
}

/* Opening writes nothing: there may be no room. */
static void answers_are_found_when_the_store_is_opened_again(void)
{
    int64_t rows;

    put_all(0, N_KEYS);
    rows = rows_of("store.answer_keys");
    CHECK_OK(fixture_reopen(NULL));
    CHECK_INT(rows_of("store.answer_keys"), rows);
    check_answers(N_KEYS);

    put_all(N_KEYS, N_KEYS);
    CHECK_OK(fixture_reopen(NULL));
    check_answers(2 * N_KEYS);
}

static void keys_of_a_store_from_before_are_taken_over(void)
{
    put_all(0, N_KEYS);
    fixture_close();
    run_sql(
        "DELETE FROM \"store.answer_keys\"; DELETE FROM \"store.meta\" WHERE key = 'answer_keys'");

    CHECK_OK(fixture_reopen(NULL));
    CHECK_INT(rows_of("store.answer_keys"), N_KEYS);
    check_answers(N_KEYS);
}

static void old_answers_go_with_their_keys(void)
{
    int n_old = N_KEYS / 2;

    put_all(0, N_KEYS);
    fixture_close();
    make_old(n_old);
    CHECK_OK(fixture_reopen(NULL));

    wait_for_rows("store.answers", N_KEYS - n_old);
    CU_ASSERT(rows_of("store.answer_keys") <= N_KEYS - n_old);
    CHECK_OK(store_find_reply(request_of(0)));
    check_answer(N_KEYS - 1);
}

/* The numbers of answers go on, or those to come would be taken for some that are in the table. */
static void answers_are_found_after_all_others_went(void)
{
    put_all(0, N_THREADS);
    fixture_close();
    make_old(N_THREADS);
    CHECK_OK(fixture_reopen(NULL));
    wait_for_rows("store.answers", 0);

    put_all(0, N_THREADS);
    CHECK_OK(fixture_reopen(NULL));
    check_answers(N_THREADS);
}

static void start(void)
{
    arena = arena_new();
    fixture_start(EMBEDDED);
}

static void stop(void)
{
    fixture_stop();
    arena_free(arena);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "answers are found however many came behind them",
            answers_are_found_however_many_came_behind_them },
        { "answers are found when the store is opened again",
            answers_are_found_when_the_store_is_opened_again },
        { "keys of a store from before are taken over",
            keys_of_a_store_from_before_are_taken_over },
        { "old answers go with their keys", old_answers_go_with_their_keys },
        { "answers are found after all others went", answers_are_found_after_all_others_went },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "answer keys", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("store_answer_keys_test", suites, argc, argv);
}
