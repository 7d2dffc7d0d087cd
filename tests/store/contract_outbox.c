/* The outbox: what a write tells, until the relay has taken it. */
#include "tests/store/contract_test.h"

#include "shared/base/clock.h"

#include <pthread.h>
#include <string.h>

enum { LIMIT = 100, ROUNDS = 40 };

typedef struct Outbox {
    StoreEntry *entries;
    size_t n_entries;
} Outbox;

static Outbox read_outbox(int partition, size_t limit)
{
    Outbox outbox = { 0 };

    CHECK_OK(
        store_outbox_read(a_view(), 1u << partition, limit, &outbox.entries, &outbox.n_entries));
    return outbox;
}

/* "records/1#1=created records/1#2=changed": document, number and owner of each entry. */
static const char *outbox_text(int partition)
{
    Outbox outbox = read_outbox(partition, LIMIT);
    const char *text = "";

    for (size_t i = 0; i < outbox.n_entries; i++)
        text = arena_printf(the_arena(), "%s%s%s#%lld=%s", text, i ? " " : "",
            outbox.entries[i].aggregate, (long long)outbox.entries[i].number,
            owner_of(outbox.entries[i].bytes));
    return text;
}

static Record *an_event(const char *what)
{
    return a_record_of("event", what);
}

static void insert(Record *record, const char *event)
{
    CHECK_OK(store_insert(a_view(), &records, record, event ? an_event(event) : NULL));
}

static void replace(Record *record, const char *event)
{
    CHECK_OK(store_replace(a_view(), &records, record, event ? an_event(event) : NULL));
}

static void an_event_is_in_the_outbox(void)
{
    insert(a_record("1"), "created");

    CHECK_TEXT(outbox_text(0), "records/1#1=created");
    CHECK_TEXT(read_outbox(0, 1).entries[0].collection, "records");
    CHECK_INT(read_outbox(0, 1).entries[0].partition, 0);
}

static void a_write_without_event_leaves_the_outbox_empty(void)
{
    insert(a_record("1"), NULL);

    CHECK_TEXT(outbox_text(0), "");
}

static void events_of_a_document_are_numbered(void)
{
    Record *record = a_record("1");

    insert(record, "a");
    replace(record, NULL);
    replace(record, "b");
    CHECK_OK(store_put(a_view(), &records, record, an_event("c")));

    CHECK_TEXT(outbox_text(0), "records/1#1=a records/1#2=b records/1#3=c");
}

static void one_write_can_tell_several_events(void)
{
    const void *events[] = { an_event("a"), an_event("b"), an_event("c") };
    StoreWrite write = { .kind = STORE_INSERT,
        .collection = &records,
        .message = a_record("1"),
        .events = events,
        .n_events = COUNT(events) };

    CHECK_OK(store_write(a_view(), &write, 1));

    CHECK_TEXT(outbox_text(0), "records/1#1=a records/1#2=b records/1#3=c");
}

static void a_failed_write_tells_nothing(void)
{
    Record *record = a_record("1");

    insert(record, "a");
    CHECK_REASON(store_insert(a_view(), &records, a_record("1"), an_event("b")), "RECORD_EXISTS");
    record->etag = (char *)"99";
    CHECK_REASON(store_replace(a_view(), &records, record, an_event("c")), "ETAG_STALE");

    CHECK_TEXT(outbox_text(0), "records/1#1=a");
}

static void partitions_are_apart(void)
{
    CHECK_OK(store_insert(a_partition(3), &records, a_record("1"), an_event("a")));
    CHECK_OK(store_insert(a_partition(7), &records, a_record("2"), an_event("b")));

    CHECK_TEXT(outbox_text(3), "records/1#1=a");
    CHECK_TEXT(outbox_text(7), "records/2#1=b");
    CHECK_TEXT(outbox_text(0), "");
}

static void a_document_may_move_to_another_partition(void)
{
    Record *record = a_record("1");

    CHECK_OK(store_insert(a_partition(3), &records, record, an_event("a")));
    CHECK_OK(store_replace(a_partition(5), &records, record, an_event("b")));

    CHECK_TEXT(outbox_text(3), "records/1#1=a");
    CHECK_TEXT(outbox_text(5), "records/1#2=b");
}

