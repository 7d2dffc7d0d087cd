/* One call to the catalogue, in the name of the call that is being served. */
#ifndef THROUGHLINE_CART_CATALOG_ASK_H
#define THROUGHLINE_CART_CATALOG_ASK_H

#include "shared/rpc/call.h"

/* `reply` is an initialised message of the method's type. Errors: those of the method. */
const Error *catalog_ask(RpcCall *call, const ProtobufCServiceDescriptor *service,
    const char *method, const void *request, void *reply);

#endif
