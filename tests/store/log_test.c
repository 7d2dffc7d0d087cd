/* Events that go into the log with the write that tells them: places without a gap, in the order of commits, whatever fails. */
#include "tests/store/faulty_files.h"
#include "tests/store/store_fixture.h"

#include "shared/codec/message.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { N_THREADS = 8, N_WRITES = 40, KEY_TOO_LONG = 3000, LIMIT = 1000 };

/* A log of records: the event's owner, its number as the count. */
static const Collection entries = {
    .name = "entries",
    .message = &throughline__echo__v1__record__descriptor,
    .indexes = { { "by_owner", { "owner", "count" } } },
};
static const Collection *const with_log[] = { &records, &accounts, &entries, NULL };

static char *entry_name(Arena *arena, int partition, int64_t sequence)
{
    return arena_printf(arena, "entries/%d/%019lld", partition, (long long)sequence);
}

static void *make_entry(const StoreLog *log, Arena *arena, const StoreEntry *entry)
{
    Record *record =
        message_unpack(arena, &throughline__echo__v1__record__descriptor, entry->bytes);

    (void)log;
    if (record)
        record->share = entry->partition;
    return record;
}

static void place_entry(void *message, Arena *arena, int64_t number, int64_t sequence)
{
    Record *record = message;

    record->name = entry_name(arena, (int)record->share, sequence);
    record->count = number;
}

static const StoreLog the_log = {
    .collection = &entries, .make = make_entry, .place = place_entry, .name = entry_name
};

static void open_with_log(void)
{
    CHECK_OK(fixture_reopen_with_log(with_log, &the_log));
}

static void open_without_log(void)
{
    CHECK_OK(fixture_reopen_with_log(with_log, NULL));
}

static void tell(int partition, const char *id, const char *event)
{
    CHECK_OK(
        store_put(a_partition(partition), &records, a_record(id), a_record_of("event", event)));
}

/* What memory has behind a place is what the file has there, to its end; returns how many. */
static size_t in_memory(int partition, const StorePage *file, size_t after)
{
    StorePage page;

    CHECK_OK(store_log_tail(a_view(), &entries, partition, (int64_t)after, STORE_MAX_PAGE, &page));
    if (page.n_messages)
        CHECK_INT(page.n_messages, file->n_messages - after);
    for (size_t i = 0; i < page.n_messages && after + i < file->n_messages; i++)
        CU_ASSERT_TRUE(message_equal(page.messages[i], file->messages[after + i]));
    return page.n_messages;
}

/* "1:a#1 2:b#1": place, event and number of each record of the partition. */
static const char *log_text(int partition)
{
    StoreQuery query = { .prefix = arena_printf(the_arena(), "entries/%d/", partition),
        .limit = LIMIT };
    StorePage page = { 0 };
    const char *text = "";

    CHECK_OK(store_find(a_view(), &entries, &query, &page));
    for (size_t i = 0; i < page.n_messages; i++) {
        const Record *record = page.messages[i];

        text = arena_printf(the_arena(), "%s%s%lld:%s#%lld", text, i ? " " : "",
            strtoll(strrchr(record->name, '/') + 1, NULL, 10), record->owner,
            (long long)record->count);
        in_memory(partition, &page, i);
    }
    return text;
}

static size_t n_in_memory(int partition, size_t after)
{
    StoreQuery query = { .prefix = arena_printf(the_arena(), "entries/%d/", partition),
        .limit = LIMIT };
    StorePage page = { 0 };

    CHECK_OK(store_find(a_view(), &entries, &query, &page));
    return in_memory(partition, &page, after);
}

static void what_is_new_in_the_log_is_in_memory(void)
{
    open_with_log();
    for (int i = 0; i < 5; i++)
        tell(3, "1", "a");
    CHECK_INT(n_in_memory(3, 0), 5);
    CHECK_INT(n_in_memory(3, 4), 1);
    CHECK_INT(n_in_memory(3, 5), 0);
    CHECK_INT(n_in_memory(4, 0), 0);

    open_with_log();
    tell(3, "1", "b");
    CHECK_INT(n_in_memory(3, 4), 0);
    CHECK_INT(n_in_memory(3, 5), 1);

    open_without_log();
    CHECK_INT(n_in_memory(3, 5), 0);
}

