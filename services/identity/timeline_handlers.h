/* The handler of the timeline, which the customer service lists. */
#ifndef THROUGHLINE_SERVICES_IDENTITY_TIMELINE_HANDLERS_H
#define THROUGHLINE_SERVICES_IDENTITY_TIMELINE_HANDLERS_H

#include "shared/rpc/call.h"

const Error *list_timeline(RpcCall *call, const void *request, void *reply);

#endif
