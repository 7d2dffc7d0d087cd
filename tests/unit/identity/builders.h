/* Valid messages for the tests of identity's rules: a test changes only what it is about. */
#ifndef THROUGHLINE_TESTS_IDENTITY_BUILDERS_H
#define THROUGHLINE_TESTS_IDENTITY_BUILDERS_H

#include "services/identity/domain/merge.h"

#include "shared/base/text.h"

#include <assert.h>

static inline Timestamp *a_time(Arena *arena, int64_t seconds)
{
    Timestamp *time = arena_alloc(arena, sizeof(*time));

    *time = (Timestamp)GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    time->seconds = seconds;
    return time;
}

static inline Customer *a_customer(Arena *arena, const char *name)
{
    Customer *customer = arena_alloc(arena, sizeof(*customer));

    *customer = (Customer)THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;
    customer->name = arena_text(arena, name);
    customer->state = THROUGHLINE__IDENTITY__V1__CUSTOMER__STATE__ACTIVE;
    return customer;
}

static inline Identifier *a_device(Arena *arena, const char *value)
{
    Identifier *identifier = arena_alloc(arena, sizeof(*identifier));

    *identifier = (Identifier)THROUGHLINE__IDENTITY__V1__IDENTIFIER__INIT;
    identifier->kind = THROUGHLINE__IDENTITY__V1__IDENTIFIER__KIND__DEVICE;
    identifier->value = arena_text(arena, value);
    assert(!identifier_normalise(identifier, arena));
    return identifier;
}

static inline void has_device(Customer *customer, const char *value, Arena *arena)
{
    IdentifierAttached event = THROUGHLINE__IDENTITY__V1__IDENTIFIER_ATTACHED__INIT;
    bool is_changed;
    const Error *error = customer_attach(
        customer, a_device(arena, value), a_time(arena, 1), arena, &event, &is_changed);

    assert(!error && is_changed);
}

static inline void has_attribute(
    Customer *customer, const char *key, const char *value, Arena *arena)
{
    CustomerAttribute *entry = arena_alloc(arena, sizeof(*entry));

    *entry = (CustomerAttribute)THROUGHLINE__IDENTITY__V1__CUSTOMER__ATTRIBUTES_ENTRY__INIT;
    entry->key = arena_text(arena, key);
    entry->value = arena_text(arena, value);
    customer->attributes = arena_grow(arena, customer->attributes, customer->n_attributes,
        customer->n_attributes + 1, sizeof(*customer->attributes));
    customer->attributes[customer->n_attributes++] = entry;
}

static inline Consent *a_consent(
    Arena *arena, const char *purpose, const char *channel, int state, int64_t seconds)
{
    Consent *consent = arena_alloc(arena, sizeof(*consent));

    *consent = (Consent)THROUGHLINE__IDENTITY__V1__CONSENT__INIT;
    consent->purpose = arena_text(arena, purpose);
    consent->channel = arena_text(arena, channel);
    consent->state = (Throughline__Identity__V1__Consent__State)state;
    consent->update_time = a_time(arena, seconds);
    return consent;
}

static inline Merge *a_merge(Arena *arena, const char *reason, int64_t seconds)
{
    Merge *merge = arena_alloc(arena, sizeof(*merge));

    *merge = (Merge)THROUGHLINE__IDENTITY__V1__MERGE__INIT;
    merge->reason = arena_text(arena, reason);
    merge->channel = arena_text(arena, "care");
    merge->actor = arena_text(arena, "agents/kim");
    merge->time = a_time(arena, seconds);
    return merge;
}

#endif
