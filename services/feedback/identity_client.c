#include "services/feedback/identity_client.h"

#include "shared/base/clock.h"
#include "shared/rpc/client.h"
#include "shared/service/service.h"

#include "throughline/identity/v1/customer.pb-c.h"

enum { ASK_MS = 1000 };

const char *identity_owner_of(const RpcCall *call, const char *handle)
{
    Throughline__Identity__V1__FindCustomerRequest request =
        THROUGHLINE__IDENTITY__V1__FIND_CUSTOMER_REQUEST__INIT;
    Throughline__Identity__V1__Identifier identifier = THROUGHLINE__IDENTITY__V1__IDENTIFIER__INIT;
    Throughline__Identity__V1__Customer customer = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;
    RpcOutgoing outgoing = rpc_outgoing(call);
    int64_t latest = clock_monotonic() + ASK_MS * INT64_C(1000);

    if (outgoing.deadline > latest)
        outgoing.deadline = latest;
    identifier.kind = THROUGHLINE__IDENTITY__V1__IDENTIFIER__KIND__SOCIAL_HANDLE;
    identifier.value = (char *)handle;
    request.identifier = &identifier;
    if (rpc_client_call(service_peer(call, "identity"), &outgoing,
            &throughline__identity__v1__customer_service__descriptor, "FindCustomer", &request,
            &customer))
        return "";
    return customer.name;
}
