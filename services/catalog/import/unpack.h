/* Files that are packed by gzip. For services/catalog/import itself. */
#ifndef THROUGHLINE_CATALOG_UNPACK_H
#define THROUGHLINE_CATALOG_UNPACK_H

#include <stdio.h>

/* The file itself when it is not packed, at its start; else a temporary one with what is inside, and the packed one is closed. NULL
 * when that cannot be read, or is larger than UNPACK_MAX bytes; the file is closed then. */
enum { UNPACK_MAX = 1024 * 1024 * 1024 };
FILE *unpack(FILE *file);

#endif
