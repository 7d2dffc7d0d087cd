#include "services/catalog/domain/product_type.h"

#include "shared/base/clock.h"

#include <string.h>

typedef Throughline__Catalog__V1__AttributeDefinition__Kind Kind;

static const Kind NUMBER = THROUGHLINE__CATALOG__V1__ATTRIBUTE_DEFINITION__KIND__NUMBER;
static const Kind BOOLEAN = THROUGHLINE__CATALOG__V1__ATTRIBUTE_DEFINITION__KIND__BOOLEAN;
static const Kind CHOICE = THROUGHLINE__CATALOG__V1__ATTRIBUTE_DEFINITION__KIND__CHOICE;
static const Kind DATE = THROUGHLINE__CATALOG__V1__ATTRIBUTE_DEFINITION__KIND__DATE;

/* A type. */

static void check_values(const AttributeDefinition *attribute, const char *path, Findings *findings)
{
    const char *values = arena_printf(findings->arena, "%s.values", path);

    if (attribute->kind != CHOICE && attribute->n_values > 0)
        findings_add(findings, values, "are only for a CHOICE");
    if (attribute->kind == CHOICE &&
        (attribute->n_values < 1 || attribute->n_values > TYPE_MAX_VALUES)) {
        findings_add(findings, values, "must be 1 to %d", TYPE_MAX_VALUES);
        return;
    }
    for (size_t i = 0; i < attribute->n_values && attribute->kind == CHOICE; i++) {
        const char *value = arena_printf(findings->arena, "%s[%zu]", values, i);
        size_t length = text_length(attribute->values[i]);

        if (length < 1 || length > ATTRIBUTE_MAX_VALUE)
            findings_add(findings, value, "must have 1 to %d characters", ATTRIBUTE_MAX_VALUE);
        for (size_t j = 0; j < i; j++)
            if (text_equal(attribute->values[i], attribute->values[j]))
                findings_add(findings, value, "is given twice");
    }
}

static void check_definition(
    const AttributeDefinition *attribute, const char *path, Findings *findings)
{
    Arena *arena = findings->arena;
    size_t length = text_length(attribute->key);

    if (length < 1 || length > ATTRIBUTE_MAX_KEY)
        findings_add(findings, arena_printf(arena, "%s.key", path), "must have 1 to %d characters",
            ATTRIBUTE_MAX_KEY);
    if (text_length(attribute->title) > TYPE_MAX_TITLE)
        findings_add(findings, arena_printf(arena, "%s.title", path),
            "must have at most %d characters", TYPE_MAX_TITLE);
    if (!attribute->kind || !protobuf_c_enum_descriptor_get_value(
                                &throughline__catalog__v1__attribute_definition__kind__descriptor,
                                (int)attribute->kind))
        findings_add(findings, arena_printf(arena, "%s.kind", path), "is not a known kind");
    if (text_length(attribute->unit) > TYPE_MAX_UNIT ||
        (*attribute->unit && attribute->kind != NUMBER))
        findings_add(findings, arena_printf(arena, "%s.unit", path),
            "is for a NUMBER and has at most %d characters", TYPE_MAX_UNIT);
    check_values(attribute, path, findings);
    local_texts_check(attribute->texts, attribute->n_texts, arena_printf(arena, "%s.texts", path),
        TYPE_MAX_TITLE, findings);
}

void product_type_check(const ProductType *type, Findings *findings)
{
    if (!text_matches_name(type->name, "productTypes/*"))
        findings_add(
            findings, "name", "must be \"productTypes/\" and 1 to 63 characters of [a-z0-9_.~-]");
    findings_length(findings, "title", type->title, 1, TYPE_MAX_TITLE);
    if (type->n_attributes > TYPE_MAX_ATTRIBUTES) {
        findings_add(findings, "attributes", "must be at most %d", TYPE_MAX_ATTRIBUTES);
        return;
    }
    for (size_t i = 0; i < type->n_attributes; i++) {
        const char *path = arena_printf(findings->arena, "attributes[%zu]", i);

        check_definition(type->attributes[i], path, findings);
        for (size_t j = 0; j < i; j++)
            if (text_equal(type->attributes[i]->key, type->attributes[j]->key))
                findings_add(findings, arena_printf(findings->arena, "%s.key", path),
                    "is that of attributes[%zu] too", j);
    }
}

