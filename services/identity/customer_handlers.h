/* Checks that several handlers share, and the handlers of other files that the customer service lists. */
#ifndef THROUGHLINE_SERVICES_IDENTITY_CUSTOMER_HANDLERS_H
#define THROUGHLINE_SERVICES_IDENTITY_CUSTOMER_HANDLERS_H

#include "services/identity/identity_service.h"

/* A known kind and a good value, which is normalised in place; else violations below `field`. */
void check_identifier(RpcCall *call, const char *field, Identifier *identifier);

const Error *list_timeline(RpcCall *call, const void *request, void *reply);

#endif
