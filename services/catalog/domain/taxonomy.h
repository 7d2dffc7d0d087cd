/* Where all categories stand and what all brands are called, at one moment: immutable, shared by reference. What products show of
 * them is derived from this. */
#ifndef THROUGHLINE_CATALOG_TAXONOMY_H
#define THROUGHLINE_CATALOG_TAXONOMY_H

#include "services/catalog/domain/category.h"

typedef Throughline__Catalog__V1__Brand Brand;

enum { TAXONOMY_MAX_FORMER = 50 };

/* Names of something that it does not have any more. */
typedef struct FormerTexts {
    size_t n_texts;
    char **texts;
} FormerTexts;

/* One more, unless it is there; of more than TAXONOMY_MAX_FORMER the first ones are forgotten. */
void former_texts_add(FormerTexts *former, const char *text, Arena *arena);
void former_texts_remove(FormerTexts *former, const char *text);

/* All paths that a category had: its own former ones, and those that follow from what its parents were called. */
FormerTexts category_former_paths(
    const Category *category, CategoryLookup lookup, void *context, Arena *arena);

typedef struct Taxonomy Taxonomy;

/* With one reference, the caller's. */
Taxonomy *taxonomy_compile(const Category *const *categories, size_t n_categories,
    const Brand *const *brands, size_t n_brands);

/* Any thread. */
Taxonomy *taxonomy_hold(Taxonomy *taxonomy);
void taxonomy_release(Taxonomy *taxonomy);

/* What is different between two: products of other categories and brands look the same by both. */
typedef struct TaxonomyChanges {
    size_t n_categories;
    const char **categories; /* names, in order; they belong to the two */
    bool has_brands;
} TaxonomyChanges;

TaxonomyChanges taxonomy_compare(const Taxonomy *one, const Taxonomy *other, Arena *arena);

/* Whether one of these categories is different. */
bool taxonomy_changed(
    const TaxonomyChanges *changes, const char *const *categories, size_t n_categories);

/* The product with paths and brand as they are now: itself where there is nothing to say, else a copy in the arena that shares the
 * taxonomy's texts. A category that is not there leaves the path as it was stored. */
const Product *taxonomy_show(const Taxonomy *taxonomy, const Product *product, Arena *arena);

/* The path now of what was called so, or below it; the text itself when nothing was, or something is now. */
const char *taxonomy_path_now(const Taxonomy *taxonomy, const char *path);
const char *taxonomy_brand_now(const Taxonomy *taxonomy, const char *title);

#endif
