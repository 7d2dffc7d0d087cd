/* The keys that sign quotes, as this replica knows them: the newest signs, all verify. Kept in the
 * store, so every replica has the same. Any thread. */
#ifndef THROUGHLINE_CATALOG_KEY_RING_H
#define THROUGHLINE_CATALOG_KEY_RING_H

#include "services/catalog/pricing/signature.h"
#include "shared/store/store.h"

enum { KEY_RING_MAX_KEYS = 1000 };

typedef struct KeyRing KeyRing;

KeyRing *key_ring_new(void);
void key_ring_free(KeyRing *ring);

/* Reads the keys of the store. Errors: those of store_find. */
const Error *key_ring_load(KeyRing *ring, StoreView *view);

/* Newest first; what is returned lives as long as the ring. */
size_t key_ring_keys(KeyRing *ring, const QuoteKeyRecord *const **keys);

/* The one that signs, NULL when there is none. */
const QuoteKeyRecord *key_ring_newest(KeyRing *ring);

#endif
