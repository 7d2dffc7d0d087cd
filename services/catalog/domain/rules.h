/* The rules of one release, ready to price with: immutable, shared by reference, indexed so that a
 * quote costs by what could apply to it, not by how many rules there are. */
#ifndef THROUGHLINE_CATALOG_RULES_H
#define THROUGHLINE_CATALOG_RULES_H

#include "services/catalog/domain/offer.h"
#include "services/catalog/domain/promotion.h"

#include "throughline/catalog/v1/rules.pb-c.h"

typedef Throughline__Catalog__V1__RuleSet RuleSet;
typedef Throughline__Catalog__V1__PriceRow PriceRow;
typedef Throughline__Catalog__V1__TaxCategory TaxCategory;
typedef Throughline__Catalog__V1__TaxRate TaxRate;
typedef Throughline__Catalog__V1__TaxExemption TaxExemption;
typedef Throughline__Catalog__V1__ItemCost ItemCost;
typedef Throughline__Catalog__V1__PriceStop PriceStop;
typedef Throughline__Catalog__V1__PricingSettings PricingSettings;
typedef Throughline__Catalog__V1__CurrencyRounding CurrencyRounding;

typedef struct Rules Rules;

/* A copy of the set, indexed, with one reference that is the caller's. Nothing in it can break a
 * quote: what is not good (rules_check) never applies. */
Rules *rules_compile(const RuleSet *set);

/* Any thread. NULL is allowed. */
Rules *rules_hold(Rules *rules);
void rules_release(Rules *rules);

/* Whether anybody but the caller has a reference. */
bool rules_are_shared(const Rules *rules);

/* What they were made of; lives as long as they do. */
const RuleSet *rules_set(const Rules *rules);

/* Whether any of their promotions is limited. */
bool rules_have_limits(const Rules *rules);

/* What they say of a product's own prices and state, NULL when nothing. */
const ProductOffer *rules_offer(const Rules *rules, const char *product);

/* The promotion of this name or code, NULL when there is none. */
const Promotion *rules_promotion(const Rules *rules, const char *name);
const Promotion *rules_promotion_by_code(const Rules *rules, const char *code);

#endif
