/* Taxes: which rates a line is taxed with, what they take, where it is rounded. Lines that are taxed
 * alike form a group: a line by itself, or all such lines of the document. A group's tax is rounded
 * once and shared by its lines. */
#include "services/catalog/domain/pricing_engine.h"

#include "shared/base/money.h"

#include <string.h>

enum { RATE_UNIT = 1000000 };

static const char *category_at(const Engine *engine, const LookupValues *found)
{
    return engine->rules->set->tax_categories[found->values[0]]->name;
}

/* By SKU, else by the longest path of its main category, else the default. */
static const char *tax_category(const Engine *engine, const Line *line)
{
    const Product *product = line->item->product;
    LookupValues found = engine_find(engine, KEY_TAX_SKU, line->variant->sku);
    const char *category = engine->rules->default_tax_category;
    size_t most = 0;
    const char *path;

    if (found.n_values)
        return category_at(engine, &found);
    for (size_t i = 0; (path = product_main_path(product, i)); i++) {
        size_t n_parts = 1;

        for (size_t length = 0; category_part(path, &length); n_parts++) {
            found = lookup_find(engine->rules->lookup, KEY_TAX_PATH, path, length);
            if (found.n_values && n_parts > most) {
                category = category_at(engine, &found);
                most = n_parts;
            }
        }
    }
    return category;
}

static const TaxExemption *find_exemption(
    const Engine *engine, RuleKey key, const char *who, const char *category)
{
    LookupValues found = engine_find(engine, key, who);

    for (size_t i = 0; i < found.n_values; i++) {
        const CompiledExemption *compiled = &engine->rules->exemptions[found.values[i]];
        const TaxExemption *exemption = compiled->exemption;

        if (window_has(&compiled->window, engine->input->now) &&
            (!*exemption->country ||
                text_equal(exemption->country, context_text(engine->input->context.country))) &&
            (!*exemption->tax_category || text_equal(exemption->tax_category, category)))
            return exemption;
    }
    return NULL;
}

static const TaxExemption *exemption_of(const Engine *engine, const char *category)
{
    const PricingContext *context = &engine->input->context;
    const TaxExemption *exemption = NULL;

    if (engine->rules->set->n_tax_exemptions == 0)
        return NULL;
    if (*context_text(context->customer))
        exemption = find_exemption(engine, KEY_EXEMPT_CUSTOMER, context->customer, category);
    for (size_t i = 0; i < context->n_segments && !exemption; i++)
        exemption = find_exemption(engine, KEY_EXEMPT_SEGMENT, context->segments[i], category);
    return exemption;
}

static void weigh_rates(TaxPlan *plan)
{
    int n_compound = 0;
    Wide whole;

    plan->unit = RATE_UNIT;
    for (size_t i = 0; i < plan->n_rates; i++)
        if (plan->rates[i]->is_compound && n_compound < MAX_COMPOUND_RATES) {
            plan->unit *= RATE_UNIT;
            n_compound++;
        }
    whole = plan->unit;
    for (size_t i = 0, n = 0; i < plan->n_rates; i++) {
        bool is_compound = plan->rates[i]->is_compound && n < (size_t)n_compound;

        plan->weights[i] =
            (is_compound ? whole : plan->unit) / RATE_UNIT * plan->rates[i]->rate_millionths;
        whole += plan->weights[i];
        n += is_compound;
    }
    plan->tax = whole - plan->unit;
}

static void find_rates(const Engine *engine, TaxPlan *plan)
{
    const PricingContext *context = &engine->input->context;
    LookupValues found = engine_find(engine, KEY_TAX_RATE,
        arena_printf(engine->arena, "%s %s", context_text(context->country), plan->category));

    for (size_t i = 0; i < found.n_values && plan->n_rates < MAX_RATES; i++) {
        const CompiledRate *compiled = &engine->rules->rates[found.values[i]];
        const TaxRate *rate = compiled->rate;

        if (window_has(&compiled->window, engine->input->now) && rate->rate_millionths >= 0 &&
            rate->rate_millionths <= RATE_UNIT &&
            (!*rate->region || text_equal(rate->region, context_text(context->region))))
            plan->rates[plan->n_rates++] = rate;
    }
    weigh_rates(plan);
}

