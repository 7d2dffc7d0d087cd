/* What the tests of notification do again and again. */
#ifndef THROUGHLINE_TESTS_SERVICE_NOTIFICATION_CALLS_H
#define THROUGHLINE_TESTS_SERVICE_NOTIFICATION_CALLS_H

#include "services/identity/identity_service.h"
#include "services/notification/notification_service.h"
#include "shared/base/text.h"
#include "tests/support/fixture.h"
#include "tests/support/test_main.h"

typedef Throughline__Notification__V1__SendMessageRequest SendMessageRequest;

#define STATE(name) THROUGHLINE__NOTIFICATION__V1__MESSAGE__STATE__##name
#define REASON(name) THROUGHLINE__NOTIFICATION__V1__MESSAGE__REASON__##name

/* Notification with identity as its peer, a template "templates/thanks" that needs {{name}}. */
Fixture *start_notification(const char *const *flags);

/* A new customer who allows service messages over the channel; NULL: over none. */
const char *a_customer_who_allows(Fixture *fixture, const char *channel);
void set_consent(Fixture *fixture, const char *customer, const char *channel, bool is_granted);

/* A good request: template, name "Jo", purpose "service", key "k1". */
SendMessageRequest a_send(Fixture *fixture, const char *customer);
const Error *send_it(Fixture *fixture, const SendMessageRequest *request, Message *message);
const Error *get_it(Fixture *fixture, const char *name, Message *message);
const Error *record_receipt(Fixture *fixture, const char *name,
    Throughline__Notification__V1__Message__State state, Message *message);

void an_endpoint(Fixture *fixture, const char *uri);

/* Waits until the message has left QUEUED, at most 10 s. */
void await_settled(Fixture *fixture, const char *name, Message *message);

#endif
