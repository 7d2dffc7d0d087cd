/* Documents one by one: get, insert, replace, put, delete, increment, get many. */
#include "tests/store/contract_test.h"

#include "shared/codec/message.h"

#include <limits.h>
#include <string.h>

enum { LARGE = 1024 * 1024 };

static void insert(Record *record)
{
    CHECK_OK(store_insert(a_view(), &records, record, NULL));
}

static void a_document_is_read_back_whole(void)
{
    Record *record = a_record_of("1", "ann");
    Record *read;

    record->email = (char *)"ann@example.com";
    record->count = -7;
    record->state = STATE_CLOSED;
    record->is_active = true;
    record->data = (ProtobufCBinaryData){ 4, (uint8_t *)"a\0b\xFF" };
    record->stock = 12;
    record->share = 0.25;
    set_time(&record->create_time, 1700000000, 123456789);
    add_key(record, "crm", "c-1");
    add_key(record, "pos", "p-1");
    add_tag(record, "new");
    insert(record);

    read = stored(&records, record->name);

    CU_ASSERT(message_equal(read, record));
}

static void a_new_document_has_an_etag(void)
{
    Record *record = a_record("1");

    insert(record);

    CU_ASSERT(record->etag[0]);
    CHECK_TEXT(stored(&records, record->name)->etag, record->etag);
}

static void a_name_is_inserted_once(void)
{
    insert(a_record_of("1", "ann"));

    CHECK_REASON(store_insert(a_view(), &records, a_record_of("1", "bob"), NULL), "RECORD_EXISTS");

    CHECK_TEXT(stored(&records, "records/1")->owner, "ann");
}

static void a_missing_document_is_not_found(void)
{
    CHECK_REASON(store_get(a_view(), &records, "records/none", a_record("x")), "RECORD_NOT_FOUND");
}

static void an_empty_document_is_kept(void)
{
    insert(a_record("1"));

    CHECK_TEXT(stored(&records, "records/1")->owner, "");
}

static void a_message_used_before_is_filled_afresh(void)
{
    Record *used = a_record_of("2", "bob");

    insert(a_record_of("1", ""));
    CHECK_OK(store_get(a_view(), &records, "records/1", used));

    CHECK_TEXT(used->owner, "");
    CHECK_TEXT(used->name, "records/1");
}

static void collections_are_apart(void)
{
    insert(a_record_of("1", "ann"));
    CHECK_OK(store_insert(a_view(), &accounts, a_record_of("1", "bob"), NULL));

    CHECK_TEXT(stored(&records, "records/1")->owner, "ann");
    CHECK_TEXT(stored(&accounts, "records/1")->owner, "bob");
}

static void nested_messages_are_kept(void)
{
    Record *record = a_record("1");
    RecordPart *inner = message_new(the_arena(), &throughline__echo__v1__record_part__descriptor);

    record->part = message_new(the_arena(), &throughline__echo__v1__record_part__descriptor);
    record->part->label = (char *)"outer";
    inner->label = (char *)"inner";
    record->part->parts = &inner;
    record->part->n_parts = 1;
    insert(record);

    CHECK_TEXT(stored(&records, "records/1")->part->parts[0]->label, "inner");
}

static void texts_of_any_script_are_kept(void)
{
    insert(a_record_of("żółć-東京-🛒", "Ünïcödé \x01\x02 \"$.\" 𝄞"));

    CHECK_TEXT(
        stored(&records, "records/żółć-東京-🛒")->owner, "Ünïcödé \x01\x02 \"$.\" 𝄞");
}

static void the_largest_and_smallest_numbers_are_kept(void)
{
    Record *record = a_record("1");
    int32_t numbers[] = { INT_MIN, -1, 0, 1, INT_MAX };

    record->count = INT64_MIN;
    record->stock = INT64_MAX;
    record->numbers = numbers;
    record->n_numbers = COUNT(numbers);
    insert(record);

    CU_ASSERT(message_equal(stored(&records, "records/1"), record));
}

static void an_unknown_number_of_an_enum_is_kept(void)
{
    Record *record = a_record("1");

    record->state = (RecordState)77;
    insert(record);

    CHECK_INT(stored(&records, "records/1")->state, 77);
}

static void fields_of_a_newer_version_survive(void)
{
    static const uint8_t wire[] = { 0xFA, 0x3F, 3, 'n', 'e', 'w' }; /* field 1023, a text */
    Record *record = message_unpack(the_arena(), records.message, (Bytes){ wire, sizeof(wire) });

    record->name = (char *)"records/1";
    insert(record);

    CHECK_INT(stored(&records, "records/1")->base.n_unknown_fields, 1);
}

