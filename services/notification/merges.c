/* What notification learns from identity: whose messages they are since customers were merged. */
#include "services/notification/notification_service.h"

#include "shared/service/aliases.h"

#include "throughline/identity/v1/events.pb-c.h"

typedef Throughline__Identity__V1__CustomersMerged CustomersMerged;

static const Owned owned[] = { { &messages }, { 0 } };

const Error *messages_follow_merge(RpcCall *call, const Event *event)
{
    const CustomersMerged *merged =
        event_payload(call->arena, event, &throughline__identity__v1__customers_merged__descriptor);

    return merged ? alias_learn(call, merged->duplicate, merged->customer, owned) : NULL;
}

const Error *messages_sweep_merges(RpcCall *call)
{
    return alias_sweep(call, owned);
}
