/* Which products words find: all of them, beginnings, mistakes, and what weighs more. */
#include "tests/unit/catalog/search_fixture.h"

#include <string.h>

static void all_words_must_be_there(void)
{
    put("a", "Green tent", "", 100);
    put("b", "Green lamp", "", 100);

    CHECK_TEXT(found("green tent"), "a");
    CHECK_TEXT(found("green "), "a b");
    CHECK_TEXT(found("tent lamp "), "");
    CHECK_TEXT(found("TÉNT "), "a");
}

static void the_last_word_may_be_a_beginning(void)
{
    put("a", "Lantern", "", 100);
    put("b", "Lanyard", "", 100);
    put("c", "Lamp lan", "", 100);

    CHECK_TEXT(found("lan"), "c a b");
    CHECK_TEXT(found("lan "), "c");
    CHECK_TEXT(found("lante"), "a");
}

static void a_word_that_is_nowhere_may_have_mistakes(void)
{
    SearchQuery query = query_of("grene lantirn ");
    SearchResult result;

    put("a", "Green lantern", "", 100);
    put("b", "Green lamp", "", 100);
    result = find(&query);

    CHECK_TEXT(names(&result), "a");
    CHECK_INT(result.n_corrections, 2);
    CHECK_TEXT(result.corrections[0]->word, "grene");
    CHECK_TEXT(result.corrections[0]->read_as[0], "green");
    CHECK_TEXT(result.corrections[1]->read_as[0], "lantern");
    query.is_exact = true;
    result = find(&query);
    CHECK_INT(result.n_hits, 0);
    CHECK_INT(result.n_corrections, 0);
}

/* "form" is a word of its own, but not one that stands with "mattress". */
static void a_mistake_may_be_a_word_too(void)
{
    put("a", "Foam mattress", "", 100);
    put("b", "Order form", "", 100);

    CHECK_TEXT(found("form mattress "), "a");
    CHECK_TEXT(found("form "), "b");
}

static void codes_have_no_mistakes(void)
{
    put("abcdefgh", "Thing", "", 100);

    CHECK_TEXT(found("abcdefgh "), "abcdefgh");
    CHECK_TEXT(found("abcdefgx "), "");
}

static void rare_words_weigh_more(void)
{
    for (int i = 0; i < 20; i++)
        put(arena_printf(arena, "x%02d", i), "Plain tent", "", 100);
    put("a", "Tent tent tent", "Odd", 100);
    put("b", "Tent", "Odd", 100);

    CHECK_TEXT(found("odd tent "), "a b");
    CHECK_INT(strncmp(found("tent "), "a b x00", 7), 0);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "all_words_must_be_there", all_words_must_be_there },
        { "the_last_word_may_be_a_beginning", the_last_word_may_be_a_beginning },
        { "a_word_that_is_nowhere_may_have_mistakes", a_word_that_is_nowhere_may_have_mistakes },
        { "a_mistake_may_be_a_word_too", a_mistake_may_be_a_word_too },
        { "codes_have_no_mistakes", codes_have_no_mistakes },
        { "rare_words_weigh_more", rare_words_weigh_more },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "search words",
            .pSetUpFunc = search_set_up,
            .pTearDownFunc = search_tear_down,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_search_words", suites, argc, argv);
}
