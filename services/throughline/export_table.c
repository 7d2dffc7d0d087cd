#include "services/throughline/export_table.h"

#include "shared/base/money.h"
#include "shared/base/text.h"
#include "shared/codec/types.h"

#include <inttypes.h>
#include <string.h>

typedef Throughline__Catalog__V1__Product Product;
typedef Throughline__Catalog__V1__Variant Variant;

/* Names in the order in which they first came. */
typedef struct Names {
    size_t count;
    size_t capacity;
    const char **list;
} Names;

struct ExportTable {
    Arena *arena;
    Names currencies;
    Names list_currencies; /* with a price to compare with */
    Names locations;
    Names attributes;
    Names variant_attributes;
    size_t n_media; /* of the product with most */
};

ExportTable *export_table_new(Arena *arena)
{
    ExportTable *table = arena_alloc(arena, sizeof(*table));

    table->arena = arena;
    return table;
}

static void note(Arena *arena, Names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (text_equal(names->list[i], name))
            return;
    if (names->count == names->capacity) {
        size_t capacity = names->capacity ? 2 * names->capacity : 16;

        names->list = arena_grow(arena, names->list, names->count, capacity, sizeof(*names->list));
        names->capacity = capacity;
    }
    names->list[names->count++] = arena_text(arena, name);
}

static void note_variant(ExportTable *table, const Variant *variant)
{
    for (size_t i = 0; i < variant->n_prices; i++) {
        const char *currency = variant->prices[i]->amount->currency_code;

        note(table->arena, &table->currencies, currency);
        if (variant->prices[i]->list_amount)
            note(table->arena, &table->list_currencies, currency);
    }
    for (size_t i = 0; i < variant->n_stock; i++)
        note(table->arena, &table->locations, variant->stock[i]->location);
    for (size_t i = 0; i < variant->n_attributes; i++)
        note(table->arena, &table->variant_attributes, variant->attributes[i]->key);
}

void export_table_note(ExportTable *table, const Product *product)
{
    for (size_t i = 0; i < product->n_attributes; i++)
        note(table->arena, &table->attributes, product->attributes[i]->key);
    for (size_t i = 0; i < product->n_variants; i++)
        note_variant(table, product->variants[i]);
    if (product->n_media > table->n_media)
        table->n_media = product->n_media;
}

/* RFC 4180: quoted where it must be. */
static void put(FILE *out, bool is_first, const char *prefix, const char *value)
{
    if (!is_first)
        putc(',', out);
    if (!strpbrk(value, ",\"\r\n") && !strpbrk(prefix, ",\"\r\n")) {
        fprintf(out, "%s%s", prefix, value);
        return;
    }
    fprintf(out, "\"%s", prefix);
    for (const char *at = value; *at; at++) {
        if (*at == '"')
            putc('"', out);
        putc(*at, out);
    }
    putc('"', out);
}

static void put_names(FILE *out, const char *prefix, const Names *names)
{
    for (size_t i = 0; i < names->count; i++)
        put(out, false, prefix, names->list[i]);
}

void export_table_header(const ExportTable *table, FILE *out)
{
    fputs("id,sku,gtin,title,variant,description,brand,category,retired", out);
    put_names(out, "price_", &table->currencies);
    put_names(out, "list_price_", &table->list_currencies);
    put_names(out, "stock_", &table->locations);
    for (size_t i = 0; i < table->n_media; i++)
        put(out, false, "", "image");
    put_names(out, "attribute:", &table->attributes);
    put_names(out, "variant_attribute:", &table->variant_attributes);
    fputs("\r\n", out);
}

/* "12.50": an amount without its currency. */
static void put_amount(FILE *out, const Google__Type__Money *money)
{
    char text[MONEY_TEXT_SIZE] = "";
    int64_t minor;

    if (money && money_minor(money, &minor)) {
        money_format(money->currency_code, minor, text);
        *strchr(text, ' ') = '\0';
    }
    put(out, false, "", text);
}

static void put_prices(const ExportTable *table, const Variant *variant, FILE *out)
{
    for (int is_list = 0; is_list < 2; is_list++) {
        const Names *currencies = is_list ? &table->list_currencies : &table->currencies;

        for (size_t i = 0; i < currencies->count; i++) {
            const Google__Type__Money *amount = NULL;

            for (size_t j = 0; j < variant->n_prices; j++)
                if (text_equal(variant->prices[j]->amount->currency_code, currencies->list[i]))
                    amount = is_list ? variant->prices[j]->list_amount : variant->prices[j]->amount;
            put_amount(out, amount);
        }
    }
}

static void put_stock(const ExportTable *table, const Variant *variant, FILE *out)
{
    for (size_t i = 0; i < table->locations.count; i++) {
        char number[24] = "";

        for (size_t j = 0; j < variant->n_stock; j++)
            if (text_equal(variant->stock[j]->location, table->locations.list[i]))
                snprintf(number, sizeof(number), "%" PRId64, variant->stock[j]->on_hand);
        put(out, false, "", number);
    }
}

static void put_attributes(
    const ExportTable *table, const Product *product, const Variant *variant, FILE *out)
{
    for (size_t i = 0; i < table->attributes.count; i++) {
        const char *value = "";

        for (size_t j = 0; j < product->n_attributes; j++)
            if (text_equal(product->attributes[j]->key, table->attributes.list[i]))
                value = product->attributes[j]->value;
        put(out, false, "", value);
    }
    for (size_t i = 0; i < table->variant_attributes.count; i++) {
        const char *value = "";

        for (size_t j = 0; j < variant->n_attributes; j++)
            if (text_equal(variant->attributes[j]->key, table->variant_attributes.list[i]))
                value = variant->attributes[j]->value;
        put(out, false, "", value);
    }
}

void export_table_rows(const ExportTable *table, const Product *product, FILE *out)
{
    bool is_retired = product->state == THROUGHLINE__CATALOG__V1__PRODUCT__STATE__RETIRED;

    for (size_t i = 0; i < product->n_variants; i++) {
        const Variant *variant = product->variants[i];

        put(out, true, "", product->name);
        put(out, false, "", variant->sku);
        put(out, false, "", variant->gtin);
        put(out, false, "", product->title);
        put(out, false, "", variant->title);
        put(out, false, "", product->description);
        put(out, false, "", product->brand);
        put(out, false, "", product->category);
        put(out, false, "", is_retired ? "true" : "");
        put_prices(table, variant, out);
        put_stock(table, variant, out);
        for (size_t j = 0; j < table->n_media; j++)
            put(out, false, "", j < product->n_media ? product->media[j] : "");
        put_attributes(table, product, variant, out);
        fputs("\r\n", out);
    }
}
