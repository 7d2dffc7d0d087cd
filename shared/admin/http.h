/* The admin port: a small HTTP/1.1 server on libevent, on a thread of its own, for probes and
 * metrics. */
#ifndef THROUGHLINE_ADMIN_HTTP_H
#define THROUGHLINE_ADMIN_HTTP_H

#include "shared/base/arena.h"
#include "shared/base/error.h"
#include "shared/base/metrics.h"

#include <stdbool.h>

typedef struct AdminServer AdminServer;

/* Copied by admin_start; what it points to must stay until admin_stop. */
typedef struct AdminOptions {
    const char *address; /* "0.0.0.0", "::1": in numbers */
    int port;            /* 0 picks a free one */
    const char *service;
    const char *version;
    Metrics *metrics;
    /* Whether the service takes work; when not, *reason says why in a few words. Asked on every
     * /readyz. */
    bool (*is_ready)(void *context, const char **reason);
    /* Whether the process should live on; asked on every /healthz, may be NULL: yes. */
    bool (*is_alive)(void *context, const char **reason);
    void *context;
} AdminOptions;

/* Serves /healthz (200 while the loop turns and is_alive says so, else 503 with the reason),
 * /readyz (200 or 503 with the reason), /metrics and /version (JSON). Bodies, header size,
 * connections and idle time are bounded. Errors: UNAVAILABLE ADMIN_PORT_TAKEN; INVALID_ARGUMENT
 * ADMIN_ADDRESS_BAD. */
const Error *admin_start(Arena *arena, const AdminOptions *options, AdminServer **server);
int admin_port(const AdminServer *server);

/* Ends the thread, not from the thread itself. NULL is allowed. */
void admin_stop(AdminServer *server);

#endif
