/* grpc.health.v1: the server as a whole and each of its services. */
#ifndef THROUGHLINE_RPC_HEALTH_H
#define THROUGHLINE_RPC_HEALTH_H

#include "shared/rpc/call.h"

extern const RpcService health_rpcs;

typedef struct Health Health;

/* `services` is NULL-ended and lives as long as the health. Nothing serves yet. */
Health *health_new(const char *const *services);
void health_set_serving(Health *health, bool is_serving);
bool health_is_watched(Health *health);
/* When no call is left. */
void health_free(Health *health);

#endif
