/* Answers to requests. Each is kept in the document that its request changed, in the same write. The collection of answers says by
 * the request's key which document that is, and takes the answers over when a document has many. */
#include "shared/store/mongo.h"

#include "shared/base/clock.h"

#include <string.h>

enum { MAX_TRIES = 10 };

static const Error in_progress = { ERROR_ABORTED, "REQUEST_IN_PROGRESS",
    "The same request is being worked on: ask again.", .retry_after_ms = 100 };

/* One document of the collection of answers. */
typedef struct Pointer {
    Arena *arena;
    bool is_there, is_removal, has_reply;
    uint8_t hash[32];
    const char *collection, *name, *claim;
    int64_t time;
    Bytes reply;
} Pointer;

static bool take_pointer(void *context, const bson_t *document)
{
    Pointer *pointer = context;
    bson_iter_t field;

    pointer->is_there = true;
    if (!bson_iter_init(&field, document))
        return false;
    while (bson_iter_next(&field)) {
        const char *key = bson_iter_key(&field);
        Bytes bytes = mongo_bytes(pointer->arena, &field);

        if (!strcmp(key, "hash") && bytes.size == sizeof(pointer->hash))
            memcpy(pointer->hash, bytes.data, bytes.size);
        else if (!strcmp(key, "collection"))
            pointer->collection = arena_text(pointer->arena, bson_iter_utf8(&field, NULL));
        else if (!strcmp(key, "name"))
            pointer->name = arena_text(pointer->arena, bson_iter_utf8(&field, NULL));
        else if (!strcmp(key, "claim"))
            pointer->claim = arena_text(pointer->arena, bson_iter_utf8(&field, NULL));
        else if (!strcmp(key, "time"))
            pointer->time = bson_iter_as_int64(&field);
        else if (!strcmp(key, "is_removal"))
            pointer->is_removal = bson_iter_as_bool(&field);
        else if (!strcmp(key, "reply")) {
            pointer->has_reply = true;
            pointer->reply = bytes;
        }
    }
    return false;
}

static const Error *read_pointer(
    MongoEngine *mongo, const StoreView *view, const char *key, Pointer *pointer)
{
    bson_t *filter = BCON_NEW("_id", BCON_UTF8(key));
    bson_t *options = BCON_NEW("limit", BCON_INT64(1));
    const Error *error;

    *pointer = (Pointer){ .arena = view->arena, .collection = "", .name = "", .claim = "" };
    error = mongo_find(mongo, view, mongo_answers, filter, options, take_pointer, pointer);
    bson_destroy(filter);
    bson_destroy(options);
    return error;
}

static void found(EngineAnswer *answer, const uint8_t *hash, Bytes reply)
{
    answer->is_found = true;
    memcpy(answer->hash, hash, sizeof(answer->hash));
    answer->reply = reply;
}

/* Whether the request behind a pointer was answered. */
static const Error *resolve(MongoEngine *mongo, const StoreView *view, const char *key,
    const Pointer *pointer, EngineAnswer *answer)
{
    const MongoReply *reply;
    const Error *error;
    MongoHead head;

    *answer = (EngineAnswer){ 0 };
    if (!pointer->is_there)
        return NULL;
    if (pointer->has_reply && !pointer->is_removal) {
        found(answer, pointer->hash, pointer->reply);
        return NULL;
    }
    if ((error = mongo_read_head(mongo, view, pointer->collection, pointer->name, &head)))
        return error;
    if (pointer->is_removal && !head.is_there)
        found(answer, pointer->hash, pointer->reply);
    else if ((reply = mongo_head_reply(&head, key)))
        found(answer, reply->hash, reply->bytes);
    return NULL;
}

const Error *mongo_find_answer(Engine *engine, const StoreView *view, EngineAnswer *answer)
{
    MongoEngine *mongo = (MongoEngine *)engine;
    const Error *error;
    Pointer pointer;

    if ((error = read_pointer(mongo, view, view->request_key, &pointer)))
        return error;
    return resolve(mongo, view, view->request_key, &pointer, answer);
}

static void append_claim(bson_t *document, const MongoClaim *claim)
{
    mongo_append_bytes(document, "hash", (Bytes){ claim->hash, 32 });
    BSON_APPEND_UTF8(document, "collection", claim->collection);
    BSON_APPEND_UTF8(document, "name", claim->name);
    BSON_APPEND_UTF8(document, "claim", claim->id);
    BSON_APPEND_INT64(document, "time", clock_now());
    BSON_APPEND_BOOL(document, "is_removal", claim->is_removal);
    if (claim->is_removal)
        mongo_append_bytes(document, "reply", claim->reply);
}

static MongoResult insert_claim(MongoEngine *mongo, const StoreView *view, const MongoClaim *claim)
{
    bson_t command = BSON_INITIALIZER, documents, document;
    MongoResult result;

    BSON_APPEND_UTF8(&command, "insert", mongo_answers);
    BSON_APPEND_ARRAY_BEGIN(&command, "documents", &documents);
    BSON_APPEND_DOCUMENT_BEGIN(&documents, "0", &document);
    BSON_APPEND_UTF8(&document, "_id", claim->key);
    append_claim(&document, claim);
    bson_append_document_end(&documents, &document);
    bson_append_array_end(&command, &documents);
    result = mongo_write_command(mongo, view, &command, NULL);
    bson_destroy(&command);
    return result;
}

