#include "services/catalog/records.h"

#include "services/catalog/governance/governance.h"
#include "shared/codec/message.h"
#include "shared/rpc/check.h"
#include "shared/service/race.h"

#include <stdlib.h>
#include <string.h>

typedef Throughline__Catalog__V1__ImportRecordsResponse__RowError RowError;

enum { MAX_ROUNDS = 8 };

const Error record_etag_stale = { ERROR_ABORTED, "ETAG_STALE",
    "The record was changed meanwhile: load it again." };

static char **name_of(const void *record)
{
    return message_field(record, "name");
}

static char **etag_of(const void *record)
{
    return message_field(record, "etag");
}

static Google__Protobuf__Timestamp **delete_time_of(const void *record)
{
    return message_field(record, "delete_time");
}

char *record_title(const void *record)
{
    char *const *title = message_field(record, "title");

    return title ? *title : (char *)protobuf_c_empty_string;
}

bool record_is_deleted(const void *record)
{
    return *delete_time_of(record) != NULL;
}

const Error *record_get(RpcCall *call, const RecordKind *kind, const char *name, void *record)
{
    const Error *error = store_get(call->store, kind->collection, name, record);

    return error || !record_is_deleted(record) ? error : kind->not_found;
}

void records_drop_deleted(StorePage *page)
{
    size_t n_left = 0;

    for (size_t i = 0; i < page->n_messages; i++)
        if (!record_is_deleted(page->messages[i]))
            page->messages[n_left++] = page->messages[i];
    page->n_messages = n_left;
}

/* All members of the oneof are pointers to messages. */
void record_changed(TaxonomyChanged *changed, const RecordKind *kind, void *record, Deed *deed)
{
    throughline__catalog__v1__taxonomy_changed__init(changed);
    changed->record_case = kind->kind;
    changed->category = record;
    changed->title = record_title(record);
    changed->deed = deed;
}

void catalog_put_record(Catalog *catalog, const TaxonomyChanged *changed)
{
    if (changed->record_case == THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD_ASSORTMENT)
        assortment_shelf_put(catalog->assortments, changed->assortment);
    else if (changed->record_case != THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD__NOT_SET)
        registry_put(catalog->registry, changed->category);
}

/* One record on its way into the store. */
typedef struct Row {
    int64_t number;
    void *record;
    TaxonomyChanged event;
    const void *events[1];
    StoreWrite *write; /* NULL: as it was, or refused */
    bool is_new;
} Row;

/* Whether what is stored is the record but for its version. */
static bool is_same(void *stored, void *record)
{
    char *etag = *etag_of(stored);
    bool is_equal;

    *etag_of(stored) = *etag_of(record);
    is_equal = message_equal(stored, record);
    *etag_of(stored) = etag;
    return is_equal;
}

static void prepare_write(
    Row *row, const RecordKind *kind, const void *stored, Deed *deed, StoreWrite *write)
{
    row->is_new = !stored || record_is_deleted(stored);
    *etag_of(row->record) = stored ? *etag_of(stored) : (char *)protobuf_c_empty_string;
    record_changed(&row->event, kind, row->record, deed);
    row->events[0] = &row->event;
    *write = (StoreWrite){
        .kind = stored ? STORE_REPLACE : STORE_INSERT,
        .collection = kind->collection,
        .message = row->record,
        .events = row->events,
        .n_events = 1,
    };
    row->write = write;
}

/* One. */

static const Error *put_once(RpcCall *call, const RecordKind *kind, Row *row, const char *etag)
{
    void *stored = message_new(call->arena, kind->collection->message);
    const Error *refusal = NULL;
    StoreWrite writes[2] = { 0 };
    size_t n = 0;
    const Error *error = store_get(call->store, kind->collection, *name_of(row->record), stored);
    bool is_stored = !error;
    bool is_there = is_stored && !record_is_deleted(stored);

    if (error && error->code != ERROR_NOT_FOUND)
        return error;
    if (*etag && (!is_there || !text_equal(etag, *etag_of(stored))))
        return &record_etag_stale;
    if (kind->carry && (error = kind->carry(call->store, is_there ? stored : NULL, row->record)))
        return error;
    if (is_there && is_same(stored, row->record)) {
        *etag_of(row->record) = *etag_of(stored);
        return NULL;
    }
    if (kind->screen &&
        (error = kind->screen(call, call->store, &row->record, 1, &refusal, &writes[0])))
        return error;
    if (refusal)
        return refusal;
    n = writes[0].collection != NULL;
    prepare_write(row, kind, is_stored ? stored : NULL, deed_of(call, ""), &writes[n]);
    writes[n].is_chained = n > 0;
    return store_write(call->store, writes, n + 1);
}

