/* The specifications of Flipkart's rows. For services/catalog/import itself. */
#ifndef THROUGHLINE_CATALOG_SPECIFICATIONS_H
#define THROUGHLINE_CATALOG_SPECIFICATIONS_H

#include "services/catalog/domain/product.h"

/* Adds the keys and values of a Ruby hash {"product_specification"=>[{"key"=>"Brand",
 * "value"=>"Elegance"}, …]} to the product's attributes; what cannot be read is left out. */
void specifications_add(Arena *arena, const char *text, Product *product);

#endif
