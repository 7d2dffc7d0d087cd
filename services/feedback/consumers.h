/* What feedback learns from events. */
#ifndef THROUGHLINE_SERVICES_FEEDBACK_CONSUMERS_H
#define THROUGHLINE_SERVICES_FEEDBACK_CONSUMERS_H

#include "services/feedback/feedback_service.h"

/* Whose handles are, and who became one. */
const Error *learn_from_identity(RpcCall *call, const Event *event);

/* What customers bought. */
const Error *learn_from_cart(RpcCall *call, const Event *event);

/* An unhappy answer has its case, whatever became of the call that recorded it. */
const Error *follow_own_event(RpcCall *call, const Event *event);

#endif
