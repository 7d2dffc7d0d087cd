/* Which rules may be published together. */
#include "services/catalog/domain/rules_check.h"

#include "services/catalog/domain/expect.h"
#include "services/catalog/domain/offer.h"
#include "services/catalog/domain/rules_index.h"
#include "shared/base/clock.h"

#include <stdlib.h>
#include <string.h>

/* A rule that has others beside it: what they share, when it holds, where it stands. */
typedef struct Scoped {
    const char *scope; /* rules with one scope must not hold at one moment */
    const char *name;
    Window window;
    size_t index;
} Scoped;

static const char *indexed(const Findings *findings, const char *field, size_t index)
{
    return arena_printf(findings->arena, "%s[%zu]", field, index);
}

static int by_scope(const void *a, const void *b)
{
    const Scoped *left = a;
    const Scoped *right = b;
    int order = strcmp(left->scope, right->scope);

    if (!order && left->window.start != right->window.start)
        order = left->window.start < right->window.start ? -1 : 1;
    return order ? order : (left->index < right->index ? -1 : 1);
}

static const char *window_text(const Window *window, Arena *arena)
{
    if (window->start == INT64_MIN && window->end == INT64_MAX)
        return "always";
    if (window->start == INT64_MIN)
        return arena_printf(arena, "until %s", clock_format(arena, window->end));
    if (window->end == INT64_MAX)
        return arena_printf(arena, "from %s", clock_format(arena, window->start));
    return arena_printf(arena, "from %s until %s", clock_format(arena, window->start),
        clock_format(arena, window->end));
}

/* Names every rule that holds while one of its scope does that began before. */
static void check_overlaps(const char *field, Scoped *rules, size_t n_rules, Findings *findings)
{
    const Scoped *last = NULL; /* of this scope the one that ends last */

    if (n_rules > 1)
        qsort(rules, n_rules, sizeof(*rules), by_scope);
    for (size_t i = 0; i < n_rules; i++) {
        if (!last || !text_equal(last->scope, rules[i].scope)) {
            last = &rules[i];
            continue;
        }
        if (rules[i].window.start < last->window.end && findings->n_items < FINDINGS_MAX)
            findings_add(findings, indexed(findings, field, rules[i].index),
                "is for the same as \"%s\", which holds %s", last->name,
                window_text(&last->window, findings->arena));
        if (rules[i].window.end > last->window.end)
            last = &rules[i];
    }
}

static void check_price_rows(const RuleSet *set, Findings *findings)
{
    Scoped *rows = arena_array(findings->arena, set->n_price_rows, sizeof(*rows));
    size_t n_rows = 0;

    for (size_t i = 0; i < set->n_price_rows; i++) {
        const PriceRow *row = set->price_rows[i];
        bool is_sale = row->kind == THROUGHLINE__CATALOG__V1__PRICE_ROW__KIND__SALE;

        price_row_check(row, indexed(findings, "price_rows", i), findings);
        if (!row->amount)
            continue;
        rows[n_rows++] = (Scoped){
            .scope = arena_printf(findings->arena, "%s\n%s\n%s\n%s\n%s\n%s\n%d\n%d\n%d", row->sku,
                row->amount->currency_code, row->country, row->channel_group, row->segment,
                row->location, row->min_quantity > 1 ? row->min_quantity : 1, is_sale,
                row->start_time || row->end_time),
            .name = row->name,
            .window = window_of(row->start_time, row->end_time),
            .index = i,
        };
    }
    check_overlaps("price_rows", rows, n_rows, findings);
}

static void check_tax_rates(const RuleSet *set, const Lookup *names, Findings *findings)
{
    Scoped *rates = arena_array(findings->arena, set->n_tax_rates, sizeof(*rates));

    for (size_t i = 0; i < set->n_tax_rates; i++) {
        const TaxRate *rate = set->tax_rates[i];
        const char *path = indexed(findings, "tax_rates", i);

        tax_rate_check(rate, path, findings);
        if (!lookup_find(names, 0, rate->tax_category, strlen(rate->tax_category)).n_values)
            expect_fail(&(Expect){ path, findings }, "tax_category", "there is no \"%s\"",
                rate->tax_category);
        rates[i] = (Scoped){
            .scope = arena_printf(findings->arena, "%s\n%s\n%s\n%d", rate->country, rate->region,
                rate->tax_category, rate->position),
            .name = rate->name,
            .window = window_of(rate->start_time, rate->end_time),
            .index = i,
        };
    }
    check_overlaps("tax_rates", rates, set->n_tax_rates, findings);
}

/* Names. */

typedef struct Names {
    size_t n_entries;
    LookupEntry *entries;
    const char **fields;
    Findings *findings;
} Names;

/* Names of rules have no spaces: "code X" is none. */
static void add_name(Names *names, const char *field, size_t index, const char *name)
{
    if (!*name) {
        findings_add(names->findings,
            arena_printf(names->findings->arena, "%s[%zu].name", field, index), "must be set");
        return;
    }
    names->fields[names->n_entries] = field;
    names->entries[names->n_entries++] = (LookupEntry){ .text = name, .value = (uint32_t)index };
}

static size_t count_rules(const RuleSet *set)
{
    return set->n_price_rows + 2 * set->n_promotions + set->n_tax_categories + set->n_tax_rates +
           set->n_tax_exemptions + set->n_item_costs + set->n_price_stops + set->n_product_offers;
}

