/* What notification asks of identity. */
#include "services/notification/notification_service.h"

#include "throughline/identity/v1/consent.pb-c.h"

typedef Throughline__Identity__V1__CheckConsentRequest CheckConsentRequest;
typedef Throughline__Identity__V1__CheckConsentResponse CheckConsentResponse;

const Error *consented_channels(const RpcCall *call, const char *customer, const char *purpose,
    const char *const **channels, size_t *n_channels)
{
    CheckConsentRequest request = THROUGHLINE__IDENTITY__V1__CHECK_CONSENT_REQUEST__INIT;
    CheckConsentResponse response = THROUGHLINE__IDENTITY__V1__CHECK_CONSENT_RESPONSE__INIT;
    RpcOutgoing outgoing = rpc_outgoing(call);
    const Error *error;

    request.customer = arena_text(call->arena, customer);
    request.purpose = arena_text(call->arena, purpose);
    if ((error = rpc_client_call(service_peer(call, "identity"), &outgoing,
             &throughline__identity__v1__consent_service__descriptor, "CheckConsent", &request,
             &response)))
        return error;
    *channels = (const char *const *)response.channels;
    *n_channels = response.n_channels;
    return NULL;
}
