/* Leases: who relays a partition or consumes a source at the moment. They spare double work; that
 * double work would do no harm is the business of the log's and the marks' uniqueness. */
#ifndef THROUGHLINE_EVENT_LEASE_H
#define THROUGHLINE_EVENT_LEASE_H

#include "shared/event/event.h"

#include <stdbool.h>

enum {
    LEASE_MS = 15 * 1000,      /* until others may take it */
    LEASE_RENEW_MS = 5 * 1000, /* after which the holder renews it */
    LEASE_RETRY_MS = 1000,     /* after which somebody else asks again */
    LEASE_TEXT_SIZE = 160,
};

typedef struct EventLease {
    char name[LEASE_TEXT_SIZE];   /* "leases/relay-3" */
    char holder[LEASE_TEXT_SIZE]; /* us */
    char etag[LEASE_TEXT_SIZE];
    bool is_held;
    int64_t renewed_at; /* clock_monotonic() */
    int64_t positions
        [STORE_PARTITIONS]; /* a consumer's: read when it is taken, written when it is renewed */
} EventLease;

/* Text that names this process and one owner in it; a holder whose process is gone is told from
 * it. */
void event_lease_holder(char holder[LEASE_TEXT_SIZE]);

/* Renews what is held, takes what is free or expired; is_held says what came of it. An error of the
 * store leaves a lease held until its time is over. */
const Error *event_leases_keep(StoreView *view, EventLease *leases, size_t n_leases);

/* Fills etag and positions of the lease called lease->name, as they are stored. Errors:
 * NOT_FOUND. */
const Error *event_lease_read(StoreView *view, EventLease *lease);

/* Lets others take them at once; writes the positions. */
void event_leases_release(StoreView *view, EventLease *leases, size_t n_leases);

#endif
