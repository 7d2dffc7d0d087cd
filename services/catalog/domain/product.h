/* What a product is: its shape, its codes, its prices; and whether two of them are the same. */
#ifndef THROUGHLINE_CATALOG_PRODUCT_H
#define THROUGHLINE_CATALOG_PRODUCT_H

#include "services/catalog/domain/findings.h"
#include "shared/base/text.h"

#include "throughline/catalog/v1/product.pb-c.h"

#include <stdbool.h>

typedef Throughline__Catalog__V1__Product Product;
typedef Throughline__Catalog__V1__Variant Variant;
typedef Throughline__Catalog__V1__Price Price;
typedef Throughline__Catalog__V1__Stock Stock;
typedef Throughline__Catalog__V1__LocalText LocalText;
typedef Throughline__Catalog__V1__MediaItem MediaItem;
typedef Throughline__Catalog__V1__Relation Relation;

static const Throughline__Catalog__V1__Product__State PRODUCT_ACTIVE =
    THROUGHLINE__CATALOG__V1__PRODUCT__STATE__ACTIVE;
static const Throughline__Catalog__V1__Product__State PRODUCT_RETIRED =
    THROUGHLINE__CATALOG__V1__PRODUCT__STATE__RETIRED;
static const Throughline__Catalog__V1__Product__State PRODUCT_DRAFT =
    THROUGHLINE__CATALOG__V1__PRODUCT__STATE__DRAFT;

enum {
    PRODUCT_MAX_TITLE = 300,
    PRODUCT_MAX_DESCRIPTION = 10000,
    PRODUCT_MAX_BRAND = 120,
    PRODUCT_MAX_CATEGORY = 300,
    PRODUCT_MAX_VARIANTS = 200,
    PRODUCT_MAX_ATTRIBUTES = 100,
    PRODUCT_MAX_MEDIA = 20,
    PRODUCT_MAX_URI = 2000,
    PRODUCT_MAX_TEXTS = 50,
    PRODUCT_MAX_MEDIA_ITEMS = 50,
    PRODUCT_MAX_ALT_TEXT = 500,
    PRODUCT_MAX_RELATIONS = 200,
    PRODUCT_MAX_CATEGORIES = 20,
    BUNDLE_MAX_QUANTITY = 1000,
    BUNDLE_MAX_DEPTH = 8,
    VARIANT_MAX_SKU = 64,
    VARIANT_MAX_TITLE = 200,
    VARIANT_MAX_ATTRIBUTES = 50,
    VARIANT_MAX_PRICES = 200,
    VARIANT_MAX_STOCK = 1000,
    ATTRIBUTE_MAX_KEY = 100,
    ATTRIBUTE_MAX_VALUE = 1000,
};

/* Names every bad field of a product that is to be stored. */
void product_check(const Product *product, Findings *findings);

/* The same for what a product shows and goes with: texts, media, relations, categories. */
void product_check_parts(const Product *product, Findings *findings);

/* Names what is wrong with the prices of a variant at `path`: amounts, currencies given twice, too many. */
void product_check_prices(
    Price *const *prices, size_t n_prices, const char *path, Findings *findings);

/* Names what is wrong with texts in other languages; `path` is "texts" or "variants[1].texts". */
void local_texts_check(LocalText *const *texts, size_t n_texts, const char *path, size_t max_title,
    Findings *findings);

/* What stands against this state of a product that has been `before`; NULL when nothing does. */
const char *product_state_refusal(
    Throughline__Catalog__V1__Product__State before, Throughline__Catalog__V1__Product__State now);

/* Brings a good product into the one form in which it is stored: ACTIVE unless told otherwise,
 * attributes, prices, stock and texts in the order of their keys; what only the service may set is
 * emptied. Pointers inside are moved, nothing is copied. */
void product_normalize(Product *product);

/* Shows it in a language: each title and description in that, else in a broader one, else as it is. The texts in other languages are
 * left out. Nothing changes for the language "". */
void product_localize(Product *product, const char *language);

/* "de", "de-CH-1996": parts of 1 to 8 letters and digits, at most 35 characters. */
bool language_is_valid(const char *language);

/* The variant with this SKU, NULL when it has none. */
const Variant *product_variant(const Product *product, const char *sku);

/* The price in this currency, NULL when it has none. */
const Price *price_in(Price *const *prices, size_t n_prices, const char *currency);
const Price *variant_price(const Variant *variant, const char *currency);

/* 8, 12, 13 or 14 digits of which the last is the right check digit (GS1 General
 * Specifications 7.9). */
bool gtin_is_valid(const char *gtin);

/* A valid GTIN with zeros in front, so that all spellings of one code are equal; returns `padded`.
 */
enum { GTIN_PADDED = 15 };
const char *gtin_pad(const char *gtin, char padded[GTIN_PADDED]);

/* An http or https URI, or a path: 1 to PRODUCT_MAX_URI characters, none that a URI cannot have (letters of any alphabet may stand). What
 * else a browser would run or read from its own machine is none. */
bool uri_is_valid(const char *uri);

/* 1 to 64 characters of [A-Za-z0-9_.~-]. */
bool sku_is_valid(const char *sku);

/* "" or non-empty parts joined by " > ", at most PRODUCT_MAX_CATEGORY characters. */
bool category_is_valid(const char *category);

/* Whether `path` is the category or one below it; the category "" contains every path. */
bool category_contains(const char *category, const char *path);

/* Paths by which a product is found: of its main category as it is and as it was, then of its others. Where it says so, names of its
 * categories. */
typedef struct ProductPaths {
    size_t n_paths;
    const char *const *paths;
} ProductPaths;

ProductPaths product_paths(const Product *product, Arena *arena);

/* The same one by one, without memory: path i, NULL behind the last; of the main category alone, if asked. */
const char *product_path(const Product *product, size_t i);
const char *product_main_path(const Product *product, size_t i);

/* Whether the category contains one of the paths. */
bool category_contains_any(const char *category, ProductPaths paths);

/* The parts of a path from the top down, each with all above it: moves *length, 0 at first, to the end of the next. False behind the last. */
bool category_part(const char *path, size_t *length);

#endif
