/* Products out of Saleor's sample data: a Django fixture, one flat list of rows of many tables that
 * refer to one another by number. */
#include "services/catalog/import/builder.h"
#include "services/catalog/import/source.h"

#include "shared/base/money.h"

#include <stdlib.h>
#include <string.h>

typedef struct Saleor {
    Source source;
    json_t *document;
    json_t *by_key;    /* "product.category/25" → its fields */
    json_t *by_parent; /* "product.productvariant/product=126" → [rows] */
    const json_t *products;
    size_t at;
} Saleor;

/* The fields by which rows of a table are looked up from what they belong to. */
static const struct {
    const char *model;
    const char *parent;
} children[] = {
    { "product.productvariant", "product" },
    { "product.productmedia", "product" },
    { "product.productchannellisting", "product" },
    { "product.productvariantchannellisting", "variant" },
    { "warehouse.stock", "product_variant" },
    { "attribute.assignedproductattributevalue", "product" },
    { "attribute.assignedvariantattribute", "variant" },
    { "attribute.assignedvariantattributevalue", "assignment" },
};

enum { MAX_CATEGORY_DEPTH = 20 };

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* A primary key is a number or a text. */
static const char *key_text(Arena *arena, const json_t *key)
{
    if (json_is_integer(key))
        return arena_printf(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(key));
    return json_is_string(key) ? json_string_value(key) : "";
}

static const json_t *find(const Saleor *saleor, Arena *arena, const char *model, const json_t *key)
{
    return json_object_get(
        saleor->by_key, arena_printf(arena, "%s/%s", model, key_text(arena, key)));
}

static const json_t *find_children(
    const Saleor *saleor, Arena *arena, const char *model, const char *parent, const json_t *key)
{
    return json_object_get(
        saleor->by_parent, arena_printf(arena, "%s/%s=%s", model, parent, key_text(arena, key)));
}

static void put_child(json_t *lists, const char *key, json_t *row)
{
    json_t *list = json_object_get(lists, key);

    if (!list) {
        list = json_array();
        json_object_set_new(lists, key, list);
    }
    json_array_append(list, row);
}

static void index_row(Saleor *saleor, Arena *arena, json_t *row)
{
    const char *model = text_at(row, "model");
    json_t *fields = json_object_get(row, "fields");

    json_object_set(saleor->by_key,
        arena_printf(arena, "%s/%s", model, key_text(arena, json_object_get(row, "pk"))), fields);
    if (text_equal(model, "product.product"))
        put_child(saleor->by_parent, "products", row);
    for (size_t i = 0; i < COUNT(children); i++)
        if (text_equal(children[i].model, model))
            put_child(saleor->by_parent,
                arena_printf(arena, "%s/%s=%s", model, children[i].parent,
                    key_text(arena, json_object_get(fields, children[i].parent))),
                row);
}

static const char *path_of_category(const Saleor *saleor, Arena *arena, const json_t *key)
{
    const char *path = "";

    for (int depth = 0; depth < MAX_CATEGORY_DEPTH && !json_is_null(key); depth++) {
        const json_t *category = find(saleor, arena, "product.category", key);

        if (!category)
            break;
        path = *path ? arena_printf(arena, "%s > %s", text_at(category, "name"), path)
                     : text_at(category, "name");
        key = json_object_get(category, "parent");
    }
    return category_is_valid(path) ? path : "";
}

/* Name and value of an attribute's value. */
static bool attribute_of(const Saleor *saleor, Arena *arena, const json_t *value_key,
    const char **name, const char **value)
{
    const json_t *fields = find(saleor, arena, "attribute.attributevalue", value_key);
    const json_t *attribute =
        find(saleor, arena, "attribute.attribute", json_object_get(fields, "attribute"));

    *name = text_at(attribute, "name");
    *value = text_at(fields, "name");
    return attribute;
}

/* Saleor keeps three digits behind the point whatever the currency has. */
static bool read_amount(Arena *arena, const char *currency, const char *text, int64_t *minor)
{
    char *amount = arena_text(arena, text);
    size_t length = strlen(amount);

    if (strchr(amount, '.'))
        while (length > 0 && amount[length - 1] == '0')
            amount[--length] = '\0';
    if (length > 0 && amount[length - 1] == '.')
        amount[length - 1] = '\0';
    return money_parse(currency, amount, minor) && *minor >= 0;
}

/* One price a currency: that of the first channel that has it. What is discounted is compared with
 * the full price. */
static void add_prices(
    const Saleor *saleor, Arena *arena, const json_t *key, CatalogRow *out, Variant *variant)
{
    const json_t *listings =
        find_children(saleor, arena, "product.productvariantchannellisting", "variant", key);
    size_t i;
    const json_t *row;

    json_array_foreach(listings, i, row)
    {
        const json_t *fields = json_object_get(row, "fields");
        const char *currency = text_at(fields, "currency");
        const char *full = text_at(fields, "price_amount");
        const char *discounted = text_at(fields, "discounted_price_amount");
        int64_t full_minor;
        int64_t minor;

        if (!*full || variant_price(variant, currency))
            continue;
        if (!read_amount(arena, currency, full, &full_minor) ||
            !read_amount(arena, currency, *discounted ? discounted : full, &minor))
            row_problem(arena, out, out->number, "price_amount",
                "\"%s\" is not an amount in \"%s\"", full, currency);
        else
            build_price(arena, variant, currency, minor, full_minor);
    }
}

