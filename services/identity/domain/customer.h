/* The record of a person: what it may hold, and how identifiers come and go. */
#ifndef THROUGHLINE_IDENTITY_CUSTOMER_H
#define THROUGHLINE_IDENTITY_CUSTOMER_H

#include "services/identity/domain/identifier.h"

#include "throughline/identity/v1/events.pb-c.h"

typedef Throughline__Identity__V1__Customer Customer;
typedef Throughline__Identity__V1__Customer__AttributesEntry CustomerAttribute;
typedef Throughline__Identity__V1__IdentifierAttached IdentifierAttached;
typedef Throughline__Identity__V1__IdentifierDetached IdentifierDetached;
typedef Google__Protobuf__Timestamp Timestamp;

enum {
    CUSTOMER_MAX_NAME = 200,
    CUSTOMER_MAX_LANGUAGE = 35,
    CUSTOMER_MAX_IDENTIFIERS = 50,
    CUSTOMER_MAX_ATTRIBUTES = 50,
    CUSTOMER_MAX_ATTRIBUTE_KEY = 64,
    CUSTOMER_MAX_ATTRIBUTE_VALUE = 1000,
    CUSTOMER_MAX_CONSENTS = 200,
    CUSTOMER_MAX_MERGES = 200,
};

bool customer_is_merged(const Customer *customer);

/* FAILED_PRECONDITION CUSTOMER_MERGED when its person is another record. */
const Error *customer_check_active(const Customer *customer);

/* "", or letters, digits and hyphens as in BCP 47: "en", "en-GB". */
bool customer_is_language(const char *text);

/* The identifier with that key, NULL when the customer has none. */
const Identifier *customer_identifier(const Customer *customer, const char *key);

/* Adds a normalised identifier. `is_changed` is false, and the event does not count, when it was
 * there and stays as it is. Errors: CUSTOMER_MERGED; FAILED_PRECONDITION IDENTIFIERS_FULL. */
const Error *customer_attach(Customer *customer, const Identifier *identifier, const Timestamp *now,
    Arena *arena, IdentifierAttached *event, bool *is_changed);

/* Takes the identifier with that key away. Errors: CUSTOMER_MERGED; NOT_FOUND
 * IDENTIFIER_NOT_FOUND. */
const Error *customer_detach(
    Customer *customer, const char *key, Arena *arena, IdentifierDetached *event);

/* Takes it away from a merged record, which held it for its survivor. True when it was there. */
bool customer_release(Customer *customer, const char *key, Arena *arena);

#endif
