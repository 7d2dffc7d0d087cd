/* Who still uses a record that is to be deleted: all are counted, the first few named. */
#ifndef THROUGHLINE_CATALOG_USERS_H
#define THROUGHLINE_CATALOG_USERS_H

#include "services/catalog/domain/rules.h"

enum { USERS_NAMED = 3, USERS_KINDS = 4 };

typedef struct UserKind {
    const char *what; /* "products" */
    int64_t count;
    const char *names[USERS_NAMED];
} UserKind;

/* Zeroed but for the first fields. */
typedef struct Users {
    Arena *arena;
    bool is_discreet; /* only kinds are told: who asks may not see all that use it */
    size_t n_kinds;
    UserKind kinds[USERS_KINDS];
} Users;

/* One more of a kind: a literal; the name is copied. */
void users_add(Users *users, const char *what, const char *name);

/* Adds every rule in which one of these fields (NULL-ended), however deep, is the value. */
void users_add_rules(
    Users *users, const RuleSet *set, const char *const *fields, const char *value);

/* NULL when there are none; else FAILED_PRECONDITION with the first of each kind in the message and all counted in facts. */
const Error *users_refusal(const Users *users, const char *reason);

#endif
