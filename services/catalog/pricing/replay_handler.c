/* A quote priced again as it was: with the rules of its release, and with the versions of the products that it names, which the event
 * log keeps. */
#include "services/catalog/governance/governance.h"

#include "services/catalog/domain/rule_set.h"
#include "services/catalog/pricing/quote_input.h"
#include "shared/base/money.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "shared/event/log.h"
#include "shared/rpc/check.h"

typedef Throughline__Catalog__V1__ReplayQuoteRequest ReplayQuoteRequest;
typedef Throughline__Catalog__V1__ReplayQuoteResponse ReplayQuoteResponse;
typedef Throughline__Catalog__V1__ProductChanged ProductChanged;
typedef Throughline__Catalog__V1__CodeResult CodeResult;
typedef Throughline__Catalog__V1__LimitLeft LimitLeft;

enum { EVENTS_AT_ONCE = 100 };

/* The version of a product that a line was priced with. */
static const Error *load_version(RpcCall *call, const PricedLine *line, const Product **product)
{
    LogRange range = { .aggregate = line->product, .limit = EVENTS_AT_ONCE };
    LogPage page = { 0 };
    const Error *error;

    do {
        if ((error = event_log_read(call->store, &range, &page)))
            return error;
        for (size_t i = 0; i < page.n_records; i++) {
            const ProductChanged *changed = event_payload(call->arena, page.records[i]->event,
                &throughline__catalog__v1__product_changed__descriptor);

            *product = changed ? changed->product : NULL;
            if (*product && text_equal((*product)->etag, line->product_etag) &&
                product_variant(*product, line->sku))
                return NULL;
        }
        range.after += EVENTS_AT_ONCE;
    } while (page.n_records == EVENTS_AT_ONCE);
    error = error_new(call->arena, ERROR_NOT_FOUND, "VARIANT_NOT_FOUND",
        "The version of %s that \"%s\" was priced with is not kept.", line->product, line->sku);
    return error_with_fact(call->arena, error, "sku", line->sku);
}

static const Error *load_items(
    RpcCall *call, const Quote *quote, const CreateQuoteRequest *req, PricingInput *input)
{
    PricingItem *items = arena_array(call->arena, quote->n_lines, sizeof(*items));
    const Error *error;

    for (size_t i = 0; i < quote->n_lines; i++) {
        items[i].line = req->lines[i];
        if ((error = load_version(call, quote->lines[i], &items[i].product)))
            return error;
    }
    input->items = items;
    input->n_items = quote->n_lines;
    return NULL;
}

static void load_overrides(const Quote *quote, Arena *arena, PricingInput *input)
{
    PricingOverride *overrides = arena_array(arena, quote->n_lines, sizeof(*overrides));

    for (size_t i = 0; i < quote->n_lines; i++) {
        const PricedLine *line = quote->lines[i];
        PricingOverride *override = &overrides[input->n_overrides];

        if (!line->override)
            continue;
        *override = (PricingOverride){
            .sku = line->sku, .reason = line->override->reason, .actor = line->override->actor
        };
        money_minor(line->unit_price, &override->unit_minor);
        input->n_overrides++;
    }
    input->overrides = overrides;
}

/* Codes stand for the promotions that they stood for. */
static void load_codes(const Quote *quote, const Rules *rules, Arena *arena, PricingInput *input)
{
    PricingCode *codes = arena_array(arena, quote->n_codes, sizeof(*codes));

    for (size_t i = 0; i < quote->n_codes; i++) {
        const CodeResult *result = quote->codes[i];

        codes[i].code = result->code;
        codes[i].promotion = rules_promotion(rules, result->promotion);
        codes[i].door = coupon_door_of(result->condition);
    }
    input->codes = codes;
    input->n_codes = quote->n_codes;
    input->allows_unused_codes = true;
}

static int64_t minor_left(const Google__Type__Money *left)
{
    int64_t minor = INT64_MAX;

    if (left)
        money_minor(left, &minor);
    return minor;
}