TaxPlan *tax_plan(Engine *engine, const char *category)
{
    TaxPlan *plan;

    if (!*category)
        return NULL;
    for (size_t i = 0; i < engine->n_plans; i++)
        if (text_equal(engine->plans[i].category, category))
            return engine->plans[i].n_rates ? &engine->plans[i] : NULL;
    plan = &engine->plans[engine->n_plans++];
    *plan = (TaxPlan){ .category = category };
    find_rates(engine, plan);
    if (plan->n_rates == 0)
        return NULL;
    plan->exemption = exemption_of(engine, category);
    return plan;
}

void plan_taxes(Engine *engine)
{
    const PricingSettings *settings;

    if (!engine->rules || engine->rules->set->n_tax_rates == 0)
        return;
    settings = engine->rules->set->settings;
    engine->plans = arena_array(engine->arena, engine->n_lines + 1, sizeof(*engine->plans));
    for (size_t i = 0; i < engine->n_lines; i++)
        engine->lines[i].tax = tax_plan(engine, tax_category(engine, &engine->lines[i]));
    if (engine->input->shipping && settings)
        engine->shipping_tax = tax_plan(engine, settings->shipping_tax_category);
}

/* The tax in or on an amount; false when it does not fit. */
static bool tax_of(
    const Engine *engine, const TaxPlan *plan, bool is_net, Wide amount, int64_t *tax)
{
    Wide product;
    Wide whole = is_net ? plan->unit : plan->unit + plan->tax;

    if (amount > INT64_MAX || __builtin_mul_overflow(amount, plan->tax, &product) ||
        product / whole >= INT64_MAX)
        return false;
    *tax = round_share(engine->rounding, product, whole, NULL);
    return true;
}

static bool is_alike(const Line *a, const Line *b)
{
    return a->tax == b->tax && a->is_net == b->is_net;
}

/* Taxes all lines from `first` on that are taxed like it, as one. */
static bool tax_group(const Engine *engine, size_t first, const int64_t *left, int64_t *taxes)
{
    const Line *line = &engine->lines[first];
    int64_t *weights = arena_array(engine->arena, engine->n_lines, sizeof(*weights));
    int64_t *parts = arena_array(engine->arena, engine->n_lines, sizeof(*parts));
    Wide amount = 0;
    int64_t tax;

    for (size_t i = first; i < engine->n_lines; i++)
        if (is_alike(line, &engine->lines[i])) {
            weights[i] = left[i];
            amount += left[i];
        }
    if (amount == 0)
        return true;
    if (!tax_of(engine, line->tax, line->is_net, amount, &tax))
        return false;
    money_split(tax, weights, parts, (int)engine->n_lines);
    for (size_t i = first; i < engine->n_lines; i++)
        if (is_alike(line, &engine->lines[i]))
            taxes[i] = parts[i];
    return true;
}

static bool is_taxed_before(const Engine *engine, size_t line)
{
    for (size_t i = 0; i < line; i++)
        if (is_alike(&engine->lines[i], &engine->lines[line]))
            return true;
    return false;
}

bool compute_taxes(const Engine *engine, const int64_t *left, int64_t *taxes)
{
    const PricingShipping *shipping = engine->input->shipping;

    for (size_t i = 0; i < engine->n_lines; i++) {
        const Line *line = &engine->lines[i];
        bool fits = true;

        if (!line->tax)
            continue;
        if (!engine->is_taxed_by_document)
            fits = tax_of(engine, line->tax, line->is_net, left[i], &taxes[i]);
        else if (!is_taxed_before(engine, i))
            fits = tax_group(engine, i, left, taxes);
        if (!fits)
            return false;
    }
    return !engine->shipping_tax || tax_of(engine, engine->shipping_tax, shipping->is_net,
                                        left[engine->n_lines], &taxes[engine->n_lines]);
}