static size_t waiting(StoreEntry **waiting_entries)
{
    size_t n_entries;

    CHECK_OK(store_outbox_read(a_view(), STORE_ALL_PARTITIONS, LIMIT, waiting_entries, &n_entries));
    return n_entries;
}

static void an_event_is_in_the_log_with_its_write(void)
{
    StoreEntry *left;

    open_with_log();
    store_outbox_wait(the_store(), 0);
    tell(3, "1", "a");
    tell(3, "2", "b");
    tell(5, "1", "c");

    CHECK_TEXT(log_text(3), "1:a#1 2:b#1");
    CHECK_TEXT(log_text(5), "1:c#2");
    CHECK_INT(waiting(&left), 0);
    CHECK_INT(store_outbox_wait(the_store(), 0), 0);
}

static void a_document_whose_events_are_in_the_log_can_be_deleted(void)
{
    open_with_log();
    tell(0, "1", "a");

    CHECK_OK(store_delete(a_view(), &records, "records/1", ""));
    tell(0, "1", "b");

    CHECK_TEXT(log_text(0), "1:a#1 2:b#2");
}

static void places_go_on_after_a_new_start(void)
{
    open_with_log();
    tell(3, "1", "a");
    open_with_log();
    tell(3, "1", "b");

    CHECK_TEXT(log_text(3), "1:a#1 2:b#2");
}

static void a_write_that_is_refused_leaves_no_gap(void)
{
    Record *stale = a_record("1");

    open_with_log();
    tell(3, "1", "a");
    stale->etag = (char *)"99";
    CHECK_REASON(
        store_replace(a_partition(3), &records, stale, a_record_of("event", "x")), "ETAG_STALE");
    tell(3, "1", "b");

    CHECK_TEXT(log_text(3), "1:a#1 2:b#2");
}

/* The disk is full when the event has its place already. */
static void a_transaction_that_is_taken_back_leaves_no_gap(void)
{
    open_with_log();
    tell(3, "1", "a");
    faulty_files_arm(FILE_WRITE, 1, true, SQLITE_FULL);
    CHECK_REASON(store_put(a_partition(3), &records, a_record("1"), a_record_of("event", "x")),
        "STORE_FULL");
    faulty_files_disarm();
    tell(3, "1", "b");

    CHECK_TEXT(log_text(3), "1:a#1 2:b#2");
}

static void an_event_that_the_log_cannot_take_is_refused(void)
{
    Record *event = a_record("event");

    open_with_log();
    event->owner = arena_alloc(the_arena(), KEY_TOO_LONG + 1);
    memset(event->owner, 'x', KEY_TOO_LONG);
    event->owner[KEY_TOO_LONG] = '\0';
    CHECK_REASON(store_put(a_partition(3), &records, a_record("1"), event), "INDEX_KEY_TOO_LONG");
    tell(3, "1", "a");

    CHECK_TEXT(log_text(3), "1:a#1");
}

static void what_waits_in_an_outbox_goes_first(void)
{
    StoreEntry *left;

    open_without_log();
    tell(3, "1", "old");
    open_with_log();
    tell(3, "1", "a");
    tell(5, "2", "b");
    CHECK_INT(waiting(&left), 3);
    CHECK_TEXT(log_text(3), "");

    /* The relay: into the log, then out of the outbox. */
    for (size_t i = 0; i < 3; i++) {
        Record *record = make_entry(&the_log, the_arena(), &left[i]);

        place_entry(record, the_arena(), left[i].number, i < 2 ? (int64_t)i + 1 : 1);
        CHECK_OK(store_insert(a_view(), &entries, record, NULL));
    }
    CHECK_OK(store_outbox_trim(a_view(), left, 3));
    tell(3, "1", "c");
    tell(5, "2", "d");

    CHECK_TEXT(log_text(3), "1:old#1 2:a#2 3:c#3");
    CHECK_TEXT(log_text(5), "1:b#1 2:d#2");
    CHECK_INT(waiting(&left), 0);
}

