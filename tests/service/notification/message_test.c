#include "tests/service/notification/calls.h"

#include "throughline/identity/v1/customer.pb-c.h"

#include <pthread.h>
#include <string.h>

typedef Throughline__Notification__V1__WatchInboxRequest WatchInboxRequest;
typedef Throughline__Notification__V1__WatchInboxResponse WatchInboxResponse;

enum { TWINS = 16 };

static void with_consent_the_message_is_sent(void)
{
    Fixture *fixture = start_notification(NULL);
    const char *jo = a_customer_who_allows(fixture, "inbox");
    SendMessageRequest request = a_send(fixture, jo);
    Message sent, found;

    CHECK_TEXT(error_reason(send_it(fixture, &request, &sent)), "OK");

    CHECK_INT(sent.state, STATE(SENT));
    CHECK_TEXT(sent.channel, "inbox");
    CHECK_TEXT(sent.body, "Jo, thank you.");
    CHECK_TEXT(error_reason(get_it(fixture, sent.name, &found)), "OK");
    CHECK_TEXT(found.etag, sent.etag);
    fixture_stop(fixture);
}

static void without_consent_it_is_kept_back_with_the_reason(void)
{
    Fixture *fixture = start_notification(NULL);
    const char *jo = a_customer_who_allows(fixture, NULL);
    SendMessageRequest request = a_send(fixture, jo);
    Message kept, after;

    CHECK_TEXT(error_reason(send_it(fixture, &request, &kept)), "OK");

    CHECK_INT(kept.state, STATE(SUPPRESSED));
    CHECK_INT(kept.reason, REASON(NO_CONSENT));
    CHECK_TEXT(error_reason(record_receipt(fixture, kept.name, STATE(OPENED), &after)), "NOT_SENT");
    fixture_stop(fixture);
}

static void a_revoked_consent_counts_at_once(void)
{
    Fixture *fixture = start_notification(NULL);
    const char *jo = a_customer_who_allows(fixture, "inbox");
    SendMessageRequest request = a_send(fixture, jo);
    Message kept;

    set_consent(fixture, jo, "inbox", false);
    CHECK_TEXT(error_reason(send_it(fixture, &request, &kept)), "OK");

    CHECK_INT(kept.state, STATE(SUPPRESSED));
    fixture_stop(fixture);
}

static void what_is_not_there_is_named(void)
{
    Fixture *fixture = start_notification(NULL);
    const char *jo = a_customer_who_allows(fixture, "inbox");
    SendMessageRequest request = a_send(fixture, jo);
    const Error *error;
    Message message;

    request.template_ = "templates/none";
    CHECK_TEXT(error_reason(send_it(fixture, &request, &message)), "TEMPLATE_NOT_FOUND");
    request = a_send(fixture, "customers/nobody");
    CHECK_TEXT(error_reason(send_it(fixture, &request, &message)), "CUSTOMER_NOT_FOUND");
    request = a_send(fixture, jo);
    request.n_variables = 0;
    error = send_it(fixture, &request, &message);
    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    CHECK_TEXT(error->violations[0].field, "variables[name]");
    CHECK_TEXT(error_reason(get_it(fixture, "messages/none", &message)), "MESSAGE_NOT_FOUND");
    fixture_stop(fixture);
}

static void every_bad_field_is_named(void)
{
    Fixture *fixture = start_notification(NULL);
    SendMessageRequest request = THROUGHLINE__NOTIFICATION__V1__SEND_MESSAGE_REQUEST__INIT;
    char *channels[] = { "By Pigeon" };
    const Error *error;
    Message message;

    request.purpose = "All kinds of things";
    request.channels = channels;
    request.n_channels = 1;
    request.request_id = "not allowed: spaces";
    error = send_it(fixture, &request, &message);

    CHECK_INT(error->code, ERROR_INVALID_ARGUMENT);
    CHECK_INT(error->n_violations, 6);
    error = record_receipt(fixture, "messages/a", STATE(SENT), &message);
    CHECK_TEXT(error->violations[0].description, "must be DELIVERED, OPENED or CLICKED");
    fixture_stop(fixture);
}

