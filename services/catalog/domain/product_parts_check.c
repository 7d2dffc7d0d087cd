/* What is wrong with what a product shows and goes with. */
#include "services/catalog/domain/product.h"

#include <string.h>
#include <strings.h>

void local_texts_check(
    LocalText *const *texts, size_t n_texts, const char *path, size_t max_title, Findings *findings)
{
    Arena *arena = findings->arena;

    if (n_texts > PRODUCT_MAX_TEXTS) {
        findings_add(findings, path, "must be at most %d", PRODUCT_MAX_TEXTS);
        return;
    }
    for (size_t i = 0; i < n_texts; i++) {
        const char *language_path = arena_printf(arena, "%s[%zu].language", path, i);

        if (!language_is_valid(texts[i]->language))
            findings_add(findings, language_path, "must be a BCP 47 tag like \"de\" or \"de-CH\"");
        for (size_t j = 0; j < i; j++)
            if (!strcasecmp(texts[i]->language, texts[j]->language))
                findings_add(findings, language_path, "is given twice");
        findings_length(
            findings, arena_printf(arena, "%s[%zu].title", path, i), texts[i]->title, 0, max_title);
        findings_length(findings, arena_printf(arena, "%s[%zu].description", path, i),
            texts[i]->description, 0, PRODUCT_MAX_DESCRIPTION);
    }
}

static void check_media_items(const Product *product, Findings *findings)
{
    Arena *arena = findings->arena;

    if (product->n_media_items > PRODUCT_MAX_MEDIA_ITEMS) {
        findings_add(findings, "media_items", "must be at most %d", PRODUCT_MAX_MEDIA_ITEMS);
        return;
    }
    for (size_t i = 0; i < product->n_media_items; i++) {
        const MediaItem *item = product->media_items[i];

        if (!uri_is_valid(item->uri))
            findings_add(findings, arena_printf(arena, "media_items[%zu].uri", i),
                "must be an http or https URI or a path, 1 to %d characters without spaces",
                PRODUCT_MAX_URI);
        if (!protobuf_c_enum_descriptor_get_value(
                &throughline__catalog__v1__media_item__kind__descriptor, (int)item->kind))
            findings_add(
                findings, arena_printf(arena, "media_items[%zu].kind", i), "is not a known kind");
        findings_length(findings, arena_printf(arena, "media_items[%zu].alt_text", i),
            item->alt_text, 0, PRODUCT_MAX_ALT_TEXT);
        if (*item->sku && !product_variant(product, item->sku))
            findings_add(findings, arena_printf(arena, "media_items[%zu].sku", i),
                "is no variant of this product");
    }
}

static bool is_same(const Relation *a, const Relation *b)
{
    return a->kind == b->kind && text_equal(a->product, b->product) && text_equal(a->sku, b->sku);
}

static void check_relation(
    const Product *product, const Relation *relation, const char *path, Findings *findings)
{
    Arena *arena = findings->arena;
    bool is_part = relation->kind == THROUGHLINE__CATALOG__V1__RELATION__KIND__BUNDLE_PART;
    const char *product_path = arena_printf(arena, "%s.product", path);
    const char *sku_path = arena_printf(arena, "%s.sku", path);
    const char *quantity_path = arena_printf(arena, "%s.quantity", path);

    if (!relation->kind ||
        !protobuf_c_enum_descriptor_get_value(
            &throughline__catalog__v1__relation__kind__descriptor, (int)relation->kind))
        findings_add(findings, arena_printf(arena, "%s.kind", path), "is not a known kind");
    if (!text_matches_name(relation->product, "products/*"))
        findings_add(findings, product_path, "must be \"products/…\"");
    else if (text_equal(relation->product, product->name))
        findings_add(findings, product_path, "is this product itself");
    if (!sku_is_valid(relation->sku) && (is_part || *relation->sku))
        findings_add(
            findings, sku_path, "must be 1 to %d characters of [A-Za-z0-9_.~-]", VARIANT_MAX_SKU);
    if (is_part && (relation->quantity < 1 || relation->quantity > BUNDLE_MAX_QUANTITY))
        findings_add(findings, quantity_path, "must be 1 to %d", BUNDLE_MAX_QUANTITY);
    if (!is_part && relation->quantity)
        findings_add(findings, quantity_path, "is only for parts of a bundle");
}

static void check_relations(const Product *product, Findings *findings)
{
    if (product->n_relations > PRODUCT_MAX_RELATIONS) {
        findings_add(findings, "relations", "must be at most %d", PRODUCT_MAX_RELATIONS);
        return;
    }
    for (size_t i = 0; i < product->n_relations; i++) {
        const char *path = arena_printf(findings->arena, "relations[%zu]", i);

        check_relation(product, product->relations[i], path, findings);
        for (size_t j = 0; j < i; j++)
            if (is_same(product->relations[i], product->relations[j]))
                findings_add(findings, path, "is given twice");
    }
}

static void check_categories(const Product *product, Findings *findings)
{
    if (product->n_categories > PRODUCT_MAX_CATEGORIES) {
        findings_add(findings, "categories", "must be at most %d", PRODUCT_MAX_CATEGORIES);
        return;
    }
    for (size_t i = 0; i < product->n_categories; i++) {
        const char *path = arena_printf(findings->arena, "categories[%zu]", i);

        if (!text_matches_name(product->categories[i], "categories/*"))
            findings_add(findings, path, "must be \"categories/…\"");
        for (size_t j = 0; j < i; j++)
            if (text_equal(product->categories[i], product->categories[j]))
                findings_add(findings, path, "is given twice");
    }
}

void product_check_parts(const Product *product, Findings *findings)
{
    if (*product->type && !text_matches_name(product->type, "productTypes/*"))
        findings_add(findings, "type", "must be \"productTypes/…\" or empty");
    local_texts_check(product->texts, product->n_texts, "texts", PRODUCT_MAX_TITLE, findings);
    for (size_t i = 0; i < product->n_variants && i < PRODUCT_MAX_VARIANTS; i++)
        if (product->variants[i]->n_texts > 0)
            local_texts_check(product->variants[i]->texts, product->variants[i]->n_texts,
                arena_printf(findings->arena, "variants[%zu].texts", i), VARIANT_MAX_TITLE,
                findings);
    check_media_items(product, findings);
    check_relations(product, findings);
    check_categories(product, findings);
}
