/* Rules, changes and deeds for the tests of governance. */
#ifndef THROUGHLINE_TESTS_CATALOG_RULE_BUILDERS_H
#define THROUGHLINE_TESTS_CATALOG_RULE_BUILDERS_H

#include "services/catalog/domain/draft.h"
#include "tests/unit/catalog/builders.h"

/* The promotion "promotions/NAME" with the code CODE-NAME in capitals. */
Rule *a_rule(Arena *arena, const char *name, int32_t basis_points);

/* Of the promotion; basis points 0: it is taken out. */
Change *a_change(Arena *arena, const char *name, int32_t basis_points);

/* By "agents/PERSON" with "accounts/ACCOUNT". */
Deed *a_deed(Arena *arena, const char *person, const char *account);

#endif
