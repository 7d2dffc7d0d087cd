#include "services/catalog/domain/facet.h"

#include "shared/codec/types.h"

#include <string.h>

enum { WHOLE_DIGITS = 12, FRACTION_DIGITS = 6 };

const char facet_attributes[] = "attributes.";

static const char *state_of(const Product *product)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(
        &throughline__catalog__v1__product__state__descriptor, (int)product->state);

    return value ? value->name : "";
}

/* The list that facet_values makes; large enough from the start. */
typedef struct Pairs {
    Arena *arena;
    size_t n_values;
    FacetValue *values;
} Pairs;

static void add(Pairs *pairs, const char *field, const char *value)
{
    if (*value && strlen(value) <= FACET_MAX_VALUE)
        pairs->values[pairs->n_values++] = (FacetValue){ field, value };
}

static void add_attribute(Pairs *pairs, const char *key, const char *value)
{
    add(pairs, arena_printf(pairs->arena, "%s%s", facet_attributes, key), value);
}

static void add_category(Pairs *pairs, const char *path)
{
    for (size_t length = 0; category_part(path, &length);)
        add(pairs, "category", arena_text_of(pairs->arena, path, length));
}

static void add_variant(Pairs *pairs, const Variant *variant)
{
    for (size_t i = 0; i < variant->n_attributes; i++)
        add_attribute(pairs, variant->attributes[i]->key, variant->attributes[i]->value);
}

static size_t count_parts(const char *path)
{
    size_t n_parts = 0;

    for (size_t length = 0; category_part(path, &length);)
        n_parts++;
    return n_parts;
}

size_t facet_values(const Product *product, Arena *arena, FacetValue **values)
{
    Pairs pairs = { .arena = arena };
    /* State, brand, attributes, every part of every category. */
    size_t most = 2 + product->n_attributes + count_parts(product->category);

    for (size_t i = 1; i < product->n_category_paths; i++)
        most += count_parts(product->category_paths[i]);
    for (size_t i = 0; i < product->n_variants; i++)
        most += product->variants[i]->n_attributes;
    pairs.values = arena_array(arena, most, sizeof(*pairs.values));
    add(&pairs, "state", state_of(product));
    add(&pairs, "brand", product->brand);
    add_category(&pairs, product->category);
    for (size_t i = 1; i < product->n_category_paths; i++)
        add_category(&pairs, product->category_paths[i]);
    for (size_t i = 0; i < product->n_attributes; i++)
        add_attribute(&pairs, product->attributes[i]->key, product->attributes[i]->value);
    for (size_t i = 0; i < product->n_variants; i++)
        add_variant(&pairs, product->variants[i]);
    *values = pairs.values;
    return pairs.n_values;
}

bool facet_field_is_valid(const char *field)
{
    static const char *const known[] = { "category", "brand", "state", "stock", "price" };

    for (size_t i = 0; i < COUNT(known); i++)
        if (text_equal(field, known[i]))
            return true;
    return text_starts_with(field, facet_attributes) && field[strlen(facet_attributes)] &&
           strlen(field) <= FACET_MAX_FIELD;
}

bool facet_price(const Product *product, const char *currency, int64_t *minor)
{
    bool has_price = false;

    for (size_t i = 0; i < product->n_variants; i++) {
        const Price *price = variant_price(product->variants[i], currency);
        int64_t amount;

        if (price && money_minor(price->amount, &amount) && (!has_price || amount < *minor)) {
            *minor = amount;
            has_price = true;
        }
    }
    return has_price;
}

int64_t facet_band_start(int band)
{
    static const int64_t steps[] = { 1, 2, 5 };
    int64_t power = 1;

    if (band == 0)
        return 0;
    if (band == FACET_BANDS)
        return INT64_MAX;
    for (int i = 0; i < (band - 1) / 3; i++)
        power *= 10;
    return steps[(band - 1) % 3] * power;
}

int facet_band(int64_t minor)
{
    int band = 0;

    while (band + 1 < FACET_BANDS && facet_band_start(band + 1) <= minor)
        band++;
    return band;
}

bool facet_number(const char *text, int64_t *millionths)
{
    bool is_negative = *text == '-';
    const char *whole = text + is_negative;
    size_t n_whole = strspn(whole, "0123456789");
    const char *fraction = whole + n_whole + (whole[n_whole] == '.');
    size_t n_fraction = strspn(fraction, "0123456789");
    int64_t value = 0;

    if (n_whole == 0 || n_whole > WHOLE_DIGITS || n_fraction > FRACTION_DIGITS ||
        fraction[n_fraction] || (n_fraction == 0) != (fraction == whole + n_whole))
        return false;
    for (size_t i = 0; i < n_whole; i++)
        value = value * 10 + (whole[i] - '0');
    for (size_t i = 0; i < FRACTION_DIGITS; i++)
        value = value * 10 + (i < n_fraction ? fraction[i] - '0' : 0);
    *millionths = is_negative ? -value : value;
    return true;
}
