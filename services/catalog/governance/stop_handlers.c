/* Emergency stops: each step is a release of its own. */
#include "services/catalog/domain/stop.h"

#include "services/catalog/domain/rules_check.h"
#include "services/catalog/governance/governance.h"
#include "shared/codec/message.h"
#include "shared/rpc/check.h"
#include "shared/rpc/naming.h"

typedef Throughline__Catalog__V1__StopPriceRequest StopPriceRequest;
typedef Throughline__Catalog__V1__ConfirmStopRequest ConfirmStopRequest;
typedef Throughline__Catalog__V1__LiftStopRequest LiftStopRequest;

/* Not a failure: there is nothing to publish. */
static const Error confirmed_before = { ERROR_ALREADY_EXISTS, "STOP_CONFIRMED_BEFORE",
    "The same person has confirmed the stop before." };

/* One step with a stop: what it does to it, and the stop as it is then. */
typedef struct StopPlan {
    const char *name;
    Deed *deed;
    PriceStop *stop;
} StopPlan;

static const Error *find_stop(
    RpcCall *call, const StopPlan *plan, const RuleBook *book, PriceStop **stop)
{
    static const Error not_found = { ERROR_NOT_FOUND, "PRICE_STOP_NOT_FOUND",
        "There is no such stop: it was lifted, or never made." };
    const Rule *rule = book_rule_unpack(rule_book_find(book, plan->name), call->arena);

    if (!rule || !rule_is_shown(caller_desk(call, book), rule))
        return &not_found;
    *stop = rule->price_stop;
    return NULL;
}

static void add_change(
    RpcCall *call, const StopPlan *plan, const RuleBook *book, Rule *after, ChangeList *changes)
{
    Change *change = message_new(call->arena, &throughline__catalog__v1__change__descriptor);

    change->rule = arena_text(call->arena, plan->name);
    change->after = after;
    changes->items = arena_array(call->arena, 1, sizeof(*changes->items));
    changes->items[changes->n_items++] = change;
    changes_begin(changes->items, changes->n_items, book, call->arena);
}

static const Error *plan_stop(
    RpcCall *call, void *context, const RuleBook *book, ChangeList *changes)
{
    const StopPlan *plan = context;

    add_change(call, plan, book, stop_rule(plan->stop, call->arena), changes);
    return NULL;
}

static const Error *plan_confirmation(
    RpcCall *call, void *context, const RuleBook *book, ChangeList *changes)
{
    const StopPlan *plan = context;
    PriceStop *stop;
    bool is_new;
    const Error *error;

    if ((error = find_stop(call, plan, book, &stop)) ||
        (error = stop_confirm(stop, plan->deed, &is_new)))
        return error;
    *plan->stop = *stop;
    if (!is_new)
        return &confirmed_before;
    add_change(call, plan, book, stop_rule(plan->stop, call->arena), changes);
    return NULL;
}

static const Error *plan_lifting(
    RpcCall *call, void *context, const RuleBook *book, ChangeList *changes)
{
    const StopPlan *plan = context;
    PriceStop *stop;
    const Error *error;

    if ((error = find_stop(call, plan, book, &stop)))
        return error;
    add_change(call, plan, book, NULL, changes);
    return NULL;
}

static void describe(
    RpcCall *call, Release *release, const StopPlan *plan, const char *title, const char *reason)
{
    release->kind = RELEASE_STOP;
    release->title = arena_printf(call->arena, "%s %s", title, plan->name);
    release->reason = arena_text(call->arena, reason);
    release->publication = plan->deed;
}

static void take_what(const StopPriceRequest *req, PriceStop *stop)
{
    switch (req->what_case) {
    case THROUGHLINE__CATALOG__V1__STOP_PRICE_REQUEST__WHAT_SKU:
        stop->what_case = THROUGHLINE__CATALOG__V1__PRICE_STOP__WHAT_SKU;
        stop->sku = req->sku;
        break;
    case THROUGHLINE__CATALOG__V1__STOP_PRICE_REQUEST__WHAT_CATEGORY:
        stop->what_case = THROUGHLINE__CATALOG__V1__PRICE_STOP__WHAT_CATEGORY;
        stop->category = req->category;
        break;
    case THROUGHLINE__CATALOG__V1__STOP_PRICE_REQUEST__WHAT_PROMOTION:
        stop->what_case = THROUGHLINE__CATALOG__V1__PRICE_STOP__WHAT_PROMOTION;
        stop->promotion = req->promotion;
        break;
    default:
        break;
    }
}

const Error *stop_price(RpcCall *call, const void *request, void *reply)
{
    const StopPriceRequest *req = request;
    PriceStop *stop = reply;
    Release *release = message_new(call->arena, &throughline__catalog__v1__release__descriptor);
    StopPlan plan = { .name = rpc_new_name(call, "priceStops", req->request_id),
        .deed = deed_of(call, req->reason),
        .stop = stop };
    Publication publication = { release, plan_stop, &plan, call->store };
    Findings findings = { .arena = call->arena };
    const Error *error;

    stop->name = arena_text(call->arena, plan.name);
    stop->reason = req->reason;
    take_what(req, stop);
    price_stop_check(stop, "", &findings);
    for (size_t i = 0; i < findings.n_items; i++)
        check_fail(call, findings.items[i].field + 1, "%s", findings.items[i].description);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    stop_begin(stop, plan.deed);
    describe(call, release, &plan, "Stop", req->reason);
    return publish(call, &publication);
}

const Error *confirm_stop(RpcCall *call, const void *request, void *reply)
{
    const ConfirmStopRequest *req = request;
    Release *release = message_new(call->arena, &throughline__catalog__v1__release__descriptor);
    StopPlan plan = { .name = req->name, .deed = deed_of(call, req->note), .stop = reply };
    Publication publication = { release, plan_confirmation, &plan, call->store };
    const Error *error;

    check_name(call, "name", req->name, "priceStops/*");
    check_text(call, "note", req->note, 0, GOVERNANCE_MAX_NOTE);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    describe(call, release, &plan, "Confirm", req->note);
    error = publish(call, &publication);
    return error == &confirmed_before ? NULL : error;
}

const Error *lift_stop(RpcCall *call, const void *request, void *reply)
{
    const LiftStopRequest *req = request;
    StopPlan plan = { .name = req->name, .deed = deed_of(call, req->note) };
    Publication publication = { reply, plan_lifting, &plan, call->store };
    const Error *error;

    check_name(call, "name", req->name, "priceStops/*");
    check_text(call, "note", req->note, 1, GOVERNANCE_MAX_NOTE);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    describe(call, reply, &plan, "Lift", req->note);
    return publish(call, &publication);
}
