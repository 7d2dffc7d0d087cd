#include "shared/base/handle.h"

#include "shared/base/text.h"
#include "tests/support/test_main.h"

#include <string.h>

static void handles_have_one_form(void)
{
    static const char *const cases[][2] = {
        { "chirp:@jo", "chirp:@jo" },
        { "chirp:jo", "chirp:@jo" },
        { " Chirp : @Jo ", "chirp:@jo" },
        { "mastodon:@jo@example.social", "mastodon:@jo@example.social" },
        { "x:a.b_c-1", "x:@a.b_c-1" },
        { "chirp:@jörg", "chirp:@jörg" },
    };
    Arena *arena = arena_new();

    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_TEXT(handle_normal(arena, cases[i][0]), cases[i][1]);
    arena_free(arena);
}

static void what_is_no_handle_has_no_form(void)
{
    static const char *const cases[] = { "", "jo", "@jo", ":@jo", "chirp:", "chirp:@", "chirp:@j o",
        "chirp:@jo\n@bo", "chi rp:@jo", "chirp_1:@jo", "chirp:@jo/bo",
        "a-network-with-far-too-long-a-name:@jo" };
    Arena *arena = arena_new();
    char long_handle[300];

    for (size_t i = 0; i < COUNT(cases); i++)
        CU_ASSERT_PTR_NULL(handle_normal(arena, cases[i]));
    memset(long_handle, 'x', sizeof(long_handle) - 1);
    long_handle[sizeof(long_handle) - 1] = 0;
    long_handle[1] = ':';
    CU_ASSERT_PTR_NULL(handle_normal(arena, long_handle));
    arena_free(arena);
}

static void a_key_names_the_kind(void)
{
    Arena *arena = arena_new();

    CHECK_TEXT(handle_key(arena, "chirp:@jo"), "social_handle:chirp:@jo");
    arena_free(arena);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "handles_have_one_form", handles_have_one_form },
        { "what_is_no_handle_has_no_form", what_is_no_handle_has_no_form },
        { "a_key_names_the_kind", a_key_names_the_kind },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "handle", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("base_handle", suites, argc, argv);
}
