/* The seal on a quote (seal.h), for the purpose "throughline.quote.v1". Whoever holds the public key
 * verifies it without asking. */
#ifndef THROUGHLINE_CATALOG_SIGNATURE_H
#define THROUGHLINE_CATALOG_SIGNATURE_H

#include "services/catalog/domain/pricing.h"
#include "shared/auth/seal.h"

#include "throughline/catalog/v1/records.pb-c.h"

typedef Throughline__Catalog__V1__SignedQuote SignedQuote;
typedef Throughline__Catalog__V1__QuoteBatch QuoteBatch;
typedef Throughline__Catalog__V1__QuoteKeyRecord QuoteKeyRecord;

/* A quote that is serialized, but not signed yet. */
typedef struct UnsignedQuote {
    SealItem item;
    SignedQuote *signed_quote;
} UnsignedQuote;

/* Fills an initialised record with the pair of keys that belongs to the seed. */
void quote_key_make(const uint8_t seed[SEAL_SEED], const char *name, int64_t now, Arena *arena,
    QuoteKeyRecord *key);

/* Serializes; everything is in the arena. */
UnsignedQuote *quote_serialize(const Quote *quote, Arena *arena);

/* Signs 1 to SEAL_MAX_TOGETHER quotes, more than one with the same signature. */
void quotes_sign(UnsignedQuote *const *quotes, size_t n_quotes, const QuoteKeyRecord *key);

/* The same for one by itself. */
SignedQuote *quote_sign(const Quote *quote, const QuoteKeyRecord *key, Arena *arena);

/* The quote inside, in an initialised message. Keys need their public half only. Errors:
 * INVALID_ARGUMENT QUOTE_FORGED (wrong signature, unknown key, not a quote), FAILED_PRECONDITION
 * QUOTE_EXPIRED. */
const Error *quote_verify(const SignedQuote *signed_quote, const QuoteKeyRecord *const *keys,
    size_t n_keys, int64_t now, Arena *arena, Quote *quote);

#endif
