#include "services/notification/domain/message.h"

#include "shared/base/text.h"
#include "shared/codec/types.h"

typedef Throughline__Notification__V1__Message__State State;
typedef Throughline__Notification__V1__Receipt Receipt;

#define STATE(name) THROUGHLINE__NOTIFICATION__V1__MESSAGE__STATE__##name
#define REASON(name) THROUGHLINE__NOTIFICATION__V1__MESSAGE__REASON__##name

static const Error not_sent = { ERROR_FAILED_PRECONDITION, "NOT_SENT",
    "The message was never sent, so nothing can have become of it." };

static void note_receipt(Message *message, State state, int64_t now, Arena *arena)
{
    Receipt *receipt = arena_alloc(arena, sizeof(*receipt));

    throughline__notification__v1__receipt__init(receipt);
    receipt->state = state;
    receipt->time = timestamp_from_micros(arena, now);
    message->receipts = arena_grow(arena, message->receipts, message->n_receipts,
        message->n_receipts + 1, sizeof(*message->receipts));
    message->receipts[message->n_receipts++] = receipt;
    message->state = state;
}

static bool is_in(const char *text, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text_equal(list[i], text))
            return true;
    return false;
}

static bool can_send_over(const char *channel, bool has_endpoint)
{
    return text_equal(channel, "inbox") || (text_equal(channel, "webhook") && has_endpoint);
}

void message_route(Message *message, const char *const *wanted, size_t n_wanted,
    const char *const *consented, size_t n_consented, bool has_endpoint, int64_t now, Arena *arena)
{
    const char *const *order = n_wanted ? wanted : consented;
    size_t n = n_wanted ? n_wanted : n_consented;

    message->reason = REASON(NO_CONSENT);
    for (size_t i = 0; i < n; i++) {
        if (!is_in(order[i], consented, n_consented))
            continue;
        if (!can_send_over(order[i], has_endpoint)) {
            message->reason = REASON(NO_ENDPOINT);
            continue;
        }
        message->channel = arena_text(arena, order[i]);
        message->reason = REASON(REASON_UNSPECIFIED);
        note_receipt(message, STATE(QUEUED), now, arena);
        if (text_equal(order[i], "inbox"))
            note_receipt(message, STATE(SENT), now, arena);
        else
            message->next_attempt_time = timestamp_from_micros(arena, now);
        return;
    }
    note_receipt(message, STATE(SUPPRESSED), now, arena);
}

bool message_advance(Message *message, State state, int64_t now, Arena *arena)
{
    if (message->state >= state)
        return false;
    note_receipt(message, state, now, arena);
    /* What has arrived is tried no more, whoever says so. */
    if (state >= STATE(DELIVERED))
        message->next_attempt_time = NULL;
    return true;
}

const Error *message_check_receipt(const Message *message)
{
    return message->state == STATE(SUPPRESSED) || message->state == STATE(FAILED) ? &not_sent
                                                                                  : NULL;
}

void message_claim(Message *message, int64_t now, Arena *arena)
{
    message->attempts++;
    message->next_attempt_time =
        timestamp_from_micros(arena, now + (int64_t)MESSAGE_CLAIM_MS * 1000);
}

DeliveryOutcome message_outcome(long http_status)
{
    enum { TIMEOUT = 408, TOO_EARLY = 425, TOO_MANY = 429 };

    if (http_status >= 200 && http_status < 300)
        return DELIVERY_DONE;
    if (http_status >= 400 && http_status < 500 && http_status != TIMEOUT &&
        http_status != TOO_EARLY && http_status != TOO_MANY)
        return DELIVERY_REFUSED;
    return DELIVERY_FAILED;
}

void message_settle(Message *message, DeliveryOutcome outcome, int64_t now, Arena *arena)
{
    message->next_attempt_time = NULL;
    if (outcome == DELIVERY_DONE) {
        message_advance(message, STATE(DELIVERED), now, arena);
    } else if (outcome == DELIVERY_REFUSED || message->attempts >= MESSAGE_MAX_ATTEMPTS) {
        message->reason = REASON(REFUSED);
        message_advance(message, STATE(FAILED), now, arena);
    } else {
        int64_t delay_ms = (int64_t)MESSAGE_FIRST_RETRY_MS << (message->attempts - 1);

        message->next_attempt_time = timestamp_from_micros(arena, now + delay_ms * 1000);
    }
}
