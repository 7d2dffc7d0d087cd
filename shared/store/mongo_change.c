/* Removing, counting and cleaning. */
#include "shared/store/mongo.h"

#include "shared/base/id.h"

#include <string.h>

enum { MAX_TRIES = 20 };

static const int64_t HOUR_MICROS = 3600 * INT64_C(1000000);

static EngineResult check_removal(const EngineRemoval *removal, const MongoHead *head)
{
    if (!head->is_there)
        return ENGINE_MISSING;
    if (removal->version && removal->version != head->version)
        return ENGINE_STALE;
    return head->n_outbox ? ENGINE_PENDING : ENGINE_DONE;
}

static MongoResult send_removal(
    MongoEngine *mongo, const StoreView *view, const EngineRemoval *removal, const MongoHead *head)
{
    bson_t *command = BCON_NEW("delete", BCON_UTF8(removal->collection->name), "deletes", "[", "{",
        "q", "{", "_id", BCON_UTF8(removal->name), "_store.version", BCON_INT64(head->version),
        "_store.outbox", "{", "$size", BCON_INT32(0), "}", "}", "limit", BCON_INT32(1), "}", "]");
    MongoResult result = mongo_write_command(mongo, view, command, NULL);

    bson_destroy(command);
    return result;
}

/* After a broken connection a document that is gone is taken for removed by us. */
static void remove_claimed(
    MongoEngine *mongo, const StoreView *view, const EngineRemoval *removal, EngineOutcome *outcome)
{
    const char *collection = removal->collection->name;
    bool is_unknown = false;

    for (int i = 0; i < MAX_TRIES; i++) {
        MongoResult result;
        MongoHead head;

        *outcome = (EngineOutcome){ 0 };
        if ((outcome->error = mongo_read_head(mongo, view, collection, removal->name, &head)))
            return;
        outcome->result = check_removal(removal, &head);
        if (outcome->result == ENGINE_MISSING && is_unknown)
            outcome->result = ENGINE_DONE;
        else if (outcome->result == ENGINE_DONE)
            outcome->result = ENGINE_FAILED;
        if (outcome->result != ENGINE_FAILED)
            return;
        if (head.n_replies)
            mongo_move_replies(mongo, view, collection, removal->name, &head);
        if (head.events &&
            (outcome->error = mongo_bury(mongo, view, collection, removal->name, &head)))
            return;
        result = send_removal(mongo, view, removal, &head);
        is_unknown |= result.is_unknown;
        outcome->error = result.error;
        if (!result.error && result.count)
            outcome->result = ENGINE_DONE;
        if ((result.error && !result.is_unknown) || outcome->result == ENGINE_DONE)
            return;
    }
    outcome->error = &store_busy;
}

void mongo_remove(
    Engine *engine, const StoreView *view, const EngineRemoval *removal, EngineOutcome *outcome)
{
    MongoEngine *mongo = (MongoEngine *)engine;
    char id[ID_SIZE];
    MongoClaim claim = { .key = removal->request_key,
        .hash = removal->request_hash,
        .collection = removal->collection->name,
        .name = removal->name,
        .id = id,
        .is_removal = true,
        .reply = removal->reply };

    id_new(id);
    *outcome = (EngineOutcome){ .result = ENGINE_DONE };
    if (claim.key)
        mongo_claim(mongo, view, &claim, outcome);
    if (outcome->result != ENGINE_DONE)
        return;
    remove_claimed(mongo, view, removal, outcome);
    if (outcome->result == ENGINE_DONE)
        atomic_fetch_add(&mongo->n_writes, 1);
    if (claim.key && outcome->result == ENGINE_DONE)
        mongo_settle(mongo, view, &claim);
    else if (claim.key && !outcome->error)
        mongo_release(mongo, view, &claim);
}

/* The values from which the sum stays within the bounds. False when there are none. */
static bool guard_range(const EngineIncrement *increment, int64_t *least, int64_t *most)
{
    int64_t delta = increment->delta;

    if (__builtin_sub_overflow(increment->min, delta, least)) {
        if (delta < 0)
            return false;
        *least = INT64_MIN;
    }
    if (__builtin_sub_overflow(increment->max, delta, most)) {
        if (delta > 0)
            return false;
        *most = INT64_MAX;
    }
    return *least <= *most;
}

/* A field that is not there is 0. */
static void append_guard(
    bson_t *filter, const EngineIncrement *increment, int64_t least, int64_t most)
{
    bson_t *either = BCON_NEW("0", "{", increment->field, "{", "$gte", BCON_INT64(least), "$lte",
        BCON_INT64(most), "}", "}");

    if (least <= 0 && most >= 0) {
        bson_t *absent = BCON_NEW(increment->field, "{", "$exists", BCON_BOOL(false), "}");

        BSON_APPEND_DOCUMENT(either, "1", absent);
        bson_destroy(absent);
    }
    BSON_APPEND_ARRAY(filter, "$or", either);
    bson_destroy(either);
}

