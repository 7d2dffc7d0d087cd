/* Unique indexes: who may have which value. */
#include "tests/store/contract_test.h"

static Record *with_email(const char *id, const char *email)
{
    Record *record = a_record(id);

    record->email = (char *)(uintptr_t)email;
    return record;
}

static Record *with_login(const char *id, const char *login)
{
    Record *record = a_record(id);

    add_key(record, "login", login);
    return record;
}

static Record *with_slot(const char *id, RecordState state, int64_t count)
{
    Record *record = a_record(id);

    record->state = state;
    record->count = count;
    return record;
}

static const Error *insert(Record *record)
{
    return store_insert(a_view(), &records, record, NULL);
}

static const Error *insert_account(Record *record)
{
    return store_insert(a_view(), &accounts, record, NULL);
}

/* FerretDB enforces no unique index whose field is an array. */
static bool has_unique_arrays(void)
{
    bool has = fixture_engine() == EMBEDDED || !fixture_is_ferretdb();

    if (!has)
        test_skip("FerretDB enforces no unique index over an array");
    return has;
}

static void a_unique_value_is_taken_once(void)
{
    CHECK_OK(insert(with_email("1", "a@x")));

    CHECK_REASON(insert(with_email("2", "a@x")), "BY_EMAIL_TAKEN");
    CHECK_REASON(store_get(a_view(), &records, "records/2", a_record("x")), "RECORD_NOT_FOUND");
}

static void empty_values_are_not_unique(void)
{
    CHECK_OK(insert(with_email("1", "")));
    CHECK_OK(insert(with_email("2", "")));
}

static void a_document_keeps_its_own_value(void)
{
    Record *record = with_email("1", "a@x");

    CHECK_OK(insert(record));
    record->count = 1;
    CHECK_OK(store_replace(a_view(), &records, record, NULL));
    CHECK_OK(store_put(a_view(), &records, with_email("1", "a@x"), NULL));
}

static void a_value_is_free_after_delete(void)
{
    CHECK_OK(insert(with_email("1", "a@x")));
    CHECK_OK(store_delete(a_view(), &records, "records/1", ""));

    CHECK_OK(insert(with_email("2", "a@x")));
}

static void a_value_is_free_after_replace(void)
{
    Record *record = with_email("1", "a@x");

    CHECK_OK(insert(record));
    record->email = (char *)"b@x";
    CHECK_OK(store_replace(a_view(), &records, record, NULL));

    CHECK_OK(insert(with_email("2", "a@x")));
}

static void replace_into_a_taken_value_changes_nothing(void)
{
    Record *record = with_email("2", "b@x");

    CHECK_OK(insert(with_email("1", "a@x")));
    CHECK_OK(insert(record));
    record->email = (char *)"a@x";

    CHECK_REASON(store_replace(a_view(), &records, record, NULL), "BY_EMAIL_TAKEN");
    CHECK_TEXT(stored(&records, "records/2")->email, "b@x");
}

static void put_into_a_taken_value_is_refused(void)
{
    CHECK_OK(insert(with_email("1", "a@x")));

    CHECK_REASON(store_put(a_view(), &records, with_email("2", "a@x"), NULL), "BY_EMAIL_TAKEN");
}

static void the_same_name_counts_before_the_same_value(void)
{
    CHECK_OK(insert(with_email("1", "a@x")));

    CHECK_REASON(insert(with_email("1", "a@x")), "RECORD_EXISTS");
}

static void values_that_differ_in_case_differ(void)
{
    CHECK_OK(insert(with_email("1", "a@x")));
    CHECK_OK(insert(with_email("2", "A@x")));
}

static void the_first_of_a_batch_takes_the_value(void)
{
    StoreWrite writes[] = {
        { .kind = STORE_INSERT, .collection = &records, .message = with_email("1", "a@x") },
        { .kind = STORE_INSERT, .collection = &records, .message = with_email("2", "a@x") },
    };

    CHECK_REASON(store_write(a_view(), writes, COUNT(writes)), "BY_EMAIL_TAKEN");
    CHECK_OK(writes[0].error);
    CHECK_REASON(writes[1].error, "BY_EMAIL_TAKEN");
}

