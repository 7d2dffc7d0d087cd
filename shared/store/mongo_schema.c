/* The indexes on the server: made when the store opens, and entries made anew where an index is declared otherwise than before. */
#include "shared/store/mongo.h"

#include "shared/codec/message.h"
#include "shared/store/record.h"

#include <string.h>

/* Which indexes the last opening made: { _id: "indexes/COLLECTION", NAME: signature, … }. */
typedef struct Declared {
    Arena *arena;
    const Collection *collection;
    bool is_known[STORE_MAX_INDEXES];
    size_t n_known;
    const char *outdated[64];
    size_t n_outdated;
} Declared;

static void compare_index(Declared *declared, const char *name, const char *signature)
{
    for (size_t i = 0; i < keys_count_indexes(declared->collection); i++)
        if (!strcmp(declared->collection->indexes[i].name, name) &&
            !strcmp(keys_signature(declared->arena, declared->collection, (int)i), signature)) {
            declared->is_known[i] = true;
            declared->n_known++;
            return;
        }
    if (declared->n_outdated < COUNT(declared->outdated))
        declared->outdated[declared->n_outdated++] = arena_text(declared->arena, name);
}

static bool take_declared(void *context, const bson_t *document)
{
    bson_iter_t iter;

    if (bson_iter_init(&iter, document))
        while (bson_iter_next(&iter))
            if (strcmp(bson_iter_key(&iter), "_id") && BSON_ITER_HOLDS_UTF8(&iter))
                compare_index(context, bson_iter_key(&iter), bson_iter_utf8(&iter, NULL));
    return false;
}

static const char *meta_name(Arena *arena, const Collection *collection)
{
    return arena_printf(arena, "indexes/%s", collection->name);
}

static const Error *read_declared(MongoEngine *mongo, const StoreView *view, Declared *declared)
{
    bson_t *filter = BCON_NEW("_id", BCON_UTF8(meta_name(view->arena, declared->collection)));
    bson_t *options = BCON_NEW("limit", BCON_INT64(1));
    const Error *error =
        mongo_find(mongo, view, mongo_meta, filter, options, take_declared, declared);

    bson_destroy(filter);
    bson_destroy(options);
    return error;
}

static const Error *remember_declared(
    MongoEngine *mongo, const StoreView *view, const Collection *collection)
{
    bson_t document = BSON_INITIALIZER, *command;
    const Error *error;

    for (size_t i = 0; i < keys_count_indexes(collection); i++)
        BSON_APPEND_UTF8(&document, collection->indexes[i].name,
            keys_signature(view->arena, collection, (int)i));
    BSON_APPEND_UTF8(&document, "_", "made"); /* there is one field at least */
    command = BCON_NEW("update", BCON_UTF8(mongo_meta), "updates", "[", "{", "q", "{", "_id",
        BCON_UTF8(meta_name(view->arena, collection)), "}", "u", BCON_DOCUMENT(&document), "upsert",
        BCON_BOOL(true), "}", "]");
    error = mongo_write_command(mongo, view, command, NULL).error;
    bson_destroy(command);
    bson_destroy(&document);
    return error;
}

static void append_index(bson_t *indexes, uint32_t *count, const bson_t *index)
{
    char buffer[16];
    const char *number;

    bson_uint32_to_string((*count)++, &number, buffer, sizeof(buffer));
    BSON_APPEND_DOCUMENT(indexes, number, index);
}

static void append_declared_index(
    bson_t *indexes, uint32_t *count, Arena *arena, const StoreIndex *index)
{
    const char *field = arena_printf(arena, "_store.keys.%s", index->name);
    bson_t *document = index->is_unique ? BCON_NEW("key", "{", field, BCON_INT32(1), "}", "name",
                                              BCON_UTF8(index->name), "unique", BCON_BOOL(true),
                                              "sparse", BCON_BOOL(true))
                                        : BCON_NEW("key", "{", field, BCON_INT32(1), "_id",
                                              BCON_INT32(1), "}", "name", BCON_UTF8(index->name));

    append_index(indexes, count, document);
    bson_destroy(document);
}

static const Error *not_unique(Arena *arena, const Collection *collection)
{
    return error_new(arena, ERROR_FAILED_PRECONDITION, "STORE_INDEX_NOT_UNIQUE",
        "Documents of %s have values that a new unique index forbids.", collection->name);
}

static const Error *create_indexes(
    MongoEngine *mongo, const StoreView *view, const Collection *collection)
{
    bson_t *outbox = BCON_NEW("key", "{", "_store.outbox.partition", BCON_INT32(1), "_store.since",
        BCON_INT32(1), "}", "name", "store_outbox");
    bson_t *expire = BCON_NEW("key", "{", "_store.expire", BCON_INT32(1), "}", "name",
        "store_expire", "sparse", BCON_BOOL(true));
    bson_t indexes = BSON_INITIALIZER, *command;
    bool has_unique = false;
    MongoResult result;
    uint32_t count = 0;

    append_index(&indexes, &count, outbox);
    if (collection->expire_field)
        append_index(&indexes, &count, expire);
    for (size_t i = 0; i < keys_count_indexes(collection); i++) {
        append_declared_index(&indexes, &count, view->arena, &collection->indexes[i]);
        has_unique |= collection->indexes[i].is_unique;
    }
    command =
        BCON_NEW("createIndexes", BCON_UTF8(collection->name), "indexes", BCON_ARRAY(&indexes));
    result = mongo_write_command(mongo, view, command, NULL);
    bson_destroy(command);
    bson_destroy(&indexes);
    bson_destroy(outbox);
    bson_destroy(expire);
    return result.code && has_unique ? not_unique(view->arena, collection) : result.error;
}

