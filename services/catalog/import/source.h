/* A format's side of a catalogue file. For services/catalog/import itself. */
#ifndef THROUGHLINE_CATALOG_SOURCE_H
#define THROUGHLINE_CATALOG_SOURCE_H

#include "services/catalog/import/catalog_file.h"

#include <jansson.h>
#include <stdio.h>

typedef struct Source {
    const char *format;
    bool (*next)(struct Source *source, Arena *arena, CatalogRow *row);
    int (*progress)(const struct Source *source); /* thousandths */
    void (*close)(struct Source *source);
} Source;

/* What a file is called without folder and ending, and which currency its bare prices have (NULL:
 * the format decides). */
typedef struct SourceOptions {
    const char *stem;
    const char *currency;
} SourceOptions;

/* Each takes the file or document over. NULL when it is not in this format; it is still the
 * caller's then. */
Source *json_lines_open(FILE *file);
Source *json_array_open(json_t *document);
Source *json_records_open(json_t *document);
Source *saleor_open(json_t *document);
Source *small_table_open(FILE *file, const SourceOptions *options);
Source *table_open(FILE *file, const SourceOptions *options);

/* Adds a problem to a row; the texts are copied or formatted into the arena. */
void row_problem(Arena *arena, CatalogRow *row, int64_t number, const char *field,
    const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
