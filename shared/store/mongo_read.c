/* Reading documents by name and by index. The entries are texts in "_store.keys", so a range of them is a range of one field. */
#include "shared/store/mongo.h"

#include "shared/codec/message.h"
#include "shared/store/marks.h"
#include "shared/store/record.h"

#include <string.h>

/* Documents on their way into a result. */
typedef struct Reader {
    const StoreView *view;
    const char *const *names;
    size_t n_names;
    EngineDocument *documents;
    EngineAnswer *answer;
} Reader;

static EngineDocument document_from(Arena *arena, const bson_t *found, MongoHead *head)
{
    EngineDocument document = { 0 };
    bson_iter_t iter;

    mongo_head_from(arena, found, head);
    if (bson_iter_init_find(&iter, found, "_id"))
        document.name = arena_text(arena, bson_iter_utf8(&iter, NULL));
    document.version = head->version;
    document.body = (Bytes){ arena_copy(arena, bson_get_data(found), found->len), found->len };
    return document;
}

static bool take_named(void *context, const bson_t *found)
{
    Reader *reader = context;
    const StoreView *view = reader->view;
    const MongoReply *reply = NULL;
    MongoHead head;
    EngineDocument document = document_from(view->arena, found, &head);

    if (view->request_key)
        reply = mongo_head_reply(&head, view->request_key);
    if (reply) {
        *reader->answer = (EngineAnswer){ .is_found = true, .reply = reply->bytes };
        memcpy(reader->answer->hash, reply->hash, sizeof(reply->hash));
    }
    document.mark_position =
        view->mark_source ? marks_find(head.marks, view->mark_source) : INT64_MIN;
    for (size_t i = 0; i < reader->n_names; i++)
        if (!strcmp(reader->names[i], document.name))
            reader->documents[i] = document;
    return true;
}

static void append_names(bson_t *filter, const char *const *names, size_t n_names)
{
    bson_t id, in;

    if (n_names == 1) {
        BSON_APPEND_UTF8(filter, "_id", names[0]);
        return;
    }
    BSON_APPEND_DOCUMENT_BEGIN(filter, "_id", &id);
    BSON_APPEND_ARRAY_BEGIN(&id, "$in", &in);
    for (size_t i = 0; i < n_names; i++) {
        char buffer[16];
        const char *number;

        bson_uint32_to_string((uint32_t)i, &number, buffer, sizeof(buffer));
        BSON_APPEND_UTF8(&in, number, names[i]);
    }
    bson_append_array_end(&id, &in);
    bson_append_document_end(filter, &id);
}

const Error *mongo_get(Engine *engine, const StoreView *view, const Collection *collection,
    const char *const *names, size_t n_names, EngineDocument *documents, EngineAnswer *answer)
{
    Reader reader = { view, names, n_names, documents, answer };
    bson_t filter = BSON_INITIALIZER;
    bson_t *options = BCON_NEW(
        "projection", "{", "_store.outbox", BCON_INT32(0), "_store.keys", BCON_INT32(0), "}");
    const Error *error = NULL;

    append_names(&filter, names, n_names);
    if (n_names)
        error = mongo_find(
            (MongoEngine *)engine, view, collection->name, &filter, options, take_named, &reader);
    bson_destroy(&filter);
    bson_destroy(options);
    return error;
}

/* What a walk through a range has found so far. */
typedef struct Walk {
    const StoreView *view;
    const EngineRange *range;
    EngineDocument *documents;
    size_t count, bytes;
    const char *field; /* of the entries; "_id" for names */
} Walk;

static const char *text_of(Arena *arena, Bytes bytes)
{
    return arena_text_of(arena, (const char *)bytes.data, bytes.size);
}

static void append_bounds(bson_t *document, Arena *arena, const KeyRange *range)
{
    if (range->from.size)
        BSON_APPEND_UTF8(document, "$gte", text_of(arena, range->from));
    else
        BSON_APPEND_UTF8(document, "$gte", "");
    if (range->below.size)
        BSON_APPEND_UTF8(document, "$lt", text_of(arena, range->below));
}

