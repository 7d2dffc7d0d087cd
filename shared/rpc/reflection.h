/* grpc.reflection v1 and v1alpha, from the compiled-in descriptor set. */
#ifndef THROUGHLINE_RPC_REFLECTION_H
#define THROUGHLINE_RPC_REFLECTION_H

#include "shared/rpc/call.h"

extern const RpcService reflection_rpcs;
extern const RpcService reflection_alpha_rpcs;

#endif
