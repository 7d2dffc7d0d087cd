#include "tests/service/identity/calls.h"

#include "shared/base/text.h"

Fixture *start_identity(void)
{
    Fixture *fixture = fixture_start(&identity_service);

    fixture_act_as(fixture, "care", "agents/kim");
    return fixture;
}

Identifier *an_identifier(Fixture *fixture, int kind, const char *value)
{
    Identifier *identifier = arena_alloc(fixture_arena(fixture), sizeof(*identifier));

    *identifier = (Identifier)THROUGHLINE__IDENTITY__V1__IDENTIFIER__INIT;
    identifier->kind = (Throughline__Identity__V1__Identifier__Kind)kind;
    identifier->value = arena_text(fixture_arena(fixture), value);
    return identifier;
}

const char *a_customer(Fixture *fixture, const char *display_name, const char *device)
{
    CreateCustomerRequest request = THROUGHLINE__IDENTITY__V1__CREATE_CUSTOMER_REQUEST__INIT;
    Customer customer = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;
    Customer reply = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;
    Identifier *identifiers[1];

    customer.display_name = (char *)display_name;
    if (device) {
        identifiers[0] = an_identifier(fixture, DEVICE, device);
        customer.identifiers = identifiers;
        customer.n_identifiers = 1;
    }
    request.customer = &customer;
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "CustomerService/CreateCustomer", &request, &reply)),
        "OK");
    return arena_text(fixture_arena(fixture), reply.name);
}

const Error *get_customer(Fixture *fixture, const char *name, Customer *customer)
{
    Throughline__Identity__V1__GetCustomerRequest request =
        THROUGHLINE__IDENTITY__V1__GET_CUSTOMER_REQUEST__INIT;

    throughline__identity__v1__customer__init(customer);
    request.name = (char *)name;
    return fixture_call(fixture, "CustomerService/GetCustomer", &request, customer);
}

const Error *find_customer(Fixture *fixture, int kind, const char *value, Customer *customer)
{
    Throughline__Identity__V1__FindCustomerRequest request =
        THROUGHLINE__IDENTITY__V1__FIND_CUSTOMER_REQUEST__INIT;

    throughline__identity__v1__customer__init(customer);
    request.identifier = an_identifier(fixture, kind, value);
    return fixture_call(fixture, "CustomerService/FindCustomer", &request, customer);
}

const Error *attach(
    Fixture *fixture, const char *customer, int kind, const char *value, Customer *reply)
{
    AttachIdentifierRequest request = THROUGHLINE__IDENTITY__V1__ATTACH_IDENTIFIER_REQUEST__INIT;

    throughline__identity__v1__customer__init(reply);
    request.customer = (char *)customer;
    request.identifier = an_identifier(fixture, kind, value);
    return fixture_call(fixture, "CustomerService/AttachIdentifier", &request, reply);
}

const Error *detach(
    Fixture *fixture, const char *customer, int kind, const char *value, Customer *reply)
{
    DetachIdentifierRequest request = THROUGHLINE__IDENTITY__V1__DETACH_IDENTIFIER_REQUEST__INIT;

    throughline__identity__v1__customer__init(reply);
    request.customer = (char *)customer;
    request.identifier = an_identifier(fixture, kind, value);
    return fixture_call(fixture, "CustomerService/DetachIdentifier", &request, reply);
}

const Error *merge(Fixture *fixture, const char *survivor, const char *duplicate,
    const char *request_id, Customer *reply)
{
    MergeCustomersRequest request = THROUGHLINE__IDENTITY__V1__MERGE_CUSTOMERS_REQUEST__INIT;

    throughline__identity__v1__customer__init(reply);
    request.survivor = (char *)survivor;
    request.duplicate = (char *)duplicate;
    request.reason = "same address and phone";
    request.request_id = (char *)request_id;
    return fixture_call(fixture, "CustomerService/MergeCustomers", &request, reply);
}

const Error *set_consent(Fixture *fixture, const char *customer, const char *purpose,
    const char *channel, int state, Customer *reply)
{
    SetConsentRequest request = THROUGHLINE__IDENTITY__V1__SET_CONSENT_REQUEST__INIT;
    Throughline__Identity__V1__Consent consent = THROUGHLINE__IDENTITY__V1__CONSENT__INIT;

    throughline__identity__v1__customer__init(reply);
    consent.purpose = (char *)purpose;
    consent.channel = (char *)channel;
    consent.state = (Throughline__Identity__V1__Consent__State)state;
    consent.wording = "surveys-2026-01";
    request.customer = (char *)customer;
    request.consent = &consent;
    return fixture_call(fixture, "ConsentService/SetConsent", &request, reply);
}

bool allows(Fixture *fixture, const char *customer, const char *purpose, const char *channel)
{
    Throughline__Identity__V1__CheckConsentRequest request =
        THROUGHLINE__IDENTITY__V1__CHECK_CONSENT_REQUEST__INIT;
    CheckConsentResponse reply = THROUGHLINE__IDENTITY__V1__CHECK_CONSENT_RESPONSE__INIT;

    request.customer = (char *)customer;
    request.purpose = (char *)purpose;
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "ConsentService/CheckConsent", &request, &reply)), "OK");
    for (size_t i = 0; i < reply.n_channels; i++)
        if (text_equal(reply.channels[i], channel))
            return true;
    return false;
}

bool blames(const Error *error, const char *field)
{
    for (size_t i = 0; error && i < error->n_violations; i++)
        if (text_equal(error->violations[i].field, field))
            return true;
    return false;
}
