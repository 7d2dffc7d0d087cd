#include "services/catalog/domain/assortment.h"

#include <stdlib.h>
#include <string.h>

void assortment_check(const Assortment *assortment, Findings *findings)
{
    Arena *arena = findings->arena;

    if (!text_matches_name(assortment->name, "assortments/*"))
        findings_add(findings, "name", "must be \"assortments/\" and the name of a channel");
    if (!assortment->mode ||
        !protobuf_c_enum_descriptor_get_value(
            &throughline__catalog__v1__assortment__mode__descriptor, (int)assortment->mode))
        findings_add(findings, "mode", "is not a known mode");
    if (assortment->n_categories > ASSORTMENT_MAX_CATEGORIES)
        findings_add(findings, "categories", "must be at most %d", ASSORTMENT_MAX_CATEGORIES);
    if (assortment->n_products > ASSORTMENT_MAX_PRODUCTS)
        findings_add(findings, "products", "must be at most %d", ASSORTMENT_MAX_PRODUCTS);
    for (size_t i = 0; i < assortment->n_categories && i < ASSORTMENT_MAX_CATEGORIES; i++)
        if (!*assortment->categories[i] || !category_is_valid(assortment->categories[i]))
            findings_add(findings, arena_printf(arena, "categories[%zu]", i),
                "must be parts joined by \" > \"");
    for (size_t i = 0; i < assortment->n_products && i < ASSORTMENT_MAX_PRODUCTS; i++)
        if (!text_matches_name(assortment->products[i], "products/*"))
            findings_add(
                findings, arena_printf(arena, "products[%zu]", i), "must be \"products/…\"");
}

const char *assortment_channel(const char *name)
{
    return name + strlen("assortments/");
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void assortment_normalize(Assortment *assortment)
{
    if (assortment->n_categories > 1)
        qsort(assortment->categories, assortment->n_categories, sizeof(char *), by_text);
    if (assortment->n_products > 1)
        qsort(assortment->products, assortment->n_products, sizeof(char *), by_text);
}

static bool is_listed(const Assortment *assortment, const char *name, ProductPaths paths)
{
    for (size_t i = 0; i < assortment->n_categories; i++)
        if (category_contains_any(assortment->categories[i], paths))
            return true;
    return assortment->n_products > 0 &&
           bsearch(&name, assortment->products, assortment->n_products, sizeof(char *), by_text);
}

bool assortment_shows(const Assortment *assortment, const char *name, ProductPaths paths)
{
    bool is_only = assortment->mode == THROUGHLINE__CATALOG__V1__ASSORTMENT__MODE__ONLY;

    return is_listed(assortment, name, paths) == is_only;
}
