/* Before jansson, whose macros have the names of its constants. */
#include "shared/codec/json.h"

#include "services/catalog/import/builder.h"
#include "services/catalog/import/table_parts.h"
#include "shared/codec/message.h"

#include <string.h>

enum { SHOWN = 40, RELATION_WORDS = 4 };

/* Words of a text, at most `max` of them; one more is counted when there are more. */
static size_t split(
    Arena *arena, const char *text, const char *separators, const char **words, size_t max)
{
    size_t n_words = 0;

    while (*(text += strspn(text, separators))) {
        size_t length = strcspn(text, separators);

        if (n_words == max)
            return max + 1;
        words[n_words++] = arena_text_of(arena, text, length);
        text += length;
    }
    return n_words;
}

static bool read_state(const char *text, Product *product)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value_by_name(
        &throughline__catalog__v1__product__state__descriptor, text);

    if (!value || !value->value)
        return false;
    product->state = (Throughline__Catalog__V1__Product__State)value->value;
    return true;
}

static bool read_type(Arena *arena, const char *text, Product *product)
{
    if (!text_matches_name(text, "productTypes/*"))
        return false;
    product->type = arena_text(arena, text);
    return true;
}

static bool read_categories(Arena *arena, const char *text, Product *product)
{
    const char *words[PRODUCT_MAX_CATEGORIES];
    size_t n_words = split(arena, text, " ", words, COUNT(words));

    if (n_words > COUNT(words))
        return false;
    for (size_t i = 0; i < n_words; i++)
        if (!text_matches_name(words[i], "categories/*"))
            return false;
    product->categories = arena_copy(arena, words, n_words * sizeof(*words));
    product->n_categories = n_words;
    return true;
}

/* "BUNDLE_PART products/tent tent-green 2" */
static Relation *read_relation(Arena *arena, const char *text)
{
    const char *words[RELATION_WORDS];
    size_t n_words = split(arena, text, " ", words, COUNT(words));
    Relation *relation = message_new(arena, &throughline__catalog__v1__relation__descriptor);
    const ProtobufCEnumValue *kind;
    int64_t quantity = 0;

    if (n_words < 2 || n_words > RELATION_WORDS)
        return NULL;
    kind = protobuf_c_enum_descriptor_get_value_by_name(
        &throughline__catalog__v1__relation__kind__descriptor, words[0]);
    if (!kind || (n_words == RELATION_WORDS && (!text_to_int64(words[3], &quantity) ||
                                                   quantity < 0 || quantity > BUNDLE_MAX_QUANTITY)))
        return NULL;
    relation->kind = (Throughline__Catalog__V1__Relation__Kind)kind->value;
    relation->product = (char *)words[1];
    relation->sku = n_words > 2 ? (char *)words[2] : relation->sku;
    relation->quantity = (int32_t)quantity;
    return relation;
}

static bool read_relations(Arena *arena, const char *text, Product *product)
{
    const char *items[PRODUCT_MAX_RELATIONS];
    size_t n_items = split(arena, text, ";", items, COUNT(items));

    if (n_items > COUNT(items))
        return false;
    product->relations = arena_array(arena, n_items, sizeof(*product->relations));
    for (size_t i = 0; i < n_items; i++)
        if (!(product->relations[i] = read_relation(arena, items[i])))
            return false;
    product->n_relations = n_items;
    return true;
}

static void *read_json(Arena *arena, const char *text, const ProtobufCMessageDescriptor *descriptor)
{
    Bytes json = { (const uint8_t *)text, strlen(text) };
    void *message;

    return json_to_message(arena, descriptor, json, &message) ? NULL : message;
}

/* Both lists as one. */
static void *joined(Arena *arena, void *items, size_t *n_items, void *const *more, size_t n_more)
{
    void **grown = arena_grow(arena, items, *n_items, *n_items + n_more, sizeof(void *));

    for (size_t i = 0; i < n_more; i++)
        grown[(*n_items)++] = more[i];
    return grown;
}

