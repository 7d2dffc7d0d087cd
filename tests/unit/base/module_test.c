#include "shared/base/module.h"
#include "tests/support/test_main.h"

static Arena *arena;

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

static void a_module_that_is_not_there_is_named(void)
{
    void *address;
    const Error *error = module_symbol(arena, "throughline-nothing", "anything", &address);

    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CHECK_INT(error->code, ERROR_FAILED_PRECONDITION);
    CHECK_TEXT(error->reason, "MODULE_MISSING");
    CHECK_CONTAINS(error->message, "throughline-nothing.so");
}

static void a_symbol_of_a_module_is_found(void)
{
    void *address = NULL;

    CU_ASSERT_PTR_NULL(module_symbol(arena, "test-module", "test_module_answer", &address));

    CU_ASSERT_PTR_NOT_NULL(address);
}

static void a_symbol_that_a_module_lacks_is_missed(void)
{
    void *address;
    const Error *error = module_symbol(arena, "test-module", "test_module_question", &address);

    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CHECK_TEXT(error->reason, "MODULE_MISSING");
    CHECK_CONTAINS(error->message, "test_module_question");
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_module_that_is_not_there_is_named", a_module_that_is_not_there_is_named },
        { "a_symbol_of_a_module_is_found", a_symbol_of_a_module_is_found },
        { "a_symbol_that_a_module_lacks_is_missed", a_symbol_that_a_module_lacks_is_missed },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "module", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("base_module", suites, argc, argv);
}
