/* Puts products together from texts of any shape. For services/catalog/import itself. */
#ifndef THROUGHLINE_CATALOG_BUILDER_H
#define THROUGHLINE_CATALOG_BUILDER_H

#include "services/catalog/domain/product.h"

/* Lower case, other characters than [a-z0-9] as single dashes, at most 63 of them; what was cut off
 * is kept apart by a hash. */
const char *build_slug(Arena *arena, const char *text);

/* A SKU out of any text: characters that it must not have become dashes. */
const char *build_sku(Arena *arena, const char *text);

/* The text with at most `max` characters, cut at a word and ended by "…". */
char *build_short(Arena *arena, const char *text, size_t max);

/* A path with " > " between its parts, from one with ">>", ">" or "/" that may stand in ["…"]; a
 * last part that was cut off ("Curtains and acc...") is left out, and so are parts that do not fit.
 */
char *build_category(Arena *arena, const char *text);

/* An active product without variants; a title that is too long is cut and kept whole in the
 * description. */
Product *build_product(Arena *arena, const char *slug, const char *title, const char *description);

Variant *build_variant(Arena *arena, Product *product, const char *sku, const char *title);

/* An amount out of a text: "1899.0", "12.500"; zeros behind the last digit that the currency has do not count. */
bool build_amount(Arena *arena, const char *currency, const char *text, int64_t *minor);

/* list_minor: what it is compared with; only kept when above amount_minor. */
void build_price(
    Arena *arena, Variant *variant, const char *currency, int64_t amount_minor, int64_t list_minor);
void build_stock(Arena *arena, Variant *variant, const char *location, int64_t on_hand);
/* A file name with spaces becomes the URI that is meant. */
void build_media(Arena *arena, Product *product, const char *uri);

/* The first value of a key counts; empty ones and what is beyond the limits are left out, long ones
 * shortened. */
void build_attribute(Arena *arena, Product *product, const char *key, const char *value);
void build_variant_attribute(Arena *arena, Variant *variant, const char *key, const char *value);

#endif
