/* Stores, warehouses, brands: what a good record is. */
#ifndef THROUGHLINE_CATALOG_LOCATION_H
#define THROUGHLINE_CATALOG_LOCATION_H

#include "services/catalog/domain/product.h"
#include "services/catalog/domain/stock.h"

#include "throughline/catalog/v1/location.pb-c.h"
#include "throughline/catalog/v1/taxonomy.pb-c.h"

typedef Throughline__Catalog__V1__Location Location;
typedef Throughline__Catalog__V1__Brand Brand;
typedef Throughline__Catalog__V1__StockPurpose StockPurpose;

enum {
    LOCATION_MAX_TITLE = 120,
    LOCATION_MAX_LINES = 5,
    LOCATION_MAX_LINE = 120,
    LOCATION_MAX_REGION = 60,
    LOCATION_MAX_POSTAL_CODE = 20,
    LOCATION_MAX_HOURS = 500,
    LOCATION_MAX_SERVICES = 50,
};

/* Names every bad field of one that is to be stored. */
void location_check(const Location *location, Findings *findings);
void brand_check(const Brand *brand, Findings *findings);

/* Whether pieces there serve for the purpose; a location of which nobody has said anything (NULL) serves for all. */
bool location_serves(const Location *location, StockPurpose purpose);

#endif