/* Behind the last entry: a later entry, or the same one of a later name. */
static void append_resume(bson_t *filter, const Walk *walk)
{
    const EngineRange *range = walk->range;
    const char *beyond = range->is_descending ? "$lt" : "$gt";
    const char *key = text_of(walk->view->arena, range->after_key);
    bson_t *either;

    if (!range->after_name)
        return;
    if (range->index == KEYS_BY_NAME)
        either = BCON_NEW("0", "{", "_id", "{", beyond, BCON_UTF8(range->after_name), "}", "}");
    else
        either = BCON_NEW("0", "{", walk->field, "{", beyond, BCON_UTF8(key), "}", "}", "1", "{",
            walk->field, BCON_UTF8(key), "_id", "{", beyond, BCON_UTF8(range->after_name), "}",
            "}");
    BSON_APPEND_ARRAY(filter, "$or", either);
    bson_destroy(either);
}

static void append_order(bson_t *options, const Walk *walk)
{
    int32_t direction = walk->range->is_descending ? -1 : 1;
    bson_t sort;

    BSON_APPEND_DOCUMENT_BEGIN(options, "sort", &sort);
    if (walk->range->index != KEYS_BY_NAME)
        BSON_APPEND_INT32(&sort, walk->field, direction);
    BSON_APPEND_INT32(&sort, "_id", direction);
    bson_append_document_end(options, &sort);
    BSON_APPEND_INT64(options, "limit", (int64_t)walk->range->limit);
}

/* The entry of a document that has one at most. */
static Bytes entry_of(Arena *arena, const bson_t *found, const char *field)
{
    bson_iter_t top, iter;
    uint32_t size;
    const char *text;

    if (!bson_iter_init(&top, found) || !bson_iter_find_descendant(&top, field, &iter) ||
        !BSON_ITER_HOLDS_UTF8(&iter))
        return (Bytes){ 0 };
    text = bson_iter_utf8(&iter, &size);
    return (Bytes){ arena_copy(arena, text, size), size };
}

static bool is_full(const EngineRange *range, size_t bytes)
{
    return range->max_bytes && bytes >= range->max_bytes;
}

static bool take_in_order(void *context, const bson_t *found)
{
    Walk *walk = context;
    MongoHead head;
    EngineDocument *document = &walk->documents[walk->count];

    *document = document_from(walk->view->arena, found, &head);
    document->key = walk->range->is_exact ? walk->range->keys.from
                                          : entry_of(walk->view->arena, found, walk->field);
    walk->bytes += document->body.size;
    return ++walk->count < walk->range->limit && !is_full(walk->range, walk->bytes);
}

static const Error *find_in_order(MongoEngine *mongo, Walk *walk)
{
    bson_t filter = BSON_INITIALIZER, bounds, options = BSON_INITIALIZER;
    const Error *error;

    BSON_APPEND_DOCUMENT_BEGIN(&filter, walk->field, &bounds);
    append_bounds(&bounds, walk->view->arena, &walk->range->keys);
    bson_append_document_end(&filter, &bounds);
    append_resume(&filter, walk);
    append_order(&options, walk);
    error = mongo_find(
        mongo, walk->view, walk->range->collection->name, &filter, &options, take_in_order, walk);
    bson_destroy(&filter);
    bson_destroy(&options);
    return error;
}

/* All entries of the index are the same one: the order is that of names. */
static const Error *find_exact(MongoEngine *mongo, Walk *walk)
{
    const EngineRange *range = walk->range;
    bson_t filter = BSON_INITIALIZER, *options, id;
    const Error *error;

    BSON_APPEND_UTF8(&filter, walk->field, text_of(walk->view->arena, range->keys.from));
    if (range->after_name) {
        BSON_APPEND_DOCUMENT_BEGIN(&filter, "_id", &id);
        BSON_APPEND_UTF8(&id, range->is_descending ? "$lt" : "$gt", range->after_name);
        bson_append_document_end(&filter, &id);
    }
    options = BCON_NEW("sort", "{", "_id", BCON_INT32(range->is_descending ? -1 : 1), "}", "limit",
        BCON_INT64((int64_t)range->limit));
    error = mongo_find(
        mongo, walk->view, range->collection->name, &filter, options, take_in_order, walk);
    bson_destroy(&filter);
    bson_destroy(options);
    return error;
}

