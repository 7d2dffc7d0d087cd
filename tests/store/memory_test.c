/* What the embedded engine keeps in memory beside its file: the documents changed last, the newest of the log, and which request keys
 * it has seen. */
#include "shared/base/id.h"
#include "shared/base/text.h"
#include "shared/store/log_tail.h"
#include "shared/store/row_cache.h"
#include "shared/store/seen_keys.h"
#include "tests/support/test_main.h"

#include <stdlib.h>
#include <string.h>

enum { MANY_KEYS = 200000, FEW_KEYS = 1000, ROW_BYTES = 1000 };

static Arena *arena;

static void start(void)
{
    arena = arena_new();
}

static void stop(void)
{
    arena_free(arena);
}

static uint64_t a_hash(int number)
{
    const char *key = arena_printf(arena, "key-%d", number);
    uint8_t digest[32];
    uint64_t hash;

    id_digest(key, strlen(key), digest);
    memcpy(&hash, digest, sizeof(hash));
    return hash;
}

/* With a table that holds the keys 0 … n - 1. */
static SeenKeys *seen_with(int n)
{
    SeenKeys *keys = seen_keys_new();

    CU_ASSERT_FATAL(seen_keys_begin(keys, (uint64_t)n));
    for (int i = 0; i < n; i++)
        seen_keys_fill(keys, a_hash(i));
    seen_keys_finish(keys);
    return keys;
}

static int count_possible(SeenKeys *keys, int from, int n)
{
    int count = 0;

    for (int i = from; i < from + n; i++)
        count += seen_keys_may_have(keys, a_hash(i));
    return count;
}

static void every_key_is_possible_until_those_of_the_file_are_known(void)
{
    SeenKeys *keys = seen_keys_new();

    CHECK_INT(count_possible(keys, 0, FEW_KEYS), FEW_KEYS);
    seen_keys_begin(keys, 0);
    CHECK_INT(count_possible(keys, 0, FEW_KEYS), FEW_KEYS);

    seen_keys_free(keys);
}

static void a_known_key_is_never_taken_for_new(void)
{
    SeenKeys *keys = seen_with(FEW_KEYS);

    /* Far more than the table was made for. */
    for (int i = FEW_KEYS; i < MANY_KEYS; i++)
        seen_keys_add(keys, a_hash(i));

    CHECK_INT(count_possible(keys, 0, MANY_KEYS), MANY_KEYS);
    seen_keys_free(keys);
}

static void few_new_keys_are_taken_for_known(void)
{
    SeenKeys *keys = seen_with(MANY_KEYS);

    CU_ASSERT(count_possible(keys, MANY_KEYS, MANY_KEYS) < MANY_KEYS / 100);

    seen_keys_free(keys);
}

static void what_is_added_while_a_table_is_filled_is_in_it(void)
{
    SeenKeys *keys = seen_keys_new();

    seen_keys_begin(keys, FEW_KEYS);
    seen_keys_add(keys, a_hash(1));
    seen_keys_fill(keys, a_hash(2));
    seen_keys_finish(keys);

    CU_ASSERT(seen_keys_may_have(keys, a_hash(1)));
    CU_ASSERT(seen_keys_may_have(keys, a_hash(2)));
    CU_ASSERT(count_possible(keys, 3, FEW_KEYS) < FEW_KEYS / 10);
    seen_keys_free(keys);
}

static void a_table_is_replaced_only_when_it_is_full(void)
{
    SeenKeys *keys = seen_with(FEW_KEYS);

    CU_ASSERT(!seen_keys_begin(keys, FEW_KEYS));
    for (int i = FEW_KEYS; i < MANY_KEYS; i++)
        seen_keys_add(keys, a_hash(i));

    CU_ASSERT(seen_keys_begin(keys, MANY_KEYS));
    CU_ASSERT(seen_keys_may_have(keys, a_hash(FEW_KEYS)));
    seen_keys_free(keys);
}

static CachedRow a_row(int64_t version, size_t size)
{
    uint8_t *body = arena_alloc(arena, size);

    memset(body, (int)version, size);
    return (CachedRow){ .id = 7,
        .version = version,
        .events = 3,
        .keys = { (const uint8_t *)"keys", 4 },
        .body = { body, size } };
}

static const char *name_of(int number)
{
    return arena_printf(arena, "carts/%d", number);
}

static void put(RowCache *cache, int number, int64_t version)
{
    CachedRow row = a_row(version, ROW_BYTES);

    row_cache_put(cache, 0, name_of(number), &row);
}

