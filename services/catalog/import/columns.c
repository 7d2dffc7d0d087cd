#include "services/catalog/import/columns.h"

#include "services/catalog/domain/product.h"
#include "shared/base/money.h"

#include <string.h>

static const char attribute_prefix[] = "attribute:";
static const char variant_attribute_prefix[] = "variant_attribute:";

/* Names in lower case with "_" for what is no letter or digit. */
static const struct {
    const char *name;
    ColumnRole role;
} known[] = {
    { "id", COLUMN_ID },
    { "handle", COLUMN_ID },
    { "product", COLUMN_ID },
    { "product_id", COLUMN_ID },
    { "productid", COLUMN_ID },
    { "slug", COLUMN_ID },
    { "sku", COLUMN_SKU },
    { "variant_sku", COLUMN_SKU },
    { "pid", COLUMN_SKU },
    { "item_number", COLUMN_SKU },
    { "gtin", COLUMN_GTIN },
    { "gtin13", COLUMN_GTIN },
    { "ean", COLUMN_GTIN },
    { "upc", COLUMN_GTIN },
    { "barcode", COLUMN_GTIN },
    { "title", COLUMN_TITLE },
    { "product_title", COLUMN_TITLE },
    { "product_name", COLUMN_TITLE },
    { "productname", COLUMN_TITLE },
    { "variant", COLUMN_VARIANT },
    { "variant_title", COLUMN_VARIANT },
    { "option", COLUMN_VARIANT },
    { "description", COLUMN_DESCRIPTION },
    { "body", COLUMN_DESCRIPTION },
    { "brand", COLUMN_BRAND },
    { "manufacturer", COLUMN_BRAND },
    { "vendor", COLUMN_BRAND },
    { "category", COLUMN_CATEGORY },
    { "category_path", COLUMN_CATEGORY },
    { "product_category_tree", COLUMN_CATEGORY },
    { "product_type", COLUMN_CATEGORY },
    { "currency", COLUMN_CURRENCY },
    { "currency_code", COLUMN_CURRENCY },
    { "price", COLUMN_PRICE },
    { "unit_price", COLUMN_PRICE },
    { "unitprice", COLUMN_PRICE },
    { "discounted_price", COLUMN_PRICE },
    { "list_price", COLUMN_LIST_PRICE },
    { "retail_price", COLUMN_LIST_PRICE },
    { "compare_at_price", COLUMN_LIST_PRICE },
    { "msrp", COLUMN_LIST_PRICE },
    { "stock", COLUMN_STOCK },
    { "quantity", COLUMN_STOCK },
    { "on_hand", COLUMN_STOCK },
    { "units_in_stock", COLUMN_STOCK },
    { "unitsinstock", COLUMN_STOCK },
    { "image", COLUMN_MEDIA },
    { "image_url", COLUMN_MEDIA },
    { "media", COLUMN_MEDIA },
    { "picture", COLUMN_MEDIA },
    { "discontinued", COLUMN_RETIRED },
    { "retired", COLUMN_RETIRED },
    { "state", COLUMN_STATE },
    { "type", COLUMN_TYPE },
    { "categories", COLUMN_CATEGORIES },
    { "relations", COLUMN_RELATIONS },
    { "more", COLUMN_MORE },
    { "variant_more", COLUMN_VARIANT_MORE },
    { "product_specifications", COLUMN_SPECIFICATIONS },
    /* About the crawl, not about the product. */
    { "uniq_id", COLUMN_IGNORED },
    { "crawl_timestamp", COLUMN_IGNORED },
    { "product_url", COLUMN_IGNORED },
    { "is_fk_advantage_product", COLUMN_IGNORED },
    { "product_rating", COLUMN_IGNORED },
    { "overall_rating", COLUMN_IGNORED },
};

/* "Unit Price" and "unit-price" are "unit_price". */
static const char *plain_name(Arena *arena, const char *header)
{
    char *name = text_lower(arena, text_trim(arena, header));

    for (char *at = name; *at; at++)
        if (strchr(" -./", *at))
            *at = '_';
    return name;
}

