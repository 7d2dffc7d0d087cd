/* Products in JSON: our own form a line or in an array, and Online Boutique's with "priceUsd". */
/* Before jansson, whose macros have the names of its constants. */
#include "shared/codec/json.h"

#include "services/catalog/import/builder.h"
#include "services/catalog/import/source.h"
#include "shared/base/money.h"

#include "throughline/catalog/v1/events.pb-c.h"

#include <stdlib.h>
#include <string.h>

typedef struct Lines {
    Source source;
    FILE *file;
    int64_t size;
    int64_t number;
    char *line;
    size_t capacity;
} Lines;

typedef struct Items {
    Source source;
    json_t *document;
    const json_t *items;
    size_t at;
} Items;

/* A line of another kind of record. */
static bool read_record(Arena *arena, Bytes text, CatalogRow *out)
{
    void *message;
    const Throughline__Catalog__V1__TaxonomyChanged *line;

    if (json_to_message(
            arena, &throughline__catalog__v1__taxonomy_changed__descriptor, text, &message))
        return false;
    line = message;
    switch (line->record_case) {
    case THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD_CATEGORY:
        out->category = line->category;
        return true;
    case THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD_PRODUCT_TYPE:
        out->product_type = line->product_type;
        return true;
    case THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD_BRAND:
        out->brand = line->brand;
        return true;
    case THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD_LOCATION:
        out->location = line->location;
        return true;
    default:
        return false;
    }
}

/* Reads a Product in the protobuf JSON form into the row, with a problem for every bad field; or another record that its line names. */
static void read_product(Arena *arena, Bytes text, CatalogRow *out)
{
    void *product;
    const Error *error =
        json_to_message(arena, &throughline__catalog__v1__product__descriptor, text, &product);

    if (!error) {
        out->product = product;
        return;
    }
    if (read_record(arena, text, out))
        return;
    for (size_t i = 0; i < error->n_violations; i++)
        row_problem(arena, out, out->number, error->violations[i].field, "%s",
            error->violations[i].description);
    if (error->n_violations == 0)
        row_problem(arena, out, out->number, "", "%s", error->message);
}

static bool next_line(Source *source, Arena *arena, CatalogRow *out)
{
    Lines *lines = (Lines *)source;
    ssize_t length;

    do {
        length = getline(&lines->line, &lines->capacity, lines->file);
        lines->number++;
    } while (length > 0 && (size_t)length == strspn(lines->line, " \t\r\n"));
    if (length <= 0)
        return false;
    *out = (CatalogRow){ .number = lines->number };
    read_product(arena, (Bytes){ (const uint8_t *)lines->line, (size_t)length }, out);
    return true;
}

static int lines_progress(const Source *source)
{
    const Lines *lines = (const Lines *)source;
    int64_t at = ftello(lines->file);

    return at < lines->size ? (int)(at * 1000 / lines->size) : 1000;
}

static void close_lines(Source *source)
{
    Lines *lines = (Lines *)source;

    fclose(lines->file);
    free(lines->line);
    free(lines);
}

Source *json_lines_open(FILE *file)
{
    Lines *lines = calloc(1, sizeof(*lines));
    int64_t start = ftello(file);

    if (!lines)
        abort();
    lines->source = (Source){ "JSON lines", next_line, lines_progress, close_lines };
    lines->file = file;
    fseeko(file, 0, SEEK_END);
    lines->size = ftello(file);
    fseeko(file, start, SEEK_SET);
    return &lines->source;
}

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static const char *joined(Arena *arena, const json_t *texts)
{
    const char *path = "";
    size_t i;
    const json_t *text;

    json_array_foreach(texts, i, text) if (json_is_string(text)) path =
        *path ? arena_printf(arena, "%s > %s", path, json_string_value(text))
              : json_string_value(text);
    return path;
}

static void read_boutique_product(Arena *arena, const json_t *item, CatalogRow *out)
{
    const json_t *price = json_object_get(item, "priceUsd");
    const char *id = text_at(item, "id");
    const char *currency = text_at(price, "currencyCode");
    json_int_t nanos = json_integer_value(json_object_get(price, "nanos"));
    int64_t minor;
    Product *product;
    Variant *variant;

    if (!*id)
        row_problem(arena, out, out->number, "id", "is missing");
    if (!*text_at(item, "name"))
        row_problem(arena, out, out->number, "name", "is missing");
    if (nanos < INT32_MIN || nanos > INT32_MAX ||
        !money_from_units(currency, json_integer_value(json_object_get(price, "units")),
            (int32_t)nanos, &minor) ||
        minor < 0)
        row_problem(arena, out, out->number, "priceUsd", "is not a price");
    if (out->n_problems)
        return;
    product = build_product(
        arena, build_slug(arena, id), text_at(item, "name"), text_at(item, "description"));
    product->category = build_category(arena, joined(arena, json_object_get(item, "categories")));
    build_media(arena, product, text_at(item, "picture"));
    variant = build_variant(arena, product, build_sku(arena, id), "");
    build_price(arena, variant, currency, minor, minor);
    out->product = product;
}

static bool next_item(Source *source, Arena *arena, CatalogRow *out)
{
    Items *items = (Items *)source;
    const json_t *item = json_array_get(items->items, items->at);
    char *text;

    if (!item)
        return false;
    *out = (CatalogRow){ .number = (int64_t)++items->at };
    if (json_object_get(item, "priceUsd")) {
        read_boutique_product(arena, item, out);
        return true;
    }
    text = json_dumps(item, JSON_ENCODE_ANY);
    read_product(arena, (Bytes){ (const uint8_t *)text, strlen(text) }, out);
    free(text);
    return true;
}

static int items_progress(const Source *source)
{
    const Items *items = (const Items *)source;
    size_t count = json_array_size(items->items);

    return count ? (int)(items->at * 1000 / count) : 1000;
}

static void close_items(Source *source)
{
    Items *items = (Items *)source;

    json_decref(items->document);
    free(items);
}

Source *json_array_open(json_t *document)
{
    const json_t *inside = json_object_get(document, "products");
    Items *items;

    if (!json_is_array(inside ? inside : document))
        return NULL;
    items = calloc(1, sizeof(*items));
    if (!items)
        abort();
    items->source = (Source){ "JSON", next_item, items_progress, close_items };
    items->document = document;
    items->items = inside ? inside : document;
    return &items->source;
}
