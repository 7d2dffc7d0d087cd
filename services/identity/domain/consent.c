#include "services/identity/domain/consent.h"

#include "shared/base/text.h"
#include "shared/codec/types.h"

static const Error consents_full = { ERROR_FAILED_PRECONDITION, "CONSENTS_FULL",
    "A customer holds at most 200 consents." };

/* Until then a yes holds. */
static int64_t end_of(const Consent *consent)
{
    return consent->expire_time ? timestamp_to_micros(consent->expire_time) : INT64_MAX;
}

static bool is_yes(const Consent *consent, int64_t now)
{
    return consent && consent->state == THROUGHLINE__IDENTITY__V1__CONSENT__STATE__GRANTED &&
           now < end_of(consent);
}

static Consent **find(const Customer *customer, const Consent *like)
{
    for (size_t i = 0; i < customer->n_consents; i++)
        if (text_equal(customer->consents[i]->purpose, like->purpose) &&
            text_equal(customer->consents[i]->channel, like->channel))
            return &customer->consents[i];
    return NULL;
}

static void add(Customer *customer, Consent *consent, Arena *arena)
{
    customer->consents = arena_grow(arena, customer->consents, customer->n_consents,
        customer->n_consents + 1, sizeof(*customer->consents));
    customer->consents[customer->n_consents++] = consent;
}

const Error *consent_set(Customer *customer, const Consent *consent, Arena *arena)
{
    Consent **place = find(customer, consent);
    Consent *copy = arena_copy(arena, consent, sizeof(*consent));

    if (place) {
        *place = copy;
        return NULL;
    }
    if (customer->n_consents >= CUSTOMER_MAX_CONSENTS)
        return &consents_full;
    add(customer, copy, arena);
    return NULL;
}

static bool is_before(const Google__Protobuf__Timestamp *a, const Google__Protobuf__Timestamp *b)
{
    int64_t a_seconds = a ? a->seconds : 0, b_seconds = b ? b->seconds : 0;

    if (a_seconds != b_seconds)
        return a_seconds < b_seconds;
    return (a ? a->nanos : 0) < (b ? b->nanos : 0);
}

size_t consent_channels(
    const Customer *customer, const char *purpose, int64_t now, Arena *arena, char ***channels)
{
    const Consent **yes = arena_array(arena, customer->n_consents, sizeof(*yes));
    size_t n = 0;

    for (size_t i = 0; i < customer->n_consents; i++) {
        const Consent *consent = customer->consents[i];
        size_t at = n;

        if (!is_yes(consent, now) || !text_equal(consent->purpose, purpose))
            continue;
        for (; at > 0 && is_before(yes[at - 1]->update_time, consent->update_time); at--)
            yes[at] = yes[at - 1];
        yes[at] = consent;
        n++;
    }
    *channels = arena_array(arena, n, sizeof(**channels));
    for (size_t i = 0; i < n; i++)
        (*channels)[i] = yes[i]->channel;
    return n;
}

/* A yes that only one record had is a no since the merge and by it: the other said no, or nobody
 * asked. */
static Consent *withdrawn(const Consent *a, const Consent *b, const Merge *merge, Arena *arena)
{
    bool is_a_yes = is_yes(a, timestamp_to_micros(merge->time));
    const Consent *yes = is_a_yes ? a : b, *no = is_a_yes ? b : a;
    Consent *result = arena_copy(arena, no ? no : yes, sizeof(*result));

    if (!no || no->state == THROUGHLINE__IDENTITY__V1__CONSENT__STATE__GRANTED)
        result->state = THROUGHLINE__IDENTITY__V1__CONSENT__STATE__DENIED;
    result->expire_time = NULL;
    result->update_time = merge->time;
    result->given_channel = merge->channel;
    result->given_actor = merge->actor;
    return result;
}

/* Of two that are alike. */
static Consent *later(Consent *a, Consent *b, Arena *arena)
{
    Consent *later, *other;

    if (!a || !b)
        return a ? a : b;
    later = is_before(a->update_time, b->update_time) ? b : a;
    other = later == a ? b : a;
    if (end_of(other) < end_of(later)) {
        later = arena_copy(arena, later, sizeof(*later));
        later->expire_time = other->expire_time;
    }
    return later;
}

void consent_join(Customer *survivor, const Customer *duplicate, const Merge *merge, Arena *arena,
    Consent ***changed, size_t *n_changed)
{
    size_t n_own = survivor->n_consents;
    int64_t now = timestamp_to_micros(merge->time);

    *changed = arena_array(arena, n_own + duplicate->n_consents, sizeof(**changed));
    *n_changed = 0;
    survivor->consents = arena_copy(arena, survivor->consents, n_own * sizeof(*survivor->consents));
    for (size_t i = 0; i < duplicate->n_consents; i++)
        if (!find(survivor, duplicate->consents[i]))
            add(survivor, duplicate->consents[i], arena);
    for (size_t i = 0; i < survivor->n_consents; i++) {
        Consent *own = i < n_own ? survivor->consents[i] : NULL;
        Consent **place = find(duplicate, survivor->consents[i]);
        Consent *other = place ? *place : NULL;

        if (is_yes(own, now) == is_yes(other, now)) {
            survivor->consents[i] = later(own, other, arena);
            continue;
        }
        survivor->consents[i] = withdrawn(own, other, merge, arena);
        (*changed)[(*n_changed)++] = survivor->consents[i];
    }
}

size_t consent_count_joined(const Customer *survivor, const Customer *duplicate)
{
    size_t n = survivor->n_consents;

    for (size_t i = 0; i < duplicate->n_consents; i++)
        n += !find(survivor, duplicate->consents[i]);
    return n;
}
