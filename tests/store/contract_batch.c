/* Batches: many writes, durable together, each for itself. */
#include "tests/store/contract_test.h"

enum { MANY = 600 };

static StoreWrite write_of(StoreWriteKind kind, Record *record)
{
    return (StoreWrite){ .kind = kind, .collection = &records, .message = record };
}

static bool exists(const char *name)
{
    return !store_get(a_view(), &records, name, a_record("x"));
}

static void a_batch_writes_everything(void)
{
    StoreWrite writes[] = { write_of(STORE_INSERT, a_record("1")),
        write_of(STORE_PUT, a_record("2")),
        { .kind = STORE_INSERT, .collection = &accounts, .message = a_record("3") } };

    CHECK_OK(store_write(a_view(), writes, COUNT(writes)));

    CU_ASSERT(exists("records/1") && exists("records/2"));
    stored(&accounts, "records/3");
}

static void an_empty_batch_is_done(void)
{
    CHECK_OK(store_write(a_view(), NULL, 0));
}

static void each_write_of_a_batch_succeeds_or_fails_by_itself(void)
{
    StoreWrite writes[] = { write_of(STORE_INSERT, a_record("1")),
        write_of(STORE_INSERT, a_record("2")), write_of(STORE_REPLACE, a_record("3")),
        write_of(STORE_INSERT, a_record("4")) };

    CHECK_OK(store_insert(a_view(), &records, a_record("2"), NULL));

    CHECK_REASON(store_write(a_view(), writes, COUNT(writes)), "RECORD_EXISTS");
    CHECK_OK(writes[0].error);
    CHECK_REASON(writes[1].error, "RECORD_EXISTS");
    CHECK_REASON(writes[2].error, "RECORD_NOT_FOUND");
    CHECK_OK(writes[3].error);
    CU_ASSERT(exists("records/1") && exists("records/4"));
}

static void a_write_that_cannot_be_made_spoils_no_other(void)
{
    Record *nameless = a_record("x");
    StoreWrite writes[] = { write_of(STORE_INSERT, nameless),
        write_of(STORE_INSERT, a_record("1")) };

    nameless->name = (char *)"";

    CHECK_REASON(store_write(a_view(), writes, COUNT(writes)), "NAME_INVALID");
    CHECK_OK(writes[1].error);
    CU_ASSERT(exists("records/1"));
}

static void a_chained_write_is_skipped_after_a_failure(void)
{
    StoreWrite writes[] = { write_of(STORE_REPLACE, a_record("1")),
        write_of(STORE_INSERT, a_record("2")), write_of(STORE_INSERT, a_record("3")) };

    writes[1].is_chained = writes[2].is_chained = true;

    CHECK_REASON(store_write(a_view(), writes, COUNT(writes)), "RECORD_NOT_FOUND");
    CHECK_REASON(writes[1].error, "WRITE_SKIPPED");
    CHECK_REASON(writes[2].error, "WRITE_SKIPPED");
    CU_ASSERT(!exists("records/2") && !exists("records/3"));
}

static void a_chained_write_is_skipped_after_one_that_could_not_be_made(void)
{
    Record *nameless = a_record("x");
    StoreWrite writes[] = { write_of(STORE_INSERT, nameless),
        write_of(STORE_INSERT, a_record("1")) };

    nameless->name = (char *)"";
    writes[1].is_chained = true;

    CHECK_REASON(store_write(a_view(), writes, COUNT(writes)), "NAME_INVALID");
    CHECK_REASON(writes[1].error, "WRITE_SKIPPED");
}

static void a_chained_write_follows_a_success(void)
{
    StoreWrite writes[] = { write_of(STORE_INSERT, a_record("1")),
        write_of(STORE_INSERT, a_record("2")) };

    writes[1].is_chained = true;

    CHECK_OK(store_write(a_view(), writes, COUNT(writes)));
    CU_ASSERT(exists("records/1") && exists("records/2"));
}

/* A chain of three; the one in the middle is the given one. */
static void break_chain(Record *middle, const char *reason)
{
    Record *first = a_record("first"), *last = a_record("last");
    StoreWrite writes[] = { write_of(STORE_INSERT, first), write_of(STORE_INSERT, middle),
        write_of(STORE_INSERT, last) };

    writes[1].is_chained = writes[2].is_chained = true;

    CHECK_REASON(store_write(a_view(), writes, COUNT(writes)), reason);
    CHECK_OK(writes[0].error);
    CHECK_REASON(writes[1].error, reason);
    CHECK_REASON(writes[2].error, "WRITE_SKIPPED");
    CU_ASSERT(exists("records/first") && !exists("records/last"));
    CHECK_OK(store_replace(a_view(), &records, first, NULL));
}

static void a_chain_ends_where_a_name_is_taken(void)
{
    CHECK_OK(store_insert(a_view(), &records, a_record("taken"), NULL));

    break_chain(a_record("taken"), "RECORD_EXISTS");
}

static void a_chain_ends_where_it_names_a_document_twice(void)
{
    break_chain(a_record("first"), "RECORD_EXISTS");
}

