/* Inside the MongoDB engine. A document is the message's fields beside "_id" and "_store", which has what the store keeps:
 *
 *   version, events (told so far), event_time (of the last), keys { index: entry or [entries] }, expire, marks, write_id (of the
 *   last write), since (no entry of the outbox is older), outbox [{ number, partition, time, bytes }],
 *   replies [{ key, hash, time, reply }]
 *
 * Every change but an increment and a trim reads this head and then writes if the version is still the same. */
#ifndef THROUGHLINE_STORE_MONGO_H
#define THROUGHLINE_STORE_MONGO_H

#include "shared/store/engine.h"

#include <mongoc/mongoc.h>
#include <stdatomic.h>

enum {
    MONGO_CLIENTS = 64, /* connections, opened when needed */
    MONGO_REPLIES = 8,  /* answers in a document before they move to the collection of answers */
    MONGO_CLEAN_BATCH = 200,  /* documents removed in one round of a collection */
    MONGO_CLAIM_SECONDS = 60, /* after which an unanswered request may be taken over */
    MONGO_PATIENCE_MS = 5000, /* for a server to be found, when the call sets no deadline */
};

/* Collections of the store itself. */
extern const char mongo_answers[], mongo_graves[], mongo_meta[];

typedef struct MongoSlot {
    mongoc_client_t *client;
    int64_t deadline; /* of the call that has it; 0: none */
} MongoSlot;

typedef struct MongoEngine {
    Engine engine;
    char *database;
    mongoc_client_pool_t *pool;
    pthread_mutex_t lock;
    pthread_cond_t returned;
    MongoSlot slots[MONGO_CLIENTS];
    MongoSlot *idle[MONGO_CLIENTS];
    int n_idle, n_open;
    atomic_llong n_writes;
} MongoEngine;

typedef struct MongoEntry {
    int64_t number, time;
    int partition;
    Bytes bytes;
} MongoEntry;

typedef struct MongoReply {
    const char *key;
    uint8_t hash[32];
    int64_t time;
    Bytes bytes;
} MongoReply;

typedef struct MongoHead {
    bool is_there;
    int64_t version, events, event_time;
    const char *write_id;
    Bytes marks;
    MongoEntry *outbox;
    size_t n_outbox;
    MongoReply *replies;
    size_t n_replies;
} MongoHead;

/* What became of one command. */
typedef struct MongoResult {
    const Error *error; /* NULL: the server did it */
    bool is_unknown;    /* the connection broke: it may have been done */
    int code;           /* of an error of the server; 0: none */
    int64_t count;      /* documents it found or removed */
} MongoResult;

enum { MONGO_DUPLICATE_KEY = 11000 };

/* mongo_client.c */

const Error *mongo_connect(Arena *arena, const char *uri, MongoEngine *mongo);
void mongo_disconnect(MongoEngine *mongo);

const Error *mongo_take(MongoEngine *mongo, const StoreView *view, MongoSlot **slot);
void mongo_return(MongoEngine *mongo, MongoSlot *slot);

/* Runs a command of one answer. Tries again while no server was found and there is time. `reply` may be NULL, else it is set and
 * the caller destroys it. */
MongoResult mongo_write_command(
    MongoEngine *mongo, const StoreView *view, const bson_t *command, bson_t *reply);
const Error *mongo_read_command(MongoEngine *mongo, const StoreView *view, const bson_t *command);

/* Calls `each` for the documents that a find gives, until it returns false. */
typedef bool (*MongoEach)(void *context, const bson_t *document);
const Error *mongo_find(MongoEngine *mongo, const StoreView *view, const char *collection,
    const bson_t *filter, const bson_t *options, MongoEach each, void *context);

/* mongo_head.c */

const Error *mongo_read_head(MongoEngine *mongo, const StoreView *view, const char *collection,
    const char *name, MongoHead *head);
/* Of many documents of a collection in one query. */
const Error *mongo_read_heads(MongoEngine *mongo, const StoreView *view, const char *collection,
    const char *const *names, size_t n_names, MongoHead *heads);