static void add_all(Names *names, const RuleSet *set)
{
    for (size_t i = 0; i < set->n_price_rows; i++)
        add_name(names, "price_rows", i, set->price_rows[i]->name);
    for (size_t i = 0; i < set->n_promotions; i++) {
        const Promotion *promotion = set->promotions[i];

        add_name(names, "promotions", i, promotion->name);
        if (*promotion->code)
            add_name(names, "promotions", i,
                arena_printf(names->findings->arena, "code %s", promotion->code));
    }
    for (size_t i = 0; i < set->n_tax_categories; i++)
        add_name(names, "tax_categories", i, set->tax_categories[i]->name);
    for (size_t i = 0; i < set->n_tax_rates; i++)
        add_name(names, "tax_rates", i, set->tax_rates[i]->name);
    for (size_t i = 0; i < set->n_tax_exemptions; i++)
        add_name(names, "tax_exemptions", i, set->tax_exemptions[i]->name);
    for (size_t i = 0; i < set->n_item_costs; i++)
        add_name(names, "item_costs", i, set->item_costs[i]->name);
    for (size_t i = 0; i < set->n_price_stops; i++)
        add_name(names, "price_stops", i, set->price_stops[i]->name);
    for (size_t i = 0; i < set->n_product_offers; i++)
        add_name(names, "product_offers", i, set->product_offers[i]->name);
}

/* All names, each of which must be there once. */
static const Lookup *check_names(const RuleSet *set, Findings *findings)
{
    size_t n_rules = count_rules(set);
    Names names = {
        .entries = arena_array(findings->arena, n_rules, sizeof(LookupEntry)),
        .fields = arena_array(findings->arena, n_rules, sizeof(char *)),
        .findings = findings,
    };
    const Lookup *lookup;

    add_all(&names, set);
    lookup = lookup_build(findings->arena, names.entries, names.n_entries);
    for (size_t i = 0; i < names.n_entries; i++) {
        const LookupEntry *entry = &names.entries[i];
        LookupValues found = lookup_find(lookup, 0, entry->text, strlen(entry->text));

        if (found.n_values > 1 && found.values[0] != entry->value)
            findings_add(findings, indexed(findings, names.fields[i], entry->value),
                "has the same %s as another rule", strchr(entry->text, ' ') ? entry->text : "name");
    }
    return lookup;
}

static void check_reference(
    const Lookup *names, const char *path, const char *field, const char *name, Findings *findings)
{
    if (*name && !lookup_find(names, 0, name, strlen(name)).n_values)
        expect_fail(&(Expect){ path, findings }, field, "there is no \"%s\"", name);
}

static void check_taxes(const RuleSet *set, const Lookup *names, Findings *findings)
{
    size_t n_defaults = 0;

    for (size_t i = 0; i < set->n_tax_categories; i++) {
        const char *path = indexed(findings, "tax_categories", i);

        tax_category_check(set->tax_categories[i], path, findings);
        if (set->tax_categories[i]->is_default && n_defaults++ > 0)
            expect_fail(&(Expect){ path, findings }, "is_default",
                "another category is the default already");
    }
    for (size_t i = 0; i < set->n_tax_exemptions; i++) {
        const char *path = indexed(findings, "tax_exemptions", i);

        tax_exemption_check(set->tax_exemptions[i], path, findings);
        check_reference(
            names, path, "tax_category", set->tax_exemptions[i]->tax_category, findings);
    }
    check_tax_rates(set, names, findings);
}

static void check_counts(const RuleSet *set, Findings *findings)
{
    const Expect check = { "rules", findings };

    expect_count(&check, "price_rows", set->n_price_rows, 0, RULES_MAX_PRICE_ROWS);
    expect_count(&check, "promotions", set->n_promotions, 0, RULES_MAX_PROMOTIONS);
    expect_count(&check, "tax_categories", set->n_tax_categories, 0, RULES_MAX_TAX_CATEGORIES);
    expect_count(&check, "tax_rates", set->n_tax_rates, 0, RULES_MAX_TAX_RATES);
    expect_count(&check, "tax_exemptions", set->n_tax_exemptions, 0, RULES_MAX_TAX_EXEMPTIONS);
    expect_count(&check, "item_costs", set->n_item_costs, 0, RULES_MAX_ITEM_COSTS);
    expect_count(&check, "price_stops", set->n_price_stops, 0, RULES_MAX_PRICE_STOPS);
    expect_count(&check, "product_offers", set->n_product_offers, 0, RULES_MAX_PRODUCT_OFFERS);
}

void rules_check(const RuleSet *set, Findings *findings)
{
    const Lookup *names = check_names(set, findings);

    check_counts(set, findings);
    check_price_rows(set, findings);
    for (size_t i = 0; i < set->n_promotions; i++)
        promotion_check_at(set->promotions[i], indexed(findings, "promotions", i), findings);
    check_taxes(set, names, findings);
    for (size_t i = 0; i < set->n_item_costs; i++)
        item_cost_check(set->item_costs[i], indexed(findings, "item_costs", i), findings);
    for (size_t i = 0; i < set->n_product_offers; i++)
        product_offer_check(
            set->product_offers[i], indexed(findings, "product_offers", i), findings);
    for (size_t i = 0; i < set->n_price_stops; i++) {
        const PriceStop *stop = set->price_stops[i];
        const char *path = indexed(findings, "price_stops", i);

        price_stop_check(stop, path, findings);
        if (stop->what_case == THROUGHLINE__CATALOG__V1__PRICE_STOP__WHAT_PROMOTION)
            check_reference(names, path, "promotion", stop->promotion, findings);
    }
    if (set->settings) {
        settings_check(set->settings, "settings", findings);
        check_reference(names, "settings", "shipping_tax_category",
            set->settings->shipping_tax_category, findings);
    }
}
