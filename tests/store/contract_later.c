/* Writes that nobody waits for, and threads that may not wait. */
#include "tests/store/contract_test.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"

#include <semaphore.h>
#include <stdatomic.h>

enum { ROW = 50, SECOND = 1000000 };

static bool is_skipped(void)
{
    if (store_can_defer(the_store()))
        return false;
    test_skip("writes of this engine are always waited for");
    return true;
}

static Record *inserted(const char *id, const char *owner)
{
    Record *record = a_record_of(id, owner);

    CHECK_OK(store_insert(a_view(), &records, record, NULL));
    return record;
}

static size_t n_events(void)
{
    StoreEntry *entries;
    size_t n_entries;

    CHECK_OK(store_outbox_read(a_view(), STORE_ALL_PARTITIONS, 100, &entries, &n_entries));
    return n_entries;
}

static StoreView *in_haste(StoreView *view)
{
    view->is_hasty = true;
    return view;
}

/* What the one who is told can see by then, without waiting. */
typedef struct Seen {
    sem_t news;
    StoreView view;
    Record record;
    bool is_done;
    const Error *error;
} Seen;

static void look(void *context, bool is_done)
{
    Seen *seen = context;

    seen->is_done = is_done;
    seen->error = store_get(&seen->view, &records, "records/1", &seen->record);
    sem_post(&seen->news);
}

static void what_is_told_to_be_done_can_be_read_at_once(void)
{
    Record *record;
    Seen seen = { .record = THROUGHLINE__ECHO__V1__RECORD__INIT };

    if (is_skipped())
        return;
    record = inserted("1", "ann");
    record->owner = (char *)"bob";
    seen.view = (StoreView){ .store = the_store(), .arena = the_arena(), .is_hasty = true };
    sem_init(&seen.news, 0, 0);

    store_replace_later(a_view(), &records, record, NULL, look, &seen);
    while (sem_wait(&seen.news))
        continue;

    CU_ASSERT(seen.is_done);
    CHECK_OK(seen.error);
    CHECK_TEXT(seen.record.owner, "bob");
    sem_destroy(&seen.news);
}

static void what_a_request_has_made_can_be_read_in_haste(void)
{
    Record found = THROUGHLINE__ECHO__V1__RECORD__INIT;

    if (is_skipped())
        return;
    CHECK_OK(store_insert(a_request("key", "ann"), &records, a_record_of("1", "ann"), NULL));
    CHECK_OK(store_insert(a_view(), &records, a_record_of("2", "bob"), NULL));

    CHECK_OK(store_get(in_haste(a_view()), &records, "records/1", &found));
    CHECK_TEXT(found.owner, "ann");
    CU_ASSERT(store_get(in_haste(a_view()), &records, "records/2", &found) == &store_would_wait);
}

static void what_is_told_to_be_done_survives_a_new_start(void)
{
    Record *record;

    if (is_skipped())
        return;
    record = inserted("1", "ann");
    record->owner = (char *)"bob";

    CU_ASSERT(replaced_later(a_view(), &records, record, a_record_of("event", "eve")));
    CHECK_OK(fixture_reopen(NULL));

    CHECK_TEXT(stored(&records, "records/1")->owner, "bob");
    CHECK_INT(n_events(), 1);
}

static void the_etag_is_foretold(void)
{
    StoreView *view = a_request("key", ""), *again = a_request("key", "");
    Record *record, *kept;

    if (is_skipped())
        return;
    record = inserted("1", "ann");
    for (int i = 0; i < 9; i++)
        CHECK_OK(store_replace(a_view(), &records, record, NULL));
    view->reply = (ProtobufCMessage *)record;

    CU_ASSERT(replaced_later(view, &records, record, NULL));

    CHECK_TEXT(stored(&records, "records/1")->etag, record->etag);
    CHECK_REASON(store_find_reply(again), "REQUEST_REPLAYED");
    kept = message_unpack(the_arena(), records.message, again->replayed);
    CU_ASSERT_FATAL(kept != NULL);
    CHECK_TEXT(kept->etag, record->etag);
}

static void note(void *context, bool is_done)
{
    atomic_fetch_add((atomic_int *)context, is_done ? 1 : 1000);
}

/* Each goes by the etag that is foretold of the one before. */
static void writes_in_a_row_need_not_wait_for_one_another(void)
{
    atomic_int told = 0;
    Record *record;

    if (is_skipped())
        return;
    record = inserted("1", "ann");
    for (int i = 0; i < ROW; i++) {
        record->count++;
        store_replace_later(a_view(), &records, record, a_record("event"), note, &told);
    }
    CHECK_OK(fixture_reopen(NULL));

    CHECK_INT(atomic_load(&told), ROW);
    CHECK_INT(stored(&records, "records/1")->count, ROW);
    CHECK_TEXT(stored(&records, "records/1")->etag, record->etag);
    CHECK_INT(n_events(), ROW);
}

