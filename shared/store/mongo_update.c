/* The BSON that a write sends: a whole new document, or the changes to one. */
#include "shared/store/mongo.h"

#include "shared/base/clock.h"
#include "shared/store/marks.h"

#include <assert.h>
#include <string.h>

/* The codec's field for what a newer version of the message has. */
static const char unknown_fields[] = "_unknown";

static void append_key(bson_t *document, const char *name, Bytes key)
{
    bson_append_utf8(document, name, -1, (const char *)key.data, (int)key.size);
}

void mongo_append_keys(
    bson_t *document, const Collection *collection, const IndexEntry *entries, size_t n_entries)
{
    size_t i = 0;

    while (i < n_entries) {
        int index = entries[i].index;
        const char *name = collection->indexes[index].name;
        uint32_t position = 0;
        char buffer[16];
        bson_t array;

        if (!keys_is_repeated(collection, index)) {
            append_key(document, name, entries[i++].key);
            continue;
        }
        BSON_APPEND_ARRAY_BEGIN(document, name, &array);
        for (; i < n_entries && entries[i].index == index; i++, position++) {
            const char *number;

            bson_uint32_to_string(position, &number, buffer, sizeof(buffer));
            append_key(&array, number, entries[i].key);
        }
        bson_append_array_end(document, &array);
    }
}

/* In the order in which the document tells them, each later than the one before: the log takes them by time. */
static int64_t next_event_time(const MongoHead *head)
{
    int64_t now = clock_now();

    return now > head->event_time ? now : head->event_time + 1;
}

static void append_outbox(
    bson_t *array, const EngineWrite *write, const MongoHead *head, int64_t time)
{
    for (size_t i = 0; i < write->n_events; i++) {
        MongoEntry entry = { .number = head->events + 1 + (int64_t)i,
            .time = time + (int64_t)i,
            .partition = write->events[i].partition,
            .bytes = write->events[i].bytes };
        const char *number;
        char buffer[16];

        bson_uint32_to_string((uint32_t)i, &number, buffer, sizeof(buffer));
        mongo_append_entry(array, number, &entry);
    }
}

static MongoReply reply_of(const EngineWrite *write)
{
    MongoReply reply = { .key = write->request_key, .time = clock_now(), .bytes = write->reply };

    memcpy(reply.hash, write->request_hash, sizeof(reply.hash));
    return reply;
}

static void append_marks(
    bson_t *document, const char *field, const EngineWrite *write, const MongoHead *head)
{
    Arena *arena = arena_new();

    mongo_append_bytes(
        document, field, marks_set(arena, head->marks, write->mark_source, write->mark_position));
    arena_free(arena);
}

static void append_body(bson_t *document, const EngineWrite *write)
{
    bson_t body;
    bool is_valid = bson_init_static(&body, write->body.data, write->body.size);

    assert(is_valid);
    bson_concat(document, &body);
}

void mongo_append_insert(
    bson_t *document, const EngineWrite *write, const MongoHead *head, const char *write_id)
{
    int64_t time = write->n_events ? next_event_time(head) : head->event_time;
    bson_t store, part;

    BSON_APPEND_UTF8(document, "_id", write->name);
    append_body(document, write);
    BSON_APPEND_DOCUMENT_BEGIN(document, "_store", &store);
    BSON_APPEND_INT64(&store, "version", head->version + 1);
    BSON_APPEND_INT64(&store, "events", head->events + (int64_t)write->n_events);
    BSON_APPEND_INT64(&store, "event_time", time + (int64_t)write->n_events);
    BSON_APPEND_INT64(&store, "since", time);
    BSON_APPEND_UTF8(&store, "write_id", write_id);
    if (write->expire)
        BSON_APPEND_INT64(&store, "expire", write->expire);
    if (write->mark_source)
        append_marks(&store, "marks", write, head);
    BSON_APPEND_DOCUMENT_BEGIN(&store, "keys", &part);
    mongo_append_keys(&part, write->collection, write->entries, write->n_entries);
    bson_append_document_end(&store, &part);
    BSON_APPEND_ARRAY_BEGIN(&store, "outbox", &part);
    append_outbox(&part, write, head, time);
    bson_append_array_end(&store, &part);
    BSON_APPEND_ARRAY_BEGIN(&store, "replies", &part);
    if (write->request_key) {
        MongoReply reply = reply_of(write);

        mongo_append_reply(&part, "0", &reply);
    }
    bson_append_array_end(&store, &part);
    bson_append_document_end(document, &store);
}

