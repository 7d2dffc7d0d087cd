/* Pages of a list (AIP-158): sizes are lowered, not refused; tokens are opaque and bound to the
 * request's other arguments. A page is also full when it is so large that one more record might be too
 * much for a client, which takes 4 MiB as a rule: PAGE_BYTES is where StoreQuery.max_bytes ends it. */
#ifndef THROUGHLINE_RPC_PAGE_H
#define THROUGHLINE_RPC_PAGE_H

#include "shared/rpc/call.h"

enum { PAGE_DEFAULT = 50, PAGE_MAX = 500, PAGE_BYTES = 2 * 1024 * 1024 };

typedef struct RpcPage {
    int32_t limit;
    const char *resume; /* for StoreQuery.resume */
    uint64_t arguments;
} RpcPage;

/* Reads page_size and page_token. `arguments` is everything else of the request that must not
 * change between pages, as one text. A negative size or a bad token is a violation on the call. */
RpcPage page_read(RpcCall *call, int32_t page_size, const char *page_token, const char *arguments);

/* next_page_token for a resume key; "" for "". */
char *page_token(RpcCall *call, const RpcPage *page, const char *resume);

#endif
