#include "services/catalog/domain/compare.h"

#include "services/catalog/domain/facet.h"
#include "shared/base/money.h"
#include "shared/codec/types.h"

#include <stdlib.h>
#include <string.h>

typedef Throughline__Catalog__V1__CompareProductsResponse__Item Item;
typedef Throughline__Catalog__V1__CompareProductsResponse__Row Row;

/* Of the price before and the price without promotions the first that is above what is paid. */
static Google__Type__Money *price_before(const PricedLine *line)
{
    Google__Type__Money *const before[] = { line->price_before, line->list_total };
    int64_t paid, minor;

    for (size_t i = 0; i < COUNT(before); i++)
        if (money_minor(line->total, &paid) && money_minor(before[i], &minor) && minor > paid)
            return before[i];
    return NULL;
}

static const char *price_text(const PricedLine *line, Arena *arena)
{
    int64_t minor;

    if (!line || !money_minor(line->total, &minor))
        return "";
    return money_format(line->total->currency_code, minor, arena_alloc(arena, MONEY_TEXT_SIZE));
}

static Item *show_item(const CompareItem *compared, Arena *arena)
{
    const Product *product = compared->product;
    const Variant *variant = compared->variant;
    Item *item = arena_alloc(arena, sizeof(*item));

    throughline__catalog__v1__compare_products_response__item__init(item);
    item->sku = variant->sku;
    item->product = product->name;
    item->title = *variant->title ? arena_printf(arena, "%s, %s", product->title, variant->title)
                                  : product->title;
    if (compared->line) {
        item->price = compared->line->total;
        item->price_before = price_before(compared->line);
    }
    item->available = compared->available;
    return item;
}

/* A row without values yet. */
static Row *add_row(Comparison *comparison, const char *field, Arena *arena)
{
    Row *row = arena_alloc(arena, sizeof(*row));

    throughline__catalog__v1__compare_products_response__row__init(row);
    row->field = arena_text(arena, field);
    row->values = arena_array(arena, comparison->n_items, sizeof(*row->values));
    comparison->rows[comparison->n_rows++] = row;
    return row;
}

static void add_value(Row *row, const char *value)
{
    row->is_different |= row->n_values > 0 && !text_equal(row->values[0], value);
    row->values[row->n_values++] = (char *)value;
}

static void add_common_rows(const CompareItem *items, Arena *arena, Comparison *comparison)
{
    Row *brand = add_row(comparison, "brand", arena);
    Row *category = add_row(comparison, "category", arena);
    Row *price = add_row(comparison, "price", arena);
    Row *available = add_row(comparison, "available", arena);

    for (size_t i = 0; i < comparison->n_items; i++) {
        add_value(brand, items[i].product->brand);
        add_value(category, items[i].product->category);
        add_value(price, price_text(items[i].line, arena));
        add_value(available, arena_printf(arena, "%lld", (long long)items[i].available));
    }
}

static const char *attribute(const CompareItem *item, const char *key)
{
    for (size_t i = 0; i < item->variant->n_attributes; i++)
        if (text_equal(item->variant->attributes[i]->key, key))
            return item->variant->attributes[i]->value;
    for (size_t i = 0; i < item->product->n_attributes; i++)
        if (text_equal(item->product->attributes[i]->key, key))
            return item->product->attributes[i]->value;
    return "";
}

static int by_text(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;

    return strcmp(*left, *right);
}

/* Every key that some item has, each once, in order. */
static size_t all_keys(const CompareItem *items, size_t n_items, Arena *arena, const char ***keys)
{
    size_t n_all = 0, n_keys = 0;

    for (size_t i = 0; i < n_items; i++)
        n_all += items[i].product->n_attributes + items[i].variant->n_attributes;
    *keys = arena_array(arena, n_all, sizeof(**keys));
    n_all = 0;
    for (size_t i = 0; i < n_items; i++) {
        for (size_t j = 0; j < items[i].product->n_attributes; j++)
            (*keys)[n_all++] = items[i].product->attributes[j]->key;
        for (size_t j = 0; j < items[i].variant->n_attributes; j++)
            (*keys)[n_all++] = items[i].variant->attributes[j]->key;
    }
    if (n_all > 1)
        qsort(*keys, n_all, sizeof(**keys), by_text);
    for (size_t i = 0; i < n_all; i++)
        if (i == 0 || !text_equal((*keys)[i], (*keys)[n_keys - 1]))
            (*keys)[n_keys++] = (*keys)[i];
    return n_keys;
}

void compare(const CompareItem *items, size_t n_items, Arena *arena, Comparison *comparison)
{
    enum { COMMON_ROWS = 4 };
    const char **keys;
    size_t n_keys = all_keys(items, n_items, arena, &keys);

    comparison->items = arena_array(arena, n_items, sizeof(*comparison->items));
    for (size_t i = 0; i < n_items; i++)
        comparison->items[comparison->n_items++] = show_item(&items[i], arena);
    comparison->rows = arena_array(arena, COMMON_ROWS + n_keys, sizeof(*comparison->rows));
    add_common_rows(items, arena, comparison);
    for (size_t i = 0; i < n_keys; i++) {
        Row *row =
            add_row(comparison, arena_printf(arena, "%s%s", facet_attributes, keys[i]), arena);

        for (size_t j = 0; j < n_items; j++)
            add_value(row, attribute(&items[j], keys[i]));
    }
}
