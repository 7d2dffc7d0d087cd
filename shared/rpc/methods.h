/* The method table, from the descriptor set compiled into the binary: kinds, types, policies.
 * Nothing is registered by hand. */
#ifndef THROUGHLINE_RPC_METHODS_H
#define THROUGHLINE_RPC_METHODS_H

#include "shared/base/arena.h"
#include "shared/base/error.h"

#include "throughline/api/v1/options.pb-c.h"

typedef struct RpcMethod {
    const char *path;    /* "/throughline.cart.v1.CartService/AddLine" */
    const char *service; /* "throughline.cart.v1.CartService" */
    const char *name;    /* "AddLine" */
    const ProtobufCMessageDescriptor *input;
    const ProtobufCMessageDescriptor *output;
    bool client_streams;
    bool server_streams;
    Throughline__Api__V1__MethodPolicy policy;
} RpcMethod;

/* All methods of proto/, read once a process; any thread. */
const RpcMethod *rpc_methods(size_t *count);

/* By "/service/Name" or "service/Name"; NULL when there is none. */
const RpcMethod *rpc_method_find(const char *path);

/* All methods of a service by its full name or its short one ("cart" finds those of
 * throughline.cart.v1.*): for the command line. */
size_t rpc_methods_of(Arena *arena, const char *service, const RpcMethod *const **methods);

#endif
