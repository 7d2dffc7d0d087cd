/* Requests answered once and events that have their effect once. */
#include "tests/store/contract_test.h"

#include <pthread.h>

enum { TWINS = 16, MANY = 40 };

static const Error *insert(StoreView *view, Record *record)
{
    return store_insert(view, &records, record, NULL);
}

static void a_repeated_insert_answers_as_before(void)
{
    StoreView *again = a_request("key", "other");

    CHECK_OK(insert(a_request("key", "ann"), a_record("1")));

    CHECK_REASON(insert(again, a_record("1")), "REQUEST_REPLAYED");
    CHECK_TEXT(owner_of(again->replayed), "ann");
}

static void a_repeated_insert_under_another_name_writes_nothing(void)
{
    CHECK_OK(insert(a_request("key", "ann"), a_record("1")));

    CHECK_REASON(insert(a_request("key", "ann"), a_record("2")), "REQUEST_REPLAYED");
    CHECK_REASON(store_get(a_view(), &records, "records/2", a_record("x")), "RECORD_NOT_FOUND");
}

static void a_repeated_get_answers_as_before(void)
{
    StoreView *again = a_request("key", "other");

    CHECK_OK(insert(a_request("key", "ann"), a_record("1")));

    CHECK_REASON(store_get(again, &records, "records/1", a_record("x")), "REQUEST_REPLAYED");
    CHECK_TEXT(owner_of(again->replayed), "ann");
}

static void a_repeated_replace_answers_as_before(void)
{
    StoreView *again = a_request("key", "other");
    Record *record = a_record("1");

    CHECK_OK(insert(a_view(), record));
    CHECK_OK(store_replace(a_request("key", "ann"), &records, record, NULL));

    CHECK_REASON(store_replace(again, &records, record, NULL), "REQUEST_REPLAYED");
    CHECK_TEXT(owner_of(again->replayed), "ann");
    CHECK_TEXT(stored(&records, "records/1")->etag, record->etag);
}

static void a_repeated_put_answers_as_before(void)
{
    CHECK_OK(store_put(a_request("key", "ann"), &records, a_record_of("1", "ann"), NULL));

    CHECK_REASON(store_put(a_request("key", "ann"), &records, a_record_of("1", "bob"), NULL),
        "REQUEST_REPLAYED");
    CHECK_TEXT(stored(&records, "records/1")->owner, "ann");
}

static void a_repeated_delete_answers_as_before(void)
{
    StoreView *again = a_request("key", "other");

    CHECK_OK(insert(a_view(), a_record("1")));
    CHECK_OK(store_delete(a_request("key", "ann"), &records, "records/1", ""));

    CHECK_REASON(store_delete(again, &records, "records/1", ""), "REQUEST_REPLAYED");
    CHECK_TEXT(owner_of(again->replayed), "ann");
    CHECK_REASON(store_find_reply(a_request("key", "")), "REQUEST_REPLAYED");
}

static void an_answer_is_found_without_a_document(void)
{
    StoreView *again = a_request("key", "other");

    CHECK_OK(insert(a_request("key", "ann"), a_record("1")));

    CHECK_REASON(store_find_reply(again), "REQUEST_REPLAYED");
    CHECK_TEXT(owner_of(again->replayed), "ann");
}

static void a_new_request_has_no_answer(void)
{
    CHECK_OK(insert(a_request("key", "ann"), a_record("1")));

    CHECK_OK(store_find_reply(a_request("another", "ann")));
    CHECK_OK(store_find_reply(a_view()));
}

static void a_key_with_another_request_is_refused(void)
{
    StoreView *get = a_request("key", ""), *find = a_request("key", ""),
              *write = a_request("key", "");

    CHECK_OK(insert(a_request("key", "ann"), a_record("1")));
    get->request_hash[0] ^= 1;
    find->request_hash[31] ^= 1;
    write->request_hash[5] ^= 1;

    CHECK_REASON(store_get(get, &records, "records/1", a_record("x")), "REQUEST_ID_REUSED");
    CHECK_REASON(store_find_reply(find), "REQUEST_ID_REUSED");
    CHECK_REASON(insert(write, a_record("2")), "REQUEST_ID_REUSED");
}

static void a_write_that_failed_keeps_no_answer(void)
{
    Record *record = a_record("1");

    CHECK_OK(insert(a_view(), a_record("1")));
    CHECK_REASON(insert(a_request("key", "ann"), a_record("1")), "RECORD_EXISTS");
    record->etag = (char *)"99";
    CHECK_REASON(store_replace(a_request("key", "ann"), &records, record, NULL), "ETAG_STALE");

    CHECK_OK(store_find_reply(a_request("key", "ann")));
    record = stored(&records, "records/1");
    CHECK_OK(store_replace(a_request("key", "ann"), &records, record, NULL));
}

