/* The search index page by page, and while products change. */
#include "tests/unit/catalog/search_fixture.h"

#include <pthread.h>
#include <string.h>

enum { MANY = 3000, READERS = 3, ROUNDS = 300 };

static void pages_go_on_where_the_last_one_ended(void)
{
    SearchQuery query = query_of("thing ");
    bool seen[100] = { false };
    int n_seen = 0;
    SearchResult result;

    for (int i = 0; i < 100; i++)
        put(arena_printf(arena, "p%02d", i * 37 % 100), i % 3 ? "Thing" : "Thing thing", "", 1);
    query.limit = 7;
    do {
        result = find(&query);
        for (size_t i = 0; i < result.n_hits && i < query.limit; i++, n_seen++) {
            int64_t number;

            CU_ASSERT_FATAL(text_to_int64(result.hits[i].name + strlen("products/p"), &number));
            CU_ASSERT(!seen[number]);
            seen[number] = true;
        }
        if (result.n_hits > query.limit)
            query.resume = search_resume(&query, &result, &result.hits[query.limit - 1], arena);
        /* What comes meanwhile makes the word more frequent, but moves nothing. */
        put(arena_printf(arena, "other%d", n_seen), "Other", "", 1);
        put(arena_printf(arena, "a%d", n_seen), "Thing thing thing thing", "", 1);
    } while (result.n_hits > query.limit);

    CHECK_INT(n_seen, 100);
}

static void corrections_hold_on_all_pages(void)
{
    SearchQuery query = query_of("lantirn ");
    SearchResult result;

    put("a", "Lantern", "", 1);
    put("b", "Lantern", "", 1);
    query.limit = 1;
    result = find(&query);
    CHECK_INT(result.n_hits, 2);
    query.resume = search_resume(&query, &result, &result.hits[0], arena);
    put("c", "Lantirn", "", 1);
    query.limit = 10;
    result = find(&query);

    CU_ASSERT(strstr(names(&result), "b") != NULL);
}

static void a_resume_text_of_something_else_is_refused(void)
{
    SearchQuery query = query_of("thing ");
    static const char *const others[] = { "products/a", "1;2", "1,2;0;3;products/a", "1;0;3",
        "x;0;3;a" };
    SearchResult result;

    for (size_t i = 0; i < COUNT(others); i++) {
        query.resume = others[i];
        CHECK_TEXT(error_reason(search_index_find(products, &query, arena, &result)),
            "PAGE_TOKEN_INVALID");
    }
}

static void the_newest_version_counts(void)
{
    Product *product = put("a", "Tent", "", 100);

    product->title = text(arena, "Lamp");
    put_again(product, 3);
    product->title = text(arena, "Chair");
    put_again(product, 2);

    CHECK_TEXT(found("tent "), "");
    CHECK_TEXT(found("chair "), "");
    CHECK_TEXT(found("lamp "), "a");
    CHECK_INT(search_index_count(products), 1);
}

/* So many new versions that the old ones are cleaned up. */
static void much_change_loses_nothing(void)
{
    Product *rows[50];
    SearchQuery query = query_of("thing ");
    SearchResult result;

    for (int i = 0; i < 50; i++)
        rows[i] = put(arena_printf(arena, "p%02d", i), "Thing", "", 1);
    for (int round = 2; round < 100; round++)
        for (int i = 0; i < 50; i++) {
            rows[i]->title = arena_printf(arena, "Thing w%dx", round);
            put_again(rows[i], round);
        }
    query.limit = 100;
    result = find(&query);

    CHECK_INT(result.n_hits, 50);
    CHECK_INT(search_index_count(products), 50);
    CHECK_TEXT(found("w50x "), "");
    CHECK_INT(strlen(found("w99x ")), 10 * 4 + 3);
}

typedef struct Reader {
    pthread_t thread;
    int wrong;
} Reader;

static void *search_repeatedly(void *context)
{
    Reader *reader = context;
    Arena *memory = arena_new();

    for (int i = 0; i < ROUNDS; i++) {
        SearchQuery query = { .limit = 5, .resume = "", .currency = "EUR" };
        FacetRequest facet = THROUGHLINE__CATALOG__V1__FACET_REQUEST__INIT;
        FacetRequest *facets[] = { &facet };
        SearchResult result;

        facet.field = arena_text(memory, "brand");
        query.facets = facets;
        query.n_facets = 1;
        search_read("thing", memory, &query.words);
        /* Every product has the word at every moment. */
        if (search_index_find(products, &query, memory, &result) || result.total != MANY ||
            result.facets[0]->values[0]->count != MANY)
            reader->wrong++;
        arena_reset(memory);
    }
    arena_free(memory);
    return NULL;
}

static void searches_see_whole_products_while_they_change(void)
{
    Reader readers[READERS] = { 0 };

    for (int i = 0; i < MANY; i++)
        put(arena_printf(arena, "p%d", i), "Thing", "", 1);
    for (int i = 0; i < READERS; i++)
        CU_ASSERT_FATAL(!pthread_create(&readers[i].thread, NULL, search_repeatedly, &readers[i]));
    for (int i = 0; i < 2 * MANY; i++) {
        Product *product =
            a_simple_product(arena, arena_printf(arena, "p%d", i % MANY), "", "EUR", 1);

        product->title = arena_printf(arena, "Thing w%d", i);
        put_again(product, 2 + i);
    }
    for (int i = 0; i < READERS; i++) {
        pthread_join(readers[i].thread, NULL);
        CHECK_INT(readers[i].wrong, 0);
    }
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "pages_go_on_where_the_last_one_ended", pages_go_on_where_the_last_one_ended },
        { "corrections_hold_on_all_pages", corrections_hold_on_all_pages },
        { "a_resume_text_of_something_else_is_refused",
            a_resume_text_of_something_else_is_refused },
        { "the_newest_version_counts", the_newest_version_counts },
        { "much_change_loses_nothing", much_change_loses_nothing },
        { "searches_see_whole_products_while_they_change",
            searches_see_whole_products_while_they_change },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "search index",
            .pSetUpFunc = search_set_up,
            .pTearDownFunc = search_tear_down,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_search_index", suites, argc, argv);
}
