#include "services/notification/domain/message.h"
#include "shared/codec/types.h"
#include "tests/support/test_main.h"

#define STATE(name) THROUGHLINE__NOTIFICATION__V1__MESSAGE__STATE__##name
#define REASON(name) THROUGHLINE__NOTIFICATION__V1__MESSAGE__REASON__##name

enum { NOW = 1000000 };

static Arena *arena;

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

static Message a_message(void)
{
    return (Message)THROUGHLINE__NOTIFICATION__V1__MESSAGE__INIT;
}

static const char *const both[] = { "webhook", "inbox" };
static const char *const inbox[] = { "inbox" };
static const char *const webhook[] = { "webhook" };
static const char *const pigeon[] = { "pigeon" };

static void without_consent_nothing_is_sent(void)
{
    Message message = a_message();

    set_up();
    message_route(&message, inbox, 1, webhook, 1, true, NOW, arena);

    CHECK_INT(message.state, STATE(SUPPRESSED));
    CHECK_INT(message.reason, REASON(NO_CONSENT));
    CHECK_TEXT(message.channel, "");
    tear_down();
}

static void the_first_wanted_channel_with_consent_is_taken(void)
{
    Message message = a_message();

    set_up();
    message_route(&message, both, 2, inbox, 1, true, NOW, arena);

    CHECK_TEXT(message.channel, "inbox");
    CHECK_INT(message.state, STATE(SENT));
    CHECK_INT(message.n_receipts, 2);
    CU_ASSERT_PTR_NULL(message.next_attempt_time);
    tear_down();
}

static void no_wish_means_the_order_of_consents(void)
{
    Message message = a_message();

    set_up();
    message_route(&message, NULL, 0, both, 2, true, NOW, arena);

    CHECK_TEXT(message.channel, "webhook");
    CHECK_INT(message.state, STATE(QUEUED));
    CHECK_INT(timestamp_to_micros(message.next_attempt_time), NOW);
    tear_down();
}

static void a_webhook_needs_an_endpoint(void)
{
    Message alone = a_message(), with_inbox = a_message();

    set_up();
    message_route(&alone, webhook, 1, both, 2, false, NOW, arena);
    message_route(&with_inbox, both, 2, both, 2, false, NOW, arena);

    CHECK_INT(alone.state, STATE(SUPPRESSED));
    CHECK_INT(alone.reason, REASON(NO_ENDPOINT));
    CHECK_TEXT(with_inbox.channel, "inbox");
    CHECK_INT(with_inbox.reason, REASON(REASON_UNSPECIFIED));
    tear_down();
}

static void a_channel_that_we_cannot_send_over_is_not_chosen(void)
{
    Message message = a_message();

    set_up();
    message_route(&message, pigeon, 1, pigeon, 1, true, NOW, arena);

    CHECK_INT(message.state, STATE(SUPPRESSED));
    CHECK_INT(message.reason, REASON(NO_ENDPOINT));
    tear_down();
}

static void receipts_never_go_back(void)
{
    Message message = a_message();

    set_up();
    message_route(&message, inbox, 1, inbox, 1, true, NOW, arena);

    CU_ASSERT_TRUE(message_advance(&message, STATE(OPENED), NOW + 1, arena));
    CU_ASSERT_FALSE(message_advance(&message, STATE(DELIVERED), NOW + 2, arena));
    CU_ASSERT_FALSE(message_advance(&message, STATE(OPENED), NOW + 3, arena));
    CHECK_INT(message.state, STATE(OPENED));
    CHECK_INT(message.n_receipts, 3);
    tear_down();
}

static void a_suppressed_message_takes_no_receipt(void)
{
    Message message = a_message();

    set_up();
    message_route(&message, inbox, 1, NULL, 0, true, NOW, arena);

    CHECK_TEXT(error_reason(message_check_receipt(&message)), "NOT_SENT");
    tear_down();
}

static void what_has_arrived_is_tried_no_more(void)
{
    Message message = a_message();

    set_up();
    message_route(&message, webhook, 1, webhook, 1, true, NOW, arena);
    message_claim(&message, NOW, arena);
    CU_ASSERT_TRUE(message_advance(&message, STATE(OPENED), NOW + 1, arena));

    CU_ASSERT_PTR_NULL(message.next_attempt_time);
    tear_down();
}

static void http_answers_become_outcomes(void)
{
    CHECK_INT(message_outcome(204), DELIVERY_DONE);
    CHECK_INT(message_outcome(404), DELIVERY_REFUSED);
    CHECK_INT(message_outcome(410), DELIVERY_REFUSED);
    CHECK_INT(message_outcome(408), DELIVERY_FAILED);
    CHECK_INT(message_outcome(429), DELIVERY_FAILED);
    CHECK_INT(message_outcome(301), DELIVERY_FAILED);
    CHECK_INT(message_outcome(503), DELIVERY_FAILED);
    CHECK_INT(message_outcome(0), DELIVERY_FAILED);
}

static void failed_tries_back_off_and_end(void)
{
    Message message = a_message();
    int64_t now = NOW, last_delay = 0;

    set_up();
    message_route(&message, webhook, 1, webhook, 1, true, now, arena);
    for (int i = 1; i < MESSAGE_MAX_ATTEMPTS; i++) {
        int64_t delay;

        message_claim(&message, now, arena);
        CHECK_INT(timestamp_to_micros(message.next_attempt_time), now + MESSAGE_CLAIM_MS * 1000LL);
        message_settle(&message, DELIVERY_FAILED, now, arena);
        CHECK_INT(message.state, STATE(QUEUED));
        delay = timestamp_to_micros(message.next_attempt_time) - now;
        CU_ASSERT(delay > last_delay);
        last_delay = delay;
        now += delay;
    }
    message_claim(&message, now, arena);
    message_settle(&message, DELIVERY_FAILED, now, arena);

    CHECK_INT(message.state, STATE(FAILED));
    CHECK_INT(message.reason, REASON(REFUSED));
    CHECK_INT(message.attempts, MESSAGE_MAX_ATTEMPTS);
    CU_ASSERT_PTR_NULL(message.next_attempt_time);
    tear_down();
}

static void a_refusal_ends_at_once(void)
{
    Message message = a_message();

    set_up();
    message_route(&message, webhook, 1, webhook, 1, true, NOW, arena);
    message_claim(&message, NOW, arena);
    message_settle(&message, DELIVERY_REFUSED, NOW, arena);

    CHECK_INT(message.state, STATE(FAILED));
    CU_ASSERT_PTR_NULL(message.next_attempt_time);
    tear_down();
}

CU_TestInfo message_tests[] = { { "without_consent_nothing_is_sent",
                                    without_consent_nothing_is_sent },
    { "the_first_wanted_channel_with_consent_is_taken",
        the_first_wanted_channel_with_consent_is_taken },
    { "no_wish_means_the_order_of_consents", no_wish_means_the_order_of_consents },
    { "a_webhook_needs_an_endpoint", a_webhook_needs_an_endpoint },
    { "a_channel_that_we_cannot_send_over_is_not_chosen",
        a_channel_that_we_cannot_send_over_is_not_chosen },
    { "receipts_never_go_back", receipts_never_go_back },
    { "a_suppressed_message_takes_no_receipt", a_suppressed_message_takes_no_receipt },
    { "what_has_arrived_is_tried_no_more", what_has_arrived_is_tried_no_more },
    { "http_answers_become_outcomes", http_answers_become_outcomes },
    { "failed_tries_back_off_and_end", failed_tries_back_off_and_end },
    { "a_refusal_ends_at_once", a_refusal_ends_at_once }, CU_TEST_INFO_NULL };
