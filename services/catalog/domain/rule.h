/* Rules of all kinds: what governance keeps and publishes without looking inside. A rule's name says
 * its kind. */
#ifndef THROUGHLINE_CATALOG_RULE_H
#define THROUGHLINE_CATALOG_RULE_H

#include "services/catalog/domain/findings.h"
#include "shared/base/text.h"

#include "throughline/catalog/v1/governance.pb-c.h"

typedef Throughline__Catalog__V1__Rule Rule;

/* The rule's own name, "" when it has no kind. */
const char *rule_name(const Rule *rule);

/* The message of its kind. */
void *rule_message(const Rule *rule);

/* Shaped like the name of some kind: "promotions/…". */
bool rule_name_is_valid(const char *name);

/* Whether rules of this name are made and ended by methods of their own, never by a draft or a rollback. */
bool rule_name_is_reserved(const char *name);

/* Names every bad field of a rule that is to be stored, each behind `field`. */
void rule_check(const Rule *rule, const char *field, Findings *findings);

/* What only the service may set is emptied, so that equal rules are equal bytes. */
void rule_normalize(Rule *rule);

#endif
