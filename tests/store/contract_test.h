/* The cases of the store's contract by subject, each run on each engine. */
#ifndef THROUGHLINE_TESTS_STORE_CONTRACT_TEST_H
#define THROUGHLINE_TESTS_STORE_CONTRACT_TEST_H

#include "tests/store/store_fixture.h"

/* Ended by an empty one. */
extern const CU_TestInfo document_cases[], counter_cases[], unique_cases[], find_cases[],
    page_cases[], batch_cases[], request_cases[], outbox_cases[], life_cases[], later_cases[];

#endif
