#include "tests/support/test_main.h"

extern CU_TestInfo template_tests[];
extern CU_TestInfo message_tests[];
extern CU_TestInfo endpoint_tests[];
extern CU_TestInfo webhook_tests[];

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = { { .pName = "template", .pTests = template_tests },
        { .pName = "message", .pTests = message_tests },
        { .pName = "endpoint", .pTests = endpoint_tests },
        { .pName = "webhook", .pTests = webhook_tests }, CU_SUITE_INFO_NULL };

    return test_main("notification_rules_test", suites, argc, argv);
}
