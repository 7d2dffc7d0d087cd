/* A rule book as the set of messages that prices are computed with. */
#ifndef THROUGHLINE_CATALOG_RULE_SET_H
#define THROUGHLINE_CATALOG_RULE_SET_H

#include "services/catalog/domain/rule_book.h"
#include "services/catalog/domain/rules_check.h"

/* Everything in the arena, each kind in the order of names. */
RuleSet *rule_set_of(const RuleBook *book, Arena *arena);

/* rules_check, its findings named by the rules: "rules[\"promotions/spring\"].code". */
void rule_set_check(const RuleSet *set, Findings *findings);

#endif