static void closing_waits_for_what_is_under_way(void)
{
    atomic_int told = 0;

    if (is_skipped())
        return;
    for (int i = 0; i < ROW; i++)
        inserted(arena_printf(the_arena(), "%d", i), "ann");
    for (int i = 0; i < ROW; i++) {
        Record *record = stored(&records, arena_printf(the_arena(), "records/%d", i));

        record->owner = (char *)"bob";
        store_replace_later(a_view(), &records, record, NULL, note, &told);
    }
    fixture_close();

    CHECK_INT(atomic_load(&told), ROW);
    CHECK_OK(fixture_reopen(NULL));
    for (int i = 0; i < ROW; i++)
        CHECK_TEXT(stored(&records, arena_printf(the_arena(), "records/%d", i))->owner, "bob");
}

static void check_nothing_is_done(StoreView *view, Record *record)
{
    Record *before = stored(&records, "records/1");
    size_t n_before = n_events();
    Record *after;

    CU_ASSERT_FALSE(replaced_later(view, &records, record, a_record("event")));

    after = stored(&records, "records/1");
    CHECK_TEXT(after->etag, before->etag);
    CHECK_TEXT(after->owner, before->owner);
    CHECK_INT(n_events(), n_before);
}

static void a_stale_write_is_not_done(void)
{
    Record *old;

    if (is_skipped())
        return;
    inserted("1", "ann");
    old = stored(&records, "records/1");
    CHECK_OK(store_replace(a_view(), &records, stored(&records, "records/1"), NULL));
    old->owner = (char *)"bob";

    check_nothing_is_done(a_view(), old);
}

static void a_missing_document_is_not_replaced(void)
{
    Record *record;

    if (is_skipped())
        return;
    inserted("1", "ann");
    record = inserted("2", "ann");
    CHECK_OK(store_delete(a_view(), &records, "records/2", ""));

    check_nothing_is_done(a_view(), record);
    CHECK_REASON(store_get(a_view(), &records, "records/2", a_record("x")), "RECORD_NOT_FOUND");
}

static void a_unique_entry_that_is_taken_stays_where_it_is(void)
{
    Record *other = a_record("2"), *record;

    if (is_skipped())
        return;
    other->email = (char *)"a@x";
    CHECK_OK(store_insert(a_view(), &records, other, NULL));
    record = inserted("1", "ann");
    record->email = (char *)"a@x";

    check_nothing_is_done(a_view(), record);
}

static void a_request_that_was_answered_writes_nothing(void)
{
    StoreView *other = a_request("key", "ann");
    Record *record;

    if (is_skipped())
        return;
    record = inserted("1", "ann");
    CU_ASSERT(replaced_later(a_request("key", "ann"), &records, record, NULL));
    record->owner = (char *)"bob";

    check_nothing_is_done(a_request("key", "ann"), record);
    record->etag = stored(&records, "records/1")->etag;
    other->request_hash[7] ^= 1;
    check_nothing_is_done(other, record);
    CHECK_REASON(store_find_reply(a_request("key", "ann")), "REQUEST_REPLAYED");
}

static void a_write_that_cannot_be_is_not_done(void)
{
    Record *record;
    StoreView *view = a_request("key", "ann");
    Record *large = a_record("reply");

    if (is_skipped())
        return;
    record = inserted("1", "ann");
    large->data =
        (ProtobufCBinaryData){ STORE_MAX_PAYLOAD, arena_alloc(the_arena(), STORE_MAX_PAYLOAD) };
    view->reply = (ProtobufCMessage *)large;

    check_nothing_is_done(view, record);
    record->etag = stored(&records, "records/1")->etag;
    record->name = (char *)"";
    check_nothing_is_done(a_view(), record);
}

static void a_write_whose_time_is_over_is_not_begun(void)
{
    StoreView *late = a_view(), *in_time = a_view();
    Record *record;

    if (is_skipped())
        return;
    record = inserted("1", "ann");
    record->owner = (char *)"bob";
    late->deadline = clock_monotonic() - 1;
    in_time->deadline = clock_monotonic() + 60 * (int64_t)SECOND;

    check_nothing_is_done(late, record);
    CU_ASSERT(replaced_later(in_time, &records, record, NULL));
    CHECK_TEXT(stored(&records, "records/1")->owner, "bob");
}

static void a_thread_in_haste_can_write_later(void)
{
    StoreView *view = in_haste(a_request("key", "ann"));
    Record *record;

    if (is_skipped())
        return;
    record = inserted("1", "ann");
    CHECK_OK(store_replace(a_view(), &records, record, NULL));
    CHECK_OK(store_get(in_haste(a_view()), &records, "records/1", record));
    record->owner = (char *)"bob";

    CU_ASSERT(replaced_later(view, &records, record, a_record("event")));

    CHECK_TEXT(stored(&records, "records/1")->owner, "bob");
    CHECK_INT(n_events(), 1);
}

