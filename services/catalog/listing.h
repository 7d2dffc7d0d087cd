/* Pages of products out of the snapshot. A page ends early when it gets too large for a message. */
#ifndef THROUGHLINE_CATALOG_LISTING_H
#define THROUGHLINE_CATALOG_LISTING_H

#include "services/catalog/products/snapshot.h"
#include "services/catalog/search/search_index.h"
#include "shared/rpc/page.h"

enum { LISTING_MAX_BYTES = 2 * 1024 * 1024 };

typedef struct Listing {
    size_t n_products;
    Product **products; /* they pack, but can't be read (snapshot_reply) */
    Bytes *packed;      /* the same, to be unpacked */
    const char *resume; /* "" at the end */
} Listing;

/* Of one category and those below it ("": all), in the order of names. */
void listing_by_name(RpcCall *call, Snapshot *snapshot, const char *category, bool with_drafts,
    const RpcPage *page, Listing *listing);

/* What was found, in that order. Returns how many hits the page holds. */
size_t listing_of_hits(RpcCall *call, const SearchHit *hits, size_t n_hits, Listing *listing);

/* Shows the page in a language; as it is stored for "". */
void listing_localize(RpcCall *call, Listing *listing, const char *language);

#endif
