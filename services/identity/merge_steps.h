/* A merge as steps on two documents, each of which any number of callers may take, in any state
 * that a crash leaves behind:
 *   1. the duplicate is marked as part of the survivor: from then on its name and its identifiers
 *      lead there;
 *   2. the survivor takes over what the duplicate has, and tells it;
 *   3. the duplicate's mark is settled.
 * Identifiers stay with the record that holds them, so there is no moment in which one is nobody's.
 * Two merges that meet may close a circle of marks; the record with the lowest name in it stays
 * itself. */
#ifndef THROUGHLINE_SERVICES_IDENTITY_MERGE_STEPS_H
#define THROUGHLINE_SERVICES_IDENTITY_MERGE_STEPS_H

#include "services/identity/identity_service.h"

/* Takes the steps in order; the survivor in `reply` is stored last but for the settling, which
 * others may do. Errors as the rpc's. */
const Error *merge_customers_into(RpcCall *call, const char *survivor, const char *duplicate,
    const char *reason, Customer *reply);

/* Step 2 alone, of a record that is marked; `survivor` is who has it now. Errors: ABORTED
 * MERGE_CONFLICT (the record stays itself). */
const Error *merge_take_over(
    RpcCall *call, StoreView *view, const char *duplicate, Customer *survivor);

/* The job: takes steps 2 and 3 of merges that nobody went on with. */
const Error *finish_merges(RpcCall *call);

#endif
