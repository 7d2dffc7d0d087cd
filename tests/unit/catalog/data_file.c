#include "tests/unit/catalog/data_file.h"

#include "tests/support/test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *data_file(Arena *arena, const char *name)
{
    static char reason[200]; /* read after the test has ended */
    const char *folder = getenv("THROUGHLINE_TEST_DATA");
    const char *path =
        arena_printf(arena, "%s/%s", folder ? folder : SOURCE_ROOT "/../shared/data", name);

    if (access(path, R_OK) == 0)
        return path;
    snprintf(reason, sizeof(reason), "%s is not there", name);
    test_skip(reason);
    return NULL;
}