void mongo_head_from(Arena *arena, const bson_t *document, MongoHead *head);
const MongoReply *mongo_head_reply(const MongoHead *head, const char *key);
void mongo_append_entry(bson_t *array, const char *key, const MongoEntry *entry);
void mongo_append_reply(bson_t *array, const char *key, const MongoReply *reply);

/* What a name that was removed goes on counting from. */
const Error *mongo_read_grave(MongoEngine *mongo, const StoreView *view, const char *collection,
    const char *name, MongoHead *head);
const Error *mongo_read_graves(MongoEngine *mongo, const StoreView *view, const char *collection,
    const char *const *names, size_t n_names, MongoHead *heads);
const Error *mongo_bury(MongoEngine *mongo, const StoreView *view, const char *collection,
    const char *name, const MongoHead *head);

void mongo_append_bytes(bson_t *document, const char *key, Bytes bytes);
Bytes mongo_bytes(Arena *arena, const bson_iter_t *iter);

/* mongo_read.c */

const Error *mongo_get(Engine *engine, const StoreView *view, const Collection *collection,
    const char *const *names, size_t n_names, EngineDocument *documents, EngineAnswer *answer);
const Error *mongo_find_range(Engine *engine, const StoreView *view, const EngineRange *range,
    EngineDocument **documents, size_t *n_documents);

/* mongo_answers.c */

/* What a request is going to change, written down before it does, so that its answer can be found by its key alone. */
typedef struct MongoClaim {
    const char *key; /* NULL: no request */
    const uint8_t *hash;
    const char *collection, *name, *id;
    bool is_removal;
    Bytes reply; /* of a removal, since the document will not be there to keep it */
} MongoClaim;

const Error *mongo_find_answer(Engine *engine, const StoreView *view, EngineAnswer *answer);
/* ENGINE_DONE: go on; else the request's outcome. */
void mongo_claim(
    MongoEngine *mongo, const StoreView *view, const MongoClaim *claim, EngineOutcome *outcome);
/* The write of the claim has failed: the key is free again. */
void mongo_release(MongoEngine *mongo, const StoreView *view, const MongoClaim *claim);
/* The removal has been done. */
void mongo_settle(MongoEngine *mongo, const StoreView *view, const MongoClaim *claim);
/* Moves a document's answers into the collection of answers. What fails is tried again by the next write. */
void mongo_move_replies(MongoEngine *mongo, const StoreView *view, const char *collection,
    const char *name, const MongoHead *head);

/* mongo_write.c */

void mongo_write(Engine *engine, const StoreView *view, EngineWrite *writes, size_t n_writes);

/* mongo_update.c */

/* A new document, or the changes to one; the head is what is there, without a version when nothing is. */
void mongo_append_insert(
    bson_t *document, const EngineWrite *write, const MongoHead *head, const char *write_id);
void mongo_append_update(
    bson_t *update, const EngineWrite *write, const MongoHead *head, const char *write_id);
/* { index: entry or [entries] } */
void mongo_append_keys(
    bson_t *document, const Collection *collection, const IndexEntry *entries, size_t n_entries);

/* mongo_change.c */

void mongo_remove(
    Engine *engine, const StoreView *view, const EngineRemoval *removal, EngineOutcome *outcome);
void mongo_increment(Engine *engine, const StoreView *view, const EngineIncrement *increment,
    EngineOutcome *outcome);
const Error *mongo_clean(Engine *engine, const StoreView *view, int64_t now);

/* mongo_outbox.c */

const Error *mongo_read_outbox(Engine *engine, const StoreView *view, unsigned partitions,
    size_t limit, StoreEntry **entries, size_t *n_entries);
const Error *mongo_ring(Engine *engine, const StoreView *view, bool is_ours, int64_t *rings);

/* mongo_trim.c */

const Error *mongo_trim_outbox(
    Engine *engine, const StoreView *view, const StoreEntry *entries, size_t n_entries);

/* mongo_body.c */

extern const BodyCodec body_bson;

/* engine_mongo.c: what the module is loaded for */

const Error *mongo_engine_open(Arena *arena, const StoreOptions *options, Engine **engine);

/* mongo_schema.c */

const Error *mongo_prepare(MongoEngine *mongo, Arena *arena);

#endif
