/* The MongoDB engine: one document an aggregate, so that every operation is atomic on a standalone server, a replica set and a sharded
 * cluster alike. Asks the server for little: single-document updates, unique and plain indexes..
 * A module of its own: what it pulls in is only there where a service asks for it. */
#include "shared/store/mongo.h"

#include "shared/base/clock.h"
#include "shared/base/condition.h"

#include <stdlib.h>

enum { OPEN_MICROS = 2 * 1000000 };

static const Error *ping(MongoEngine *mongo, const StoreView *view)
{
    bson_t *command = BCON_NEW("ping", BCON_INT32(1));
    const Error *error = mongo_read_command(mongo, view, command);

    bson_destroy(command);
    return error;
}

static const Error *mongo_check(Engine *engine, const StoreView *view)
{
    return ping((MongoEngine *)engine, view);
}

/* Every write is one command with a sync of its own on the server. */
static StoreCounts mongo_counts(const Engine *engine)
{
    int64_t n_writes = atomic_load(&((const MongoEngine *)engine)->n_writes);

    return (StoreCounts){ n_writes, n_writes };
}

static void free_mongo(MongoEngine *mongo)
{
    if (mongo->pool)
        mongo_disconnect(mongo);
    pthread_cond_destroy(&mongo->returned);
    pthread_mutex_destroy(&mongo->lock);
    free(mongo->database);
    free(mongo);
}

static void mongo_close(Engine *engine)
{
    free_mongo((MongoEngine *)engine);
}

static const EngineOps mongo_ops = {
    .close = mongo_close,
    .check = mongo_check,
    .get = mongo_get,
    .find = mongo_find_range,
    .find_answer = mongo_find_answer,
    .write = mongo_write,
    .remove = mongo_remove,
    .increment = mongo_increment,
    .read_outbox = mongo_read_outbox,
    .trim_outbox = mongo_trim_outbox,
    .ring = mongo_ring,
    .clean = mongo_clean,
    .counts = mongo_counts,
};

static MongoEngine *new_mongo(const StoreOptions *options)
{
    MongoEngine *mongo = calloc(1, sizeof(*mongo));

    if (!mongo || asprintf(&mongo->database, "throughline_%s", options->service) < 0)
        abort();
    mongo->engine.ops = &mongo_ops;
    mongo->engine.body = &body_bson;
    mongo->engine.collections = options->collections;
    while (options->collections[mongo->engine.n_collections])
        mongo->engine.n_collections++;
    pthread_mutex_init(&mongo->lock, NULL);
    condition_init(&mongo->returned);
    return mongo;
}

const Error *mongo_engine_open(Arena *arena, const StoreOptions *options, Engine **engine)
{
    MongoEngine *mongo = new_mongo(options);
    StoreView view = { .arena = arena, .deadline = clock_monotonic() + OPEN_MICROS };
    const Error *error;

    if ((error = mongo_connect(arena, options->uri, mongo)) || (error = ping(mongo, &view)) ||
        (error = mongo_prepare(mongo, arena))) {
        free_mongo(mongo);
        return error == &store_too_late ? &store_unavailable : error;
    }
    *engine = &mongo->engine;
    return NULL;
}
