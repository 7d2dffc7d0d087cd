/* Every rule that was considered, and why it did or did not apply. */
#include "services/catalog/domain/pricing_engine.h"

#include "shared/codec/types.h"

typedef Throughline__Catalog__V1__ConsideredRule ConsideredRule;

static ConsideredRule *add_rule(const Engine *engine, QuoteExplanation *explanation)
{
    ConsideredRule *rule = arena_alloc(engine->arena, sizeof(*rule));

    throughline__catalog__v1__considered_rule__init(rule);
    explanation->considered[explanation->n_considered++] = rule;
    return rule;
}

static void explain_promotion(
    const Engine *engine, const Candidate *candidate, QuoteExplanation *explanation)
{
    const Promotion *promotion = candidate->compiled->promotion;
    ConsideredRule *rule;

    if (engine->input->hides_other_channels &&
        !promotion_is_for_channel(engine, candidate->compiled))
        return;
    rule = add_rule(engine, explanation);
    rule->rule = arena_text(engine->arena, promotion->name);
    rule->title = arena_text(engine->arena, promotion->title);
    rule->is_applied = candidate->refusal == REFUSED_NOT;
    rule->reason = arena_text(engine->arena, refusal_word(candidate->refusal));
    rule->detail = arena_text(engine->arena, refusal_text(engine, candidate));
    rule->condition = arena_text(engine->arena, refusal_condition(candidate->refusal));
    rule->excluded_by =
        arena_text(engine->arena, candidate->winner ? candidate->winner->name : NULL);
    if (candidate->taken > 0)
        rule->amount = money_message(engine->arena, engine->input->currency, candidate->taken);
}

static const char *row_detail(const char *reason)
{
    static const struct {
        const char *reason;
        const char *detail;
    } details[] = {
        { "OTHER_CURRENCY", "it is in another currency" },
        { "OTHER_TIME", "it does not hold at this time" },
        { "QUANTITY_TOO_LOW", "it is for more pieces" },
        { "OTHER_COUNTRY", "it is for another country" },
        { "OTHER_LOCATION", "it is for another location" },
        { "OTHER_SEGMENT", "the customer is not in its segment" },
        { "OTHER_CHANNEL", "it is for other channels" },
        { "OVERRIDDEN", "the price was set by hand" },
        { "OTHER_RULE", "another price goes before it" },
    };

    for (size_t i = 0; i < COUNT(details); i++)
        if (text_equal(details[i].reason, reason))
            return details[i].detail;
    return "";
}

static void explain_row(const Engine *engine, const Line *line, const CompiledRow *compiled,
    QuoteExplanation *explanation)
{
    const char *reason = row_refusal(engine, compiled, line->item->line->quantity);
    ConsideredRule *rule;

    if (engine->input->hides_other_channels && !row_is_for_channel(engine, compiled->row))
        return;
    rule = add_rule(engine, explanation);
    rule->rule = arena_text(engine->arena, compiled->row->name);
    rule->sku = arena_text(engine->arena, compiled->row->sku);
    rule->is_applied =
        text_equal(compiled->row->name, line->price_row) && !line->override && !reason;
    if (!reason && !rule->is_applied)
        reason = line->override ? "OVERRIDDEN" : "OTHER_RULE";
    rule->reason = arena_text(engine->arena, reason);
    rule->detail = arena_text(engine->arena, row_detail(rule->reason));
}

static void explain_line(const Engine *engine, const Line *line, QuoteExplanation *explanation)
{
    LookupValues found = engine_find(engine, KEY_ROW_SKU, line->variant->sku);

    for (size_t i = 0; i < found.n_values && explanation->n_considered < EXPLANATION_MAX_RULES; i++)
        explain_row(engine, line, &engine->rules->rows[found.values[i]], explanation);
}

const Error *pricing_explain(const PricingInput *input, Arena *arena, QuoteExplanation *explanation)
{
    PricingInput lenient = *input;
    Engine engine = {
        .input = &lenient, .rules = input->rules, .arena = arena, .considers_all = true
    };
    Quote *quote = arena_alloc(arena, sizeof(*quote));
    const Error *error;

    lenient.allows_unused_codes = true;
    throughline__catalog__v1__quote__init(quote);
    if ((error = engine_run(&engine, quote)))
        return error;
    explanation->quote = quote;
    explanation->considered =
        arena_array(arena, EXPLANATION_MAX_RULES, sizeof(*explanation->considered));
    for (size_t i = 0; i < engine.n_candidates && explanation->n_considered < EXPLANATION_MAX_RULES;
         i++)
        explain_promotion(&engine, &engine.candidates[i], explanation);
    for (size_t i = 0; i < engine.n_lines; i++)
        explain_line(&engine, &engine.lines[i], explanation);
    return NULL;
}
