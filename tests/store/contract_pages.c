/* Pages: where one ends the next goes on, whatever is written meanwhile. */
#include "tests/store/contract_test.h"

#include <stdlib.h>

enum { N_RECORDS = 23, PAGE = 5 };

static Record *numbered(int number)
{
    Record *record =
        a_record_of(arena_printf(the_arena(), "%03d", number), number % 2 ? "odd" : "even");

    record->count = number / 3; /* several of each */
    return record;
}

static void insert_all(void)
{
    for (int i = 0; i < N_RECORDS; i++)
        CHECK_OK(store_insert(a_view(), &records, numbered(i), NULL));
}

/* Walks through all pages; the ids in order, a bar between pages. Calls `meanwhile` after each page. */
static const char *walk(StoreQuery query, void (*meanwhile)(const StorePage *page))
{
    const char *ids = "";
    StorePage page = { .resume = "" };

    query.limit = PAGE;
    do {
        query.resume = page.resume;
        CHECK_OK(store_find(a_view(), &records, &query, &page));
        for (size_t i = 0; i < page.n_messages; i++)
            ids = arena_printf(the_arena(), "%s%d ", ids,
                atoi(((Record *)page.messages[i])->name + sizeof("records/") - 1));
        if (page.resume[0])
            ids = arena_printf(the_arena(), "%s| ", ids);
        if (meanwhile)
            meanwhile(&page);
    } while (page.resume[0]);
    return ids;
}

static const StoreQuery by_count = { .index = "by_state", .equal = { { STORE_NUMBER } } };

static void pages_by_index_have_everything_once(void)
{
    insert_all();

    CHECK_TEXT(walk(by_count, NULL),
        "0 1 2 3 4 | 5 6 7 8 9 | 10 11 12 13 14 | 15 16 17 18 19 | 20 21 22 ");
}

static void pages_by_index_go_down_too(void)
{
    StoreQuery query = by_count;

    insert_all();
    query.is_descending = true;

    CHECK_TEXT(
        walk(query, NULL), "22 21 20 19 18 | 17 16 15 14 13 | 12 11 10 9 8 | 7 6 5 4 3 | 2 1 0 ");
}

static void pages_by_name_have_everything_once(void)
{
    insert_all();

    CHECK_TEXT(walk((StoreQuery){ 0 }, NULL),
        "0 1 2 3 4 | 5 6 7 8 9 | 10 11 12 13 14 | 15 16 17 18 19 | 20 21 22 ");
    CHECK_TEXT(walk((StoreQuery){ .is_descending = true }, NULL),
        "22 21 20 19 18 | 17 16 15 14 13 | 12 11 10 9 8 | 7 6 5 4 3 | 2 1 0 ");
}

static void pages_of_a_range_end_with_it(void)
{
    StoreQuery query = by_count;

    insert_all();
    query.from = (StoreValue){ STORE_NUMBER, .number = 1 };
    query.below = (StoreValue){ STORE_NUMBER, .number = 4 };

    CHECK_TEXT(walk(query, NULL), "3 4 5 6 7 | 8 9 10 11 ");
}

static void pages_by_prefix_of_names_end_with_it(void)
{
    insert_all();

    CHECK_TEXT(
        walk((StoreQuery){ .prefix = "records/01" }, NULL), "10 11 12 13 14 | 15 16 17 18 19 ");
}

static void the_last_page_says_so_when_it_is_full(void)
{
    StoreQuery query = { .limit = 1 };
    StorePage page;

    CHECK_OK(store_insert(a_view(), &records, a_record("1"), NULL));
    CHECK_OK(store_find(a_view(), &records, &query, &page));

    CHECK_INT(page.n_messages, 1);
    CHECK_TEXT(page.resume, "");
}

static void delete_last(const StorePage *page)
{
    if (page->n_messages)
        CHECK_OK(store_delete(
            a_view(), &records, ((Record *)page->messages[page->n_messages - 1])->name, ""));
}

static void pages_go_on_when_the_last_document_is_deleted(void)
{
    insert_all();

    CHECK_TEXT(walk(by_count, delete_last),
        "0 1 2 3 4 | 5 6 7 8 9 | 10 11 12 13 14 | 15 16 17 18 19 | 20 21 22 ");
}

static void insert_before(const StorePage *page)
{
    static int number;

    (void)page;
    CHECK_OK(store_insert(
        a_view(), &records, a_record(arena_printf(the_arena(), "000-%d", ++number)), NULL));
}

static void pages_do_not_shift_when_documents_come_before_them(void)
{
    insert_all();

    CHECK_TEXT(walk((StoreQuery){ 0 }, insert_before),
        "0 1 2 3 4 | 5 6 7 8 9 | 10 11 12 13 14 | 15 16 17 18 19 | 20 21 22 ");
}

static void change_all(const StorePage *page)
{
    for (size_t i = 0; i < page->n_messages; i++) {
        Record *record = page->messages[i];

        record->stock++;
        CHECK_OK(store_replace(a_view(), &records, record, NULL));
    }
}

static void pages_do_not_repeat_documents_that_change(void)
{
    insert_all();

    CHECK_TEXT(walk(by_count, change_all),
        "0 1 2 3 4 | 5 6 7 8 9 | 10 11 12 13 14 | 15 16 17 18 19 | 20 21 22 ");
}

