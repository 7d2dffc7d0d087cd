/* What a draft would have done to past orders. */
#include "services/catalog/governance/governance.h"

#include "services/catalog/pricing/quote_input.h"
#include "shared/base/money.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "shared/rpc/check.h"

typedef Throughline__Catalog__V1__SimulateDraftRequest SimulateDraftRequest;
typedef Throughline__Catalog__V1__SimulateDraftResponse SimulateDraftResponse;
typedef Throughline__Catalog__V1__SimulationSummary SimulationSummary;
typedef Throughline__Catalog__V1__SimulationSummary__Sum SimulationSum;

enum { ORDERS_AT_ONCE = 100, MAX_CURRENCIES = 200 };

/* What orders in one currency come to. */
typedef struct Sum {
    char currency[4];
    int64_t paid;
    int64_t current;
    int64_t simulated;
} Sum;

typedef struct Simulation {
    const SimulateDraftRequest *request;
    Rules *current;
    Rules *simulated;
    int64_t n_orders;
    int64_t n_changed;
    int64_t n_refused;
    size_t n_sums;
    Sum sums[MAX_CURRENCIES];
} Simulation;

static const Error *price(
    RpcCall *call, const Quote *quote, const Rules *rules, int64_t *total_minor)
{
    CreateQuoteRequest *req = quote_request_of(call, quote, 0);
    Quote *again = message_new(call->arena, &throughline__catalog__v1__quote__descriptor);
    PricingInput input;
    const Error *error;

    if ((error =
                quote_input_load(call, req, rules, timestamp_to_micros(quote->issue_time), &input)))
        return error;
    input.context.channel = quote->channel;
    if ((error = pricing_quote(&input, call->arena, again)))
        return error;
    money_minor(again->total, total_minor);
    return NULL;
}

static Sum *sum_of(Simulation *simulation, const char *currency)
{
    for (size_t i = 0; i < simulation->n_sums; i++)
        if (text_equal(simulation->sums[i].currency, currency))
            return &simulation->sums[i];
    if (simulation->n_sums == MAX_CURRENCIES)
        return NULL;
    for (size_t i = 0; i < 3 && currency[i]; i++)
        simulation->sums[simulation->n_sums].currency[i] = currency[i];
    return &simulation->sums[simulation->n_sums++];
}

static void add_up(
    Simulation *simulation, const char *currency, int64_t paid, int64_t current, int64_t simulated)
{
    Sum *sum = sum_of(simulation, currency);

    /* What does not fit any more stays as it is: sums are for people to look at. */
    if (!sum)
        return;
    money_add(sum->paid, paid, &sum->paid);
    money_add(sum->current, current, &sum->current);
    money_add(sum->simulated, simulated, &sum->simulated);
}

static const Error *simulate_order(RpcCall *call, Simulation *simulation, const PricedOrder *order)
{
    SimulateDraftResponse answer = THROUGHLINE__CATALOG__V1__SIMULATE_DRAFT_RESPONSE__INIT;
    const char *currency = order->quote->currency;
    int64_t paid = 0, current = 0, simulated = 0;
    const Error *refusal;

    answer.order = order->name;
    answer.paid = order->quote->total;
    money_minor(order->quote->total, &paid);
    simulation->n_orders++;
    if ((refusal = price(call, order->quote, simulation->current, &current)) ||
        (refusal = price(call, order->quote, simulation->simulated, &simulated))) {
        /* Of the store, or of the rules? The first is nobody's answer. */
        if (refusal->code != ERROR_FAILED_PRECONDITION && refusal->code != ERROR_NOT_FOUND)
            return refusal;
        simulation->n_refused++;
        answer.refusal = arena_text(call->arena, refusal->reason);
        return rpc_send(call, &answer);
    }
    answer.current = money_message(call->arena, currency, current);
    answer.simulated = money_message(call->arena, currency, simulated);
    add_up(simulation, currency, paid, current, simulated);
    simulation->n_changed += current != simulated;
    if (simulation->request->changed_only && current == simulated)
        return NULL;
    return rpc_send(call, &answer);
}

static const Error *send_summary(RpcCall *call, const Simulation *simulation)
{
    SimulateDraftResponse answer = THROUGHLINE__CATALOG__V1__SIMULATE_DRAFT_RESPONSE__INIT;
    SimulationSummary summary = THROUGHLINE__CATALOG__V1__SIMULATION_SUMMARY__INIT;

    summary.order_count = simulation->n_orders;
    summary.changed_count = simulation->n_changed;
    summary.refused_count = simulation->n_refused;
    summary.sums = arena_array(call->arena, simulation->n_sums, sizeof(*summary.sums));
    for (; summary.n_sums < simulation->n_sums; summary.n_sums++) {
        const Sum *sum = &simulation->sums[summary.n_sums];
        SimulationSum *shown = message_new(
            call->arena, &throughline__catalog__v1__simulation_summary__sum__descriptor);

        shown->paid = money_message(call->arena, sum->currency, sum->paid);
        shown->current = money_message(call->arena, sum->currency, sum->current);
        shown->simulated = money_message(call->arena, sum->currency, sum->simulated);
        summary.sums[summary.n_sums] = shown;
    }
    answer.summary = &summary;
    return rpc_send(call, &answer);
}

static const Error *simulate_orders(RpcCall *call, Simulation *simulation)
{
    const SimulateDraftRequest *req = simulation->request;
    Arena *arena = arena_new(), *own = call->arena, *names = arena_new();
    StoreView view = *call->store;
    StoreQuery query = { .index = "time", .limit = ORDERS_AT_ONCE };
    StorePage page = { 0 };
    const Error *error = NULL;

    if (req->start_time)
        query.from =
            (StoreValue){ .kind = STORE_TIME, .number = timestamp_to_micros(req->start_time) };
    if (req->end_time)
        query.below =
            (StoreValue){ .kind = STORE_TIME, .number = timestamp_to_micros(req->end_time) };
    /* Each page of orders in memory of its own: there may be many. */
    call->arena = view.arena = arena;
    do {
        arena_reset(arena);
        error = store_find(&view, &priced_orders, &query, &page);
        for (size_t i = 0; i < page.n_messages && !error; i++)
            if (sees_order(call, page.messages[i]))
                error = simulate_order(call, simulation, page.messages[i]);
        query.resume = arena_text(names, page.resume);
    } while (!error && !text_is_empty(query.resume));
    call->arena = own;
    error = error_copy(own, error);
    arena_free(names);
    arena_free(arena);
    return error;
}

const Error *simulate_draft(RpcCall *call, const void *request, void *reply)
{
    const SimulateDraftRequest *req = request;
    Simulation *simulation = arena_alloc(call->arena, sizeof(*simulation));
    const Error *error;

    (void)reply;
    simulation->request = req;
    check_name(call, "draft", req->draft, "drafts/*");
    if (req->start_time && !timestamp_is_valid(req->start_time))
        check_fail(call, "start_time", "is not a time in the years 1 to 9999");
    if (req->end_time && !timestamp_is_valid(req->end_time))
        check_fail(call, "end_time", "is not a time in the years 1 to 9999");
    if ((error = check_result(call)) ||
        (error = draft_rules(call, req->draft, &simulation->simulated)))
        return error;

    simulation->current = rules_holder_current(catalog_of(call)->rules);
    if (!(error = simulate_orders(call, simulation)))
        error = send_summary(call, simulation);
    rules_release(simulation->current);
    rules_release(simulation->simulated);
    return error;
}