/* A product of a type. */

static bool is_decimal(const char *value)
{
    const char *at = value + (*value == '-');
    size_t whole = strspn(at, "0123456789");
    size_t fraction = at[whole] == '.' ? strspn(at + whole + 1, "0123456789") : 0;

    return whole > 0 && !at[whole + (at[whole] == '.' ? fraction + 1 : 0)] &&
           (at[whole] != '.' || fraction > 0);
}

static bool is_date(Arena *arena, const char *value)
{
    int64_t micros;

    return strlen(value) == strlen("2026-11-22") &&
           clock_parse(arena_printf(arena, "%sT00:00:00Z", value), &micros);
}

/* What is wrong with a value, NULL when nothing is. */
static const char *value_problem(
    const AttributeDefinition *attribute, const char *value, Arena *arena)
{
    if (attribute->kind == NUMBER)
        return is_decimal(value) ? NULL : "must be a number like \"12\" or \"0.5\"";
    if (attribute->kind == BOOLEAN)
        return text_equal(value, "true") || text_equal(value, "false")
                   ? NULL
                   : "must be \"true\" or \"false\"";
    if (attribute->kind == DATE)
        return is_date(arena, value) ? NULL : "must be a date like \"2026-11-22\"";
    if (attribute->kind != CHOICE)
        return NULL;
    for (size_t i = 0; i < attribute->n_values; i++)
        if (text_equal(attribute->values[i], value))
            return NULL;
    return "is not one of the values of this attribute";
}

static const AttributeDefinition *find(const ProductType *type, const char *key)
{
    for (size_t i = 0; i < type->n_attributes; i++)
        if (text_equal(type->attributes[i]->key, key))
            return type->attributes[i];
    return NULL;
}

/* One value at one place. */
static void check_value(const ProductType *type, const char *key, const char *value,
    bool is_of_variant, const char *path, Findings *findings)
{
    const AttributeDefinition *attribute = find(type, key);
    const char *field = arena_printf(findings->arena, "%sattributes[\"%s\"]", path, key);
    const char *problem;

    if (!attribute) {
        if (type->is_closed)
            findings_add(findings, field, "is no attribute of %s", type->name);
        return;
    }
    if ((attribute->is_of_variant != 0) != is_of_variant)
        findings_add(findings, field, "belongs to the %s",
            attribute->is_of_variant ? "variants" : "product");
    else if ((problem = value_problem(attribute, value, findings->arena)))
        findings_add(findings, field, "%s", problem);
}

static bool product_has(const Product *product, const char *key)
{
    for (size_t i = 0; i < product->n_attributes; i++)
        if (text_equal(product->attributes[i]->key, key))
            return true;
    return false;
}

static bool variant_has(const Variant *variant, const char *key)
{
    for (size_t i = 0; i < variant->n_attributes; i++)
        if (text_equal(variant->attributes[i]->key, key))
            return true;
    return false;
}

static void check_missing(
    const AttributeDefinition *attribute, const Product *product, Findings *findings)
{
    Arena *arena = findings->arena;

    if (!attribute->is_of_variant) {
        if (!product_has(product, attribute->key))
            findings_add(
                findings, arena_printf(arena, "attributes[\"%s\"]", attribute->key), "is missing");
        return;
    }
    for (size_t i = 0; i < product->n_variants; i++)
        if (!variant_has(product->variants[i], attribute->key))
            findings_add(findings,
                arena_printf(arena, "variants[%zu].attributes[\"%s\"]", i, attribute->key),
                "is missing");
}

void product_type_check_product(const ProductType *type, const Product *product, Findings *findings)
{
    for (size_t i = 0; i < product->n_attributes; i++)
        check_value(
            type, product->attributes[i]->key, product->attributes[i]->value, false, "", findings);
    for (size_t i = 0; i < product->n_variants; i++) {
        const Variant *variant = product->variants[i];
        const char *path = arena_printf(findings->arena, "variants[%zu].", i);

        for (size_t j = 0; j < variant->n_attributes; j++)
            check_value(type, variant->attributes[j]->key, variant->attributes[j]->value, true,
                path, findings);
    }
    for (size_t i = 0; i < type->n_attributes && product->state != PRODUCT_DRAFT; i++)
        if (type->attributes[i]->is_required)
            check_missing(type->attributes[i], product, findings);
}
