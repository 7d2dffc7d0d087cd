/* The store contract: one aggregate is one document, every operation is atomic on it, and what must leave it (events,
 * the answer to a request id) rides in the same write. Two engines keep it: MongoDB and embedded SQLite.
 *
 * A stored message has `string name = …` (its key) and `string etag = …` (its version, set by the store). */
#ifndef THROUGHLINE_STORE_STORE_H
#define THROUGHLINE_STORE_STORE_H

#include "shared/base/arena.h"
#include "shared/base/error.h"
#include "shared/base/metrics.h"
#include "shared/base/text.h"

#include <protobuf-c/protobuf-c.h>

enum {
    STORE_MAX_INDEXES = 8,
    STORE_MAX_INDEX_FIELDS = 4,
    STORE_MAX_COLLECTIONS = 32,
    STORE_MAX_PAGE = 1000,
    STORE_MAX_DOCUMENT =
        8 * 1024 * 1024, /* bytes of BSON; beyond: RESOURCE_EXHAUSTED DOCUMENT_TOO_LARGE */
    STORE_MAX_PAYLOAD =
        4 * 1024 * 1024, /* bytes of events and answer that ride with one write; beyond: the same */
    STORE_MAX_NAME = 512, /* bytes */
    STORE_PARTITIONS = 8, /* of the outbox and the event log; stable for the life of a store */
    STORE_ALL_PARTITIONS = (1 << STORE_PARTITIONS) - 1, /* as a set of bits */
    STORE_REPLY_HOURS = 24, /* how long the answer to a request id is kept at least */
};

typedef struct StoreIndex {
    const char *name; /* NULL ends the list */
    /* Paths of proto names. The first may cross a repeated message ("identifiers.key"): one entry per item. A Timestamp is
     * ordered as time. Absent and default values are entries too, but not in a unique index: an empty text or an absent time there
     * means "has none", and so do numbers that are all 0. An entry has at most 2048 bytes (INDEX_KEY_TOO_LONG). */
    const char *fields[STORE_MAX_INDEX_FIELDS];
    bool is_unique;
} StoreIndex;

typedef struct Collection {
    const char *name;                          /* "carts" */
    const ProtobufCMessageDescriptor *message; /* what a document holds */
    StoreIndex indexes[STORE_MAX_INDEXES];
    const char
        *expire_field; /* a Timestamp after which the document may be removed; NULL: never. Readers
                                 check the time themselves, removal only cleans up. */
    const char *shard_key; /* NULL: _id */
} Collection;

typedef struct Store Store;
typedef struct StoreEntry StoreEntry;

/* The event log, for an engine that can put events into it with the write that tells them. */
typedef struct StoreLog StoreLog;
struct StoreLog {
    const Collection *collection;
    const char *source; /* for `make` */
    /* The entry (all but its number) as a record of the log, before it has its place; NULL when it is malformed. Any thread. */
    void *(*make)(const StoreLog *log, Arena *arena, const StoreEntry *entry);
    /* Gives the record its number among the document's events and its place. */
    void (*place)(void *record, Arena *arena, int64_t number, int64_t sequence);
    /* The name of a record: they are in the order of sequences, and end in "/SEQUENCE". */
    char *(*name)(Arena *arena, int partition, int64_t sequence);
};

typedef struct StoreOptions {
    const char
        *uri; /* "embedded:FOLDER" or "mongodb://…"; the service's name is file or database name */
    const char *service;                  /* "cart" → FOLDER/cart.db, database throughline_cart */
    const Collection *const *collections; /* NULL-ended */
    Metrics *metrics;                     /* may be NULL */
    const StoreLog *log; /* NULL: every event waits in an outbox; lives as long as the store */
    int64_t
        queue_limit; /* writes waiting in the embedded engine; beyond: RESOURCE_EXHAUSTED STORE_BUSY. 0: default */
} StoreOptions;

/* Opens, creating collections and indexes. Errors: INVALID_ARGUMENT STORE_URI_INVALID, UNAVAILABLE STORE_UNAVAILABLE (try again
 * later), DATA_LOSS STORE_CORRUPT, FAILED_PRECONDITION STORE_INDEX_NOT_UNIQUE (a new unique index that the documents break),
 * STORE_TOO_NEW, STORE_TOO_OLD. */
const Error *store_open(Arena *arena, const StoreOptions *options, Store **store);

/* Waits for writes under way, then closes. NULL is allowed. */
void store_close(Store *store);

/* NULL while the store answers. Cheap enough for a readiness probe; bounded to one second. */
const Error *store_check(Store *store);

/* An event on its way out: rides in the document's outbox until the relay has moved it into the log. The embedded engine puts it
 * into the log at once, as soon as nothing older waits. */
