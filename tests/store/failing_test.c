/* Every error of an engine reaches the caller, and what was acknowledged is what is kept. */
#include "tests/store/store_fixture.h"

#include "shared/store/engine.h"
#include "shared/store/engine_failing.h"

static const Error broken = { ERROR_UNAVAILABLE, "STORE_UNAVAILABLE", "Broken for the test." };

static void fail(StoreOperation operation, int64_t nth, bool has_effect)
{
    store_fail(the_store(),
        &(StoreFault){
            .operation = operation, .nth = nth, .has_effect = has_effect, .error = &broken });
}

static void insert(const char *id)
{
    CHECK_OK(store_insert(a_view(), &records, a_record(id), a_record("event")));
}

static void a_write_that_fails_before_its_effect_leaves_nothing(void)
{
    fail(STORE_OP_WRITE, 1, false);

    CHECK_REASON(store_insert(a_view(), &records, a_record("1"), NULL), "STORE_UNAVAILABLE");
    CHECK_REASON(store_get(a_view(), &records, "records/1", a_record("x")), "RECORD_NOT_FOUND");
}

static void a_write_whose_answer_is_lost_is_replayed(void)
{
    StoreView *again = a_request("key", "other");

    fail(STORE_OP_WRITE, 1, true);

    CHECK_REASON(
        store_insert(a_request("key", "ann"), &records, a_record("1"), NULL), "STORE_UNAVAILABLE");
    CHECK_REASON(store_insert(again, &records, a_record("1"), NULL), "REQUEST_REPLAYED");
    CHECK_TEXT(owner_of(again->replayed), "ann");
}

static void a_failed_write_gives_no_etag(void)
{
    Record *record = a_record("1");

    fail(STORE_OP_WRITE, 1, true);
    store_insert(a_view(), &records, record, NULL);

    CHECK_TEXT(record->etag, "");
}

static void every_write_of_a_failed_batch_says_so(void)
{
    StoreWrite writes[] = {
        { .kind = STORE_INSERT, .collection = &records, .message = a_record("1") },
        { .kind = STORE_INSERT, .collection = &records, .message = a_record("2") },
    };

    fail(STORE_OP_WRITE, 1, false);

    CHECK_REASON(store_write(a_view(), writes, COUNT(writes)), "STORE_UNAVAILABLE");
    CHECK_REASON(writes[0].error, "STORE_UNAVAILABLE");
    CHECK_REASON(writes[1].error, "STORE_UNAVAILABLE");
}

static void the_nth_operation_fails_and_no_other(void)
{
    fail(STORE_OP_WRITE, 2, false);

    CHECK_OK(store_insert(a_view(), &records, a_record("1"), NULL));
    CHECK_REASON(store_insert(a_view(), &records, a_record("2"), NULL), "STORE_UNAVAILABLE");
    CHECK_OK(store_insert(a_view(), &records, a_record("3"), NULL));
}

static void a_lasting_fault_ends_when_it_is_taken_away(void)
{
    store_fail(the_store(),
        &(StoreFault){
            .operation = STORE_N_OPERATIONS, .nth = 1, .is_lasting = true, .error = &broken });
    CHECK_REASON(store_insert(a_view(), &records, a_record("1"), NULL), "STORE_UNAVAILABLE");
    CHECK_REASON(store_get(a_view(), &records, "records/1", a_record("x")), "STORE_UNAVAILABLE");
    store_fail(the_store(), NULL);

    CHECK_OK(store_insert(a_view(), &records, a_record("1"), NULL));
}

static void failures_of_reading_surface(void)
{
    void *message;
    StorePage page;

    insert("1");
    fail(STORE_OP_GET, 1, false);
    CHECK_REASON(store_get(a_view(), &records, "records/1", a_record("x")), "STORE_UNAVAILABLE");
    fail(STORE_OP_GET, 1, false);
    CHECK_REASON(
        store_get_many(a_view(), &records, (const char *const[]){ "records/1" }, 1, &message),
        "STORE_UNAVAILABLE");
    fail(STORE_OP_FIND, 1, false);
    CHECK_REASON(
        store_find(a_view(), &records, &(StoreQuery){ .limit = 1 }, &page), "STORE_UNAVAILABLE");
    fail(STORE_OP_FIND_REPLY, 1, false);
    CHECK_REASON(store_find_reply(a_request("key", "")), "STORE_UNAVAILABLE");
}

