/* The MongoDB engine is a module: its client library and all that this one stands on would double the memory of a service that keeps
 * its store in a file. */
#include "shared/store/engine.h"

#include "shared/base/module.h"

#include <string.h>

typedef const Error *(*OpenEngine)(Arena *arena, const StoreOptions *options, Engine **engine);

const Error *engine_mongo_open(Arena *arena, const StoreOptions *options, Engine **engine)
{
    OpenEngine open_engine;
    void *address;
    const Error *error =
        module_symbol(arena, "throughline-store-mongo", "mongo_engine_open", &address);

    if (error)
        return error;
    memcpy(&open_engine, &address, sizeof(open_engine));
    return open_engine(arena, options, engine);
}
