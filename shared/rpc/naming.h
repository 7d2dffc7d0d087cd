/* Names of new resources. */
#ifndef THROUGHLINE_RPC_NAMING_H
#define THROUGHLINE_RPC_NAMING_H

#include "shared/rpc/call.h"

/* "carts/…" for what this call makes: the same name for every try of one request, so that twins
 * meet at the store; a fresh one without a request id. */
char *rpc_new_name(const RpcCall *call, const char *collection, const char *request_id);

#endif
