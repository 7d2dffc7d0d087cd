#include "shared/base/wrap.h"
#include "tests/support/test_main.h"

static void long_texts_are_wrapped_at_spaces(void)
{
    Arena *arena = arena_new();

    CHECK_TEXT(wrap_text(arena, "one two three", 2, 9), "one two\n  three");
    CHECK_TEXT(wrap_text(arena, "one two three", 2, 80), "one two three");
    CHECK_TEXT(wrap_text(arena, "größer größer", 0, 6), "größer\ngrößer");
    CHECK_TEXT(wrap_text(arena, "unbreakable word", 4, 8), "unbreakable\n    word");
    CHECK_TEXT(wrap_text(arena, "", 4, 8), "");
    arena_free(arena);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "long_texts_are_wrapped_at_spaces", long_texts_are_wrapped_at_spaces },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "wrap", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("base_wrap", suites, argc, argv);
}
