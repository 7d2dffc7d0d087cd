#include "tests/rpc/engine.h"

#include <stdio.h>
#include <stdlib.h>

const TransportOps *engine_named(const char *name)
{
    Arena *arena = arena_new();
    const TransportOps *ops = NULL;
    const Error *error = transport_find(arena, name, &ops);

    if (error) {
        fprintf(stderr, "%s: %s\n", name, error->message);
        exit(EXIT_FAILURE);
    }
    arena_free(arena);
    return ops;
}