/* Somebody else has just made it, or moved something in the tree. */
static bool is_race(const Error *error)
{
    return error->code == ERROR_ABORTED ||
           (error->code == ERROR_ALREADY_EXISTS && text_ends_with(error->reason, "_EXISTS"));
}

const Error *record_check(RpcCall *call, const char *request_id, const char *field,
    const void *record, const Findings *findings)
{
    check_request_id(call, request_id);
    check_present(call, field, record);
    for (size_t i = 0; i < findings->n_items; i++)
        check_fail(call, check_path(call, "%s.%s", field, findings->items[i].field), "%s",
            findings->items[i].description);
    return check_result(call);
}

const Error *record_put(RpcCall *call, const RecordKind *kind, void *record)
{
    Race race __attribute__((cleanup(race_end))) = race_start(call, *name_of(record));
    const char *etag = *etag_of(record);
    Row row = { .record = record };
    const Error *error;

    *delete_time_of(record) = NULL;
    do
        error = put_once(call, kind, &row, etag);
    while (error && !*etag && is_race(error) && race_again(&race));
    if (!error && row.write) {
        catalog_put_record(catalog_of(call), &row.event);
        catalog_refresh(catalog_of(call));
    }
    return error;
}

/* Many. */

typedef struct RecordImport {
    RpcCall *call;
    const RecordKind *kind;
    ImportRecordsResponse *result;
    Arena *arena; /* the batch's */
    Deed *deed;
    int64_t n_read;
    size_t n_rows;
    Row rows[RECORDS_BATCH];
} RecordImport;

static void add_error(RecordImport *import, int64_t number, const char *name, const char *field,
    const char *description)
{
    ImportRecordsResponse *result = import->result;
    Arena *arena = import->call->arena;
    RowError *error;

    if (result->n_errors == RECORDS_MAX_ERRORS)
        return;
    error = message_new(
        arena, &throughline__catalog__v1__import_records_response__row_error__descriptor);
    error->row = number;
    error->name = arena_text(arena, name);
    error->field = arena_text(arena, field);
    error->description = arena_text(arena, description);
    result->errors[result->n_errors++] = error;
}

static void refuse(RecordImport *import, Row *row, const char *field, const char *why)
{
    import->result->refused++;
    add_error(import, row->number, *name_of(row->record), field, why);
    row->record = NULL;
}

/* Sorts out what became of a row's write; one that lost a race keeps its record for the next round. */
static const Error *settle(RecordImport *import, Row *row)
{
    const Error *error = row->write->error;

    if (error && is_race(error))
        return NULL;
    if (error && error->code == ERROR_ALREADY_EXISTS) {
        refuse(import, row, "", error->message);
        return NULL;
    }
    if (error)
        return error;
    catalog_put_record(catalog_of(import->call), &row->event);
    if (row->is_new)
        import->result->created++;
    else
        import->result->updated++;
    row->record = NULL;
    return NULL;
}

/* Makes the writes of all rows that are still there: those as they were are counted and done. */
static size_t prepare_all(RecordImport *import, void *const *stored, const Error *const *refusals,
    StoreWrite *writes, size_t n_writes)
{
    bool has_head = n_writes > 0;

    for (size_t i = 0; i < import->n_rows; i++) {
        Row *row = &import->rows[i];

        row->write = NULL;
        if (refusals[i]) {
            refuse(import, row, "parent", refusals[i]->message);
        } else if (stored[i] && is_same(stored[i], row->record)) {
            import->result->unchanged++;
            row->record = NULL;
        } else {
            prepare_write(row, import->kind, stored[i], import->deed, &writes[n_writes]);
            writes[n_writes].is_chained = has_head;
            n_writes++;
        }
    }
    return n_writes;
}

/* Drops the rows that are done. */
static void keep_open_rows(RecordImport *import)
{
    size_t n_left = 0;

    for (size_t i = 0; i < import->n_rows; i++)
        if (import->rows[i].record)
            import->rows[n_left++] = import->rows[i];
    import->n_rows = n_left;
}

static const Error *carry_all(RecordImport *import, StoreView *view, void *const *stored)
{
    const Error *error = NULL;

    for (size_t i = 0; i < import->n_rows && !error && import->kind->carry; i++)
        error = import->kind->carry(view,
            stored[i] && !record_is_deleted(stored[i]) ? stored[i] : NULL, import->rows[i].record);
    return error;
}

