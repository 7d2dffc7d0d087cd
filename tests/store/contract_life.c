/* The life of a store: opening again, new indexes, expiry, deadlines, what cannot be opened. */
#include "tests/store/contract_test.h"

#include "shared/base/clock.h"
#include "tests/support/ports.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000 };

static const Error *insert(Record *record)
{
    return store_insert(a_view(), &records, record, NULL);
}

/* The store with one more index, with a unique one, and with none. */
static const Collection with_index = { "records", &throughline__echo__v1__record__descriptor,
    { { "by_owner", { "owner", "create_time" } }, { "by_stock", { "stock" } } } };
static const Collection with_unique_owner = { "records", &throughline__echo__v1__record__descriptor,
    { { "by_owner", { "owner" }, .is_unique = true } } };
static const Collection without_index = { "records", &throughline__echo__v1__record__descriptor };

static size_t count_by(const Collection *collection, const char *index, StoreValue value)
{
    StoreQuery query = { .index = index, .equal = { value }, .limit = 100 };
    StorePage page = { 0 };

    CHECK_OK(store_find(a_view(), collection, &query, &page));
    return page.n_messages;
}

static void documents_survive_a_new_start(void)
{
    Record *record = a_record_of("1", "ann");

    CHECK_OK(insert(record));
    CHECK_OK(fixture_reopen(NULL));

    CHECK_TEXT(stored(&records, "records/1")->owner, "ann");
    CHECK_TEXT(stored(&records, "records/1")->etag, record->etag);
    CHECK_INT(count_by(&records, "by_owner", (StoreValue){ STORE_TEXT, .text = "ann" }), 1);
}

static void a_new_index_has_the_old_documents(void)
{
    Record *record = a_record_of("1", "ann");

    record->stock = 5;
    CHECK_OK(insert(record));
    CHECK_OK(insert(a_record_of("2", "ann")));
    CHECK_OK(fixture_reopen((const Collection *const[]){ &with_index, NULL }));

    CHECK_INT(count_by(&with_index, "by_stock", (StoreValue){ STORE_NUMBER, .number = 5 }), 1);
    CHECK_INT(count_by(&with_index, "by_owner", (StoreValue){ STORE_TEXT, .text = "ann" }), 2);
}

static void documents_can_be_changed_under_a_new_index(void)
{
    Record *record = a_record_of("1", "ann");

    CHECK_OK(insert(record));
    CHECK_OK(fixture_reopen((const Collection *const[]){ &with_index, NULL }));
    record->stock = 6;
    CHECK_OK(store_replace(a_view(), &with_index, record, NULL));

    CHECK_INT(count_by(&with_index, "by_stock", (StoreValue){ STORE_NUMBER, .number = 6 }), 1);
    CHECK_INT(count_by(&with_index, "by_stock", (StoreValue){ STORE_NUMBER, .number = 0 }), 0);
}

static void an_index_that_is_not_declared_any_more_is_gone(void)
{
    Record *record = a_record_of("1", "ann");
    StoreQuery query = { .index = "by_owner", .limit = 1 };
    StorePage page;

    record->email = (char *)"a@x";
    CHECK_OK(insert(record));
    CHECK_OK(fixture_reopen((const Collection *const[]){ &without_index, NULL }));

    CHECK_REASON(store_find(a_view(), &without_index, &query, &page), "QUERY_UNINDEXED");
    record = a_record("2");
    record->email = (char *)"a@x";
    CHECK_OK(store_insert(a_view(), &without_index, record, NULL));
}

static void an_index_may_become_unique(void)
{
    CHECK_OK(insert(a_record_of("1", "ann")));
    CHECK_OK(fixture_reopen((const Collection *const[]){ &with_unique_owner, NULL }));

    CHECK_REASON(store_insert(a_view(), &with_unique_owner, a_record_of("2", "ann"), NULL),
        "BY_OWNER_TAKEN");
}

