/* What people are known by: the normal form of each kind, and the key that finds its holder. */
#ifndef THROUGHLINE_IDENTITY_IDENTIFIER_H
#define THROUGHLINE_IDENTITY_IDENTIFIER_H

#include "shared/base/arena.h"
#include "shared/base/error.h"

#include "throughline/identity/v1/customer.pb-c.h"

typedef Throughline__Identity__V1__Identifier Identifier;

enum {
    IDENTIFIER_MAX_VALUE = 254,
    IDENTIFIER_MAX_EMAIL_LOCAL = 64, /* RFC 5321, 4.5.3.1.1 */
    IDENTIFIER_MAX_DNS_LABEL = 63,
    IDENTIFIER_MIN_PHONE_DIGITS = 7,
    IDENTIFIER_MAX_PHONE_DIGITS = 15, /* E.164 */
    IDENTIFIER_MIN_CARD = 4,
    IDENTIFIER_MAX_CARD = 64,
    IDENTIFIER_MAX_SYSTEM = 32,
};

/* Brings the value into its kind's normal form and sets the key. The kind must be a known one.
 * Errors, all INVALID_ARGUMENT with a sentence on the value: IDENTIFIER_MALFORMED,
 * IDENTIFIER_BLOCKED (a placeholder that many records share). */
const Error *identifier_normalise(Identifier *identifier, Arena *arena);

#endif