static void the_same_key_sends_once(void)
{
    Fixture *fixture = start_notification(NULL);
    const char *jo = a_customer_who_allows(fixture, "inbox");
    SendMessageRequest request = a_send(fixture, jo);
    Message first, second, other;

    CHECK_TEXT(error_reason(send_it(fixture, &request, &first)), "OK");
    CHECK_TEXT(error_reason(send_it(fixture, &request, &second)), "OK");
    request.deduplication_key = "k2";
    CHECK_TEXT(error_reason(send_it(fixture, &request, &other)), "OK");

    CHECK_TEXT(second.name, first.name);
    CHECK_TEXT(second.etag, first.etag);
    CU_ASSERT_FALSE(text_equal(other.name, first.name));
    fixture_stop(fixture);
}

static void a_request_id_answers_again_and_refuses_other_content(void)
{
    Fixture *fixture = start_notification(NULL);
    const char *jo = a_customer_who_allows(fixture, "inbox");
    SendMessageRequest request = a_send(fixture, jo);
    Message first, second;

    request.request_id = "r1";
    CHECK_TEXT(error_reason(send_it(fixture, &request, &first)), "OK");
    CHECK_TEXT(error_reason(send_it(fixture, &request, &second)), "OK");
    CHECK_TEXT(second.name, first.name);
    request.deduplication_key = "other";
    CHECK_TEXT(error_reason(send_it(fixture, &request, &second)), "REQUEST_ID_REUSED");
    fixture_stop(fixture);
}

typedef struct Twin {
    Fixture *fixture;
    const SendMessageRequest *request;
    RpcOutgoing outgoing;
    Message message;
    const Error *error;
    pthread_t thread;
} Twin;

static void *send_twin(void *context)
{
    Twin *twin = context;

    throughline__notification__v1__message__init(&twin->message);
    twin->error = fixture_call_with(twin->fixture, &twin->outgoing, "MessageService/SendMessage",
        twin->request, &twin->message);
    return NULL;
}

static void twins_get_one_message(void)
{
    Fixture *fixture = start_notification(NULL);
    const char *jo = a_customer_who_allows(fixture, "inbox");
    SendMessageRequest request = a_send(fixture, jo);
    Twin twins[TWINS];

    for (int i = 0; i < TWINS; i++) {
        twins[i] = (Twin){
            .fixture = fixture, .request = &request, .outgoing = fixture_outgoing(fixture)
        };
        twins[i].outgoing.arena = arena_new();
    }
    for (int i = 0; i < TWINS; i++)
        pthread_create(&twins[i].thread, NULL, send_twin, &twins[i]);
    for (int i = 0; i < TWINS; i++)
        pthread_join(twins[i].thread, NULL);

    for (int i = 0; i < TWINS; i++) {
        CHECK_TEXT(error_reason(twins[i].error), "OK");
        CHECK_TEXT(twins[i].message.name, twins[0].message.name);
        CHECK_TEXT(twins[i].message.etag, twins[0].message.etag);
    }
    CU_ASSERT_PTR_NOT_NULL(fixture_event(fixture, twins[0].message.name, 1));
    for (int i = 0; i < TWINS; i++)
        arena_free(twins[i].outgoing.arena);
    fixture_stop(fixture);
}

static void receipts_go_forward_only(void)
{
    Fixture *fixture = start_notification(NULL);
    const char *jo = a_customer_who_allows(fixture, "inbox");
    SendMessageRequest request = a_send(fixture, jo);
    Message sent, opened, late, bad;

    send_it(fixture, &request, &sent);
    CHECK_TEXT(error_reason(record_receipt(fixture, sent.name, STATE(OPENED), &opened)), "OK");
    CHECK_TEXT(error_reason(record_receipt(fixture, sent.name, STATE(DELIVERED), &late)), "OK");

    CHECK_INT(opened.state, STATE(OPENED));
    CHECK_INT(late.state, STATE(OPENED));
    CHECK_TEXT(late.etag, opened.etag);
    CHECK_TEXT(
        error_reason(record_receipt(fixture, sent.name, STATE(QUEUED), &bad)), "FIELD_INVALID");
    CHECK_TEXT(error_reason(record_receipt(fixture, "messages/none", STATE(OPENED), &bad)),
        "MESSAGE_NOT_FOUND");
    fixture_stop(fixture);
}

