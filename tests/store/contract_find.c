/* Queries: what is found and in which order. */
#include "tests/store/contract_test.h"

static void insert(Record *record)
{
    CHECK_OK(store_insert(a_view(), &records, record, NULL));
}

/* The ids of what a query finds, joined: "1 2 3". */
static const char *found(StoreQuery query)
{
    const char *ids = "";
    StorePage page = { 0 };

    if (!query.limit)
        query.limit = 100;
    CHECK_OK(store_find(a_view(), &records, &query, &page));
    for (size_t i = 0; i < page.n_messages; i++)
        ids = arena_printf(the_arena(), "%s%s%s", ids, i ? " " : "",
            ((Record *)page.messages[i])->name + sizeof("records/") - 1);
    return ids;
}

static const char *refused(StoreQuery query)
{
    StorePage page;

    query.limit = 10;
    return error_reason(store_find(a_view(), &records, &query, &page));
}

static void insert_owned(const char *id, const char *owner, int64_t seconds)
{
    Record *record = a_record_of(id, owner);

    set_time(&record->create_time, seconds, 0);
    insert(record);
}

static StoreValue text(const char *value)
{
    return (StoreValue){ STORE_TEXT, .text = value };
}

static StoreValue number(int64_t value)
{
    return (StoreValue){ STORE_NUMBER, .number = value };
}

static StoreValue moment(int64_t micros)
{
    return (StoreValue){ STORE_TIME, .number = micros };
}

static void an_empty_collection_has_nothing(void)
{
    CHECK_TEXT(found((StoreQuery){ .index = "by_owner" }), "");
    CHECK_TEXT(found((StoreQuery){ 0 }), "");
}

static void equal_values_are_found_in_order_of_the_next_field(void)
{
    insert_owned("1", "ann", 30);
    insert_owned("2", "bob", 20);
    insert_owned("3", "ann", 10);

    CHECK_TEXT(found((StoreQuery){ .index = "by_owner", .equal = { text("ann") } }), "3 1");
}

static void descending_turns_the_order(void)
{
    insert_owned("1", "ann", 30);
    insert_owned("2", "ann", 20);
    insert_owned("3", "bob", 10);

    CHECK_TEXT(found((StoreQuery){ .index = "by_owner", .is_descending = true }), "3 1 2");
}

static void equal_entries_are_in_order_of_names(void)
{
    insert_owned("2", "ann", 5);
    insert_owned("1", "ann", 5);
    insert_owned("3", "ann", 5);

    CHECK_TEXT(found((StoreQuery){ .index = "by_owner" }), "1 2 3");
    CHECK_TEXT(found((StoreQuery){ .index = "by_owner", .is_descending = true }), "3 2 1");
}

static void a_range_of_time_takes_its_start_and_not_its_end(void)
{
    insert_owned("1", "ann", 10);
    insert_owned("2", "ann", 20);
    insert_owned("3", "ann", 30);

    CHECK_TEXT(found((StoreQuery){ .index = "by_owner",
                   .equal = { text("ann") },
                   .from = moment(10000000),
                   .below = moment(30000000) }),
        "1 2");
}

static void a_range_may_be_open_at_either_end(void)
{
    insert_owned("1", "ann", 10);
    insert_owned("2", "ann", 20);
    insert_owned("3", "bob", 30);

    CHECK_TEXT(found((StoreQuery){
                   .index = "by_owner", .equal = { text("ann") }, .from = moment(15000000) }),
        "2");
    CHECK_TEXT(found((StoreQuery){
                   .index = "by_owner", .equal = { text("ann") }, .below = moment(15000000) }),
        "1");
}

static void fractions_of_a_second_have_an_order(void)
{
    Record *late = a_record_of("1", "ann"), *early = a_record_of("2", "ann");

    set_time(&late->create_time, 10, 999999999);
    set_time(&early->create_time, 10, 5);
    insert(late);
    insert(early);

    CHECK_TEXT(found((StoreQuery){ .index = "by_owner" }), "2 1");
    CHECK_TEXT(found((StoreQuery){
                   .index = "by_owner", .equal = { text("ann") }, .from = moment(10000001) }),
        "1");
}

