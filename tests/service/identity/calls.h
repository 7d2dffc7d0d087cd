/* Calls to identity as tests make them: valid requests, of which a test says only what it is about.
 * What should work and does not fails the test. */
#ifndef THROUGHLINE_TESTS_SERVICE_IDENTITY_CALLS_H
#define THROUGHLINE_TESTS_SERVICE_IDENTITY_CALLS_H

#include "services/identity/identity_service.h"
#include "tests/support/fixture.h"
#include "tests/support/test_main.h"

typedef Throughline__Identity__V1__CreateCustomerRequest CreateCustomerRequest;
typedef Throughline__Identity__V1__AttachIdentifierRequest AttachIdentifierRequest;
typedef Throughline__Identity__V1__DetachIdentifierRequest DetachIdentifierRequest;
typedef Throughline__Identity__V1__MergeCustomersRequest MergeCustomersRequest;
typedef Throughline__Identity__V1__SetConsentRequest SetConsentRequest;
typedef Throughline__Identity__V1__CheckConsentResponse CheckConsentResponse;

#define EMAIL THROUGHLINE__IDENTITY__V1__IDENTIFIER__KIND__EMAIL
#define DEVICE THROUGHLINE__IDENTITY__V1__IDENTIFIER__KIND__DEVICE
#define HANDLE THROUGHLINE__IDENTITY__V1__IDENTIFIER__KIND__SOCIAL_HANDLE
#define GRANTED THROUGHLINE__IDENTITY__V1__CONSENT__STATE__GRANTED
#define DENIED THROUGHLINE__IDENTITY__V1__CONSENT__STATE__DENIED

/* A running identity that an agent of the care desk talks to. */
Fixture *start_identity(void);

Identifier *an_identifier(Fixture *fixture, int kind, const char *value);

/* The new customer's name; `device` may be NULL. */
const char *a_customer(Fixture *fixture, const char *display_name, const char *device);

const Error *get_customer(Fixture *fixture, const char *name, Customer *customer);
const Error *find_customer(Fixture *fixture, int kind, const char *value, Customer *customer);
const Error *attach(
    Fixture *fixture, const char *customer, int kind, const char *value, Customer *reply);
const Error *detach(
    Fixture *fixture, const char *customer, int kind, const char *value, Customer *reply);
const Error *merge(Fixture *fixture, const char *survivor, const char *duplicate,
    const char *request_id, Customer *reply);
const Error *set_consent(Fixture *fixture, const char *customer, const char *purpose,
    const char *channel, int state, Customer *reply);

/* Whether the customer may be reached for the purpose over the channel. */
bool allows(Fixture *fixture, const char *customer, const char *purpose, const char *channel);

/* Whether the error names the field among its violations. */
bool blames(const Error *error, const char *field);

#endif
