/* The event log of a service as records of its store: reading in order. */
#ifndef THROUGHLINE_EVENT_LOG_H
#define THROUGHLINE_EVENT_LOG_H

#include "shared/event/event.h"

typedef Throughline__Event__V1__EventRecord EventRecord;

/* "events/3/0000000000000000042" */
char *event_log_name(Arena *arena, int partition, int64_t sequence);

/* Which events, and after what. */
typedef struct LogRange {
    const char *aggregate; /* after: an aggregate_sequence */
    const char *customer;  /* after: a sequence */
    int partition;         /* when both are NULL; after: a sequence */
    int64_t after;
    int32_t limit;
} LogRange;

typedef struct LogPage {
    EventRecord **records;
    size_t n_records;
} LogPage;

/* In order; of a partition or an aggregate only what follows without a gap. */
const Error *event_log_read(StoreView *view, const LogRange *range, LogPage *page);

/* The last sequence of a partition, 0 when it is empty. */
const Error *event_log_head(StoreView *view, int partition, int64_t *sequence);

/* Whether an aggregate's event is in the log. */
const Error *event_log_has(
    StoreView *view, const char *aggregate, int64_t aggregate_sequence, bool *is_there);

#endif
