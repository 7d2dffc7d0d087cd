/* What a store engine does; the rest of the contract (names of errors, etags, index entries, page tokens, sealing) is
 * store.c and store_write.c, once for all engines. */
#ifndef THROUGHLINE_STORE_ENGINE_H
#define THROUGHLINE_STORE_ENGINE_H

#include "shared/store/keys.h"
#include "shared/store/store.h"

#include <pthread.h>
#include <stdatomic.h>

/* How an engine keeps a message: no body is empty. */
typedef struct BodyCodec {
    Bytes (*encode)(Arena *arena, const ProtobufCMessage *message);
    /* False when the body is damaged. */
    bool (*decode)(Arena *arena, const ProtobufCMessageDescriptor *type, Bytes body, void *message);
} BodyCodec;

/* Protobuf's own form. */
extern const BodyCodec body_wire;

/* What became of one write. */
typedef enum EngineResult {
    ENGINE_FAILED, /* see `error` */
    ENGINE_DONE,
    ENGINE_MISSING,  /* no document of this name */
    ENGINE_EXISTS,   /* the name is taken */
    ENGINE_TAKEN,    /* a unique entry belongs to another document: see `index` */
    ENGINE_STALE,    /* another version than the one asked for */
    ENGINE_REPLAYED, /* this request was answered before: see `reply` */
    ENGINE_REUSED,   /* another request had this key */
    ENGINE_APPLIED,  /* the document has seen this mark */
    ENGINE_PENDING,  /* the outbox is not empty */
    ENGINE_REFUSED,  /* outside the guard */
    ENGINE_SKIPPED,  /* chained to a write that failed */
} EngineResult;

typedef struct EngineOutcome {
    EngineResult result;
    const Error *error;
    int index;
    int64_t version; /* the new one */
    int64_t value;   /* of an incremented field */
    bool is_logged;  /* its events are in the log: no relay is needed */
    Bytes reply;
} EngineOutcome;

typedef struct EngineEvent {
    int partition;
    Bytes bytes;
    void *record; /* of the engine: what StoreLog.make made of it */
} EngineEvent;

/* One document on its way in. `request_key` (NULL: none), hash and reply come from the view for the deciding write. */
typedef struct EngineWrite {
    StoreWriteKind kind;
    const Collection *collection;
    const char *name;
    int64_t version; /* STORE_REPLACE: the one it must have */
    Bytes body;      /* in the engine's form */
    const IndexEntry *entries;
    size_t n_entries;
    int64_t expire; /* microseconds since 1970; 0: never */
    const EngineEvent *events;
    size_t n_events;
    const char *request_key;
    const uint8_t *request_hash;
    Bytes reply;
    const char *mark_source; /* NULL: none */
    int64_t mark_position;
    bool is_chained; /* only after the write before it is done */
    EngineOutcome outcome;
} EngineWrite;

typedef struct EngineRemoval {
    const Collection *collection;
    const char *name;
    int64_t version; /* 0: any */
    const char *request_key;
    const uint8_t *request_hash;
    Bytes reply;
} EngineRemoval;

typedef struct EngineIncrement {
    const Collection *collection;
    const char *name;
    const char *field;
    int64_t delta, min, max;
} EngineIncrement;

/* The answer that is kept under a request key. */
typedef struct EngineAnswer {
    bool is_found;
    uint8_t hash[32];
    Bytes reply;
} EngineAnswer;

/* One document on its way out; a body of no bytes means that there is none. */
typedef struct EngineDocument {
    const char *name;
    int64_t version;
    Bytes body;
    Bytes key;             /* find: the entry that was met */
    int64_t mark_position; /* get: of the view's source */
} EngineDocument;

typedef struct EngineRange {
    const Collection *collection;
    int index; /* KEYS_BY_NAME: the keys are names */
    KeyRange keys;
    Bytes after_key;        /* with after_name: goes on behind this entry */
    const char *after_name; /* NULL: from the start */
    bool is_exact;          /* the whole entry is given: all that match are equal */
    bool is_descending;
    size_t limit;
    size_t
        max_bytes; /* of bodies: no more is read behind the document that makes them so many; 0: no bound */
} EngineRange;

typedef struct Engine Engine;

/* What became of a write that nobody waits for; NULL: it was not tried, or not committed. */
typedef void (*EngineWritten)(void *context, const EngineWrite *write);

/* Every function ends soon after view->deadline and allocates its results in view->arena. An error means that
 * nothing is known of the outcome, unless the function says otherwise. */
