/* What the columns of a table mean, by their names. For services/catalog/import itself. */
#ifndef THROUGHLINE_CATALOG_COLUMNS_H
#define THROUGHLINE_CATALOG_COLUMNS_H

#include "services/catalog/import/csv.h"

typedef enum ColumnRole {
    COLUMN_ATTRIBUTE,         /* anything we do not know, and "attribute:KEY" */
    COLUMN_VARIANT_ATTRIBUTE, /* "variant_attribute:KEY" */
    COLUMN_IGNORED,
    COLUMN_ID, /* the product's */
    COLUMN_SKU,
    COLUMN_GTIN,
    COLUMN_TITLE,
    COLUMN_VARIANT, /* what tells a variant from its siblings */
    COLUMN_DESCRIPTION,
    COLUMN_BRAND,
    COLUMN_CATEGORY,
    COLUMN_CURRENCY,
    COLUMN_PRICE,      /* detail: its currency, "" when another column or the file says */
    COLUMN_LIST_PRICE, /* the same */
    COLUMN_STOCK,      /* detail: the place */
    COLUMN_MEDIA,
    COLUMN_RETIRED, /* "1" or "true" */
    COLUMN_STATE,
    COLUMN_TYPE,
    COLUMN_CATEGORIES,
    COLUMN_RELATIONS,
    COLUMN_TITLE_TEXT, /* detail: its language; so of the next two */
    COLUMN_DESCRIPTION_TEXT,
    COLUMN_VARIANT_TEXT,
    COLUMN_MORE,
    COLUMN_VARIANT_MORE,
    COLUMN_SPECIFICATIONS, /* {"product_specification"=>[{"key"=>…, "value"=>…}]} */
    COLUMN_ROLES,
} ColumnRole;

typedef struct Column {
    const char *header; /* as it stands in the file */
    ColumnRole role;
    const char *detail;
    const char *exact_detail; /* a place as it stands in the header */
} Column;

typedef struct Columns {
    size_t n_columns;
    Column *columns;
    const char *currency; /* of bare prices in files with these columns */
} Columns;

/* False when the header is malformed or names no title. */
bool columns_read(Arena *arena, const CsvRow *header, Columns *columns);

#endif