/* Sets fields of a pointer that still has the claim. */
static MongoResult update_pointer(MongoEngine *mongo, const StoreView *view, const char *key,
    const char *claim, const bson_t *set)
{
    bson_t *command = BCON_NEW("update", BCON_UTF8(mongo_answers), "updates", "[", "{", "q", "{",
        "_id", BCON_UTF8(key), "claim", BCON_UTF8(claim), "}", "u", "{", "$set", BCON_DOCUMENT(set),
        "}", "}", "]");
    MongoResult result = mongo_write_command(mongo, view, command, NULL);

    bson_destroy(command);
    return result;
}

static MongoResult take_over(
    MongoEngine *mongo, const StoreView *view, const MongoClaim *claim, const Pointer *pointer)
{
    bson_t set = BSON_INITIALIZER;
    MongoResult result;

    append_claim(&set, claim);
    result = update_pointer(mongo, view, claim->key, pointer->claim, &set);
    bson_destroy(&set);
    return result;
}

/* Whether the claim that is there stands in the way: it wants another document, and may still be at work. */
static bool is_in_the_way(const Pointer *pointer, const MongoClaim *claim)
{
    bool same_target =
        !strcmp(pointer->collection, claim->collection) && !strcmp(pointer->name, claim->name);

    return !same_target && clock_now() - pointer->time < (int64_t)MONGO_CLAIM_SECONDS * 1000000;
}

static EngineOutcome failed(const Error *error)
{
    return (EngineOutcome){ .result = ENGINE_FAILED, .error = error };
}

static EngineOutcome answered(const MongoClaim *claim, const EngineAnswer *answer)
{
    if (memcmp(answer->hash, claim->hash, sizeof(answer->hash)))
        return (EngineOutcome){ .result = ENGINE_REUSED };
    return (EngineOutcome){ .result = ENGINE_REPLAYED, .reply = answer->reply };
}

void mongo_claim(
    MongoEngine *mongo, const StoreView *view, const MongoClaim *claim, EngineOutcome *outcome)
{
    for (int i = 0; i < MAX_TRIES; i++) {
        MongoResult result = insert_claim(mongo, view, claim);
        EngineAnswer answer;
        Pointer pointer;
        const Error *error;

        *outcome = (EngineOutcome){ .result = ENGINE_DONE };
        if (!result.error)
            return;
        *outcome = failed(result.error);
        if (result.code != MONGO_DUPLICATE_KEY && !result.is_unknown)
            return;
        if ((error = read_pointer(mongo, view, claim->key, &pointer)) ||
            (error = resolve(mongo, view, claim->key, &pointer, &answer))) {
            *outcome = failed(error);
            return;
        }
        if (answer.is_found) {
            *outcome = answered(claim, &answer);
            return;
        }
        if (!pointer.is_there)
            continue;
        *outcome = failed(&in_progress);
        if (strcmp(pointer.claim, claim->id) && is_in_the_way(&pointer, claim))
            return;
        result = take_over(mongo, view, claim, &pointer);
        *outcome = result.error ? failed(result.error) : (EngineOutcome){ .result = ENGINE_DONE };
        if (result.error || result.count)
            return;
    }
    *outcome = failed(&in_progress);
}

/* A claim that stays by mistake is taken over by the next request of the same key. */
void mongo_release(MongoEngine *mongo, const StoreView *view, const MongoClaim *claim)
{
    bson_t *command = BCON_NEW("delete", BCON_UTF8(mongo_answers), "deletes", "[", "{", "q", "{",
        "_id", BCON_UTF8(claim->key), "claim", BCON_UTF8(claim->id), "}", "limit", BCON_INT32(1),
        "}", "]");

    mongo_write_command(mongo, view, command, NULL);
    bson_destroy(command);
}

void mongo_settle(MongoEngine *mongo, const StoreView *view, const MongoClaim *claim)
{
    bson_t *set = BCON_NEW("is_removal", BCON_BOOL(false));

    update_pointer(mongo, view, claim->key, claim->id, set);
    bson_destroy(set);
}

static MongoResult move_one(MongoEngine *mongo, const StoreView *view, const MongoReply *reply)
{
    bson_t set = BSON_INITIALIZER, *command;
    MongoResult result;

    mongo_append_bytes(&set, "hash", (Bytes){ reply->hash, sizeof(reply->hash) });
    BSON_APPEND_INT64(&set, "time", reply->time);
    BSON_APPEND_BOOL(&set, "is_removal", false);
    mongo_append_bytes(&set, "reply", reply->bytes);
    command = BCON_NEW("update", BCON_UTF8(mongo_answers), "updates", "[", "{", "q", "{", "_id",
        BCON_UTF8(reply->key), "}", "u", "{", "$set", BCON_DOCUMENT(&set), "}", "upsert",
        BCON_BOOL(true), "}", "]");
    result = mongo_write_command(mongo, view, command, NULL);
    bson_destroy(command);
    bson_destroy(&set);
    return result;
}

void mongo_move_replies(MongoEngine *mongo, const StoreView *view, const char *collection,
    const char *name, const MongoHead *head)
{
    bson_t moved = BSON_INITIALIZER, *command;

    for (size_t i = 0; i < head->n_replies; i++) {
        char buffer[16];
        const char *number;

        if (move_one(mongo, view, &head->replies[i]).error)
            break;
        bson_uint32_to_string((uint32_t)i, &number, buffer, sizeof(buffer));
        mongo_append_reply(&moved, number, &head->replies[i]);
    }
    command = BCON_NEW("update", BCON_UTF8(collection), "updates", "[", "{", "q", "{", "_id",
        BCON_UTF8(name), "}", "u", "{", "$pullAll", "{", "_store.replies", BCON_ARRAY(&moved), "}",
        "}", "}", "]");
    mongo_write_command(mongo, view, command, NULL);
    bson_destroy(command);
    bson_destroy(&moved);
}
