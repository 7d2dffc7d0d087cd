#include "tests/store/counted.h"

#include "shared/codec/message.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_ENTRIES = 100000 };

static char *name_of(Arena *arena, int document)
{
    return arena_printf(arena, "records/%d", document);
}

static char *owner_of_count(Arena *arena, int document, int count)
{
    return arena_printf(arena, "%d-%d", document, count);
}

static const Error *seal(void *context, Arena *arena, const char *aggregate,
    const ProtobufCMessage *payload, Bytes *sealed, int *partition)
{
    const char *owner = ((const Record *)payload)->owner;

    (void)context, (void)aggregate;
    *sealed = (Bytes){ (const uint8_t *)arena_text(arena, owner), strlen(owner) };
    *partition = 0;
    return NULL;
}

const Error *counted_open(Arena *arena, const char *uri, Store **store)
{
    static const Collection *const collections[] = { &records, NULL };

    return store_open(arena,
        &(StoreOptions){ .uri = uri, .service = "durable", .collections = collections }, store);
}

const Error *counted_change(
    Store *store, Arena *arena, int document, size_t ballast, int32_t *count)
{
    StoreView view = { .store = store, .arena = arena, .seal = seal };
    Record record = THROUGHLINE__ECHO__V1__RECORD__INIT, reply = record;
    const Error *error = store_get(&view, &records, name_of(arena, document), &record);
    bool is_new = error && error->code == ERROR_NOT_FOUND;

    if (error && !is_new)
        return error;
    record.name = name_of(arena, document);
    *count = (int32_t)++record.count;
    record.owner = reply.owner = owner_of_count(arena, document, *count);
    record.n_numbers = ballast;
    record.numbers = arena_array(arena, ballast, sizeof(*record.numbers));
    view.request_key = record.owner;
    view.reply = &reply.base;
    return is_new ? store_insert(&view, &records, &record, &record)
                  : store_replace(&view, &records, &record, &record);
}

static const char note_position[] = "records/note";

static char *note_name(Arena *arena, int32_t number)
{
    return arena_printf(arena, "%s-%d", note_position, number);
}

const Error *counted_note(Store *store, Arena *arena, int32_t number)
{
    StoreView view = { .store = store, .arena = arena, .is_relaxed = true };
    Record effect = THROUGHLINE__ECHO__V1__RECORD__INIT, position = effect;
    const Error *error;

    effect.name = note_name(arena, number);
    position.name = (char *)note_position;
    effect.count = position.count = number;
    error = store_insert(&view, &records, &effect, NULL);
    if (error && error->code != ERROR_ALREADY_EXISTS)
        return error;
    return store_put(&view, &records, &position, NULL);
}

