/* Counting within bounds, and getting many at once. */
#include "tests/store/contract_test.h"

#include "shared/codec/message.h"

static void insert(Record *record)
{
    CHECK_OK(store_insert(a_view(), &records, record, NULL));
}

static void insert_stock(int64_t stock)
{
    Record *record = a_record_of("1", "ann");

    record->stock = stock;
    insert(record);
}

static const Error *add(int64_t delta, int64_t min, int64_t max, int64_t *result)
{
    return store_increment(a_view(), &records, "records/1", "stock", delta, min, max, result);
}

static void increment_adds(void)
{
    int64_t result = 0;

    insert_stock(5);
    CHECK_OK(add(3, 0, 100, &result));

    CHECK_INT(result, 8);
    CHECK_INT(stored(&records, "records/1")->stock, 8);
}

static void increment_takes_away(void)
{
    insert_stock(5);
    CHECK_OK(add(-3, 0, 100, NULL));

    CHECK_INT(stored(&records, "records/1")->stock, 2);
}

static void increment_starts_from_nothing(void)
{
    int64_t result = 0;

    insert_stock(0);
    CHECK_OK(add(4, 0, 100, &result));

    CHECK_INT(result, 4);
}

static void increment_comes_down_to_nothing_and_up_again(void)
{
    int64_t result = -1;

    insert_stock(5);
    CHECK_OK(add(-5, 0, 100, &result));
    CHECK_INT(result, 0);
    CHECK_INT(stored(&records, "records/1")->stock, 0);

    CHECK_OK(add(2, 0, 100, &result));
    CHECK_INT(result, 2);
}

static void increment_reaches_its_bounds(void)
{
    insert_stock(5);
    CHECK_OK(add(5, 0, 10, NULL));
    CHECK_OK(add(-10, 0, 10, NULL));
}

static void increment_beyond_the_maximum_is_refused(void)
{
    Record *before;

    insert_stock(5);
    before = stored(&records, "records/1");

    CHECK_REASON(add(6, 0, 10, NULL), "GUARD_REFUSED");
    CU_ASSERT(message_equal(before, stored(&records, "records/1")));
}

static void increment_below_the_minimum_is_refused(void)
{
    insert_stock(5);

    CHECK_REASON(add(-6, 0, 10, NULL), "GUARD_REFUSED");
}

static void increment_of_nothing_below_the_minimum_is_refused(void)
{
    insert_stock(0);

    CHECK_REASON(add(-1, 0, 10, NULL), "GUARD_REFUSED");
    CHECK_REASON(add(1, 2, 10, NULL), "GUARD_REFUSED");
}

static void increment_that_overflows_is_refused(void)
{
    insert_stock(INT64_MAX - 1);

    CHECK_REASON(add(5, INT64_MIN, INT64_MAX, NULL), "GUARD_REFUSED");
}

static void increment_of_a_missing_document_is_not_found(void)
{
    CHECK_REASON(add(1, 0, 10, NULL), "RECORD_NOT_FOUND");
}

static void increment_is_a_new_version(void)
{
    Record *record;

    insert_stock(5);
    record = stored(&records, "records/1");
    CHECK_OK(add(1, 0, 10, NULL));

    CHECK_REASON(store_replace(a_view(), &records, record, NULL), "ETAG_STALE");
}

static void increment_leaves_the_other_fields(void)
{
    insert_stock(5);
    CHECK_OK(add(1, 0, 10, NULL));

    CHECK_TEXT(stored(&records, "records/1")->owner, "ann");
}

static void replace_goes_on_after_increments(void)
{
    Record *record;

    insert_stock(5);
    CHECK_OK(add(1, 0, 10, NULL));
    record = stored(&records, "records/1");
    record->owner = (char *)"bob";
    CHECK_OK(store_replace(a_view(), &records, record, NULL));
    CHECK_OK(add(1, 0, 10, NULL));

    CHECK_INT(stored(&records, "records/1")->stock, 7);
    CHECK_TEXT(stored(&records, "records/1")->owner, "bob");
}

