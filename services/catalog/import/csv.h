/* Reads rows of separated values (RFC 4180, any separator). A malformed row is named and passed
 * over, not the end of the file, and no row takes more than CSV_MAX_ROW bytes: an open quote cannot
 * swallow the rest of a file. */
#ifndef THROUGHLINE_CATALOG_CSV_H
#define THROUGHLINE_CATALOG_CSV_H

#include "shared/base/arena.h"
#include "shared/base/text.h"

#include <stdbool.h>
#include <stdio.h>

enum { CSV_MAX_ROW = 4 * 1024 * 1024, CSV_MAX_FIELDS = 2500 };

typedef struct CsvRow {
    int64_t number; /* 1 for the first row, the header; blank lines do not count */
    size_t n_fields;
    const Bytes *fields; /* each with a NUL behind it */
    const char *problem; /* why the row is malformed; NULL when it is good */
} CsvRow;

typedef struct CsvReader CsvReader;

/* Reads on from where the file is, which stays the caller's. */
CsvReader *csv_open(FILE *file, char separator);
void csv_close(CsvReader *reader);

/* The next row, valid until the one after is read. False at the end of the file. */
bool csv_next(CsvReader *reader, CsvRow *row);

#endif