static void a_row_comes_back_as_it_was_put(void)
{
    RowCache *cache = row_cache_new();
    CachedRow row = a_row(5, ROW_BYTES), found;

    row_cache_put(cache, 2, "carts/1", &row);

    CU_ASSERT_FATAL(row_cache_get(cache, 2, "carts/1", true, arena, &found));
    CHECK_INT(found.id, 7);
    CHECK_INT(found.version, 5);
    CHECK_INT(found.events, 3);
    CHECK_INT(found.keys.size, 4);
    CHECK_INT(found.marks.size, 0);
    CHECK_INT(found.body.size, ROW_BYTES);
    CU_ASSERT(!memcmp(found.body.data, row.body.data, ROW_BYTES));
    row_cache_free(cache);
}

static void a_row_without_its_body_is_its_head(void)
{
    RowCache *cache = row_cache_new();
    CachedRow found;

    put(cache, 1, 5);

    CU_ASSERT_FATAL(row_cache_get(cache, 0, name_of(1), false, arena, &found));
    CHECK_INT(found.version, 5);
    CHECK_INT(found.body.size, 0);
    row_cache_free(cache);
}

static void a_newer_row_takes_the_place_of_the_older(void)
{
    RowCache *cache = row_cache_new();
    CachedRow found;

    put(cache, 1, 5);
    put(cache, 1, 6);

    CU_ASSERT_FATAL(row_cache_get(cache, 0, name_of(1), true, arena, &found));
    CHECK_INT(found.version, 6);
    row_cache_free(cache);
}

static void a_dropped_row_is_gone(void)
{
    RowCache *cache = row_cache_new();
    CachedRow found;

    put(cache, 1, 5);
    put(cache, 2, 5);
    row_cache_drop(cache, 0, name_of(1));
    row_cache_drop(cache, 0, "carts/unknown");

    CU_ASSERT(!row_cache_get(cache, 0, name_of(1), true, arena, &found));
    CU_ASSERT(row_cache_get(cache, 0, name_of(2), true, arena, &found));
    row_cache_free(cache);
}

static void rows_of_other_collections_are_others(void)
{
    RowCache *cache = row_cache_new();
    CachedRow found;

    put(cache, 1, 5);

    CU_ASSERT(!row_cache_get(cache, 1, name_of(1), true, arena, &found));
    row_cache_free(cache);
}

static void what_was_used_last_stays_when_there_is_no_room(void)
{
    enum { TOO_MANY = 2 * ROW_CACHE_BYTES / ROW_BYTES };
    RowCache *cache = row_cache_new();
    CachedRow found;
    int n_found = 0;

    for (int i = 0; i < TOO_MANY; i++) {
        put(cache, i, 1);
        CU_ASSERT(row_cache_get(cache, 0, name_of(0), false, arena, &found));
    }

    for (int i = 0; i < TOO_MANY; i++)
        n_found += row_cache_get(cache, 0, name_of(i), false, arena, &found);
    CU_ASSERT(n_found > TOO_MANY / 4);
    CU_ASSERT((size_t)n_found * ROW_BYTES <= ROW_CACHE_BYTES);
    CU_ASSERT(row_cache_get(cache, 0, name_of(TOO_MANY - 1), false, arena, &found));
    row_cache_free(cache);
}

static void a_large_row_is_not_kept(void)
{
    RowCache *cache = row_cache_new();
    CachedRow row = a_row(1, ROW_CACHE_MAX_ROW + 1), found;

    row_cache_put(cache, 0, "carts/1", &row);

    CU_ASSERT(!row_cache_get(cache, 0, "carts/1", true, arena, &found));
    row_cache_free(cache);
}

static Bytes a_body(int64_t sequence, size_t size)
{
    return (Bytes){ (const uint8_t *)arena_printf(arena, "%-*lld", (int)size, (long long)sequence),
        size };
}

static void put_records(LogTail *tail, int partition, int64_t first, int64_t last, size_t size)
{
    for (int64_t i = first; i <= last; i++)
        log_tail_put(tail, partition, i, a_body(i, size));
}

/* How many follow on `after`; that each is what was put is checked. */
static size_t records_after(LogTail *tail, int partition, int64_t after, size_t limit)
{
    static Bytes bodies[LOG_TAIL_RECORDS + 1];
    size_t n = log_tail_get(tail, partition, after, limit, arena, bodies);

    for (size_t i = 0; i < n; i++)
        CHECK_INT(atoll(arena_text_of(arena, (const char *)bodies[i].data, bodies[i].size)),
            after + 1 + (int64_t)i);
    return n;
}