static void a_failed_key_can_be_used_with_another_request(void)
{
    StoreView *corrected = a_request("key", "ann");

    CHECK_OK(insert(a_view(), a_record("1")));
    CHECK_REASON(insert(a_request("key", "ann"), a_record("1")), "RECORD_EXISTS");
    corrected->request_hash[0] ^= 1;

    CHECK_OK(insert(corrected, a_record("2")));
}

static void steps_keep_no_answer(void)
{
    StoreView steps = store_steps(a_request("key", "ann"));

    CHECK_OK(insert(&steps, a_record("1")));

    CHECK_OK(store_find_reply(a_request("key", "ann")));
    CHECK_OK(insert(a_request("key", "ann"), a_record("2")));
}

static void an_increment_keeps_no_answer(void)
{
    CHECK_OK(insert(a_view(), a_record("1")));
    CHECK_OK(
        store_increment(a_request("key", "ann"), &records, "records/1", "stock", 1, 0, 9, NULL));

    CHECK_OK(store_find_reply(a_request("key", "ann")));
}

static void an_empty_answer_is_kept(void)
{
    StoreView *view = a_request("key", ""), *again = a_request("key", "other");

    view->reply = NULL;
    CHECK_OK(insert(view, a_record("1")));

    CHECK_REASON(store_find_reply(again), "REQUEST_REPLAYED");
    CHECK_INT(again->replayed.size, 0);
}

static void answers_survive_a_new_start(void)
{
    StoreView *again;

    CHECK_OK(insert(a_request("key", "ann"), a_record("1")));
    CHECK_OK(fixture_reopen(NULL));
    again = a_request("key", "");

    CHECK_REASON(insert(again, a_record("1")), "REQUEST_REPLAYED");
    CHECK_TEXT(owner_of(again->replayed), "ann");
}

static void an_answer_outlives_its_document(void)
{
    CHECK_OK(insert(a_request("key", "ann"), a_record("1")));
    CHECK_OK(store_delete(a_view(), &records, "records/1", ""));

    CHECK_REASON(store_find_reply(a_request("key", "ann")), "REQUEST_REPLAYED");
}

static void a_document_remembers_many_requests(void)
{
    Record *record = a_record("1");

    CHECK_OK(insert(a_view(), record));
    for (int i = 0; i < MANY; i++)
        CHECK_OK(store_replace(a_request(arena_printf(the_arena(), "key-%d", i),
                                   arena_printf(the_arena(), "owner-%d", i)),
            &records, record, NULL));

    for (int i = 0; i < MANY; i++) {
        StoreView *again = a_request(arena_printf(the_arena(), "key-%d", i), "");

        CHECK_REASON(store_find_reply(again), "REQUEST_REPLAYED");
        CHECK_TEXT(owner_of(again->replayed), arena_printf(the_arena(), "owner-%d", i));
        CHECK_REASON(store_replace(again, &records, record, NULL), "REQUEST_REPLAYED");
    }
}

typedef struct Twin {
    StoreView *view;
    Record *record;
    const Error *error;
} Twin;

/* A twin that finds the other one at work comes back later. */
static void *run_twin(void *argument)
{
    Twin *twin = argument;

    do
        twin->error = store_insert(twin->view, &records, twin->record, NULL);
    while (twin->error && twin->error->code == ERROR_ABORTED);
    return NULL;
}

static void twins_have_one_effect(void)
{
    Twin twins[TWINS];
    pthread_t threads[TWINS];
    int done = 0, replayed = 0;
    StorePage page;

    for (int i = 0; i < TWINS; i++) {
        twins[i] =
            (Twin){ a_request("key", "ann"), a_record(arena_printf(the_arena(), "%d", i)), NULL };
        twins[i].view->arena = arena_new();
    }
    for (int i = 0; i < TWINS; i++)
        pthread_create(&threads[i], NULL, run_twin, &twins[i]);
    for (int i = 0; i < TWINS; i++) {
        pthread_join(threads[i], NULL);
        done += !twins[i].error;
        replayed += twins[i].error == &store_replayed;
        arena_free(twins[i].view->arena);
    }

    CHECK_INT(done, 1);
    CHECK_INT(replayed, TWINS - 1);
    CHECK_OK(store_find(a_view(), &records, &(StoreQuery){ .limit = 100 }, &page));
    CHECK_INT(page.n_messages, 1);
}

static const Error *get(StoreView *view)
{
    return store_get(view, &records, "records/1", a_record("x"));
}

static void an_event_has_its_effect_once(void)
{
    Record *record = a_record("1");

    CHECK_OK(insert(an_effect("cart", 5), record));

    CHECK_REASON(get(an_effect("cart", 5)), "EVENT_APPLIED");
    CHECK_REASON(store_replace(an_effect("cart", 5), &records, record, NULL), "EVENT_APPLIED");
    CHECK_REASON(insert(an_effect("cart", 5), a_record("1")), "EVENT_APPLIED");
    CHECK_REASON(store_put(an_effect("cart", 5), &records, record, NULL), "EVENT_APPLIED");
}

