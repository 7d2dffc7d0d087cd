#include "services/catalog/domain/pricing_engine.h"

#include "shared/base/money.h"
#include "shared/codec/types.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef Throughline__Catalog__V1__CodeResult CodeResult;
typedef Throughline__Catalog__V1__CodeResult__State CodeState;
typedef Throughline__Catalog__V1__LimitLeft LimitLeft;

static const CurrencyRounding *find_rounding(const PricingSettings *settings, const char *currency)
{
    const CurrencyRounding *found = NULL;

    for (size_t i = 0; settings && i < settings->n_roundings; i++)
        if (text_equal(settings->roundings[i]->currency, currency) ||
            (!found && !*settings->roundings[i]->currency))
            found = settings->roundings[i];
    return found;
}

static void set_rounding(Engine *engine, const PricingSettings *settings)
{
    const CurrencyRounding *rounding = find_rounding(settings, engine->input->currency);

    if (!rounding)
        return;
    if (rounding->mode == THROUGHLINE__CATALOG__V1__CURRENCY_ROUNDING__MODE__HALF_EVEN)
        engine->rounding = ROUND_HALF_EVEN;
    else if (rounding->mode == THROUGHLINE__CATALOG__V1__CURRENCY_ROUNDING__MODE__HALF_DOWN)
        engine->rounding = ROUND_HALF_DOWN;
    engine->is_taxed_by_document =
        rounding->tax_scope == THROUGHLINE__CATALOG__V1__CURRENCY_ROUNDING__TAX_SCOPE__DOCUMENT;
}

static const char *group_of(const Engine *engine, const PricingSettings *settings)
{
    LookupValues found =
        engine_find(engine, KEY_CHANNEL, context_text(engine->input->context.channel));

    return found.n_values ? settings->channel_groups[found.values[0]]->name : "";
}

static void open_engine(Engine *engine)
{
    const PricingSettings *settings = engine->rules ? engine->rules->set->settings : NULL;

    engine->currency = arena_text(engine->arena, engine->input->currency);
    money_from_units(engine->currency, 1, 0, &engine->minor_per_unit);
    set_rounding(engine, settings);
    engine->channel_group = group_of(engine, settings);
    engine->utc_offset_minutes = engine->input->context.utc_offset_minutes;
    if (settings && engine->utc_offset_minutes == 0)
        engine->utc_offset_minutes = settings->utc_offset_minutes;
    engine->taken = arena_array(engine->arena, engine->input->n_items + 1, sizeof(*engine->taken));
    engine->excess =
        arena_array(engine->arena, engine->input->n_items + 1, sizeof(*engine->excess));
}

/* Codes. */

static const Candidate *candidate_of(const Engine *engine, const PricingCode *code)
{
    for (size_t i = 0; code->promotion && i < engine->n_candidates; i++)
        if (engine->candidates[i].code == code->code)
            return &engine->candidates[i];
    return NULL;
}

static const char unknown_code[] = "there is no promotion with this code";

static const char *detail_of(const Engine *engine, const Candidate *candidate)
{
    return candidate ? refusal_text(engine, candidate) : unknown_code;
}

static const Error *not_applicable(
    const Engine *engine, const char *code, const char *why, const char *word)
{
    Arena *arena = engine->arena;
    const Error *error = error_new(arena, ERROR_FAILED_PRECONDITION, "PROMOTION_NOT_APPLICABLE",
        "The code \"%s\" does not apply: %s.", code, why);

    error = error_with_fact(arena, error, "code", code);
    error = error_with_fact(arena, error, "why", why);
    return error_with_fact(arena, error, "cause", word);
}

static const Error *check_codes(const Engine *engine)
{
    for (size_t i = 0; i < engine->input->n_codes; i++) {
        const PricingCode *code = &engine->input->codes[i];
        const Candidate *candidate = candidate_of(engine, code);

        if (!candidate)
            return not_applicable(engine, code->code, unknown_code, refusal_word(REFUSED_UNKNOWN));
        if (candidate->refusal)
            return not_applicable(engine, code->code, refusal_text(engine, candidate),
                refusal_word(candidate->refusal));
    }
    return NULL;
}

