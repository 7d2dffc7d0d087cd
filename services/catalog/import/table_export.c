#include "services/catalog/import/table_export.h"

#include "shared/base/money.h"
#include "shared/codec/json.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <inttypes.h>
#include <string.h>

typedef Throughline__Catalog__V1__Product__AttributesEntry ProductAttribute;
typedef Throughline__Catalog__V1__Variant__AttributesEntry VariantAttribute;

/* So that a row has fewer fields than a reader takes. */
enum { MAX_KEYS = 200, MAX_LANGUAGES = 50, MAX_LOCATIONS = 1000, MAX_CURRENCIES = 200 };

/* Names in the order in which they first came. */
typedef struct Names {
    size_t count;
    size_t capacity;
    const char **list;
} Names;

struct TableExport {
    Arena *arena;
    Names currencies;
    Names list_currencies; /* with a price to compare with */
    Names locations;
    Names languages;
    Names variant_languages;
    Names attributes;
    Names variant_attributes;
    size_t n_media; /* of the product with most */
};

TableExport *table_export_new(Arena *arena)
{
    TableExport *table = arena_alloc(arena, sizeof(*table));

    table->arena = arena;
    return table;
}

static bool has(const Names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (text_equal(names->list[i], name))
            return true;
    return false;
}

static void note(Arena *arena, Names *names, const char *name, size_t max)
{
    if (names->count == max || has(names, name))
        return;
    if (names->count == names->capacity) {
        size_t capacity = names->capacity ? 2 * names->capacity : 16;

        names->list = arena_grow(arena, names->list, names->count, capacity, sizeof(*names->list));
        names->capacity = capacity;
    }
    names->list[names->count++] = arena_text(arena, name);
}

static void note_variant(TableExport *table, const Variant *variant)
{
    Arena *arena = table->arena;

    for (size_t i = 0; i < variant->n_prices; i++) {
        const char *currency = variant->prices[i]->amount->currency_code;

        note(arena, &table->currencies, currency, MAX_CURRENCIES);
        if (variant->prices[i]->list_amount)
            note(arena, &table->list_currencies, currency, MAX_CURRENCIES);
    }
    for (size_t i = 0; i < variant->n_stock; i++)
        note(arena, &table->locations, variant->stock[i]->location, MAX_LOCATIONS);
    for (size_t i = 0; i < variant->n_texts; i++)
        note(arena, &table->variant_languages, variant->texts[i]->language, MAX_LANGUAGES);
    for (size_t i = 0; i < variant->n_attributes; i++)
        note(arena, &table->variant_attributes, variant->attributes[i]->key, MAX_KEYS);
}

void table_export_note(TableExport *table, const Product *product)
{
    for (size_t i = 0; i < product->n_attributes; i++)
        note(table->arena, &table->attributes, product->attributes[i]->key, MAX_KEYS);
    for (size_t i = 0; i < product->n_texts; i++)
        note(table->arena, &table->languages, product->texts[i]->language, MAX_LANGUAGES);
    for (size_t i = 0; i < product->n_variants; i++)
        note_variant(table, product->variants[i]);
    if (product->n_media > table->n_media)
        table->n_media = product->n_media;
}

/* Fields. */

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

void table_export_header(const TableExport *table, FILE *out)
{
    fputs("id,sku,gtin,title,variant,description,brand,category,type,categories,state,relations",
        out);
    put_names(out, "title@", &table->languages);
    put_names(out, "description@", &table->languages);
    put_names(out, "variant@", &table->variant_languages);
    put_names(out, "price_", &table->currencies);
    put_names(out, "list_price_", &table->list_currencies);
    put_names(out, "stock_", &table->locations);
    for (size_t i = 0; i < table->n_media; i++)
        put(out, false, "", "image");
    put_names(out, "attribute:", &table->attributes);
    put_names(out, "variant_attribute:", &table->variant_attributes);
    fputs(",more,variant_more\r\n", out);
}

/* What no column says. */