static void a_unique_index_that_cannot_be_refuses_to_open(void)
{
    CHECK_OK(insert(a_record_of("1", "ann")));
    CHECK_OK(insert(a_record_of("2", "ann")));

    CHECK_REASON(fixture_reopen((const Collection *const[]){ &with_unique_owner, NULL }),
        "STORE_INDEX_NOT_UNIQUE");
}

static void a_new_collection_can_be_added(void)
{
    static const Collection more = { "more", &throughline__echo__v1__record__descriptor };

    CHECK_OK(insert(a_record_of("1", "ann")));
    CHECK_OK(fixture_reopen((const Collection *const[]){ &records, &more, NULL }));

    CHECK_OK(store_insert(a_view(), &more, a_record_of("1", "bob"), NULL));
    CHECK_TEXT(stored(&records, "records/1")->owner, "ann");
}

static bool is_gone_soon(const char *name)
{
    for (int i = 0; i < PATIENCE_MS / 10; i++) {
        if (store_get(a_view(), &records, name, a_record("x")))
            return true;
        clock_sleep_ms(10);
    }
    return false;
}

static void expired_documents_are_removed(void)
{
    Record *expired = a_record_of("1", "ann"), *valid = a_record_of("2", "ann");

    set_time(&expired->expire_time, clock_now() / 1000000 - 10, 0);
    set_time(&valid->expire_time, clock_now() / 1000000 + 1000, 0);
    CHECK_OK(insert(expired));
    CHECK_OK(insert(valid));
    CHECK_OK(insert(a_record_of("3", "ann")));
    CHECK_OK(fixture_reopen(NULL));

    CU_ASSERT(is_gone_soon("records/1"));
    CHECK_INT(count_by(&records, "by_owner", (StoreValue){ STORE_TEXT, .text = "ann" }), 2);
}

static void expired_documents_stay_until_their_events_are_taken(void)
{
    Record *telling = a_record("1"), *silent = a_record("2");

    set_time(&telling->expire_time, 1, 0);
    set_time(&silent->expire_time, 2, 0);
    CHECK_OK(store_insert(a_view(), &records, telling, a_record("event")));
    CHECK_OK(insert(silent));
    CHECK_OK(fixture_reopen(NULL));

    CU_ASSERT(is_gone_soon("records/2"));
    stored(&records, "records/1");
}

static void when_the_time_is_over_nothing_is_done(void)
{
    StoreView *late = a_view();
    StorePage page;
    StoreEntry *entries;
    size_t n_entries;

    late->deadline = clock_monotonic() - 1;

    CHECK_REASON(store_insert(late, &records, a_record("1"), NULL), "DEADLINE_EXCEEDED");
    CHECK_REASON(store_get(late, &records, "records/1", a_record("x")), "DEADLINE_EXCEEDED");
    CHECK_REASON(
        store_find(late, &records, &(StoreQuery){ .limit = 1 }, &page), "DEADLINE_EXCEEDED");
    CHECK_REASON(store_delete(late, &records, "records/1", ""), "DEADLINE_EXCEEDED");
    CHECK_REASON(
        store_increment(late, &records, "records/1", "stock", 1, 0, 9, NULL), "DEADLINE_EXCEEDED");
    CHECK_REASON(store_outbox_read(late, 1, 1, &entries, &n_entries), "DEADLINE_EXCEEDED");
    CHECK_REASON(store_get(a_view(), &records, "records/1", a_record("x")), "RECORD_NOT_FOUND");
}

static void a_deadline_that_is_far_does_not_matter(void)
{
    StoreView *view = a_view();

    view->deadline = clock_monotonic() + 30 * 1000000;

    CHECK_OK(store_insert(view, &records, a_record("1"), NULL));
    CHECK_OK(store_get(view, &records, "records/1", a_record("x")));
}

static void an_open_store_answers(void)
{
    CHECK_OK(store_check(the_store()));
}

static void writes_are_counted(void)
{
    int64_t before = store_counts(the_store()).writes;

    CHECK_OK(insert(a_record("1")));
    CHECK_REASON(insert(a_record("1")), "RECORD_EXISTS");
    CHECK_OK(insert(a_record("2")));

    CHECK_INT(store_counts(the_store()).writes - before, 2);
}