static void a_chain_ends_where_a_unique_entry_is_taken(void)
{
    Record *other = a_record("other"), *middle = a_record("middle");

    other->email = middle->email = (char *)"ann@example.com";
    CHECK_OK(store_insert(a_view(), &records, other, NULL));

    break_chain(middle, "BY_EMAIL_TAKEN");
}

static void a_chain_goes_on_counting_where_a_name_comes_back(void)
{
    Record *again = a_record("1"), *old = a_record("1");
    StoreWrite writes[] = { write_of(STORE_INSERT, a_record("0")), write_of(STORE_INSERT, again) };
    StoreEntry *entries;
    size_t n_entries;

    CHECK_OK(store_insert(a_view(), &records, old, a_record_of("event", "told")));
    CHECK_OK(store_outbox_read(a_view(), 1, 1, &entries, &n_entries));
    CHECK_OK(store_outbox_trim(a_view(), entries, n_entries));
    CHECK_OK(store_delete(a_view(), &records, "records/1", ""));
    writes[1].is_chained = true;

    CHECK_OK(store_write(a_view(), writes, COUNT(writes)));
    CHECK_TEXT(again->etag, "2");
    CHECK_TEXT(stored(&records, "records/1")->etag, "2");
    CHECK_REASON(store_replace(a_view(), &records, old, NULL), "ETAG_STALE");
}

static void an_unchained_write_goes_on_after_skipped_ones(void)
{
    StoreWrite writes[] = { write_of(STORE_REPLACE, a_record("1")),
        write_of(STORE_INSERT, a_record("2")), write_of(STORE_INSERT, a_record("3")) };

    writes[1].is_chained = true;
    store_write(a_view(), writes, COUNT(writes));

    CHECK_OK(writes[2].error);
    CU_ASSERT(exists("records/3"));
}

static void writes_of_a_batch_are_tried_in_order(void)
{
    Record *first = a_record_of("1", "ann"), *second = a_record_of("1", "bob");
    StoreWrite writes[] = { write_of(STORE_INSERT, first), write_of(STORE_PUT, second) };

    CHECK_OK(store_write(a_view(), writes, COUNT(writes)));

    CHECK_TEXT(stored(&records, "records/1")->owner, "bob");
    CHECK_TEXT(stored(&records, "records/1")->etag, second->etag);
}

static void every_message_of_a_batch_gets_its_etag(void)
{
    Record *one = a_record("1"), *other = a_record("2");
    StoreWrite writes[] = { write_of(STORE_INSERT, one), write_of(STORE_INSERT, other) };

    CHECK_OK(store_write(a_view(), writes, COUNT(writes)));

    CHECK_OK(store_replace(a_view(), &records, one, NULL));
    CHECK_OK(store_replace(a_view(), &records, other, NULL));
}

static void a_large_batch_is_written(void)
{
    static StoreWrite writes[MANY];

    for (int i = 0; i < MANY; i++)
        writes[i] = write_of(STORE_INSERT, a_record(arena_printf(the_arena(), "%d", i)));
    CHECK_OK(store_write(a_view(), writes, MANY));

    CU_ASSERT(exists("records/0") && exists("records/599"));
}

static void a_batch_keeps_the_answer_with_the_last_write(void)
{
    StoreWrite writes[] = { write_of(STORE_INSERT, a_record("1")),
        write_of(STORE_INSERT, a_record("2")) };
    StoreView *again = a_request("key", "other");

    CHECK_OK(store_write(a_request("key", "ann"), writes, COUNT(writes)));

    CHECK_REASON(store_find_reply(again), "REQUEST_REPLAYED");
    CHECK_TEXT(owner_of(again->replayed), "ann");
}

static void a_batch_whose_last_write_fails_keeps_no_answer(void)
{
    StoreWrite writes[] = { write_of(STORE_INSERT, a_record("1")),
        write_of(STORE_REPLACE, a_record("2")) };

    CHECK_REASON(store_write(a_request("key", "ann"), writes, COUNT(writes)), "RECORD_NOT_FOUND");

    CHECK_OK(store_find_reply(a_request("key", "ann")));
}

static void a_batch_that_was_answered_writes_nothing(void)
{
    StoreWrite writes[] = { write_of(STORE_INSERT, a_record("2")),
        write_of(STORE_INSERT, a_record("3")) };
    StoreView *again = a_request("key", "bob");

    CHECK_OK(store_insert(a_request("key", "ann"), &records, a_record("1"), NULL));

    CHECK_REASON(store_write(again, writes, COUNT(writes)), "REQUEST_REPLAYED");
    CHECK_TEXT(owner_of(again->replayed), "ann");
    CU_ASSERT(!exists("records/2") && !exists("records/3"));
}