/* A list price that is no higher would be taken for none. */
static bool is_plain_price(const TableExport *table, const Price *price)
{
    int64_t amount, list_amount;

    return has(&table->currencies, price->amount->currency_code) &&
           (!price->list_amount ||
               (money_minor(price->amount, &amount) &&
                   money_minor(price->list_amount, &list_amount) && list_amount > amount));
}

static bool is_plain_text(const Names *languages, const LocalText *text, bool is_of_variant)
{
    return has(languages, text->language) && (is_of_variant ? *text->title && !*text->description
                                                            : *text->title || *text->description);
}

static const char *json_of(Arena *arena, const void *rest)
{
    const char *json = json_from_message(arena, rest, JSON_COMPACT);

    return text_equal(json, "{}") ? "" : json;
}

static const char *more_of(const TableExport *table, const Product *product, Arena *arena)
{
    Product rest = THROUGHLINE__CATALOG__V1__PRODUCT__INIT;

    rest.attributes = arena_array(arena, product->n_attributes, sizeof(*rest.attributes));
    rest.texts = arena_array(arena, product->n_texts, sizeof(*rest.texts));
    for (size_t i = 0; i < product->n_attributes; i++) {
        ProductAttribute *entry = product->attributes[i];

        if (!*entry->value || !has(&table->attributes, entry->key))
            rest.attributes[rest.n_attributes++] = entry;
    }
    for (size_t i = 0; i < product->n_texts; i++)
        if (!is_plain_text(&table->languages, product->texts[i], false))
            rest.texts[rest.n_texts++] = product->texts[i];
    rest.media_items = product->media_items;
    rest.n_media_items = product->n_media_items;
    return json_of(arena, &rest);
}

static const char *variant_more_of(const TableExport *table, const Variant *variant, Arena *arena)
{
    Variant rest = THROUGHLINE__CATALOG__V1__VARIANT__INIT;

    rest.attributes = arena_array(arena, variant->n_attributes, sizeof(*rest.attributes));
    rest.texts = arena_array(arena, variant->n_texts, sizeof(*rest.texts));
    rest.prices = arena_array(arena, variant->n_prices, sizeof(*rest.prices));
    rest.stock = arena_array(arena, variant->n_stock, sizeof(*rest.stock));
    for (size_t i = 0; i < variant->n_attributes; i++) {
        VariantAttribute *entry = variant->attributes[i];

        if (!*entry->value || !has(&table->variant_attributes, entry->key))
            rest.attributes[rest.n_attributes++] = entry;
    }
    for (size_t i = 0; i < variant->n_texts; i++)
        if (!is_plain_text(&table->variant_languages, variant->texts[i], true))
            rest.texts[rest.n_texts++] = variant->texts[i];
    for (size_t i = 0; i < variant->n_prices; i++)
        if (!is_plain_price(table, variant->prices[i]))
            rest.prices[rest.n_prices++] = variant->prices[i];
    for (size_t i = 0; i < variant->n_stock; i++)
        if (!has(&table->locations, variant->stock[i]->location))
            rest.stock[rest.n_stock++] = variant->stock[i];
    return json_of(arena, &rest);
}

/* Rows. */

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

static void put_prices(const TableExport *table, const Variant *variant, FILE *out)
{
    for (int is_list = 0; is_list < 2; is_list++) {
        const Names *currencies = is_list ? &table->list_currencies : &table->currencies;

        for (size_t i = 0; i < currencies->count; i++) {
            const Price *price = variant_price(variant, currencies->list[i]);

            if (price && !is_plain_price(table, price))
                price = NULL;
            put_amount(out, !price ? NULL : is_list ? price->list_amount : price->amount);
        }
    }
}

static void put_stock(const TableExport *table, const Variant *variant, FILE *out)
{
    for (size_t i = 0; i < table->locations.count; i++) {
        char number[24] = "";

        for (size_t j = 0; j < variant->n_stock; j++)
            if (text_equal(variant->stock[j]->location, table->locations.list[i]))
                snprintf(number, sizeof(number), "%" PRId64, variant->stock[j]->on_hand);
        put(out, false, "", number);
    }
}

