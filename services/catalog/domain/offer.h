/* What a release says of a product: whether it is for sale and what its variants cost, in the place of what was imported. */
#ifndef THROUGHLINE_CATALOG_OFFER_H
#define THROUGHLINE_CATALOG_OFFER_H

#include "services/catalog/domain/product.h"

typedef Throughline__Catalog__V1__ProductOffer ProductOffer;
typedef Throughline__Catalog__V1__VariantOffer VariantOffer;

/* Names every bad field; `path` is what comes before the field. */
void product_offer_check(const ProductOffer *offer, const char *path, Findings *findings);

/* Names SKUs that are none of the product's. */
void product_offer_check_product(
    const ProductOffer *offer, const Product *product, const char *path, Findings *findings);

/* "productOffers/tent" for "products/tent", and back. */
char *offer_name(const char *product, Arena *arena);
char *offer_product(const char *name, Arena *arena);

/* What it says of a SKU, NULL when nothing. */
const VariantOffer *offer_variant(const ProductOffer *offer, const char *sku);

/* The product as the offer has it; NULL: as it is. Shares all else with the product. */
const Product *offer_apply(const ProductOffer *offer, const Product *product, Arena *arena);

/* The offer that says all prices and the state of a product that is no DRAFT; shares them with it. */
ProductOffer *offer_of(const Product *product, Arena *arena);

/* In words how prices and state of the second differ from those of the first, NULL when they do not:
 * "ACTIVE -> RETIRED, TENT-G EUR 199.00 -> 149.00". At most OFFER_MAX_DIFFERENCES are named. */
enum { OFFER_MAX_DIFFERENCES = 10 };
char *offer_difference(const Product *before, const Product *after, Arena *arena);

/* The same of the prices of one variant. */
char *offer_variant_difference(const Variant *before, const Variant *after, Arena *arena);

#endif
