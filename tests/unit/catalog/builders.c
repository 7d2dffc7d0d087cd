#include "tests/unit/catalog/builders.h"

#include "shared/base/id.h"
#include "shared/codec/types.h"

char *text(Arena *arena, const char *value)
{
    return arena_text(arena, value);
}

Price *a_price(Arena *arena, const char *currency, int64_t amount)
{
    Price *price = arena_alloc(arena, sizeof(*price));

    throughline__catalog__v1__price__init(price);
    price->amount = money_message(arena, currency, amount);
    return price;
}

Stock *a_stock(Arena *arena, const char *location, int64_t on_hand)
{
    Stock *stock = arena_alloc(arena, sizeof(*stock));

    throughline__catalog__v1__stock__init(stock);
    stock->location = text(arena, location);
    stock->on_hand = on_hand;
    return stock;
}

void set_price(Arena *arena, Variant *variant, const char *currency, int64_t amount)
{
    variant->n_prices = 1;
    variant->prices = arena_array(arena, 1, sizeof(*variant->prices));
    variant->prices[0] = a_price(arena, currency, amount);
}

static Variant *a_variant(Arena *arena, const char *sku, const char *title)
{
    Variant *variant = arena_alloc(arena, sizeof(*variant));

    throughline__catalog__v1__variant__init(variant);
    variant->sku = text(arena, sku);
    variant->title = text(arena, title);
    variant->n_prices = 2;
    variant->prices = arena_array(arena, 2, sizeof(*variant->prices));
    variant->prices[0] = a_price(arena, "EUR", 19900);
    variant->prices[1] = a_price(arena, "USD", 21900);
    variant->n_stock = 1;
    variant->stock = arena_array(arena, 1, sizeof(*variant->stock));
    variant->stock[0] = a_stock(arena, "berlin", 7);
    return variant;
}

Product *a_product(Arena *arena)
{
    Product *product = arena_alloc(arena, sizeof(*product));

    throughline__catalog__v1__product__init(product);
    product->name = text(arena, "products/tent");
    product->title = text(arena, "Two-person tent");
    product->description = text(arena, "Stands in any wind.");
    product->brand = text(arena, "Fernweh");
    product->category = text(arena, "Outdoor > Tents");
    product->state = PRODUCT_ACTIVE;
    product->n_variants = 2;
    product->variants = arena_array(arena, 2, sizeof(*product->variants));
    product->variants[0] = a_variant(arena, "tent-green", "green");
    product->variants[0]->gtin = text(arena, "4006381333931");
    product->variants[1] = a_variant(arena, "tent-red", "red");
    return product;
}

Product *a_simple_product(
    Arena *arena, const char *name, const char *category, const char *currency, int64_t amount)
{
    Product *product = a_product(arena);

    product->name = arena_printf(arena, "products/%s", name);
    product->category = text(arena, category);
    product->n_variants = 1;
    product->variants[0]->sku = text(arena, name);
    product->variants[0]->gtin = text(arena, "");
    set_price(arena, product->variants[0], currency, amount);
    return product;
}

Promotion *a_promotion(Arena *arena, const char *code, int32_t basis_points)
{
    Promotion *promotion = arena_alloc(arena, sizeof(*promotion));

    throughline__catalog__v1__promotion__init(promotion);
    promotion->name = text_lower(arena, arena_printf(arena, "promotions/%s", code));
    promotion->title = arena_printf(arena, "Promotion %s", code);
    promotion->code = text(arena, code);
    promotion->basis_points = basis_points;
    return promotion;
}

bool has_finding(const Findings *findings, const char *field)
{
    for (size_t i = 0; i < findings->n_items; i++)
        if (text_equal(findings->items[i].field, field))
            return true;
    return false;
}
