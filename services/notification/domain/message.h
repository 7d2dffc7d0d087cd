/* What becomes of a message: over which channel, through which states, how often it is tried. */
#ifndef THROUGHLINE_SERVICES_NOTIFICATION_DOMAIN_MESSAGE_H
#define THROUGHLINE_SERVICES_NOTIFICATION_DOMAIN_MESSAGE_H

#include "shared/base/arena.h"
#include "shared/base/error.h"

#include "throughline/notification/v1/message.pb-c.h"

typedef Throughline__Notification__V1__Message Message;
typedef Throughline__Notification__V1__Template Template;
typedef Throughline__Notification__V1__Endpoint Endpoint;

enum {
    MESSAGE_MAX_ATTEMPTS = 8,
    MESSAGE_FIRST_RETRY_MS = 2000, /* doubles with each try: about four minutes in all */
    /* A try that nobody has finished by then is taken up again: longer than a delivery may take. */
    MESSAGE_CLAIM_MS = 15000,
};

/* Fills channel and state of a new message: the first of `wanted` (none: of `consented`) that is consented to and that we
 * can send over. None: SUPPRESSED, NO_ENDPOINT where one was consented to, else NO_CONSENT. */
void message_route(Message *message, const char *const *wanted, size_t n_wanted,
    const char *const *consented, size_t n_consented, bool has_endpoint, int64_t now, Arena *arena);

/* Moves a message forward to `state` and notes the receipt. False when it is there already or beyond: nothing changes. */
bool message_advance(Message *message, Throughline__Notification__V1__Message__State state,
    int64_t now, Arena *arena);

/* FAILED_PRECONDITION NOT_SENT for a receipt of a message that never went out. */
const Error *message_check_receipt(const Message *message);

/* Takes a due message for one try. */
void message_claim(Message *message, int64_t now, Arena *arena);

/* What a try came to: sent, refused for good, or to be tried again. */
typedef enum DeliveryOutcome { DELIVERY_DONE, DELIVERY_REFUSED, DELIVERY_FAILED } DeliveryOutcome;

/* From an HTTP status, 0 when there was no answer. */
DeliveryOutcome message_outcome(long http_status);

void message_settle(Message *message, DeliveryOutcome outcome, int64_t now, Arena *arena);

#endif
