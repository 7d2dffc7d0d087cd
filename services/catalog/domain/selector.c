#include "services/catalog/domain/selector.h"

#include <stdlib.h>
#include <string.h>

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

TextSet text_set(Arena *arena, char *const *texts, size_t n_texts)
{
    TextSet set = { n_texts, NULL };

    if (n_texts == 0)
        return set;
    set.texts = arena_array(arena, n_texts, sizeof(*set.texts));
    memcpy(set.texts, texts, n_texts * sizeof(*texts));
    qsort(set.texts, n_texts, sizeof(*set.texts), by_text);
    return set;
}

bool text_set_has(const TextSet *set, const char *text)
{
    return set->n_texts > 0 &&
           bsearch(&text, set->texts, set->n_texts, sizeof(*set->texts), by_text);
}

/* Compares the first `length` bytes of a text with a whole one. */
typedef struct Part {
    const char *text;
    size_t length;
} Part;

static int compare_part(const void *key, const void *item)
{
    const Part *part = key;
    const char *whole = *(const char *const *)item;
    int order = strncmp(part->text, whole, part->length);

    return order ? order : -(whole[part->length] != '\0');
}

static bool has_part(const TextSet *set, const char *part, size_t length)
{
    return bsearch(
        &(Part){ part, length }, set->texts, set->n_texts, sizeof(*set->texts), compare_part);
}

bool text_set_has_category(const TextSet *set, const Product *product)
{
    const char *path;

    for (size_t i = 0; set->n_texts && (path = product_path(product, i)); i++)
        for (size_t length = 0; category_part(path, &length);)
            if (has_part(set, path, length))
                return true;
    return false;
}

static bool has_brand(const TextSet *set, const Product *product)
{
    const Throughline__Catalog__V1__FormerNames *names = product->former_names;

    for (size_t i = 0; set->n_texts && names && i < names->n_brand; i++)
        if (text_set_has(set, names->brand[i]))
            return true;
    return text_set_has(set, product->brand);
}

CompiledSelector selector_compile(Arena *arena, const Selector *selector)
{
    CompiledSelector compiled = { .selector = selector, .is_open = true };

    if (!selector)
        return compiled;
    compiled.skus = text_set(arena, selector->skus, selector->n_skus);
    compiled.products = text_set(arena, selector->products, selector->n_products);
    compiled.categories = text_set(arena, selector->categories, selector->n_categories);
    compiled.brands = text_set(arena, selector->brands, selector->n_brands);
    compiled.excluded_skus = text_set(arena, selector->excluded_skus, selector->n_excluded_skus);
    compiled.excluded_categories =
        text_set(arena, selector->excluded_categories, selector->n_excluded_categories);
    compiled.is_open = !selector->n_skus && !selector->n_products && !selector->n_categories &&
                       !selector->n_brands;
    return compiled;
}

/* The variant's own, else the product's; NULL when neither has it. */
static const char *attribute_value(const Product *product, const Variant *variant, const char *key)
{
    for (size_t i = 0; i < variant->n_attributes; i++)
        if (text_equal(variant->attributes[i]->key, key))
            return variant->attributes[i]->value;
    for (size_t i = 0; i < product->n_attributes; i++)
        if (text_equal(product->attributes[i]->key, key))
            return product->attributes[i]->value;
    return NULL;
}

static bool is_one_of(const AttributePredicate *predicate, const char *value)
{
    for (size_t i = 0; value && i < predicate->n_values; i++)
        if (text_equal(predicate->values[i], value))
            return true;
    return false;
}

static bool is_bounded(const AttributePredicate *predicate, const char *value, bool is_least)
{
    double number;
    double bound;

    if (!value || predicate->n_values == 0 || !text_to_double(value, &number) ||
        !text_to_double(predicate->values[0], &bound))
        return false;
    return is_least ? number >= bound : number <= bound;
}

static bool predicate_holds(
    const AttributePredicate *predicate, const Product *product, const Variant *variant)
{
    const char *value = attribute_value(product, variant, predicate->key);

    switch (predicate->comparison) {
    case THROUGHLINE__CATALOG__V1__ATTRIBUTE_PREDICATE__COMPARISON__ONE_OF:
        return is_one_of(predicate, value);
    case THROUGHLINE__CATALOG__V1__ATTRIBUTE_PREDICATE__COMPARISON__NONE_OF:
        return !is_one_of(predicate, value);
    case THROUGHLINE__CATALOG__V1__ATTRIBUTE_PREDICATE__COMPARISON__PRESENT:
        return value != NULL;
    case THROUGHLINE__CATALOG__V1__ATTRIBUTE_PREDICATE__COMPARISON__AT_LEAST:
        return is_bounded(predicate, value, true);
    case THROUGHLINE__CATALOG__V1__ATTRIBUTE_PREDICATE__COMPARISON__AT_MOST:
        return is_bounded(predicate, value, false);
    default:
        return false;
    }
}

bool selector_matches(
    const CompiledSelector *selector, const Product *product, const Variant *variant)
{
    if (!selector->selector)
        return true;
    if (!selector->is_open && !text_set_has(&selector->skus, variant->sku) &&
        !text_set_has(&selector->products, product->name) &&
        !has_brand(&selector->brands, product) &&
        !text_set_has_category(&selector->categories, product))
        return false;
    if (text_set_has(&selector->excluded_skus, variant->sku) ||
        text_set_has_category(&selector->excluded_categories, product))
        return false;
    for (size_t i = 0; i < selector->selector->n_attributes; i++)
        if (!predicate_holds(selector->selector->attributes[i], product, variant))
            return false;
    return true;
}