struct StoreEntry {
    const char *collection;
    const char *aggregate; /* the document's name */
    int64_t number;        /* 1, 2, 3 … per document, given by the store */
    int partition;         /* 0 … STORE_PARTITIONS - 1 */
    int64_t place;         /* of the engine: goes back to it as it came */
    Bytes bytes;           /* the sealed event */
};

/* One call's (or one event's) view of the store: where results go, how long it may take, and what rides along with a
 * write. One thread at a time. Zeroed fields mean: no limit, no request, no mark, no events. */
typedef struct StoreView {
    Store *store;
    Arena *arena;
    int64_t deadline; /* clock_monotonic(); operations end with DEADLINE_EXCEEDED soon after */
    /* For threads that may not wait: what cannot be had from memory answers &store_would_wait, and nothing is done. */
    bool is_hasty;
    /* The writes may be acknowledged before they are on the disk: if the power fails, never if the process ends, the last of them may
     * be gone, in the reverse of their order, but none that came before an acknowledged write that is not relaxed. For effects that
     * are repeated from a position that is stored in the same way, after them; they tell no events and keep no reply. An engine that
     * could not keep the order (Mongo) writes them like all others. */
    bool is_relaxed;

    /* Idempotency (AIP-155): the deciding write keeps `reply` under this key; a get, insert or replace that meets the key
     * again answers &store_replayed with `replayed` set, or ALREADY_EXISTS REQUEST_ID_REUSED when the hash differs. */
    const char *request_key;
    uint8_t request_hash[32];
    const ProtobufCMessage *reply;
    Bytes replayed;
    /* By the store, while it seals: `reply` in its wire form, where an event may show it; the same after store_replace_later, for whoever
     * sends it. No data: not packed. */
    Bytes packed_reply;

    /* The position of the event that this write is the effect of: a get, insert or replace on a document that has
     * seen this source at this position or later answers &store_applied. */
    const char *mark_source;
    int64_t mark_position;

    /* Turns an event's payload into the sealed bytes and the partition of its outbox entry. */
    const Error *(*seal)(void *context, Arena *arena, const char *aggregate,
        const ProtobufCMessage *payload, Bytes *sealed, int *partition);
    void *seal_context;
} StoreView;

/* Not failures: the effect was there already. The pipeline answers with view->replayed; the consumer goes on. */
extern const Error store_replayed;
extern const Error store_applied;

/* Not a failure either: see is_hasty. */
extern const Error store_would_wait;

/* The same view for the writes that come before the deciding one: they keep no reply. */
StoreView store_steps(const StoreView *view);

/* Whether this request was answered before: &store_replayed, REQUEST_ID_REUSED, or NULL. The pipeline asks once a call. */
const Error *store_find_reply(StoreView *view);

/* Fills `message` (initialised or zeroed; of the collection's type). Errors: NOT_FOUND <MESSAGE>_NOT_FOUND. */
const Error *store_get(
    StoreView *view, const Collection *collection, const char *name, void *message);

/* messages[i] is NULL where names[i] does not exist. */
const Error *store_get_many(StoreView *view, const Collection *collection, const char *const *names,
    size_t n_names, void **messages);

/* Durable when they return NULL; message->etag is then the new version. `event` (any message of proto/) may be NULL.
 * Errors: ALREADY_EXISTS <MESSAGE>_EXISTS (name taken) or <INDEX>_TAKEN (unique index, upper case), ABORTED ETAG_STALE
 * (changed meanwhile: load again), NOT_FOUND, RESOURCE_EXHAUSTED STORE_FULL (disk) or STORE_BUSY, UNAVAILABLE
 * STORE_UNAVAILABLE, DEADLINE_EXCEEDED (both: the write may still happen), DATA_LOSS STORE_CORRUPT, INVALID_ARGUMENT
 * NAME_INVALID, ABORTED REQUEST_IN_PROGRESS (a twin of this request is at work). */
const Error *store_insert(
    StoreView *view, const Collection *collection, void *message, const void *event);
const Error *store_replace(
    StoreView *view, const Collection *collection, void *message, const void *event);

/* store_replace for a caller who does not wait, where the engine can do that: `ended` is called exactly once, from any thread and perhaps
 * before this returns; it must not wait. is_done: the write is durable. If not, nothing was changed; store_replace says why.
 * message->etag is at once the one to come. The deadline holds until the write is begun. */
typedef void (*StoreEnded)(void *context, bool is_done);
bool store_can_defer(const Store *store);
void store_replace_later(StoreView *view, const Collection *collection, void *message,
    const void *event, StoreEnded ended, void *context);

/* Inserts or replaces whatever the version: imports and projections. */
const Error *store_put(
    StoreView *view, const Collection *collection, void *message, const void *event);

/* etag "" deletes any version. The document's outbox must be empty, else FAILED_PRECONDITION OUTBOX_NOT_EMPTY. Keeps the reply of a
 * request. A name that told events goes on counting versions and events when it comes back. */