static void times_before_1970_come_first(void)
{
    insert_owned("1", "ann", 10);
    insert_owned("2", "ann", -10);

    CHECK_TEXT(found((StoreQuery){ .index = "by_owner" }), "2 1");
    CHECK_TEXT(found((StoreQuery){ .index = "by_owner",
                   .equal = { text("ann") },
                   .from = moment(-10500000),
                   .below = moment(-9500000) }),
        "2");
}

static void an_absent_time_is_an_entry_too(void)
{
    insert(a_record_of("1", "ann"));
    insert_owned("2", "ann", 10);

    CHECK_TEXT(found((StoreQuery){ .index = "by_owner", .equal = { text("ann") } }), "1 2");
}

static void default_values_can_be_asked_for(void)
{
    insert(a_record_of("1", ""));
    insert(a_record_of("2", "ann"));

    CHECK_TEXT(found((StoreQuery){ .index = "by_owner", .equal = { text("") } }), "1");
    CHECK_TEXT(found((StoreQuery){ .index = "by_state", .equal = { number(0) } }), "1 2");
}

static void texts_are_in_order_of_their_bytes(void)
{
    insert(a_record_of("1", "b"));
    insert(a_record_of("2", "a"));
    insert(a_record_of("3", "ab"));
    insert(a_record_of("4", "B"));
    insert(a_record_of("5", "é"));
    insert(a_record_of("6", "𝄞"));

    CHECK_TEXT(found((StoreQuery){ .index = "by_owner" }), "4 2 3 1 5 6");
}

static void control_characters_keep_their_order(void)
{
    insert(a_record_of("1", "a\x02"));
    insert(a_record_of("2", "a\x01"));
    insert(a_record_of("3", "a"));
    insert(a_record_of("4", "a\x03"));
    insert(a_record_of("5", "a\x01z"));

    CHECK_TEXT(found((StoreQuery){ .index = "by_owner" }), "3 2 5 1 4");
    CHECK_TEXT(found((StoreQuery){ .index = "by_owner", .equal = { text("a\x01") } }), "2");
}

static void an_equal_text_is_not_a_prefix(void)
{
    insert(a_record_of("1", "ann"));
    insert(a_record_of("2", "anna"));

    CHECK_TEXT(found((StoreQuery){ .index = "by_owner", .equal = { text("ann") } }), "1");
}

static void a_prefix_finds_what_starts_with_it(void)
{
    insert(a_record_of("1", "ann"));
    insert(a_record_of("2", "anna"));
    insert(a_record_of("3", "bob"));
    insert(a_record_of("4", "an"));

    CHECK_TEXT(found((StoreQuery){ .index = "by_owner", .prefix = "ann" }), "1 2");
}

static void a_prefix_may_end_in_any_character(void)
{
    insert(a_record_of("1", "caf\xC3\xA9s"));
    insert(a_record_of("2", "caf\xC3\xAA"));
    insert(a_record_of("3", "caf\xC3\xBFx"));
    insert(a_record_of("4", "caf\xC4\x80"));
    insert(a_record_of("5", "z\xF4\x8F\xBF\xBFy"));

    CHECK_TEXT(found((StoreQuery){ .index = "by_owner", .prefix = "café" }), "1");
    CHECK_TEXT(found((StoreQuery){ .index = "by_owner", .prefix = "caf\xC3\xBF" }), "3");
    CHECK_TEXT(found((StoreQuery){ .index = "by_owner", .prefix = "z\xF4\x8F\xBF\xBF" }), "5");
}

static void an_empty_prefix_finds_all(void)
{
    insert(a_record_of("1", "ann"));
    insert(a_record_of("2", ""));

    CHECK_TEXT(found((StoreQuery){ .index = "by_owner", .prefix = "" }), "2 1");
}

