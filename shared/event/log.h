/* The event log of a service as records of its store: reading in order. */
#ifndef THROUGHLINE_EVENT_LOG_H
#define THROUGHLINE_EVENT_LOG_H

#include "shared/event/event.h"

typedef Throughline__Event__V1__EventRecord EventRecord;

/* "events/3/0000000000000000042" */
char *event_log_name(Arena *arena, int partition, int64_t sequence);

/* An outbox entry as a record of the log, without its number and its place; NULL when it is malformed. */
void *event_log_make(const StoreLog *log, Arena *arena, const StoreEntry *entry);
/* Gives the record both. */
void event_log_place(void *record, Arena *arena, int64_t number, int64_t sequence);

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
    bool
        is_end; /* the log went no further; false for what came from memory, which may not have the last */
} LogPage;

/* In order; of a partition or an aggregate only what follows without a gap. */
const Error *event_log_read(StoreView *view, const LogRange *range, LogPage *page);

/* Which partitions go on after these sequences, as a set of bits: one query. */
const Error *event_log_ahead(
    StoreView *view, const int64_t after[STORE_PARTITIONS], unsigned *partitions);

/* The last sequence of a partition, 0 when it is empty. */
const Error *event_log_head(StoreView *view, int partition, int64_t *sequence);

/* Whether an aggregate's event is in the log. */
const Error *event_log_has(
    StoreView *view, const char *aggregate, int64_t aggregate_sequence, bool *is_there);

#endif
