/* What the run time reads of a call's metadata: credentials, trace, and the context that travels
 * through all services. */
#ifndef THROUGHLINE_RPC_METADATA_H
#define THROUGHLINE_RPC_METADATA_H

#include "shared/rpc/transport.h"

enum { CONTEXT_VALUE_MAX = 256 };

typedef enum MetadataKey {
    METADATA_AUTHORIZATION,
    METADATA_TRACEPARENT,
    METADATA_TRACE_BIN,
    METADATA_CHANNEL,
    METADATA_ACTOR,
    METADATA_ON_BEHALF_OF,
    METADATA_DEVICE,
    METADATA_JOURNEY,
    METADATA_PURPOSE,
    METADATA_KEYS,
} MetadataKey;

typedef struct RpcMetadata {
    Bytes values[METADATA_KEYS]; /* the first of each key; empty when not there */
    size_t size;                 /* of all pairs, counted as HTTP/2 does: 32 bytes more a pair */
    const char *repeated;        /* the key of which there are two that differ; NULL: none */
} RpcMetadata;

/* "throughline-channel": as it is sent. */
const char *metadata_key(MetadataKey key);

RpcMetadata metadata_read(const TransportCall *wire);

/* Whoever stands between may have looked at the other one. Errors: INVALID_ARGUMENT METADATA_REPEATED. */
const Error *metadata_check(const RpcMetadata *metadata, Arena *arena);

/* The token behind "Bearer ", "" when there is none. */
const char *metadata_token(const RpcMetadata *metadata, Arena *arena);

/* Errors: INVALID_ARGUMENT CONTEXT_INVALID for values that are too long or not printable ASCII. */
const Error *metadata_context(const RpcMetadata *metadata, Arena *arena, RpcContext *context);

#endif