static CodeState code_state(Refusal refusal)
{
    switch (refusal) {
    case REFUSED_NOT:
        return THROUGHLINE__CATALOG__V1__CODE_RESULT__STATE__APPLIED;
    case REFUSED_UNKNOWN:
        return THROUGHLINE__CATALOG__V1__CODE_RESULT__STATE__UNKNOWN;
    case REFUSED_START:
    case REFUSED_END:
    case REFUSED_STOPPED:
    case REFUSED_HOURS:
    case REFUSED_COUPON_START:
    case REFUSED_COUPON_END:
        return THROUGHLINE__CATALOG__V1__CODE_RESULT__STATE__NOT_ACTIVE;
    case REFUSED_TOTAL_LIMIT:
    case REFUSED_CUSTOMER_LIMIT:
    case REFUSED_BUDGET:
    case REFUSED_CUSTOMER_BUDGET:
        return THROUGHLINE__CATALOG__V1__CODE_RESULT__STATE__LIMIT_REACHED;
    case REFUSED_GROUP:
    case REFUSED_EXCLUSIVE:
        return THROUGHLINE__CATALOG__V1__CODE_RESULT__STATE__EXCLUDED;
    case REFUSED_BETTER_DEAL:
        return THROUGHLINE__CATALOG__V1__CODE_RESULT__STATE__BETTER_DEAL;
    default:
        return THROUGHLINE__CATALOG__V1__CODE_RESULT__STATE__NOT_MATCHING;
    }
}

static int by_code(const void *a, const void *b)
{
    return strcmp((*(const CodeResult *const *)a)->code, (*(const CodeResult *const *)b)->code);
}

static void write_codes(const Engine *engine, Quote *quote)
{
    quote->codes = arena_array(engine->arena, engine->input->n_codes, sizeof(*quote->codes));
    for (size_t i = 0; i < engine->input->n_codes; i++) {
        const PricingCode *code = &engine->input->codes[i];
        const Candidate *candidate = candidate_of(engine, code);
        Refusal refusal = candidate ? candidate->refusal : REFUSED_UNKNOWN;
        CodeResult *result = arena_alloc(engine->arena, sizeof(*result));

        throughline__catalog__v1__code_result__init(result);
        result->code = arena_text(engine->arena, code->code);
        result->promotion =
            arena_text(engine->arena, code->promotion ? code->promotion->name : NULL);
        result->state = code_state(refusal);
        result->reason = arena_text(engine->arena, refusal_word(refusal));
        result->condition = arena_text(engine->arena, refusal_condition(refusal));
        result->detail = arena_text(engine->arena, detail_of(engine, candidate));
        result->excluded_by = arena_text(
            engine->arena, candidate && candidate->winner ? candidate->winner->name : NULL);
        quote->codes[quote->n_codes++] = result;
    }
    /* In an order of their own: that of the request must not show in the bytes of a quote. */
    if (quote->n_codes > 1)
        qsort(quote->codes, quote->n_codes, sizeof(*quote->codes), by_code);
}

static int by_promotion(const void *a, const void *b)
{
    return strcmp(
        (*(const LimitLeft *const *)a)->promotion, (*(const LimitLeft *const *)b)->promotion);
}

/* NULL where there is no limit. */
static Google__Type__Money *money_left(const Engine *engine, int64_t left)
{
    return left == INT64_MAX ? NULL : money_message(engine->arena, engine->input->currency, left);
}

/* So that the quote can be priced again when others have left something else. */
static void write_limits(const Engine *engine, Quote *quote)
{
    quote->limits = arena_array(engine->arena, engine->input->n_usages, sizeof(*quote->limits));
    for (size_t i = 0; i < engine->input->n_usages; i++) {
        const PricingUsage *usage = &engine->input->usages[i];
        LimitLeft *left = arena_alloc(engine->arena, sizeof(*left));

        throughline__catalog__v1__limit_left__init(left);
        left->promotion = arena_text(engine->arena, usage->promotion);
        left->is_used_up = usage->uses_left <= 0;
        left->is_used_up_by_customer = usage->customer_uses_left <= 0;
        left->budget_left = money_left(engine, usage->budget_left);
        left->customer_budget_left = money_left(engine, usage->customer_budget_left);
        quote->limits[quote->n_limits++] = left;
    }
    if (quote->n_limits > 1)
        qsort(quote->limits, quote->n_limits, sizeof(*quote->limits), by_promotion);
}

const Error *engine_run(Engine *engine, Quote *quote)
{
    const PricingInput *input = engine->input;
    const Deal *deal;
    const Error *error;

    assert(input->n_items <= QUOTE_MAX_LINES && input->n_codes <= QUOTE_MAX_CODES);
    open_engine(engine);
    if ((error = price_lines(engine)))
        return error;
    plan_taxes(engine);
    find_candidates(engine);
    deal = make_deal(engine);
    if (!input->allows_unused_codes && (error = check_codes(engine)))
        return error;
    write_codes(engine, quote);
    write_limits(engine, quote);
    return write_quote(engine, deal, quote);
}

const Error *pricing_quote(const PricingInput *input, Arena *arena, Quote *quote)
{
    Engine engine = { .input = input, .rules = input->rules, .arena = arena };

    return engine_run(&engine, quote);
}