static void pages_over_a_list_tell_each_document_once(void)
{
    for (int i = 0; i < 12; i++) {
        Record *record = numbered(i);

        for (int j = 0; j < 3; j++)
            add_tag(record, arena_printf(the_arena(), "%02d", (i + j * 5) % 12));
        CHECK_OK(store_insert(a_view(), &records, record, NULL));
    }

    CHECK_TEXT(walk((StoreQuery){ .index = "by_tag" }, NULL), "0 2 7 1 3 | 8 4 9 5 10 | 6 11 ");
    CHECK_TEXT(walk((StoreQuery){ .index = "by_tag", .is_descending = true }, NULL),
        "11 6 1 10 5 | 0 9 4 8 3 | 7 2 ");
}

static const char *first_token(StoreQuery query)
{
    StorePage page;

    query.limit = PAGE;
    CHECK_OK(store_find(a_view(), &records, &query, &page));
    CU_ASSERT(page.resume[0]);
    return page.resume;
}

static void check_token(StoreQuery query, const char *token)
{
    StorePage page;

    query.limit = PAGE;
    query.resume = token;
    CHECK_REASON(store_find(a_view(), &records, &query, &page), "PAGE_TOKEN_INVALID");
}

static void a_token_that_is_none_is_refused(void)
{
    check_token(by_count, "abc");
    check_token(by_count, "not base64!");
    check_token(by_count, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
}

static void a_changed_token_is_refused(void)
{
    char *token;

    insert_all();
    token = arena_text(the_arena(), first_token(by_count));
    token[14] = token[14] == 'A' ? 'B' : 'A';

    check_token(by_count, token);
}

static void a_token_of_another_index_is_refused(void)
{
    insert_all();

    check_token((StoreQuery){ .index = "by_owner" }, first_token(by_count));
    check_token((StoreQuery){ 0 }, first_token(by_count));
}

static void a_token_of_the_other_direction_is_refused(void)
{
    StoreQuery down = by_count;

    insert_all();
    down.is_descending = true;

    check_token(down, first_token(by_count));
}

static void a_token_outside_the_range_is_refused(void)
{
    StoreQuery range = by_count;

    insert_all();
    range.from = (StoreValue){ STORE_NUMBER, .number = 5 };

    check_token(range, first_token(by_count));
}

static void the_longest_page_is_given(void)
{
    static StoreWrite writes[STORE_MAX_PAGE + 5];
    StorePage page;

    for (int i = 0; i < (int)COUNT(writes); i++)
        writes[i] = (StoreWrite){ STORE_INSERT, &records, numbered(i) };
    CHECK_OK(store_write(a_view(), writes, COUNT(writes)));
    CHECK_OK(store_find(a_view(), &records, &(StoreQuery){ .limit = STORE_MAX_PAGE }, &page));

    CHECK_INT(page.n_messages, STORE_MAX_PAGE);
    CU_ASSERT(page.resume[0]);
}

static void a_page_ends_when_it_is_large(void)
{
    StoreQuery query = { .index = "by_state", .equal = { { STORE_NUMBER } }, .max_bytes = 1 };

    for (int i = 0; i < 3; i++) {
        Record *record = numbered(i);

        add_tag(record, "a");
        CHECK_OK(store_insert(a_view(), &records, record, NULL));
    }

    CHECK_TEXT(walk(query, NULL), "0 | 1 | 2 | ");
    CHECK_TEXT(walk((StoreQuery){ .max_bytes = 1, .is_descending = true }, NULL), "2 | 1 | 0 | ");
    CHECK_TEXT(walk((StoreQuery){ .index = "by_tag", .max_bytes = 1 }, NULL), "0 | 1 | 2 | ");
    CHECK_TEXT(walk((StoreQuery){ .index = "by_owner",
                        .equal = { { STORE_TEXT, .text = "even" } },
                        .max_bytes = 1 },
                   NULL),
        "0 | 2 | ");
    query.max_bytes = 1024 * 1024;
    CHECK_TEXT(walk(query, NULL), "0 1 2 ");
}

const CU_TestInfo page_cases[] = {
    { "pages_by_index_have_everything_once", pages_by_index_have_everything_once },
    { "pages_by_index_go_down_too", pages_by_index_go_down_too },
    { "pages_by_name_have_everything_once", pages_by_name_have_everything_once },
    { "pages_of_a_range_end_with_it", pages_of_a_range_end_with_it },
    { "pages_by_prefix_of_names_end_with_it", pages_by_prefix_of_names_end_with_it },
    { "the_last_page_says_so_when_it_is_full", the_last_page_says_so_when_it_is_full },
    { "pages_go_on_when_the_last_document_is_deleted",
        pages_go_on_when_the_last_document_is_deleted },
    { "pages_do_not_shift_when_documents_come_before_them",
        pages_do_not_shift_when_documents_come_before_them },
    { "pages_do_not_repeat_documents_that_change", pages_do_not_repeat_documents_that_change },
    { "pages_over_a_list_tell_each_document_once", pages_over_a_list_tell_each_document_once },
    { "a_token_that_is_none_is_refused", a_token_that_is_none_is_refused },
    { "a_changed_token_is_refused", a_changed_token_is_refused },
    { "a_token_of_another_index_is_refused", a_token_of_another_index_is_refused },
    { "a_token_of_the_other_direction_is_refused", a_token_of_the_other_direction_is_refused },
    { "a_token_outside_the_range_is_refused", a_token_outside_the_range_is_refused },
    { "the_longest_page_is_given", the_longest_page_is_given },
    { "a_page_ends_when_it_is_large", a_page_ends_when_it_is_large },
    CU_TEST_INFO_NULL,
};
