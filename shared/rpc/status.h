/* An Error as it travels: grpc-status, grpc-message and grpc-status-details-bin
 * (google.rpc.Status), there and back. */
#ifndef THROUGHLINE_RPC_STATUS_H
#define THROUGHLINE_RPC_STATUS_H

#include "shared/base/arena.h"
#include "shared/base/error.h"
#include "shared/base/text.h"

typedef struct RpcStatus {
    int code;            /* 0: OK */
    const char *message; /* never NULL */
    Bytes details;       /* a serialized google.rpc.Status; empty when there is nothing to add */
} RpcStatus;

/* NULL is OK. INTERNAL, UNKNOWN and DATA_LOSS keep their cause to themselves: the caller gets
 * their reason and a fixed sentence. Lives as long as the arena. */
RpcStatus status_from_error(Arena *arena, const Error *error);

/* NULL for OK. Without readable details the reason is the code's name. */
const Error *status_to_error(Arena *arena, const RpcStatus *status);

#endif
