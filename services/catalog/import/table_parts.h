/* What tables that we have written ourselves (table_export.h) say beyond those of other shops. For services/catalog/import itself. */
#ifndef THROUGHLINE_CATALOG_TABLE_PARTS_H
#define THROUGHLINE_CATALOG_TABLE_PARTS_H

#include "services/catalog/import/columns.h"
#include "services/catalog/import/source.h"

/* A row: its fields, one a column, and whether it is taken to the letter, as one of our own is. */
typedef struct TableFields {
    int64_t number;
    const char *const *fields;
    bool is_exact;
} TableFields;

/* Adds state, type, categories, relations, texts and whatever else the row's own columns say of the product. In a row that is not
 * exact, a value that such a column cannot have is an attribute; in one that is, it is a problem. */
void table_parts_product(Arena *arena, const Columns *columns, const TableFields *row,
    CatalogRow *out, Product *product);

/* The same of a variant. */
void table_parts_variant(Arena *arena, const Columns *columns, const TableFields *row,
    CatalogRow *out, Variant *variant);

#endif
