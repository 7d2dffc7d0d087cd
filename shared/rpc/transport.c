#include "shared/rpc/transport.h"

#include "shared/rpc/core_module.h"

static const Error unknown = { ERROR_INVALID_ARGUMENT, "TRANSPORT_UNKNOWN",
    "--transport is core or h2." };

const Error *transport_find(Arena *arena, const char *name, const TransportOps **ops)
{
    const void *table;
    const Error *error;

    if (text_equal(name, "h2")) {
        *ops = &transport_h2;
        return NULL;
    }
    if (!text_equal(name, "core"))
        return &unknown;
    error = core_module_find(arena, "transport_core", &table);
    *ops = table;
    return error;
}
