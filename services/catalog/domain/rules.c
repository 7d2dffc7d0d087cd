#include "services/catalog/domain/rules_index.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <stdlib.h>
#include <string.h>

/* Precedence of a price row: what it names, each weighing more than all behind it together. */
enum {
    RANK_LOCATION = 16,
    RANK_SEGMENT = 8,
    RANK_CHANNEL_GROUP = 4,
    RANK_COUNTRY = 2,
    RANK_WINDOW = 1,
};

/* Entries of the lookup while it is gathered. */
typedef struct Entries {
    size_t n_entries;
    size_t capacity;
    LookupEntry *entries;
} Entries;

static void add_entry(Entries *list, RuleKey key, const char *text, size_t value)
{
    if (list->n_entries == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 1024;
        list->entries = reallocarray(list->entries, list->capacity, sizeof(*list->entries));
        if (!list->entries)
            abort();
    }
    list->entries[list->n_entries++] =
        (LookupEntry){ .kind = (int)key, .text = text, .value = (uint32_t)value };
}

static void add_texts(Entries *list, RuleKey key, char *const *texts, size_t n_texts, size_t value)
{
    for (size_t i = 0; i < n_texts; i++)
        add_entry(list, key, texts[i], value);
}

/* Price rows. */

static bool compile_row(const PriceRow *row, CompiledRow *compiled)
{
    compiled->row = row;
    compiled->window = window_of(row->start_time, row->end_time);
    compiled->list_amount = -1;
    compiled->is_sale = row->kind == THROUGHLINE__CATALOG__V1__PRICE_ROW__KIND__SALE;
    compiled->rank = (*row->location ? RANK_LOCATION : 0) + (*row->segment ? RANK_SEGMENT : 0) +
                     (*row->channel_group ? RANK_CHANNEL_GROUP : 0) +
                     (*row->country ? RANK_COUNTRY : 0) +
                     (row->start_time || row->end_time ? RANK_WINDOW : 0);
    if (!money_minor(row->amount, &compiled->amount) || compiled->amount < 0)
        return false;
    memcpy(compiled->currency, row->amount->currency_code, sizeof(compiled->currency));
    if (row->list_amount && !money_minor(row->list_amount, &compiled->list_amount))
        compiled->list_amount = -1;
    return true;
}

static int64_t order_of(int64_t left, int64_t right)
{
    return left == right ? 0 : (left < right ? -1 : 1);
}

static int by_precedence(const void *a, const void *b)
{
    const CompiledRow *left = a;
    const CompiledRow *right = b;
    int64_t order = order_of(right->rank, left->rank);

    if (!order)
        order = order_of(right->row->min_quantity, left->row->min_quantity);
    if (!order)
        order = order_of(left->amount, right->amount);
    return order ? (int)order : strcmp(left->row->name, right->row->name);
}

static void compile_rows(Rules *rules, Entries *list)
{
    const RuleSet *set = rules->set;

    rules->rows = arena_array(rules->arena, set->n_price_rows, sizeof(*rules->rows));
    for (size_t i = 0; i < set->n_price_rows; i++)
        if (compile_row(set->price_rows[i], &rules->rows[rules->n_rows]))
            rules->n_rows++;
    if (rules->n_rows > 1)
        qsort(rules->rows, rules->n_rows, sizeof(*rules->rows), by_precedence);
    for (size_t i = 0; i < rules->n_rows; i++)
        add_entry(list, KEY_ROW_SKU, rules->rows[i].row->sku, i);
}

/* Promotions. */

/* Whether the rule was put under a key for every line that the selector can match. */
static bool add_selector(Entries *list, const CompiledSelector *compiled, size_t value)
{
    const Selector *selector = compiled->selector;

    if (compiled->is_open)
        return false;
    add_texts(list, KEY_PROMOTION_SKU, selector->skus, selector->n_skus, value);
    add_texts(list, KEY_PROMOTION_PRODUCT, selector->products, selector->n_products, value);
    add_texts(list, KEY_PROMOTION_CATEGORY, selector->categories, selector->n_categories, value);
    add_texts(list, KEY_PROMOTION_BRAND, selector->brands, selector->n_brands, value);
    return true;
}

