#include "services/catalog/governance/published.h"

#include "services/catalog/domain/rules.h"
#include "services/catalog/governance/rule_shelf.h"
#include "shared/codec/message.h"

/* As these rules have it; NULL when there is none. */
static const Product *product_by(
    Catalog *catalog, const Rules *rules, const char *name, Arena *arena)
{
    const Product *product = snapshot_product(catalog->snapshot, name, arena);

    return product ? offer_apply(rules_offer(rules, name), product, arena) : NULL;
}

static bool pack_shown(const Product *product, Arena *arena, Bytes *packed)
{
    if (!product || product->state == PRODUCT_DRAFT)
        return false;
    *packed = message_pack(arena, product);
    return true;
}

bool published_get(Catalog *catalog, const char *name, Arena *arena, Bytes *packed)
{
    Rules *rules = rules_holder_current(catalog->rules);
    bool is_there = rules_offer(rules, name)
                        ? pack_shown(product_by(catalog, rules, name, arena), arena, packed)
                        : snapshot_get(catalog->snapshot, name, arena, packed);

    rules_release(rules);
    return is_there;
}

static const char *sku_of(const Product *product, SnapshotKey key, const char *code)
{
    char padded[GTIN_PADDED];

    for (size_t i = 0; key == SNAPSHOT_GTIN && i < product->n_variants; i++)
        if (*product->variants[i]->gtin &&
            text_equal(gtin_pad(product->variants[i]->gtin, padded), code))
            return product->variants[i]->sku;
    return code;
}

static bool find_offered(Catalog *catalog, const Rules *rules, SnapshotKey key, const char *code,
    Arena *arena, Bytes *packed, const char **sku)
{
    const char *name = snapshot_owner(catalog->snapshot, key, code, arena);
    const Product *product;

    if (!name || !rules_offer(rules, name))
        return snapshot_find(catalog->snapshot, key, code, arena, packed, sku);
    product = product_by(catalog, rules, name, arena);
    if (!pack_shown(product, arena, packed))
        return false;
    *sku = arena_text(arena, sku_of(product, key, code));
    return true;
}

bool published_find(Catalog *catalog, SnapshotKey key, const char *code, Arena *arena,
    Bytes *packed, const char **sku)
{
    Rules *rules = rules_holder_current(catalog->rules);
    bool is_there = rules_set(rules)->n_product_offers
                        ? find_offered(catalog, rules, key, code, arena, packed, sku)
                        : snapshot_find(catalog->snapshot, key, code, arena, packed, sku);

    rules_release(rules);
    return is_there;
}

const Product *published_product(Catalog *catalog, const char *name, Arena *arena)
{
    Rules *rules = rules_holder_current(catalog->rules);
    const Product *product = product_by(catalog, rules, name, arena);

    /* What the offer said must outlive the rules. */
    if (product && rules_offer(rules, name))
        product = message_copy(arena, product);
    rules_release(rules);
    return product;
}

bool published_entry(Catalog *catalog, const SnapshotEntry *entry, Arena *arena, Bytes *packed)
{
    Rules *rules = rules_holder_current(catalog->rules);
    const ProductOffer *offer = rules_offer(rules, entry->name);
    const Product *product;

    *packed = entry->packed;
    if (offer) {
        product = offer_apply(offer,
            message_unpack(arena, &throughline__catalog__v1__product__descriptor, entry->packed),
            arena);
        *packed = message_pack(arena, product);
    }
    rules_release(rules);
    return offer ? product->state != PRODUCT_DRAFT : !entry->is_draft;
}

const Product *published_source(Catalog *catalog, const Rules *rules, const char *sku, Arena *arena)
{
    const ProductOffer *offer;
    const char *name, *found;
    Bytes packed;

    if (snapshot_find(catalog->snapshot, SNAPSHOT_SKU, sku, arena, &packed, &found))
        return message_unpack(arena, &throughline__catalog__v1__product__descriptor, packed);
    name = snapshot_owner(catalog->snapshot, SNAPSHOT_SKU, sku, arena);
    offer = name ? rules_offer(rules, name) : NULL;
    return offer && offer->state ? snapshot_product(catalog->snapshot, name, arena) : NULL;
}

void published_follow(Catalog *catalog)
{
    Rules *rules = rules_holder_current(catalog->rules);
    RuleBook *book = rule_shelf_current(catalog->shelf);
    Arena *arena = arena_new();
    ChangeList changes = { 0 };

    /* The book is there a moment before its rules are in force. */
    if (rule_book_number(book) > rule_book_number(catalog->shown) &&
        rules_set(rules)->release >= rule_book_number(book)) {
        changes = changes_between(catalog->shown, book, arena);
        rule_book_release(catalog->shown);
        catalog->shown = rule_book_hold(book);
    }
    for (size_t i = 0; i < changes.n_items; i++) {
        const Product *product = text_starts_with(changes.items[i]->rule, "productOffers/")
                                     ? snapshot_product(catalog->snapshot,
                                           offer_product(changes.items[i]->rule, arena), arena)
                                     : NULL;

        if (product)
            catalog_put(catalog, product);
    }
    rule_book_release(book);
    rules_release(rules);
    arena_free(arena);
}
