#include "services/identity/domain/customer.h"

#include "shared/base/text.h"

#include <ctype.h>
#include <string.h>

static const Error customer_merged = { ERROR_FAILED_PRECONDITION, "CUSTOMER_MERGED",
    "This record is part of another customer: use merged_into." };
static const Error identifiers_full = { ERROR_FAILED_PRECONDITION, "IDENTIFIERS_FULL",
    "A customer holds at most 50 identifiers." };
static const Error identifier_not_found = { ERROR_NOT_FOUND, "IDENTIFIER_NOT_FOUND",
    "The customer has no such identifier." };

bool customer_is_merged(const Customer *customer)
{
    return customer->state == THROUGHLINE__IDENTITY__V1__CUSTOMER__STATE__MERGED;
}

const Error *customer_check_active(const Customer *customer)
{
    return customer_is_merged(customer) ? &customer_merged : NULL;
}

/* The form of RFC 5646 without its registry: subtags of 1 to 8 letters and digits, the first of
 * letters only. */
bool customer_is_language(const char *text)
{
    size_t size = 0;

    if (!*text)
        return true;
    if (strlen(text) > CUSTOMER_MAX_LANGUAGE || strspn(text, "-0123456789"))
        return false;
    for (const char *at = text;; at++) {
        if (*at && *at != '-' && !isalnum((unsigned char)*at))
            return false;
        if (isalnum((unsigned char)*at)) {
            size++;
            continue;
        }
        if (size < 1 || size > 8)
            return false;
        if (!*at)
            return true;
        size = 0;
    }
}

static size_t place_of(const Customer *customer, const char *key)
{
    size_t i = 0;

    while (i < customer->n_identifiers && !text_equal(customer->identifiers[i]->key, key))
        i++;
    return i;
}

const Identifier *customer_identifier(const Customer *customer, const char *key)
{
    size_t place = place_of(customer, key);

    return place < customer->n_identifiers ? customer->identifiers[place] : NULL;
}

const Error *customer_attach(Customer *customer, const Identifier *identifier, const Timestamp *now,
    Arena *arena, IdentifierAttached *event, bool *is_changed)
{
    size_t place = place_of(customer, identifier->key);
    bool is_new = place == customer->n_identifiers;
    Identifier *kept;
    const Error *error;

    if ((error = customer_check_active(customer)))
        return error;
    *is_changed = is_new || (identifier->is_verified && !customer->identifiers[place]->is_verified);
    if (!*is_changed)
        return NULL;
    if (is_new && customer->n_identifiers >= CUSTOMER_MAX_IDENTIFIERS)
        return &identifiers_full;
    kept =
        arena_copy(arena, is_new ? identifier : customer->identifiers[place], sizeof(*identifier));
    kept->is_verified = identifier->is_verified;
    if (is_new) {
        kept->attach_time = (Timestamp *)now;
        kept->claim = kept->key;
        kept->origin = arena_text(arena, "");
        customer->identifiers = arena_grow(
            arena, customer->identifiers, place, place + 1, sizeof(*customer->identifiers));
        customer->n_identifiers++;
    }
    customer->identifiers[place] = kept;
    event->customer = customer->name;
    event->identifier = kept;
    return NULL;
}

static Identifier *take(Customer *customer, size_t place, Arena *arena)
{
    Identifier *taken = customer->identifiers[place];

    customer->identifiers = arena_copy(
        arena, customer->identifiers, customer->n_identifiers * sizeof(*customer->identifiers));
    memmove(customer->identifiers + place, customer->identifiers + place + 1,
        (customer->n_identifiers - place - 1) * sizeof(*customer->identifiers));
    customer->n_identifiers--;
    return taken;
}

const Error *customer_detach(
    Customer *customer, const char *key, Arena *arena, IdentifierDetached *event)
{
    size_t place = place_of(customer, key);
    const Error *error;

    if ((error = customer_check_active(customer)))
        return error;
    if (place == customer->n_identifiers)
        return &identifier_not_found;
    event->customer = customer->name;
    event->identifier = take(customer, place, arena);
    return NULL;
}

bool customer_release(Customer *customer, const char *key, Arena *arena)
{
    size_t place = place_of(customer, key);

    if (place == customer->n_identifiers)
        return false;
    take(customer, place, arena);
    return true;
}
