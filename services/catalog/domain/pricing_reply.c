/* A quote of what was decided: every amount with where it comes from. Texts of rules are copied: the
 * quote outlives them. */
#include "services/catalog/domain/pricing_engine.h"

#include "shared/base/money.h"
#include "shared/codec/types.h"

#include <assert.h>

typedef Throughline__Catalog__V1__TaxShare TaxShare;
typedef Throughline__Catalog__V1__TaxLine TaxLine;
typedef Throughline__Catalog__V1__PricedShipping PricedShipping;
typedef Throughline__Catalog__V1__PricedGift PricedGift;
typedef Throughline__Catalog__V1__AppliedOverride AppliedOverride;

enum { NANOS_PER_UNIT = 1000000000 };

static const Error amount_too_large = { ERROR_FAILED_PRECONDITION, "AMOUNT_TOO_LARGE",
    "The amounts of this quote are too large to be added up; ask for fewer pieces." };

/* Sums over the lines and the shipping. */
typedef struct Totals {
    int64_t list;
    int64_t discount;
    int64_t total;
    int64_t tax;
    int64_t on_top;
    size_t n_rates;
    const TaxRate **rates;
    int64_t *bases;
    int64_t *amounts;
} Totals;

/* What is written of a line or of the shipping. */
typedef struct Part {
    size_t n_adjustments;
    Adjustment **adjustments;
    int64_t total;
    int64_t tax;
    int64_t on_top;
    size_t n_taxes;
    TaxShare **taxes;
} Part;

/* As money_message, but the currency is looked up once a quote, not once an amount. */
static Google__Type__Money *money(const Engine *engine, int64_t minor)
{
    Google__Type__Money *amount = arena_room(engine->arena, sizeof(*amount));

    google__type__money__init(amount);
    amount->currency_code = engine->currency;
    amount->units = minor / engine->minor_per_unit;
    amount->nanos =
        (int32_t)(minor % engine->minor_per_unit * (NANOS_PER_UNIT / engine->minor_per_unit));
    return amount;
}

static Google__Type__Money *money_unless_zero(const Engine *engine, int64_t minor)
{
    return minor ? money(engine, minor) : NULL;
}

static Adjustment *new_adjustment(const Engine *engine, const Take *take)
{
    const Promotion *promotion = engine->candidates[take->candidate].compiled->promotion;
    const char *code = engine->candidates[take->candidate].code;
    Adjustment *adjustment = arena_room(engine->arena, sizeof(*adjustment));

    throughline__catalog__v1__adjustment__init(adjustment);
    adjustment->promotion = arena_text(engine->arena, promotion->name);
    adjustment->code = arena_text(engine->arena, code);
    adjustment->title = arena_text(engine->arena, promotion->title);
    adjustment->amount = money(engine, take->amount);
    adjustment->rounding_millionths = take->excess;
    return adjustment;
}

static Adjustment *new_relief(const Engine *engine, const TaxExemption *exemption, int64_t amount)
{
    Adjustment *adjustment = arena_room(engine->arena, sizeof(*adjustment));

    throughline__catalog__v1__adjustment__init(adjustment);
    adjustment->exemption = arena_text(engine->arena, exemption->name);
    adjustment->title = arena_text(engine->arena, exemption->reason);
    adjustment->amount = money(engine, amount);
    return adjustment;
}

static void add_adjustments(const Engine *engine, const Deal *deal, size_t line, Part *part)
{
    size_t n_takes = 0;

    for (size_t i = 0; i < deal->n_takes; i++)
        n_takes += deal->takes[i].line == line;
    /* One more for a tax that is not paid. */
    part->adjustments = arena_array(engine->arena, n_takes + 1, sizeof(*part->adjustments));
    for (size_t i = 0; i < deal->n_takes && part->n_adjustments < n_takes; i++)
        if (deal->takes[i].line == line)
            part->adjustments[part->n_adjustments++] = new_adjustment(engine, &deal->takes[i]);
}

/* Taxes. */

static void count_rate(Totals *totals, const TaxRate *rate, int64_t base, int64_t amount)
{
    size_t at = 0;

    while (at < totals->n_rates && totals->rates[at] != rate)
        at++;
    totals->n_rates += at == totals->n_rates;
    totals->rates[at] = rate;
    totals->bases[at] += base;
    totals->amounts[at] += amount;
}

