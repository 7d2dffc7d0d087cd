/* Trimming the outbox: entries that are in the log go, those of all documents of a collection in one command. */
#include "shared/store/mongo.h"

#include <string.h>

enum { COMMAND_BYTES = 4 * 1024 * 1024 }; /* of one command, about: a server takes 16 MB */

/* What is trimmed of one collection. */
typedef struct Trim {
    MongoEngine *mongo;
    const StoreView *view;
    const char *collection;
    const StoreEntry *entries; /* of all collections */
    size_t n_entries;
    const char **names; /* of the collection's documents, each once */
    MongoHead *heads;
    size_t n_names;
} Trim;

static bool is_listed(const Trim *trim, const char *name, int64_t number)
{
    for (size_t i = 0; i < trim->n_entries; i++)
        if (trim->entries[i].number == number && !strcmp(trim->entries[i].aggregate, name) &&
            !strcmp(trim->entries[i].collection, trim->collection))
            return true;
    return false;
}

static void list_names(Trim *trim)
{
    for (size_t i = 0; i < trim->n_entries; i++) {
        const StoreEntry *entry = &trim->entries[i];
        bool is_new = !strcmp(entry->collection, trim->collection);

        for (size_t j = 0; j < trim->n_names && is_new; j++)
            is_new = strcmp(trim->names[j], entry->aggregate) != 0;
        if (is_new)
            trim->names[trim->n_names++] = entry->aggregate;
    }
}

/* Pulls the document's listed entries as they are. What stays is younger than the oldest that stays now, whatever is pushed
 * meanwhile. */
static void append_update(bson_t *update, const Trim *trim, size_t document)
{
    const MongoHead *head = &trim->heads[document];
    bson_t pulled = BSON_INITIALIZER, changes = BSON_INITIALIZER;
    int64_t since = 0;
    uint32_t count = 0;

    for (size_t i = 0; i < head->n_outbox; i++) {
        const MongoEntry *entry = &head->outbox[i];
        char buffer[16];
        const char *number;

        if (!is_listed(trim, trim->names[document], entry->number)) {
            since = since ? since : entry->time;
            continue;
        }
        bson_uint32_to_string(count++, &number, buffer, sizeof(buffer));
        mongo_append_entry(&pulled, number, entry);
    }
    BCON_APPEND(&changes, "$pullAll", "{", "_store.outbox", BCON_ARRAY(&pulled), "}");
    if (since)
        BCON_APPEND(&changes, "$set", "{", "_store.since", BCON_INT64(since), "}");
    BCON_APPEND(update, "q", "{", "_id", BCON_UTF8(trim->names[document]), "}", "u",
        BCON_DOCUMENT(&changes));
    bson_destroy(&pulled);
    bson_destroy(&changes);
}

/* One command for as many documents, from this one on, as fit into it; the next one. */
static const Error *send_updates(const Trim *trim, size_t *document)
{
    bson_t command = BSON_INITIALIZER, updates = BSON_INITIALIZER;
    uint32_t count = 0;
    const Error *error;

    for (; *document < trim->n_names && updates.len < COMMAND_BYTES; (*document)++) {
        bson_t update = BSON_INITIALIZER;
        char buffer[16];
        const char *number;

        bson_uint32_to_string(count++, &number, buffer, sizeof(buffer));
        append_update(&update, trim, *document);
        BSON_APPEND_DOCUMENT(&updates, number, &update);
        bson_destroy(&update);
    }
    BSON_APPEND_UTF8(&command, "update", trim->collection);
    BSON_APPEND_ARRAY(&command, "updates", &updates);
    error = mongo_write_command(trim->mongo, trim->view, &command, NULL).error;
    bson_destroy(&updates);
    bson_destroy(&command);
    return error;
}

static const Error *trim_collection(Trim *trim)
{
    Arena *arena = trim->view->arena;
    size_t document = 0;
    const Error *error;

    trim->names = arena_array(arena, trim->n_entries, sizeof(*trim->names));
    list_names(trim);
    trim->heads = arena_array(arena, trim->n_names, sizeof(*trim->heads));
    error = mongo_read_heads(
        trim->mongo, trim->view, trim->collection, trim->names, trim->n_names, trim->heads);
    while (!error && document < trim->n_names)
        error = send_updates(trim, &document);
    return error;
}

const Error *mongo_trim_outbox(
    Engine *engine, const StoreView *view, const StoreEntry *entries, size_t n_entries)
{
    const Error *error = NULL;

    for (size_t i = 0; i < n_entries && !error; i++) {
        Trim trim = { .mongo = (MongoEngine *)engine,
            .view = view,
            .collection = entries[i].collection,
            .entries = entries,
            .n_entries = n_entries };
        bool is_first = true;

        for (size_t j = 0; j < i && is_first; j++)
            is_first = strcmp(entries[j].collection, entries[i].collection) != 0;
        if (is_first)
            error = trim_collection(&trim);
    }
    return error;
}