static void a_range_of_texts_is_found(void)
{
    insert(a_record_of("1", "ann"));
    insert(a_record_of("2", "bob"));
    insert(a_record_of("3", "cid"));

    CHECK_TEXT(
        found((StoreQuery){ .index = "by_owner", .from = text("b"), .below = text("cid") }), "2");
}

static void insert_state(const char *id, RecordState state, int64_t count)
{
    Record *record = a_record(id);

    record->state = state;
    record->count = count;
    insert(record);
}

static void an_enum_is_found_by_number_and_by_name(void)
{
    insert_state("1", STATE_OPEN, 1);
    insert_state("2", STATE_CLOSED, 1);

    CHECK_TEXT(found((StoreQuery){ .index = "by_state", .equal = { number(STATE_CLOSED) } }), "2");
    CHECK_TEXT(found((StoreQuery){ .index = "by_state", .equal = { text("OPEN") } }), "1");
}

static void negative_numbers_come_first(void)
{
    insert_state("1", STATE_OPEN, 5);
    insert_state("2", STATE_OPEN, -5);
    insert_state("3", STATE_OPEN, 0);
    insert_state("4", STATE_OPEN, INT64_MIN);
    insert_state("5", STATE_OPEN, INT64_MAX);

    CHECK_TEXT(found((StoreQuery){ .index = "by_state" }), "4 2 3 1 5");
    CHECK_TEXT(found((StoreQuery){ .index = "by_state",
                   .equal = { number(STATE_OPEN) },
                   .from = number(-5),
                   .below = number(5) }),
        "2 3");
}

static void several_fields_can_be_equal(void)
{
    Record *record = a_record_of("1", "ann");

    record->is_active = true;
    record->count = 7;
    insert(record);
    insert(a_record_of("2", "ann"));

    CHECK_TEXT(found((StoreQuery){ .index = "by_activity",
                   .equal = { { STORE_BOOL, .number = 1 }, text("ann"), number(7) } }),
        "1");
    CHECK_TEXT(found((StoreQuery){
                   .index = "by_activity", .equal = { { STORE_BOOL, .number = 0 }, text("ann") } }),
        "2");
}

static void shares_are_ordered_as_numbers(void)
{
    const double shares[] = { 10, -0.5, 2, 0, -3 };

    for (size_t i = 0; i < COUNT(shares); i++) {
        Record *record = a_record(arena_printf(the_arena(), "%zu", i));
        record->share = shares[i];
        insert(record);
    }

    CHECK_TEXT(found((StoreQuery){ .index = "by_share" }), "4 1 3 2 0");
}

static void a_field_of_a_part_is_found(void)
{
    Record *record = a_record("1");

    record->part = arena_alloc(the_arena(), sizeof(RecordPart));
    throughline__echo__v1__record_part__init(record->part);
    record->part->label = (char *)"left";
    insert(record);
    insert(a_record("2"));

    CHECK_TEXT(found((StoreQuery){ .index = "by_label", .equal = { text("left") } }), "1");
    CHECK_TEXT(found((StoreQuery){ .index = "by_label", .equal = { text("") } }), "2");
}

static void any_item_of_a_list_finds_its_document(void)
{
    Record *one = a_record("1"), *other = a_record("2");

    add_key(one, "crm", "a");
    add_key(one, "pos", "b");
    add_key(other, "crm", "b");
    insert(one);
    insert(other);

    CHECK_TEXT(found((StoreQuery){ .index = "by_key", .equal = { text("a") } }), "1");
    CHECK_TEXT(found((StoreQuery){ .index = "by_key", .equal = { text("b") } }), "1 2");
}

