/* PROXY protocol, version 2: what a balancer says in front of a connection about its client. */
#ifndef THROUGHLINE_RPC_TRANSPORT_H2_PROXY_H
#define THROUGHLINE_RPC_TRANSPORT_H2_PROXY_H

#include "shared/base/text.h"

#include <sys/socket.h>

enum { H2_PROXY_MAX_BYTES = 2048 };

typedef enum H2Proxy {
    H2_PROXY_MORE,
    H2_PROXY_DONE,
    H2_PROXY_BAD,
} H2Proxy;

/* *size is that of the whole header. The address is not touched when the balancer speaks for
 * itself (its own health check) or of no address that we know. */
H2Proxy h2_proxy_read(Bytes bytes, size_t *size, struct sockaddr_storage *address);

#endif