static void the_messages_of_the_caller_stay_as_they_are(void)
{
    Record *record = a_record_of("1", "ann"), *copy = message_copy(the_arena(), record);

    insert(record);
    copy->etag = record->etag;

    CU_ASSERT(message_equal(record, copy));
}

static void a_large_document_is_kept(void)
{
    Record *record = a_record("1");

    record->data = (ProtobufCBinaryData){ LARGE, arena_alloc(the_arena(), LARGE) };
    record->data.data[LARGE - 1] = 7;
    CHECK_OK(store_insert(a_view(), &accounts, record, NULL));

    CU_ASSERT(message_equal(stored(&accounts, "records/1"), record));
}

static void a_document_beyond_the_limit_is_refused(void)
{
    Record *record = a_record("1");

    record->data =
        (ProtobufCBinaryData){ STORE_MAX_DOCUMENT, arena_alloc(the_arena(), STORE_MAX_DOCUMENT) };

    CHECK_REASON(store_insert(a_view(), &accounts, record, NULL), "DOCUMENT_TOO_LARGE");
}

static void an_empty_name_is_refused(void)
{
    Record *record = a_record("1");

    record->name = (char *)"";

    CHECK_REASON(store_insert(a_view(), &records, record, NULL), "NAME_INVALID");
}

static void the_longest_name_is_taken_and_a_longer_one_refused(void)
{
    Record *record = a_record("1");

    record->name = arena_alloc(the_arena(), STORE_MAX_NAME + 2);
    memset(record->name, 'x', STORE_MAX_NAME);
    insert(record);
    CHECK_TEXT(stored(&records, record->name)->name, record->name);

    record->name[STORE_MAX_NAME] = 'x';
    CHECK_REASON(store_insert(a_view(), &records, record, NULL), "NAME_INVALID");
}

static void a_name_that_is_no_text_is_refused(void)
{
    CHECK_REASON(store_insert(a_view(), &records, a_record("\xC3\x28"), NULL), "NAME_INVALID");
}

static void replace_stores_the_new_fields(void)
{
    Record *record = a_record_of("1", "ann");

    insert(record);
    record->owner = (char *)"bob";
    record->count = 3;
    CHECK_OK(store_replace(a_view(), &records, record, NULL));

    CU_ASSERT(message_equal(stored(&records, "records/1"), record));
}

static void replace_removes_fields_that_are_empty_now(void)
{
    Record *record = a_record_of("1", "ann");

    record->count = 3;
    add_tag(record, "new");
    set_time(&record->create_time, 5, 0);
    insert(record);
    record->owner = (char *)"";
    record->count = 0;
    record->n_tags = 0;
    record->create_time = NULL;
    CHECK_OK(store_replace(a_view(), &records, record, NULL));

    CU_ASSERT(message_equal(stored(&records, "records/1"), record));
}

static void replace_changes_the_etag(void)
{
    Record *record = a_record("1");
    const char *before;

    insert(record);
    before = record->etag;
    CHECK_OK(store_replace(a_view(), &records, record, NULL));

    CU_ASSERT(strcmp(before, record->etag) != 0);
    CHECK_TEXT(stored(&records, "records/1")->etag, record->etag);
}

static void replace_with_an_old_etag_is_stale(void)
{
    Record *record = a_record_of("1", "ann"), *old;

    insert(record);
    old = stored(&records, "records/1");
    CHECK_OK(store_replace(a_view(), &records, record, NULL));
    old->owner = (char *)"bob";

    CHECK_REASON(store_replace(a_view(), &records, old, NULL), "ETAG_STALE");
    CHECK_TEXT(stored(&records, "records/1")->owner, "ann");
}

static void replace_with_no_etag_is_stale(void)
{
    insert(a_record("1"));

    CHECK_REASON(store_replace(a_view(), &records, a_record("1"), NULL), "ETAG_STALE");
}

static void replace_with_a_foreign_etag_is_stale(void)
{
    Record *record = a_record("1");

    insert(record);
    record->etag = (char *)"W/\"abc\"";

    CHECK_REASON(store_replace(a_view(), &records, record, NULL), "ETAG_STALE");
}

static void replace_of_a_missing_document_is_not_found(void)
{
    Record *record = a_record("1");

    record->etag = (char *)"1";

    CHECK_REASON(store_replace(a_view(), &records, record, NULL), "RECORD_NOT_FOUND");
}

static void put_inserts(void)
{
    CHECK_OK(store_put(a_view(), &records, a_record_of("1", "ann"), NULL));

    CHECK_TEXT(stored(&records, "records/1")->owner, "ann");
}

static void put_replaces_whatever_the_version(void)
{
    Record *record = a_record_of("1", "ann");

    insert(record);
    CHECK_OK(store_put(a_view(), &records, a_record_of("1", "bob"), NULL));

    CHECK_TEXT(stored(&records, "records/1")->owner, "bob");
    CHECK_REASON(store_replace(a_view(), &records, record, NULL), "ETAG_STALE");
}