static void a_customer_sees_only_their_own(void)
{
    Fixture *fixture = start_notification(NULL);
    const char *jo = a_customer_who_allows(fixture, "inbox");
    SendMessageRequest request = a_send(fixture, jo);
    Throughline__Notification__V1__ListMessagesRequest list =
        THROUGHLINE__NOTIFICATION__V1__LIST_MESSAGES_REQUEST__INIT;
    Throughline__Notification__V1__ListMessagesResponse page =
        THROUGHLINE__NOTIFICATION__V1__LIST_MESSAGES_RESPONSE__INIT;
    Message sent, seen;

    send_it(fixture, &request, &sent);
    list.customer = (char *)jo;
    fixture_act_as(fixture, "app", "customers/somebody");
    CHECK_TEXT(error_reason(get_it(fixture, sent.name, &seen)), "MESSAGE_NOT_FOUND");
    CHECK_TEXT(error_reason(record_receipt(fixture, sent.name, STATE(OPENED), &seen)),
        "MESSAGE_NOT_FOUND");
    CHECK_TEXT(error_reason(fixture_call(fixture, "MessageService/ListMessages", &list, &page)),
        "CUSTOMER_NOT_FOUND");
    fixture_act_as(fixture, "app", "anonymous/phone-1");
    CHECK_TEXT(error_reason(get_it(fixture, sent.name, &seen)), "MESSAGE_NOT_FOUND");
    CHECK_TEXT(error_reason(fixture_call(fixture, "MessageService/ListMessages", &list, &page)),
        "CUSTOMER_NOT_FOUND");
    fixture_act_as(fixture, "app", jo);
    CHECK_TEXT(error_reason(get_it(fixture, sent.name, &seen)), "OK");
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "MessageService/ListMessages", &list, &page)), "OK");
    CHECK_INT(page.n_messages, 1);
    fixture_stop(fixture);
}

static void messages_are_listed_newest_first_in_pages(void)
{
    Fixture *fixture = start_notification(NULL);
    const char *jo = a_customer_who_allows(fixture, "inbox");
    SendMessageRequest request = a_send(fixture, jo);
    Throughline__Notification__V1__ListMessagesRequest list =
        THROUGHLINE__NOTIFICATION__V1__LIST_MESSAGES_REQUEST__INIT;
    Throughline__Notification__V1__ListMessagesResponse page =
        THROUGHLINE__NOTIFICATION__V1__LIST_MESSAGES_RESPONSE__INIT;
    Message sent;

    for (int i = 0; i < 5; i++) {
        request.deduplication_key = arena_printf(fixture_arena(fixture), "k%d", i);
        send_it(fixture, &request, &sent);
    }
    list.customer = (char *)jo;
    list.page_size = 3;
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "MessageService/ListMessages", &list, &page)), "OK");
    CHECK_INT(page.n_messages, 3);
    CHECK_TEXT(page.messages[0]->deduplication_key, "k4");
    list.page_token = page.next_page_token;
    throughline__notification__v1__list_messages_response__init(&page);
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "MessageService/ListMessages", &list, &page)), "OK");
    CHECK_INT(page.n_messages, 2);
    CHECK_TEXT(page.messages[1]->deduplication_key, "k0");
    CHECK_TEXT(page.next_page_token, "");
    fixture_stop(fixture);
}

static const WatchInboxResponse *next_arrival(Fixture *fixture, RpcClientStream *stream)
{
    void *message = NULL;

    CHECK_TEXT(error_reason(rpc_client_receive(stream, fixture_arena(fixture), &message)), "OK");
    return message;
}

