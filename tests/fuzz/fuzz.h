/* What fuzz targets share. */
#ifndef THROUGHLINE_TESTS_FUZZ_FUZZ_H
#define THROUGHLINE_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert: a build without assertions must find the same. */
static inline void must(bool is_true)
{
    if (!is_true)
        abort();
}

#endif
