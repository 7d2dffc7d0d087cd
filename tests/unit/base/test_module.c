/* What module_test.c loads. */
extern const int test_module_answer;
const int test_module_answer = 42;
