#include "tests/support/test_main.h"

extern CU_TestInfo template_tests[];
extern CU_TestInfo message_tests[];
extern CU_TestInfo delivery_tests[];

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = { { .pName = "template", .pTests = template_tests },
        { .pName = "message", .pTests = message_tests },
        { .pName = "delivery", .pTests = delivery_tests }, CU_SUITE_INFO_NULL };

    return test_main("notification_service_test", suites, argc, argv);
}