typedef struct EngineOps {
    void (*close)(Engine *engine);
    const Error *(*check)(Engine *engine, const StoreView *view);
    /* `answer`: what is kept under view->request_key, as far as it can be told without another round trip. */
    const Error *(*get)(Engine *engine, const StoreView *view, const Collection *collection,
        const char *const *names, size_t n_names, EngineDocument *documents, EngineAnswer *answer);
    const Error *(*find)(Engine *engine, const StoreView *view, const EngineRange *range,
        EngineDocument **documents, size_t *n_documents);
    const Error *(*find_answer)(Engine *engine, const StoreView *view, EngineAnswer *answer);
    /* Sets the outcome of every write; one that is ENGINE_FAILED with an error already has failed before. When the request was
     * answered before, nothing is written and all outcomes say so. */
    void (*write)(Engine *engine, const StoreView *view, EngineWrite *writes, size_t n_writes);
    /* One write without waiting; `written` is called once, perhaps before this returns. NULL: writes are always waited for. */
    void (*write_later)(Engine *engine, const StoreView *view, const EngineWrite *write,
        EngineWritten written, void *context);
    void (*remove)(Engine *engine, const StoreView *view, const EngineRemoval *removal,
        EngineOutcome *outcome);
    void (*increment)(Engine *engine, const StoreView *view, const EngineIncrement *increment,
        EngineOutcome *outcome);
    const Error *(*read_outbox)(Engine *engine, const StoreView *view, unsigned partitions,
        size_t limit, StoreEntry **entries, size_t *n_entries);
    const Error *(*trim_outbox)(
        Engine *engine, const StoreView *view, const StoreEntry *entries, size_t n_entries);
    /* Adds one to the rings of the store when asked to, and says how many there were. NULL: only one process at a time has it open. */
    const Error *(*ring)(Engine *engine, const StoreView *view, bool is_ours, int64_t *rings);
    /* NULL: events are never put into the log by the engine. */
    void (*on_log)(Engine *engine, StoreTell tell, void *context);
    /* The records of a partition of the log after a sequence, if they are in memory; how many. NULL: they never are. */
    size_t (*read_tail)(Engine *engine, Arena *arena, int partition, int64_t after, size_t limit,
        EngineDocument *documents);
    /* Removes some documents that expired before `now` (and have an empty outbox) and answers kept since before
     * `now` less STORE_REPLY_HOURS. */
    const Error *(*clean)(Engine *engine, const StoreView *view, int64_t now);
    StoreCounts (*counts)(const Engine *engine);
} EngineOps;

/* The head of every engine's own struct. */
struct Engine {
    const EngineOps *ops;
    const Collection *const *collections;
    size_t n_collections;
    const BodyCodec *body;
};

/* What is measured. */
typedef enum StoreOperation {
    STORE_OP_GET,
    STORE_OP_GET_MANY,
    STORE_OP_FIND,
    STORE_OP_FIND_REPLY,
    STORE_OP_WRITE,
    STORE_OP_DELETE,
    STORE_OP_INCREMENT,
    STORE_OP_OUTBOX_READ,
    STORE_OP_OUTBOX_TRIM,
    STORE_OP_OUTBOX_RING,
    STORE_OP_CLEAN,
    STORE_N_OPERATIONS,
} StoreOperation;

struct Store {
    Engine *engine;
    Engine *cleaned; /* the same, or what is behind it when it is made to fail */
    const Collection **collections;
    Histogram *durations[STORE_N_OPERATIONS]; /* NULL without metrics */
    _Atomic int64_t answered_at; /* clock_monotonic(): the last operation that did not fail */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* told or is_woken */
    pthread_cond_t closing; /* is_closing */
    unsigned told;          /* partitions, since the last store_outbox_wait */
    int64_t heard;          /* rings, by the last store_outbox_heard; -1: not asked yet */
    bool is_woken;
    bool is_closing;
    pthread_t cleaner;
};

const Error *engine_embedded_open(Arena *arena, const StoreOptions *options, Engine **engine);
/* Of a module that is loaded when it is wanted: FAILED_PRECONDITION MODULE_MISSING. */
const Error *engine_mongo_open(Arena *arena, const StoreOptions *options, Engine **engine);

/* Errors that the engines share. */
extern const Error store_too_late; /* DEADLINE_EXCEEDED */
extern const Error store_corrupt;  /* DATA_LOSS STORE_CORRUPT */
extern const Error
    store_unavailable;         /* UNAVAILABLE STORE_UNAVAILABLE, with a hint when to try again */
extern const Error store_busy; /* RESOURCE_EXHAUSTED STORE_BUSY, the same */
extern const Error store_full; /* RESOURCE_EXHAUSTED STORE_FULL */
extern const Error store_request_reused; /* ALREADY_EXISTS REQUEST_ID_REUSED */

/* Whether the time of the view is over. */
bool store_is_late(const StoreView *view);

/* Why an operation for the view is not begun; NULL: it is. An engine whose writes can be deferred sees for itself to views in haste,
 * whatever it has in memory; the others always wait. */
const Error *store_refusal(const StoreView *view);

/* Where the hint of store_outbox_wait comes from: partitions as a set of bits. */
void store_tell_outbox(Store *store, unsigned partitions);

/* Records how long an operation took and passes its error on. */
const Error *store_measure(
    Store *store, StoreOperation operation, int64_t start, const Error *error);

/* What an answer under the view's request key means: &store_replayed with view->replayed set, REQUEST_ID_REUSED, or NULL. */
const Error *store_answered(StoreView *view, const EngineAnswer *answer);

Bytes bytes_copy(Arena *arena, Bytes bytes);

/* The collection's place in the engine's list; one that was not given to store_open is our mistake. */
size_t engine_collection(const Engine *engine, const Collection *collection);

#endif