static void add_stock(const Saleor *saleor, Arena *arena, const json_t *key, Variant *variant)
{
    const json_t *stock = find_children(saleor, arena, "warehouse.stock", "product_variant", key);
    size_t i;
    const json_t *row;

    json_array_foreach(stock, i, row)
    {
        const json_t *fields = json_object_get(row, "fields");
        const json_t *warehouse =
            find(saleor, arena, "warehouse.warehouse", json_object_get(fields, "warehouse"));

        build_stock(arena, variant, build_slug(arena, text_at(warehouse, "slug")),
            json_integer_value(json_object_get(fields, "quantity")));
    }
}

static void add_variant_attributes(
    const Saleor *saleor, Arena *arena, const json_t *key, Variant *variant)
{
    const json_t *assigned =
        find_children(saleor, arena, "attribute.assignedvariantattribute", "variant", key);
    size_t i;
    size_t j;
    const json_t *row;
    const json_t *value;

    json_array_foreach(assigned, i, row)
    {
        const json_t *values = find_children(saleor, arena,
            "attribute.assignedvariantattributevalue", "assignment", json_object_get(row, "pk"));

        json_array_foreach(values, j, value)
        {
            const char *name;
            const char *text;

            if (attribute_of(saleor, arena,
                    json_object_get(json_object_get(value, "fields"), "value"), &name, &text))
                build_variant_attribute(arena, variant, name, text);
        }
    }
}

static void add_variants(const Saleor *saleor, Arena *arena, const json_t *product_key,
    CatalogRow *out, Product *product)
{
    const json_t *variants =
        find_children(saleor, arena, "product.productvariant", "product", product_key);
    size_t i;
    const json_t *row;

    json_array_foreach(variants, i, row)
    {
        const json_t *fields = json_object_get(row, "fields");
        const json_t *key = json_object_get(row, "pk");
        const char *sku = text_at(fields, "sku");
        const char *slug = product->name + strlen("products/");
        Variant *variant;

        /* A SKU is not required there: product and number stand for it. */
        if (!*sku)
            sku = arena_printf(arena, "%s-%s", slug, key_text(arena, key));
        variant = build_variant(arena, product, build_sku(arena, sku), text_at(fields, "name"));
        add_prices(saleor, arena, key, out, variant);
        add_stock(saleor, arena, key, variant);
        add_variant_attributes(saleor, arena, key, variant);
    }
}

static void add_product_details(
    const Saleor *saleor, Arena *arena, const json_t *key, Product *product)
{
    const json_t *values =
        find_children(saleor, arena, "attribute.assignedproductattributevalue", "product", key);
    const json_t *media = find_children(saleor, arena, "product.productmedia", "product", key);
    size_t i;
    const json_t *row;

    json_array_foreach(values, i, row)
    {
        const char *name;
        const char *text;

        if (attribute_of(saleor, arena, json_object_get(json_object_get(row, "fields"), "value"),
                &name, &text))
            build_attribute(arena, product, name, text);
    }
    json_array_foreach(media, i, row)
        build_media(arena, product, text_at(json_object_get(row, "fields"), "image"));
}

/* For sale where some channel publishes it. */
static bool is_published(const Saleor *saleor, Arena *arena, const json_t *key)
{
    const json_t *listings =
        find_children(saleor, arena, "product.productchannellisting", "product", key);
    size_t i;
    const json_t *row;

    json_array_foreach(
        listings, i, row) if (json_is_true(json_object_get(json_object_get(row, "fields"),
                                  "is_published"))) return true;
    return false;
}

static bool next(Source *source, Arena *arena, CatalogRow *out)
{
    Saleor *saleor = (Saleor *)source;
    const json_t *row = json_array_get(saleor->products, saleor->at);
    const json_t *key = json_object_get(row, "pk");
    const json_t *fields = json_object_get(row, "fields");
    Product *product;

    if (!row)
        return false;
    *out = (CatalogRow){ .number = (int64_t)++saleor->at };
    if (!*text_at(fields, "name"))
        row_problem(arena, out, out->number, "name", "is missing");
    product = build_product(arena,
        build_slug(
            arena, *text_at(fields, "slug") ? text_at(fields, "slug") : text_at(fields, "name")),
        text_at(fields, "name"), text_at(fields, "description_plaintext"));
    product->category =
        arena_text(arena, path_of_category(saleor, arena, json_object_get(fields, "category")));
    if (!is_published(saleor, arena, key))
        product->state = PRODUCT_RETIRED;
    add_product_details(saleor, arena, key, product);
    add_variants(saleor, arena, key, out, product);
    if (out->n_problems == 0)
        out->product = product;
    return true;
}

static int progress(const Source *source)
{
    const Saleor *saleor = (const Saleor *)source;
    size_t count = json_array_size(saleor->products);

    return count ? (int)(saleor->at * 1000 / count) : 1000;
}

static void close_saleor(Source *source)
{
    Saleor *saleor = (Saleor *)source;

    json_decref(saleor->document);
    json_decref(saleor->by_key);
    json_decref(saleor->by_parent);
    free(saleor);
}

Source *saleor_open(json_t *document)
{
    const json_t *first = json_array_get(document, 0);
    Saleor *saleor;
    Arena *arena;
    size_t i;
    json_t *row;

    if (!*text_at(first, "model") || !json_object_get(first, "fields"))
        return NULL;
    saleor = calloc(1, sizeof(*saleor));
    if (!saleor)
        abort();
    saleor->source = (Source){ "Saleor fixture", next, progress, close_saleor };
    saleor->document = document;
    saleor->by_key = json_object();
    saleor->by_parent = json_object();
    arena = arena_new();
    json_array_foreach(document, i, row)
    {
        index_row(saleor, arena, row);
        arena_reset(arena);
    }
    arena_free(arena);
    saleor->products = json_object_get(saleor->by_parent, "products");
    return &saleor->source;
}
