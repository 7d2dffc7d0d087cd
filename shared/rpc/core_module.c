#include "shared/rpc/core_module.h"

#include "shared/base/module.h"

const Error *core_module_find(Arena *arena, const char *name, const void **table)
{
    void *address = NULL;
    const Error *error = module_symbol(arena, "throughline-grpc", name, &address);

    *table = address;
    return error;
}
