/* Whose things are: what feedback has learned from identity's events about handles and merged
 * customers, and the moving of what was stored under an owner that is no more. What a call under
 * way stores while an owner changes is found by looking again later. */
#ifndef THROUGHLINE_SERVICES_FEEDBACK_OWNERS_H
#define THROUGHLINE_SERVICES_FEEDBACK_OWNERS_H

#include "services/feedback/feedback_service.h"

/* Who acts as a customer speaks for nobody else; strangers may, as far as their channel knows them. Errors: NOT_FOUND
 * CUSTOMER_NOT_FOUND. */
const Error *owners_check_speaker(RpcCall *call, const char *customer);

extern const Error customer_not_found;

/* Whose the handle with that key is; "" when no event said so. */
const Error *owners_of_handle(StoreView *view, const char *key, const char **customer);

/* The handle is the customer's since then: cases and mentions of it that are nobody's become
 * theirs. */
const Error *owners_attach(
    RpcCall *call, const char *key, const char *customer, const Timestamp *since);

/* The handle is no longer the customer's; what is theirs stays theirs. */
const Error *owners_detach(RpcCall *call, const char *key, const char *customer);

/* The duplicate is part of the survivor: everything under its name goes there. */
const Error *owners_merge(RpcCall *call, const char *duplicate, const char *survivor);

/* The job: looks again where an owner changed a minute ago. */
const Error *sweep_owners(RpcCall *call);

#endif