const Error *store_delete(
    StoreView *view, const Collection *collection, const char *name, const char *etag);

/* Adds to an int64 field (of the message itself, in no index) if the result stays within min … max, atomically, and counts as a new
 * version. Keeps no reply and no mark. `result` may be NULL.
 * Errors: FAILED_PRECONDITION GUARD_REFUSED; NOT_FOUND. */
const Error *store_increment(StoreView *view, const Collection *collection, const char *name,
    const char *field, int64_t delta, int64_t min, int64_t max, int64_t *result);

typedef enum StoreWriteKind { STORE_INSERT, STORE_REPLACE, STORE_PUT } StoreWriteKind;

typedef struct StoreWrite {
    StoreWriteKind kind;
    const Collection *collection;
    void *message;
    const void *const *events;
    size_t n_events;
    bool
        is_chained; /* tried only after the write before it in the batch has succeeded: else ABORTED WRITE_SKIPPED */
    const Error *error; /* out: each write succeeds or fails by itself */
} StoreWrite;

/* Many writes, tried in their order, together durable when it returns. Each is atomic, the batch is not; a request's reply is
 * kept with the last one. A crash in between, or a server that goes on after a lost connection, keeps a chained write only with
 * those before it. Returns the first write's error, after all were tried; &store_applied only when there is no other. */
const Error *store_write(StoreView *view, StoreWrite *writes, size_t n_writes);

typedef struct StoreValue {
    enum { STORE_TEXT = 1, STORE_NUMBER, STORE_TIME, STORE_BOOL } kind;
    const char *text;
    int64_t number; /* also bool; STORE_TIME: microseconds since 1970 */
} StoreValue;

typedef struct StoreQuery {
    const char *index; /* its name; NULL: by name (the key), in the order of names */
    StoreValue equal[STORE_MAX_INDEX_FIELDS]; /* a prefix of the index; kind 0 ends it */
    StoreValue from, below; /* on the next field: from <= value < below; kind 0: open */
    const char *prefix;     /* on the next field, a text: starts with; NULL: none */
    bool is_descending;
    int32_t limit; /* 1 … STORE_MAX_PAGE */
    size_t
        max_bytes; /* a page ends with the document that makes it so large, about; 0: only by the limit */
    const char *resume; /* StorePage.resume of the page before; "" or NULL: from the start */
} StoreQuery;

typedef struct StorePage {
    size_t n_messages;
    void **messages;
    const char *resume; /* "" when there is no more; else opaque text, stable under writes */
} StorePage;

/* Errors: INVALID_ARGUMENT QUERY_UNINDEXED (no such index), PAGE_TOKEN_INVALID. Sees every acknowledged write. */
const Error *store_find(
    StoreView *view, const Collection *collection, const StoreQuery *query, StorePage *page);

/* Relay: the oldest entries of each of the partitions (a set of bits), at most `limit` of each, one partition after the other; a
 * partition's in the order in which each document made them. */
const Error *store_outbox_read(
    StoreView *view, unsigned partitions, size_t limit, StoreEntry **entries, size_t *n_entries);

/* Relay: removes entries that are in the log. Not a new version of their documents. */
const Error *store_outbox_trim(StoreView *view, const StoreEntry *entries, size_t n_entries);

/* Relay: returns when a write of this process put something into an outbox since the last call, or after the time. The partitions
 * where something is, as a set of bits; the first call answers all of them. For one thread. */
unsigned store_outbox_wait(Store *store, int milliseconds);

/* Calls `tell` with the partitions (a set of bits) where a commit has put something into the log. It runs on the engine's thread and
 * must not wait; NULL: no more, when this returns. */
typedef void (*StoreTell)(void *context, unsigned partitions);
void store_on_log(Store *store, StoreTell tell, void *context);

/* The newest records of a partition of the log (of this collection) after a sequence, each following on the one before, if they are in
 * memory: no more than `limit`, and none when the first of them is not there. There may be more in the log. */
const Error *store_log_tail(StoreView *view, const Collection *collection, int partition,
    int64_t after, int32_t limit, StorePage *page);

/* Relay: tells the relays of other processes that there is something in an outbox, for partitions that are theirs to move. Nothing where
 * no other process can have the store open. */
const Error *store_outbox_ring(StoreView *view);

/* Relay: whether somebody has rung since the last call: one small query, or none. The first call answers no. For one thread. */
const Error *store_outbox_heard(StoreView *view, bool *is_heard);

/* Wakes every store_outbox_wait, for shutdown. */
void store_outbox_wake(Store *store);

/* Counters of the engine since it opened, for figures: acknowledged writes and synchronous commits. */
typedef struct StoreCounts {
    int64_t writes;
    int64_t syncs;
} StoreCounts;
StoreCounts store_counts(const Store *store);

#endif