static void documents_tell_in_the_order_of_their_writes(void)
{
    Record *one = a_record("1"), *other = a_record("2"), *account = a_record("3");

    insert(one, "a");
    insert(other, "b");
    CHECK_OK(store_insert(a_view(), &accounts, account, an_event("c")));
    replace(one, "d");

    CHECK_TEXT(outbox_text(0), "records/1#1=a records/2#1=b records/3#1=c records/1#2=d");
}

static void the_oldest_come_first_up_to_the_limit(void)
{
    Record *record = a_record("1");

    insert(record, "a");
    replace(record, "b");
    replace(record, "c");

    CHECK_INT(read_outbox(0, 2).n_entries, 2);
    CHECK_INT(read_outbox(0, 2).entries[1].number, 2);
}

static void trimmed_entries_are_gone(void)
{
    Record *record = a_record("1");
    Outbox outbox;

    insert(record, "a");
    replace(record, "b");
    outbox = read_outbox(0, 1);
    CHECK_OK(store_outbox_trim(a_view(), outbox.entries, outbox.n_entries));
    CHECK_TEXT(outbox_text(0), "records/1#2=b");

    outbox = read_outbox(0, LIMIT);
    CHECK_OK(store_outbox_trim(a_view(), outbox.entries, outbox.n_entries));
    CHECK_TEXT(outbox_text(0), "");
}

static void entries_can_be_trimmed_twice(void)
{
    Outbox outbox;

    insert(a_record("1"), "a");
    outbox = read_outbox(0, LIMIT);
    CHECK_OK(store_outbox_trim(a_view(), outbox.entries, outbox.n_entries));
    CHECK_OK(store_outbox_trim(a_view(), outbox.entries, outbox.n_entries));
    CHECK_OK(store_outbox_trim(a_view(), NULL, 0));
}

static void entries_of_several_documents_are_trimmed_together(void)
{
    Outbox outbox;

    insert(a_record("1"), "a");
    insert(a_record("2"), "b");
    CHECK_OK(store_insert(a_view(), &accounts, a_record("1"), an_event("c")));
    outbox = read_outbox(0, LIMIT);
    CHECK_INT(outbox.n_entries, 3);
    CHECK_OK(store_outbox_trim(a_view(), outbox.entries, outbox.n_entries));

    CHECK_TEXT(outbox_text(0), "");
}

static void trimming_is_no_new_version(void)
{
    Record *record = a_record("1");
    Outbox outbox;

    insert(record, "a");
    outbox = read_outbox(0, LIMIT);
    CHECK_OK(store_outbox_trim(a_view(), outbox.entries, outbox.n_entries));

    CHECK_TEXT(stored(&records, "records/1")->etag, record->etag);
    replace(record, NULL);
}

static void numbers_go_on_after_trimming(void)
{
    Record *record = a_record("1");
    Outbox outbox;

    insert(record, "a");
    outbox = read_outbox(0, LIMIT);
    CHECK_OK(store_outbox_trim(a_view(), outbox.entries, outbox.n_entries));
    replace(record, "b");

    CHECK_TEXT(outbox_text(0), "records/1#2=b");
}

static void a_document_with_an_outbox_is_not_deleted(void)
{
    Outbox outbox;

    insert(a_record("1"), "a");
    CHECK_REASON(store_delete(a_view(), &records, "records/1", ""), "OUTBOX_NOT_EMPTY");
    CHECK_TEXT(stored(&records, "records/1")->name, "records/1");

    outbox = read_outbox(0, LIMIT);
    CHECK_OK(store_outbox_trim(a_view(), outbox.entries, outbox.n_entries));
    CHECK_OK(store_delete(a_view(), &records, "records/1", ""));
}

