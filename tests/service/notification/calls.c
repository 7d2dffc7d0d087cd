#include "tests/service/notification/calls.h"

#include "shared/base/clock.h"

#include "throughline/identity/v1/consent.pb-c.h"

Fixture *start_notification(const char *const *flags)
{
    Throughline__Notification__V1__CreateTemplateRequest request =
        THROUGHLINE__NOTIFICATION__V1__CREATE_TEMPLATE_REQUEST__INIT;
    Template text = THROUGHLINE__NOTIFICATION__V1__TEMPLATE__INIT;
    Template made = THROUGHLINE__NOTIFICATION__V1__TEMPLATE__INIT;
    const Service *const others[] = { &identity_service, NULL };
    Fixture *fixture = fixture_start_flags(&notification_service, others, flags);

    fixture_act_as(fixture, "care", "agents/kim");
    fixture_act_as(fixture_peer(fixture, "identity"), "app", "agents/kim");
    text.name = "templates/thanks";
    text.subject = "Thank you";
    text.body = "{{name}}, thank you.";
    request.template_ = &text;
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "MessageService/CreateTemplate", &request, &made)),
        "OK");
    return fixture;
}

void set_consent(Fixture *fixture, const char *customer, const char *channel, bool is_granted)
{
    Throughline__Identity__V1__SetConsentRequest request =
        THROUGHLINE__IDENTITY__V1__SET_CONSENT_REQUEST__INIT;
    Throughline__Identity__V1__Consent consent = THROUGHLINE__IDENTITY__V1__CONSENT__INIT;
    Throughline__Identity__V1__Customer reply = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;

    consent.purpose = "service";
    consent.channel = (char *)channel;
    consent.wording = "1";
    consent.state = is_granted ? THROUGHLINE__IDENTITY__V1__CONSENT__STATE__GRANTED
                               : THROUGHLINE__IDENTITY__V1__CONSENT__STATE__REVOKED;
    request.customer = (char *)customer;
    request.consent = &consent;
    CHECK_TEXT(error_reason(fixture_call(fixture_peer(fixture, "identity"),
                   "ConsentService/SetConsent", &request, &reply)),
        "OK");
}

const char *a_customer_who_allows(Fixture *fixture, const char *channel)
{
    Throughline__Identity__V1__CreateCustomerRequest request =
        THROUGHLINE__IDENTITY__V1__CREATE_CUSTOMER_REQUEST__INIT;
    Throughline__Identity__V1__Customer wanted = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;
    Throughline__Identity__V1__Customer made = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;

    wanted.display_name = "Jo";
    request.customer = &wanted;
    CHECK_TEXT(error_reason(fixture_call(fixture_peer(fixture, "identity"),
                   "CustomerService/CreateCustomer", &request, &made)),
        "OK");
    if (channel)
        set_consent(fixture, made.name, channel, true);
    return made.name;
}

SendMessageRequest a_send(Fixture *fixture, const char *customer)
{
    SendMessageRequest request = THROUGHLINE__NOTIFICATION__V1__SEND_MESSAGE_REQUEST__INIT;
    Throughline__Notification__V1__SendMessageRequest__VariablesEntry *entry =
        arena_alloc(fixture_arena(fixture), sizeof(*entry));
    Throughline__Notification__V1__SendMessageRequest__VariablesEntry **list =
        arena_array(fixture_arena(fixture), 1, sizeof(*list));

    throughline__notification__v1__send_message_request__variables_entry__init(entry);
    entry->key = "name";
    entry->value = "Jo";
    list[0] = entry;
    request.customer = (char *)customer;
    request.template_ = "templates/thanks";
    request.variables = list;
    request.n_variables = 1;
    request.purpose = "service";
    request.deduplication_key = "k1";
    return request;
}

const Error *send_it(Fixture *fixture, const SendMessageRequest *request, Message *message)
{
    throughline__notification__v1__message__init(message);
    return fixture_call(fixture, "MessageService/SendMessage", request, message);
}

const Error *get_it(Fixture *fixture, const char *name, Message *message)
{
    Throughline__Notification__V1__GetMessageRequest request =
        THROUGHLINE__NOTIFICATION__V1__GET_MESSAGE_REQUEST__INIT;

    throughline__notification__v1__message__init(message);
    request.name = (char *)name;
    return fixture_call(fixture, "MessageService/GetMessage", &request, message);
}

const Error *record_receipt(Fixture *fixture, const char *name,
    Throughline__Notification__V1__Message__State state, Message *message)
{
    Throughline__Notification__V1__RecordReceiptRequest request =
        THROUGHLINE__NOTIFICATION__V1__RECORD_RECEIPT_REQUEST__INIT;

    throughline__notification__v1__message__init(message);
    request.name = (char *)name;
    request.state = state;
    return fixture_call(fixture, "MessageService/RecordReceipt", &request, message);
}

void an_endpoint(Fixture *fixture, const char *uri)
{
    Throughline__Notification__V1__CreateEndpointRequest request =
        THROUGHLINE__NOTIFICATION__V1__CREATE_ENDPOINT_REQUEST__INIT;
    Endpoint wanted = THROUGHLINE__NOTIFICATION__V1__ENDPOINT__INIT;
    Endpoint made = THROUGHLINE__NOTIFICATION__V1__ENDPOINT__INIT;

    wanted.name = DEFAULT_ENDPOINT;
    wanted.uri = (char *)uri;
    wanted.secret = "0123456789abcdef";
    request.endpoint = &wanted;
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "MessageService/CreateEndpoint", &request, &made)),
        "OK");
    CHECK_TEXT(made.uri, uri);
    CHECK_TEXT(made.secret, "");
}

void await_settled(Fixture *fixture, const char *name, Message *message)
{
    int64_t end = clock_monotonic() + 10 * 1000000LL;

    do {
        clock_sleep_ms(20);
        CHECK_TEXT(error_reason(get_it(fixture, name, message)), "OK");
    } while (message->state == STATE(QUEUED) && clock_monotonic() < end);
}
