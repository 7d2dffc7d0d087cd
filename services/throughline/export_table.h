/* Products as separated values: one row a variant, with a column for every currency, location and attribute that occurs. What import
 * reads again as it was: titles, codes, prices, stock, attributes, media; not languages, relations and types. */
#ifndef THROUGHLINE_SERVICES_THROUGHLINE_EXPORT_TABLE_H
#define THROUGHLINE_SERVICES_THROUGHLINE_EXPORT_TABLE_H

#include "shared/base/arena.h"

#include "throughline/catalog/v1/product.pb-c.h"

#include <stdio.h>

typedef struct ExportTable ExportTable;

ExportTable *export_table_new(Arena *arena);

/* Takes note of the columns that a product needs: all of them before the first row. */
void export_table_note(ExportTable *table, const Throughline__Catalog__V1__Product *product);

void export_table_header(const ExportTable *table, FILE *out);
void export_table_rows(
    const ExportTable *table, const Throughline__Catalog__V1__Product *product, FILE *out);

#endif
