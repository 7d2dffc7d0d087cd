/* The timeline: every event of every service that concerns a customer, as an entry of theirs. An
 * entry is named after the event's place in its log, so one event is never two entries; the logs
 * have no gaps, so none is missing. */
#ifndef THROUGHLINE_SERVICES_IDENTITY_TIMELINE_H
#define THROUGHLINE_SERVICES_IDENTITY_TIMELINE_H

#include "services/identity/identity_service.h"

/* For the consumers of other services. */
const Error *tell_events(RpcCall *call, const Event *const *events, size_t n_events);

/* For identity's own log: consents also go into their history, and what a merged customer had goes
 * to the survivor. */
const Error *tell_own_event(RpcCall *call, const Event *event);

#endif
