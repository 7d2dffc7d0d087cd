/* The rules that are in force, shared by all threads: readers take a reference, a new release is
 * swapped in without stopping them. */
#ifndef THROUGHLINE_CATALOG_RULES_HOLDER_H
#define THROUGHLINE_CATALOG_RULES_HOLDER_H

#include "services/catalog/domain/rules.h"

typedef struct RulesHolder RulesHolder;

/* Holds the rules of release 0: none. */
RulesHolder *rules_holder_new(void);
void rules_holder_free(RulesHolder *holder);

/* What is in force now; rules_release it when done. Any thread. */
Rules *rules_holder_current(RulesHolder *holder);

/* Puts others in force and takes over the caller's reference; those before live on until their
 * readers are done. Rules of a release that is not newer are passed over. Any thread. */
void rules_holder_swap(RulesHolder *holder, Rules *rules);

/* Frees what is out of force and read by nobody any more: a reader never has to, for it takes long.
 * Any thread; rules_holder_swap does it too. */
void rules_holder_sweep(RulesHolder *holder);

#endif
