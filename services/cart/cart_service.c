#include "services/cart/cart_service.h"

#include "services/cart/catalog_client.h"
#include "shared/service/aliases.h"

#include <stdlib.h>

enum { PORT = 7003, PENDING_INTERVAL_MS = 2000, SWEEP_INTERVAL_MS = 5000 };

static const Error *open_service(ServiceContext *context)
{
    CartState *state = calloc(1, sizeof(*state));

    if (!state)
        abort();
    state->catalog = catalog_client_new();
    context->state = state;
    return NULL;
}

static void close_service(ServiceContext *context)
{
    CartState *state = context->state;

    if (!state)
        return;
    catalog_client_free(state->catalog);
    free(state);
}

const Service cart_service = {
    .name = "cart",
    .port = PORT,
    .rpcs = { &cart_rpcs, &order_rpcs },
    .collections = cart_collections,
    .peers = { "catalog", "identity" },
    .consumers = { { "identity", { carts_follow_merge, alias_events } } },
    .jobs = { { "finish_pending", PENDING_INTERVAL_MS, finish_pending },
        { "sweep-merges", SWEEP_INTERVAL_MS, carts_sweep_merges } },
    .open = open_service,
    .close = close_service,
};
