/* Types of products: which attributes there are, and what form their values have. */
#ifndef THROUGHLINE_CATALOG_PRODUCT_TYPE_H
#define THROUGHLINE_CATALOG_PRODUCT_TYPE_H

#include "services/catalog/domain/product.h"

#include "throughline/catalog/v1/taxonomy.pb-c.h"

typedef Throughline__Catalog__V1__ProductType ProductType;
typedef Throughline__Catalog__V1__AttributeDefinition AttributeDefinition;

enum {
    TYPE_MAX_TITLE = 120,
    TYPE_MAX_ATTRIBUTES = 200,
    TYPE_MAX_VALUES = 1000,
    TYPE_MAX_UNIT = 20,
};

/* Names every bad field of a type that is to be stored. */
void product_type_check(const ProductType *type, Findings *findings);

/* Names every attribute of a product that is not as its type says, and those that are missing. */
void product_type_check_product(
    const ProductType *type, const Product *product, Findings *findings);

#endif