static int compare(const EngineDocument *a, const EngineDocument *b)
{
    int order = keys_compare(a->key, b->key);

    return order ? order : strcmp(a->name, b->name);
}

/* The entry by which a document with several is told in this range. */
static Bytes first_entry(const Walk *walk, const EngineDocument *document, Arena *arena)
{
    const EngineRange *range = walk->range;
    void *message = message_new(arena, range->collection->message);
    IndexEntry *entries = NULL;
    size_t n_entries = 0;

    if (record_decode(arena, range->collection, &body_bson, document, message) ||
        keys_of_message(arena, range->collection, message, &entries, &n_entries))
        return (Bytes){ 0 };
    for (size_t i = 0; i < n_entries; i++)
        if (keys_meet_first(entries, n_entries, range->index, &range->keys, range->is_descending,
                entries[i].key) &&
            entries[i].index == range->index)
            return bytes_copy(walk->view->arena, entries[i].key);
    return (Bytes){ 0 };
}

/* Keeps the best of what comes, in order; the server cannot order documents by one of several entries. */
static bool take_any_order(void *context, const bson_t *found)
{
    Walk *walk = context;
    const EngineRange *range = walk->range;
    int turn = range->is_descending ? -1 : 1;
    Arena *arena = arena_new();
    MongoHead head;
    EngineDocument document = document_from(arena, found, &head);
    const EngineDocument after = { .name = range->after_name, .key = range->after_key };
    size_t at = walk->count;

    document.key = first_entry(walk, &document, arena);
    while (at && compare(&document, &walk->documents[at - 1]) * turn < 0)
        at--;
    if (at < range->limit && document.key.size &&
        (!range->after_name || compare(&document, &after) * turn > 0)) {
        document.name = arena_text(walk->view->arena, document.name);
        document.body = bytes_copy(walk->view->arena, document.body);
        walk->count += walk->count < range->limit;
        memmove(&walk->documents[at + 1], &walk->documents[at],
            (walk->count - at - 1) * sizeof(document));
        walk->documents[at] = document;
    }
    arena_free(arena);
    return true;
}

static const Error *find_any_order(MongoEngine *mongo, Walk *walk)
{
    bson_t filter = BSON_INITIALIZER, options = BSON_INITIALIZER, bounds, match;
    const Error *error;

    BSON_APPEND_DOCUMENT_BEGIN(&filter, walk->field, &bounds);
    BSON_APPEND_DOCUMENT_BEGIN(&bounds, "$elemMatch", &match);
    append_bounds(&match, walk->view->arena, &walk->range->keys);
    bson_append_document_end(&bounds, &match);
    bson_append_document_end(&filter, &bounds);
    error = mongo_find(
        mongo, walk->view, walk->range->collection->name, &filter, &options, take_any_order, walk);
    bson_destroy(&filter);
    bson_destroy(&options);
    return error;
}

/* What was kept of all is not more than a page either. */
static size_t count_to_bytes(const Walk *walk)
{
    size_t bytes = 0;

    for (size_t i = 0; i < walk->count; i++)
        if (is_full(walk->range, bytes += walk->documents[i].body.size))
            return i + 1;
    return walk->count;
}

const Error *mongo_find_range(Engine *engine, const StoreView *view, const EngineRange *range,
    EngineDocument **documents, size_t *n_documents)
{
    Walk walk = { .view = view, .range = range, .field = "_id" };
    MongoEngine *mongo = (MongoEngine *)engine;
    const Error *error;

    walk.documents = arena_array(view->arena, range->limit, sizeof(*walk.documents));
    if (range->index != KEYS_BY_NAME)
        walk.field = arena_printf(
            view->arena, "_store.keys.%s", range->collection->indexes[range->index].name);
    if (range->is_exact)
        error = find_exact(mongo, &walk);
    else if (keys_is_repeated(range->collection, range->index))
        error = find_any_order(mongo, &walk);
    else
        error = find_in_order(mongo, &walk);
    *documents = walk.documents;
    *n_documents = count_to_bytes(&walk);
    return error;
}
