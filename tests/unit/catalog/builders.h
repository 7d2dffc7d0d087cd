/* Good products, promotions and carts; a test changes only what it is about. */
#ifndef THROUGHLINE_TESTS_CATALOG_BUILDERS_H
#define THROUGHLINE_TESTS_CATALOG_BUILDERS_H

#include "services/catalog/domain/pricing.h"

/* 2026-01-01T12:00:00Z */
static const int64_t some_noon = 1767268800000000;

/* "products/tent" of "Outdoor > Tents" with the variants "tent-green" and "tent-red" at 199.00 EUR
 * and 219.00 USD. */
Product *a_product(Arena *arena);

/* A product of one variant, whose SKU is the name, at one price. */
Product *a_simple_product(
    Arena *arena, const char *name, const char *category, const char *currency, int64_t amount);

/* Replaces the variant's prices by one. */
void set_price(Arena *arena, Variant *variant, const char *currency, int64_t amount);

Price *a_price(Arena *arena, const char *currency, int64_t amount);
Stock *a_stock(Arena *arena, const char *location, int64_t on_hand);

/* "promotions/CODE" in lower case, for all categories, without times. */
Promotion *a_promotion(Arena *arena, const char *code, int32_t basis_points);

/* The number of findings, and whether one of them is about the field. */
bool has_finding(const Findings *findings, const char *field);

/* A copy of a text that a message may hold. */
char *text(Arena *arena, const char *value);

#endif
