/* How many random carts a property is tried on. */
#ifndef THROUGHLINE_TESTS_UNIT_CATALOG_ROUNDS_H
#define THROUGHLINE_TESTS_UNIT_CATALOG_ROUNDS_H

#include "tests/support/test_main.h"

#if defined(SANITIZE_ADDRESS) || defined(SANITIZE_THREAD)
enum { ROUNDS = 10000 }; /* they take as long as all of them elsewhere */
#else
enum { ROUNDS = 100000 };
#endif

/* ROUNDS, or in CI as many as are given, and a third of them in the quick run. */
static inline unsigned rounds_or(int ci)
{
    return (unsigned)test_size(ci / 3, ci, ROUNDS);
}

#endif