/* Shares the tax of a line by its rates. */
static void share_tax(
    const Engine *engine, const TaxPlan *plan, int64_t base, Part *part, Totals *totals)
{
    int64_t weights[MAX_RATES];
    int64_t parts[MAX_RATES];

    for (size_t i = 0; i < plan->n_rates; i++)
        weights[i] = (int64_t)(plan->weights[i] / (plan->unit / ROUNDING_MILLIONTHS));
    money_split(part->tax, weights, parts, (int)plan->n_rates);
    part->n_taxes = plan->n_rates;
    part->taxes = arena_array(engine->arena, plan->n_rates, sizeof(*part->taxes));
    for (size_t i = 0; i < plan->n_rates; i++) {
        part->taxes[i] = arena_room(engine->arena, sizeof(TaxShare));
        throughline__catalog__v1__tax_share__init(part->taxes[i]);
        part->taxes[i]->rate = arena_text(engine->arena, plan->rates[i]->name);
        part->taxes[i]->amount = money(engine, parts[i]);
        count_rate(totals, plan->rates[i], base, parts[i]);
    }
}

/* False when the total does not fit. */
static bool add_tax(
    const Engine *engine, const TaxPlan *plan, bool is_net, int64_t tax, Part *part, Totals *totals)
{
    if (!plan)
        return true;
    if (plan->exemption) {
        if (is_net || tax == 0)
            return true;
        part->adjustments[part->n_adjustments++] = new_relief(engine, plan->exemption, tax);
        part->total -= tax;
        return true;
    }
    part->tax = tax;
    part->on_top = is_net ? tax : 0;
    share_tax(engine, plan, part->total - (is_net ? 0 : tax), part, totals);
    return money_add(part->total, part->on_top, &part->total);
}

/* False when the sums do not fit. Discounts and taxes in prices are parts of what fits. */
static bool add_totals(const Part *part, int64_t list, Totals *totals)
{
    totals->list += list;
    totals->tax += part->tax;
    totals->on_top += part->on_top;
    totals->discount += list - (part->total - part->on_top);
    return money_add(totals->total, part->total, &totals->total);
}

static bool make_part(const Engine *engine, const Deal *deal, const int64_t *taxes, size_t line,
    Part *part, Totals *totals)
{
    bool is_shipping = line == engine->n_lines;
    const TaxPlan *plan = is_shipping ? engine->shipping_tax : engine->lines[line].tax;
    bool is_net = is_shipping ? engine->input->shipping->is_net : engine->lines[line].is_net;
    int64_t list = is_shipping ? engine->input->shipping->minor : engine->lines[line].list;

    add_adjustments(engine, deal, line, part);
    part->total = deal->left[line];
    return add_tax(engine, plan, is_net, taxes[line], part, totals) &&
           add_totals(part, list, totals);
}

/* Parts of the quote. */

static char *line_title(const Product *product, const Variant *variant, Arena *arena)
{
    if (!*variant->title)
        return product->title;
    return arena_printf(arena, "%s, %s", product->title, variant->title);
}

static AppliedOverride *write_override(const Engine *engine, const Line *line)
{
    AppliedOverride *applied = arena_room(engine->arena, sizeof(*applied));

    throughline__catalog__v1__applied_override__init(applied);
    applied->reason = arena_text(engine->arena, line->override->reason);
    applied->actor = arena_text(engine->arena, line->override->actor);
    applied->rule_price = money(engine, line->rule_unit);
    return applied;
}

static PricedLine *write_line(const Engine *engine, const Line *line, const Part *part)
{
    PricedLine *priced = arena_room(engine->arena, sizeof(*priced));

    throughline__catalog__v1__priced_line__init(priced);
    priced->sku = line->item->line->sku;
    priced->product = line->item->product->name;
    priced->product_etag = line->item->product->etag;
    priced->title = line_title(line->item->product, line->variant, engine->arena);
    priced->quantity = line->item->line->quantity;
    priced->unit_price = money(engine, line->unit);
    priced->list_total = money(engine, line->list);
    priced->n_adjustments = part->n_adjustments;
    priced->adjustments = part->adjustments;
    priced->total = money(engine, part->total);
    priced->price_row = arena_text(engine->arena, line->price_row);
    priced->price_before = line->before >= 0 ? money(engine, line->before) : NULL;
    priced->is_net = line->is_net;
    priced->tax_total = money_unless_zero(engine, part->tax);
    priced->tax_on_top = money_unless_zero(engine, part->on_top);
    priced->n_taxes = part->n_taxes;
    priced->taxes = part->taxes;
    priced->override = line->override ? write_override(engine, line) : NULL;
    return priced;
}