static MongoResult send_increment(MongoEngine *mongo, const StoreView *view,
    const EngineIncrement *increment, const char *write_id, bson_t *reply)
{
    bson_t filter = BSON_INITIALIZER, *command;
    MongoResult result = { 0 };
    int64_t least, most;

    BSON_APPEND_UTF8(&filter, "_id", increment->name);
    if (!guard_range(increment, &least, &most)) {
        bson_destroy(&filter);
        bson_init(reply);
        return result;
    }
    append_guard(&filter, increment, least, most);
    command = BCON_NEW("findAndModify", BCON_UTF8(increment->collection->name), "query",
        BCON_DOCUMENT(&filter), "update", "{", "$inc", "{", increment->field,
        BCON_INT64(increment->delta), "_store.version", BCON_INT64(1), "}", "$set", "{",
        "_store.write_id", BCON_UTF8(write_id), "}", "}", "new", BCON_BOOL(true));
    result = mongo_write_command(mongo, view, command, reply);
    bson_destroy(command);
    bson_destroy(&filter);
    return result;
}

/* False when the command found no document. */
static bool read_sum(const bson_t *reply, const char *field, EngineOutcome *outcome)
{
    bson_iter_t iter, document, inner;

    if (!bson_iter_init_find(&iter, reply, "value") || !BSON_ITER_HOLDS_DOCUMENT(&iter) ||
        !bson_iter_recurse(&iter, &document))
        return false;
    while (bson_iter_next(&document)) {
        if (!strcmp(bson_iter_key(&document), field))
            outcome->value = bson_iter_as_int64(&document);
        if (!strcmp(bson_iter_key(&document), "_store") && bson_iter_recurse(&document, &inner) &&
            bson_iter_find(&inner, "version"))
            outcome->version = bson_iter_as_int64(&inner);
    }
    return true;
}

void mongo_increment(
    Engine *engine, const StoreView *view, const EngineIncrement *increment, EngineOutcome *outcome)
{
    MongoEngine *mongo = (MongoEngine *)engine;
    char write_id[ID_SIZE];
    MongoResult result;
    MongoHead head;
    bson_t reply;

    id_new(write_id);
    *outcome = (EngineOutcome){ 0 };
    result = send_increment(mongo, view, increment, write_id, &reply);
    if (!result.error && read_sum(&reply, increment->field, outcome)) {
        outcome->result = ENGINE_DONE;
        atomic_fetch_add(&mongo->n_writes, 1);
    }
    bson_destroy(&reply);
    if (outcome->result == ENGINE_DONE)
        return;
    if ((outcome->error = result.error))
        return;
    outcome->error =
        mongo_read_head(mongo, view, increment->collection->name, increment->name, &head);
    if (!outcome->error)
        outcome->result = head.is_there ? ENGINE_REFUSED : ENGINE_MISSING;
}

/* Names of documents whose time is over. */
typedef struct Expired {
    Arena *arena;
    char *names[MONGO_CLEAN_BATCH];
    size_t count;
} Expired;

static bool take_name(void *context, const bson_t *document)
{
    Expired *expired = context;
    bson_iter_t iter;

    if (bson_iter_init_find(&iter, document, "_id"))
        expired->names[expired->count++] = arena_text(expired->arena, bson_iter_utf8(&iter, NULL));
    return expired->count < MONGO_CLEAN_BATCH;
}

static const Error *clean_collection(
    MongoEngine *mongo, const StoreView *view, const Collection *collection, int64_t now)
{
    Expired expired = { .arena = view->arena };
    bson_t *filter = BCON_NEW("_store.expire", "{", "$lt", BCON_INT64(now), "}", "_store.outbox",
        "{", "$size", BCON_INT32(0), "}");
    bson_t *options = BCON_NEW(
        "projection", "{", "_id", BCON_INT32(1), "}", "limit", BCON_INT64(MONGO_CLEAN_BATCH));
    const Error *error =
        mongo_find(mongo, view, collection->name, filter, options, take_name, &expired);

    bson_destroy(filter);
    bson_destroy(options);
    for (size_t i = 0; i < expired.count && !error; i++) {
        EngineRemoval removal = { .collection = collection, .name = expired.names[i] };
        EngineOutcome outcome;

        remove_claimed(mongo, view, &removal, &outcome);
        error = outcome.error;
    }
    return error;
}

const Error *mongo_clean(Engine *engine, const StoreView *view, int64_t now)
{
    MongoEngine *mongo = (MongoEngine *)engine;
    const Error *error = NULL;
    bson_t *command;

    for (size_t i = 0; i < engine->n_collections && !error; i++)
        if (engine->collections[i]->expire_field)
            error = clean_collection(mongo, view, engine->collections[i], now);
    if (error)
        return error;
    command = BCON_NEW("delete", BCON_UTF8(mongo_answers), "deletes", "[", "{", "q", "{", "time",
        "{", "$lt", BCON_INT64(now - STORE_REPLY_HOURS * HOUR_MICROS), "}", "}", "limit",
        BCON_INT32(0), "}", "]");
    error = mongo_write_command(mongo, view, command, NULL).error;
    bson_destroy(command);
    return error;
}
