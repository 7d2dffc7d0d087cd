#include "services/catalog/domain/offer.h"

#include "services/catalog/domain/expect.h"
#include "shared/base/money.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <string.h>

static const char products_prefix[] = "products/";
static const char offers_prefix[] = "productOffers/";

static void check_variant(
    const Expect *check, const ProductOffer *offer, size_t index, Findings *findings)
{
    const VariantOffer *variant = offer->variants[index];
    const char *field = expect_at(check, "variants", index);

    expect_sku(check, arena_printf(findings->arena, "%s.sku", field), variant->sku);
    for (size_t i = 0; i < index; i++)
        if (text_equal(offer->variants[i]->sku, variant->sku))
            expect_fail(check, arena_printf(findings->arena, "%s.sku", field),
                "is the SKU of variants[%zu] too", i);
    product_check_prices(variant->prices, variant->n_prices, expect_path(check, field), findings);
}

void product_offer_check(const ProductOffer *offer, const char *path, Findings *findings)
{
    const Expect check = { path, findings };

    expect_name(&check, "name", offer->name, "productOffers/*", false);
    if (!protobuf_c_enum_descriptor_get_value(
            &throughline__catalog__v1__product_offer__state__descriptor, (int)offer->state))
        expect_fail(&check, "state", "must be ACTIVE or RETIRED, or not set");
    expect_count(&check, "variants", offer->n_variants, 0, PRODUCT_MAX_VARIANTS);
    for (size_t i = 0; i < offer->n_variants && i < PRODUCT_MAX_VARIANTS; i++)
        check_variant(&check, offer, i, findings);
    if (!offer->state && !offer->n_variants)
        expect_fail(&check, "state", "must be set where no variant is named");
}

void product_offer_check_product(
    const ProductOffer *offer, const Product *product, const char *path, Findings *findings)
{
    const Expect check = { path, findings };

    for (size_t i = 0; i < offer->n_variants; i++)
        if (!product_variant(product, offer->variants[i]->sku))
            expect_fail(&check, expect_at(&check, "variants", i), "%s has no variant \"%s\"",
                product->name, offer->variants[i]->sku);
}

static char *rename_to(const char *prefix, const char *name, Arena *arena)
{
    return arena_printf(arena, "%s%s", prefix, strchr(name, '/') + 1);
}

char *offer_name(const char *product, Arena *arena)
{
    return rename_to(offers_prefix, product, arena);
}

char *offer_product(const char *name, Arena *arena)
{
    return rename_to(products_prefix, name, arena);
}

const VariantOffer *offer_variant(const ProductOffer *offer, const char *sku)
{
    for (size_t i = 0; i < offer->n_variants; i++)
        if (text_equal(offer->variants[i]->sku, sku))
            return offer->variants[i];
    return NULL;
}

const Product *offer_apply(const ProductOffer *offer, const Product *product, Arena *arena)
{
    Product *shown;

    if (!offer)
        return product;
    shown = arena_copy(arena, product, sizeof(*product));
    if (offer->state)
        shown->state = (Throughline__Catalog__V1__Product__State)offer->state;
    shown->variants = arena_array(arena, product->n_variants, sizeof(*shown->variants));
    for (size_t i = 0; i < product->n_variants; i++) {
        const VariantOffer *said = offer_variant(offer, product->variants[i]->sku);

        shown->variants[i] = product->variants[i];
        if (!said)
            continue;
        shown->variants[i] = arena_copy(arena, product->variants[i], sizeof(Variant));
        shown->variants[i]->prices = said->prices;
        shown->variants[i]->n_prices = said->n_prices;
    }
    return shown;
}

ProductOffer *offer_of(const Product *product, Arena *arena)
{
    ProductOffer *offer = message_new(arena, &throughline__catalog__v1__product_offer__descriptor);

    offer->name = offer_name(product->name, arena);
    offer->state = (Throughline__Catalog__V1__ProductOffer__State)product->state;
    offer->variants = arena_array(arena, product->n_variants, sizeof(*offer->variants));
    for (; offer->n_variants < product->n_variants; offer->n_variants++) {
        const Variant *variant = product->variants[offer->n_variants];
        VariantOffer *said =
            message_new(arena, &throughline__catalog__v1__variant_offer__descriptor);

        said->sku = variant->sku;
        said->prices = variant->prices;
        said->n_prices = variant->n_prices;
        offer->variants[offer->n_variants] = said;
    }
    return offer;
}

/* What a difference is told in. */
typedef struct Story {
    Arena *arena;
    char *text; /* NULL: nothing is different so far */
    int n_named;
} Story;

static void tell(Story *story, const char *subject, const char *before, const char *after)
{
    if (story->n_named++ >= OFFER_MAX_DIFFERENCES)
        return;
    story->text = arena_printf(story->arena, "%s%s%s %s -> %s", story->text ? story->text : "",
        story->text ? ", " : "", subject, before, after);
}

static const char *amount_text(const Google__Type__Money *money, Arena *arena)
{
    int64_t minor = 0;
    char text[MONEY_TEXT_SIZE];

    if (!money || !money_minor(money, &minor))
        return "none";
    return arena_text(arena, money_format(money->currency_code, minor, text));
}

static void compare_price(Story *story, const char *sku, const Price *before, const Price *after)
{
    const Google__Type__Money *was = before ? before->amount : NULL;
    const Google__Type__Money *becomes = after ? after->amount : NULL;

    if (before && after && message_equal(before, after))
        return;
    if (was && becomes && message_equal(was, becomes))
        tell(story, arena_printf(story->arena, "%s \"was\"", sku),
            amount_text(before->list_amount, story->arena),
            amount_text(after->list_amount, story->arena));
    else
        tell(story, sku, amount_text(was, story->arena), amount_text(becomes, story->arena));
}

/* One of the variants may be missing. */
static void compare_variants(
    Story *story, const char *sku, const Variant *before, const Variant *after)
{
    for (size_t i = 0; before && i < before->n_prices; i++)
        compare_price(story, sku, before->prices[i],
            after ? variant_price(after, before->prices[i]->amount->currency_code) : NULL);
    for (size_t i = 0; after && i < after->n_prices; i++)
        if (!before || !variant_price(before, after->prices[i]->amount->currency_code))
            compare_price(story, sku, NULL, after->prices[i]);
}

char *offer_variant_difference(const Variant *before, const Variant *after, Arena *arena)
{
    Story story = { .arena = arena };

    compare_variants(&story, before->sku, before, after);
    return story.text;
}

static const char *state_text(const Product *product)
{
    return protobuf_c_enum_descriptor_get_value(
        &throughline__catalog__v1__product__state__descriptor, (int)product->state)
        ->name;
}

char *offer_difference(const Product *before, const Product *after, Arena *arena)
{
    Story story = { .arena = arena };

    if (before->state != after->state)
        tell(&story, "state", state_text(before), state_text(after));
    for (size_t i = 0; i < before->n_variants; i++)
        compare_variants(&story, before->variants[i]->sku, before->variants[i],
            product_variant(after, before->variants[i]->sku));
    for (size_t i = 0; i < after->n_variants; i++)
        if (!product_variant(before, after->variants[i]->sku))
            compare_variants(&story, after->variants[i]->sku, NULL, after->variants[i]);
    if (story.n_named > OFFER_MAX_DIFFERENCES)
        story.text = arena_printf(
            arena, "%s and %d more", story.text, story.n_named - OFFER_MAX_DIFFERENCES);
    return story.text;
}
