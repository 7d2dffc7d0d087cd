/* Everything that stands on gRPC core is a module, loaded where it is asked for: the library and the sixty that it brings along take
 * as much memory as the rest of a service. */
#ifndef THROUGHLINE_RPC_CORE_MODULE_H
#define THROUGHLINE_RPC_CORE_MODULE_H

#include "shared/base/arena.h"
#include "shared/base/error.h"

/* A table of the module by its name, "client_core" or "transport_core". Errors: of module_symbol. */
const Error *core_module_find(Arena *arena, const char *name, const void **table);

#endif