static bool read_more(Arena *arena, const char *text, Product *product)
{
    const Product *more = read_json(arena, text, &throughline__catalog__v1__product__descriptor);

    if (!more)
        return false;
    product->attributes = joined(arena, product->attributes, &product->n_attributes,
        (void *const *)more->attributes, more->n_attributes);
    product->texts =
        joined(arena, product->texts, &product->n_texts, (void *const *)more->texts, more->n_texts);
    product->media_items = more->media_items;
    product->n_media_items = more->n_media_items;
    return true;
}

static bool read_variant_more(Arena *arena, const char *text, Variant *variant)
{
    const Variant *more = read_json(arena, text, &throughline__catalog__v1__variant__descriptor);

    if (!more)
        return false;
    variant->attributes = joined(arena, variant->attributes, &variant->n_attributes,
        (void *const *)more->attributes, more->n_attributes);
    variant->texts =
        joined(arena, variant->texts, &variant->n_texts, (void *const *)more->texts, more->n_texts);
    variant->prices = joined(
        arena, variant->prices, &variant->n_prices, (void *const *)more->prices, more->n_prices);
    variant->stock =
        joined(arena, variant->stock, &variant->n_stock, (void *const *)more->stock, more->n_stock);
    return true;
}

/* The text in a language of a list, added if it is not there yet. */
static LocalText *text_in(Arena *arena, LocalText ***texts, size_t *n_texts, const char *language)
{
    LocalText *text;

    for (size_t i = 0; i < *n_texts; i++)
        if (text_equal((*texts)[i]->language, language))
            return (*texts)[i];
    text = message_new(arena, &throughline__catalog__v1__local_text__descriptor);
    text->language = arena_text(arena, language);
    *texts = joined(arena, *texts, n_texts, (void *const *)&text, 1);
    return text;
}

/* False when the column cannot have the value. */
static bool read_part(Arena *arena, const Column *column, const char *value, Product *product)
{
    switch (column->role) {
    case COLUMN_STATE:
        return read_state(value, product);
    case COLUMN_TYPE:
        return read_type(arena, value, product);
    case COLUMN_CATEGORIES:
        return read_categories(arena, value, product);
    case COLUMN_RELATIONS:
        return read_relations(arena, value, product);
    case COLUMN_MORE:
        return read_more(arena, value, product);
    case COLUMN_TITLE_TEXT:
        text_in(arena, &product->texts, &product->n_texts, column->detail)->title =
            arena_text(arena, value);
        return true;
    case COLUMN_DESCRIPTION_TEXT:
        text_in(arena, &product->texts, &product->n_texts, column->detail)->description =
            arena_text(arena, value);
        return true;
    default:
        return true;
    }
}

void table_parts_product(
    Arena *arena, const Columns *columns, const TableFields *row, CatalogRow *out, Product *product)
{
    for (size_t i = 0; i < columns->n_columns; i++) {
        const Column *column = &columns->columns[i];
        const char *value = row->fields[i];

        if (!*value || read_part(arena, column, value, product))
            continue;
        if (row->is_exact)
            row_problem(arena, out, row->number, column->header, "\"%s\" cannot be read",
                build_short(arena, value, SHOWN));
        else
            build_attribute(arena, product, column->header, value);
    }
}

void table_parts_variant(
    Arena *arena, const Columns *columns, const TableFields *row, CatalogRow *out, Variant *variant)
{
    for (size_t i = 0; i < columns->n_columns; i++) {
        const Column *column = &columns->columns[i];
        const char *value = row->fields[i];

        if (!*value)
            continue;
        if (column->role == COLUMN_VARIANT_TEXT)
            text_in(arena, &variant->texts, &variant->n_texts, column->detail)->title =
                arena_text(arena, value);
        if (column->role != COLUMN_VARIANT_MORE || read_variant_more(arena, value, variant))
            continue;
        if (row->is_exact)
            row_problem(arena, out, row->number, column->header, "\"%s\" cannot be read",
                build_short(arena, value, SHOWN));
        else
            build_variant_attribute(arena, variant, column->header, value);
    }
}
