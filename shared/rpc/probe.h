/* A look at a server from outside: a new connection and one call. */
#ifndef THROUGHLINE_RPC_PROBE_H
#define THROUGHLINE_RPC_PROBE_H

#include "shared/base/error.h"

typedef struct RpcProbe {
    const char *address; /* what the server listens on */
    int port;
    const char *tls_certificate, *tls_key; /* file names; NULL: plaintext */
    bool expects_proxy;
} RpcProbe;

/* NULL when grpc.health.v1.Health/Check answers within a second, whatever it says; else
 * UNAVAILABLE PROBE_FAILED. */
const Error *probe_check(const RpcProbe *probe);

#endif