static void put_gives_the_new_etag(void)
{
    Record *record = a_record("1");

    insert(a_record("1"));
    CHECK_OK(store_put(a_view(), &records, record, NULL));

    CHECK_TEXT(stored(&records, "records/1")->etag, record->etag);
    CHECK_OK(store_replace(a_view(), &records, record, NULL));
}

static void delete_removes(void)
{
    insert(a_record("1"));
    CHECK_OK(store_delete(a_view(), &records, "records/1", ""));

    CHECK_REASON(store_get(a_view(), &records, "records/1", a_record("x")), "RECORD_NOT_FOUND");
}

static void delete_takes_the_right_etag(void)
{
    Record *record = a_record("1");

    insert(record);

    CHECK_OK(store_delete(a_view(), &records, "records/1", record->etag));
}

static void delete_with_an_old_etag_is_stale(void)
{
    Record *record = a_record("1");
    const char *old;

    insert(record);
    old = record->etag;
    CHECK_OK(store_replace(a_view(), &records, record, NULL));

    CHECK_REASON(store_delete(a_view(), &records, "records/1", old), "ETAG_STALE");
    CHECK_TEXT(stored(&records, "records/1")->etag, record->etag);
}

static void delete_of_a_missing_document_is_not_found(void)
{
    CHECK_REASON(store_delete(a_view(), &records, "records/1", ""), "RECORD_NOT_FOUND");
}

static void a_deleted_name_can_be_inserted_again(void)
{
    insert(a_record_of("1", "ann"));
    CHECK_OK(store_delete(a_view(), &records, "records/1", ""));
    insert(a_record_of("1", "bob"));

    CHECK_TEXT(stored(&records, "records/1")->owner, "bob");
}

const CU_TestInfo document_cases[] = {
    { "a_document_is_read_back_whole", a_document_is_read_back_whole },
    { "a_new_document_has_an_etag", a_new_document_has_an_etag },
    { "a_name_is_inserted_once", a_name_is_inserted_once },
    { "a_missing_document_is_not_found", a_missing_document_is_not_found },
    { "an_empty_document_is_kept", an_empty_document_is_kept },
    { "a_message_used_before_is_filled_afresh", a_message_used_before_is_filled_afresh },
    { "collections_are_apart", collections_are_apart },
    { "nested_messages_are_kept", nested_messages_are_kept },
    { "texts_of_any_script_are_kept", texts_of_any_script_are_kept },
    { "the_largest_and_smallest_numbers_are_kept", the_largest_and_smallest_numbers_are_kept },
    { "an_unknown_number_of_an_enum_is_kept", an_unknown_number_of_an_enum_is_kept },
    { "fields_of_a_newer_version_survive", fields_of_a_newer_version_survive },
    { "the_messages_of_the_caller_stay_as_they_are", the_messages_of_the_caller_stay_as_they_are },
    { "a_large_document_is_kept", a_large_document_is_kept },
    { "a_document_beyond_the_limit_is_refused", a_document_beyond_the_limit_is_refused },
    { "an_empty_name_is_refused", an_empty_name_is_refused },
    { "the_longest_name_is_taken_and_a_longer_one_refused",
        the_longest_name_is_taken_and_a_longer_one_refused },
    { "a_name_that_is_no_text_is_refused", a_name_that_is_no_text_is_refused },
    { "replace_stores_the_new_fields", replace_stores_the_new_fields },
    { "replace_removes_fields_that_are_empty_now", replace_removes_fields_that_are_empty_now },
    { "replace_changes_the_etag", replace_changes_the_etag },
    { "replace_with_an_old_etag_is_stale", replace_with_an_old_etag_is_stale },
    { "replace_with_no_etag_is_stale", replace_with_no_etag_is_stale },
    { "replace_with_a_foreign_etag_is_stale", replace_with_a_foreign_etag_is_stale },
    { "replace_of_a_missing_document_is_not_found", replace_of_a_missing_document_is_not_found },
    { "put_inserts", put_inserts },
    { "put_replaces_whatever_the_version", put_replaces_whatever_the_version },
    { "put_gives_the_new_etag", put_gives_the_new_etag },
    { "delete_removes", delete_removes },
    { "delete_takes_the_right_etag", delete_takes_the_right_etag },
    { "delete_with_an_old_etag_is_stale", delete_with_an_old_etag_is_stale },
    { "delete_of_a_missing_document_is_not_found", delete_of_a_missing_document_is_not_found },
    { "a_deleted_name_can_be_inserted_again", a_deleted_name_can_be_inserted_again },
    CU_TEST_INFO_NULL,
};