static void numbers_are_unique_together(void)
{
    CHECK_OK(insert_account(with_slot("1", STATE_OPEN, 1)));
    CHECK_OK(insert_account(with_slot("2", STATE_OPEN, 2)));
    CHECK_OK(insert_account(with_slot("3", STATE_CLOSED, 1)));

    CHECK_REASON(insert_account(with_slot("4", STATE_OPEN, 2)), "BY_SLOT_TAKEN");
}

static void a_zero_among_unique_numbers_counts(void)
{
    CHECK_OK(insert_account(with_slot("1", STATE_OPEN, 0)));

    CHECK_REASON(insert_account(with_slot("2", STATE_OPEN, 0)), "BY_SLOT_TAKEN");
}

static void nothing_but_zeros_is_not_unique(void)
{
    CHECK_OK(insert_account(a_record("1")));
    CHECK_OK(insert_account(a_record("2")));
}

static void any_item_of_a_unique_list_can_be_taken(void)
{
    Record *record = with_login("1", "ann");

    if (!has_unique_arrays())
        return;
    add_key(record, "login", "annie");
    CHECK_OK(insert_account(record));

    CHECK_REASON(insert_account(with_login("2", "annie")), "BY_LOGIN_TAKEN");
}

static void a_document_may_say_a_unique_value_twice(void)
{
    Record *record = with_login("1", "ann");

    add_key(record, "other", "ann");

    CHECK_OK(insert_account(record));
}

static void an_item_that_is_gone_is_free(void)
{
    Record *record = with_login("1", "ann");

    add_key(record, "login", "annie");
    CHECK_OK(insert_account(record));
    record->n_keys = 1;
    CHECK_OK(store_replace(a_view(), &accounts, record, NULL));

    CHECK_OK(insert_account(with_login("2", "annie")));
}

static void a_unique_index_finds_its_document(void)
{
    StoreQuery query = {
        .index = "by_login", .equal = { { STORE_TEXT, .text = "bob" } }, .limit = 5
    };
    StorePage page;

    CHECK_OK(insert_account(with_login("1", "ann")));
    CHECK_OK(insert_account(with_login("2", "bob")));
    CHECK_OK(store_find(a_view(), &accounts, &query, &page));

    CHECK_INT(page.n_messages, 1);
    CHECK_TEXT(((Record *)page.messages[0])->name, "records/2");
}

const CU_TestInfo unique_cases[] = {
    { "a_unique_value_is_taken_once", a_unique_value_is_taken_once },
    { "empty_values_are_not_unique", empty_values_are_not_unique },
    { "a_document_keeps_its_own_value", a_document_keeps_its_own_value },
    { "a_value_is_free_after_delete", a_value_is_free_after_delete },
    { "a_value_is_free_after_replace", a_value_is_free_after_replace },
    { "replace_into_a_taken_value_changes_nothing", replace_into_a_taken_value_changes_nothing },
    { "put_into_a_taken_value_is_refused", put_into_a_taken_value_is_refused },
    { "the_same_name_counts_before_the_same_value", the_same_name_counts_before_the_same_value },
    { "values_that_differ_in_case_differ", values_that_differ_in_case_differ },
    { "the_first_of_a_batch_takes_the_value", the_first_of_a_batch_takes_the_value },
    { "numbers_are_unique_together", numbers_are_unique_together },
    { "a_zero_among_unique_numbers_counts", a_zero_among_unique_numbers_counts },
    { "nothing_but_zeros_is_not_unique", nothing_but_zeros_is_not_unique },
    { "any_item_of_a_unique_list_can_be_taken", any_item_of_a_unique_list_can_be_taken },
    { "a_document_may_say_a_unique_value_twice", a_document_may_say_a_unique_value_twice },
    { "an_item_that_is_gone_is_free", an_item_that_is_gone_is_free },
    { "a_unique_index_finds_its_document", a_unique_index_finds_its_document },
    CU_TEST_INFO_NULL,
};
