/* The public keys with which the catalogue signs quotes, kept so that nobody is asked for a key
 * that is known. */
#ifndef THROUGHLINE_CART_QUOTE_KEYS_H
#define THROUGHLINE_CART_QUOTE_KEYS_H

#include "shared/base/error.h"

#include "throughline/catalog/v1/pricing.pb-c.h"

/* Any thread. */
typedef struct QuoteKeys QuoteKeys;

enum { QUOTE_KEY_BYTES = 32, QUOTE_KEYS_MAX = 64 };

QuoteKeys *quote_keys_new(void);
void quote_keys_free(QuoteKeys *keys);

bool quote_keys_find(QuoteKeys *keys, const char *key_id, uint8_t key[QUOTE_KEY_BYTES]);

/* Takes the list as it was asked for at `asked_at` (clock_now()). The newest QUOTE_KEYS_MAX
 * count. */
void quote_keys_set(
    QuoteKeys *keys, int64_t asked_at, const Throughline__Catalog__V1__ListQuoteKeysResponse *list);

/* When the list was asked for last: a key that is unknown to a list asked for after a quote had
 * arrived is nobody's. */
int64_t quote_keys_asked_at(QuoteKeys *keys);

#endif
