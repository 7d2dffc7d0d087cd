/* Which rules can have a say in the price of one piece of one SKU for which no code is given. */
#ifndef THROUGHLINE_CATALOG_RULE_REACH_H
#define THROUGHLINE_CATALOG_RULE_REACH_H

#include "services/catalog/domain/rule_book.h"
#include "services/catalog/domain/rules.h"

/* A SKU, and its product as it has been. */
typedef struct RuleReach {
    const char *sku;
    const Product *const *products;
    size_t n_products;
} RuleReach;

/* False for NULL. Rather true than false: taxes and settings always can. */
bool rule_reaches(const RuleReach *reach, const Rule *rule, Arena *arena);

/* The book with only those rules that can. */
RuleBook *rule_reach_book(const RuleReach *reach, const RuleBook *book);

#endif