static void failures_of_changing_surface(void)
{
    int64_t result = -1;

    CHECK_OK(store_insert(a_view(), &records, a_record("1"), NULL));
    fail(STORE_OP_INCREMENT, 1, false);
    CHECK_REASON(store_increment(a_view(), &records, "records/1", "stock", 1, 0, 9, &result),
        "STORE_UNAVAILABLE");
    CHECK_INT(result, -1);
    CHECK_INT(stored(&records, "records/1")->stock, 0);
    fail(STORE_OP_DELETE, 1, false);
    CHECK_REASON(store_delete(a_view(), &records, "records/1", ""), "STORE_UNAVAILABLE");
    CHECK_TEXT(stored(&records, "records/1")->name, "records/1");
}

static void failures_of_the_outbox_surface(void)
{
    StoreEntry *entries;
    size_t n_entries;

    insert("1");
    fail(STORE_OP_OUTBOX_READ, 1, false);
    CHECK_REASON(store_outbox_read(a_view(), 1, 9, &entries, &n_entries), "STORE_UNAVAILABLE");
    CHECK_OK(store_outbox_read(a_view(), 1, 9, &entries, &n_entries));
    fail(STORE_OP_OUTBOX_TRIM, 1, false);
    CHECK_REASON(store_outbox_trim(a_view(), entries, n_entries), "STORE_UNAVAILABLE");
    CHECK_OK(store_outbox_read(a_view(), 1, 9, &entries, &n_entries));
    CHECK_INT(n_entries, 1);
}

static void a_trim_whose_answer_is_lost_can_be_repeated(void)
{
    StoreEntry *entries;
    size_t n_entries;

    insert("1");
    CHECK_OK(store_outbox_read(a_view(), 1, 9, &entries, &n_entries));
    fail(STORE_OP_OUTBOX_TRIM, 1, true);

    CHECK_REASON(store_outbox_trim(a_view(), entries, n_entries), "STORE_UNAVAILABLE");
    CHECK_OK(store_outbox_trim(a_view(), entries, n_entries));
}

static void a_store_with_a_fault_still_counts_and_answers(void)
{
    int64_t before = store_counts(the_store()).writes;

    fail(STORE_OP_GET, 100, false);
    insert("1");

    CHECK_OK(store_check(the_store()));
    CHECK_INT(store_counts(the_store()).writes - before, 1);
}

/* An answer to the check that comes too late; meanwhile somebody else got one, or not. */
static bool others_are_answered;

static const Error *check_late(Engine *engine, const StoreView *view)
{
    (void)engine, (void)view;
    if (others_are_answered)
        CHECK_REASON(store_get(a_view(), &records, "records/1", a_record("x")), "OK");
    return &store_too_late;
}

static void a_store_that_answers_others_is_not_away(void)
{
    Engine *engine = the_store()->engine;
    const EngineOps *right = engine->ops;
    EngineOps late = *right;
    const Error *error = NULL;

    insert("1");
    late.check = check_late;
    engine->ops = &late;

    /* The store's own cleaner begins when it is opened, and may be answered during the first check. */
    others_are_answered = false;
    for (int tries = 0; tries < 2 && !error; tries++)
        error = store_check(the_store());
    CHECK_REASON(error, "DEADLINE_EXCEEDED");
    others_are_answered = true;
    CHECK_OK(store_check(the_store()));

    engine->ops = right;
}

static const CU_TestInfo cases[] = {
    { "a_write_that_fails_before_its_effect_leaves_nothing",
        a_write_that_fails_before_its_effect_leaves_nothing },
    { "a_write_whose_answer_is_lost_is_replayed", a_write_whose_answer_is_lost_is_replayed },
    { "a_failed_write_gives_no_etag", a_failed_write_gives_no_etag },
    { "every_write_of_a_failed_batch_says_so", every_write_of_a_failed_batch_says_so },
    { "the_nth_operation_fails_and_no_other", the_nth_operation_fails_and_no_other },
    { "a_lasting_fault_ends_when_it_is_taken_away", a_lasting_fault_ends_when_it_is_taken_away },
    { "failures_of_reading_surface", failures_of_reading_surface },
    { "failures_of_changing_surface", failures_of_changing_surface },
    { "failures_of_the_outbox_surface", failures_of_the_outbox_surface },
    { "a_trim_whose_answer_is_lost_can_be_repeated", a_trim_whose_answer_is_lost_can_be_repeated },
    { "a_store_with_a_fault_still_counts_and_answers",
        a_store_with_a_fault_still_counts_and_answers },
    { "a_store_that_answers_others_is_not_away", a_store_that_answers_others_is_not_away },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    const CU_TestInfo *const tables[] = { cases, NULL };

    return fixture_main("failing_test", tables, argc, argv);
}
