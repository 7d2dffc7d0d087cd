/* What is wrong with a product: every bad field under its path, so that one look mends a row. */
#include "services/catalog/domain/product.h"

#include "services/catalog/domain/stock.h"

#include "shared/base/money.h"
#include "shared/codec/types.h"

#include <string.h>

/* Duplicates are found by comparing with all before: the limits keep that small. */
static void check_attribute(
    Findings *findings, const char *field, const char *key, const char *value, bool is_repeated)
{
    size_t key_length = text_length(key);

    if (key_length < 1 || key_length > ATTRIBUTE_MAX_KEY)
        findings_add(findings, field, "a key must have 1 to %d characters", ATTRIBUTE_MAX_KEY);
    else if (text_length(value) > ATTRIBUTE_MAX_VALUE)
        findings_add(
            findings, field, "the value must have at most %d characters", ATTRIBUTE_MAX_VALUE);
    if (is_repeated)
        findings_add(findings, field, "is given twice");
}

static void check_product_attributes(const Product *product, Findings *findings)
{
    if (product->n_attributes > PRODUCT_MAX_ATTRIBUTES) {
        findings_add(findings, "attributes", "must be at most %d", PRODUCT_MAX_ATTRIBUTES);
        return;
    }
    for (size_t i = 0; i < product->n_attributes; i++) {
        const char *key = product->attributes[i]->key;
        bool is_repeated = false;

        for (size_t j = 0; j < i; j++)
            is_repeated = is_repeated || text_equal(product->attributes[j]->key, key);
        check_attribute(findings, arena_printf(findings->arena, "attributes[\"%s\"]", key), key,
            product->attributes[i]->value, is_repeated);
    }
}

static void check_variant_attributes(const Variant *variant, const char *path, Findings *findings)
{
    Arena *arena = findings->arena;

    if (variant->n_attributes > VARIANT_MAX_ATTRIBUTES) {
        findings_add(findings, arena_printf(arena, "%s.attributes", path), "must be at most %d",
            VARIANT_MAX_ATTRIBUTES);
        return;
    }
    for (size_t i = 0; i < variant->n_attributes; i++) {
        const char *key = variant->attributes[i]->key;
        bool is_repeated = false;

        for (size_t j = 0; j < i; j++)
            is_repeated = is_repeated || text_equal(variant->attributes[j]->key, key);
        check_attribute(findings, arena_printf(arena, "%s.attributes[\"%s\"]", path, key), key,
            variant->attributes[i]->value, is_repeated);
    }
}

/* True when the amount can be compared with others: known currency, its digits, not negative. */
static bool check_amount(Findings *findings, const char *path, const char *member,
    const Google__Type__Money *money, int64_t *minor)
{
    const char *field;

    if (money && money_minor(money, minor) && *minor >= 0)
        return true;
    field = arena_printf(findings->arena, "%s.%s", path, member);
    if (!money)
        findings_add(findings, field, "is missing");
    else if (money_digits(money->currency_code) < 0)
        findings_add(findings, arena_printf(findings->arena, "%s.currency_code", field),
            "\"%s\" is not an ISO 4217 currency", money->currency_code);
    else if (!money_minor(money, minor))
        findings_add(findings, field, "is not an amount with at most %d digits behind the point",
            money_digits(money->currency_code));
    else
        findings_add(findings, field, "must not be negative");
    return false;
}

static void check_price(const Price *price, const char *path, Findings *findings)
{
    int64_t amount;
    int64_t list_amount;
    const char *list_path;
    bool is_good = check_amount(findings, path, "amount", price->amount, &amount);

    if (!price->list_amount ||
        !check_amount(findings, path, "list_amount", price->list_amount, &list_amount) || !is_good)
        return;
    list_path = arena_printf(findings->arena, "%s.list_amount", path);
    if (!text_equal(price->amount->currency_code, price->list_amount->currency_code))
        findings_add(
            findings, list_path, "must be in %s as the amount is", price->amount->currency_code);
    else if (list_amount < amount)
        findings_add(findings, list_path, "must not be below the amount");
}

void product_check_prices(
    Price *const *prices, size_t n_prices, const char *path, Findings *findings)
{
    Arena *arena = findings->arena;

    if (n_prices > VARIANT_MAX_PRICES) {
        findings_add(findings, arena_printf(arena, "%s.prices", path), "must be at most %d",
            VARIANT_MAX_PRICES);
        return;
    }
    for (size_t i = 0; i < n_prices; i++) {
        const Google__Type__Money *amount = prices[i]->amount;
        const char *price_path = arena_printf(arena, "%s.prices[%zu]", path, i);

        check_price(prices[i], price_path, findings);
        for (size_t j = 0; amount && j < i; j++)
            if (prices[j]->amount &&
                text_equal(prices[j]->amount->currency_code, amount->currency_code))
                findings_add(
                    findings, price_path, "there is a price in %s already", amount->currency_code);
    }
}

