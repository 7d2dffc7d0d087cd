/* Data sets that are not part of the project: in the folder that THROUGHLINE_TEST_DATA names, else in
 * shared/data beside the tree. */
#ifndef THROUGHLINE_TESTS_CATALOG_DATA_FILE_H
#define THROUGHLINE_TESTS_CATALOG_DATA_FILE_H

#include "shared/base/arena.h"

/* The path of a file, NULL after test_skip() when it is not there. */
const char *data_file(Arena *arena, const char *name);

#endif