static void a_field_beside_a_list_is_ordered_with_it(void)
{
    Record *one = a_record("1"), *other = a_record("2");

    one->count = 9;
    other->count = 3;
    add_key(one, "crm", "a");
    add_key(one, "crm", "0");
    add_key(other, "crm", "a");
    insert(one);
    insert(other);

    CHECK_TEXT(found((StoreQuery){ .index = "by_key", .equal = { text("a") } }), "2 1");
    CHECK_TEXT(
        found((StoreQuery){ .index = "by_key", .equal = { text("a") }, .from = number(4) }), "1");
}

static void a_range_over_a_list_tells_each_document_once(void)
{
    Record *one = a_record("1"), *other = a_record("2");

    add_tag(one, "b");
    add_tag(one, "d");
    add_tag(one, "a");
    add_tag(other, "c");
    insert(one);
    insert(other);

    CHECK_TEXT(found((StoreQuery){ .index = "by_tag" }), "1 2");
    CHECK_TEXT(found((StoreQuery){ .index = "by_tag", .is_descending = true }), "1 2");
    CHECK_TEXT(found((StoreQuery){ .index = "by_tag", .from = text("c") }), "2 1");
    CHECK_TEXT(
        found((StoreQuery){ .index = "by_tag", .below = text("d"), .is_descending = true }), "2 1");
}

static void an_empty_list_is_an_entry_too(void)
{
    Record *record = a_record("1");

    add_tag(record, "a");
    insert(record);
    insert(a_record("2"));

    CHECK_TEXT(found((StoreQuery){ .index = "by_tag" }), "2 1");
}

static void replace_moves_the_entries(void)
{
    Record *record = a_record_of("1", "ann");

    add_tag(record, "a");
    insert(record);
    record->owner = (char *)"bob";
    record->tags[0] = (char *)"b";
    CHECK_OK(store_replace(a_view(), &records, record, NULL));

    CHECK_TEXT(found((StoreQuery){ .index = "by_owner", .equal = { text("ann") } }), "");
    CHECK_TEXT(found((StoreQuery){ .index = "by_owner", .equal = { text("bob") } }), "1");
    CHECK_TEXT(found((StoreQuery){ .index = "by_tag", .equal = { text("a") } }), "");
}

static void deleted_documents_are_not_found(void)
{
    insert(a_record_of("1", "ann"));
    CHECK_OK(store_delete(a_view(), &records, "records/1", ""));

    CHECK_TEXT(found((StoreQuery){ .index = "by_owner" }), "");
    CHECK_TEXT(found((StoreQuery){ 0 }), "");
}

static void names_have_an_order_a_range_and_a_prefix(void)
{
    insert(a_record("b1"));
    insert(a_record("a"));
    insert(a_record("b2"));
    insert(a_record("c"));

    CHECK_TEXT(found((StoreQuery){ 0 }), "a b1 b2 c");
    CHECK_TEXT(found((StoreQuery){ .is_descending = true }), "c b2 b1 a");
    CHECK_TEXT(found((StoreQuery){ .prefix = "records/b" }), "b1 b2");
    CHECK_TEXT(
        found((StoreQuery){ .from = text("records/b1"), .below = text("records/c") }), "b1 b2");
}

static void a_query_without_index_is_refused(void)
{
    CHECK_TEXT(refused((StoreQuery){ .index = "by_colour" }), "QUERY_UNINDEXED");
}

static void values_that_do_not_fit_the_index_are_refused(void)
{
    CHECK_TEXT(
        refused((StoreQuery){ .index = "by_owner", .equal = { number(1) } }), "QUERY_INVALID");
    CHECK_TEXT(refused((StoreQuery){ .index = "by_state", .equal = { text("SLEEPING") } }),
        "QUERY_INVALID");
    CHECK_TEXT(refused((StoreQuery){ .index = "by_email", .equal = { text("a"), text("b") } }),
        "QUERY_INVALID");
    CHECK_TEXT(
        refused((StoreQuery){ .index = "by_email", .equal = { text("a") }, .from = text("b") }),
        "QUERY_INVALID");
    CHECK_TEXT(refused((StoreQuery){ .index = "by_state", .prefix = "a" }), "QUERY_INVALID");
    CHECK_TEXT(refused((StoreQuery){ .equal = { text("records/1") } }), "QUERY_INVALID");
}

