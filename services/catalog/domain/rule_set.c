#include "services/catalog/domain/rule_set.h"

#include "shared/codec/message.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* One repeated field of a RuleSet and the names of what is in it. */
typedef struct RuleList {
    const char *prefix;
    const char *field;
    size_t count_at;
    size_t items_at;
} RuleList;

static const RuleList lists[] = {
    { "itemCosts/", "item_costs", offsetof(RuleSet, n_item_costs), offsetof(RuleSet, item_costs) },
    { "priceRows/", "price_rows", offsetof(RuleSet, n_price_rows), offsetof(RuleSet, price_rows) },
    { "priceStops/", "price_stops", offsetof(RuleSet, n_price_stops),
        offsetof(RuleSet, price_stops) },
    { "productOffers/", "product_offers", offsetof(RuleSet, n_product_offers),
        offsetof(RuleSet, product_offers) },
    { "promotions/", "promotions", offsetof(RuleSet, n_promotions), offsetof(RuleSet, promotions) },
    { "taxCategories/", "tax_categories", offsetof(RuleSet, n_tax_categories),
        offsetof(RuleSet, tax_categories) },
    { "taxExemptions/", "tax_exemptions", offsetof(RuleSet, n_tax_exemptions),
        offsetof(RuleSet, tax_exemptions) },
    { "taxRates/", "tax_rates", offsetof(RuleSet, n_tax_rates), offsetof(RuleSet, tax_rates) },
};

/* Names are in order, so each kind is one run of the book. */
static void fill(const RuleList *list, const RuleBook *book, Arena *arena, RuleSet *set)
{
    size_t first = rule_book_seek(book, list->prefix), end = first, n;
    void **items;

    while (end < rule_book_count(book) &&
           text_starts_with(rule_book_at(book, end)->name, list->prefix))
        end++;
    n = end - first;
    items = arena_array(arena, n, sizeof(*items));
    for (size_t i = 0; i < n; i++)
        items[i] = rule_message(book_rule_unpack(rule_book_at(book, first + i), arena));
    memcpy((char *)set + list->count_at, &n, sizeof(n));
    memcpy((char *)set + list->items_at, &items, sizeof(items));
}

RuleSet *rule_set_of(const RuleBook *book, Arena *arena)
{
    RuleSet *set = message_new(arena, &throughline__catalog__v1__rule_set__descriptor);
    const Rule *settings = book_rule_unpack(rule_book_find(book, "pricingSettings/default"), arena);

    set->release = rule_book_number(book);
    for (size_t i = 0; i < COUNT(lists); i++)
        fill(&lists[i], book, arena, set);
    set->settings = settings ? settings->pricing_settings : NULL;
    return set;
}

/* The name of the rule that "promotions[3]" stands for, NULL when the path does not begin so; *rest is what follows. */
static const char *rule_at(const RuleSet *set, const char *path, const char **rest)
{
    for (size_t i = 0; i < COUNT(lists); i++) {
        size_t length = strlen(lists[i].field), count;
        char *end;
        unsigned long index;
        void **items;

        if (strncmp(path, lists[i].field, length) != 0 || path[length] != '[')
            continue;
        index = strtoul(path + length + 1, &end, 10);
        memcpy(&count, (const char *)set + lists[i].count_at, sizeof(count));
        memcpy(&items, (const char *)set + lists[i].items_at, sizeof(items));
        if (*end != ']' || index >= count)
            return NULL;
        *rest = end + 1;
        return *(char **)message_field(items[index], "name");
    }
    return NULL;
}

void rule_set_check(const RuleSet *set, Findings *findings)
{
    Findings found = { .arena = findings->arena };

    rules_check(set, &found);
    for (size_t i = 0; i < found.n_items; i++) {
        const char *field = found.items[i].field, *rest = "";
        const char *name = rule_at(set, field, &rest);

        if (name)
            field = arena_printf(findings->arena, "rules[\"%s\"]%s", name, rest);
        findings_add(findings, field, "%s", found.items[i].description);
    }
}
