#include "services/feedback/consumers.h"

#include "services/feedback/owners.h"
#include "services/feedback/survey_handlers.h"
#include "shared/service/aliases.h"

#include "throughline/cart/v1/events.pb-c.h"
#include "throughline/identity/v1/events.pb-c.h"

typedef Throughline__Identity__V1__Identifier Identifier;
typedef Throughline__Identity__V1__CustomerCreated CustomerCreated;
typedef Throughline__Identity__V1__IdentifierAttached IdentifierAttached;
typedef Throughline__Identity__V1__IdentifierDetached IdentifierDetached;
typedef Throughline__Identity__V1__CustomersMerged CustomersMerged;
typedef Throughline__Cart__V1__OrderPlaced OrderPlaced;
typedef Throughline__Feedback__V1__SurveyAnswered SurveyAnswered;

static bool is_handle(const Identifier *identifier)
{
    return identifier &&
           identifier->kind == THROUGHLINE__IDENTITY__V1__IDENTIFIER__KIND__SOCIAL_HANDLE;
}

static const Error *learn_attached(
    RpcCall *call, const char *customer, const Identifier *identifier)
{
    return is_handle(identifier)
               ? owners_attach(call, identifier->key, customer, identifier->attach_time)
               : NULL;
}

static const Error *learn_created(
    RpcCall *call, const Throughline__Identity__V1__Customer *customer)
{
    const Error *error = NULL;

    for (size_t i = 0; customer && !error && i < customer->n_identifiers; i++)
        error = learn_attached(call, customer->name, customer->identifiers[i]);
    return error;
}

const ProtobufCMessageDescriptor *const learned_from_identity[] = {
    &throughline__identity__v1__identifier_attached__descriptor,
    &throughline__identity__v1__identifier_detached__descriptor,
    &throughline__identity__v1__customers_merged__descriptor,
    &throughline__identity__v1__customer_created__descriptor,
    NULL,
};

const Error *learn_from_identity(RpcCall *call, const Event *event)
{
    const IdentifierAttached *attached = event_payload(
        call->arena, event, &throughline__identity__v1__identifier_attached__descriptor);
    const IdentifierDetached *detached = event_payload(
        call->arena, event, &throughline__identity__v1__identifier_detached__descriptor);
    const CustomersMerged *merged =
        event_payload(call->arena, event, &throughline__identity__v1__customers_merged__descriptor);
    const CustomerCreated *created =
        event_payload(call->arena, event, &throughline__identity__v1__customer_created__descriptor);

    if (created)
        return learn_created(call, created->customer);
    if (attached)
        return learn_attached(call, attached->customer, attached->identifier);
    if (detached && is_handle(detached->identifier))
        return owners_detach(call, detached->identifier->key, detached->customer);
    return merged ? owners_merge(call, merged->duplicate, merged->customer) : NULL;
}

const ProtobufCMessageDescriptor *const learned_from_cart[] = {
    &throughline__cart__v1__order_placed__descriptor,
    NULL,
};

const Error *learn_from_cart(RpcCall *call, const Event *event)
{
    StoreView steps = store_steps(call->store);
    const OrderPlaced *placed =
        event_payload(call->arena, event, &throughline__cart__v1__order_placed__descriptor);
    OrderSummary summary;
    const char *customer;
    const Error *error;

    if (!placed || !placed->order)
        return NULL;
    summary = order_summary(placed->order, call->arena);
    if ((error = alias_survivor(&steps, summary.customer, &customer)))
        return error;
    summary.customer = (char *)customer;
    return store_put(&steps, &order_summaries, &summary, NULL);
}

const ProtobufCMessageDescriptor *const followed_own_events[] = {
    &throughline__feedback__v1__survey_answered__descriptor,
    NULL,
};

const Error *follow_own_event(RpcCall *call, const Event *event)
{
    const SurveyAnswered *answered =
        event_payload(call->arena, event, &throughline__feedback__v1__survey_answered__descriptor);

    return answered && answered->answer ? survey_open_case(call, answered->answer) : NULL;
}
