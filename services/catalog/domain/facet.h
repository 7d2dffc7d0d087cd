/* What products are filtered and counted by: pairs of a field and a value, and bands of prices. */
#ifndef THROUGHLINE_CATALOG_FACET_H
#define THROUGHLINE_CATALOG_FACET_H

#include "services/catalog/domain/product.h"

/* In bytes; what has longer ones can be neither filtered nor counted by them. */
enum { FACET_MAX_VALUE = 1200, FACET_MAX_FIELD = 500 };

/* The prefix of attributes' fields: "attributes.colour". */
extern const char facet_attributes[];

typedef struct FacetValue {
    const char *field; /* "category", "brand", "state" or "attributes.KEY" */
    const char *value;
} FacetValue;

/* Those of a product; its category counts with all those above it. Returns how many there are; a
 * pair may come twice. */
size_t facet_values(const Product *product, Arena *arena, FacetValue **values);

/* "price", "stock" (which comes from levels, not from products) or a field of facet_values. */
bool facet_field_is_valid(const char *field);

/* The least price of all variants in a currency, false when there is none. */
bool facet_price(const Product *product, const char *currency, int64_t *minor);

/* Prices are counted in bands from 1, 2 and 5 times a power of ten of minor units; band 0 is 0.
 * An amount is not negative. */
enum { FACET_BANDS = 58 };
int facet_band(int64_t minor);
/* Where a band begins; the next one begins where it ends. INT64_MAX for FACET_BANDS. */
int64_t facet_band_start(int band);

/* A number of at most 12 digits, and 6 behind the point, in millionths; false when it is
 * none. Attributes are compared so, not as floating point. */
bool facet_number(const char *text, int64_t *millionths);

#endif
