#include "services/cart/cart_service.h"

#include "services/cart/catalog_client.h"

enum { PORT = 7003, PENDING_INTERVAL_MS = 2000 };

static const Error *open_service(ServiceContext *context)
{
    context->state = catalog_client_new();
    return NULL;
}

static void close_service(ServiceContext *context)
{
    catalog_client_free(context->state);
}

const Service cart_service = {
    .name = "cart",
    .port = PORT,
    .rpcs = { &cart_rpcs, &order_rpcs },
    .collections = cart_collections,
    .peers = { "catalog" },
    .jobs = { { "finish_pending", PENDING_INTERVAL_MS, finish_pending } },
    .open = open_service,
    .close = close_service,
};
