/* Customers who became one: what a service that keeps things of customers learns of it from identity's events, and the moving of
 * what it keeps under a record that is part of another. What a call under way stores there meanwhile is found by looking again a
 * minute later. A service that uses it has `customer_aliases` among its collections. */
#ifndef THROUGHLINE_SERVICE_ALIASES_H
#define THROUGHLINE_SERVICE_ALIASES_H

#include "shared/rpc/call.h"
#include "shared/store/store.h"

enum { ALIASES_MAX = 200 }; /* merges behind one another that are followed */

extern const Collection customer_aliases;

/* The events to learn from: CustomersMerged. */
extern const ProtobufCMessageDescriptor *const alias_events[];

/* What is kept of customers: an index "customer" begins with a field `customer`. */
typedef struct Owned {
    const Collection *collection; /* NULL ends the list */
    const char *origin;           /* field that keeps whose it was at first; NULL: none */
} Owned;

/* The customer's record now, over all merges; the name itself when it was not merged. */
const Error *alias_survivor(StoreView *view, const char *customer, const char **survivor);

/* Whether one of us acts, not a customer or a stranger. */
bool alias_is_colleague(const RpcCall *call);

/* Who acts as a customer sees only what is theirs, under whichever of their names; a stranger sees nothing: the refusal. */
const Error *alias_check_reader(RpcCall *call, const char *customer, const Error *refusal);

/* The duplicate is part of the survivor: everything under its name goes there. */
const Error *alias_learn(
    RpcCall *call, const char *duplicate, const char *survivor, const Owned *owned);

/* A job's part: looks again where a customer was merged a minute ago. */
const Error *alias_sweep(RpcCall *call, const Owned *owned);

#endif