static const Error *drop_indexes(
    MongoEngine *mongo, const StoreView *view, const Declared *declared)
{
    const Error *error = NULL;

    for (size_t i = 0; i < declared->n_outdated && !error; i++) {
        bson_t *command = BCON_NEW("dropIndexes", BCON_UTF8(declared->collection->name), "index",
            BCON_UTF8(declared->outdated[i]));
        MongoResult result = mongo_write_command(mongo, view, command, NULL);

        bson_destroy(command);
        if (!result.code) /* an index that is not there need not be dropped */
            error = result.error;
    }
    return error;
}

/* A walk through a whole collection that makes the entries of each document anew. */
typedef struct Reindexing {
    MongoEngine *mongo;
    const StoreView *view;
    const Collection *collection;
    const Error *error;
} Reindexing;

/* A document that is changed meanwhile gets its entries from whoever changes it. */
static const Error *update_keys(Reindexing *work, Arena *arena, const EngineDocument *document)
{
    StoreView view = {
        .store = work->view->store, .arena = arena, .deadline = work->view->deadline
    };
    void *message = message_new(arena, work->collection->message);
    bson_t keys = BSON_INITIALIZER, *command;
    IndexEntry *entries;
    size_t n_entries;
    const Error *error;

    if (!(error = record_decode(arena, work->collection, &body_bson, document, message)) &&
        !(error = keys_of_message(arena, work->collection, message, &entries, &n_entries))) {
        mongo_append_keys(&keys, work->collection, entries, n_entries);
        command = BCON_NEW("update", BCON_UTF8(work->collection->name), "updates", "[", "{", "q",
            "{", "_id", BCON_UTF8(document->name), "_store.version", BCON_INT64(document->version),
            "}", "u", "{", "$set", "{", "_store.keys", BCON_DOCUMENT(&keys), "}", "}", "}", "]");
        error = mongo_write_command(work->mongo, &view, command, NULL).error;
        bson_destroy(command);
    }
    bson_destroy(&keys);
    return error ? error_new(work->view->arena, error->code, error->reason, "%s", error->message)
                 : NULL;
}

static bool reindex_one(void *context, const bson_t *found)
{
    Reindexing *work = context;
    Arena *arena = arena_new();
    EngineDocument document = { 0 };
    bson_iter_t iter;
    MongoHead head;

    mongo_head_from(arena, found, &head);
    if (bson_iter_init_find(&iter, found, "_id"))
        document.name = arena_text(arena, bson_iter_utf8(&iter, NULL));
    document.version = head.version;
    document.body = (Bytes){ bson_get_data(found), found->len };
    work->error = update_keys(work, arena, &document);
    arena_free(arena);
    return !work->error;
}

static const Error *reindex(MongoEngine *mongo, const StoreView *view, const Collection *collection)
{
    Reindexing work = { mongo, view, collection, NULL };
    bson_t everything = BSON_INITIALIZER;
    const Error *error =
        mongo_find(mongo, view, collection->name, &everything, &everything, reindex_one, &work);

    bson_destroy(&everything);
    return error ? error : work.error;
}

static const Error *prepare_collection(
    MongoEngine *mongo, const StoreView *view, const Collection *collection)
{
    Declared declared = { .arena = view->arena, .collection = collection };
    const Error *error;

    if ((error = read_declared(mongo, view, &declared)))
        return error;
    if (declared.n_known == keys_count_indexes(collection) && declared.n_outdated == 1)
        return NULL; /* nothing is otherwise but the field "_" */
    if ((error = drop_indexes(mongo, view, &declared)) ||
        (error = reindex(mongo, view, collection)) ||
        (error = create_indexes(mongo, view, collection)))
        return error;
    return remember_declared(mongo, view, collection);
}

static const Error *create_answer_index(MongoEngine *mongo, const StoreView *view)
{
    bson_t *command = BCON_NEW("createIndexes", BCON_UTF8(mongo_answers), "indexes", "[", "{",
        "key", "{", "time", BCON_INT32(1), "}", "name", "store_time", "}", "]");
    const Error *error = mongo_write_command(mongo, view, command, NULL).error;

    bson_destroy(command);
    return error;
}

const Error *mongo_prepare(MongoEngine *mongo, Arena *arena)
{
    StoreView view = { .arena = arena };
    const Error *error = create_answer_index(mongo, &view);

    for (size_t i = 0; i < mongo->engine.n_collections && !error; i++)
        error = prepare_collection(mongo, &view, mongo->engine.collections[i]);
    return error;
}
