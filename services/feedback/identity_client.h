/* What feedback asks of identity. */
#ifndef THROUGHLINE_SERVICES_FEEDBACK_IDENTITY_CLIENT_H
#define THROUGHLINE_SERVICES_FEEDBACK_IDENTITY_CLIENT_H

#include "shared/rpc/call.h"

/* The customer whom identity knows by the handle; "" when nobody, or when identity cannot be asked
 * now: what customers say is taken in all the same, and linked when identity tells. */
const char *identity_owner_of(const RpcCall *call, const char *handle);

#endif
