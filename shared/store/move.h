/* Bringing many documents to another owner. */
#ifndef THROUGHLINE_STORE_MOVE_H
#define THROUGHLINE_STORE_MOVE_H

#include "shared/store/store.h"

enum { STORE_MOVE_BATCH = 100 };

/* Sets a text field of everything that the query finds (limit and resume are not used), in durable
 * batches. What was moved must be found no more, so after a crash the same call does the rest.
 * Errors as store_find and store_write; ABORTED ETAG_STALE: something changed meanwhile, call
 * again. */
const Error *store_move(StoreView *view, const Collection *collection, const StoreQuery *query,
    const char *field, const char *value);

/* The same, and what the field said at first stays in the text field `origin`. */
const Error *store_move_keeping(StoreView *view, const Collection *collection,
    const StoreQuery *query, const char *field, const char *value, const char *origin);

#endif
