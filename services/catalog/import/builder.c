#include "services/catalog/import/builder.h"

#include "shared/base/money.h"
#include "shared/codec/types.h"

#include <inttypes.h>
#include <string.h>

typedef Throughline__Catalog__V1__Product__AttributesEntry ProductAttribute;
typedef Throughline__Catalog__V1__Variant__AttributesEntry VariantAttribute;

enum { SLUG_MAX = 63, HASH_DIGITS = 8 };

/* A copy of an array of pointers with one more. */
static void *append(Arena *arena, void *items, size_t *n_items, void *item)
{
    void **grown = arena_grow(arena, items, *n_items, *n_items + 1, sizeof(void *));

    grown[(*n_items)++] = item;
    return grown;
}

/* `code` cut to `max` bytes, its last ones a hash of the whole text, so that two long texts stay
 * two. */
static const char *with_hash(Arena *arena, const char *code, const char *text, size_t max)
{
    uint32_t hash = (uint32_t)text_hash(text, strlen(text));

    return arena_printf(arena, "%.*s-%08" PRIx32, (int)(max - HASH_DIGITS - 1), code, hash);
}

const char *build_slug(Arena *arena, const char *text)
{
    char *slug = text_lower(arena, text);
    size_t length = 0;

    for (const char *at = slug; *at; at++) {
        bool is_kept = (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9');

        if (is_kept)
            slug[length++] = *at;
        else if (length > 0 && slug[length - 1] != '-')
            slug[length++] = '-';
    }
    if (length > 0 && slug[length - 1] == '-')
        length--;
    slug[length] = '\0';
    /* A text without a Latin letter has nothing but its hash. */
    if (length == 0 || length > SLUG_MAX)
        return with_hash(arena, length ? slug : "item", text, SLUG_MAX);
    return slug;
}

const char *build_sku(Arena *arena, const char *text)
{
    char *sku = text_trim(arena, text);
    char single[2] = "";

    for (char *at = sku; *at; at++) {
        single[0] = *at;
        if (!sku_is_valid(single))
            *at = '-';
    }
    return strlen(sku) > VARIANT_MAX_SKU ? with_hash(arena, sku, text, VARIANT_MAX_SKU) : sku;
}

char *build_short(Arena *arena, const char *text, size_t max)
{
    const char *end = text;
    size_t n_characters = 0;
    size_t length;

    if (text_length(text) <= max)
        return arena_text(arena, text);
    while (n_characters < max - 1) {
        end += text_utf8_step((const uint8_t *)end, strlen(end));
        n_characters++;
    }
    length = (size_t)(end - text);
    while (length > 0 && text[length] != ' ')
        length--;
    if (length == 0)
        length = (size_t)(end - text);
    return arena_printf(arena, "%.*s…", (int)length, text);
}

/* The next part of a path and what comes after it; NULL at the end. */
static const char *next_part(Arena *arena, const char **path, const char *separator)
{
    const char *start = *path;
    const char *end;

    if (!start)
        return NULL;
    end = strstr(start, separator);
    *path = end ? end + strlen(separator) : NULL;
    return text_trim(
        arena, arena_text_of(arena, start, end ? (size_t)(end - start) : strlen(start)));
}

char *build_category(Arena *arena, const char *text)
{
    const char *path = text_trim(arena, text);
    const char *separator;
    const char *part;
    char *category = arena_text(arena, "");

    if (text_starts_with(path, "[\"") && text_ends_with(path, "\"]"))
        path = arena_text_of(arena, path + 2, strlen(path) - 4);
    separator = strstr(path, ">>") ? ">>" : strchr(path, '>') ? ">" : "/";
    while ((part = next_part(arena, &path, separator))) {
        const char *longer;

        if (!*part || (*category && text_ends_with(part, "...")))
            continue;
        longer = *category ? arena_printf(arena, "%s > %s", category, part) : part;
        if (!category_is_valid(longer))
            break;
        category = arena_text(arena, longer);
    }
    return category;
}

Product *build_product(Arena *arena, const char *slug, const char *title, const char *description)
{
    Product *product = arena_alloc(arena, sizeof(*product));
    const char *whole = text_trim(arena, title);

    throughline__catalog__v1__product__init(product);
    product->name = arena_printf(arena, "products/%s", slug);
    product->title = build_short(arena, whole, PRODUCT_MAX_TITLE);
    product->description = text_trim(arena, description);
    if (!text_equal(product->title, whole))
        product->description =
            text_trim(arena, arena_printf(arena, "%s\n\n%s", whole, description));
    product->description = build_short(arena, product->description, PRODUCT_MAX_DESCRIPTION);
    product->state = PRODUCT_ACTIVE;
    return product;
}

Variant *build_variant(Arena *arena, Product *product, const char *sku, const char *title)
{
    Variant *variant = arena_alloc(arena, sizeof(*variant));

    throughline__catalog__v1__variant__init(variant);
    variant->sku = arena_text(arena, sku);
    variant->title = build_short(arena, text_trim(arena, title), VARIANT_MAX_TITLE);
    product->variants = append(arena, product->variants, &product->n_variants, variant);
    return variant;
}

bool build_amount(Arena *arena, const char *currency, const char *text, int64_t *minor)
{
    char *amount = arena_text(arena, text);
    const char *point = strchr(amount, '.');
    size_t length = strlen(amount);
    size_t kept = point ? (size_t)(point - amount + 1) + (size_t)money_digits(currency) : length;

    while (length > kept && amount[length - 1] == '0')
        length--;
    if (length > 0 && amount[length - 1] == '.')
        length--;
    amount[length] = '\0';
    return money_parse(currency, amount, minor) && *minor >= 0;
}

void build_price(
    Arena *arena, Variant *variant, const char *currency, int64_t amount_minor, int64_t list_minor)
{
    Price *price = arena_alloc(arena, sizeof(*price));

    throughline__catalog__v1__price__init(price);
    price->amount = money_message(arena, currency, amount_minor);
    if (list_minor > amount_minor)
        price->list_amount = money_message(arena, currency, list_minor);
    variant->prices = append(arena, variant->prices, &variant->n_prices, price);
}

void build_stock(Arena *arena, Variant *variant, const char *location, int64_t on_hand)
{
    Stock *stock = arena_alloc(arena, sizeof(*stock));

    throughline__catalog__v1__stock__init(stock);
    stock->location = arena_text(arena, location);
    stock->on_hand = on_hand;
    variant->stock = append(arena, variant->stock, &variant->n_stock, stock);
}

void build_media(Arena *arena, Product *product, const char *uri)
{
    const char *whole = "";

    if (!*uri || product->n_media == PRODUCT_MAX_MEDIA)
        return;
    for (const char *space; (space = strchr(uri, ' ')); uri = space + 1)
        whole = arena_printf(arena, "%s%.*s%%20", whole, (int)(space - uri), uri);
    whole = arena_printf(arena, "%s%s", whole, uri);
    if (text_length(whole) <= PRODUCT_MAX_URI)
        product->media = append(arena, product->media, &product->n_media, (char *)whole);
}

void build_attribute(Arena *arena, Product *product, const char *key, const char *value)
{
    ProductAttribute *entry;

    if (!*key || !*value || text_length(key) > ATTRIBUTE_MAX_KEY ||
        product->n_attributes == PRODUCT_MAX_ATTRIBUTES)
        return;
    for (size_t i = 0; i < product->n_attributes; i++)
        if (text_equal(product->attributes[i]->key, key))
            return;
    entry = arena_alloc(arena, sizeof(*entry));
    throughline__catalog__v1__product__attributes_entry__init(entry);
    entry->key = arena_text(arena, key);
    entry->value = build_short(arena, value, ATTRIBUTE_MAX_VALUE);
    product->attributes = append(arena, product->attributes, &product->n_attributes, entry);
}

void build_variant_attribute(Arena *arena, Variant *variant, const char *key, const char *value)
{
    VariantAttribute *entry;

    if (!*key || !*value || text_length(key) > ATTRIBUTE_MAX_KEY ||
        variant->n_attributes == VARIANT_MAX_ATTRIBUTES)
        return;
    for (size_t i = 0; i < variant->n_attributes; i++)
        if (text_equal(variant->attributes[i]->key, key))
            return;
    entry = arena_alloc(arena, sizeof(*entry));
    throughline__catalog__v1__variant__attributes_entry__init(entry);
    entry->key = arena_text(arena, key);
    entry->value = build_short(arena, value, ATTRIBUTE_MAX_VALUE);
    variant->attributes = append(arena, variant->attributes, &variant->n_attributes, entry);
}