static void hear(void *context, unsigned partitions)
{
    atomic_fetch_or((atomic_uint *)context, partitions);
}

static void who_listens_hears_where_the_log_has_grown(void)
{
    atomic_uint heard = 0;

    open_with_log();
    store_on_log(the_store(), hear, &heard);
    tell(3, "1", "a");
    tell(6, "1", "b");
    CHECK_OK(store_put(a_view(), &records, a_record("2"), NULL));
    CHECK_INT(atomic_load(&heard), 1 << 3 | 1 << 6);

    store_on_log(the_store(), NULL, NULL);
    tell(0, "1", "c");
    CHECK_INT(atomic_load(&heard), 1 << 3 | 1 << 6);
}

typedef struct Teller {
    StoreView *view;
    Record *record;
    const Record *event;
    pthread_t thread;
    int n_failed;
} Teller;

static void *tell_many(void *context)
{
    Teller *teller = context;

    for (int i = 0; i < N_WRITES; i++)
        teller->n_failed +=
            store_put(teller->view, &records, teller->record, teller->event) != NULL;
    return NULL;
}

static void writers_at_once_leave_the_log_whole(void)
{
    Teller tellers[N_THREADS];
    const char *wanted = "";
    int64_t numbers[N_THREADS] = { 0 };
    StoreQuery query = { .prefix = "entries/3/", .limit = LIMIT };
    StorePage page = { 0 };

    open_with_log();
    for (int i = 0; i < N_THREADS; i++) {
        const char *id = arena_printf(the_arena(), "%d", i);

        tellers[i] = (Teller){ a_partition(3), a_record(id), a_record_of("event", id), 0, 0 };
        tellers[i].view->arena = arena_new();
        pthread_create(&tellers[i].thread, NULL, tell_many, &tellers[i]);
    }
    for (int i = 0; i < N_THREADS; i++) {
        pthread_join(tellers[i].thread, NULL);
        arena_free(tellers[i].view->arena);
        CHECK_INT(tellers[i].n_failed, 0);
    }

    CHECK_OK(store_find(a_view(), &entries, &query, &page));
    CHECK_INT(page.n_messages, N_THREADS * N_WRITES);
    for (size_t i = 0; i < page.n_messages; i++) {
        const Record *record = page.messages[i];

        wanted = entry_name(the_arena(), 3, (int64_t)i + 1);
        CHECK_TEXT(record->name, wanted);
        CHECK_INT(record->count, ++numbers[atoi(record->owner)]);
    }
}

static void start(void)
{
    fixture_start(EMBEDDED);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "an_event_is_in_the_log_with_its_write", an_event_is_in_the_log_with_its_write },
        { "what_is_new_in_the_log_is_in_memory", what_is_new_in_the_log_is_in_memory },
        { "a_document_whose_events_are_in_the_log_can_be_deleted",
            a_document_whose_events_are_in_the_log_can_be_deleted },
        { "places_go_on_after_a_new_start", places_go_on_after_a_new_start },
        { "a_write_that_is_refused_leaves_no_gap", a_write_that_is_refused_leaves_no_gap },
        { "a_transaction_that_is_taken_back_leaves_no_gap",
            a_transaction_that_is_taken_back_leaves_no_gap },
        { "an_event_that_the_log_cannot_take_is_refused",
            an_event_that_the_log_cannot_take_is_refused },
        { "what_waits_in_an_outbox_goes_first", what_waits_in_an_outbox_goes_first },
        { "who_listens_hears_where_the_log_has_grown", who_listens_hears_where_the_log_has_grown },
        { "writers_at_once_leave_the_log_whole", writers_at_once_leave_the_log_whole },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "log", .pSetUpFunc = start, .pTearDownFunc = fixture_stop, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    faulty_files_install();
    return test_main("store_log_test", suites, argc, argv);
}