/* What was used up is used up. */
static void load_limits(const Quote *quote, Arena *arena, PricingInput *input)
{
    PricingUsage *usages = arena_array(arena, quote->n_limits, sizeof(*usages));

    for (size_t i = 0; i < quote->n_limits; i++) {
        const LimitLeft *left = quote->limits[i];

        usages[i] = (PricingUsage){
            .promotion = left->promotion,
            .uses_left = left->is_used_up ? 0 : INT64_MAX,
            .customer_uses_left = left->is_used_up_by_customer ? 0 : INT64_MAX,
            .budget_left = minor_left(left->budget_left),
            .customer_budget_left = minor_left(left->customer_budget_left),
        };
    }
    input->usages = usages;
    input->n_usages = quote->n_limits;
}

static PricingShipping *load_shipping(const Quote *quote, Arena *arena)
{
    PricingShipping *shipping;

    if (!quote->shipping)
        return NULL;
    shipping = arena_alloc(arena, sizeof(*shipping));
    shipping->method = quote->shipping->method;
    shipping->is_net = quote->shipping->is_net;
    money_minor(quote->shipping->list_total, &shipping->minor);
    return shipping;
}

/* What is in a quote beside what the pricing function makes. */
static void address(const Quote *quote, Quote *again)
{
    again->name = quote->name;
    again->issue_time = quote->issue_time;
    again->expire_time = quote->expire_time;
    again->customer = quote->customer;
    again->cart = quote->cart;
    again->cart_etag = quote->cart_etag;
    again->channel = quote->channel;
    again->context = quote->context;
    for (size_t i = 0; i < again->n_lines && i < quote->n_lines; i++)
        if (again->lines[i]->override && quote->lines[i]->override)
            again->lines[i]->override->limit = quote->lines[i]->override->limit;
    for (size_t i = 0; i < again->n_gifts && i < quote->n_gifts; i++)
        again->gifts[i]->title = quote->gifts[i]->title;
}

static const Error *price_again(RpcCall *call, const Quote *quote, const Rules *rules, Quote *again)
{
    CreateQuoteRequest *req = quote_request_of(call, quote, 0);
    PricingInput input = {
        .currency = quote->currency,
        .now = timestamp_to_micros(quote->issue_time),
        .rules = rules,
        .context = pricing_context(call, quote->context, quote->customer),
        .shipping = load_shipping(quote, call->arena),
    };
    const Error *error;

    input.context.channel = quote->channel;
    load_overrides(quote, call->arena, &input);
    load_codes(quote, rules, call->arena, &input);
    load_limits(quote, call->arena, &input);
    if ((error = load_items(call, quote, req, &input)) ||
        (error = pricing_quote(&input, call->arena, again)))
        return error;
    address(quote, again);
    return NULL;
}

/* The rules of a release, compiled for this call. */
static const Error *open_rules(RpcCall *call, int64_t number, Rules **rules)
{
    RuleBook *book;
    const Error *error = rule_shelf_at(catalog_of(call)->shelf, call->store, number, &book);

    if (error)
        return error;
    *rules = rules_compile(rule_set_of(book, call->arena));
    rule_book_release(book);
    return NULL;
}

/* NULL where the caller does not see it. */
static const Error *load_release(RpcCall *call, int64_t number, Release **release)
{
    Release *found = message_new(call->arena, &throughline__catalog__v1__release__descriptor);
    const Error *error =
        store_get(call->store, &releases, release_name(call->arena, number), found);

    if (error || !sees_release(call, found))
        return error;
    show_release(call, found);
    *release = found;
    return NULL;
}

const Error *replay_quote(RpcCall *call, const void *request, void *reply)
{
    const ReplayQuoteRequest *req = request;
    ReplayQuoteResponse *res = reply;
    Quote *quote = message_new(call->arena, &throughline__catalog__v1__quote__descriptor);
    Rules *rules = NULL;
    const Error *error;

    check_present(call, "signed_quote", req->signed_quote);
    if ((error = check_result(call)) ||
        (error = quote_open(call, req->signed_quote, INT64_MIN, quote)) ||
        (error = check_own_channel(call, "signed_quote.channel", quote->channel)) ||
        (error = open_rules(call, quote->release, &rules)))
        return error;

    res->quote = message_new(call->arena, &throughline__catalog__v1__quote__descriptor);
    error = price_again(call, quote, rules, res->quote);
    rules_release(rules);
    if (error)
        return error;
    res->is_same = message_equal(quote, res->quote);
    return quote->release ? load_release(call, quote->release, &res->release) : NULL;
}
