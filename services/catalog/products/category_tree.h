/* Where categories stand. */
#ifndef THROUGHLINE_CATALOG_CATEGORY_TREE_H
#define THROUGHLINE_CATALOG_CATEGORY_TREE_H

#include "services/catalog/domain/category.h"
#include "services/catalog/records.h"

extern const RecordKind category_kind;

/* The path of a category that is in memory; "" when it is not. */
const char *category_tree_path(Catalog *catalog, const char *name, Arena *arena);

#endif