static void a_value_too_long_for_an_index_is_refused(void)
{
    char *owner = arena_alloc(the_arena(), 3001);

    for (int i = 0; i < 3000; i++)
        owner[i] = 'x';

    CHECK_REASON(
        store_insert(a_view(), &records, a_record_of("1", owner), NULL), "INDEX_KEY_TOO_LONG");
}

static void more_values_than_an_index_takes_are_refused(void)
{
    Record *record = a_record("1");

    for (int i = 0; i < 4200; i++)
        add_tag(record, arena_printf(the_arena(), "%d", i));

    CHECK_REASON(store_insert(a_view(), &records, record, NULL), "INDEX_TOO_MANY_ENTRIES");
}

const CU_TestInfo find_cases[] = {
    { "an_empty_collection_has_nothing", an_empty_collection_has_nothing },
    { "equal_values_are_found_in_order_of_the_next_field",
        equal_values_are_found_in_order_of_the_next_field },
    { "descending_turns_the_order", descending_turns_the_order },
    { "equal_entries_are_in_order_of_names", equal_entries_are_in_order_of_names },
    { "a_range_of_time_takes_its_start_and_not_its_end",
        a_range_of_time_takes_its_start_and_not_its_end },
    { "a_range_may_be_open_at_either_end", a_range_may_be_open_at_either_end },
    { "fractions_of_a_second_have_an_order", fractions_of_a_second_have_an_order },
    { "times_before_1970_come_first", times_before_1970_come_first },
    { "an_absent_time_is_an_entry_too", an_absent_time_is_an_entry_too },
    { "default_values_can_be_asked_for", default_values_can_be_asked_for },
    { "texts_are_in_order_of_their_bytes", texts_are_in_order_of_their_bytes },
    { "control_characters_keep_their_order", control_characters_keep_their_order },
    { "an_equal_text_is_not_a_prefix", an_equal_text_is_not_a_prefix },
    { "a_prefix_finds_what_starts_with_it", a_prefix_finds_what_starts_with_it },
    { "a_prefix_may_end_in_any_character", a_prefix_may_end_in_any_character },
    { "an_empty_prefix_finds_all", an_empty_prefix_finds_all },
    { "a_range_of_texts_is_found", a_range_of_texts_is_found },
    { "an_enum_is_found_by_number_and_by_name", an_enum_is_found_by_number_and_by_name },
    { "negative_numbers_come_first", negative_numbers_come_first },
    { "several_fields_can_be_equal", several_fields_can_be_equal },
    { "shares_are_ordered_as_numbers", shares_are_ordered_as_numbers },
    { "a_field_of_a_part_is_found", a_field_of_a_part_is_found },
    { "any_item_of_a_list_finds_its_document", any_item_of_a_list_finds_its_document },
    { "a_field_beside_a_list_is_ordered_with_it", a_field_beside_a_list_is_ordered_with_it },
    { "a_range_over_a_list_tells_each_document_once",
        a_range_over_a_list_tells_each_document_once },
    { "an_empty_list_is_an_entry_too", an_empty_list_is_an_entry_too },
    { "replace_moves_the_entries", replace_moves_the_entries },
    { "deleted_documents_are_not_found", deleted_documents_are_not_found },
    { "names_have_an_order_a_range_and_a_prefix", names_have_an_order_a_range_and_a_prefix },
    { "a_query_without_index_is_refused", a_query_without_index_is_refused },
    { "values_that_do_not_fit_the_index_are_refused",
        values_that_do_not_fit_the_index_are_refused },
    { "a_value_too_long_for_an_index_is_refused", a_value_too_long_for_an_index_is_refused },
    { "more_values_than_an_index_takes_are_refused", more_values_than_an_index_takes_are_refused },
    CU_TEST_INFO_NULL,
};