static void an_inbox_is_watched_and_resumed_without_a_gap(void)
{
    Fixture *fixture = start_notification(NULL);
    const char *jo = a_customer_who_allows(fixture, "inbox");
    SendMessageRequest request = a_send(fixture, jo);
    WatchInboxRequest watch = THROUGHLINE__NOTIFICATION__V1__WATCH_INBOX_REQUEST__INIT;
    RpcClientStream *stream = NULL;
    const WatchInboxResponse *arrival;
    void *nothing;
    Message sent, opened;
    int64_t first;

    send_it(fixture, &request, &sent);
    watch.customer = (char *)jo;
    CHECK_TEXT(
        error_reason(fixture_open(fixture, "MessageService/WatchInbox", &watch, &stream)), "OK");
    arrival = next_arrival(fixture, stream);
    CHECK_TEXT(arrival->message->deduplication_key, "k1");
    first = arrival->sequence;
    record_receipt(fixture, sent.name, STATE(OPENED), &opened);
    request.deduplication_key = "k2";
    send_it(fixture, &request, &sent);
    arrival = next_arrival(fixture, stream);
    CHECK_TEXT(arrival->message->deduplication_key, "k2");
    CU_ASSERT(arrival->sequence > first);
    rpc_client_close_stream(stream);

    watch.after = first;
    CHECK_TEXT(
        error_reason(fixture_open(fixture, "MessageService/WatchInbox", &watch, &stream)), "OK");
    CHECK_TEXT(next_arrival(fixture, stream)->message->deduplication_key, "k2");
    rpc_client_close_stream(stream);

    watch.after = first + 1000;
    CHECK_TEXT(
        error_reason(fixture_open(fixture, "MessageService/WatchInbox", &watch, &stream)), "OK");
    CHECK_TEXT(error_reason(rpc_client_receive(stream, fixture_arena(fixture), &nothing)),
        "FIELD_INVALID");
    rpc_client_close_stream(stream);
    fixture_stop(fixture);
}

/* More than the stream's queue and the window of its connection hold: the rest is read from the log again when there is room. */
static void a_slow_reader_gets_every_message_once(void)
{
    enum { MESSAGES = 300, VALUE = 2000 };
    Fixture *fixture = start_notification(NULL);
    const char *jo = a_customer_who_allows(fixture, "inbox");
    SendMessageRequest request = a_send(fixture, jo);
    WatchInboxRequest watch = THROUGHLINE__NOTIFICATION__V1__WATCH_INBOX_REQUEST__INIT;
    RpcClientStream *stream = NULL;
    int64_t last = 0;
    Message sent;

    request.variables[0]->value =
        memset(arena_alloc(fixture_arena(fixture), VALUE + 1), 'x', VALUE);
    watch.customer = (char *)jo;
    CHECK_TEXT(
        error_reason(fixture_open(fixture, "MessageService/WatchInbox", &watch, &stream)), "OK");
    for (int i = 0; i < MESSAGES; i++) {
        request.deduplication_key = arena_printf(fixture_arena(fixture), "k%d", i);
        CHECK_TEXT(error_reason(send_it(fixture, &request, &sent)), "OK");
    }
    CU_ASSERT_TRUE(fixture_settle(fixture));

    for (int i = 0; i < MESSAGES; i++) {
        const WatchInboxResponse *arrival = next_arrival(fixture, stream);

        CHECK_TEXT(
            arrival->message->deduplication_key, arena_printf(fixture_arena(fixture), "k%d", i));
        CU_ASSERT(arrival->sequence > last);
        last = arrival->sequence;
    }
    rpc_client_close_stream(stream);
    fixture_stop(fixture);
}

static void merge(Fixture *fixture, const char *survivor, const char *duplicate)
{
    Throughline__Identity__V1__MergeCustomersRequest request =
        THROUGHLINE__IDENTITY__V1__MERGE_CUSTOMERS_REQUEST__INIT;
    Throughline__Identity__V1__Customer reply = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;

    request.survivor = (char *)survivor;
    request.duplicate = (char *)duplicate;
    request.reason = "The same person";
    CHECK_TEXT(error_reason(fixture_call(fixture_peer(fixture, "identity"),
                   "CustomerService/MergeCustomers", &request, &reply)),
        "OK");
    CU_ASSERT_TRUE(fixture_settle(fixture));
}

