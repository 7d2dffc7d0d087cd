/* What feedback learns from events. */
#ifndef THROUGHLINE_SERVICES_FEEDBACK_CONSUMERS_H
#define THROUGHLINE_SERVICES_FEEDBACK_CONSUMERS_H

#include "services/feedback/feedback_service.h"

/* Whose handles are, and who became one. The lists: of the payloads that tell it. */
extern const ProtobufCMessageDescriptor *const learned_from_identity[];
const Error *learn_from_identity(RpcCall *call, const Event *event);

/* What customers bought. */
extern const ProtobufCMessageDescriptor *const learned_from_cart[];
const Error *learn_from_cart(RpcCall *call, const Event *event);

/* An unhappy answer has its case, whatever became of the call that recorded it. */
extern const ProtobufCMessageDescriptor *const followed_own_events[];
const Error *follow_own_event(RpcCall *call, const Event *event);

#endif
