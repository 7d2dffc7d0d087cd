/* The price of each line: of the rows that fit the one that goes first, else the product's own. */
#include "services/catalog/domain/pricing_engine.h"

#include "shared/base/money.h"
#include "shared/codec/types.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const Error amount_too_large = { ERROR_FAILED_PRECONDITION, "AMOUNT_TOO_LARGE",
    "The amounts of this quote are too large to be added up; ask for fewer pieces." };

const char *context_text(const char *text)
{
    return text ? text : "";
}

LookupValues engine_find(const Engine *engine, RuleKey key, const char *text)
{
    if (!engine->rules)
        return (LookupValues){ 0 };
    return lookup_find(engine->rules->lookup, (int)key, text, strlen(text));
}

static bool is_for(const char *wanted, const char *given)
{
    return !*wanted || text_equal(wanted, context_text(given));
}

static bool has_segment(const PricingContext *context, const char *segment)
{
    for (size_t i = 0; i < context->n_segments; i++)
        if (text_equal(context->segments[i], segment))
            return true;
    return !*segment;
}

bool row_is_for_channel(const Engine *engine, const PriceRow *row)
{
    return is_for(row->channel_group, engine->input->context.channel) ||
           is_for(row->channel_group, engine->channel_group);
}

const char *row_refusal(const Engine *engine, const CompiledRow *compiled, int64_t quantity)
{
    const PricingContext *context = &engine->input->context;
    const PriceRow *row = compiled->row;

    if (strcmp(compiled->currency, engine->input->currency) != 0)
        return "OTHER_CURRENCY";
    if (!window_has(&compiled->window, engine->input->now))
        return "OTHER_TIME";
    if (row->min_quantity > quantity)
        return "QUANTITY_TOO_LOW";
    if (!is_for(row->country, context->country))
        return "OTHER_COUNTRY";
    if (!is_for(row->location, context->location))
        return "OTHER_LOCATION";
    if (!has_segment(context, row->segment))
        return "OTHER_SEGMENT";
    if (!row_is_for_channel(engine, row))
        return "OTHER_CHANNEL";
    return NULL;
}

const CompiledRow *choose_row(const Engine *engine, const char *sku, int64_t quantity, bool is_sale)
{
    LookupValues found = engine_find(engine, KEY_ROW_SKU, sku);

    for (size_t i = 0; i < found.n_values; i++) {
        const CompiledRow *row = &engine->rules->rows[found.values[i]];

        if (row->is_sale == is_sale && !row_refusal(engine, row, quantity))
            return row;
    }
    return NULL;
}

static bool is_stopped(const Engine *engine, const Line *line)
{
    const char *path;

    if (!engine->rules || engine->rules->set->n_price_stops == 0)
        return false;
    if (engine_find(engine, KEY_STOP_SKU, line->variant->sku).n_values)
        return true;
    for (size_t i = 0; (path = product_path(line->item->product, i)); i++)
        for (size_t length = 0; category_part(path, &length);)
            if (lookup_find(engine->rules->lookup, KEY_STOP_CATEGORY, path, length).n_values)
                return true;
    return false;
}

static const Error *refuse_line(
    const Engine *engine, const Line *line, const char *reason, const char *why)
{
    const char *sku = line->item->line->sku;
    Arena *arena = engine->arena;
    const Error *error =
        error_new(arena, ERROR_FAILED_PRECONDITION, reason, "\"%s\" %s.", sku, why);

    return error_with_fact(arena, error, "sku", sku);
}

/* By what the release says of the product, else as it was imported. False when the product has no price in the currency. */
static bool take_own_price(const Engine *engine, Line *line)
{
    const VariantOffer *said = line->offer ? offer_variant(line->offer, line->variant->sku) : NULL;
    const Price *price = said ? price_in(said->prices, said->n_prices, engine->input->currency)
                              : variant_price(line->variant, engine->input->currency);

    if (!price || !money_minor(price->amount, &line->unit) || line->unit < 0)
        return false;
    if (price->list_amount && !money_minor(price->list_amount, &line->before))
        line->before = -1;
    if (said)
        line->price_row = line->offer->name;
    return true;
}

