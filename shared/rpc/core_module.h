/* Everything that stands on gRPC core is a module: the library, with the sixty that it brings along, is more than half of the memory of a
 * service that does without. */
#ifndef THROUGHLINE_RPC_CORE_MODULE_H
#define THROUGHLINE_RPC_CORE_MODULE_H

#include "shared/base/arena.h"
#include "shared/base/error.h"

/* A table of the module by its name, "client_core" or "transport_core". Errors: of module_symbol. */
const Error *core_module_find(Arena *arena, const char *name, const void **table);

#endif
