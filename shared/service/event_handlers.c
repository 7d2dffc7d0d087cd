/* The event log of every service, as throughline.event.v1.EventService. */
#include "shared/service/running.h"

static const Error *subscribe(RpcCall *call, const void *request, void *reply)
{
    (void)reply;
    return event_subscribe(service_of(call)->hub, call, request);
}

static const Error *get_positions(RpcCall *call, const void *request, void *reply)
{
    (void)request;
    return event_get_positions(service_of(call)->hub, call, reply);
}

const RpcService event_rpcs = THROUGHLINE__EVENT__V1__EVENT_SERVICE__INIT();
