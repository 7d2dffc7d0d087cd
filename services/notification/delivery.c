/* The way out: messages that are due are claimed, tried once and settled. A claim is a write, so of many replicas one tries; a claim
 * whose process died is taken up again. The receiver may see a message twice then, and tells it by its name. */
#include "services/notification/notification_service.h"
#include "services/notification/webhook.h"

#include "shared/base/clock.h"
#include "shared/base/text.h"
#include "shared/codec/json.h"
#include "shared/codec/types.h"

#include "throughline/notification/v1/events.pb-c.h"

typedef Throughline__Notification__V1__MessageStateChanged MessageStateChanged;

enum { BATCH = 20 };

/* The consent that counts is the one at the moment of contact. */
static const Error *still_consented(RpcCall *call, const Message *message, bool *consented)
{
    const char *const *channels;
    size_t n;
    const Error *error =
        consented_channels(call, message->customer, message->purpose, &channels, &n);

    *consented = false;
    for (size_t i = 0; !error && i < n; i++)
        *consented = *consented || text_equal(channels[i], message->channel);
    return error;
}

static const Error *post(
    RpcCall *call, const Message *message, const EndpointRecord *endpoint, DeliveryOutcome *outcome)
{
    const Config *config = service_of(call)->config;
    Webhook webhook = {
        .uri = endpoint->endpoint->uri,
        .secret = endpoint->secret,
        .message = message->name,
        .body = json_from_message(call->arena, message, JSON_COMPACT),
        .now = clock_now(),
        .timeout_ms = config_number(config, "webhook-timeout"),
        .allow_private = config_switch(config, "webhook-allow-private"),
    };
    long status;
    const Error *error = webhook_post(call->arena, &webhook, &status);

    if (!error)
        *outcome = message_outcome(status);
    return error;
}

static const Error *deliver(RpcCall *call, Message *message)
{
    EndpointRecord endpoint = THROUGHLINE__NOTIFICATION__V1__ENDPOINT_RECORD__INIT;
    MessageStateChanged event = THROUGHLINE__NOTIFICATION__V1__MESSAGE_STATE_CHANGED__INIT;
    DeliveryOutcome outcome;
    bool consented;
    const Error *error;

    message_claim(message, clock_now(), call->arena);
    if ((error = store_replace(call->store, &messages, message, NULL)))
        return error->code == ERROR_ABORTED ? NULL : error; /* another replica has it */
    if ((error = still_consented(call, message, &consented)) ||
        (error = store_get(call->store, &endpoints, DEFAULT_ENDPOINT, &endpoint)))
        return error;
    if (consented) {
        if ((error = post(call, message, &endpoint, &outcome)))
            return error;
        message_settle(message, outcome, clock_now(), call->arena);
    } else {
        message->next_attempt_time = NULL;
        message->reason = THROUGHLINE__NOTIFICATION__V1__MESSAGE__REASON__NO_CONSENT;
        message_advance(message, THROUGHLINE__NOTIFICATION__V1__MESSAGE__STATE__SUPPRESSED,
            clock_now(), call->arena);
    }
    event.message = message;
    error = store_replace(call->store, &messages, message, &event);
    return error && error->code == ERROR_ABORTED ? NULL : error; /* a receipt was faster */
}

const Error *deliver_due_messages(RpcCall *call)
{
    StoreQuery query = { .index = "due",
        .from = { .kind = STORE_TIME, .number = 1 },
        .below = { .kind = STORE_TIME, .number = clock_now() },
        .limit = BATCH };
    StorePage due;
    const Error *error = store_find(call->store, &messages, &query, &due);

    for (size_t i = 0; !error && i < due.n_messages; i++)
        error = deliver(call, due.messages[i]);
    return error;
}