static void check_stock(const Variant *variant, const char *path, Findings *findings)
{
    Arena *arena = findings->arena;

    if (variant->n_stock > VARIANT_MAX_STOCK) {
        findings_add(findings, arena_printf(arena, "%s.stock", path), "must be at most %d",
            VARIANT_MAX_STOCK);
        return;
    }
    for (size_t i = 0; i < variant->n_stock; i++) {
        const Stock *stock = variant->stock[i];
        const char *location_path = arena_printf(arena, "%s.stock[%zu].location", path, i);

        if (!location_is_valid(stock->location))
            findings_add(findings, location_path, "must be 1 to %d characters of [a-z0-9-]",
                LOCATION_MAX_ID);
        if (stock->on_hand < 0)
            findings_add(findings, arena_printf(arena, "%s.stock[%zu].on_hand", path, i),
                "must not be negative");
        for (size_t j = 0; j < i; j++)
            if (text_equal(variant->stock[j]->location, stock->location))
                findings_add(findings, location_path, "is given twice");
    }
}

/* Fields are named once something is wrong with them: imports check millions that are in order. */
static void check_codes(const Product *product, size_t index, const char *path, Findings *findings)
{
    const Variant *variant = product->variants[index];
    Arena *arena = findings->arena;

    if (!sku_is_valid(variant->sku))
        findings_add(findings, arena_printf(arena, "%s.sku", path),
            "must be 1 to %d characters of [A-Za-z0-9_.~-]", VARIANT_MAX_SKU);
    if (*variant->gtin && !gtin_is_valid(variant->gtin))
        findings_add(findings, arena_printf(arena, "%s.gtin", path),
            "must be 8, 12, 13 or 14 digits with a right check digit, or empty");
    for (size_t i = 0; i < index; i++) {
        if (text_equal(product->variants[i]->sku, variant->sku))
            findings_add(findings, arena_printf(arena, "%s.sku", path),
                "is the SKU of variants[%zu] too", i);
        if (*variant->gtin && text_equal(product->variants[i]->gtin, variant->gtin))
            findings_add(findings, arena_printf(arena, "%s.gtin", path),
                "is the GTIN of variants[%zu] too", i);
    }
}

static void check_variant(const Product *product, size_t index, Findings *findings)
{
    Arena *arena = findings->arena;
    const Variant *variant = product->variants[index];
    const char *path = arena_printf(arena, "variants[%zu]", index);

    check_codes(product, index, path, findings);
    if (*variant->title)
        findings_length(
            findings, arena_printf(arena, "%s.title", path), variant->title, 0, VARIANT_MAX_TITLE);
    product_check_prices(variant->prices, variant->n_prices, path, findings);
    check_stock(variant, path, findings);
    check_variant_attributes(variant, path, findings);
}

static void check_media(const Product *product, Findings *findings)
{
    if (product->n_media > PRODUCT_MAX_MEDIA)
        findings_add(findings, "media", "must be at most %d", PRODUCT_MAX_MEDIA);
    for (size_t i = 0; i < product->n_media && i < PRODUCT_MAX_MEDIA; i++)
        if (!uri_is_valid(product->media[i]))
            findings_add(findings, arena_printf(findings->arena, "media[%zu]", i),
                "must be an http or https URI or a path, 1 to %d characters without spaces",
                PRODUCT_MAX_URI);
}

void product_check(const Product *product, Findings *findings)
{
    if (!text_matches_name(product->name, "products/*"))
        findings_add(
            findings, "name", "must be \"products/\" and 1 to 63 characters of [a-z0-9_.~-]");
    findings_length(findings, "title", product->title, 1, PRODUCT_MAX_TITLE);
    findings_length(findings, "description", product->description, 0, PRODUCT_MAX_DESCRIPTION);
    findings_length(findings, "brand", product->brand, 0, PRODUCT_MAX_BRAND);
    if (!category_is_valid(product->category))
        findings_add(findings, "category",
            "must be parts joined by \" > \", at most %d characters together",
            PRODUCT_MAX_CATEGORY);
    if (!protobuf_c_enum_descriptor_get_value(
            &throughline__catalog__v1__product__state__descriptor, (int)product->state))
        findings_add(findings, "state", "is not a known state");
    check_product_attributes(product, findings);
    check_media(product, findings);
    product_check_parts(product, findings);
    if (product->n_variants < 1 || product->n_variants > PRODUCT_MAX_VARIANTS) {
        findings_add(findings, "variants", "must be 1 to %d", PRODUCT_MAX_VARIANTS);
        return;
    }
    for (size_t i = 0; i < product->n_variants; i++)
        check_variant(product, i, findings);
}