/* A crash between two writes of a batch is played by a batch that is cut short. */
static void a_batch_for_an_event_goes_on_where_it_was_cut(void)
{
    Record *one = a_record("1");
    StoreWrite first[] = { write_of(STORE_INSERT, one), write_of(STORE_REPLACE, a_record("none")) };
    StoreWrite again[] = { write_of(STORE_REPLACE, one), write_of(STORE_INSERT, a_record("2")) };
    const char *etag;

    CHECK_REASON(store_write(an_effect("cart", 7), first, COUNT(first)), "RECORD_NOT_FOUND");
    etag = one->etag;
    CHECK_OK(store_get(an_effect("cart", 7), &records, "records/1", a_record("x")));

    CHECK_OK(store_write(an_effect("cart", 7), again, COUNT(again)));
    CHECK_TEXT(stored(&records, "records/1")->etag, etag);
    CHECK_REASON(
        store_get(an_effect("cart", 7), &records, "records/2", a_record("x")), "EVENT_APPLIED");
}

static StoreView *a_relaxed_view(void)
{
    StoreView *view = a_view();

    view->is_relaxed = true;
    return view;
}

static void what_is_written_relaxed_is_there_at_once(void)
{
    Record *record = a_record("1");
    StoreWrite writes[] = { write_of(STORE_INSERT, a_record("2")),
        write_of(STORE_INSERT, a_record("1")) };

    CHECK_OK(store_insert(a_relaxed_view(), &records, record, NULL));
    CHECK_OK(store_replace(a_relaxed_view(), &records, record, NULL));
    CHECK_REASON(store_write(a_relaxed_view(), writes, COUNT(writes)), "RECORD_EXISTS");

    CHECK_OK(writes[0].error);
    CU_ASSERT(exists("records/1") && exists("records/2"));
    CHECK_OK(
        store_increment(a_relaxed_view(), &records, "records/1", "stock", 1, 0, 9, &record->stock));
    CHECK_OK(store_delete(a_relaxed_view(), &records, "records/2", ""));
    CHECK_OK(fixture_reopen(NULL));
    CU_ASSERT(exists("records/1") && !exists("records/2"));
}

static void what_is_written_relaxed_waits_for_no_disk(void)
{
    int64_t syncs;

    if (fixture_engine() != EMBEDDED) {
        test_skip("writes of this engine are never relaxed");
        return;
    }
    CHECK_OK(store_insert(a_view(), &records, a_record("1"), NULL));
    syncs = store_counts(the_store()).syncs;

    for (int i = 2; i < 9; i++)
        CHECK_OK(store_insert(
            a_relaxed_view(), &records, a_record(arena_printf(the_arena(), "%d", i)), NULL));
    CHECK_INT(store_counts(the_store()).syncs, syncs);

    CHECK_OK(store_insert(a_view(), &records, a_record("9"), NULL));
    CHECK_INT(store_counts(the_store()).syncs, syncs + 1);
}

const CU_TestInfo batch_cases[] = {
    { "a_batch_writes_everything", a_batch_writes_everything },
    { "an_empty_batch_is_done", an_empty_batch_is_done },
    { "each_write_of_a_batch_succeeds_or_fails_by_itself",
        each_write_of_a_batch_succeeds_or_fails_by_itself },
    { "a_write_that_cannot_be_made_spoils_no_other", a_write_that_cannot_be_made_spoils_no_other },
    { "a_chained_write_is_skipped_after_a_failure", a_chained_write_is_skipped_after_a_failure },
    { "a_chained_write_is_skipped_after_one_that_could_not_be_made",
        a_chained_write_is_skipped_after_one_that_could_not_be_made },
    { "a_chained_write_follows_a_success", a_chained_write_follows_a_success },
    { "a_chain_ends_where_a_name_is_taken", a_chain_ends_where_a_name_is_taken },
    { "a_chain_ends_where_it_names_a_document_twice",
        a_chain_ends_where_it_names_a_document_twice },
    { "a_chain_ends_where_a_unique_entry_is_taken", a_chain_ends_where_a_unique_entry_is_taken },
    { "a_chain_goes_on_counting_where_a_name_comes_back",
        a_chain_goes_on_counting_where_a_name_comes_back },
    { "an_unchained_write_goes_on_after_skipped_ones",
        an_unchained_write_goes_on_after_skipped_ones },
    { "writes_of_a_batch_are_tried_in_order", writes_of_a_batch_are_tried_in_order },
    { "every_message_of_a_batch_gets_its_etag", every_message_of_a_batch_gets_its_etag },
    { "a_large_batch_is_written", a_large_batch_is_written },
    { "a_batch_keeps_the_answer_with_the_last_write",
        a_batch_keeps_the_answer_with_the_last_write },
    { "a_batch_whose_last_write_fails_keeps_no_answer",
        a_batch_whose_last_write_fails_keeps_no_answer },
    { "a_batch_that_was_answered_writes_nothing", a_batch_that_was_answered_writes_nothing },
    { "a_batch_for_an_event_goes_on_where_it_was_cut",
        a_batch_for_an_event_goes_on_where_it_was_cut },
    { "what_is_written_relaxed_is_there_at_once", what_is_written_relaxed_is_there_at_once },
    { "what_is_written_relaxed_waits_for_no_disk", what_is_written_relaxed_waits_for_no_disk },
    CU_TEST_INFO_NULL,
};