static void a_name_that_comes_back_goes_on_counting(void)
{
    Record *record = a_record("1"), *again = a_record("1");
    Outbox outbox;

    insert(record, "a");
    outbox = read_outbox(0, LIMIT);
    CHECK_OK(store_outbox_trim(a_view(), outbox.entries, outbox.n_entries));
    CHECK_OK(store_delete(a_view(), &records, "records/1", ""));
    insert(again, "b");

    CHECK_TEXT(outbox_text(0), "records/1#2=b");
    CHECK_REASON(store_replace(a_view(), &records, record, NULL), "ETAG_STALE");
}

static void the_bytes_of_an_event_are_kept_as_they_are(void)
{
    Record *event = an_event("a");
    Outbox outbox;

    event->data = (ProtobufCBinaryData){ 4, (uint8_t *)"\0\xFF\0\x80" };
    CHECK_OK(store_insert(a_view(), &records, a_record("1"), event));
    outbox = read_outbox(0, LIMIT);

    CHECK_INT(outbox.entries[0].bytes.size, throughline__echo__v1__record__get_packed_size(event));
    CHECK_TEXT(owner_of(outbox.entries[0].bytes), "a");
}

static void the_outbox_survives_a_new_start(void)
{
    insert(a_record("1"), "a");
    CHECK_OK(fixture_reopen(NULL));

    CHECK_TEXT(outbox_text(0), "records/1#1=a");
}

static void a_new_event_ends_the_wait(void)
{
    store_outbox_wait(the_store(), 0);
    CHECK_OK(store_insert(a_partition(3), &records, a_record("1"), an_event("a")));

    CHECK_INT(store_outbox_wait(the_store(), 10000), 1 << 3);
}

static void without_events_the_wait_times_out(void)
{
    int64_t start = clock_monotonic();

    store_outbox_wait(the_store(), 0);
    insert(a_record("1"), NULL);

    CU_ASSERT(!store_outbox_wait(the_store(), 50));
    CU_ASSERT(clock_monotonic() - start >= 50000);
}

static void the_first_wait_does_not_wait(void)
{
    CHECK_OK(fixture_reopen(NULL));

    CHECK_INT(store_outbox_wait(the_store(), 10000), STORE_ALL_PARTITIONS);
    CHECK_INT(store_outbox_wait(the_store(), 0), 0);
}

static void several_partitions_are_read_at_once(void)
{
    Outbox outbox = { 0 };

    CHECK_OK(store_insert(a_partition(7), &records, a_record("1"), an_event("a")));
    CHECK_OK(store_insert(a_partition(2), &accounts, a_record("1"), an_event("b")));
    CHECK_OK(store_insert(a_partition(4), &records, a_record("2"), an_event("c")));
    CHECK_OK(store_insert(a_partition(2), &records, a_record("3"), an_event("d")));
    CHECK_OK(store_insert(a_partition(2), &records, a_record("4"), an_event("e")));

    CHECK_OK(store_outbox_read(a_view(), 1 << 2 | 1 << 7, 2, &outbox.entries, &outbox.n_entries));

    CHECK_INT(outbox.n_entries, 3);
    CHECK_TEXT(owner_of(outbox.entries[0].bytes), "b");
    CHECK_TEXT(owner_of(outbox.entries[1].bytes), "d");
    CHECK_TEXT(owner_of(outbox.entries[2].bytes), "a");
}

/* Where no other process can have the store open, nobody rings. */
static void a_ring_is_heard_once(void)
{
    bool is_shared = fixture_engine() == MONGO, is_heard;

    CHECK_OK(store_outbox_heard(a_view(), &is_heard));
    CU_ASSERT(!is_heard);
    CHECK_OK(store_outbox_ring(a_view()));
    CHECK_OK(store_outbox_heard(a_view(), &is_heard));
    CHECK_INT(is_heard, is_shared);
    CHECK_OK(store_outbox_heard(a_view(), &is_heard));
    CU_ASSERT(!is_heard);
}

static void *wait_long(void *argument)
{
    int64_t *took = argument, start = clock_monotonic();

    store_outbox_wait(the_store(), 10000);
    *took = clock_monotonic() - start;
    return NULL;
}

