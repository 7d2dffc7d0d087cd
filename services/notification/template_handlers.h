/* Handlers of templates and endpoints, which the message service lists. */
#ifndef THROUGHLINE_SERVICES_NOTIFICATION_TEMPLATE_HANDLERS_H
#define THROUGHLINE_SERVICES_NOTIFICATION_TEMPLATE_HANDLERS_H

#include "shared/rpc/call.h"

const Error *create_template(RpcCall *call, const void *request, void *reply);
const Error *get_template(RpcCall *call, const void *request, void *reply);
const Error *create_endpoint(RpcCall *call, const void *request, void *reply);

#endif
