/* Products: lookups inside one, its one stored form, codes and category paths. What is wrong with
 * one: product_check.c. */
#include "services/catalog/domain/product.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char category_separator[] = " > ";

const Variant *product_variant(const Product *product, const char *sku)
{
    for (size_t i = 0; i < product->n_variants; i++)
        if (text_equal(product->variants[i]->sku, sku))
            return product->variants[i];
    return NULL;
}

const Price *price_in(Price *const *prices, size_t n_prices, const char *currency)
{
    for (size_t i = 0; i < n_prices; i++)
        if (text_equal(prices[i]->amount->currency_code, currency))
            return prices[i];
    return NULL;
}

const Price *variant_price(const Variant *variant, const char *currency)
{
    return price_in(variant->prices, variant->n_prices, currency);
}

bool gtin_is_valid(const char *gtin)
{
    size_t length = strspn(gtin, "0123456789");
    int sum = 0;

    if (gtin[length] || (length != 8 && length != 12 && length != 13 && length != 14))
        return false;
    /* Weights 3 and 1 from the right, the check digit itself counting 1. */
    for (size_t i = 0; i < length; i++)
        sum += (gtin[length - 1 - i] - '0') * (i % 2 ? 3 : 1);
    return sum % 10 == 0;
}

const char *gtin_pad(const char *gtin, char padded[GTIN_PADDED])
{
    size_t length = strlen(gtin);

    memset(padded, '0', GTIN_PADDED - 1);
    memcpy(padded + GTIN_PADDED - 1 - length, gtin, length + 1);
    return padded;
}

bool uri_is_valid(const char *uri)
{
    size_t length = text_length(uri);
    size_t scheme = strcspn(uri, ":/?#");

    if (length < 1 || length > PRODUCT_MAX_URI || strpbrk(uri, " <>\"{}|\\^`"))
        return false;
    for (const char *at = uri; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return false;
    return uri[scheme] != ':' || !strncasecmp(uri, "http:", scheme + 1) ||
           !strncasecmp(uri, "https:", scheme + 1);
}

static bool is_of_sku(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '~' || c == '-';
}

bool sku_is_valid(const char *sku)
{
    size_t length = 0;

    while (length <= VARIANT_MAX_SKU && is_of_sku(sku[length]))
        length++;
    return !sku[length] && length >= 1 && length <= VARIANT_MAX_SKU;
}

bool category_is_valid(const char *category)
{
    const char *part = category;

    if (!*category)
        return true;
    if (text_length(category) > PRODUCT_MAX_CATEGORY)
        return false;
    while (part) {
        const char *end = strstr(part, category_separator);
        size_t length = end ? (size_t)(end - part) : strlen(part);

        if (length == 0 || part[0] == ' ' || part[length - 1] == ' ')
            return false;
        part = end ? end + strlen(category_separator) : NULL;
    }
    return true;
}

bool category_contains(const char *category, const char *path)
{
    size_t length = strlen(category);

    if (length == 0)
        return true;
    return !strncmp(path, category, length) &&
           (!path[length] || text_starts_with(path + length, category_separator));
}

static int by_product_key(const void *a, const void *b)
{
    const Throughline__Catalog__V1__Product__AttributesEntry *const *left = a;
    const Throughline__Catalog__V1__Product__AttributesEntry *const *right = b;

    return strcmp((*left)->key, (*right)->key);
}

static int by_variant_key(const void *a, const void *b)
{
    const Throughline__Catalog__V1__Variant__AttributesEntry *const *left = a;
    const Throughline__Catalog__V1__Variant__AttributesEntry *const *right = b;

    return strcmp((*left)->key, (*right)->key);
}

static int by_currency(const void *a, const void *b)
{
    const Price *const *left = a;
    const Price *const *right = b;

    return strcmp((*left)->amount->currency_code, (*right)->amount->currency_code);
}

static int by_language(const void *a, const void *b)
{
    const LocalText *const *left = a;
    const LocalText *const *right = b;

    return strcmp((*left)->language, (*right)->language);
}

static int by_location(const void *a, const void *b)
{
    const Stock *const *left = a;
    const Stock *const *right = b;

    return strcmp((*left)->location, (*right)->location);
}

const char *product_main_path(const Product *product, size_t i)
{
    const Throughline__Catalog__V1__FormerNames *names = product->former_names;

    if (i == 0)
        return product->category;
    return names && i <= names->n_category ? names->category[i - 1] : NULL;
}

const char *product_path(const Product *product, size_t i)
{
    const Throughline__Catalog__V1__FormerNames *names = product->former_names;
    size_t n_main = 1 + (names ? names->n_category : 0);
    size_t n_others = product->n_category_paths ? product->n_category_paths - 1 : 0;

    if (i < n_main)
        return product_main_path(product, i);
    i -= n_main;
    if (i < n_others)
        return product->category_paths[i + 1];
    i -= n_others;
    return names && i < names->n_categories ? names->categories[i] : NULL;
}

ProductPaths product_paths(const Product *product, Arena *arena)
{
    const char **paths;
    size_t n_paths = 0;

    while (product_path(product, n_paths))
        n_paths++;
    paths = arena_array(arena, n_paths, sizeof(*paths));
    for (size_t i = 0; i < n_paths; i++)
        paths[i] = product_path(product, i);
    return (ProductPaths){ n_paths, paths };
}

bool category_contains_any(const char *category, ProductPaths paths)
{
    for (size_t i = 0; i < paths.n_paths; i++)
        if (category_contains(category, paths.paths[i]))
            return true;
    return false;
}

bool category_part(const char *path, size_t *length)
{
    const char *end;

    if (*length && !path[*length])
        return false;
    end = strstr(path + (*length ? *length + strlen(category_separator) : 0), category_separator);
    *length = end ? (size_t)(end - path) : strlen(path);
    return *length > 0;
}

/* qsort must not be given NULL, not even for no items. */
static void sort(void *items, size_t count, int (*compare)(const void *, const void *))
{
    if (count > 1)
        qsort(items, count, sizeof(void *), compare);
}

const char *product_state_refusal(
    Throughline__Catalog__V1__Product__State before, Throughline__Catalog__V1__Product__State now)
{
    return now == PRODUCT_DRAFT && before != PRODUCT_DRAFT
               ? "was for sale and cannot be a DRAFT again"
               : NULL;
}

void product_normalize(Product *product)
{
    if (product->state != PRODUCT_RETIRED && product->state != PRODUCT_DRAFT)
        product->state = PRODUCT_ACTIVE;
    product->etag = (char *)protobuf_c_empty_string;
    product->create_time = NULL;
    product->update_time = NULL;
    product->category_paths = NULL;
    product->n_category_paths = 0;
    product->former_names = NULL;
    sort(product->attributes, product->n_attributes, by_product_key);
    sort(product->texts, product->n_texts, by_language);
    for (size_t i = 0; i < product->n_media_items; i++)
        if (!product->media_items[i]->kind)
            product->media_items[i]->kind = THROUGHLINE__CATALOG__V1__MEDIA_ITEM__KIND__IMAGE;
    for (size_t i = 0; i < product->n_variants; i++) {
        Variant *variant = product->variants[i];

        sort(variant->attributes, variant->n_attributes, by_variant_key);
        sort(variant->texts, variant->n_texts, by_language);
        sort(variant->prices, variant->n_prices, by_currency);
        sort(variant->stock, variant->n_stock, by_location);
    }
}
