/* What the store keeps beside a message, read from "_store". */
#include "shared/store/mongo.h"

#include <string.h>

const char mongo_answers[] = "store_answers", mongo_graves[] = "store_graves",
           mongo_meta[] = "store_meta";

void mongo_append_bytes(bson_t *document, const char *key, Bytes bytes)
{
    bson_append_binary(document, key, -1, BSON_SUBTYPE_BINARY,
        bytes.size ? bytes.data : (const uint8_t *)"", (uint32_t)bytes.size);
}

Bytes mongo_bytes(Arena *arena, const bson_iter_t *iter)
{
    const uint8_t *data = NULL;
    uint32_t size = 0;

    if (BSON_ITER_HOLDS_BINARY(iter))
        bson_iter_binary(iter, NULL, &size, &data);
    return bytes_copy(arena, (Bytes){ data, size });
}

void mongo_append_entry(bson_t *array, const char *key, const MongoEntry *entry)
{
    bson_t item;

    BSON_APPEND_DOCUMENT_BEGIN(array, key, &item);
    BSON_APPEND_INT64(&item, "number", entry->number);
    BSON_APPEND_INT32(&item, "partition", entry->partition);
    BSON_APPEND_INT64(&item, "time", entry->time);
    mongo_append_bytes(&item, "bytes", entry->bytes);
    bson_append_document_end(array, &item);
}

void mongo_append_reply(bson_t *array, const char *key, const MongoReply *reply)
{
    bson_t item;

    BSON_APPEND_DOCUMENT_BEGIN(array, key, &item);
    BSON_APPEND_UTF8(&item, "key", reply->key);
    mongo_append_bytes(&item, "hash", (Bytes){ reply->hash, sizeof(reply->hash) });
    BSON_APPEND_INT64(&item, "time", reply->time);
    mongo_append_bytes(&item, "reply", reply->bytes);
    bson_append_document_end(array, &item);
}

static size_t count_items(const bson_iter_t *array)
{
    bson_iter_t items;
    size_t count = 0;

    if (bson_iter_recurse(array, &items))
        while (bson_iter_next(&items))
            count++;
    return count;
}

static void read_entry(Arena *arena, const bson_iter_t *item, MongoEntry *entry)
{
    bson_iter_t field;

    if (!bson_iter_recurse(item, &field))
        return;
    while (bson_iter_next(&field)) {
        const char *key = bson_iter_key(&field);

        if (!strcmp(key, "number"))
            entry->number = bson_iter_as_int64(&field);
        else if (!strcmp(key, "partition"))
            entry->partition = (int)bson_iter_as_int64(&field);
        else if (!strcmp(key, "time"))
            entry->time = bson_iter_as_int64(&field);
        else if (!strcmp(key, "bytes"))
            entry->bytes = mongo_bytes(arena, &field);
    }
}

static void read_reply(Arena *arena, const bson_iter_t *item, MongoReply *reply)
{
    bson_iter_t field;

    reply->key = "";
    if (!bson_iter_recurse(item, &field))
        return;
    while (bson_iter_next(&field)) {
        const char *key = bson_iter_key(&field);
        Bytes bytes = mongo_bytes(arena, &field);

        if (!strcmp(key, "key"))
            reply->key = arena_text(arena, bson_iter_utf8(&field, NULL));
        else if (!strcmp(key, "hash") && bytes.size == sizeof(reply->hash))
            memcpy(reply->hash, bytes.data, bytes.size);
        else if (!strcmp(key, "time"))
            reply->time = bson_iter_as_int64(&field);
        else if (!strcmp(key, "reply"))
            reply->bytes = bytes;
    }
}

static void read_outbox(Arena *arena, const bson_iter_t *array, MongoHead *head)
{
    bson_iter_t item;

    head->outbox = arena_array(arena, count_items(array), sizeof(*head->outbox));
    if (bson_iter_recurse(array, &item))
        while (bson_iter_next(&item))
            read_entry(arena, &item, &head->outbox[head->n_outbox++]);
}

static void read_replies(Arena *arena, const bson_iter_t *array, MongoHead *head)
{
    bson_iter_t item;

    head->replies = arena_array(arena, count_items(array), sizeof(*head->replies));
    if (bson_iter_recurse(array, &item))
        while (bson_iter_next(&item))
            read_reply(arena, &item, &head->replies[head->n_replies++]);
}