static const Error *open_uri(const char *uri)
{
    const Collection *const collections[] = { &records, NULL };
    Store *store;
    const Error *error = store_open(the_arena(),
        &(StoreOptions){ .uri = uri, .service = fixture_service(), .collections = collections },
        &store);

    if (!error)
        store_close(store);
    return error;
}

static void an_address_of_no_engine_is_refused(void)
{
    CHECK_REASON(open_uri("postgres://localhost"), "STORE_URI_INVALID");
    CHECK_REASON(open_uri(""), "STORE_URI_INVALID");
    CHECK_REASON(open_uri("embedded:"), "STORE_URI_INVALID");
    CHECK_REASON(open_uri("mongodb://"), "STORE_URI_INVALID");
}

static void a_store_that_cannot_be_reached_is_unavailable(void)
{
    const Error *error =
        open_uri(fixture_engine() == EMBEDDED
                     ? "embedded:/proc/none/none"
                     : arena_printf(the_arena(),
                           "mongodb://127.0.0.1:%d/?serverSelectionTimeoutMS=200", port_dead()));

    CHECK_REASON(error, "STORE_UNAVAILABLE");
    CHECK_INT(error ? error->code : 0, ERROR_UNAVAILABLE);
}

static void an_embedded_store_has_one_process(void)
{
    if (fixture_engine() != EMBEDDED) {
        test_skip("many processes share a server");
        return;
    }

    CHECK_REASON(open_uri(fixture_uri()), "STORE_UNAVAILABLE");
}

static void a_file_that_is_no_store_is_corrupt(void)
{
    const char *path = arena_printf(the_arena(), "%s/%s.db", fixture_folder(), fixture_service());
    FILE *file;

    if (fixture_engine() != EMBEDDED) {
        test_skip("a server keeps its own files");
        return;
    }
    CHECK_OK(insert(a_record("1")));
    CHECK_OK(fixture_reopen(NULL));
    fixture_close();
    file = fopen(path, "r+");
    CU_ASSERT_FATAL(file != NULL);
    fwrite("this is not a database file at all, is it?", 1, 40, file);
    fclose(file);

    CHECK_REASON(fixture_reopen(NULL), "STORE_CORRUPT");
}

const CU_TestInfo life_cases[] = {
    { "documents_survive_a_new_start", documents_survive_a_new_start },
    { "a_new_index_has_the_old_documents", a_new_index_has_the_old_documents },
    { "documents_can_be_changed_under_a_new_index", documents_can_be_changed_under_a_new_index },
    { "an_index_that_is_not_declared_any_more_is_gone",
        an_index_that_is_not_declared_any_more_is_gone },
    { "an_index_may_become_unique", an_index_may_become_unique },
    { "a_unique_index_that_cannot_be_refuses_to_open",
        a_unique_index_that_cannot_be_refuses_to_open },
    { "a_new_collection_can_be_added", a_new_collection_can_be_added },
    { "expired_documents_are_removed", expired_documents_are_removed },
    { "expired_documents_stay_until_their_events_are_taken",
        expired_documents_stay_until_their_events_are_taken },
    { "when_the_time_is_over_nothing_is_done", when_the_time_is_over_nothing_is_done },
    { "a_deadline_that_is_far_does_not_matter", a_deadline_that_is_far_does_not_matter },
    { "an_open_store_answers", an_open_store_answers },
    { "writes_are_counted", writes_are_counted },
    { "an_address_of_no_engine_is_refused", an_address_of_no_engine_is_refused },
    { "a_store_that_cannot_be_reached_is_unavailable",
        a_store_that_cannot_be_reached_is_unavailable },
    { "an_embedded_store_has_one_process", an_embedded_store_has_one_process },
    { "a_file_that_is_no_store_is_corrupt", a_file_that_is_no_store_is_corrupt },
    CU_TEST_INFO_NULL,
};