static void many_are_got_in_the_order_asked(void)
{
    const char *names[] = { "records/3", "records/none", "records/1", "records/3" };
    void *messages[COUNT(names)];

    insert(a_record_of("1", "ann"));
    insert(a_record_of("3", "cid"));
    CHECK_OK(store_get_many(a_view(), &records, names, COUNT(names), messages));

    CHECK_TEXT(((Record *)messages[0])->owner, "cid");
    CU_ASSERT_PTR_NULL(messages[1]);
    CHECK_TEXT(((Record *)messages[2])->owner, "ann");
    CHECK_TEXT(((Record *)messages[3])->owner, "cid");
}

static void none_are_got_when_none_are_asked(void)
{
    void *message = NULL;

    CHECK_OK(store_get_many(a_view(), &records, NULL, 0, &message));
}

static void a_hundred_are_got_at_once(void)
{
    const char *names[100];
    void *messages[COUNT(names)];
    StoreWrite writes[COUNT(names)] = { 0 };

    for (size_t i = 0; i < COUNT(names); i++) {
        Record *record = a_record(arena_printf(the_arena(), "%zu", i));

        record->count = (int64_t)i;
        names[i] = record->name;
        writes[i] = (StoreWrite){ .kind = STORE_INSERT, .collection = &records, .message = record };
    }
    CHECK_OK(store_write(a_view(), writes, COUNT(writes)));
    CHECK_OK(store_get_many(a_view(), &records, names, COUNT(names), messages));

    for (size_t i = 0; i < COUNT(names); i++)
        CHECK_INT(((Record *)messages[i])->count, i);
}

/* Whatever connection answers: it has seen what was there at the time before. */
static void many_are_got_as_they_were_last_written(void)
{
    enum { ROUNDS = 20 };
    const char *names[ROUNDS];
    void *messages[ROUNDS];

    for (size_t i = 0; i < ROUNDS; i++)
        names[i] = arena_printf(the_arena(), "records/%zu", i);
    for (size_t i = 0; i < ROUNDS; i++) {
        insert(a_record(arena_printf(the_arena(), "%zu", i)));
        CHECK_OK(store_get_many(a_view(), &records, names, ROUNDS, messages));

        CU_ASSERT_PTR_NOT_NULL(messages[i]);
        CU_ASSERT(i + 1 == ROUNDS || !messages[i + 1]);
        CHECK_TEXT(stored(&records, names[i])->etag, "1");
    }
}

const CU_TestInfo counter_cases[] = {
    { "increment_adds", increment_adds },
    { "increment_takes_away", increment_takes_away },
    { "increment_starts_from_nothing", increment_starts_from_nothing },
    { "increment_comes_down_to_nothing_and_up_again",
        increment_comes_down_to_nothing_and_up_again },
    { "increment_reaches_its_bounds", increment_reaches_its_bounds },
    { "increment_beyond_the_maximum_is_refused", increment_beyond_the_maximum_is_refused },
    { "increment_below_the_minimum_is_refused", increment_below_the_minimum_is_refused },
    { "increment_of_nothing_below_the_minimum_is_refused",
        increment_of_nothing_below_the_minimum_is_refused },
    { "increment_that_overflows_is_refused", increment_that_overflows_is_refused },
    { "increment_of_a_missing_document_is_not_found",
        increment_of_a_missing_document_is_not_found },
    { "increment_is_a_new_version", increment_is_a_new_version },
    { "increment_leaves_the_other_fields", increment_leaves_the_other_fields },
    { "replace_goes_on_after_increments", replace_goes_on_after_increments },
    { "many_are_got_in_the_order_asked", many_are_got_in_the_order_asked },
    { "none_are_got_when_none_are_asked", none_are_got_when_none_are_asked },
    { "a_hundred_are_got_at_once", a_hundred_are_got_at_once },
    { "many_are_got_as_they_were_last_written", many_are_got_as_they_were_last_written },
    CU_TEST_INFO_NULL,
};