void mongo_head_from(Arena *arena, const bson_t *document, MongoHead *head)
{
    bson_iter_t top, field;

    *head = (MongoHead){ .is_there = true, .write_id = "" };
    if (!bson_iter_init_find(&top, document, "_store") || !bson_iter_recurse(&top, &field))
        return;
    while (bson_iter_next(&field)) {
        const char *key = bson_iter_key(&field);

        if (!strcmp(key, "version"))
            head->version = bson_iter_as_int64(&field);
        else if (!strcmp(key, "events"))
            head->events = bson_iter_as_int64(&field);
        else if (!strcmp(key, "event_time"))
            head->event_time = bson_iter_as_int64(&field);
        else if (!strcmp(key, "write_id"))
            head->write_id = arena_text(arena, bson_iter_utf8(&field, NULL));
        else if (!strcmp(key, "marks"))
            head->marks = mongo_bytes(arena, &field);
        else if (!strcmp(key, "outbox"))
            read_outbox(arena, &field, head);
        else if (!strcmp(key, "replies"))
            read_replies(arena, &field, head);
    }
}

const MongoReply *mongo_head_reply(const MongoHead *head, const char *key)
{
    for (size_t i = 0; i < head->n_replies; i++)
        if (!strcmp(head->replies[i].key, key))
            return &head->replies[i];
    return NULL;
}

typedef struct HeadReader {
    Arena *arena;
    const char *const *names;
    size_t n_names;
    MongoHead *heads;
} HeadReader;

static bool take_head(void *context, const bson_t *document)
{
    HeadReader *reader = context;
    bson_iter_t iter;

    if (!bson_iter_init_find(&iter, document, "_id"))
        return true;
    for (size_t i = 0; i < reader->n_names; i++)
        if (!strcmp(reader->names[i], bson_iter_utf8(&iter, NULL)))
            mongo_head_from(reader->arena, document, &reader->heads[i]);
    return true;
}

const Error *mongo_read_heads(MongoEngine *mongo, const StoreView *view, const char *collection,
    const char *const *names, size_t n_names, MongoHead *heads)
{
    bson_t in = BSON_INITIALIZER, filter = BSON_INITIALIZER, *options, among;
    HeadReader reader = { view->arena, names, n_names, heads };
    const Error *error;

    for (size_t i = 0; i < n_names; i++) {
        char buffer[16];
        const char *number;

        heads[i] = (MongoHead){ .write_id = "" };
        bson_uint32_to_string((uint32_t)i, &number, buffer, sizeof(buffer));
        BSON_APPEND_UTF8(&in, number, names[i]);
    }
    if (n_names == 1) { /* every server finds that without looking through all */
        BSON_APPEND_UTF8(&filter, "_id", names[0]);
    } else {
        BSON_APPEND_DOCUMENT_BEGIN(&filter, "_id", &among);
        BSON_APPEND_ARRAY(&among, "$in", &in);
        bson_append_document_end(&filter, &among);
    }
    options = BCON_NEW("projection", "{", "_store", BCON_INT32(1), "}");
    error = mongo_find(mongo, view, collection, &filter, options, take_head, &reader);
    bson_destroy(&in);
    bson_destroy(&filter);
    bson_destroy(options);
    return error;
}

const Error *mongo_read_head(MongoEngine *mongo, const StoreView *view, const char *collection,
    const char *name, MongoHead *head)
{
    return mongo_read_heads(mongo, view, collection, &name, 1, head);
}

static const char *grave_name(Arena *arena, const char *collection, const char *name)
{
    return arena_printf(arena, "%s/%s", collection, name);
}

const Error *mongo_read_graves(MongoEngine *mongo, const StoreView *view, const char *collection,
    const char *const *names, size_t n_names, MongoHead *heads)
{
    const char **graves = arena_array(view->arena, n_names, sizeof(*graves));
    const Error *error;

    for (size_t i = 0; i < n_names; i++)
        graves[i] = grave_name(view->arena, collection, names[i]);
    error = mongo_read_heads(mongo, view, mongo_graves, graves, n_names, heads);
    for (size_t i = 0; i < n_names; i++)
        heads[i].is_there = false;
    return error;
}

const Error *mongo_read_grave(MongoEngine *mongo, const StoreView *view, const char *collection,
    const char *name, MongoHead *head)
{
    return mongo_read_graves(mongo, view, collection, &name, 1, head);
}

const Error *mongo_bury(MongoEngine *mongo, const StoreView *view, const char *collection,
    const char *name, const MongoHead *head)
{
    bson_t *command = BCON_NEW("update", BCON_UTF8(mongo_graves), "updates", "[", "{", "q", "{",
        "_id", BCON_UTF8(grave_name(view->arena, collection, name)), "}", "u", "{", "$set", "{",
        "_store", "{", "version", BCON_INT64(head->version), "events", BCON_INT64(head->events),
        "event_time", BCON_INT64(head->event_time), "}", "}", "}", "upsert", BCON_BOOL(true), "}",
        "]");
    MongoResult result = mongo_write_command(mongo, view, command, NULL);

    bson_destroy(command);
    return result.error;
}
