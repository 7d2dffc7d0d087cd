/* What customers allow: a yes or no for each purpose and channel, and what becomes of two of them
 * in a merge. */
#ifndef THROUGHLINE_IDENTITY_CONSENT_H
#define THROUGHLINE_IDENTITY_CONSENT_H

#include "services/identity/domain/customer.h"

#include "throughline/identity/v1/consent.pb-c.h"

typedef Throughline__Identity__V1__Consent Consent;
typedef Throughline__Identity__V1__Merge Merge;

enum { CONSENT_MAX_WORDING = 100 };

/* Puts the consent in the place of the one for its purpose and channel. Errors: FAILED_PRECONDITION
 * CONSENTS_FULL. */
const Error *consent_set(Customer *customer, const Consent *consent, Arena *arena);

/* Channels with a yes for the purpose that holds now (microseconds since 1970), the one given last first. */
size_t consent_channels(
    const Customer *customer, const char *purpose, int64_t now, Arena *arena, char ***channels);

/* The consents of one person who was two records: a yes needs a yes on both sides that holds at the
 * merge, else it is a no since then; these are in `changed`. Of two alike the later stays, a yes not
 * longer than either. May exceed the limit of one record. */
void consent_join(Customer *survivor, const Customer *duplicate, const Merge *merge, Arena *arena,
    Consent ***changed, size_t *n_changed);

/* How many consents the two have together. */
size_t consent_count_joined(const Customer *survivor, const Customer *duplicate);

#endif