/* Under what a cart must have for the promotion to apply. */
static bool add_automatic(Entries *list, const CompiledPromotion *compiled, size_t value)
{
    if (*compiled->promotion->category) {
        add_entry(list, KEY_PROMOTION_CATEGORY, compiled->promotion->category, value);
        return true;
    }
    if (compiled->n_parts > 0)
        return add_selector(list, &compiled->parts[0].target, value);
    return add_selector(list, &compiled->target, value) ||
           add_selector(list, &compiled->requires, value);
}

static void compile_promotions(Rules *rules, Entries *list)
{
    const RuleSet *set = rules->set;

    rules->n_promotions = set->n_promotions;
    rules->promotions = arena_array(rules->arena, set->n_promotions, sizeof(*rules->promotions));
    rules->open = arena_array(rules->arena, set->n_promotions, sizeof(*rules->open));
    for (size_t i = 0; i < set->n_promotions; i++) {
        CompiledPromotion *compiled = &rules->promotions[i];

        promotion_compile(rules->arena, set->promotions[i], compiled);
        rules->has_limits |= promotion_is_limited(set->promotions[i]);
        add_entry(list, KEY_PROMOTION_NAME, compiled->promotion->name, i);
        if (*compiled->promotion->code)
            add_entry(list, KEY_PROMOTION_CODE, compiled->promotion->code, i);
        if (compiled->is_automatic && !add_automatic(list, compiled, i))
            rules->open[rules->n_open++] = (uint32_t)i;
    }
}

/* Taxes. */

static int by_position(const void *a, const void *b)
{
    const CompiledRate *left = a;
    const CompiledRate *right = b;
    int64_t order = order_of(left->rate->position, right->rate->position);

    return order ? (int)order : strcmp(left->rate->name, right->rate->name);
}

static void compile_taxes(Rules *rules, Entries *list)
{
    const RuleSet *set = rules->set;

    rules->default_tax_category = "";
    for (size_t i = 0; i < set->n_tax_categories; i++) {
        const TaxCategory *category = set->tax_categories[i];

        add_texts(list, KEY_TAX_SKU, category->skus, category->n_skus, i);
        add_texts(list, KEY_TAX_PATH, category->categories, category->n_categories, i);
        if (category->is_default)
            rules->default_tax_category = category->name;
    }
    rules->rates = arena_array(rules->arena, set->n_tax_rates, sizeof(*rules->rates));
    for (size_t i = 0; i < set->n_tax_rates; i++)
        rules->rates[i] = (CompiledRate){ set->tax_rates[i],
            window_of(set->tax_rates[i]->start_time, set->tax_rates[i]->end_time) };
    if (set->n_tax_rates > 1)
        qsort(rules->rates, set->n_tax_rates, sizeof(*rules->rates), by_position);
    for (size_t i = 0; i < set->n_tax_rates; i++)
        add_entry(list, KEY_TAX_RATE,
            arena_printf(rules->arena, "%s %s", rules->rates[i].rate->country,
                rules->rates[i].rate->tax_category),
            i);
    rules->exemptions =
        arena_array(rules->arena, set->n_tax_exemptions, sizeof(*rules->exemptions));
    for (size_t i = 0; i < set->n_tax_exemptions; i++) {
        const TaxExemption *exemption = set->tax_exemptions[i];

        rules->exemptions[i] =
            (CompiledExemption){ exemption, window_of(exemption->start_time, exemption->end_time) };
        if (*exemption->customer)
            add_entry(list, KEY_EXEMPT_CUSTOMER, exemption->customer, i);
        else if (*exemption->segment)
            add_entry(list, KEY_EXEMPT_SEGMENT, exemption->segment, i);
    }
}

/* The rest. */

static void compile_costs(Rules *rules, Entries *list)
{
    const RuleSet *set = rules->set;

    rules->costs = arena_array(rules->arena, set->n_item_costs, sizeof(*rules->costs));
    for (size_t i = 0; i < set->n_item_costs; i++) {
        const ItemCost *cost = set->item_costs[i];

        rules->costs[i] = amounts_compile(rules->arena, cost->amounts, cost->n_amounts);
        add_entry(list, KEY_COST_SKU, cost->sku, i);
    }
}