/* "price_eur", "list_price_eur", "stock_berlin". */
static bool read_detail(Arena *arena, const char *name, Column *column)
{
    static const struct {
        const char *prefix;
        ColumnRole role;
    } details[] = {
        { "price_", COLUMN_PRICE },
        { "list_price_", COLUMN_LIST_PRICE },
        { "stock_", COLUMN_STOCK },
    };

    for (size_t i = 0; i < COUNT(details); i++) {
        char *detail;

        if (!text_starts_with(name, details[i].prefix))
            continue;
        detail = arena_text(arena, name + strlen(details[i].prefix));
        if (details[i].role != COLUMN_STOCK) {
            for (char *at = detail; *at; at++)
                *at = (char)(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at);
            if (money_digits(detail) < 0)
                return false;
        }
        column->role = details[i].role;
        column->detail = detail;
        column->exact_detail = text_trim(arena, column->header) + strlen(details[i].prefix);
        return true;
    }
    return false;
}

/* "title@de", "description@de", "variant@de". */
static bool read_language(const char *header, Column *column)
{
    static const struct {
        const char *prefix;
        ColumnRole role;
    } texts[] = {
        { "title@", COLUMN_TITLE_TEXT },
        { "description@", COLUMN_DESCRIPTION_TEXT },
        { "variant@", COLUMN_VARIANT_TEXT },
    };

    for (size_t i = 0; i < COUNT(texts); i++)
        if (text_starts_with(header, texts[i].prefix) &&
            language_is_valid(header + strlen(texts[i].prefix))) {
            column->role = texts[i].role;
            column->detail = header + strlen(texts[i].prefix);
            return true;
        }
    return false;
}

static Column read_column(Arena *arena, const char *header)
{
    Column column = { .header = header, .role = COLUMN_ATTRIBUTE, .detail = "" };
    const char *name = plain_name(arena, header);

    if (read_language(header, &column))
        return column;
    if (text_starts_with(header, attribute_prefix)) {
        column.header = header + strlen(attribute_prefix);
        return column;
    }
    if (text_starts_with(header, variant_attribute_prefix)) {
        column.header = header + strlen(variant_attribute_prefix);
        column.role = COLUMN_VARIANT_ATTRIBUTE;
        return column;
    }
    for (size_t i = 0; i < COUNT(known); i++)
        if (text_equal(known[i].name, name))
            column.role = known[i].role;
    if (column.role == COLUMN_STOCK)
        column.detail = "main";
    if (column.role == COLUMN_ATTRIBUTE)
        read_detail(arena, name, &column);
    if (!*name)
        column.role = COLUMN_IGNORED;
    return column;
}

static bool has_role(const Columns *columns, ColumnRole role)
{
    for (size_t i = 0; i < columns->n_columns; i++)
        if (columns->columns[i].role == role)
            return true;
    return false;
}

bool columns_read(Arena *arena, const CsvRow *header, Columns *columns)
{
    bool has_title;

    if (header->problem)
        return false;
    columns->n_columns = header->n_fields;
    columns->columns = arena_array(arena, header->n_fields, sizeof(*columns->columns));
    columns->currency = "USD";
    for (size_t i = 0; i < header->n_fields; i++) {
        const Bytes *field = &header->fields[i];

        if (!text_is_utf8(field->data, field->size))
            return false;
        columns->columns[i] =
            read_column(arena, arena_text_of(arena, (const char *)field->data, field->size));
        if (text_equal(columns->columns[i].header, "product_category_tree"))
            columns->currency = "INR";
    }
    /* "name" is the title where there is no other, else what the product is known by. */
    has_title = has_role(columns, COLUMN_TITLE);
    for (size_t i = 0; i < columns->n_columns; i++)
        if (header->fields[i].size == strlen(columns->columns[i].header) &&
            text_equal(plain_name(arena, columns->columns[i].header), "name"))
            columns->columns[i].role = has_title ? COLUMN_ID : COLUMN_TITLE;
    return has_role(columns, COLUMN_TITLE);
}
