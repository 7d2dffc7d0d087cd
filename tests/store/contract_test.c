/* The conformance suite: every case on every engine, under the name ENGINE/CASE. */
#include "tests/store/contract_test.h"

int main(int argc, char **argv)
{
    const CU_TestInfo *const subjects[] = { document_cases, counter_cases, unique_cases, find_cases,
        page_cases, batch_cases, request_cases, outbox_cases, life_cases, later_cases, NULL };

    return fixture_main("contract_test", subjects, argc, argv);
}
