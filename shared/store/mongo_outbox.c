/* The outboxes of all documents as one: entries of a partition in the order of their times. */
#include "shared/store/mongo.h"

#include "shared/base/clock.h"

#include <string.h>

typedef struct Timed {
    StoreEntry entry;
    int64_t time;
} Timed;

/* The oldest entries so far, in order. */
typedef struct Gathering {
    const StoreView *view;
    const char *collection;
    int partition;
    int64_t before; /* entries from this time on are for the next round */
    Timed *entries;
    size_t count, limit;
} Gathering;

static void keep(Gathering *gathering, const char *name, const MongoEntry *entry)
{
    size_t at = gathering->count;

    while (at && entry->time < gathering->entries[at - 1].time)
        at--;
    if (at == gathering->limit)
        return;
    gathering->count += gathering->count < gathering->limit;
    memmove(&gathering->entries[at + 1], &gathering->entries[at],
        (gathering->count - at - 1) * sizeof(*gathering->entries));
    gathering->entries[at] = (Timed){ .entry = { .collection = gathering->collection,
                                          .aggregate = name,
                                          .number = entry->number,
                                          .partition = entry->partition,
                                          .bytes = entry->bytes },
        .time = entry->time };
}

static int64_t since_of(const bson_t *document)
{
    bson_iter_t top, iter;

    return bson_iter_init(&top, document) && bson_iter_find_descendant(&top, "_store.since", &iter)
               ? bson_iter_as_int64(&iter)
               : 0;
}

/* Documents come by the time of their oldest entry: once there are enough entries older than all that can come, it is over. */
static bool gather(void *context, const bson_t *document)
{
    Gathering *gathering = context;
    Arena *arena = gathering->view->arena;
    bson_iter_t iter;
    const char *name;
    MongoHead head;

    if (gathering->count == gathering->limit &&
        since_of(document) > gathering->entries[gathering->count - 1].time)
        return false;
    if (!bson_iter_init_find(&iter, document, "_id"))
        return true;
    name = arena_text(arena, bson_iter_utf8(&iter, NULL));
    mongo_head_from(arena, document, &head);
    for (size_t i = 0; i < head.n_outbox; i++)
        if (head.outbox[i].partition == gathering->partition &&
            head.outbox[i].time < gathering->before)
            keep(gathering, name, &head.outbox[i]);
    return true;
}

static const Error *gather_collection(MongoEngine *mongo, Gathering *gathering)
{
    bson_t *filter = BCON_NEW("_store.outbox.partition", BCON_INT32(gathering->partition));
    bson_t *options = BCON_NEW("projection", "{", "_store.outbox", BCON_INT32(1), "_store.since",
        BCON_INT32(1), "}", "sort", "{", "_store.since", BCON_INT32(1), "}");
    const Error *error = mongo_find(
        mongo, gathering->view, gathering->collection, filter, options, gather, gathering);

    bson_destroy(filter);
    bson_destroy(options);
    return error;
}

/* One collection is read after the other, so an event that follows from another could be seen without it. Entries that are younger
 * than the start of reading are left: what they follow from was stored before. */
const Error *mongo_read_outbox(Engine *engine, const StoreView *view, int partition, size_t limit,
    StoreEntry **entries, size_t *n_entries)
{
    Gathering gathering = {
        .view = view, .partition = partition, .limit = limit, .before = clock_now() + 1
    };
    const Error *error = NULL;

    gathering.entries = arena_array(view->arena, limit, sizeof(*gathering.entries));
    for (size_t i = 0; i < engine->n_collections && !error; i++) {
        gathering.collection = engine->collections[i]->name;
        error = gather_collection((MongoEngine *)engine, &gathering);
    }
    *entries = arena_array(view->arena, gathering.count, sizeof(**entries));
    for (size_t i = 0; i < gathering.count; i++)
        (*entries)[i] = gathering.entries[i].entry;
    *n_entries = gathering.count;
    return error;
}

static bool is_same_document(const StoreEntry *a, const StoreEntry *b)
{
    return !strcmp(a->aggregate, b->aggregate) && !strcmp(a->collection, b->collection);
}

static bool is_listed(
    const StoreEntry *entries, size_t n_entries, const StoreEntry *of, int64_t number)
{
    for (size_t i = 0; i < n_entries; i++)
        if (entries[i].number == number && is_same_document(&entries[i], of))
            return true;
    return false;
}

/* Pulls the document's listed entries as they are. What stays is younger than the oldest that stays now, whatever is pushed
 * meanwhile. */
static const Error *trim_document(MongoEngine *mongo, const StoreView *view,
    const StoreEntry *entries, size_t n_entries, const StoreEntry *of)
{
    bson_t pulled = BSON_INITIALIZER, changes = BSON_INITIALIZER, *command;
    int64_t since = 0;
    uint32_t count = 0;
    const Error *error;
    MongoHead head;

    error = mongo_read_head(mongo, view, of->collection, of->aggregate, &head);
    for (size_t i = 0; i < head.n_outbox && !error; i++) {
        char buffer[16];
        const char *number;

        if (!is_listed(entries, n_entries, of, head.outbox[i].number)) {
            since = since ? since : head.outbox[i].time;
            continue;
        }
        bson_uint32_to_string(count++, &number, buffer, sizeof(buffer));
        mongo_append_entry(&pulled, number, &head.outbox[i]);
    }
    if (!error && count) {
        BCON_APPEND(&changes, "$pullAll", "{", "_store.outbox", BCON_ARRAY(&pulled), "}");
        if (since)
            BCON_APPEND(&changes, "$set", "{", "_store.since", BCON_INT64(since), "}");
        command = BCON_NEW("update", BCON_UTF8(of->collection), "updates", "[", "{", "q", "{",
            "_id", BCON_UTF8(of->aggregate), "}", "u", BCON_DOCUMENT(&changes), "}", "]");
        error = mongo_write_command(mongo, view, command, NULL).error;
        bson_destroy(command);
    }
    bson_destroy(&pulled);
    bson_destroy(&changes);
    return error;
}

const Error *mongo_trim_outbox(
    Engine *engine, const StoreView *view, const StoreEntry *entries, size_t n_entries)
{
    const Error *error = NULL;

    for (size_t i = 0; i < n_entries && !error; i++) {
        bool is_first = true;

        for (size_t j = 0; j < i && is_first; j++)
            is_first = !is_same_document(&entries[j], &entries[i]);
        if (is_first)
            error = trim_document((MongoEngine *)engine, view, entries, n_entries, &entries[i]);
    }
    return error;
}