/* `product` is NULL on the rows behind its first one. */
static void put_attributes(
    const TableExport *table, const Product *product, const Variant *variant, FILE *out)
{
    for (size_t i = 0; i < table->attributes.count; i++) {
        const char *value = "";

        for (size_t j = 0; product && j < product->n_attributes; j++)
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

static void put_texts(
    FILE *out, const Names *languages, LocalText *const *texts, size_t n_texts, bool is_title)
{
    for (size_t i = 0; i < languages->count; i++) {
        const char *value = "";

        for (size_t j = 0; j < n_texts; j++)
            if (text_equal(texts[j]->language, languages->list[i]))
                value = is_title ? texts[j]->title : texts[j]->description;
        put(out, false, "", value);
    }
}

/* Texts of a variant whose descriptions make them go elsewhere. */
static void put_variant_texts(FILE *out, const Names *languages, const Variant *variant)
{
    for (size_t i = 0; i < languages->count; i++) {
        const char *value = "";

        for (size_t j = 0; j < variant->n_texts; j++)
            if (text_equal(variant->texts[j]->language, languages->list[i]) &&
                is_plain_text(languages, variant->texts[j], true))
                value = variant->texts[j]->title;
        put(out, false, "", value);
    }
}

static const char *enum_name(const ProtobufCEnumDescriptor *type, int number)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(type, number);

    return value ? value->name : "";
}

static const char *relations_of(const Product *product, Arena *arena)
{
    const char *text = "";

    for (size_t i = 0; i < product->n_relations; i++) {
        const Relation *relation = product->relations[i];

        text = arena_printf(arena, "%s%s%s %s%s%s", text, i ? "; " : "",
            enum_name(&throughline__catalog__v1__relation__kind__descriptor, (int)relation->kind),
            relation->product, *relation->sku ? " " : "", relation->sku);
        if (relation->quantity)
            text = arena_printf(arena, "%s %" PRId32, text, relation->quantity);
    }
    return text;
}

static const char *categories_of(const Product *product, Arena *arena)
{
    const char *text = "";

    for (size_t i = 0; i < product->n_categories; i++)
        text = arena_printf(arena, "%s%s%s", text, i ? " " : "", product->categories[i]);
    return text;
}

static void put_row(
    const TableExport *table, const Product *product, size_t number, Arena *arena, FILE *out)
{
    const Product nothing = THROUGHLINE__CATALOG__V1__PRODUCT__INIT;
    const Product *shown = number ? &nothing : product;
    const Variant *variant = product->variants[number];

    put(out, true, "", product->name);
    put(out, false, "", variant->sku);
    put(out, false, "", variant->gtin);
    put(out, false, "", shown->title);
    put(out, false, "", variant->title);
    put(out, false, "", shown->description);
    put(out, false, "", shown->brand);
    put(out, false, "", shown->category);
    put(out, false, "", shown->type);
    put(out, false, "", categories_of(shown, arena));
    put(out, false, "",
        number
            ? ""
            : enum_name(&throughline__catalog__v1__product__state__descriptor, (int)shown->state));
    put(out, false, "", relations_of(shown, arena));
    put_texts(out, &table->languages, shown->texts, shown->n_texts, true);
    put_texts(out, &table->languages, shown->texts, shown->n_texts, false);
    put_variant_texts(out, &table->variant_languages, variant);
    put_prices(table, variant, out);
    put_stock(table, variant, out);
    for (size_t i = 0; i < table->n_media; i++)
        put(out, false, "", i < shown->n_media ? shown->media[i] : "");
    put_attributes(table, shown, variant, out);
    put(out, false, "", more_of(table, shown, arena));
    put(out, false, "", variant_more_of(table, variant, arena));
    fputs("\r\n", out);
}

void table_export_rows(const TableExport *table, const Product *product, FILE *out)
{
    Arena *arena = arena_new();

    for (size_t i = 0; i < product->n_variants; i++)
        put_row(table, product, i, arena, out);
    arena_free(arena);
}
