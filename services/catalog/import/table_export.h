/* Products as separated values, for people and for import, which reads them again as they were: one row a variant, what is the product's
 * on its first row, a column for every currency, location, language and attribute that occurs. The columns:
 *
 *   id                  the product's name, "products/…"
 *   sku gtin variant    the variant's; `variant` is its title
 *   title description brand category
 *   type categories     "productTypes/…"; "categories/…" with spaces between
 *   state               ACTIVE, RETIRED, DRAFT
 *   relations           "ACCESSORY products/lamp; BUNDLE_PART products/tent tent-green 2"
 *   title@de …          in other languages; so are description@de and variant@de
 *   price_EUR list_price_EUR stock_berlin image attribute:KEY variant_attribute:KEY
 *   more variant_more   JSON of a Product, of a Variant: what no column says (media items, values that are empty, keys beyond 200) */
#ifndef THROUGHLINE_CATALOG_TABLE_EXPORT_H
#define THROUGHLINE_CATALOG_TABLE_EXPORT_H

#include "services/catalog/domain/product.h"

#include <stdio.h>

typedef struct TableExport TableExport;

TableExport *table_export_new(Arena *arena);

/* Takes note of the columns that a product needs: all of them before the first row. */
void table_export_note(TableExport *table, const Product *product);

void table_export_header(const TableExport *table, FILE *out);
void table_export_rows(const TableExport *table, const Product *product, FILE *out);

#endif
