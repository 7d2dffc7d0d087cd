#include "tests/support/test_main.h"

#include <CUnit/TestRun.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_FOLDERS = 4096 };

static const char *skip_reason;
static char *folders[MAX_FOLDERS];
static int n_folders;

void test_skip(const char *reason)
{
    skip_reason = reason;
}

void test_check_text(const char *actual, const char *expected, const char *file, int line)
{
    char message[512];
    bool same = actual == expected || (actual && expected && !strcmp(actual, expected));

    snprintf(message, sizeof(message), "\"%s\" is \"%s\"", actual ? actual : "(null)",
        expected ? expected : "(null)");
    CU_assertImplementation(same, (unsigned)line, message, file, "", CU_FALSE);
}

void test_check_contains(const char *text, const char *part, const char *file, int line)
{
    char message[1024];

    snprintf(message, sizeof(message), "\"%s\" is in \"%s\"", part, text ? text : "(null)");
    CU_assertImplementation(
        text && strstr(text, part), (unsigned)line, message, file, "", CU_FALSE);
}

void test_check_int(long long actual, long long expected, const char *file, int line)
{
    char message[80];

    snprintf(message, sizeof(message), "%lld is %lld", actual, expected);
    CU_assertImplementation(actual == expected, (unsigned)line, message, file, "", CU_FALSE);
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);

    return value && !strcmp(value, "1");
}

int test_size(int quick, int ci, int whole)
{
    if (!is_set("THROUGHLINE_QUICK"))
        return whole;
    return is_set("THROUGHLINE_CI") ? ci : quick;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info, (void)kind, (void)where;
    return remove(path);
}

static void remove_folders(void)
{
    for (int i = 0; i < n_folders; i++) {
        nftw(folders[i], remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        free(folders[i]);
    }
    n_folders = 0;
}

const char *test_folder(void)
{
    const char *parent = getenv("TMPDIR");
    char path[4096];

    snprintf(path, sizeof(path), "%s/throughline-test-XXXXXX", parent ? parent : "/tmp");
    if (n_folders == MAX_FOLDERS || !mkdtemp(path))
        abort();
    if (n_folders == 0)
        atexit(remove_folders);
    folders[n_folders] = strdup(path);
    return folders[n_folders++];
}

static bool is_wanted(const char *name, int argc, char **argv)
{
    if (argc < 2)
        return true;
    for (int i = 1; i < argc; i++)
        if (strstr(name, argv[i]))
            return true;
    return false;
}

static void print_failures(const char *name)
{
    for (CU_pFailureRecord f = CU_get_failure_list(); f; f = f->pNext)
        if (f->pTest && !strcmp(f->pTest->pName, name))
            printf("  FAILED %s: %s:%u: %s\n", name, f->strFileName ? f->strFileName : "?",
                f->uiLineNumber, f->strCondition ? f->strCondition : "?");
}

int test_main(const char *name, CU_SuiteInfo *suites, int argc, char **argv)
{
    int passed = 0, failed = 0, skipped = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (CU_SuiteInfo *suite = suites; suite->pName; suite++) {
        if (suite->pInitFunc && suite->pInitFunc()) {
            printf("  FAILED suite %s: it could not be set up\n", suite->pName);
            failed++;
            continue;
        }
        for (CU_TestInfo *test = suite->pTests; test->pName; test++) {
            CU_pSuite one;
            CU_pTest added;

            if (!is_wanted(test->pName, argc, argv))
                continue;
            skip_reason = NULL;
            if (CU_initialize_registry() != CUE_SUCCESS)
                abort();
            one = CU_add_suite_with_setup_and_teardown(
                suite->pName, NULL, NULL, suite->pSetUpFunc, suite->pTearDownFunc);
            added = CU_add_test(one, test->pName, test->pTestFunc);
            CU_run_test(one, added);
            if (CU_get_number_of_failures()) {
                failed++;
                print_failures(test->pName);
            } else if (skip_reason) {
                skipped++;
                printf("  skipped %s: %s\n", test->pName, skip_reason);
            } else {
                passed++;
            }
            CU_cleanup_registry();
        }
        if (suite->pCleanupFunc)
            suite->pCleanupFunc();
    }
    printf("%s: %d passed, %d failed, %d skipped\n", name, passed, failed, skipped);
    return failed ? 1 : 0;
}
