/* How many random carts a property is tried on. */
#ifndef THROUGHLINE_TESTS_UNIT_CATALOG_ROUNDS_H
#define THROUGHLINE_TESTS_UNIT_CATALOG_ROUNDS_H

#include "shared/base/text.h"

#include <stdlib.h>

#if defined(SANITIZE_ADDRESS) || defined(SANITIZE_THREAD)
enum { ROUNDS = 10000 }; /* they take as long as all of them elsewhere */
#else
enum { ROUNDS = 100000 };
#endif

/* ROUNDS, or with THROUGHLINE_QUICK=1 as many as are given. */
static inline unsigned rounds_or(unsigned quick)
{
    return text_equal(getenv("THROUGHLINE_QUICK"), "1") ? quick : ROUNDS;
}

#endif
