/* Where something that was said belongs: the open case of its customer or handle, a new case, or
 * none. */
#ifndef THROUGHLINE_SERVICES_FEEDBACK_CASE_INTAKE_H
#define THROUGHLINE_SERVICES_FEEDBACK_CASE_INTAKE_H

#include "services/feedback/feedback_service.h"

/* Whose it is: `customer` and `handle` as they were given, "" for none; the handle is in its normal
 * form. */
typedef struct IntakeOwner {
    const char *customer; /* "" while nobody knows */
    const char *key;      /* the handle's; "" for none */
} IntakeOwner;

const Error *intake_find_owner(
    RpcCall *call, const char *customer, const char *handle, IntakeOwner *owner);

/* The open case that the owner's words go to; `is_found` false when there is none. */
const Error *intake_find_case(
    RpcCall *call, const IntakeOwner *owner, Case *record, bool *is_found);

/* The customer's words, through this call. */
CaseMessage *intake_message(const RpcCall *call, const char *text);

/* Adds the words to the case and links it to a customer that it did not know. */
const Error *intake_join_case(
    RpcCall *call, Case *record, const IntakeOwner *owner, CaseMessage *message);

/* Stores a new case. It takes the mentions of `open_key`; where another case does that already and
 * `may_stand_alone`, those of nobody, else OPEN_KEY_TAKEN. */
const Error *intake_open_case(
    StoreView *view, Case *record, const char *open_key, bool may_stand_alone);

#endif
