#include "services/notification/webhook.h"
#include "shared/base/clock.h"
#include "tests/service/notification/calls.h"
#include "tests/service/notification/receiver.h"

#include <stdlib.h>
#include <string.h>

static const char *const private_too[] = { "--webhook-allow-private", NULL };

/* Sends one message over the webhook to the receiver, waits until it is settled. */
static void send_to(Fixture *fixture, int port, Message *settled)
{
    const char *jo = a_customer_who_allows(fixture, "webhook");
    SendMessageRequest request = a_send(fixture, jo);
    Message sent;

    an_endpoint(fixture, arena_printf(fixture_arena(fixture), "http://127.0.0.1:%d/hook", port));
    CHECK_TEXT(error_reason(send_it(fixture, &request, &sent)), "OK");
    CHECK_INT(sent.state, STATE(QUEUED));
    await_settled(fixture, sent.name, settled);
}

static void a_webhook_message_is_posted_signed(void)
{
    Fixture *fixture = start_notification(private_too);
    Receiver *receiver = receiver_start(0, 0);
    Message settled;
    const char *request, *signature, *body;

    send_to(fixture, receiver_port(receiver), &settled);
    request = receiver_stop(receiver);

    CHECK_INT(settled.state, STATE(DELIVERED));
    CHECK_INT(receiver_posts(receiver), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(
        request, arena_printf(fixture_arena(fixture), "throughline-message: %s", settled.name)));
    signature = strstr(request, "throughline-signature: ");
    body = strstr(request, "\r\n\r\n");
    if (signature && body) {
        int64_t seconds = strtoll(signature + strlen("throughline-signature: t="), NULL, 10);
        const char *expected = webhook_signature(
            fixture_arena(fixture), "0123456789abcdef", body + 4, seconds * 1000000);

        CU_ASSERT_PTR_NOT_NULL(strstr(request, expected));
        CU_ASSERT_PTR_NOT_NULL(strstr(body, "\"body\":\"Jo, thank you.\""));
    } else {
        CU_FAIL("the request has no signature or no body");
    }
    receiver_free(receiver);
    fixture_stop(fixture);
}

static void a_failed_try_is_made_again(void)
{
    Fixture *fixture = start_notification(private_too);
    Receiver *receiver = receiver_start(1, 503);
    Message settled;

    send_to(fixture, receiver_port(receiver), &settled);
    receiver_stop(receiver);

    CHECK_INT(settled.state, STATE(DELIVERED));
    CHECK_INT(settled.attempts, 2);
    CHECK_INT(receiver_posts(receiver), 2);
    receiver_free(receiver);
    fixture_stop(fixture);
}

static void a_refusal_for_good_ends_it(void)
{
    Fixture *fixture = start_notification(private_too);
    Receiver *receiver = receiver_start(9, 410);
    Message settled;

    send_to(fixture, receiver_port(receiver), &settled);
    receiver_stop(receiver);

    CHECK_INT(settled.state, STATE(FAILED));
    CHECK_INT(settled.reason, REASON(REFUSED));
    CHECK_INT(receiver_posts(receiver), 1);
    receiver_free(receiver);
    fixture_stop(fixture);
}

static void a_consent_revoked_between_two_tries_stops_them(void)
{
    Fixture *fixture = start_notification(private_too);
    Receiver *receiver = receiver_start(9, 503);
    const char *jo = a_customer_who_allows(fixture, "webhook");
    SendMessageRequest request = a_send(fixture, jo);
    Message sent, settled;

    an_endpoint(fixture,
        arena_printf(fixture_arena(fixture), "http://127.0.0.1:%d/hook", receiver_port(receiver)));
    set_consent(fixture, jo, "inbox", true);
    request.channels = (char *[]){ "webhook" };
    request.n_channels = 1;
    CHECK_TEXT(error_reason(send_it(fixture, &request, &sent)), "OK");
    set_consent(fixture, jo, "webhook", false);
    await_settled(fixture, sent.name, &settled);
    receiver_stop(receiver);

    CHECK_INT(settled.state, STATE(SUPPRESSED));
    CHECK_INT(settled.reason, REASON(NO_CONSENT));
    receiver_free(receiver);
    fixture_stop(fixture);
}

static void private_addresses_are_not_posted_to_unless_allowed(void)
{
    Fixture *fixture = start_notification(NULL);
    Receiver *receiver = receiver_start(0, 0);
    const char *jo = a_customer_who_allows(fixture, "webhook");
    SendMessageRequest request = a_send(fixture, jo);
    Message sent, seen;

    an_endpoint(fixture,
        arena_printf(fixture_arena(fixture), "http://127.0.0.1:%d/hook", receiver_port(receiver)));
    CHECK_TEXT(error_reason(send_it(fixture, &request, &sent)), "OK");
    for (int i = 0; i < 500; i++) {
        CHECK_TEXT(error_reason(get_it(fixture, sent.name, &seen)), "OK");
        if (seen.attempts > 0)
            break;
        clock_sleep_ms(10);
    }

    CHECK_INT(seen.attempts, 1);
    CHECK_INT(receiver_posts(receiver), 0);
    receiver_stop(receiver);
    receiver_free(receiver);
    fixture_stop(fixture);
}

CU_TestInfo delivery_tests[] = { { "a_webhook_message_is_posted_signed",
                                     a_webhook_message_is_posted_signed },
    { "a_failed_try_is_made_again", a_failed_try_is_made_again },
    { "a_refusal_for_good_ends_it", a_refusal_for_good_ends_it },
    { "a_consent_revoked_between_two_tries_stops_them",
        a_consent_revoked_between_two_tries_stops_them },
    { "private_addresses_are_not_posted_to_unless_allowed",
        private_addresses_are_not_posted_to_unless_allowed },
    CU_TEST_INFO_NULL };
