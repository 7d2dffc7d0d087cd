#include "shared/auth/caller.h"

#include "tests/support/test_main.h"

static void a_caller_has_the_scopes_of_its_list_and_no_other(void)
{
    Caller caller = { .scopes = (const char *const[]){ "cart.read", "cart.write" }, .n_scopes = 2 };

    CU_ASSERT(caller_has_scope(&caller, "cart.read"));
    CU_ASSERT(caller_has_scope(&caller, "cart.write"));
    CU_ASSERT(!caller_has_scope(&caller, "cart"));
    CU_ASSERT(!caller_has_scope(&caller, "cart.writer"));
    CU_ASSERT(!caller_has_scope(&caller, ""));
}

static void a_star_stands_for_all_scopes(void)
{
    Caller caller = { .scopes = (const char *const[]){ "cart.read", "*" }, .n_scopes = 2 };

    CU_ASSERT(caller_has_scope(&caller, "identity.write"));
}

static void a_star_within_a_scope_stands_for_itself(void)
{
    Caller caller = { .scopes = (const char *const[]){ "cart.*" }, .n_scopes = 1 };

    CU_ASSERT(!caller_has_scope(&caller, "cart.read"));
}

static void a_caller_without_scopes_has_none(void)
{
    Caller caller = { 0 };

    CU_ASSERT(!caller_has_scope(&caller, "cart.read"));
    CU_ASSERT(!caller_has_scope(&caller, "*"));
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_caller_has_the_scopes_of_its_list_and_no_other",
            a_caller_has_the_scopes_of_its_list_and_no_other },
        { "a_star_stands_for_all_scopes", a_star_stands_for_all_scopes },
        { "a_star_within_a_scope_stands_for_itself", a_star_within_a_scope_stands_for_itself },
        { "a_caller_without_scopes_has_none", a_caller_without_scopes_has_none },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "caller", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("auth_caller", suites, argc, argv);
}