static void check_waits(const Error *error)
{
    CHECK_REASON(error, "STORE_WOULD_WAIT");
}

/* Whatever the engine: nothing is in memory after a new start. */
static void a_thread_in_haste_reads_nothing_that_is_not_in_memory(void)
{
    const char *names[] = { "records/1", "records/2" };
    StoreQuery query = { .index = "by_owner", .limit = 10 };
    StorePage page = { 0 };
    void *found[COUNT(names)];

    CHECK_OK(store_insert(a_request("key", "ann"), &records, a_record_of("1", "ann"), NULL));
    CHECK_OK(fixture_reopen(NULL));

    check_waits(store_get(in_haste(a_view()), &records, "records/1", a_record("x")));
    check_waits(store_get(in_haste(a_view()), &records, "records/none", a_record("x")));
    check_waits(store_get_many(in_haste(a_view()), &records, names, COUNT(names), found));
    check_waits(store_find(in_haste(a_view()), &records, &query, &page));
    check_waits(store_find_reply(in_haste(a_request("key", "ann"))));
    CHECK_TEXT(stored(&records, "records/1")->owner, "ann");
}

static void a_thread_in_haste_changes_nothing(void)
{
    Record *record = inserted("1", "ann");
    StoreWrite writes[] = { { .kind = STORE_PUT, .collection = &records, .message = record },
        { .kind = STORE_INSERT, .collection = &records, .message = a_record("2") } };

    record->owner = (char *)"bob";

    check_waits(store_insert(in_haste(a_view()), &records, a_record("2"), a_record("event")));
    check_waits(store_replace(in_haste(a_view()), &records, record, a_record("event")));
    check_waits(store_put(in_haste(a_view()), &records, record, a_record("event")));
    check_waits(store_write(in_haste(a_view()), writes, COUNT(writes)));
    check_waits(store_delete(in_haste(a_view()), &records, "records/1", ""));
    check_waits(
        store_increment(in_haste(a_view()), &records, "records/1", "stock", 1, 0, 10, NULL));

    CHECK_TEXT(stored(&records, "records/1")->owner, "ann");
    CHECK_TEXT(stored(&records, "records/1")->etag, record->etag);
    CHECK_INT(stored(&records, "records/1")->stock, 0);
    CHECK_REASON(store_get(a_view(), &records, "records/2", a_record("x")), "RECORD_NOT_FOUND");
    CHECK_INT(n_events(), 0);
}

static void a_thread_in_haste_reads_what_is_in_memory(void)
{
    Record *found = a_record("x");

    if (is_skipped())
        return;
    CHECK_OK(store_replace(a_view(), &records, inserted("1", "ann"), NULL));

    CHECK_OK(store_get(in_haste(a_view()), &records, "records/1", found));

    CHECK_TEXT(found->owner, "ann");
}

const CU_TestInfo later_cases[] = {
    { "what_is_told_to_be_done_can_be_read_at_once", what_is_told_to_be_done_can_be_read_at_once },
    { "what_a_request_has_made_can_be_read_in_haste",
        what_a_request_has_made_can_be_read_in_haste },
    { "what_is_told_to_be_done_survives_a_new_start",
        what_is_told_to_be_done_survives_a_new_start },
    { "the_etag_is_foretold", the_etag_is_foretold },
    { "writes_in_a_row_need_not_wait_for_one_another",
        writes_in_a_row_need_not_wait_for_one_another },
    { "closing_waits_for_what_is_under_way", closing_waits_for_what_is_under_way },
    { "a_stale_write_is_not_done", a_stale_write_is_not_done },
    { "a_missing_document_is_not_replaced", a_missing_document_is_not_replaced },
    { "a_unique_entry_that_is_taken_stays_where_it_is",
        a_unique_entry_that_is_taken_stays_where_it_is },
    { "a_request_that_was_answered_writes_nothing", a_request_that_was_answered_writes_nothing },
    { "a_write_that_cannot_be_is_not_done", a_write_that_cannot_be_is_not_done },
    { "a_write_whose_time_is_over_is_not_begun", a_write_whose_time_is_over_is_not_begun },
    { "a_thread_in_haste_can_write_later", a_thread_in_haste_can_write_later },
    { "a_thread_in_haste_reads_nothing_that_is_not_in_memory",
        a_thread_in_haste_reads_nothing_that_is_not_in_memory },
    { "a_thread_in_haste_changes_nothing", a_thread_in_haste_changes_nothing },
    { "a_thread_in_haste_reads_what_is_in_memory", a_thread_in_haste_reads_what_is_in_memory },
    CU_TEST_INFO_NULL,
};
