/* Collects the bad fields of a message: rules say what is wrong, handlers make errors or row errors
 * of it. */
#ifndef THROUGHLINE_CATALOG_FINDINGS_H
#define THROUGHLINE_CATALOG_FINDINGS_H

#include "shared/base/error.h"

enum { FINDINGS_MAX = 100 };

/* Zeroed but for the arena. What comes after FINDINGS_MAX is dropped. */
typedef struct Findings {
    Arena *arena;
    size_t n_items;
    FieldViolation *items;
} Findings;

/* `field` lives as long as the arena; the text is formatted into it. */
void findings_add(Findings *findings, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds one when the text has not min … max characters. */
void findings_length(
    Findings *findings, const char *field, const char *text, size_t min, size_t max);

#endif
