/* What a channel sells. */
#ifndef THROUGHLINE_CATALOG_ASSORTMENT_H
#define THROUGHLINE_CATALOG_ASSORTMENT_H

#include "services/catalog/domain/product.h"

#include "throughline/catalog/v1/taxonomy.pb-c.h"

typedef Throughline__Catalog__V1__Assortment Assortment;

enum { ASSORTMENT_MAX_CATEGORIES = 1000, ASSORTMENT_MAX_PRODUCTS = 20000 };

/* Names every bad field of one that is to be stored. */
void assortment_check(const Assortment *assortment, Findings *findings);

/* Sorts the lists, as assortment_shows needs them. */
void assortment_normalize(Assortment *assortment);

/* Whose it is, by its name: "assortments/web" is of "web". */
const char *assortment_channel(const char *name);

/* Whether the channel sells a product of this name and these category paths. */
bool assortment_shows(const Assortment *assortment, const char *name, ProductPaths paths);

#endif
