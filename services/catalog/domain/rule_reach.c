#include "services/catalog/domain/rule_reach.h"

#include "services/catalog/domain/rules_index.h"

#include <stdlib.h>
#include <string.h>

/* A promotion that the target of a line decides about; what it takes of bundles is decided elsewhere. */
static bool promotion_reaches(const RuleReach *reach, const Promotion *promotion, Arena *arena)
{
    CompiledSelector target = selector_compile(arena, promotion->target);

    if (*promotion->code || promotion->needs_coupon)
        return false;
    for (size_t i = 0; i < reach->n_products; i++) {
        const Product *product = reach->products[i];
        const Variant *variant = product_variant(product, reach->sku);

        if (variant && promotion_matches(promotion, product) &&
            selector_matches(&target, product, variant))
            return true;
    }
    return false;
}

static bool is_product(const RuleReach *reach, const char *offer, Arena *arena)
{
    for (size_t i = 0; i < reach->n_products; i++)
        if (text_equal(offer_name(reach->products[i]->name, arena), offer))
            return true;
    return false;
}

bool rule_reaches(const RuleReach *reach, const Rule *rule, Arena *arena)
{
    switch (rule ? rule->kind_case : THROUGHLINE__CATALOG__V1__RULE__KIND_OVERRIDE_LIMIT) {
    case THROUGHLINE__CATALOG__V1__RULE__KIND_PRICE_ROW:
        return text_equal(rule->price_row->sku, reach->sku);
    case THROUGHLINE__CATALOG__V1__RULE__KIND_ITEM_COST:
        return text_equal(rule->item_cost->sku, reach->sku);
    case THROUGHLINE__CATALOG__V1__RULE__KIND_PRODUCT_OFFER:
        return is_product(reach, rule->product_offer->name, arena);
    case THROUGHLINE__CATALOG__V1__RULE__KIND_PROMOTION:
        return promotion_reaches(reach, rule->promotion, arena);
    case THROUGHLINE__CATALOG__V1__RULE__KIND_OVERRIDE_LIMIT:
        return false;
    default:
        return true;
    }
}

RuleBook *rule_reach_book(const RuleReach *reach, const RuleBook *book)
{
    RuleBook *none = rule_book_new(), *next;
    size_t capacity = rule_book_count(book), n_kept = 0;
    BookChange *kept = calloc(capacity + 1, sizeof(*kept));
    Arena *rules = arena_new(), *scratch = arena_new();

    if (!kept)
        abort();
    for (size_t i = 0; i < capacity; i++) {
        const BookRule *rule = rule_book_at(book, i);

        arena_reset(scratch);
        if (rule_reaches(reach, book_rule_unpack(rule, scratch), scratch))
            kept[n_kept++] =
                (BookChange){ rule->name, book_rule_unpack(rule, rules), rule->changed_in };
    }
    next = rule_book_next(none, rule_book_number(book), kept, n_kept);
    rule_book_release(none);
    arena_free(scratch);
    arena_free(rules);
    free(kept);
    return next;
}