static void append_set(bson_t *update, const EngineWrite *write, const MongoHead *head,
    const char *write_id, int64_t time)
{
    bson_t set, keys;

    BSON_APPEND_DOCUMENT_BEGIN(update, "$set", &set);
    append_body(&set, write);
    BSON_APPEND_INT64(&set, "_store.version", head->version + 1);
    BSON_APPEND_UTF8(&set, "_store.write_id", write_id);
    if (write->expire)
        BSON_APPEND_INT64(&set, "_store.expire", write->expire);
    if (write->mark_source)
        append_marks(&set, "_store.marks", write, head);
    if (write->n_events) {
        BSON_APPEND_INT64(&set, "_store.events", head->events + (int64_t)write->n_events);
        BSON_APPEND_INT64(&set, "_store.event_time", time + (int64_t)write->n_events);
        if (!head->n_outbox)
            BSON_APPEND_INT64(&set, "_store.since", time);
    }
    BSON_APPEND_DOCUMENT_BEGIN(&set, "_store.keys", &keys);
    mongo_append_keys(&keys, write->collection, write->entries, write->n_entries);
    bson_append_document_end(&set, &keys);
    bson_append_document_end(update, &set);
}

/* Fields that the message does not set any more. Those of a newer version of the message stay. */
static void append_unset(bson_t *update, const EngineWrite *write)
{
    const ProtobufCMessageDescriptor *message = write->collection->message;
    bson_t unset = BSON_INITIALIZER, body;
    bool is_valid = bson_init_static(&body, write->body.data, write->body.size);

    assert(is_valid);
    for (unsigned i = 0; i < message->n_fields; i++)
        if (!bson_has_field(&body, message->fields[i].name))
            BSON_APPEND_BOOL(&unset, message->fields[i].name, true);
    if (!bson_has_field(&body, unknown_fields))
        BSON_APPEND_BOOL(&unset, unknown_fields, true);
    if (!write->expire)
        BSON_APPEND_BOOL(&unset, "_store.expire", true);
    if (!bson_empty(&unset))
        BSON_APPEND_DOCUMENT(update, "$unset", &unset);
    bson_destroy(&unset);
}

static void append_push(
    bson_t *update, const EngineWrite *write, const MongoHead *head, int64_t time)
{
    bson_t push, field, each;

    if (!write->n_events && !write->request_key)
        return;
    BSON_APPEND_DOCUMENT_BEGIN(update, "$push", &push);
    if (write->n_events) {
        BSON_APPEND_DOCUMENT_BEGIN(&push, "_store.outbox", &field);
        BSON_APPEND_ARRAY_BEGIN(&field, "$each", &each);
        append_outbox(&each, write, head, time);
        bson_append_array_end(&field, &each);
        bson_append_document_end(&push, &field);
    }
    if (write->request_key) {
        MongoReply reply = reply_of(write);

        mongo_append_reply(&push, "_store.replies", &reply);
    }
    bson_append_document_end(update, &push);
}

void mongo_append_update(
    bson_t *update, const EngineWrite *write, const MongoHead *head, const char *write_id)
{
    int64_t time = next_event_time(head);

    append_set(update, write, head, write_id, time);
    append_unset(update, write);
    append_push(update, write, head, time);
}
