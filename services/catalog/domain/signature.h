/* The seal on a quote: Ed25519 (RFC 8032) over "throughline.quote.v1", a zero byte and the
 * serialized quote. Whoever holds the public key verifies it without asking. */
#ifndef THROUGHLINE_CATALOG_SIGNATURE_H
#define THROUGHLINE_CATALOG_SIGNATURE_H

#include "services/catalog/domain/pricing.h"

#include "throughline/catalog/v1/records.pb-c.h"

typedef Throughline__Catalog__V1__SignedQuote SignedQuote;
typedef Throughline__Catalog__V1__QuoteKeyRecord QuoteKeyRecord;

enum { QUOTE_KEY_SEED = 32, QUOTE_PUBLIC_KEY = 32, QUOTE_SECRET_KEY = 64, QUOTE_SIGNATURE = 64 };

/* Fills an initialised record with the pair of keys that belongs to the seed. */
void quote_key_make(const uint8_t seed[QUOTE_KEY_SEED], const char *name, int64_t now, Arena *arena,
    QuoteKeyRecord *key);

/* Serializes and signs. */
void quote_sign(
    const Quote *quote, const QuoteKeyRecord *key, Arena *arena, SignedQuote *signed_quote);

/* The quote inside, in an initialised message. Keys need their public half only. Errors:
 * INVALID_ARGUMENT QUOTE_FORGED (wrong signature, unknown key, not a quote), FAILED_PRECONDITION
 * QUOTE_EXPIRED. */
const Error *quote_verify(const SignedQuote *signed_quote, const QuoteKeyRecord *const *keys,
    size_t n_keys, int64_t now, Arena *arena, Quote *quote);

#endif