static void a_merged_customers_messages_are_the_survivors(void)
{
    Fixture *fixture = start_notification(NULL);
    const char *jo = a_customer_who_allows(fixture, "inbox");
    const char *joanna = a_customer_who_allows(fixture, "inbox");
    SendMessageRequest request = a_send(fixture, joanna);
    Throughline__Notification__V1__ListMessagesRequest list =
        THROUGHLINE__NOTIFICATION__V1__LIST_MESSAGES_REQUEST__INIT;
    Throughline__Notification__V1__ListMessagesResponse page =
        THROUGHLINE__NOTIFICATION__V1__LIST_MESSAGES_RESPONSE__INIT;
    Message before, again, after;

    CHECK_TEXT(error_reason(send_it(fixture, &request, &before)), "OK");
    merge(fixture, jo, joanna);

    /* the same key to either of them is the same message */
    request.customer = (char *)jo;
    CHECK_TEXT(error_reason(send_it(fixture, &request, &again)), "OK");
    CHECK_TEXT(again.name, before.name);
    request = a_send(fixture, joanna);
    request.deduplication_key = "k2";
    CHECK_TEXT(error_reason(send_it(fixture, &request, &after)), "OK");
    CHECK_TEXT(after.customer, jo);

    /* both are found under either name, by the person under either name */
    fixture_act_as(fixture, "app", joanna);
    list.customer = (char *)jo;
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "MessageService/ListMessages", &list, &page)), "OK");
    CHECK_INT(page.n_messages, 2);
    fixture_act_as(fixture, "app", jo);
    list.customer = (char *)joanna;
    throughline__notification__v1__list_messages_response__init(&page);
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "MessageService/ListMessages", &list, &page)), "OK");
    CHECK_INT(page.n_messages, 2);
    CHECK_TEXT(error_reason(get_it(fixture, before.name, &again)), "OK");
    fixture_stop(fixture);
}

static void the_inbox_of_a_merged_customer_names_the_survivors(void)
{
    Fixture *fixture = start_notification(NULL);
    const char *jo = a_customer_who_allows(fixture, "inbox");
    const char *joanna = a_customer_who_allows(fixture, "inbox");
    WatchInboxRequest watch = THROUGHLINE__NOTIFICATION__V1__WATCH_INBOX_REQUEST__INIT;
    RpcClientStream *stream = NULL;
    void *message = NULL;
    const Error *error;

    merge(fixture, jo, joanna);
    watch.customer = (char *)joanna;
    CHECK_TEXT(
        error_reason(fixture_open(fixture, "MessageService/WatchInbox", &watch, &stream)), "OK");
    error = rpc_client_receive(stream, fixture_arena(fixture), &message);

    CHECK_TEXT(error_reason(error), "CUSTOMER_MERGED");
    CHECK_TEXT(error->facts[0].value, jo);
    rpc_client_close_stream(stream);
    fixture_stop(fixture);
}

static void nobody_watches_anothers_inbox(void)
{
    Fixture *fixture = start_notification(NULL);
    WatchInboxRequest watch = THROUGHLINE__NOTIFICATION__V1__WATCH_INBOX_REQUEST__INIT;
    RpcClientStream *stream = NULL;
    void *message = NULL;

    fixture_act_as(fixture, "app", "customers/somebody");
    watch.customer = "customers/jo";
    CHECK_TEXT(
        error_reason(fixture_open(fixture, "MessageService/WatchInbox", &watch, &stream)), "OK");
    CHECK_TEXT(error_reason(rpc_client_receive(stream, fixture_arena(fixture), &message)),
        "CUSTOMER_NOT_FOUND");
    rpc_client_close_stream(stream);
    fixture_stop(fixture);
}

CU_TestInfo message_tests[] = { { "with_consent_the_message_is_sent",
                                    with_consent_the_message_is_sent },
    { "without_consent_it_is_kept_back_with_the_reason",
        without_consent_it_is_kept_back_with_the_reason },
    { "a_revoked_consent_counts_at_once", a_revoked_consent_counts_at_once },
    { "what_is_not_there_is_named", what_is_not_there_is_named },
    { "every_bad_field_is_named", every_bad_field_is_named },
    { "the_same_key_sends_once", the_same_key_sends_once },
    { "a_request_id_answers_again_and_refuses_other_content",
        a_request_id_answers_again_and_refuses_other_content },
    { "twins_get_one_message", twins_get_one_message },
    { "receipts_go_forward_only", receipts_go_forward_only },
    { "a_customer_sees_only_their_own", a_customer_sees_only_their_own },
    { "messages_are_listed_newest_first_in_pages", messages_are_listed_newest_first_in_pages },
    { "an_inbox_is_watched_and_resumed_without_a_gap",
        an_inbox_is_watched_and_resumed_without_a_gap },
    { "a_slow_reader_gets_every_message_once", a_slow_reader_gets_every_message_once },
    { "a_merged_customers_messages_are_the_survivors",
        a_merged_customers_messages_are_the_survivors },
    { "the_inbox_of_a_merged_customer_names_the_survivors",
        the_inbox_of_a_merged_customer_names_the_survivors },
    { "nobody_watches_anothers_inbox", nobody_watches_anothers_inbox }, CU_TEST_INFO_NULL };
