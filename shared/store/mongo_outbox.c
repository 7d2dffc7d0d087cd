/* The outboxes of all documents as one: entries of a partition in the order of their times. */
#include "shared/store/mongo.h"

#include "shared/base/clock.h"

#include <string.h>

/* In the collection of the store itself: how often a relay was called by another process. */
static const char bell[] = "outbox";

typedef struct Timed {
    StoreEntry entry;
    int64_t time;
} Timed;

/* The oldest entries of one partition so far, in order. */
typedef struct Oldest {
    Timed *entries;
    size_t count;
} Oldest;

typedef struct Gathering {
    const StoreView *view;
    const char *collection;
    unsigned partitions;
    int64_t before; /* entries from this time on are for the next round */
    size_t limit;
    Oldest oldest[STORE_PARTITIONS];
} Gathering;

static void keep(Gathering *gathering, const char *name, const MongoEntry *entry)
{
    Oldest *oldest = &gathering->oldest[entry->partition];
    size_t at = oldest->count;

    if (!oldest->entries)
        oldest->entries =
            arena_array(gathering->view->arena, gathering->limit, sizeof(*oldest->entries));
    while (at && entry->time < oldest->entries[at - 1].time)
        at--;
    if (at == gathering->limit)
        return;
    oldest->count += oldest->count < gathering->limit;
    memmove(&oldest->entries[at + 1], &oldest->entries[at],
        (oldest->count - at - 1) * sizeof(*oldest->entries));
    oldest->entries[at] = (Timed){ .entry = { .collection = gathering->collection,
                                       .aggregate = name,
                                       .number = entry->number,
                                       .partition = entry->partition,
                                       .bytes = entry->bytes },
        .time = entry->time };
}

static bool is_wanted(const Gathering *gathering, int partition)
{
    return partition >= 0 && partition < STORE_PARTITIONS &&
           gathering->partitions & 1u << partition;
}

static int64_t since_of(const bson_t *document)
{
    bson_iter_t top, iter;

    return bson_iter_init(&top, document) && bson_iter_find_descendant(&top, "_store.since", &iter)
               ? bson_iter_as_int64(&iter)
               : 0;
}

/* Whether every partition has enough entries that are older than this. */
static bool is_enough(const Gathering *gathering, int64_t since)
{
    for (int i = 0; i < STORE_PARTITIONS; i++) {
        const Oldest *oldest = &gathering->oldest[i];

        if (is_wanted(gathering, i) &&
            (oldest->count < gathering->limit || since <= oldest->entries[oldest->count - 1].time))
            return false;
    }
    return true;
}

/* Documents come by the time of their oldest entry: once there are enough entries older than all that can come, it is over. */
static bool gather(void *context, const bson_t *document)
{
    Gathering *gathering = context;
    Arena *arena = gathering->view->arena;
    bson_iter_t iter;
    const char *name;
    MongoHead head;

    if (is_enough(gathering, since_of(document)))
        return false;
    if (!bson_iter_init_find(&iter, document, "_id"))
        return true;
    name = arena_text(arena, bson_iter_utf8(&iter, NULL));
    mongo_head_from(arena, document, &head);
    for (size_t i = 0; i < head.n_outbox; i++)
        if (is_wanted(gathering, head.outbox[i].partition) &&
            head.outbox[i].time < gathering->before)
            keep(gathering, name, &head.outbox[i]);
    return true;
}

/* All partitions in one query: a server that has to look through the whole collection does so once. */
static const Error *gather_collection(MongoEngine *mongo, Gathering *gathering)
{
    bson_t partitions = BSON_INITIALIZER, *filter, *options;
    const Error *error;
    uint32_t count = 0;

    for (int i = 0; i < STORE_PARTITIONS; i++)
        if (is_wanted(gathering, i)) {
            char buffer[16];
            const char *number;

            bson_uint32_to_string(count++, &number, buffer, sizeof(buffer));
            BSON_APPEND_INT32(&partitions, number, i);
        }
    filter = BCON_NEW("_store.outbox.partition", "{", "$in", BCON_ARRAY(&partitions), "}");
    options =
        BCON_NEW("projection", "{", "_store.outbox", BCON_INT32(1), "_store.since", BCON_INT32(1),
            "}", "sort", "{", "_store.since", BCON_INT32(1), "}", "allowDiskUse", BCON_BOOL(true));
    error = mongo_find(
        mongo, gathering->view, gathering->collection, filter, options, gather, gathering);
    bson_destroy(&partitions);
    bson_destroy(filter);
    bson_destroy(options);
    return error;
}

/* One collection is read after the other, so an event that follows from another could be seen without it. Entries that are younger
 * than the start of reading are left: what they follow from was stored before. */
const Error *mongo_read_outbox(Engine *engine, const StoreView *view, unsigned partitions,
    size_t limit, StoreEntry **entries, size_t *n_entries)
{
    Gathering gathering = {
        .view = view, .partitions = partitions, .limit = limit, .before = clock_now() + 1
    };
    const Error *error = NULL;
    size_t count = 0;

    for (size_t i = 0; i < engine->n_collections && !error; i++) {
        gathering.collection = engine->collections[i]->name;
        error = gather_collection((MongoEngine *)engine, &gathering);
    }
    for (int i = 0; i < STORE_PARTITIONS; i++)
        count += gathering.oldest[i].count;
    *entries = arena_array(view->arena, count, sizeof(**entries));
    for (int i = 0; i < STORE_PARTITIONS; i++)
        for (size_t j = 0; j < gathering.oldest[i].count; j++)
            (*entries)[(*n_entries)++] = gathering.oldest[i].entries[j].entry;
    return error;
}

/* A race for the first ring of a store is lost to one that counts as well. */
static const Error *add_ring(MongoEngine *mongo, const StoreView *view)
{
    bson_t *command = BCON_NEW("update", BCON_UTF8(mongo_meta), "updates", "[", "{", "q", "{",
        "_id", BCON_UTF8(bell), "}", "u", "{", "$inc", "{", "rings", BCON_INT64(1), "}", "}",
        "upsert", BCON_BOOL(true), "}", "]");
    MongoResult result = mongo_write_command(mongo, view, command, NULL);

    bson_destroy(command);
    return result.code == MONGO_DUPLICATE_KEY ? NULL : result.error;
}

static bool take_rings(void *context, const bson_t *document)
{
    bson_iter_t iter;

    if (bson_iter_init_find(&iter, document, "rings"))
        *(int64_t *)context = bson_iter_as_int64(&iter);
    return false;
}

const Error *mongo_ring(Engine *engine, const StoreView *view, bool is_ours, int64_t *rings)
{
    MongoEngine *mongo = (MongoEngine *)engine;
    bson_t *filter, *options;
    const Error *error;

    *rings = 0;
    if (is_ours)
        return add_ring(mongo, view);
    filter = BCON_NEW("_id", BCON_UTF8(bell));
    options = BCON_NEW("limit", BCON_INT64(1));
    error = mongo_find(mongo, view, mongo_meta, filter, options, take_rings, rings);
    bson_destroy(filter);
    bson_destroy(options);
    return error;
}
