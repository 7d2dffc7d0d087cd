/* The frame of every test program: suites in, one closing line out. */
#ifndef THROUGHLINE_TESTS_SUPPORT_TEST_MAIN_H
#define THROUGHLINE_TESTS_SUPPORT_TEST_MAIN_H

#include <CUnit/CUnit.h>

/* Runs the suites (ended by CU_SUITE_INFO_NULL) or, with arguments, only the tests whose names contain one of
 * them. Prints each failed assertion, each skipped case with its reason, and last "NAME: N passed, N failed,
 * N skipped". Returns main's exit code. */
int test_main(const char *name, CU_SuiteInfo *suites, int argc, char **argv);

/* Called inside a test that cannot run here: counted and named as skipped, not as passed. */
void test_skip(const char *reason);

/* Compares two texts and prints both when they differ. */
#define CHECK_TEXT(actual, expected) test_check_text((actual), (expected), __FILE__, __LINE__)
void test_check_text(const char *actual, const char *expected, const char *file, int line);

/* Looks for a part of a text and prints both when it is not there. */
#define CHECK_CONTAINS(text, part) test_check_contains((text), (part), __FILE__, __LINE__)
void test_check_contains(const char *text, const char *part, const char *file, int line);

/* Compares two int64 and prints both when they differ. */
#define CHECK_INT(actual, expected)                                                                \
    test_check_int((long long)(actual), (long long)(expected), __FILE__, __LINE__)
void test_check_int(long long actual, long long expected, const char *file, int line);

/* How much of something is done: in the quick run, where one case of everything has to do; in CI; in the long run, which is also
 * what a program does by hand. tests/run says so by THROUGHLINE_QUICK=1 and, for CI, THROUGHLINE_CI=1 beside it. */
int test_size(int quick, int ci, int whole);

/* A fresh scratch folder, removed at exit; the text lives until then. */
const char *test_folder(void);

#endif
