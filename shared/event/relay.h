/* Inside the relay: one step of it, which tests take by hand. */
#ifndef THROUGHLINE_EVENT_RELAY_H
#define THROUGHLINE_EVENT_RELAY_H

#include "shared/event/event.h"

enum {
    RELAY_BATCH = 256,         /* entries that are moved at once; fewer after a failure */
    RELAY_POLL_MS = 250,       /* between two questions whether another process has rung */
    RELAY_SWEEP_MS = 5 * 1000, /* between two looks that nobody asked for */
    RELAY_STORE_MS = 10 * 1000,
};

/* What a relay knows of a partition. */
typedef struct RelayPartition {
    const char *source; /* the service's name */
    int number;
    bool is_known; /* head is the last sequence, and no entry of the outbox is in the log already */
    int64_t head;
    int halvings; /* of the batch: a store that is too slow for a whole one may do a part in time */
} RelayPartition;

/* Moves the partition's entries, the oldest of its outbox, to the log: of as many as it takes at once. `delays` may be NULL. */
const Error *relay_move(StoreView *view, RelayPartition *partition, const StoreEntry *entries,
    size_t n_entries, Histogram *delays, size_t *n_moved);

#endif
