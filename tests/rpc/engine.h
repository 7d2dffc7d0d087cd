/* The engines by their names, for tests that need a certain one. */
#ifndef THROUGHLINE_TESTS_RPC_ENGINE_H
#define THROUGHLINE_TESTS_RPC_ENGINE_H

#include "shared/rpc/transport.h"

/* "core" or "h2"; ends the program when it cannot be had. */
const TransportOps *engine_named(const char *name);

#endif