static void compile_stops(Rules *rules, Entries *list)
{
    for (size_t i = 0; i < rules->set->n_price_stops; i++) {
        const PriceStop *stop = rules->set->price_stops[i];

        if (stop->what_case == THROUGHLINE__CATALOG__V1__PRICE_STOP__WHAT_SKU)
            add_entry(list, KEY_STOP_SKU, stop->sku, i);
        else if (stop->what_case == THROUGHLINE__CATALOG__V1__PRICE_STOP__WHAT_CATEGORY)
            add_entry(list, KEY_STOP_CATEGORY, stop->category, i);
        else if (stop->what_case == THROUGHLINE__CATALOG__V1__PRICE_STOP__WHAT_PROMOTION)
            add_entry(list, KEY_STOP_PROMOTION, stop->promotion, i);
    }
}

static void compile_settings(Rules *rules, Entries *list)
{
    const PricingSettings *settings = rules->set->settings;

    if (!settings)
        return;
    add_texts(list, KEY_BLACKOUT_SKU, settings->blackout_skus, settings->n_blackout_skus, 0);
    for (size_t i = 0; i < settings->n_channel_groups; i++)
        add_texts(list, KEY_CHANNEL, settings->channel_groups[i]->channels,
            settings->channel_groups[i]->n_channels, i);
}

static void compile_offers(Rules *rules, Entries *list)
{
    for (size_t i = 0; i < rules->set->n_product_offers; i++)
        add_entry(list, KEY_OFFER_PRODUCT,
            offer_product(rules->set->product_offers[i]->name, rules->arena), i);
}

static void mark_stopped(Rules *rules)
{
    for (size_t i = 0; i < rules->n_promotions; i++) {
        const char *name = rules->promotions[i].promotion->name;

        rules->promotions[i].is_stopped =
            lookup_find(rules->lookup, KEY_STOP_PROMOTION, name, strlen(name)).n_values > 0;
    }
}

Rules *rules_compile(const RuleSet *set)
{
    Rules *rules = calloc(1, sizeof(*rules));
    Entries list = { 0 };

    if (!rules)
        abort();
    atomic_init(&rules->references, 1);
    rules->arena = arena_new();
    rules->set = message_copy(rules->arena, set);
    compile_rows(rules, &list);
    compile_promotions(rules, &list);
    compile_taxes(rules, &list);
    compile_costs(rules, &list);
    compile_stops(rules, &list);
    compile_settings(rules, &list);
    compile_offers(rules, &list);
    rules->lookup = lookup_build(rules->arena, list.entries, list.n_entries);
    free(list.entries);
    mark_stopped(rules);
    return rules;
}

Rules *rules_hold(Rules *rules)
{
    if (rules)
        atomic_fetch_add_explicit(&rules->references, 1, memory_order_relaxed);
    return rules;
}

void rules_release(Rules *rules)
{
    if (!rules || atomic_fetch_sub_explicit(&rules->references, 1, memory_order_acq_rel) != 1)
        return;
    arena_free(rules->arena);
    free(rules);
}

bool rules_are_shared(const Rules *rules)
{
    return atomic_load_explicit(&rules->references, memory_order_acquire) > 1;
}

const RuleSet *rules_set(const Rules *rules)
{
    return rules->set;
}

bool rules_have_limits(const Rules *rules)
{
    return rules->has_limits;
}

static const Promotion *find_promotion(const Rules *rules, RuleKey key, const char *text)
{
    LookupValues found = lookup_find(rules->lookup, (int)key, text, strlen(text));

    return found.n_values ? rules->promotions[found.values[0]].promotion : NULL;
}

const ProductOffer *rules_offer(const Rules *rules, const char *product)
{
    LookupValues found;

    if (rules->set->n_product_offers == 0)
        return NULL;
    found = lookup_find(rules->lookup, KEY_OFFER_PRODUCT, product, strlen(product));
    return found.n_values ? rules->set->product_offers[found.values[0]] : NULL;
}

const Promotion *rules_promotion(const Rules *rules, const char *name)
{
    return find_promotion(rules, KEY_PROMOTION_NAME, name);
}

const Promotion *rules_promotion_by_code(const Rules *rules, const char *code)
{
    return find_promotion(rules, KEY_PROMOTION_CODE, code);
}