static const Error *write_round(RecordImport *import, StoreView *view)
{
    size_t n = import->n_rows;
    const char **names = arena_array(import->arena, n, sizeof(*names));
    void **records = arena_array(import->arena, n, sizeof(*records));
    void **stored = arena_array(import->arena, n, sizeof(*stored));
    const Error **refusals = arena_array(import->arena, n, sizeof(*refusals));
    StoreWrite *writes = arena_array(import->arena, n + 1, sizeof(*writes));
    size_t n_writes;
    const Error *error;

    for (size_t i = 0; i < n; i++) {
        records[i] = import->rows[i].record;
        names[i] = *name_of(records[i]);
    }
    if ((error = store_get_many(view, import->kind->collection, names, n, stored)) ||
        (error = carry_all(import, view, stored)) ||
        (import->kind->screen &&
            (error = import->kind->screen(import->call, view, records, n, refusals, &writes[0]))))
        return error;
    n_writes = prepare_all(import, stored, refusals, writes, writes[0].collection != NULL);
    error = store_write(view, writes, n_writes);
    for (size_t i = 0; i < n_writes; i++)
        if (writes[i].error == error)
            error = NULL;
    for (size_t i = 0; i < n && !error; i++)
        if (import->rows[i].write)
            error = settle(import, &import->rows[i]);
    keep_open_rows(import);
    return error;
}

static const Error *write_batch(RecordImport *import)
{
    StoreView view = store_steps(import->call->store);
    const Error *error = NULL;

    view.arena = import->arena;
    for (int round = 0; round < MAX_ROUNDS && import->n_rows > 0 && !error; round++)
        error = write_round(import, &view);
    for (size_t i = 0; i < import->n_rows && !error; i++)
        refuse(import, &import->rows[i], "",
            "was changed by somebody else all the time; send it again");
    catalog_refresh(catalog_of(import->call));
    error = error_copy(import->call->arena, error);
    import->n_rows = 0;
    arena_reset(import->arena);
    return error;
}

static bool is_in_batch(const RecordImport *import, const char *name)
{
    for (size_t i = 0; i < import->n_rows; i++)
        if (text_equal(*name_of(import->rows[i].record), name))
            return true;
    return false;
}

/* Takes a row in, as a copy; `record` may be NULL. */
static const Error *add_row(
    RecordImport *import, const void *record, int64_t row, const Findings *findings)
{
    int64_t number = row > 0 ? row : import->n_read + 1;
    const char *name = record ? *name_of(record) : "";
    const Error *error;
    void *copy;

    import->n_read++;
    for (size_t i = 0; i < findings->n_items; i++)
        add_error(import, number, name, findings->items[i].field, findings->items[i].description);
    if (findings->n_items > 0) {
        import->result->refused++;
        return NULL;
    }
    if (is_in_batch(import, name) && (error = write_batch(import)))
        return error;
    copy = message_copy(import->arena, record);
    *etag_of(copy) = (char *)protobuf_c_empty_string;
    *delete_time_of(copy) = NULL;
    import->rows[import->n_rows++] = (Row){ .number = number, .record = copy };
    return import->n_rows < RECORDS_BATCH ? NULL : write_batch(import);
}

static const Error *take_message(RecordImport *import, const void *message)
{
    const void *record = *(void *const *)message_field(message, import->kind->field);
    int64_t row = *(const int64_t *)message_field(message, "row");
    Arena *arena = arena_new();
    Findings findings = { .arena = arena };
    const Error *error;

    if (record)
        import->kind->check(record, &findings);
    else
        findings_add(&findings, import->kind->field, "is missing");
    error = add_row(import, record, row, &findings);
    arena_free(arena);
    return error;
}

const Error *record_import(RpcCall *call, const RecordKind *kind, ImportRecordsResponse *result)
{
    RecordImport *import = calloc(1, sizeof(*import));
    const Error *error;
    void *message;

    if (!import)
        abort();
    import->call = call;
    import->kind = kind;
    import->result = result;
    import->arena = arena_new();
    import->deed = deed_of(call, "");
    result->errors = arena_array(call->arena, RECORDS_MAX_ERRORS, sizeof(*result->errors));
    do {
        rpc_recycle(call);
        if (!(error = rpc_receive(call, &message)) && message)
            error = take_message(import, message);
    } while (!error && message);
    if (!error)
        error = write_batch(import);
    arena_free(import->arena);
    free(import);
    return error;
}
