/* Pages of products out of the snapshot. A page ends early when it gets too large for a message. */
#ifndef THROUGHLINE_CATALOG_LISTING_H
#define THROUGHLINE_CATALOG_LISTING_H

#include "services/catalog/domain/search.h"
#include "services/catalog/snapshot.h"
#include "shared/rpc/page.h"

enum { LISTING_MAX_BYTES = 2 * 1024 * 1024 };

typedef struct Listing {
    size_t n_products;
    Product **products;
    const char *resume; /* "" at the end */
} Listing;

/* Of one category and those below it ("": all), in the order of names. */
void listing_by_name(
    RpcCall *call, Snapshot *snapshot, const char *category, const RpcPage *page, Listing *listing);

/* Those that have all words, best first, equal ones by name. Errors: INVALID_ARGUMENT
 * PAGE_TOKEN_INVALID. */
const Error *listing_by_score(RpcCall *call, Snapshot *snapshot, const SearchWords *words,
    const RpcPage *page, Listing *listing);

#endif