static PricedShipping *write_shipping(const Engine *engine, const Part *part)
{
    const PricingShipping *asked = engine->input->shipping;
    PricedShipping *shipping = arena_room(engine->arena, sizeof(*shipping));

    throughline__catalog__v1__priced_shipping__init(shipping);
    shipping->method = arena_text(engine->arena, asked->method);
    shipping->list_total = money(engine, asked->minor);
    shipping->n_adjustments = part->n_adjustments;
    shipping->adjustments = part->adjustments;
    shipping->total = money(engine, part->total);
    shipping->is_net = asked->is_net;
    shipping->tax_total = money_unless_zero(engine, part->tax);
    shipping->tax_on_top = money_unless_zero(engine, part->on_top);
    shipping->n_taxes = part->n_taxes;
    shipping->taxes = part->taxes;
    return shipping;
}

static void write_gifts(const Engine *engine, const Deal *deal, Quote *quote)
{
    quote->gifts = arena_array(engine->arena, deal->n_gifts, sizeof(*quote->gifts));
    for (size_t i = 0; i < deal->n_gifts; i++) {
        const Promotion *promotion = engine->candidates[deal->gifts[i]].compiled->promotion;
        PricedGift *gift = arena_room(engine->arena, sizeof(*gift));

        throughline__catalog__v1__priced_gift__init(gift);
        gift->sku = arena_text(engine->arena, promotion->gift->sku);
        gift->quantity = promotion->gift->quantity;
        gift->promotion = arena_text(engine->arena, promotion->name);
        quote->gifts[quote->n_gifts++] = gift;
    }
}

static void write_taxes(const Engine *engine, const Totals *totals, Quote *quote)
{
    quote->tax_total = money_unless_zero(engine, totals->tax);
    quote->tax_on_top = money_unless_zero(engine, totals->on_top);
    quote->taxes = arena_array(engine->arena, totals->n_rates, sizeof(*quote->taxes));
    for (size_t i = 0; i < totals->n_rates; i++) {
        TaxLine *line = arena_room(engine->arena, sizeof(*line));

        throughline__catalog__v1__tax_line__init(line);
        line->rate = arena_text(engine->arena, totals->rates[i]->name);
        line->title = arena_text(engine->arena, totals->rates[i]->title);
        line->rate_millionths = totals->rates[i]->rate_millionths;
        line->net_amount = money(engine, totals->bases[i]);
        line->amount = money(engine, totals->amounts[i]);
        quote->taxes[quote->n_taxes++] = line;
    }
}

const Error *write_quote(const Engine *engine, const Deal *deal, Quote *quote)
{
    size_t n_rates = engine->n_plans * MAX_RATES;
    int64_t *taxes = arena_array(engine->arena, engine->n_lines + 1, sizeof(*taxes));
    Totals totals = {
        .rates = arena_array(engine->arena, n_rates, sizeof(*totals.rates)),
        .bases = arena_array(engine->arena, n_rates, sizeof(*totals.bases)),
        .amounts = arena_array(engine->arena, n_rates, sizeof(*totals.amounts)),
    };

    if (!compute_taxes(engine, deal->left, taxes))
        return &amount_too_large;
    quote->n_lines = engine->n_lines;
    quote->lines = arena_array(engine->arena, engine->n_lines, sizeof(*quote->lines));
    for (size_t i = 0; i < engine->n_lines; i++) {
        Part part = { 0 };

        if (!make_part(engine, deal, taxes, i, &part, &totals))
            return &amount_too_large;
        quote->lines[engine->lines[i].position] = write_line(engine, &engine->lines[i], &part);
    }
    if (engine->input->shipping) {
        Part part = { 0 };

        if (!make_part(engine, deal, taxes, engine->n_lines, &part, &totals))
            return &amount_too_large;
        quote->shipping = write_shipping(engine, &part);
    }
    quote->currency = engine->currency;
    quote->list_total = money(engine, totals.list);
    quote->discount_total = money(engine, totals.discount);
    quote->total = money(engine, totals.total);
    quote->release = engine->rules ? engine->rules->set->release : 0;
    write_taxes(engine, &totals, quote);
    write_gifts(engine, deal, quote);
    return NULL;
}