static void the_tail_has_the_records_that_were_put_last(void)
{
    LogTail *tail = log_tail_new();

    put_records(tail, 2, 7, 6 + LOG_TAIL_RECORDS + 3, 100);

    CHECK_INT(records_after(tail, 2, 9, LOG_TAIL_RECORDS + 1), LOG_TAIL_RECORDS);
    CHECK_INT(records_after(tail, 2, 9, 64), 64);
    CHECK_INT(records_after(tail, 2, 6 + LOG_TAIL_RECORDS, 64), 3);
    log_tail_free(tail);
}

static void the_tail_says_nothing_of_what_it_does_not_have(void)
{
    LogTail *tail = log_tail_new();

    CHECK_INT(records_after(tail, 2, 0, 64), 0);
    put_records(tail, 2, 7, 6 + LOG_TAIL_RECORDS + 3, 100);

    CHECK_INT(records_after(tail, 2, 0, 64), 0);
    CHECK_INT(records_after(tail, 2, 8, 64), 0);
    CHECK_INT(records_after(tail, 2, 6 + LOG_TAIL_RECORDS + 3, 64), 0);
    CHECK_INT(records_after(tail, 2, 6 + LOG_TAIL_RECORDS + 4, 64), 0);
    CHECK_INT(records_after(tail, 3, 9, 64), 0);
    log_tail_free(tail);
}

static void a_tail_with_a_gap_begins_behind_it(void)
{
    LogTail *tail = log_tail_new();

    put_records(tail, 0, 1, 5, 100);
    put_records(tail, 1, 1, 5, 100);
    put_records(tail, 0, 8, 9, 100);

    CHECK_INT(records_after(tail, 0, 0, 64), 0);
    CHECK_INT(records_after(tail, 0, 5, 64), 0);
    CHECK_INT(records_after(tail, 0, 7, 64), 2);
    CHECK_INT(records_after(tail, 1, 0, 64), 5);
    log_tail_free(tail);
}

static void the_bytes_of_a_tail_have_a_limit(void)
{
    enum { LARGE = LOG_TAIL_BYTES / 4 };
    LogTail *tail = log_tail_new();

    put_records(tail, 0, 1, 6, LARGE);
    CHECK_INT(records_after(tail, 0, 1, 64), 0);
    CHECK_INT(records_after(tail, 0, 2, 64), 4);

    put_records(tail, 0, 7, 7, LOG_TAIL_BYTES + 1);
    CHECK_INT(records_after(tail, 0, 2, 64), 0);
    CHECK_INT(records_after(tail, 0, 6, 64), 0);

    put_records(tail, 0, 8, 8, LOG_TAIL_BYTES);
    CHECK_INT(records_after(tail, 0, 7, 64), 1);
    log_tail_free(tail);
}

int main(int argc, char **argv)
{
    CU_TestInfo keys[] = {
        { "every_key_is_possible_until_those_of_the_file_are_known",
            every_key_is_possible_until_those_of_the_file_are_known },
        { "a_known_key_is_never_taken_for_new", a_known_key_is_never_taken_for_new },
        { "few_new_keys_are_taken_for_known", few_new_keys_are_taken_for_known },
        { "what_is_added_while_a_table_is_filled_is_in_it",
            what_is_added_while_a_table_is_filled_is_in_it },
        { "a_table_is_replaced_only_when_it_is_full", a_table_is_replaced_only_when_it_is_full },
        CU_TEST_INFO_NULL,
    };
    CU_TestInfo rows[] = {
        { "a_row_comes_back_as_it_was_put", a_row_comes_back_as_it_was_put },
        { "a_row_without_its_body_is_its_head", a_row_without_its_body_is_its_head },
        { "a_newer_row_takes_the_place_of_the_older", a_newer_row_takes_the_place_of_the_older },
        { "a_dropped_row_is_gone", a_dropped_row_is_gone },
        { "rows_of_other_collections_are_others", rows_of_other_collections_are_others },
        { "what_was_used_last_stays_when_there_is_no_room",
            what_was_used_last_stays_when_there_is_no_room },
        { "a_large_row_is_not_kept", a_large_row_is_not_kept },
        CU_TEST_INFO_NULL,
    };
    CU_TestInfo tails[] = {
        { "the_tail_has_the_records_that_were_put_last",
            the_tail_has_the_records_that_were_put_last },
        { "the_tail_says_nothing_of_what_it_does_not_have",
            the_tail_says_nothing_of_what_it_does_not_have },
        { "a_tail_with_a_gap_begins_behind_it", a_tail_with_a_gap_begins_behind_it },
        { "the_bytes_of_a_tail_have_a_limit", the_bytes_of_a_tail_have_a_limit },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "keys", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = keys },
        { .pName = "rows", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = rows },
        { .pName = "tails", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = tails },
        CU_SUITE_INFO_NULL,
    };

    return test_main("store_memory", suites, argc, argv);
}
