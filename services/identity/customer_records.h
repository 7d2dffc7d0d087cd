/* Customer records as they are stored: a merged one leads to its survivor, over as many merges as
 * there were. */
#ifndef THROUGHLINE_SERVICES_IDENTITY_CUSTOMER_RECORDS_H
#define THROUGHLINE_SERVICES_IDENTITY_CUSTOMER_RECORDS_H

#include "services/identity/identity_service.h"

/* Loads the record itself, merged or not, into an initialised message. Errors: NOT_FOUND
 * CUSTOMER_NOT_FOUND. */
const Error *customer_load(StoreView *view, const char *name, Customer *customer);

/* Loads the survivor. Merges under way count as done: what it still has to take over is in
 * `survivor`, but not in the store. Errors: NOT_FOUND CUSTOMER_NOT_FOUND; ABORTED MERGE_CONFLICT (a
 * circle that is being opened). */
const Error *customer_load_survivor(StoreView *view, const char *name, Customer *survivor);

/* The name of the survivor; the name itself when there is no such record. */
const Error *customer_survivor_name(StoreView *view, const char *name, const char **survivor);

/* The survivor of whoever holds the identifier with that key. Errors: NOT_FOUND
 * CUSTOMER_NOT_FOUND. */
const Error *customer_find(StoreView *view, const char *key, Customer *survivor);

/* When a channel asks in the name of one customer for another: the NOT_FOUND that a name gets which nobody has. `name`: what it asked
 * for; NULL: for no name. */
const Error *customer_check_access(const RpcCall *call, const Customer *customer, const char *name);

/* Whether a channel asks in the name of a customer. */
bool customer_asks(const RpcCall *call);

/* What a write of the customer came to; of IDENTIFIER_TAKEN it says whose identifiers stand in the way, and what to do. */
const Error *customer_explain(StoreView *view, const Customer *customer, const Error *error);

extern const Error merge_conflict;

#endif