static void an_earlier_event_was_applied_too(void)
{
    CHECK_OK(insert(an_effect("cart", 5), a_record("1")));

    CHECK_REASON(get(an_effect("cart", 4)), "EVENT_APPLIED");
}

static void a_later_event_is_new(void)
{
    Record *record = a_record("1");

    CHECK_OK(insert(an_effect("cart", 5), record));

    CHECK_OK(get(an_effect("cart", 6)));
    CHECK_OK(store_replace(an_effect("cart", 6), &records, record, NULL));
    CHECK_REASON(get(an_effect("cart", 6)), "EVENT_APPLIED");
}

static void sources_are_apart(void)
{
    Record *record = a_record("1");

    CHECK_OK(insert(an_effect("cart/1", 5), record));

    CHECK_OK(get(an_effect("cart/10", 5)));
    CHECK_OK(get(an_effect("a.b$c", 5)));
    CHECK_OK(store_replace(an_effect("a.b$c", 1), &records, record, NULL));
    CHECK_REASON(get(an_effect("a.b$c", 1)), "EVENT_APPLIED");
    CHECK_REASON(get(an_effect("cart/1", 5)), "EVENT_APPLIED");
}

static void other_documents_have_not_seen_the_event(void)
{
    CHECK_OK(insert(an_effect("cart", 5), a_record("2")));
    CHECK_OK(insert(a_view(), a_record("1")));

    CHECK_OK(get(an_effect("cart", 5)));
}

static void a_failed_effect_leaves_no_mark(void)
{
    Record *record = a_record("1");

    CHECK_OK(insert(a_view(), record));
    CHECK_REASON(insert(an_effect("cart", 5), a_record("1")), "RECORD_EXISTS");

    CHECK_OK(get(an_effect("cart", 5)));
}

static void steps_leave_no_mark(void)
{
    StoreView steps = store_steps(an_effect("cart", 5));

    CHECK_OK(insert(&steps, a_record("1")));

    CHECK_OK(get(an_effect("cart", 5)));
}

static void other_writes_keep_the_marks(void)
{
    Record *record = a_record("1");

    CHECK_OK(insert(an_effect("cart", 5), record));
    CHECK_OK(store_replace(a_view(), &records, record, NULL));
    CHECK_OK(store_put(a_view(), &records, record, NULL));
    CHECK_OK(store_increment(a_view(), &records, "records/1", "stock", 1, 0, 9, NULL));

    CHECK_REASON(get(an_effect("cart", 5)), "EVENT_APPLIED");
}

static void marks_survive_a_new_start(void)
{
    CHECK_OK(insert(an_effect("cart", 5), a_record("1")));
    CHECK_OK(fixture_reopen(NULL));

    CHECK_REASON(get(an_effect("cart", 5)), "EVENT_APPLIED");
}

const CU_TestInfo request_cases[] = {
    { "a_repeated_insert_answers_as_before", a_repeated_insert_answers_as_before },
    { "a_repeated_insert_under_another_name_writes_nothing",
        a_repeated_insert_under_another_name_writes_nothing },
    { "a_repeated_get_answers_as_before", a_repeated_get_answers_as_before },
    { "a_repeated_replace_answers_as_before", a_repeated_replace_answers_as_before },
    { "a_repeated_put_answers_as_before", a_repeated_put_answers_as_before },
    { "a_repeated_delete_answers_as_before", a_repeated_delete_answers_as_before },
    { "an_answer_is_found_without_a_document", an_answer_is_found_without_a_document },
    { "a_new_request_has_no_answer", a_new_request_has_no_answer },
    { "a_key_with_another_request_is_refused", a_key_with_another_request_is_refused },
    { "a_write_that_failed_keeps_no_answer", a_write_that_failed_keeps_no_answer },
    { "a_failed_key_can_be_used_with_another_request",
        a_failed_key_can_be_used_with_another_request },
    { "steps_keep_no_answer", steps_keep_no_answer },
    { "an_increment_keeps_no_answer", an_increment_keeps_no_answer },
    { "an_empty_answer_is_kept", an_empty_answer_is_kept },
    { "answers_survive_a_new_start", answers_survive_a_new_start },
    { "an_answer_outlives_its_document", an_answer_outlives_its_document },
    { "a_document_remembers_many_requests", a_document_remembers_many_requests },
    { "twins_have_one_effect", twins_have_one_effect },
    { "an_event_has_its_effect_once", an_event_has_its_effect_once },
    { "an_earlier_event_was_applied_too", an_earlier_event_was_applied_too },
    { "a_later_event_is_new", a_later_event_is_new },
    { "sources_are_apart", sources_are_apart },
    { "other_documents_have_not_seen_the_event", other_documents_have_not_seen_the_event },
    { "a_failed_effect_leaves_no_mark", a_failed_effect_leaves_no_mark },
    { "steps_leave_no_mark", steps_leave_no_mark },
    { "other_writes_keep_the_marks", other_writes_keep_the_marks },
    { "marks_survive_a_new_start", marks_survive_a_new_start },
    CU_TEST_INFO_NULL,
};
