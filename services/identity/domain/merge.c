#include "services/identity/domain/merge.h"

#include "shared/base/text.h"

static const Error identifiers_full = { ERROR_FAILED_PRECONDITION, "IDENTIFIERS_FULL",
    "Together the two customers have more than 50 identifiers: detach some first." };
static const Error attributes_full = { ERROR_FAILED_PRECONDITION, "ATTRIBUTES_FULL",
    "Together the two customers have more than 50 attributes: remove some first." };
static const Error consents_full = { ERROR_FAILED_PRECONDITION, "CONSENTS_FULL",
    "Together the two customers have more than 200 consents." };
static const Error merges_full = { ERROR_FAILED_PRECONDITION, "MERGES_FULL",
    "A customer is made of at most 200 merged records." };

static const CustomerAttribute *attribute(const Customer *customer, const char *key)
{
    for (size_t i = 0; i < customer->n_attributes; i++)
        if (text_equal(customer->attributes[i]->key, key))
            return customer->attributes[i];
    return NULL;
}

const Error *merge_check(const Customer *survivor, const Customer *duplicate)
{
    size_t identifiers = survivor->n_identifiers, attributes = survivor->n_attributes;
    const Error *error;

    if ((error = customer_check_active(survivor)) || (error = customer_check_active(duplicate)))
        return error;
    for (size_t i = 0; i < duplicate->n_identifiers; i++)
        identifiers += !customer_identifier(survivor, duplicate->identifiers[i]->key);
    for (size_t i = 0; i < duplicate->n_attributes; i++)
        attributes += !attribute(survivor, duplicate->attributes[i]->key);
    if (identifiers > CUSTOMER_MAX_IDENTIFIERS)
        return &identifiers_full;
    if (attributes > CUSTOMER_MAX_ATTRIBUTES)
        return &attributes_full;
    if (consent_count_joined(survivor, duplicate) > CUSTOMER_MAX_CONSENTS)
        return &consents_full;
    if (survivor->n_merged_from + duplicate->n_merged_from + 1 > CUSTOMER_MAX_MERGES)
        return &merges_full;
    return NULL;
}

void merge_mark(Customer *duplicate, const Customer *survivor, const Merge *merge, Arena *arena)
{
    duplicate->state = THROUGHLINE__IDENTITY__V1__CUSTOMER__STATE__MERGED;
    duplicate->merged_into = arena_text(arena, survivor->name);
    duplicate->merge = arena_copy(arena, merge, sizeof(*merge));
    duplicate->merge->is_pending = true;
    duplicate->update_time = merge->time;
}

bool merge_is_absorbed(const Customer *survivor, const char *duplicate)
{
    for (size_t i = 0; i < survivor->n_merged_from; i++)
        if (text_equal(survivor->merged_from[i], duplicate))
            return true;
    return false;
}

static void absorb_identifiers(Customer *survivor, const Customer *duplicate, Arena *arena)
{
    size_t n = survivor->n_identifiers;

    survivor->identifiers = arena_grow(arena, survivor->identifiers, n,
        n + duplicate->n_identifiers, sizeof(*survivor->identifiers));
    for (size_t i = 0; i < duplicate->n_identifiers; i++) {
        const Identifier *theirs = duplicate->identifiers[i];
        Identifier *taken;

        if (customer_identifier(survivor, theirs->key))
            continue;
        taken = arena_copy(arena, theirs, sizeof(*theirs));
        taken->claim = arena_text(arena, "");
        if (text_is_empty(taken->origin))
            taken->origin = duplicate->name;
        survivor->identifiers[survivor->n_identifiers++] = taken;
    }
}

static void absorb_profile(Customer *survivor, const Customer *duplicate, Arena *arena)
{
    size_t n = survivor->n_attributes;

    if (text_is_empty(survivor->display_name))
        survivor->display_name = duplicate->display_name;
    if (text_is_empty(survivor->language))
        survivor->language = duplicate->language;
    survivor->attributes = arena_grow(
        arena, survivor->attributes, n, n + duplicate->n_attributes, sizeof(*survivor->attributes));
    for (size_t i = 0; i < duplicate->n_attributes; i++)
        if (!attribute(survivor, duplicate->attributes[i]->key))
            survivor->attributes[survivor->n_attributes++] = duplicate->attributes[i];
}

static void absorb_names(Customer *survivor, const Customer *duplicate, Arena *arena)
{
    size_t n = survivor->n_merged_from;

    survivor->merged_from = arena_grow(arena, survivor->merged_from, n,
        n + duplicate->n_merged_from + 1, sizeof(*survivor->merged_from));
    survivor->merged_from[survivor->n_merged_from++] = duplicate->name;
    for (size_t i = 0; i < duplicate->n_merged_from; i++) {
        char *name = duplicate->merged_from[i];

        if (!merge_is_absorbed(survivor, name) && !text_equal(name, survivor->name))
            survivor->merged_from[survivor->n_merged_from++] = name;
    }
}

void merge_absorb(
    Customer *survivor, const Customer *duplicate, Arena *arena, CustomersMerged *event)
{
    if (merge_is_absorbed(survivor, duplicate->name))
        return;
    absorb_identifiers(survivor, duplicate, arena);
    absorb_profile(survivor, duplicate, arena);
    consent_join(
        survivor, duplicate, duplicate->merge, arena, &event->consents, &event->n_consents);
    absorb_names(survivor, duplicate, arena);
    survivor->update_time = duplicate->merge->time;
    event->customer = survivor->name;
    event->duplicate = duplicate->name;
    event->reason = duplicate->merge->reason;
}

void merge_revive(Customer *customer, Arena *arena)
{
    customer->state = THROUGHLINE__IDENTITY__V1__CUSTOMER__STATE__ACTIVE;
    customer->merged_into = arena_text(arena, "");
    customer->merge = NULL;
}
