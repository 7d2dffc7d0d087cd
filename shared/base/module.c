#include "shared/base/module.h"

#include "shared/base/text.h"

#include <dlfcn.h>
#include <libgen.h>
#include <limits.h>
#include <unistd.h>

static const char *const places[] = { "", "/..", "/../lib" };

/* The folder of the running program. */
static const char *own_folder(Arena *arena)
{
    char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 1);

    return size < 0 ? "." : arena_text(arena, dirname(arena_text_of(arena, path, (size_t)size)));
}

static const Error *missing(Arena *arena, const char *name)
{
    return error_new(arena, ERROR_FAILED_PRECONDITION, "MODULE_MISSING",
        "%s.so belongs beside the program and cannot be loaded: %s.", name, dlerror());
}

const Error *module_symbol(Arena *arena, const char *name, const char *symbol, void **address)
{
    const char *folder = own_folder(arena);
    const char *path = NULL;
    void *module;

    for (size_t i = 0; i < COUNT(places); i++) {
        path = arena_printf(arena, "%s%s/%s.so", folder, places[i], name);
        if (!access(path, R_OK))
            break;
    }
    module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    *address = module ? dlsym(module, symbol) : NULL;
    return *address ? NULL : missing(arena, name);
}
