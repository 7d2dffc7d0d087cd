/* The words of the catalogue: every beginning finds all words that have it, however many there are and in whatever order they came. */
#include "services/catalog/products/vocabulary.h"
#include "tests/support/test_main.h"

#include <string.h>

enum { WORDS = 5000, STRIDE = 1237, DIGITS = 4 };

static Arena *arena;
static Vocabulary *vocabulary;

static void set_up(void)
{
    arena = arena_new();
    vocabulary = vocabulary_new();
}

static void tear_down(void)
{
    vocabulary_free(vocabulary);
    arena_free(arena);
}

/* "w0000" … in an order in which each lot of them lies among those before it. */
static void add_words(size_t n_words)
{
    for (size_t i = 0; i < n_words; i++) {
        SearchTerm term = { .text = arena_printf(arena, "w%0*zu", DIGITS, i * STRIDE % WORDS),
            .impact = 1 };

        vocabulary_add(vocabulary, &term, (uint32_t)i);
    }
}

static size_t expected(const char *prefix, size_t n_words)
{
    size_t n_expected = 0;

    for (size_t i = 0; i < n_words; i++)
        n_expected +=
            text_starts_with(arena_printf(arena, "w%0*zu", DIGITS, i * STRIDE % WORDS), prefix);
    return n_expected;
}

static void check_beginning(const Vocabulary *in, const char *prefix, size_t n_expected)
{
    const VocabularyWord **words;
    size_t n_words = vocabulary_beginning(in, prefix, arena, &words);

    CHECK_INT(n_words, n_expected);
    for (size_t i = 0; i < n_words; i++) {
        CHECK_INT(text_starts_with(words[i]->text, prefix), true);
        for (size_t j = 0; j < i; j++)
            if (words[j] == words[i])
                CU_FAIL("a word is there twice");
    }
}

static void a_beginning_finds_every_word_that_has_it(void)
{
    static const char *const prefixes[] = { "w", "w0", "w49", "w123", "w1237", "w5", "v", "x", "" };
    static const size_t sizes[] = { 0, 1, 255, 256, 257, 767, 768, 1100, 3000 };
    size_t n_words = 0;

    for (size_t i = 0; i < COUNT(sizes); i++) {
        vocabulary_free(vocabulary);
        vocabulary = vocabulary_new();
        add_words(n_words = sizes[i]);
        for (size_t j = 0; j < COUNT(prefixes); j++)
            check_beginning(vocabulary, prefixes[j], expected(prefixes[j], n_words));
    }
}

static void words_in_order_are_found_too(void)
{
    for (size_t i = 0; i < 2000; i++) {
        SearchTerm term = { .text = arena_printf(arena, "w%0*zu", DIGITS, i), .impact = 1 };

        vocabulary_add(vocabulary, &term, (uint32_t)i);
    }

    check_beginning(vocabulary, "w", 2000);
    check_beginning(vocabulary, "w1", 1000);
    check_beginning(vocabulary, "w019", 10);
    check_beginning(vocabulary, "w2", 0);
}

static void a_copy_finds_what_is_left(void)
{
    int64_t numbers[1100];
    Vocabulary *copy;

    add_words(COUNT(numbers));
    for (size_t i = 0; i < COUNT(numbers); i++)
        numbers[i] = i < 100 ? VOCABULARY_GONE : (int64_t)i - 100;
    copy = vocabulary_copy(vocabulary, numbers);

    check_beginning(copy, "w", COUNT(numbers) - 100);
    CU_ASSERT_PTR_NULL(vocabulary_find(copy, "w0000"));
    CU_ASSERT_PTR_NOT_NULL(vocabulary_find(vocabulary, "w0000"));
    vocabulary_free(copy);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_beginning_finds_every_word_that_has_it", a_beginning_finds_every_word_that_has_it },
        { "words_in_order_are_found_too", words_in_order_are_found_too },
        { "a_copy_finds_what_is_left", a_copy_finds_what_is_left },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "vocabulary",
            .pSetUpFunc = set_up,
            .pTearDownFunc = tear_down,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_vocabulary", suites, argc, argv);
}
