/* Two records that are one person: what the survivor takes over. The merged record keeps all it
 * had, so nothing is lost on the way, and it goes on holding its identifiers against all others. */
#ifndef THROUGHLINE_IDENTITY_MERGE_H
#define THROUGHLINE_IDENTITY_MERGE_H

#include "services/identity/domain/consent.h"
#include "services/identity/domain/customer.h"

typedef Throughline__Identity__V1__CustomersMerged CustomersMerged;

enum { MERGE_MAX_REASON = 500 };

/* Whether the two active records may become one. Errors, all FAILED_PRECONDITION: CUSTOMER_MERGED,
 * IDENTIFIERS_FULL, ATTRIBUTES_FULL, CONSENTS_FULL, MERGES_FULL. */
const Error *merge_check(const Customer *survivor, const Customer *duplicate);

/* The first step, on the duplicate: it becomes part of the survivor. */
void merge_mark(Customer *duplicate, const Customer *survivor, const Merge *merge, Arena *arena);

/* Whether the survivor has taken the record over. */
bool merge_is_absorbed(const Customer *survivor, const char *duplicate);

/* The second step, on the survivor: it takes over what the marked duplicate has. Never fails: the
 * limits were checked before the mark, and what came in meanwhile may exceed them once. Changes
 * nothing when it was done before. */
void merge_absorb(
    Customer *survivor, const Customer *duplicate, Arena *arena, CustomersMerged *event);

/* Two merges met and closed a circle: this record stays itself. */
void merge_revive(Customer *customer, Arena *arena);

#endif