static void take_row(Line *line, const CompiledRow *row, int64_t before)
{
    line->unit = row->amount;
    line->before = before;
    line->price_row = row->row->name;
    line->is_net = row->row->is_net;
}

static bool find_price(const Engine *engine, Line *line)
{
    const char *sku = line->variant->sku;
    int32_t quantity = line->item->line->quantity;
    const CompiledRow *row = choose_row(engine, sku, quantity, false);
    const CompiledRow *sale = choose_row(engine, sku, quantity, true);
    bool has_price = row || take_own_price(engine, line);

    if (row)
        take_row(line, row, row->list_amount);
    if (sale && !has_price)
        take_row(line, sale, sale->list_amount);
    /* Amounts with and without taxes can't be compared. */
    else if (sale && sale->row->is_net == line->is_net && sale->amount < line->unit)
        take_row(line, sale, line->unit);
    return has_price || sale;
}

static const PricingOverride *find_override(const PricingInput *input, const char *sku)
{
    for (size_t i = 0; i < input->n_overrides; i++)
        if (text_equal(input->overrides[i].sku, sku))
            return &input->overrides[i];
    return NULL;
}

static bool is_retired(const Line *line)
{
    if (line->offer && line->offer->state)
        return line->offer->state == THROUGHLINE__CATALOG__V1__PRODUCT_OFFER__STATE__RETIRED;
    return line->item->product->state == PRODUCT_RETIRED;
}

static const Error *price_line(const Engine *engine, Line *line)
{
    const PricingInput *input = engine->input;
    const QuoteLine *asked = line->item->line;

    line->variant = product_variant(line->item->product, asked->sku);
    assert(line->variant && "an item's product has its SKU");
    line->offer = engine->rules ? rules_offer(engine->rules, line->item->product->name) : NULL;
    if (is_retired(line))
        return refuse_line(engine, line, "PRODUCT_RETIRED", "is not for sale any more");
    if (is_stopped(engine, line))
        return refuse_line(
            engine, line, "PRICE_STOPPED", "is not sold until its price has been put right");
    if (!find_price(engine, line))
        return error_with_fact(engine->arena,
            refuse_line(engine, line, "PRICE_MISSING",
                arena_printf(engine->arena, "has no price in %s", input->currency)),
            "currency", input->currency);
    line->rule_unit = line->unit;
    line->override = find_override(input, asked->sku);
    if (line->override)
        line->unit = line->override->unit_minor;
    line->is_closed =
        line->override || engine_find(engine, KEY_BLACKOUT_SKU, asked->sku).n_values > 0;
    if (!money_multiply(line->unit, asked->quantity, &line->list))
        return &amount_too_large;
    return NULL;
}

static int by_sku(const void *a, const void *b)
{
    const Line *left = a;
    const Line *right = b;
    int order = strcmp(left->item->line->sku, right->item->line->sku);

    return order ? order : (left->position < right->position ? -1 : 1);
}

const Error *price_lines(Engine *engine)
{
    const PricingInput *input = engine->input;
    int64_t sum = input->shipping ? input->shipping->minor : 0;
    const Error *error;

    engine->n_lines = input->n_items;
    engine->lines = arena_array(engine->arena, input->n_items, sizeof(*engine->lines));
    for (size_t i = 0; i < input->n_items; i++) {
        engine->lines[i] =
            (Line){ .item = &input->items[i], .position = i, .before = -1, .price_row = "" };
        if ((error = price_line(engine, &engine->lines[i])))
            return error;
        if (!money_add(sum, engine->lines[i].list, &sum))
            return &amount_too_large;
    }
    if (engine->n_lines > 1)
        qsort(engine->lines, engine->n_lines, sizeof(*engine->lines), by_sku);
    return NULL;
}