void counted_check_integrity(const char *folder)
{
    char path[4096];
    sqlite3_stmt *statement;
    sqlite3 *db;

    snprintf(path, sizeof(path), "%s/durable.db", folder);
    if (access(path, F_OK)) /* there was no time to make the file */
        return;
    CU_ASSERT_EQUAL_FATAL(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &statement, NULL);
    CHECK_INT(sqlite3_step(statement), SQLITE_ROW);
    CHECK_TEXT((const char *)sqlite3_column_text(statement, 0), "ok");
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

/* The document has the changes that were acknowledged, or one more; returns how many. */
static int32_t check_document(Counted *counted, StoreView *view, int document)
{
    Record record = THROUGHLINE__ECHO__V1__RECORD__INIT;
    const Error *error = store_get(view, &records, name_of(view->arena, document), &record);
    int32_t count = error ? 0 : (int32_t)record.count;
    int32_t acknowledged = counted->acknowledged[document];

    CU_ASSERT(!error || error->code == ERROR_NOT_FOUND);
    CU_ASSERT(count == acknowledged || count == acknowledged + 1);
    if (count < acknowledged)
        counted->lost += acknowledged - count;
    if (count)
        CHECK_TEXT(record.owner, owner_of_count(view->arena, document, count));
    return count;
}

static void check_index(StoreView *view, int document, int32_t count)
{
    StoreQuery query = { .index = "by_owner", .limit = 9 };
    StorePage page;

    query.prefix = arena_printf(view->arena, "%d-", document);
    CHECK_OK(store_find(view, &records, &query, &page));
    CHECK_INT(page.n_messages, count ? 1 : 0);
    if (page.n_messages)
        CHECK_INT(((Record *)page.messages[0])->count, count);
}

static void check_answers(StoreView *view, int document, int32_t count)
{
    StoreView request = *view;
    const Record *reply;

    request.request_key = owner_of_count(view->arena, document, count);
    if (count) {
        CHECK_REASON(store_find_reply(&request), "REQUEST_REPLAYED");
        reply = message_unpack(view->arena, records.message, request.replayed);
        CHECK_TEXT(reply ? reply->owner : NULL, request.request_key);
    }
    request.request_key = owner_of_count(view->arena, document, count + 1);
    CHECK_OK(store_find_reply(&request));
}

/* Each change told one event, and the numbers have no gap. */
static void check_outbox(Counted *counted, StoreView *view)
{
    int64_t next[COUNTED_DOCUMENTS];
    StoreEntry *entries;
    size_t n_entries;

    memcpy(next, counted->trimmed, sizeof(next));
    CHECK_OK(store_outbox_read(view, 1, MAX_ENTRIES, &entries, &n_entries));
    for (size_t i = 0; i < n_entries; i++) {
        int document = atoi(entries[i].aggregate + sizeof("records/") - 1);

        CHECK_INT(entries[i].number, ++next[document]);
        CHECK_TEXT(
            arena_text_of(view->arena, (const char *)entries[i].bytes.data, entries[i].bytes.size),
            owner_of_count(view->arena, document, (int)entries[i].number));
    }
    for (int i = 0; i < COUNTED_DOCUMENTS; i++)
        CHECK_INT(next[i], counted->acknowledged[i]);
    CHECK_OK(store_outbox_trim(view, entries, n_entries));
    memcpy(counted->trimmed, next, sizeof(next));
}

static bool is_noted(StoreView *view, int32_t number)
{
    Record note = THROUGHLINE__ECHO__V1__RECORD__INIT;
    const Error *error = store_get(view, &records, note_name(view->arena, number), &note);

    CU_ASSERT(!error || error->code == ERROR_NOT_FOUND);
    return !error && note.count == number;
}

/* Nothing stands behind the first note that is missing. */
static void check_notes(Counted *counted, StoreView *view)
{
    Record position = THROUGHLINE__ECHO__V1__RECORD__INIT;
    const Error *error = store_get(view, &records, note_position, &position);
    int32_t stored = error ? 0 : (int32_t)position.count;

    CU_ASSERT(!error || error->code == ERROR_NOT_FOUND);
    CU_ASSERT(stored >= counted->noted);
    if (stored < counted->noted)
        counted->lost += counted->noted - stored;
    for (int32_t i = 1; i <= stored; i++)
        CU_ASSERT(is_noted(view, i));
    CU_ASSERT(!is_noted(view, stored + 2));
    counted->noted = stored;
}

void counted_check(Counted *counted, const char *uri)
{
    Arena *arena = arena_new();
    StoreView view = { .arena = arena };

    CHECK_OK(counted_open(arena, uri, &view.store));
    CU_ASSERT_FATAL(view.store != NULL);
    for (int i = 0; i < COUNTED_DOCUMENTS; i++) {
        int32_t count = check_document(counted, &view, i);

        check_index(&view, i, count);
        check_answers(&view, i, count);
        counted->acknowledged[i] = count;
    }
    check_outbox(counted, &view);
    check_notes(counted, &view);
    store_close(view.store);
    arena_free(arena);
}