static void a_wait_can_be_woken(void)
{
    pthread_t thread;
    int64_t took = 0;

    store_outbox_wait(the_store(), 0);
    pthread_create(&thread, NULL, wait_long, &took);
    for (int i = 0; i < 20; i++) {
        clock_sleep_ms(5);
        store_outbox_wake(the_store());
    }
    pthread_join(thread, NULL);

    CU_ASSERT(took < 5000000);
}

typedef struct Trimmer {
    StoreView *view;
    int64_t n_trimmed;
    bool in_order;
} Trimmer;

/* Takes entries as a relay does until all have come. */
static void *trim_all(void *argument)
{
    Trimmer *trimmer = argument;

    while (trimmer->n_trimmed < ROUNDS) {
        StoreEntry *entries;
        size_t n_entries;

        if (store_outbox_read(trimmer->view, 1, 3, &entries, &n_entries))
            return NULL;
        for (size_t i = 0; i < n_entries; i++)
            trimmer->in_order &= entries[i].number == ++trimmer->n_trimmed;
        if (store_outbox_trim(trimmer->view, entries, n_entries))
            return NULL;
    }
    return NULL;
}

static void trimming_and_replacing_do_not_disturb_each_other(void)
{
    Trimmer trimmer = { a_view(), 0, true };
    Record *record = a_record("1");
    pthread_t thread;

    trimmer.view->arena = arena_new();
    trimmer.view->deadline = clock_monotonic() + 60 * 1000000;
    pthread_create(&thread, NULL, trim_all, &trimmer);
    insert(record, "event");
    for (int i = 1; i < ROUNDS; i++)
        replace(record, "event");
    pthread_join(thread, NULL);
    arena_free(trimmer.view->arena);

    CHECK_INT(trimmer.n_trimmed, ROUNDS);
    CU_ASSERT(trimmer.in_order);
    CHECK_TEXT(outbox_text(0), "");
}

const CU_TestInfo outbox_cases[] = {
    { "an_event_is_in_the_outbox", an_event_is_in_the_outbox },
    { "a_write_without_event_leaves_the_outbox_empty",
        a_write_without_event_leaves_the_outbox_empty },
    { "events_of_a_document_are_numbered", events_of_a_document_are_numbered },
    { "one_write_can_tell_several_events", one_write_can_tell_several_events },
    { "a_failed_write_tells_nothing", a_failed_write_tells_nothing },
    { "partitions_are_apart", partitions_are_apart },
    { "a_document_may_move_to_another_partition", a_document_may_move_to_another_partition },
    { "documents_tell_in_the_order_of_their_writes", documents_tell_in_the_order_of_their_writes },
    { "several_partitions_are_read_at_once", several_partitions_are_read_at_once },
    { "a_ring_is_heard_once", a_ring_is_heard_once },
    { "the_oldest_come_first_up_to_the_limit", the_oldest_come_first_up_to_the_limit },
    { "trimmed_entries_are_gone", trimmed_entries_are_gone },
    { "entries_can_be_trimmed_twice", entries_can_be_trimmed_twice },
    { "entries_of_several_documents_are_trimmed_together",
        entries_of_several_documents_are_trimmed_together },
    { "trimming_is_no_new_version", trimming_is_no_new_version },
    { "numbers_go_on_after_trimming", numbers_go_on_after_trimming },
    { "a_document_with_an_outbox_is_not_deleted", a_document_with_an_outbox_is_not_deleted },
    { "a_name_that_comes_back_goes_on_counting", a_name_that_comes_back_goes_on_counting },
    { "the_bytes_of_an_event_are_kept_as_they_are", the_bytes_of_an_event_are_kept_as_they_are },
    { "the_outbox_survives_a_new_start", the_outbox_survives_a_new_start },
    { "a_new_event_ends_the_wait", a_new_event_ends_the_wait },
    { "without_events_the_wait_times_out", without_events_the_wait_times_out },
    { "the_first_wait_does_not_wait", the_first_wait_does_not_wait },
    { "a_wait_can_be_woken", a_wait_can_be_woken },
    { "trimming_and_replacing_do_not_disturb_each_other",
        trimming_and_replacing_do_not_disturb_each_other },
    CU_TEST_INFO_NULL,
};
