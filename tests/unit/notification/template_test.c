#include "services/notification/domain/template.h"
#include "tests/support/test_main.h"

#include <string.h>

static const TemplateVariable jo[] = { { "name", "Jo" }, { "total", "12.50 EUR" } };

static void variables_are_replaced(void)
{
    Arena *arena = arena_new();

    CHECK_TEXT(template_render(arena, "Dear {{name}}: {{ total }}.", jo, 2), "Dear Jo: 12.50 EUR.");
    CHECK_TEXT(template_render(arena, "{{name}}{{name}}", jo, 2), "JoJo");
    CHECK_TEXT(template_render(arena, "no variables, { one brace }", jo, 2),
        "no variables, { one brace }");
    arena_free(arena);
}

static void a_value_with_braces_stays_text(void)
{
    Arena *arena = arena_new();
    TemplateVariable sly = { "name", "{{total}}" };

    CHECK_TEXT(template_render(arena, "{{name}}", &sly, 1), "{{total}}");
    arena_free(arena);
}

static void what_begins_no_variable_is_refused_with_its_place(void)
{
    Arena *arena = arena_new();

    CU_ASSERT_PTR_NULL(template_check(arena, "Hi {{name}}\n{{total}}"));
    CU_ASSERT_PTR_NOT_NULL(strstr(template_check(arena, "Hi\n  {{Name}}"), "line 2, column 3"));
    CU_ASSERT_PTR_NOT_NULL(template_check(arena, "{{"));
    CU_ASSERT_PTR_NOT_NULL(template_check(arena, "{{}}"));
    CU_ASSERT_PTR_NOT_NULL(template_check(arena, "{{name}"));
    CU_ASSERT_PTR_NOT_NULL(template_check(arena, "{{a b}}"));
    arena_free(arena);
}

static void every_missing_variable_is_named_once(void)
{
    Arena *arena = arena_new();
    const char *missing[TEMPLATE_MAX_VARIABLES];
    size_t n = template_missing(arena, "{{name}} {{city}} {{city}} {{day}}", jo, 2, missing);

    CHECK_INT(n, 2);
    CHECK_TEXT(missing[0], "city");
    CHECK_TEXT(missing[1], "day");
    arena_free(arena);
}

static void a_message_that_grows_too_large_is_not_rendered(void)
{
    Arena *arena = arena_new();
    char *long_value = arena_alloc(arena, TEMPLATE_MAX_RENDERED + 1);
    TemplateVariable large = { "name", memset(long_value, 'x', TEMPLATE_MAX_RENDERED) };

    CU_ASSERT_PTR_NOT_NULL(template_render(arena, "{{name}}", &large, 1));
    CU_ASSERT_PTR_NULL(template_render(arena, "{{name}}!", &large, 1));
    arena_free(arena);
}

CU_TestInfo template_tests[] = { { "variables_are_replaced", variables_are_replaced },
    { "a_value_with_braces_stays_text", a_value_with_braces_stays_text },
    { "what_begins_no_variable_is_refused_with_its_place",
        what_begins_no_variable_is_refused_with_its_place },
    { "every_missing_variable_is_named_once", every_missing_variable_is_named_once },
    { "a_message_that_grows_too_large_is_not_rendered",
        a_message_that_grows_too_large_is_not_rendered },
    CU_TEST_INFO_NULL };
